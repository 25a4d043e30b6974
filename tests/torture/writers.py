#!/usr/bin/env python3
"""R6: several writers at once, half of their ids shared, delayed now and then in the middle of what they do, and others
among them that know no lock: one appends lines as the original does, one keeps the file open and writes in pieces.

Nothing is lost, nothing glued, no id of ours stands there twice, and each id was answered with `appended` exactly once.
One thing nobody can prevent: the first piece of a line of theirs comes when we have looked and not written yet, which takes
microseconds, or what an injected delay takes. Then our line stands in the midst of theirs, and once more as it should be.

A writer notices what came between its look and its write, so that races hardly show whether there is a lock at all: it is
also tried while somebody else has the lock.
"""

import fcntl
import random
import struct
import threading
import time

import judge
import tracing
from judge import Fault, emission, signal

WRITERS, EVENTS, BATCH = 8, 5000, 125  # events of each writer, and of each of its runs
QUICK_EVENTS, QUICK_BATCH = 60, 15
DELAYS = ["write:delay_enter=%d:when=1", "fdatasync:delay_enter=%d:when=1", "fdatasync:delay_exit=%d:when=1",
          "pwrite64:delay_enter=%d:when=1", "write:delay_exit=%d:when=1", "ftruncate:delay_enter=%d:when=1"]
DAYS = ["2026-02-04", "2026-02-05"]
CUT = 2  # lines in pieces that one of ours came between, at most: without the look there are hundreds


def events_of(writer, count):
    """The first half of the ids belongs to all writers."""
    names = [f"shared-{n}" if n % 2 else f"own-{writer}-{n}" for n in range(count)]
    return [(emission if n % 10 == 9 else signal)(name, DAYS[n % 3 == 0], payload={"n": n}) for n, name in enumerate(names)]


def writer(workspace, number, traced, events, batch, results):
    """Gives its events to one process after the other; every third is delayed somewhere, where strace works."""
    dice = random.Random(number)
    for at in range(0, len(events), batch):
        command = judge.argv("write", "-C", workspace, "--print=result")
        if traced and dice.randrange(3) == 0:
            delay = dice.choice(DELAYS) % (dice.randrange(1, 20) * 1000)
            command = ["strace", "-qq", "-o", "/dev/null", "-e", "trace=write,fdatasync,pwrite64,ftruncate",
                       "-e", "inject=" + delay, *command]
        lines = events[at:at + batch]
        results.append((lines, judge.run(command, judge.joined(lines))))


def appender(path, lines, stop):
    """As the original: opens, writes the line, closes."""
    for line in lines:
        if stop.is_set():
            return
        with open(path, "ab", buffering=0) as file:
            file.write(line + b"\n")
        time.sleep(0.001)


def slow_appender(path, lines, stop):
    """Keeps the file open for some lines, each of which comes in pieces."""
    dice = random.Random(1)
    while lines and not stop.is_set():
        with open(path, "ab", buffering=0) as file:
            for line in lines[:5]:
                cut = dice.randrange(1, len(line))
                file.write(line[:cut])
                time.sleep(dice.random() * 0.03)
                file.write(line[cut:] + b"\n")
        del lines[:5]
        time.sleep(0.02)


def together(workspace, case):
    count, batch, traced = case
    found = judge.Judge(workspace)
    given = [events_of(number, count) for number in range(WRITERS)]
    for lines in given:
        found.offer(lines)
    results, stop = [], threading.Event()
    folder = workspace / "store/signals"
    folder.mkdir(parents=True)
    theirs = [[signal(f"theirs-{day}-{n}", day) for n in range(count)] for day in DAYS]  # not in each other's way
    others = [threading.Thread(target=way, args=(folder / f"{day}.jsonl", list(lines), stop))
              for way, day, lines in zip((appender, slow_appender), DAYS, theirs)]
    ours = [threading.Thread(target=writer, args=(workspace, number, traced, given[number], batch, results))
            for number in range(WRITERS)]
    for thread in others + ours:
        thread.start()
    for thread in ours:
        thread.join()
    stop.set()
    for thread in others:
        thread.join()
    check(found, results, theirs, count, batch)
    return len(results)


def lines_cut(damaged, offered, in_pieces):
    """The lines in pieces that one of ours came between, if that is all that is damaged: FIRST PIECE + OURS, and the rest."""
    ours = set().union(*offered.values())
    cut = set()
    for glued, at in ((each, each.find(b"{", 1)) for each in damaged):
        while at > 0 and glued[at:] not in ours:
            at = glued.find(b"{", at + 1)
        cut.update(line for line in in_pieces if at > 0 and line.startswith(glued[:at]) and line[at:] in damaged)
    return cut if len(damaged) == 2 * len(cut) else set()


def check(found, results, theirs, count, batch):
    appended = {}
    if len(results) != WRITERS * -(-count // batch):
        raise Fault("a writer did not come to its end")
    for lines, result in results:
        judge.expect(result, 0)
        answered = found.acknowledge_answers(result.stdout, lines)
        if len(answered) != len(lines):
            raise Fault("exit 0, and not every event was answered")
        for line, answer in zip(lines, answered):
            if answer["status"] == "appended":
                key = judge.identity(line)
                appended[key] = appended.get(key, 0) + 1
    wrong = [key for key in found.offered if appended.get(key) != 1]
    if wrong:
        raise Fault(f"{len(wrong)} ids were not answered with `appended` exactly once: {wrong[:3]}")
    lines = [line for content in found.partitions().values() for line in content.split(b"\n")]
    came = {line for way in theirs for line in way}
    found.allow(came)
    there = [line for line in lines if line in came]
    damaged = [line for line in lines if line and judge.identity(line) is None]
    cut = lines_cut(damaged, found.offered, theirs[1])
    if cut and len(cut) <= CUT:
        found.lenient, damaged = True, []
    if len(there) != len(set(there)) or damaged:
        raise Fault(f"lines of the others: {len(there) - len(set(there))} twice, {len(damaged)} damaged: {damaged[:3]}")
    stand = cut.union(there)
    for way in theirs:  # they wrote them one after the other, up to where they were stopped
        written = [line in stand for line in way]
        if False in written and True in written[written.index(False):]:
            raise Fault(f"a line of the others is lost: {way[written.index(False)]!r}")
    found.check()


def locked(workspace, event):
    """While another process has the lock, nothing is stored, and the writer says why."""
    found = judge.Judge(workspace)
    found.offer([event])
    workspace.joinpath("store").mkdir()
    with open(workspace / "store/lock", "wb") as file:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        result = judge.write(workspace, [event], "--lock-timeout=0")
        judge.expect(result, 5)
        if b"store/lock" not in result.stderr or found.partitions():
            raise Fault(f"stored under another's lock, or does not say so: {result.stderr!r}")
        # closing alone would leave it to a process that another thread is just about to begin
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_UNLCK, 0, 0, 0, 0))
    judge.expect(judge.write(workspace, [event], "--lock-timeout=0"), 0)
    found.acknowledge([event])
    found.check()


def main():
    item = judge.Item(f"{WRITERS} writers at once beside two without lock")
    why = tracing.works()
    if why:
        item.skip(f"delays: {why}")
    item.trials(locked, [signal("s"), emission("e")])
    count, batch = (QUICK_EVENTS, QUICK_BATCH) if item.quick else (EVENTS, BATCH)
    item.trials(together, [(count, batch, not why)])
    item.finish(f" runs of {batch} events")


if __name__ == "__main__":
    main()
