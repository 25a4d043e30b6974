#!/usr/bin/env python3
"""R4: each safety mechanism taken out, one at a time, in a build of its own (meson setup -Dmutant=NAME): some item of this
run must notice, and is named. The same items find no fault in the build that has them all.
"""

import os
import pathlib
import subprocess
import sys

import judge
from judge import Fault

CAUGHT_BY = {
    "no_fdatasync": "crashes",
    "no_directory_fsync": "crashes",
    "no_fsync_before_rename": "crashes",
    "acknowledge_before_sync": "crashes",
    "index_before_jsonl": "crashes",
    "watermark_before_entries": "kills",
    "no_tail_check": "crashes",
    "no_lock": "writers",
    "hit_not_confirmed": "damage",
    "unguarded_ftruncate": "writers",
}


def quietly(command, **options):
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, **options)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}:\n{result.stdout}{result.stderr}")


def build(mutant):
    """The directory of the commands of a mutant."""
    place = judge.ROOT / ".build/mutants" / mutant
    if not (place / "build.ninja").exists():
        quietly(["meson", "setup", place, judge.ROOT, f"-Dmutant={mutant}"])
    commands = ["cmd/" + path.stem for path in (judge.ROOT / "cmd").glob("metaspn-*.c")]
    quietly(["ninja", "-C", place, *commands])
    return place / "cmd"


def attack(commands, name):
    return subprocess.run([sys.executable, pathlib.Path(__file__).with_name(name + ".py"), "--quick"], text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, check=False,
                          env=os.environ | {"METASPN_BIN": str(commands)})


def survives(_, mutant):
    name = CAUGHT_BY[mutant]
    commands = build(mutant)
    for _ in range(3):  # where processes race, one turn may go well
        result = attack(commands, name)
        faults = [line for line in result.stdout.split("\n") if line.startswith(f"{name}: FAULT: ")]
        if result.returncode != 0 and faults:
            print(f"mutants: {mutant} is caught by {name}: {faults[0].removeprefix(f'{name}: FAULT: ')[:200]}", flush=True)
            return
    raise Fault(f"{name} notices nothing: {result.stdout}{result.stderr}")


def whole(_, name):
    result = attack(judge.BIN, name)
    if result.returncode != 0:
        raise Fault(f"{name} finds faults where nothing was taken out: {result.stdout}{result.stderr}")


def main():
    item = judge.Item("mechanisms taken out one at a time, and the items that notice")
    item.trials(survives, list(CAUGHT_BY), workers=1)
    mutants, survivors = item.tried, item.faults
    item.trials(whole, sorted(set(CAUGHT_BY.values())), workers=1)
    item.finish(f" ({mutants - survivors} of {mutants} caught)")


if __name__ == "__main__":
    main()
