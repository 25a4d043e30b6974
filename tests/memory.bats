#!/usr/bin/env bats
# Allocations fail, one in each run, each where it is come to by other calls: scripts/torture tries all of them, under
# AddressSanitizer.

# shellcheck disable=SC2154  # out: helper.bash

load helper

setup()
{
    fresh_workspace
    # The sanitizers and valgrind have allocators of their own.
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "not under $METASPN_TESTED_UNDER"
}

@test "a command that gets no memory says so, exit 5, and leaves what the next run completes" {
    METASPN_BIN=${METASPN_BIN:-$METASPN_BUILD/cmd} run_split "$BATS_TEST_DIRNAME/torture/memory.py" --quick
    cat "$out"
    expect_status 0
    [[ $(<"$out") == *' 0 faults' ]]
}
