#!/usr/bin/env python3
"""R13: workers' resume in random stores, with kills between any two steps of their loop (tests/resume-random.py)."""

import os
import re
import sys

import judge
from judge import Fault

STORES, QUICK_STORES, SHARE = 2000, 4, 50


def stores(_, case):
    """Some stores with the seeds that follow `seed`."""
    seed, count = case
    path = f"{judge.BIN}:{os.environ['PATH']}"
    result = judge.run([sys.executable, str(judge.ROOT / "tests/resume-random.py"), f"--seed={seed}", f"--stores={count}"],
                       timeout=3600, env=judge.environment() | {"PATH": path})
    told = re.search(rb"^(\d+) stores, \d+ events delivered, (\d+) violations$", result.stdout, re.MULTILINE)
    if result.returncode != 0 or not told or told[2] != b"0":
        raise Fault((result.stdout + result.stderr).decode(errors="replace"))
    return int(told[1])


def main():
    item = judge.Item("workers' resume in random stores")
    total, share = (QUICK_STORES, 2) if item.quick else (STORES, SHARE)
    item.trials(stores, [(seed, share) for seed in range(1, total + 1, share)])
    item.finish(" stores")


if __name__ == "__main__":
    main()
