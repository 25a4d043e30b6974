"""What the commands are made to do while something goes wrong: one scenario each.

A scenario has a workspace with a store like any other, a command, its input, and what its success means:
  stored      the lines that exit 0 acknowledges (answers on stdout acknowledge some of them earlier)
  documents   files that are afterwards as they were, or as an undisturbed run leaves them
and otherwise its output, which is that of an undisturbed run, or a front part of it.
"""

import pathlib

import judge
from judge import emission, signal

OLD = [signal("a", "2026-02-04"), signal("b"), signal("c", time="11:00:00", entity_refs=[{"ref_type": "T", "value": "v"}]),
       emission("e"), emission("f", "2026-02-04")]
NEW = [signal("n1"), signal("b"), emission("n2"), signal("n3", "2026-02-06"), signal("n1"), emission("n4", "2026-02-01")]
TORN = signal("torn")[:40]


class Scenario:
    def __init__(self, name, command, *options, lines=(), data=None, prepare=(), documents=(), judged=True,
                 reports=False):
        self.name = name
        self.command, self.options = command, options
        self.stored = list(lines)
        self.data = judge.joined(lines) if data is None else data
        self.prepare, self.documents, self.judged = prepare, documents, judged
        self.reports = reports  # the output tells of what goes wrong
        self.undisturbed = None

    def __repr__(self):
        return self.name

    def argv(self, workspace):
        place = [] if self.command == "checkpoint" and self.options[0] == "build" else ["-C", workspace]
        return judge.argv(self.command, *place, *[str(option).replace("WS", str(workspace)) for option in self.options])

    def set_up(self, workspace):
        """A judge of a fresh store, with what the scenario needs."""
        found = judge.Judge(workspace)
        found.offer(OLD + self.stored)
        if "empty" not in self.prepare:
            judge.expect(judge.write(workspace, OLD), 0)
            found.acknowledge(OLD)
        for step in self.prepare:
            if step == "torn":
                with open(found.store / "signals/2026-02-05.jsonl", "ab") as file:
                    file.write(TORN)
            elif step == "open":
                with open(found.store / "signals/2026-02-05.jsonl", "ab") as file:
                    file.write(signal("open"))
                found.allow([signal("open")])
            elif step == "no index":
                judge.shutil.rmtree(found.store / "index")
            elif step == "checkpoint":
                next_file = workspace / "next"
                judge.expect(judge.run(judge.argv("replay", "-C", workspace, "--checkpoint=w", "-n1", f"--next={next_file}")), 0)
                judge.expect(judge.run(judge.argv("checkpoint", "-C", workspace, "advance", "w", f"--to={next_file}")), 0)
                judge.expect(judge.run(judge.argv("replay", "-C", workspace, "--checkpoint=w", f"--next={next_file}")), 0)
            elif step == "snapshot":
                judge.expect(judge.run(judge.argv("snapshot", "-C", workspace, "write", "s", "--at=now"), b'{"old":1}'), 0)
        found.remember()
        return found

    def state(self, workspace):
        """The documents' contents; None where there is none."""
        found = {}
        for name in self.documents:
            path = pathlib.Path(workspace, name)
            found[name] = path.read_bytes() if path.exists() else None
        return found

    def learn(self, workspace):
        """What an undisturbed run does: once, before the others."""
        found = self.set_up(workspace)
        before = self.state(workspace)
        result = judge.run(self.argv(workspace), self.data)
        judge.expect(result, 0)
        self.undisturbed = (result.stdout.replace(str(workspace).encode(), b"WS"), before, self.state(workspace))
        found.acknowledge(self.stored)
        found.check()

    def assess(self, found, result):
        """After a run to which something was done."""
        workspace = found.workspace
        stdout, before, after = self.undisturbed
        printed = result.stdout.replace(str(workspace).encode(), b"WS")
        state = self.state(workspace)
        if self.stored and "--print=result" in self.options:
            found.acknowledge_answers(result.stdout, self.stored)
        if result.returncode == 0:
            found.acknowledge(self.stored)
            if printed != stdout and not self.stored and not self.reports:
                raise judge.Fault(f"exit 0, and the output is not whole: {printed!r}")
            if state != after:
                raise judge.Fault(f"exit 0, and a document is not what it should be: {state}")
        if not self.stored and not self.reports and not stdout.startswith(printed):
            raise judge.Fault(f"the output is no front part of what it should be: {printed!r}")
        for name, content in state.items():
            if content not in (before[name], after[name]):
                raise judge.Fault(f"{name} is neither the old nor the new one: {content!r}")
        if self.judged:
            found.check()


CHECKPOINT = "store/checkpoints/w.json"
SNAPSHOT = "store/snapshots/s__2026-02-05T180000Z.json"
SCENARIOS = [
    Scenario("write to a new store", "write", "--print=result", lines=NEW, prepare=("empty",)),
    Scenario("write to a store", "write", "--print=result", lines=NEW),
    Scenario("write without index", "write", lines=NEW, prepare=("no index",)),
    Scenario("write after a torn line", "write", "--print=result", lines=NEW, prepare=("torn",)),
    Scenario("write after a line without newline", "write", lines=NEW, prepare=("open",)),
    Scenario("write with rejects", "write", "--rejects=WS/rejects", "--stats", lines=NEW),
    Scenario("replay", "replay", "--kind=all"),
    Scenario("replay what is torn, without index", "replay", "--reverse", prepare=("torn", "no index"), judged=False),
    Scenario("replay filtered", "replay", "--entity=T:v", "--tail=5", judged=False),
    Scenario("replay an id", "replay", "--id=c", judged=False),
    Scenario("replay counted", "replay", "--count", judged=False),
    Scenario("replay for a worker", "replay", "--checkpoint=w", "--next=WS/next2", prepare=("checkpoint",),
             documents=(CHECKPOINT, "next2"), judged=False),
    Scenario("advance to", "checkpoint", "advance", "w", "--to=WS/next", prepare=("checkpoint",), documents=(CHECKPOINT,)),
    Scenario("advance by lines", "checkpoint", "advance", "w", data=judge.joined(OLD[1:3]), prepare=("checkpoint",),
             documents=(CHECKPOINT,)),
    Scenario("reset", "checkpoint", "reset", "w", "--to=2026-02-05", prepare=("checkpoint",), documents=(CHECKPOINT,)),
    Scenario("checkpoint written", "checkpoint", "write", "w", data=b'{"last_timestamp":"2026-02-05T10:00:00Z",'
             b'"schema_version":"0.1","seen_ids_at_timestamp":[]}', prepare=("checkpoint",), documents=(CHECKPOINT,)),
    Scenario("checkpoint read", "checkpoint", "read", "w", prepare=("checkpoint",), judged=False),
    Scenario("checkpoints listed", "checkpoint", "list", prepare=("checkpoint",), judged=False),
    Scenario("checkpoint deleted", "checkpoint", "delete", "w", prepare=("checkpoint",), documents=(CHECKPOINT,)),
    Scenario("checkpoint built", "checkpoint", "build", data=judge.joined(OLD[:1]), judged=False),
    Scenario("snapshot written", "snapshot", "write", "s", data=b'{"new":2}', prepare=("snapshot",), documents=(SNAPSHOT,)),
    Scenario("snapshot read", "snapshot", "read", "s", prepare=("snapshot",), judged=False),
    Scenario("snapshots listed", "snapshot", "list", prepare=("snapshot",), judged=False),
    Scenario("top", "top", "--missing-score=0", judged=False),
]
if judge.has("fsck"):
    SCENARIOS += [
        Scenario("fsck", "fsck", reports=True),
        Scenario("fsck --repair", "fsck", "--repair", prepare=("torn",), reports=True),
    ]
