"""What a worker is due: SPEC section 6 over again, slowly, from the bytes of the partitions alone.

A second opinion for tests/resume-random.py: given a checkpoint document and the files, which lines metaspn-replay
prints, and which positions it and `metaspn-checkpoint advance` put. Hashes are not computed: the bytes that stood before
a position when the document appeared are remembered, which is what the hash is for.
"""

import json
import os
import re
from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
NEVER = "0001-01-01T00:00:00Z"
REACH = 4096


def instant(text):
    """Microseconds since the epoch."""
    return (datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // timedelta(microseconds=1)


def text_of(time):
    moment = EPOCH + timedelta(microseconds=time)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return text.rjust(19, "0") + (f".{moment.microsecond:06d}" if moment.microsecond else "") + "Z"


def day_of(time):
    return text_of(time)[:10]


class Record:
    def __init__(self, day, start, end, data, event):
        self.day, self.start, self.end, self.data, self.event = day, start, end, data, event
        if event:
            self.id, self.time = event["signal_id"], instant(event["timestamp"])

    def place(self):
        return self.day, self.start


def read_event(data):
    try:
        event = json.loads(data)
        if isinstance(event, dict) and event.get("signal_id") and isinstance(event["signal_id"], str):
            instant(event["timestamp"])
            return event
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


class Partition:
    def __init__(self, day, data):
        self.day, self.data, self.records = day, data, []
        self.end = self.read = 0  # after the last event or damaged line; after the blank lines that follow, too
        at = 0
        for line in re.findall(rb"[^\n]*\n|[^\n]+", data):
            start, at = at, at + len(line)
            text, whole = line.rstrip(b"\n"), line.endswith(b"\n")
            event = read_event(text)
            if not whole and not event:
                break
            self.records.append(Record(day, start, at, text, event))
            self.read = at
            if text.strip(b" \t\r"):
                self.end = at

    def settle(self, offset):
        """The position as the start of a line or the end; None: it is inside a line or past the end."""
        if offset > self.read:
            return None
        if offset == 0 or offset == self.end or self.data[offset - 1 : offset] == b"\n":
            return offset
        return offset + 1 if self.data[offset : offset + 1] == b"\n" else None


def contents(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()


class Store:
    """The partitions of one kind, as they stand now."""

    def __init__(self, folder):
        self.days = {}
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if re.fullmatch(r"\d{4}-\d\d-\d\d\.jsonl", name):
                self.days[name[:10]] = Partition(name[:10], contents(folder, name))
        kept = os.path.join(folder, "..", "quarantine")
        names = os.listdir(kept) if os.path.isdir(kept) else []
        self.known_damage = {(name.split("-", 1)[1][:10], contents(kept, name)) for name in names}
        self.first = {}
        for day in sorted(self.days):
            for record in self.days[day].records:
                if record.event:
                    self.first.setdefault(record.id, record)


class Memory:
    """Which bytes stood before the positions of documents that the commands wrote."""

    def __init__(self):
        self.bytes = {}

    def learn(self, document, store):
        for day, position in (document or {}).get("positions", {}).items():
            key = day, position["offset"], position["hash"]
            if key not in self.bytes and day in store.days:
                self.bytes[key] = store.days[day].data[max(0, position["offset"] - REACH) : position["offset"]]

    def fit(self, document, day, store):
        """Where the position of a day is; None: it fits no more."""
        position, partition = document["positions"][day], store.days[day]
        before = self.bytes.get((day, position["offset"], position["hash"]))
        now = partition.data[max(0, position["offset"] - REACH) : position["offset"]]
        return partition.settle(position["offset"]) if before == now else None


class Worker:
    """What is asked of every replay."""

    def __init__(self, source=None, since=None):
        self.source, self.since = source, since

    def wants(self, event):
        return self.source is None or event.get("source") == self.source


def is_due_by_time(document, record):
    last = instant(document["last_timestamp"])
    return record.time > last or (record.time == last and record.id not in document.get("seen_ids_at_timestamp", []))


def first_due(document, partition):
    for record in partition.records:
        if record.event and is_due_by_time(document, record):
            return record.start
    return partition.end


class Resumed:
    """The outcome of a replay: records in order, whether it met damage, and the checkpoint past it."""

    def __init__(self, store, memory, document, worker, until=None, limit=None):
        self.store, self.memory, self.document, self.worker = store, memory, document, worker
        self.until, self.limit = until, limit
        self.by_time = document is not None and "positions" not in document
        self.records, self.damage = [], False
        self.positions = {day: p["offset"] for day, p in (document or {}).get("positions", {}).items()}
        self.full = limit == 0
        for day in sorted(store.days):
            if not self.full:
                self.read(store.days[day])
            elif self.by_time:
                self.positions[day] = first_due(document, store.days[day])

    def start(self, partition):
        if self.document is None or self.by_time or partition.day not in self.document["positions"]:
            return 0
        return self.memory.fit(self.document, partition.day, self.store) or 0

    def read(self, partition):
        day = partition.day
        if self.until is not None and day > day_of(self.until):
            if self.by_time:
                self.positions[day] = first_due(self.document, partition)
            return
        if self.worker.since is not None and day < day_of(self.worker.since):
            self.positions[day] = partition.end
            return
        start = self.start(partition)
        for record in partition.records:
            if record.start < start:
                continue
            verdict = self.judge(record)
            if verdict == "end":
                self.positions[day] = record.start
                return
            if verdict == "due":
                self.records.append(record)
                if self.limit == len(self.records):
                    self.positions[day], self.full = record.end, True
                    return
        self.positions[day] = partition.end

    def judge(self, record):
        if not record.event:
            self.damage |= bool(record.data.strip()) and (record.day, record.data) not in self.store.known_damage
            return "no"
        if self.store.first[record.id] is not record:
            return "no"
        if self.worker.since is not None and record.time < self.worker.since:
            return "no"
        if not self.worker.wants(record.event) or (self.by_time and not is_due_by_time(self.document, record)):
            return "no"
        later = self.until is not None and record.time > self.until
        return "end" if later and day_of(record.time) == record.day else "due"

    def last(self):
        """last_timestamp and the set of its ids."""
        before = instant(self.document["last_timestamp"] if self.document else NEVER)
        greatest = max([record.time for record in self.records], default=before)
        ids = {record.id for record in self.records if record.time == greatest}
        seen = set(self.document.get("seen_ids_at_timestamp", [])) if self.document else set()
        return (before, seen) if greatest < before else (greatest, ids | (seen if greatest == before else set()))


def advanced(store, memory, old, to):
    """The offsets after `advance --to` where both have positions, or there is no old one."""
    result = {day: p["offset"] for day, p in (old or {}).get("positions", {}).items()}
    for day, position in to["positions"].items():
        if day not in result:
            result[day] = position["offset"]
        elif day not in store.days:
            result[day] = max(result[day], position["offset"])
        else:
            at, to_at = memory.fit(old, day, store), memory.fit(to, day, store)
            if at is None or (to_at is not None and to_at > at):
                result[day] = position["offset"]
    return result


def passed_by_lines(store, memory, old, lines):
    """The offsets after `advance` from lines that are in the store."""
    by_time = old is not None and "positions" not in old
    result = {day: p["offset"] for day, p in (old or {}).get("positions", {}).items()}
    if by_time:
        result = {day: first_due(old, partition) for day, partition in store.days.items()}
    past = {}
    for line in lines:
        record = next(r for day in sorted(store.days) for r in store.days[day].records if r.data == line)
        past[record.day] = max(past.get(record.day, 0), record.end)
    for day, offset in past.items():
        at = result.get(day) if by_time else memory.fit(old, day, store) if day in result else None
        if at is None or offset > at:
            result[day] = offset
    return result


def same_offsets(store, got, want):
    """Offsets by day, a position before the newline being the one after it."""

    def settled(day, offset):
        at = store.days[day].settle(offset) if day in store.days else None
        return offset if at is None else at

    return {d: settled(d, o) for d, o in got.items()} == {d: settled(d, o) for d, o in want.items()}
