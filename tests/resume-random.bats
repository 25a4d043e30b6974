#!/usr/bin/env bats
# A slice of the random stores of RELIABILITY.md, R13. More of them: tests/resume-random.py --stores=2000

load helper

@test "random stores: every event that is due is delivered, none twice without a cause" {
    PYTHONDONTWRITEBYTECODE=1 run -0 /usr/bin/python3 "$BATS_TEST_DIRNAME/resume-random.py" --seed=1 --stores=12
    [[ ${lines[-1]} =~ ^12\ stores,\ .*\ 0\ violations$ ]]
}
