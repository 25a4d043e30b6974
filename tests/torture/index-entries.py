#!/usr/bin/env python3
"""R7: the index holds an entry for each event: with it, commands answer as they do without it, in random stores.

Each store is made by several writers, other programs' appends, a day that is replaced and one that goes, with ids that
repeat; then each id and entity is asked for, and others that look like them, with the index and with --no-index.
"""

import json
import random

import judge
from judge import Fault, emission, signal

STORES, QUICK_STORES = 300, 4
STEPS, EVENTS, DAYS = 8, 40, 6
TYPES, VALUES = ["T", "handle", "t"], 9


def line(choice):
    """An event of few ids, so that many repeat, of few days and few entities."""
    number = choice.randrange(160)
    members = {"entity_refs": [{"ref_type": choice.choice(TYPES), "value": f"v{choice.randrange(VALUES)}"}
                               for _ in range(choice.randrange(4))]}
    make = choice.choice([signal, signal, emission])
    return make(f"i{number}", f"2026-02-0{1 + choice.choice([number, number + 1]) % DAYS}", f"10:00:0{choice.randrange(9)}",
                **members)


def day_of(workspace, event):
    """The file in which another program stores it."""
    folder = workspace / "store" / ("signals" if b'"signal_id"' in event else "emissions")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{json.loads(event)['timestamp'][:10]}.jsonl"


def step(workspace, choice):
    """One of the ways in which a store changes."""
    lines = [line(choice) for _ in range(choice.randrange(1, EVENTS))]
    how = choice.random()
    days = sorted((workspace / "store").glob("*/*.jsonl"))
    if how < 0.5 or not days:
        judge.expect(judge.write(workspace, lines), 0)
    elif how < 0.8:  # another program, which knows no ids
        for event in lines:
            with open(day_of(workspace, event), "ab") as file:
                file.write(event + b"\n")
    elif how < 0.9:  # a day is written anew, in another order
        day = choice.choice(days)
        content = day.read_bytes().splitlines(keepends=True)
        choice.shuffle(content)
        other = day.with_suffix(".other")
        other.write_bytes(b"".join(content[len(content) // 4:]))
        other.rename(day)
    else:
        choice.choice(days).unlink()
    if choice.random() < 0.5:
        judge.expect(judge.run(judge.argv("replay", "-C", workspace, "--count")), 0)


def questions(choice):
    for number in choice.sample(range(165), 25):
        yield (f"--id=i{number}",)
    for kind in TYPES:
        for value in range(VALUES + 1):
            yield (f"--entity={kind}:v{value}",)
    yield (f"--id=i{choice.randrange(160)}", f"--id=i{choice.randrange(160)}", "--reverse")


def compare(workspace, seed):
    choice = random.Random(seed)
    for _ in range(STEPS):
        step(workspace, choice)
    asked = 0
    for question in questions(choice):
        command = judge.argv("replay", "-C", workspace, "--kind=all", *question)
        known, read = (judge.expect(judge.run(command + more), 0) for more in ([], ["--no-index"]))
        if known != read:
            raise Fault(f"store {seed}, {question}: {known!r} with the index, {read!r} without")
        asked += 1
    return asked


def main():
    item = judge.Item("questions to the index, in random stores")
    item.trials(compare, range(1, (QUICK_STORES if item.quick else STORES) + 1))
    item.finish(" questions")


if __name__ == "__main__":
    main()
