#!/usr/bin/env python3
"""R7: the partition, every file of the index and a checkpoint, cut at every byte and with every bit flipped.

No crash, no hang; undamaged events are always replayed and nothing else is printed; damage of the index never changes an
answer; under a writer that has read it no event is lost; a checkpoint that is no longer one is refused.
"""

import contextlib
import subprocess
import zlib

import judge
from judge import Fault, emission, signal

DAY = "store/signals/2026-02-05.jsonl"
CHECKPOINT = "store/checkpoints/w.json"
LINES = [signal(f"s{n}", time=f"10:00:0{n % 4}", entity_refs=[{"ref_type": "T", "value": f"v{n % 2}"}]) for n in range(9)]
OTHERS = [signal("s3", "2026-02-06"), emission("e1"), emission("e2", "2026-02-04")]
NEW = [signal("new"), emission("new")]
QUESTIONS = [("--kind=all",), ("--id=s5",), ("--entity=T:v1",), ("--reverse", "-n2"), ("--kind=emissions", "--id=e2")]


class Store:
    """A store that can be put back into its state: the same files, with their times and inodes, the index renewed."""

    def __init__(self, workspace):
        self.workspace = workspace
        judge.expect(judge.write(workspace, LINES[:6] + OTHERS), 0)
        judge.expect(judge.write(workspace, LINES[6:]), 0)  # a part of the index is in its log
        judge.expect(judge.run(judge.argv("replay", "-C", workspace, "--checkpoint=w", "-n4", "--next", workspace / "next")), 0)
        judge.expect(judge.run(judge.argv("checkpoint", "-C", workspace, "advance", "w", "--to", workspace / "next")), 0)
        self.files = {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()}
        self.answers = {question: self.ask(question) for question in QUESTIONS}

    def restore(self):
        for path in self.workspace.rglob("*"):
            if path.is_file() and path not in self.files:
                path.unlink()
        for path, content in self.files.items():
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)

    def ask(self, question):
        return judge.expect(judge.run(judge.argv("replay", "-C", self.workspace, *question)), 0)


def damaged(content):
    """(what, bytes): cut at every byte, then every bit flipped."""
    for length in range(len(content)):
        yield f"cut to {length}", content[:length]
    for bit in range(len(content) * 8):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit} flipped", bytes(flipped)


def partition(store, content):
    """What is printed are the lines that still are events, each one's first record; the rest is named, exit 3 (or is the
    torn end)."""
    result = judge.run(judge.argv("replay", "-C", store.workspace, "--order=append", "--day=2026-02-05"))
    judge.expect(result, 0, 3)
    printed = result.stdout.split(b"\n")[:-1]
    lines, first = content.split(b"\n"), {}
    for place, line in enumerate(lines):  # a flipped bit may make one id another one, whose own record is then a repeat
        first.setdefault(judge.identity(line), place)
    intact = [line for place, line in enumerate(lines) if line in LINES and first[judge.identity(line)] == place]
    stray = [line for line in printed if line not in lines]
    if stray or [line for line in printed if line in LINES] != intact:
        raise Fault(f"not the undamaged events: {result.stdout!r}")


def index(store, content):
    """One of the questions, another one each time."""
    question = QUESTIONS[zlib.crc32(content) % len(QUESTIONS)]
    if store.ask(question) != store.answers[question]:
        raise Fault(f"another answer to {question}")


def index_of_a_writer(store, content):
    """The writer relies on it: duplicates are known, new events are new; after a last line without newline, too."""
    with open(store.workspace / DAY, "ab") as file:
        file.write(signal("open"))
    lines = [LINES[0], LINES[8], OTHERS[1], signal("open"), signal("new")]
    result = judge.write(store.workspace, lines, "--print=result")
    judge.expect(result, 0)
    statuses = [answer["status"] for answer in judge.answers(result.stdout)]
    if statuses != ["duplicate"] * 4 + ["appended"]:
        raise Fault(f"the writer answered {statuses}")


@contextlib.contextmanager
def writer(store, _):
    """One that has read the index, and is there still when it is damaged."""
    command = judge.argv("write", "-C", store.workspace, "--print=result")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=judge.environment()) as process:
        expect_answers(process, [LINES[0], OTHERS[1]], "duplicate")
        yield process
        process.stdin.close()
        status = process.wait(judge.TIMEOUT)
        if status != 0:
            raise Fault(f"the writer ended with {status}: {process.stderr.read()!r}")
    printed = store.ask(("--kind=all",)).split(b"\n")[:-1]
    if sorted(printed) != sorted(store.answers["--kind=all",].split(b"\n")[:-1] + NEW):
        raise Fault(f"not every event once: {printed}")


def expect_answers(process, lines, *wanted):
    process.stdin.write(judge.joined(lines))
    process.stdin.flush()
    statuses = [answer["status"] for answer in judge.answers(b"".join(process.stdout.readline() for _ in lines))]
    if [status for status in statuses if status not in wanted] or len(statuses) != len(lines):
        raise Fault(f"the writer answered {statuses}")


def index_under_a_writer(_, process):
    """What it has checked it does not check again: it may store an event once more, and loses none (see writer())."""
    expect_answers(process, LINES + OTHERS[1:], "duplicate", "appended")
    expect_answers(process, NEW, "appended")


def checkpoint(store, _):
    """Refused, nothing printed; or what is printed are stored lines, as they lie. (That a good position or time became
    another good one, or a member one that is not ours, cannot be seen.)"""
    result = judge.run(judge.argv("replay", "-C", store.workspace, "--checkpoint=w"))
    judge.expect(result, 0, 3, 5)
    printed = result.stdout.split(b"\n")[:-1]
    if printed != [line for line in LINES if line in printed] or (printed and result.returncode != 0):
        raise Fault(f"exit status {result.returncode}, printed {result.stdout!r}")


def work(workspace, case):
    """A share of the damages of one file."""
    name, places, check, around = case
    store = Store(workspace)
    path = name(workspace)
    content = store.files[path]
    tried = 0
    chosen = set(places)
    for n, (what, bad) in enumerate(damaged(content)):
        if n not in chosen:
            continue
        store.restore()
        tried += 1
        try:
            with around(store, bad) as given:
                path.write_bytes(bad)
                check(store, given)
        except Fault as fault:
            raise Fault(f"{path.name} {what}: {fault}") from None
    return tried


def stale(workspace, _):
    """An index that points to another event: a line was changed in place, far before the end, and the file has grown. The
    id that the index knows is not stored, and must be."""
    lines = [signal(f"early{n}", payload={"text": "x" * 900}) for n in range(12)]
    judge.expect(judge.write(workspace, lines), 0)
    path = workspace / DAY
    changed = lines[1].replace(b"early1", b"earlyX")
    with open(path, "r+b") as file:
        file.seek(len(lines[0]) + 1)
        file.write(changed)
    with open(path, "ab") as file:
        file.write(signal("late") + b"\n")
    found = judge.Judge(workspace)
    found.offer([*lines, changed, signal("late")])
    judge.expect(judge.write(workspace, [lines[1]]), 0)
    found.acknowledge([lines[1]])
    found.check(fsck=False)


def manifest(workspace):
    return workspace / "store/index/manifest"


def log(workspace):
    return next(workspace.glob("store/index/log-*"))


def runs(workspace):
    return max(workspace.glob("store/index/ids-*"))


def main():
    item = judge.Item("cut at every byte, every bit flipped")
    probe = Store(judge.pathlib.Path(judge.tempfile.mkdtemp(dir=item.kept)))
    names = {
        "partition": (lambda ws: ws / DAY, partition, 1),
        "manifest": (manifest, index, 1),
        "log": (log, index, 1),
        "ids": (runs, index, 5),
        "refs": (lambda ws: max(ws.glob("store/index/refs-*")), index, 5),
        "manifest for a writer": (manifest, index_of_a_writer, 3),
        "log for a writer": (log, index_of_a_writer, 3),
        "ids for a writer": (runs, index_of_a_writer, 11),
        "manifest under a writer": (manifest, index_under_a_writer, 11, writer),
        "log under a writer": (log, index_under_a_writer, 11, writer),
        "ids under a writer": (runs, index_under_a_writer, 37, writer),
        "checkpoint": (lambda ws: ws / CHECKPOINT, checkpoint, 1),
    }
    cases = []
    for name, (path, check, step, *around) in names.items():
        total = len(probe.files[path(probe.workspace)]) * 9
        step *= 701 if item.quick else 1
        count = 1 if item.quick else 8
        around = around[0] if around else lambda _, bad: contextlib.nullcontext(bad)
        cases += [(path, range(n * step, total, count * step), check, around) for n in range(count)]
    item.trials(stale, [None])
    item.trials(work, cases)
    item.finish()


if __name__ == "__main__":
    main()
