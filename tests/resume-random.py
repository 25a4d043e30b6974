#!/usr/bin/env python3
"""Workers' resume in random stores (RELIABILITY.md, R13).

    resume-random.py [--seed=N] [--stores=N]

Each store lives through late events, foreign appends, torn last lines, copies of ids, records in the wrong day's file,
damage, rewritten days, restored backups, files that go and come back, and lost indexes; meanwhile a worker runs its loop,
is killed between any two steps and within them, and starts over. Every replay is compared line for line, and every
checkpoint position for position, with a second opinion (resume_model.py). In the end everything that was due must have
been delivered, and nothing twice without a cause: a kill, a rewritten file, or a copy into an earlier day. In some stores
another program also appends while the commands run; there is no second opinion there then, only the end counts.

The commands are those in the PATH. A violation is printed with its seed, the store is kept, with its history in the file
history, and the exit status is 1. (A kill may hit earlier or later in another run of the same seed.)
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import resume_model as model

DAYS = ["2026-02-03", "2026-02-04", "2026-02-05", "2026-02-06"]
START = model.instant("2026-02-03T06:00:00Z")
HOUR = 3600 * 1000000


class Violation(Exception):
    pass


class World:
    """A store, and what happens to it."""

    def __init__(self, rng, root):
        self.rng, self.root = rng, root
        self.folder = os.path.join(root, "store", "signals")
        os.makedirs(self.folder)
        self.now, self.count = START, 0
        self.torn, self.backups, self.away = {}, {}, {}
        self.documents = []  # files of checkpoints whose positions must not be deceived
        self.steps, self.causes = 0, {}  # when an event last got a cause to come again
        self.can_rewrite = self.can_copy = True
        self.size = rng.choice([0, 0, 30, 30, 2000])
        self.history = []

    def path(self, day):
        return os.path.join(self.folder, day + ".jsonl")

    def bytes(self, day):
        try:
            with open(self.path(day), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def store(self):
        return model.Store(self.folder)

    # ---- events

    def event(self, day=None):
        self.count += 1
        rng = self.rng
        at = model.instant((day or rng.choice(DAYS)) + "T00:00:00Z") + rng.choice([rng.randrange(86400), 36000]) * 1000000
        source = rng.choices(["common", "other", "rare"], [50, 45, 5])[0]
        payload = {"pad": "x" * rng.randrange(self.size + 1)}
        return {"entity_refs": [], "payload": payload, "payload_type": "T", "schema_version": "0.9",
                "signal_id": f"e{self.count}", "source": source, "timestamp": model.text_of(at)}

    def line(self, event):
        loose = self.rng.random() < 0.2
        return json.dumps(event, sort_keys=not loose, separators=None if loose else (",", ":")).encode()

    def append(self, day, data):
        """As another program does, which ends the last line first."""
        self.torn.pop(day, None)
        old = self.bytes(day) or b""
        fragment = old[old.rfind(b"\n") + 1 :]
        with open(self.path(day), "ab") as file:
            file.write((b"\n" if fragment else b"") + data)

    # ---- what happens

    def write(self):
        events = [self.event() for _ in range(self.rng.randrange(1, 6))]
        known = list(self.store().first.values())
        lines = [json.dumps(event) for event in events]
        if known and self.rng.random() < 0.3:
            lines.append(self.rng.choice(known).data.decode())
        self.rng.shuffle(lines)
        done = subprocess.run(["metaspn-write", "-q", "-C", self.root, "--no-sync"], input="\n".join(lines).encode(),
                              capture_output=True)
        if done.returncode != 0:
            raise Violation(f"write: exit {done.returncode}: {done.stderr.decode()}")
        self.torn = {day: rest for day, rest in self.torn.items() if not (self.bytes(day) or b"\n").endswith(b"\n")}

    def append_events(self):
        event = self.event()
        day = event["timestamp"][:10]
        lines = b"\n".join(self.line(e) for e in [event] + [self.event(day) for _ in range(self.rng.randrange(3))])
        self.append(day, lines + self.rng.choice([b"\n", b"\n", b""]))

    def tear(self):
        event = self.event()
        line = self.line(event) + b"\n"
        cut = self.rng.randrange(1, len(line) - 1)
        self.append(event["timestamp"][:10], line[:cut])
        self.torn[event["timestamp"][:10]] = line[cut:]

    def mend(self):
        for day, rest in list(self.torn.items()):
            if self.bytes(day) is not None:
                with open(self.path(day), "ab") as file:
                    file.write(rest)
            del self.torn[day]

    def copy(self):
        records = list(self.store().first.values())
        if not records or not self.can_copy:
            return
        record, day = self.rng.choice(records), self.rng.choice(DAYS)
        if day < record.day:
            self.excuse([record])
        self.append(day, record.data + self.rng.choice([b"\n", b"\n", b""]))

    def misfile(self):
        event = self.event()
        if self.rng.random() < 0.3:
            event["timestamp"] = self.rng.choice(["2031-01-01T00:00:00Z", "2020-01-01T00:00:00Z"])
        self.append(self.rng.choice(DAYS), self.line(event) + b"\n")

    def damage(self):
        self.append(self.rng.choice(DAYS), self.rng.choice([b'{"signal_id":"d"}', b"\xff\xfe", b"{", b"   "]) + b"\n")

    def back_up(self):
        day = self.rng.choice(DAYS)
        if self.bytes(day):
            self.backups[day] = self.bytes(day)

    def restore(self):
        for day, data in self.backups.items():
            if self.rng.random() < 0.5:
                self.rewrite(day, self.rng.choice([data, data, data, b""]))

    def edit(self):
        day = self.rng.choice(DAYS)
        lines = [line for line in (self.bytes(day) or b"").split(b"\n") if line]
        for _ in range(self.rng.randrange(1, 4)):
            what = self.rng.randrange(4)
            if what == 0 and lines:
                del lines[self.rng.randrange(len(lines))]
            elif what == 1:
                lines.insert(self.rng.randrange(len(lines) + 1), self.line(self.event(day)))
            elif what == 2:
                self.rng.shuffle(lines)
            else:
                lines.append(self.line(self.event(day)))
        self.rewrite(day, b"".join(line + b"\n" for line in lines))

    def take_away(self):
        day = self.rng.choice(DAYS)
        if self.bytes(day) is not None and self.can_rewrite:
            self.excuse_day(day)
            self.away[day] = self.bytes(day)
            os.unlink(self.path(day))

    def bring_back(self):
        for day, data in list(self.away.items()):
            if self.bytes(day) is None:
                self.rewrite(day, data)
                self.away.pop(day)

    def excuse(self, records):
        self.steps += 1
        self.causes |= {record.id: self.steps for record in records if record.event}

    def excuse_day(self, day):
        self.excuse(model.Partition(day, self.bytes(day) or b"").records)

    def deceives(self, day, old, new):
        """A rewrite that keeps the bytes before a position is not to be noticed."""
        for name in self.documents:
            position = (read_document(name) or {}).get("positions", {}).get(day)
            at = position["offset"] if position else 0
            if old[:at] != new[:at] and old[max(0, at - model.REACH) : at] == new[max(0, at - model.REACH) : at]:
                return True
        return False

    def rewrite(self, day, data):
        old = self.bytes(day)
        if not self.can_rewrite or self.deceives(day, old or self.away.get(day, b""), data):
            return
        self.excuse_day(day)
        if self.rng.random() < 0.5:
            with open(self.path(day), "wb") as file:
                file.write(data)
        else:
            with open(self.path(day) + ".new", "wb") as file:
                file.write(data)
            os.rename(self.path(day) + ".new", self.path(day))
        self.torn.pop(day, None)
        self.excuse_day(day)

    def hurt_index(self):
        index = os.path.join(self.root, "store", "index")
        if self.rng.random() < 0.5:
            shutil.rmtree(index, ignore_errors=True)
        elif os.path.isdir(index) and os.listdir(index):
            name = os.path.join(index, self.rng.choice(os.listdir(index)))
            with open(name, "r+b") as file:
                file.seek(self.rng.randrange(os.path.getsize(name) + 1))
                file.write(self.rng.randbytes(8))

    def pass_time(self):
        self.now += self.rng.randrange(1, 12) * HOUR

    def happen(self, times):
        things = [(self.write, 20), (self.append_events, 15), (self.tear, 4), (self.mend, 6), (self.copy, 8),
                  (self.misfile, 4), (self.damage, 3), (self.back_up, 4), (self.restore, 2), (self.edit, 4),
                  (self.take_away, 1), (self.bring_back, 2), (self.hurt_index, 2), (self.pass_time, 10)]
        for _ in range(times):
            thing = self.rng.choices([t for t, _ in things], [w for _, w in things])[0]
            thing()
            self.history.append(f"{thing.__name__}: {self.sizes()}")

    def sizes(self):
        return {day: len(data) for day in DAYS if (data := self.bytes(day)) is not None}


class Bustle(threading.Thread):
    """Another program that appends, a line in two writes, for as long as it is let."""

    def __init__(self, world, seed):
        super().__init__()
        self.world, self.rng, self.over = world, random.Random(seed), threading.Event()

    def run(self):
        while not self.over.is_set():
            event = self.world.event(self.rng.choice(DAYS))
            line = self.world.line(event) + b"\n"
            cut = self.rng.randrange(len(line))
            self.world.append(event["timestamp"][:10], line[:cut])
            time.sleep(self.rng.random() * 0.002)
            with open(self.world.path(event["timestamp"][:10]), "ab") as file:
                file.write(line[cut:])

    def stop(self):
        self.over.set()
        self.join()


def read_document(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


class Loop:
    """A worker's loop over a world."""

    def __init__(self, rng, world):
        self.rng, self.world = rng, world
        self.stored = os.path.join(world.root, "store", "checkpoints", "w.json")
        self.next = os.path.join(world.root, "n")
        world.documents = [self.stored, self.next]
        self.memory = model.Memory()
        since = START + 30 * HOUR if rng.random() < 0.15 else None
        self.worker = model.Worker(rng.choice([None, None, "common", "rare"]), since)
        self.by_lines = rng.random() < 0.35
        self.use_until, self.limits = rng.random() < 0.5, rng.random() < 0.5
        self.no_index, self.busy = rng.random() < 0.2, False
        self.delivered, self.passed = {}, set()  # delivered: by which replay

    def run(self, command, *arguments, data=b"", kill=False):
        command = [command, "-q", "-C", self.world.root, *arguments]
        bustle = Bustle(self.world, self.rng.random()) if self.busy else None
        if bustle:
            self.world.mend()
            bustle.start()
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if kill:
            time.sleep(self.rng.random() * 0.006)
            process.kill()
        out, err = process.communicate(data)
        if bustle:
            bustle.stop()
        self.world.history.append(f"{' '.join(command)} -> {process.returncode} {err.decode().strip()}")
        return process.returncode, out, err.decode()

    def require(self, good, what, *details):
        if not good:
            raise Violation(": ".join([what, *map(str, details)]))

    # ---- beginning

    def begin(self):
        how = self.rng.randrange(4)
        store = self.world.store()
        events = sorted((r for r in store.first.values()), key=lambda r: r.time)
        if how == 0 and events:
            lines = [r.data for r in events[: self.rng.randrange(1, len(events) + 1)]]
            code, out, err = self.run("metaspn-checkpoint", "build", data=b"\n".join(lines) + b"\n")
            self.require(code == 0, "build", err)
            code, _, err = self.run("metaspn-checkpoint", "write", "w", data=out)
            self.require(code == 0, "write", err)
        elif how == 1:
            self.begin_by_reset(store)

    def begin_by_reset(self, store):
        at = START + self.rng.randrange(96) * HOUR
        code, _, err = self.run("metaspn-checkpoint", "reset", "w", "--to=" + model.text_of(at))
        self.require(code == 0, "reset", err)
        want = {}
        for day, partition in store.days.items():
            since = [r.start for r in partition.records if r.event and r.time >= at]
            at_day = (since + [partition.end])[0]
            want[day] = partition.end if day < model.day_of(at) else at_day if day == model.day_of(at) else 0
        self.learn(store)
        self.require_offsets(store, read_document(self.stored), want, "reset")
        self.passed |= {r.id for day in want for r in store.days[day].records if r.event and r.start < want[day]}

    # ---- steps

    def learn(self, store):
        for name in self.world.documents:
            self.memory.learn(read_document(name), store)

    def require_offsets(self, store, document, want, what):
        got = {day: p["offset"] for day, p in document["positions"].items()}
        self.require(model.same_offsets(store, got, want), what, f"positions are {got}", f"not {want}")

    def expect(self, until, limit):
        store, document = self.world.store(), read_document(self.stored)
        return model.Resumed(store, self.memory, document, self.worker, until, limit)

    def replay(self, until, limit, kill=False):
        """The lines, or None after a kill."""
        arguments = ["--checkpoint=w", "--next=" + self.next]
        arguments += [f"--source={self.worker.source}"] if self.worker.source else []
        arguments += ["--since=" + model.text_of(self.worker.since)] if self.worker.since else []
        arguments += ["--now=" + model.text_of(until), "--until=now"] if until is not None else []
        arguments += [f"-n{limit}"] if limit is not None else []
        arguments += ["--no-index"] if self.no_index else []
        expected = self.expect(until, limit)
        self.note_passed(expected)
        self.world.steps += 1
        self.started = self.world.steps
        code, out, err = self.run("metaspn-replay", *arguments, kill=kill)
        if code < 0:
            self.learn(self.world.store())
            return None
        if self.busy:
            self.note_passed(model.Resumed(self.world.store(), self.memory, expected.document, self.worker))
            self.learn(self.world.store())
            self.require(code in (0, 3), "replay", f"exit {code}", err)
            return [model.Record(None, 0, 0, line, model.read_event(line)) for line in out.splitlines()]
        lines = [record.data for record in expected.records]
        self.require(out == b"".join(line + b"\n" for line in lines), "replay", arguments,
                     f"printed {ids_of(out.splitlines())}", f"not {ids_of(lines)}", err)
        self.require(code == 3 * expected.damage or (expected.by_time and code in (0, 3)), "replay", f"exit {code}", err)
        self.learn(expected.store)
        document = read_document(self.next)
        self.require_offsets(expected.store, document, expected.positions, f"next {arguments}")
        last = model.instant(document["last_timestamp"]), set(document["seen_ids_at_timestamp"])
        self.require(last == expected.last(), "next", f"last is {last}", f"not {expected.last()}")
        self.require(document["kind"] == "signals", "next", document)
        return expected.records

    def note_passed(self, expected):
        """What is not due to a checkpoint without positions, or lies before --since, is never due again."""
        since = self.worker.since
        for record in expected.store.first.values():
            if since is not None and (record.time < since or record.day < model.day_of(since)):
                self.passed.add(record.id)
            if expected.by_time and not model.is_due_by_time(expected.document, record):
                self.passed.add(record.id)

    def deliver(self, records):
        self.world.history.append(f"delivered: {[(r.id, r.day, r.start) for r in records]}")
        for record in records:
            if record.id in self.delivered:
                cause = self.world.causes.get(record.id, 0)
                self.require(cause > self.delivered[record.id], "delivered twice", record.id)
            self.delivered[record.id] = self.started

    def advance(self, records, kill=False):
        before, store = read_document(self.stored), self.world.store()
        if self.by_lines:
            part = records if self.rng.random() < 0.7 else records[: self.rng.randrange(len(records) + 1)]
            lines = [record.data for record in part]
            want = model.passed_by_lines(store, self.memory, before, lines) if lines else None
            self.world.excuse(records[len(part) :])
            if lines and before is not None and "positions" not in before:
                self.note_passed(self.expect(None, None))
            code, _, err = self.run("metaspn-checkpoint", "advance", "w", data=b"".join(l + b"\n" for l in lines), kill=kill)
        else:
            to = read_document(self.next)
            want = model.advanced(store, self.memory, before, to)
            code, _, err = self.run("metaspn-checkpoint", "advance", "w", "--to=" + self.next, kill=kill)
        after = read_document(self.stored)
        if self.busy and before is not None and "positions" not in before:
            self.note_passed(model.Resumed(self.world.store(), self.memory, before, self.worker))
        if want is None or (code < 0 and after == before):
            self.require(after == before, "advance", "moved without a line")
            self.world.excuse(records)
            return
        self.require(code <= 0, "advance", f"exit {code}", err)
        self.world.history.append(f"checkpoint: {json.dumps(after)}")
        self.learn(self.world.store())
        if not self.busy:
            self.require_offsets(store, after, want, "advance")

    def turn(self, calm=False):
        """One round of the loop; the number of lines that were printed."""
        rng, world = self.rng, self.world
        until = max(world.now, self.worker.since or 0) if self.use_until and not calm else None
        limit = rng.randrange(0, 9) if self.limits and not calm else None
        records = self.replay(until, limit, kill=not calm and rng.random() < 0.08)
        if records is None:
            return 1
        world.can_rewrite = world.can_copy = not self.by_lines
        if not calm and rng.random() < 0.4:
            world.happen(rng.randrange(1, 3))
        self.deliver(records)
        if not calm and rng.random() < 0.1:
            world.excuse(records)
        else:
            self.advance(records, kill=not calm and rng.random() < 0.1)
        world.can_rewrite = world.can_copy = True
        return len(records)

    def finish(self):
        """Everything becomes due; then nothing is left."""
        self.by_lines = self.busy = False
        for _ in range(3):
            self.turn(calm=True)
        self.require(self.turn(calm=True) == 0, "the loop does not come to rest")
        store = self.world.store()
        for record in store.first.values():
            if self.worker.wants(record.event) and record.id not in self.passed:
                self.require(record.id in self.delivered, "never delivered", record.id, record.place())


def ids_of(lines):
    return [line.split(b'signal_id"')[-1][:12].decode(errors="replace") for line in lines]


def run_store(seed):
    rng = random.Random(seed)
    root = tempfile.mkdtemp(prefix="resume-random-")
    world = World(rng, root)
    try:
        world.happen(rng.randrange(1, 12))
        loop = Loop(rng, world)
        loop.begin()
        loop.busy = rng.random() < 0.15
        for _ in range(rng.randrange(4, 14)):
            if rng.random() < 0.8:
                world.happen(rng.randrange(1, 5))
            loop.turn()
        world.mend()
        loop.finish()
    except Violation as violation:
        print(f"seed {seed}: {violation}\n  the store is {root}", file=sys.stderr)
        with open(os.path.join(root, "history"), "w", encoding="utf-8") as file:
            file.write("\n".join(world.history) + "\n")
        return None
    shutil.rmtree(root)
    return len(loop.delivered)


def main():
    parser = argparse.ArgumentParser(description="random stores, and a worker's loop over each")
    parser.add_argument("--seed", type=int, default=1, help="of the first store; the others follow")
    parser.add_argument("--stores", type=int, default=2000)
    options = parser.parse_args()
    violations = delivered = 0
    for seed in range(options.seed, options.seed + options.stores):
        count = run_store(seed)
        violations += count is None
        delivered += count or 0
    print(f"{options.stores} stores, {delivered} events delivered, {violations} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
