#!/usr/bin/env bats
# metaspn-write: what it prints and tells.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing

# ---- section 5: FILE operands, exit codes

@test "section 5: writers are silent unless --print asks" {
    run_split store <<<"$(signal s1 2026-02-05T10:00:00Z)"
    expect_status 0
    expect_out
    expect_err
}

# ---- section 6: --print

@test "section 6: --print=path prints the path of the first record, DIR as given" {
    signal s1 2026-02-04T10:00:00Z | store
    {
        signal s1 2026-02-05T10:00:00Z
        emission e1 2026-02-05T10:00:00Z
    } >events
    run_split store -q --print=path events
    expect_out ws/store/signals/2026-02-04.jsonl ws/store/emissions/2026-02-05.jsonl
    run_split metaspn-write -q -C ./ws/ --print=path events
    expect_out ./ws//store/signals/2026-02-04.jsonl ./ws//store/emissions/2026-02-05.jsonl
    mv events ws
    cd ws
    run_split metaspn-write -q --print=path events
    expect_out store/signals/2026-02-04.jsonl store/emissions/2026-02-05.jsonl
}

@test "section 6: --print=result prints an object for every event in input order" {
    signal s1 2026-02-04T10:00:00Z | store
    run_split store -q --print=result <<END
$(signal s2 2026-02-05T10:00:00Z)
$(signal s1 2026-02-04T10:00:00Z)
$(signal s1 2026-02-05T10:00:00Z)
END
    expect_out '{"id":"s2","kind":"signals","path":"ws/store/signals/2026-02-05.jsonl","status":"appended"}' \
        '{"id":"s1","kind":"signals","path":"ws/store/signals/2026-02-04.jsonl","status":"duplicate"}' \
        '{"id":"s1","kind":"signals","path":"ws/store/signals/2026-02-04.jsonl","status":"conflict"}'
}

@test "section 6: --print=new prints the stored line of each event that was new" {
    signal s1 2026-02-05T10:00:00Z | store
    run_split store --print=new <<END
$(signal s1 2026-02-05T10:00:00Z)
 $(signal s2 2026-02-05T11:00:00+01:00)
$(signal s2 2026-02-05T10:00:00Z)
END
    expect_out "$(signal s2 2026-02-05T10:00:00Z)"
}

@test "section 6: --print=all prints the first record's stored line of every event" {
    signal s1 2026-02-05T10:00:00Z source='"first"' | store
    run_split store -q --print=all <<END
$(signal s2 2026-02-05T10:00:00Z)
$(signal s1 2026-02-05T10:00:00Z source='"second"')
$(signal s2 2026-02-05T10:00:00Z source='"third"')
END
    expect_out "$(signal s2 2026-02-05T10:00:00Z)" "$(signal s1 2026-02-05T10:00:00Z source='"first"')" \
        "$(signal s2 2026-02-05T10:00:00Z)"
}

@test "section 6: --print=none prints nothing" {
    run_split store --print=none <<<"$(signal s1 2026-02-05T10:00:00Z)"
    expect_out
}

@test "section 6: what others stored is printed as it stands there" {
    mkdir -p ws/store/signals
    printf ' %s ' "$(signal s1 2026-02-05T10:00:00Z)" >ws/store/signals/2026-02-05.jsonl
    run_split store -q --print=all <<<"$(signal s1 2026-02-05T10:00:00Z)"
    expect_out " $(signal s1 2026-02-05T10:00:00Z) "
}

# ---- section 6: the rest

@test "section 6: --stats is one line on stderr" {
    signal s1 2026-02-05T10:00:00Z | store
    {
        signal s1 2026-02-05T10:00:00Z
        signal s1 2026-02-05T11:00:00Z
        signal s2 2026-02-05T10:00:00Z
        echo x
    } >events
    run_split store -q --stats --on-invalid=skip events
    expect_status 3
    [[ $(tail -n 1 "$err") =~ ^read=4\ appended=1\ duplicates=2\ conflicts=1\ invalid=1\ bytes=$(signal s2 2026-02-05T10:00:00Z | wc -c)\ seconds=[0-9]+\.[0-9]+$ ]]
}

@test "section 6: --progress shows events and speed, --no-progress and a pipe nothing" {
    slow_producer()
    {
        signal "$1a" 2026-02-05T10:00:00Z
        eventually holds signals "\"$1a\""
        sleep 0.6
        signal "$1b" 2026-02-05T10:00:00Z
        eventually holds signals "\"$1b\""
    }
    slow_producer s1 | store --progress 2>"$err"
    grep -q '[0-9] events, .* MB/s' "$err"
    mkfifo pipe
    slow_producer s2 >pipe &
    run_split script -qec 'metaspn-write -C ws <pipe' /dev/null </dev/null
    grep -q '[0-9] events, .* MB/s' "$out"
    slow_producer s3 >pipe &
    run_split script -qec 'metaspn-write -C ws --no-progress <pipe' /dev/null </dev/null
    expect_out
    slow_producer s4 | store 2>"$err"
    expect_err
}

@test "section 5: a message is a line of its own, also where progress is shown" {
    two_batches()
    {
        signal s1 2026-02-05T10:00:00Z
        eventually holds signals '"s1"'
        sleep 0.6
        signal s2 2026-02-05T10:00:00Z
        eventually grep -q events "$err"
    }
    two_batches | store --progress - missing 2>"$err" || status=$?
    expect_status 5
    grep -qF $'MB/s\r\033[Kmetaspn-write: missing: cannot open' "$err"
}

@test "section 5: a terminal on stdin is noted where it is read, and only there" {
    signal s1 2026-02-05T10:00:00Z >events
    run_split script -qec 'metaspn-write -C ws events' /dev/null </dev/null
    expect_status 0
    expect_out
    run_split script -qec 'metaspn-write -C ws events -' /dev/null < <(printf '\4')
    expect_status 0
    [[ $(<"$out") == *'metaspn-write: note: reading standard input from the terminal; end it with Ctrl-D'* ]]
}
