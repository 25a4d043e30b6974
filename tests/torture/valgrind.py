#!/usr/bin/env python3
"""R14: each way to use a command, and each unit test, under valgrind: no value is used that nobody set, nothing leaks.

The other items use AddressSanitizer, which does not see unset values. scripts/test --valgrind runs all tests so, for hours.
"""

import os
import shutil
import subprocess

import judge
import memory
from judge import Fault

# The registers must be right where a handler mends a fault (lib/base/mapping.h).
CHECKER = ["valgrind", "--quiet", "--leak-check=full", "--error-exitcode=99",
           "--vex-iropt-register-updates=allregs-at-mem-access"]
BUILD = os.environ.get("METASPN_BUILD") or judge.ROOT / ".build/test"


def reports(folder):
    """What valgrind had to say. (It also notes system calls that it does not know, in other words.)"""
    return "".join(line for log in folder.glob("log-*") for line in log.open(errors="replace") if line.startswith("=="))


def check(workspace, command, data=b"", **options):
    result = judge.run([*CHECKER, f"--log-file={workspace}/log-%p", *command], data, timeout=3600, **options)
    told = reports(workspace)
    if told:
        raise Fault(f"{' '.join(map(str, command))}: {told[:3000]}")
    return result


def run_command(workspace, case):
    name, arguments, data = case
    place = memory.prepared(workspace / "place")
    result = check(workspace, judge.argv(name, "-C", "ws", *arguments), data, cwd=place)
    judge.expect(result, 0, 3, 4)


def run_unit_test(workspace, program):
    judge.expect(check(workspace, [program], cwd=workspace), 0)


def unit_tests():
    subprocess.run(["ninja", "--quiet", "-C", BUILD, "test-programs"], check=True)
    return sorted(path for path in (judge.ROOT / BUILD / "tests/unit").glob("test_*") if path.is_file())


def main():
    item = judge.Item("commands and unit tests under valgrind")
    subprocess.run([judge.ROOT / "scripts/install-packages", "valgrind"], stdin=subprocess.DEVNULL, check=False)
    if not shutil.which("valgrind"):
        item.skip("no valgrind here")
    else:
        item.trials(run_command, memory.CASES[:3] if item.quick else memory.CASES)
        item.trials(run_unit_test, [] if item.quick else unit_tests())
    item.finish()


if __name__ == "__main__":
    main()
