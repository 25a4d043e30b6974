#!/usr/bin/env bats
# The scanner agrees with Python's json on lines that are generated and mutated: a slice of what scripts/torture tries.

# shellcheck disable=SC2154  # out: helper.bash

load helper

@test "the verdict, and the canonical bytes, of 12,000 lines are those of Python's json" {
    METASPN_BIN=${METASPN_BIN:-$METASPN_BUILD/cmd} run_split "$BATS_TEST_DIRNAME/torture/scanner.py" --quick
    expect_status 0
    [[ $(<"$out") == *' 12000 tried, '*' 0 faults' ]]
}
