#!/usr/bin/env bats
# Do scripts/tap-summary and scripts/test count what there is to count? A test run that went wrong must never end with "0 failed".

setup()
{
    log=$BATS_TEST_TMPDIR/log.json
    true >"$log"
}

# test_was RESULT STATUS STDOUT [STDERR]: adds a test to the log.
test_was()
{
    /usr/bin/python3 -c 'import json, sys
result, status, out, err = sys.argv[1:]
print(json.dumps({"name": "suite / one", "result": result, "returncode": int(status), "stdout": out, "stderr": err}))' \
        "$1" "$2" "$3" "${4:-}" >>"$log"
}

# summed_up STATUS LAST-LINE
summed_up()
{
    run "$BATS_TEST_DIRNAME/../scripts/tap-summary" "run=$log"
    printf '%s\n' "$output"
    [ "$status" -eq "$1" ]
    [ "${lines[-1]}" = "$2" ]
}

# stand_in NAME TEXT: a program that scripts/test calls, in a tree that has nothing else.
stand_in()
{
    printf '#!/bin/sh\n%s\n' "$2" >"$1"
    chmod +x "$1"
}

# a_whole_run SETUP BUILD TESTS [INSTALL]: scripts/test --quick, where these are what meson, ninja and apt do.
a_whole_run()
{
    rm -rf "$BATS_TEST_TMPDIR/tree"
    mkdir -p "$BATS_TEST_TMPDIR"/tree/{scripts,bin}
    cd "$BATS_TEST_TMPDIR/tree" || return
    cp "$BATS_TEST_DIRNAME"/../scripts/{test,tap-summary} scripts
    stand_in scripts/install-packages "${4:-:}"
    stand_in bin/meson "case \$1 in setup) $1 ;; test) $3 ;; esac"
    stand_in bin/ninja "$2"
    run env PATH="$PWD/bin:$PATH" scripts/test --quick
    printf '%s\n' "$output"
}

@test "passed checks are counted over all tests" {
    test_was OK 0 $'1..2\nok 1 - a\nok 2 - b\n'
    test_was OK 0 $'ok 1 - c\n# ok, says a comment\n1..1\n'
    summed_up 0 '3 passed, 0 failed'
}

@test "a failed check is named, with what it says" {
    test_was FAIL 1 $'ok 1 - a\nnot ok 2 - b\n#  got: x\nok 3 - c\n1..3\n'
    summed_up 1 '2 passed, 1 failed'
    [[ $output == *$'FAILED run, one: b\n    #  got: x\n'* ]]
}

@test "a check that is expected to fail has failed" {
    test_was OK 0 $'not ok 1 - a # TO\x44O later\nok 2 - b\n'
    summed_up 1 '1 passed, 1 failed'
}

@test "a test that died is a failure, whatever it had passed" {
    test_was ERROR -11 $'ok 1 - a\n' 'it says why'
    summed_up 1 '1 passed, 1 failed'
    [[ $output == *'ended badly (ERROR, status -11)'*'it says why'* ]]
}

@test "a test with too few checks, or out of time, is a failure" {
    test_was ERROR 0 $'1..2\nok 1 - a\n'
    test_was TIMEOUT -15 $'1..2\nok 1 - a\n'
    summed_up 1 '2 passed, 2 failed'
}

@test "a test without a check is a failure" {
    test_was OK 0 ''
    summed_up 1 '0 passed, 1 failed'
    [[ $output == *'checked nothing'* ]]
}

@test "what is skipped is named and counted" {
    test_was OK 0 $'1..2\nok 1 - a\nok 2 b # skip no strace here\n'
    summed_up 0 '1 passed, 0 failed, 1 skipped'
    [[ $output == *'SKIPPED run, one: b # skip no strace here'* ]]
}

@test "nothing but skipped checks is no success" {
    test_was SKIP 0 $'1..1\nok 1 a # skip\n'
    summed_up 1 '0 passed, 0 failed, 1 skipped'
}

@test "a log that is empty or missing is a failure" {
    summed_up 1 '0 passed, 1 failed'
    rm "$log"
    summed_up 1 '0 passed, 1 failed'
}

@test "reports of a checker are a failure, none a success" {
    test_was OK 0 $'ok 1 - a\n'
    true >"$BATS_TEST_TMPDIR/reports.txt"
    run "$BATS_TEST_DIRNAME/../scripts/tap-summary" "run=$log" "reports=$BATS_TEST_TMPDIR/reports.txt"
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = '2 passed, 0 failed' ]
    echo 'heap-use-after-free' >"$BATS_TEST_TMPDIR/reports.txt"
    run "$BATS_TEST_DIRNAME/../scripts/tap-summary" "run=$log" "reports=$BATS_TEST_TMPDIR/reports.txt"
    [ "$status" -eq 1 ]
    [ "${lines[-1]}" = '1 passed, 1 failed' ]
    [[ $output == *'heap-use-after-free'* ]]
}

@test "scripts/test ends with the count, whatever happens on the way" {
    test_was OK 0 $'ok 1 - a\n'
    made='mkdir -p .build/test/meson-logs'
    wanted=.build/test/meson-logs/tests.json
    pass="cat ../log.json >$wanted"
    a_whole_run "$made" : "$pass"
    [[ $status == 0 && ${lines[-1]} == '1 passed, 0 failed' ]]
    a_whole_run "$made" : "$pass; kill -9 \$\$"
    [[ $status == 1 && ${lines[-1]} == '1 passed, 1 failed' ]]
    a_whole_run "$made" : "exit 0"
    [[ $status == 1 && ${lines[-1]} == '0 passed, 1 failed' ]]
    a_whole_run "$made" : "$pass; echo '{' >>$wanted"
    [[ $status == 1 && ${lines[-1]} == '1 passed, 1 failed' ]]
    a_whole_run "$made" 'exit 1' "$pass"
    [[ $status == 1 && ${lines[-1]} == '0 passed, 1 failed' ]]
    a_whole_run 'echo because; exit 1' : "$pass"
    [[ $status == 1 && $output == *because* && ${lines[-1]} == '0 passed, 1 failed' ]]
    a_whole_run "$made" : "$pass" 'exit 1'
    [[ $status == 1 && ${lines[-1]} == '0 passed, 1 failed' ]]
}
