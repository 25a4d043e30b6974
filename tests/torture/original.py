#!/usr/bin/env python3
"""The same answers as the original's on random stores, where its package metaspn_store can be imported (PYTHONPATH).

Stores are written by the original, by the commands, by both in turn, and by programs that know neither: in order or not,
with ids that occur again, lines spelt otherwise, lines in the wrong day's file. Each call of the table in metaspn(7) is
then made beside its command. What is meant to differ is left out, or told apart here: see MEANT DIFFERENCES.
"""

import json
import random
from datetime import datetime, timedelta, timezone

import judge
from judge import Fault

try:
    from metaspn_schemas import EmissionEnvelope, EntityRef, SignalEnvelope
    from metaspn_store import DuplicateEventError, FileSystemStore, ReplayCheckpoint
except ImportError:
    FileSystemStore = None

STORES, QUICK_STORES = 200, 4
START = datetime(2026, 2, 1, tzinfo=timezone.utc)
DAYS = 6
END = START + timedelta(days=DAYS)
SOURCES = ["social.feed", "social", "social.feed.x", "socialite", "café", 'a "quoted" one', "\U0001f600"]
TYPES = ["PostSeen", "EntityResolved", "EntityMerged", "Draft\tCreated", "ünicode"]
EMISSION_TYPES = ["DraftReady", "DraftApproved", "DraftRejected"]


def text_of(moment):
    return moment.isoformat().replace("+00:00", "Z")


def line_of(envelope):
    return judge.canonical(envelope.to_dict())


def lines_of(envelopes):
    return [line_of(each) for each in envelopes]


class Generator:
    """Random events, and random ways to write them down."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.disordered = self.random.random() < 0.5
        self.misfiled = self.random.random() < 0.3
        # MEANT DIFFERENCES: equal timestamps in recent and latest queries go by position, the original's by id.
        self.spread = self.random.choice([20, 100_000])

    def moment(self):
        moment = START + timedelta(seconds=self.random.randrange(self.spread) * (DAYS * 86400 // self.spread))
        return moment + timedelta(microseconds=self.random.choice([0, 0, 0, 1, 500_000]))

    def reference(self):
        choose = self.random.choice
        return EntityRef(ref_type=choose(["handle", "kind:with colon"]), value=choose(["@a", "@b", "é", "c:d"]),
                         platform=choose([None, None, "twitter"]), label=choose([None, None, "A"]))

    def references(self):
        return tuple(self.reference() for _ in range(self.random.choice([0, 1, 1, 2])))

    def payload(self):
        # MEANT DIFFERENCES: a boolean is no score.
        score = self.random.choice([0, 1, -3, 0.5, 1e-7, 12345678901234567890, 0.5, "0.9", None])
        return self.random.choice([{"score": score}, {"score": score, "status": "READY"}, {"other": [1, {"score": 9}]},
                                   {}, "text", [1], None])

    def signal(self, number):
        choose = self.random.choice
        name = f"s{number}" + choose(["", "é", '"', "\\", "\U0001f600"])
        return SignalEnvelope(signal_id=name, timestamp=self.moment(), source=choose(SOURCES), payload_type=choose(TYPES),
                              payload=self.payload(), entity_refs=self.references(), raw=choose([None, {"z": 1, "a": "é"}]))

    def emission(self, number):
        return EmissionEnvelope(emission_id=f"e{number}", timestamp=self.moment(), payload=self.payload(),
                                emission_type=self.random.choice(EMISSION_TYPES), entity_refs=self.references(),
                                caused_by=f"s{self.random.randrange(60)}")

    def events(self, make, count):
        events = [make(number) for number in range(count)]
        return events if self.disordered else sorted(events, key=lambda event: event.timestamp)

    def spelt(self, envelope):
        """The line of a producer with habits of its own, and of the same meaning."""
        members = list(envelope.to_dict().items())
        self.random.shuffle(members)
        separators = self.random.choice([(",", ":"), (", ", ": "), (" ,", " :")])
        return json.dumps(dict(members), ensure_ascii=self.random.random() < 0.5, separators=separators).encode()

    def window(self):
        if self.random.random() < 0.2:
            return START, END
        since, until = sorted([self.moment(), self.moment()])
        return since, until


class Comparison:
    def __init__(self, workspace, seed):
        self.make = Generator(seed)
        self.random = self.make.random
        self.workspace = workspace / "both"
        self.workspace.mkdir()
        self.asked = 0
        self.signals = self.make.events(self.make.signal, 60)
        self.emissions = self.make.events(self.make.emission, 30)

    def command(self, name, *arguments, data=b"", statuses=(0,), workspace=None):
        return judge.expect(judge.run(judge.argv(name, "-q", "-C", workspace or self.workspace, *arguments), data), *statuses)

    def same(self, what, theirs, ours):
        self.asked += 1
        if theirs != ours:
            raise Fault(f"{what}: the original: {theirs!r:.2000}; here: {ours!r:.2000}")

    def original(self):
        return FileSystemStore(self.workspace)

    # ---- writing

    def write(self, by_us, events, workspace, policy="return_existing"):
        """The paths that are told; of a duplicate that ends it, None."""
        if not by_us:
            store = FileSystemStore(workspace)
            write = store.write_signals if isinstance(events[0], SignalEnvelope) else store.write_emissions
            try:
                return [str(path) for path in write(events, on_duplicate=policy)]
            except DuplicateEventError:
                return None
        lines = judge.joined(map(self.make.spelt, events))
        out = self.command("write", f"--on-duplicate={policy}", "--print=path", data=lines, workspace=workspace,
                           statuses=(0, 4) if policy == "raise" else (0,))
        paths = out.decode().splitlines()
        return paths if len(paths) == len(events) else None

    def write_all(self, apart):
        """All into one store by turns; and the same into two stores, each by one of them."""
        apart = [apart / "theirs", apart / "ours"]
        for each in apart:
            each.mkdir()
        for events in (self.signals, self.emissions):
            while events:
                batch, events = events[:20], events[20:]
                batch = batch + self.random.sample(batch, self.random.randrange(4))
                policy = self.random.choice(["return_existing", "ignore", "raise"])
                self.write(self.random.random() < 0.5, batch, self.workspace)
                told = [self.write(by_us, batch, each, policy) for by_us, each in enumerate(apart)]
                relative = [told_by and [path.removeprefix(str(each)) for path in told_by] for told_by, each in zip(told, apart)]
                self.same(f"write, {policy}", *relative)
        self.same("partitions", *(judge.Judge(each).partitions() for each in apart))

    def append_foreign_lines(self):
        """MEANT DIFFERENCES: an id's first record is chosen before window and filters, in the original after. So what occurs
        again says the same, and lies no earlier."""
        store = self.workspace / "store"
        for events in (self.signals, self.emissions):
            folder = store / ("signals" if events is self.signals else "emissions")
            for event in self.random.sample(events, 8):
                day = event.timestamp.date() + timedelta(days=self.random.randrange(3) if self.make.misfiled else 0)
                with open(folder / f"{day}.jsonl", "ab") as file:
                    file.write(self.random.choice([b"", b"\n", b" \t\r\n"]) + self.make.spelt(event) + b"\n")

    # ---- asking

    def replay(self, what, theirs, *arguments, kind=None, normal=lines_of, name="replay"):
        """What the original yields against the lines that are printed, as the original reads them."""
        envelope = EmissionEnvelope if kind else SignalEnvelope
        index = self.random.choice([[], [], ["--no-index"]])
        out = self.command(name, *index, *arguments, *(["-k", kind] if kind else []))
        read = [envelope.from_dict(json.loads(line)) for line in out.splitlines()]
        self.same(f"{what} {arguments}", normal(list(theirs)), normal(read))

    def filters(self, kind=None):
        """Keyword arguments, and options, of one meaning."""
        keywords, options = {}, []
        if self.random.random() < 0.5:
            reference = self.make.reference()
            keywords["entity_ref"] = reference
            # MEANT DIFFERENCES: entities are type, platform and value; with all of its members it is that reference alone.
            options.append("--entity=" + json.dumps(reference.to_dict()))
        if self.random.random() < 0.5:
            names = self.random.sample(EMISSION_TYPES if kind else SOURCES, 2)
            keywords["emission_types" if kind else "sources"] = names
            options += [("--type=" if kind else "--source=") + name for name in names]
        return keywords, options

    def types(self):
        names = self.random.sample(TYPES, self.random.randrange(3))
        return {"payload_types": names or None}, ["--type=" + name for name in names]

    def windows(self):
        since, until = self.make.window()
        return {"start": since, "end": until}, ["--since=" + text_of(since), "--until=" + text_of(until)]

    def ask_windows(self):
        (window, within), (filters, options) = self.windows(), self.filters()
        self.replay("iter_signals", self.original().iter_signals(**window, **filters), "--order=append", *within, *options)
        (window, within), (filters, options) = self.windows(), self.filters("emissions")
        self.replay("iter_emissions", self.original().iter_emissions(**window, **filters), "--order=append", *within, *options,
                    kind="emissions")
        (window, within), resolved = self.windows(), self.random.random() < 0.5
        self.replay("iter_entity_candidate_signals", self.original().iter_entity_candidate_signals(**window, resolved=resolved),
                    "--order=append", *within, "--resolved" if resolved else "--unresolved")
        (window, within), (types, options), stage = self.windows(), self.types(), self.random.choice(SOURCES)
        self.replay("iter_stage_window_signals", self.original().iter_stage_window_signals(stage=stage, **window, **types),
                    "--order=append", *within, "--stage=" + stage, *options)

    def ask_latest(self):
        limit = 1000 if self.make.misfiled else self.random.randrange(1, 20)

        def but_for_ties(envelopes):
            """MEANT DIFFERENCES: equal timestamps, and days before timestamps where a line lies in the wrong day's file."""
            if self.make.misfiled:
                return sorted(lines_of(envelopes))
            last = envelopes[-1].timestamp if len(envelopes) == limit else None
            return ([each.timestamp for each in envelopes],
                    sorted(line_of(each) for each in envelopes if each.timestamp != last))

        (window, within), (filters, options), store = self.windows(), self.filters(), self.original()
        backward = ["--reverse", "-n", limit]
        filters.setdefault("entity_ref", self.make.reference())
        options = [each for each in options if not each.startswith("--entity")]
        options.append("--entity=" + json.dumps(filters["entity_ref"].to_dict()))
        self.replay("get_recent_signals_by_entity",
                    store.get_recent_signals_by_entity(limit=limit, **window, **filters),
                    *backward, *within, *options, normal=but_for_ties)
        source = self.random.choice(SOURCES)
        self.replay("get_recent_signals_by_source",
                    store.get_recent_signals_by_source(source=source, limit=limit, end=END),
                    *backward, "--until=" + text_of(END), "--source=" + source, normal=but_for_ties)
        types, options = self.types()
        self.replay("get_latest_draft_signals", store.get_latest_draft_signals(limit=limit, **window, **types),
                    *backward, *within, *options, normal=but_for_ties)
        filters, options = self.filters("emissions")
        self.replay("get_latest_approval_outcomes",
                    store.get_latest_approval_outcomes(limit=limit, **window, **filters),
                    *backward, *within, *options, kind="emissions", normal=but_for_ties)

    def ask_top(self):
        (window, within), (filters, options), (types, more) = self.windows(), self.filters(), self.types()
        limit, unique = self.random.choice([0, 1, 5, 100]), self.random.random() < 0.5
        theirs = self.original().get_top_recommendation_candidates(limit=limit, unique_by_entity=unique, **window,
                                                                   **filters, **types)
        self.replay("get_top_recommendation_candidates", theirs, "-n", limit, "--missing-score=0", *within, *options, *more,
                    "--unique-by=" + ("entity" if unique else "none"), name="top")

    def ask_checkpoint(self):
        """MEANT DIFFERENCES: what resumes goes by position, and a due event that is later than --until ends its day's file; so
        all ends after the last event here, and no line lies in the wrong day's file."""
        store, until = self.original(), "--until=" + text_of(END)
        done = sorted(self.random.sample(self.signals, self.random.randrange(1, 60)), key=lambda each: each.timestamp)
        checkpoint = store.build_signal_checkpoint(done)
        document = judge.canonical(checkpoint.to_dict()) + b"\n"
        self.same("build_signal_checkpoint", document, self.command("checkpoint", "build", data=judge.joined(map(line_of, done))))
        path = store.write_checkpoint("theirs", checkpoint)
        self.command("checkpoint", "write", "ours", data=document)
        self.same("write_checkpoint", path.read_bytes(), path.with_name("ours.json").read_bytes())
        self.same("read_checkpoint", store.read_checkpoint("ours").to_dict(), checkpoint.to_dict())
        if self.make.misfiled:
            return
        (filters, options), (types, more) = self.filters(), self.types()
        theirs = list(store.iter_recommendation_signals(start=START, end=END, checkpoint=checkpoint, **filters, **types))
        self.replay("iter_recommendation_signals", theirs, "--checkpoint=theirs", "--since=" + text_of(START), until,
                    *options, *more)
        following = self.workspace / "next"
        self.replay("iter_signals_from_checkpoint", store.iter_signals_from_checkpoint(end=END, checkpoint=checkpoint, **filters),
                    "--checkpoint=ours", f"--next={following}", until, *options)
        self.command("checkpoint", "advance", "ours", f"--to={following}")
        read = store.read_checkpoint("ours")
        if not isinstance(read, ReplayCheckpoint) or read.last_timestamp < checkpoint.last_timestamp:
            raise Fault(f"the original reads {read} in what advance wrote")

    def ask_snapshots(self):
        state = {"é": [1, 0.1, 1e-7, {"b": None, "a": True}], "n": self.random.random(), "\U0001f600": "\u2028\n"}
        store, text, moment = self.original(), json.dumps(state, indent=1, ensure_ascii=False).encode(), self.make.moment()
        path = store.write_snapshot("system_state", state, moment)
        theirs = path.read_bytes()
        path.unlink()
        told = self.command("snapshot", "write", "system_state", "--at=" + text_of(moment), "--print=path", data=text)
        self.same("write_snapshot", (str(path), theirs), (told.decode().rstrip("\n"), path.read_bytes()))
        theirs = store.write_daily_digest_snapshot(day=moment, digest=state).read_bytes()
        self.command("snapshot", "write", "digest", f"--day={moment.date()}", data=text)
        self.same("write_daily_digest_snapshot", theirs, self.command("snapshot", "read", "digest", f"--day={moment.date()}"))
        self.same("read_daily_digest_snapshot", {"day": str(moment.date()), "digest": state, "schema_version": "0.1"},
                  store.read_daily_digest_snapshot(moment))


def compare(workspace, seed):
    comparison = Comparison(workspace, seed)
    comparison.write_all(workspace)
    comparison.append_foreign_lines()
    for _ in range(3):
        comparison.ask_windows()
        comparison.ask_latest()
        comparison.ask_top()
    comparison.ask_checkpoint()
    comparison.ask_snapshots()
    return comparison.asked


def main():
    item = judge.Item("the original's answers in random stores")
    count = QUICK_STORES if item.quick else STORES
    if FileSystemStore is None:
        item.skip("no Python package metaspn_store that could be imported")
    else:
        item.trials(compare, range(count))
    item.finish(f" of {count} stores")


if __name__ == "__main__":
    main()
