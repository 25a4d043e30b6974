#!/usr/bin/env python3
"""R2: kill -9 at every system call of every command, and at random; what was acknowledged is there afterwards, once.

After each kill at a call the judge looks, and the same command is given the same input again: all of it is then stored.
"""

import os
import random
import signal as signals
import subprocess
import time

import judge
import scenarios
import tracing
from judge import Fault, emission, signal

QUICK = 45  # trials of a quick run
RANDOM_KILLS, KILLS_OF_A_STORE = 10000, 100


def cases(item):
    for scenario in scenarios.SCENARIOS:
        scenario.learn(judge.pathlib.Path(judge.tempfile.mkdtemp(dir=item.kept)))
    found = []
    for scenario in scenarios.SCENARIOS:
        workspace = judge.pathlib.Path(judge.tempfile.mkdtemp(dir=item.kept))
        scenario.set_up(workspace)
        found += [(scenario, call, n) for call, n in tracing.positions(scenario.argv(workspace), scenario.data)]
    return found


def quick(found):
    """Every so many of all, and every call of a write that changes a file."""
    changes = [case for case in found if case[0].name == "write to a store" and
               case[1] in ("write", "pwrite64", "fdatasync", "renameat")]
    return found[::len(found) // QUICK] + changes


def kill(workspace, case):
    scenario, call, n = case
    found = scenario.set_up(workspace)
    result = tracing.inject(scenario.argv(workspace), call, f"signal=KILL:when={n}", scenario.data)
    scenario.assess(found, result)
    if scenario.stored:
        judge.expect(judge.run(scenario.argv(workspace), scenario.data), 0)
        found.acknowledge(scenario.stored)
        found.check()


def random_kills(workspace, case):
    """A writer that is killed at any time, again and again, in one store, some of its events having come before."""
    seed, kills = case
    dice = random.Random(seed)
    found = judge.Judge(workspace)
    killed = 0
    for turn in range(kills):
        lines = [dice.choice((signal, emission))(f"{seed}-{max(0, turn - dice.randrange(3))}-{n}",
                                                 f"2026-02-0{dice.randrange(1, 6)}") for n in range(dice.randrange(1, 40))]
        lines = [next(iter(found.offered.get(judge.identity(line), {line}))) for line in lines]  # an id has one content
        found.offer(lines)
        with subprocess.Popen(judge.argv("write", "-C", workspace, "--print=result"), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=judge.environment()) as process:
            process.stdin.write(judge.joined(lines))
            process.stdin.close()
            time.sleep(dice.random() * 0.006)
            os.kill(process.pid, signals.SIGKILL)
            printed = process.stdout.read()
        killed += process.returncode < 0
        found.acknowledge_answers(printed, lines)
        seen = [judge.identity(line) for content in found.partitions().values() for line in content.split(b"\n")]
        seen = [key for key in seen if key]
        if len(seen) != len(set(seen)) or not found.acknowledged.keys() <= set(seen):
            raise Fault(f"turn {turn}: an event is not there, or twice")
    found.check()
    return killed


def main():
    item = judge.Item("kill -9 at every system call, and at random")
    why = tracing.works()
    if why:
        item.skip(f"kills at system calls: {why}")
    else:
        found = cases(item)
        item.trials(kill, quick(found) if item.quick else found)
    at_calls = item.tried
    seed = 0
    wanted = 60 if item.quick else RANDOM_KILLS
    while item.tried - at_calls < wanted and item.faults == 0:
        item.trials(random_kills, [(seed + n, 30 if item.quick else KILLS_OF_A_STORE) for n in range(os.cpu_count() or 1)])
        seed += os.cpu_count() or 1
    item.finish(f" ({at_calls} at calls, {item.tried - at_calls} at random)")


if __name__ == "__main__":
    main()
