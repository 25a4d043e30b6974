#!/usr/bin/env python3
"""R8: each fuzzer for its share of the time, under ASan and UBSan, from the corpus of the repository on.

What they find that the corpus does not reach is kept in .build/fuzz/new and is where the next run begins. An input that
crashed, hung or leaked is a fault, and lies in .build/fuzz/found. --seconds=N is the share of each, for a longer run.
"""

import os
import re
import subprocess
import sys

import judge
from judge import Fault

SECONDS, QUICK_SECONDS = 30, 2
DICTIONARIES = {"time_spec": "time", "timestamp": "time", "checkpoint": "checkpoint", "index": None, "index_open": None,
                "partition": None}  # of others: json
TREE = judge.ROOT / ".build/fuzz"
# Entropic scheduling costs more than most of these inputs take, and so do stacks and a quarantine of many pages.
OPTIONS = ["-entropic=0", "-timeout=25", "-rss_limit_mb=2048", "-print_final_stats=1"]
ASAN_OPTIONS = "quarantine_size_mb=8:malloc_context_size=2:allocator_release_to_os_interval_ms=-1"


def build():
    """None, or why there are no fuzzers here."""
    subprocess.run([judge.ROOT / "scripts/install-packages", "fuzz"], stdin=subprocess.DEVNULL, check=False)
    if subprocess.run(["clang", "--version"], capture_output=True, check=False).returncode != 0:
        return "no clang here"
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "check": True}
    if not (TREE / "build.ninja").exists():
        subprocess.run(["meson", "setup", TREE, judge.ROOT, "-Dfuzz=true", "-Db_lundef=false",
                        "-Db_sanitize=address,undefined"], env=os.environ | {"CC": "clang"}, **quiet)
    subprocess.run(["ninja", "-C", TREE, *(f"tests/fuzz/fuzz_{name}" for name in targets())], **quiet)
    return None


def targets():
    return sorted(path.name for path in (judge.ROOT / "tests/fuzz/corpus").iterdir())


def fuzz(_, case):
    """How many inputs were tried."""
    name, seconds = case
    new, found = TREE / "new" / name, TREE / "found"
    for folder in (new, found):
        folder.mkdir(parents=True, exist_ok=True)
    words = DICTIONARIES.get(name, "json")
    dictionary = [f"-dict={judge.ROOT}/tests/fuzz/{words}.dict"] if words else []
    result = subprocess.run([TREE / "tests/fuzz" / f"fuzz_{name}", *OPTIONS, *dictionary, f"-max_total_time={seconds}",
                             f"-artifact_prefix={found}/{name}-", new, judge.ROOT / "tests/fuzz/corpus" / name],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
                            env=os.environ | {"ASAN_OPTIONS": ASAN_OPTIONS})
    told = result.stderr.decode(errors="replace")
    figures = dict(re.findall(r"^stat::(\w+): *(\d+)$", told, re.MULTILINE))
    if result.returncode != 0 or "number_of_executed_units" not in figures:
        raise Fault(f"exit status {result.returncode}: {told[-3000:]}")
    print(f"fuzzers: {name}: {figures['number_of_executed_units']} inputs, {figures['new_units_added']} of them new",
          flush=True)
    return int(figures["number_of_executed_units"])


def main():
    item = judge.Item("each fuzzer, from the corpus on")
    asked = [argument.removeprefix("--seconds=") for argument in sys.argv[1:] if argument.startswith("--seconds=")]
    seconds = int(asked[-1]) if asked else QUICK_SECONDS if item.quick else SECONDS
    why = build()
    if why:
        item.skip(why)
    else:
        item.trials(fuzz, [(name, seconds) for name in targets()])
    item.finish(f" ({len(targets())} targets, {seconds} s each)")


if __name__ == "__main__":
    main()
