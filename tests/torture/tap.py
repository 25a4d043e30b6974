"""Items that are test files of bats: each of its cases is one trial."""

import re
import subprocess

import judge


def cases(item, name):
    """Runs tests/NAME.bats; what fails is told as bats tells it."""
    result = subprocess.run(["bats", "--formatter", "tap", judge.ROOT / "tests" / f"{name}.bats"], capture_output=True,
                            text=True, stdin=subprocess.DEVNULL, check=False)
    for verdict, case in re.findall(r"^(ok|not ok) \d+ (.*)$", result.stdout, re.MULTILINE):
        if "# skip" in case:
            item.skip(case)
            continue
        item.tried += 1
        if verdict != "ok":
            item.fault(case, result.stdout)
    if not item.tried:
        item.fault(name, result.stdout + result.stderr)
