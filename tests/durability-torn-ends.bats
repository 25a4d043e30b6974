#!/usr/bin/env bats
# Torn ends: what the next writer makes of a last line that is not whole.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing
load tracing

# torn BYTES: puts them after two events; then a third is written.
torn()
{
    rm -rf ws/store
    signals 1 2 | store
    printf '%b' "$1" >fragment
    cat fragment >>"$day"
    run_split store <<<"$(signals 3 3)"
    expect_status 0
}

# ---- promise 6: torn ends

@test "a last line without newline that is a whole event is one" {
    torn "$(signal s9 2026-02-05T10:00:00Z | sed 's/\\/\\\\/g')"
    expect_file "$day" "$(signals 1 1)" "$(signals 2 2)" "$(signal s9 2026-02-05T10:00:00Z)" "$(signals 3 3)"
    expect_err "metaspn-write: note: $day: added the newline that its last line lacked"
    [[ ! -e ws/store/quarantine ]]
}

@test "a last line without newline that is an event is a duplicate's first record" {
    mkdir -p ws/store/signals
    signals 1 1 | tr -d '\n' >"$day"
    run_split store --print=result <<<"$(signals 1 1)"
    [[ $(jq -r .status "$out") == duplicate ]]
    signals 1 1 | expect_same - "$day"
}

@test "so it is where its file may not be written, and the newline stays away" {
    local unprivileged=()
    [[ $(id -u) != 0 ]] || unprivileged=(setpriv --bounding-set=-dac_override)
    mkdir -p ws/store/signals
    signals 1 1 | tr -d '\n' >"$day"
    chmod a-w "$day"
    cp "$day" before
    run_split "${unprivileged[@]}" metaspn-write -C ws --print=result <<<"$(signal s1 2026-02-06T10:00:00Z)"
    expect_status 0
    [[ $(jq -r .status "$out") == conflict ]]
    expect_same before "$day"
}

@test "a fragment is copied to quarantine and cut off, which is said" {
    torn '{"signal_id":"s9","times'
    signals 1 3 | expect_same - "$day"
    expect_err_like "^metaspn-write: warning: $day: cut off 24 bytes of a last line that was never finished; a copy is in ws/store/quarantine$"
    expect_same ws/store/quarantine/signals-2026-02-05-827be7e62a1f0197 fragment
}

@test "of several fragments each is noted once, and each is said to be cut off" {
    local date days=ws/store/signals
    mkdir -p $days
    for date in 2026-02-01 2026-02-02 2026-02-03; do
        { signal "$date" "${date}T10:00:00Z" && printf '{"torn'; } >$days/$date.jsonl
    done
    cp -r ws copy
    signal new 2026-02-06T10:00:00Z | metaspn-write -C ws 2>"$err"
    [[ $(grep -c 'note: .*: the last line is not whole yet' "$err") == 3 && $(grep -c 'warning: .*: cut off' "$err") == 3 ]]
    [[ $(wc -l <"$err") == 6 ]]
    metaspn-fsck -C copy --repair >/dev/null 2>"$err"
    [[ $(grep -c 'note: .*: the last line is not whole yet' "$err") == 3 && $(grep -c 'warning: .*: cut off' "$err") == 3 ]]
}

@test "a fragment that cannot be cut off is exit 5, and nothing is put after it" {
    needs_strace
    signals 1 2 | store
    printf '{"to' >>"$day"
    cp "$day" before
    # the first one only tries whether it may be cut
    run_split strace -f -o trace -P "$PWD/$day" -e inject=ftruncate:error=EIO:when=2 metaspn-write -q -C ws <<<"$(signals 3 3)"
    expect_status 5
    expect_err "metaspn-write: $day: cannot cut to $(signals 1 2 | wc -c) bytes: Input/output error; 0 events of the input are stored"
    expect_same before "$day"
}

@test "zero bytes that a power cut left are cut off, with a newline or without" {
    torn '\0\0\0\0\0\0\0\0'
    signals 1 3 | expect_same - "$day"
    torn '\0\0\0\0\n'
    signals 1 3 | expect_same - "$day"
}

@test "blanks after the last newline are no fragment: they get a newline of their own, without a word" {
    torn '  \t'
    { signals 1 2; printf '  \t\n'; signals 3 3; } | expect_same - "$day"
    expect_err
    [[ ! -e ws/store/quarantine ]]
}

@test "a file of nothing but zero bytes is empty" {
    mkdir -p ws/store/signals
    head -c 5000 /dev/zero >"$day"
    signals 1 1 | store -q
    signals 1 1 | expect_same - "$day"
}

@test "a fragment is cut off, at whatever byte the line was torn" {
    local n
    signals 1 2 >old
    signals 3 3 | tr -d '\n' >line
    { cat old line; echo; } >want
    for n in 1 2 3 20 {30..150..30} $(($(wc -c <line) - 1)); do
        rm -rf ws/store
        mkdir -p ws/store/signals
        { cat old; head -c "$n" line; } >"$day"
        store -q line
        expect_same want "$day"
    done
}

@test "a file that somebody has open to read is not cut: the fragment is ended and left" {
    signals 1 2 | store
    printf '{"torn' >>"$day"
    exec {reader}<"$day"
    run_split store <<<"$(signals 3 3)"
    exec {reader}<&-
    expect_status 0
    expect_err_like 'warning: .*: ended a last line of 6 bytes that its writer did not finish; a copy is in ws/store/quarantine'
    { signals 1 2; echo '{"torn'; signals 3 3; } | expect_same - "$day"
    # It is known from then on.
    run_split metaspn-fsck -C ws
    expect_status 0
}

@test "a file that may only grow is not cut: the fragment is ended and left" {
    needs_strace
    signals 1 2 | store
    printf '{"torn' >>"$day"
    signals 3 3 >event
    run_split strace -f -o trace -P "$PWD/$day" -e inject=ftruncate:error=EPERM metaspn-write -C ws event
    expect_status 0
    expect_err_like 'warning: .*: ended a last line of 6 bytes that its writer did not finish; a copy is in ws/store/quarantine'
    { signals 1 2; echo '{"torn'; signals 3 3; } | expect_same - "$day"
}

@test "a damaged line in the middle is never changed" {
    mkdir -p ws/store/signals
    { signals 1 1; echo '{"damaged'; head -c 100 /dev/zero; echo; signals 2 2; } >"$day"
    cp "$day" before
    run_split store <<<"$(signals 3 3)"
    expect_status 0
    { cat before; signals 3 3; } | expect_same - "$day"
}

@test "a torn end elsewhere is mended by the way, and hinders nobody" {
    mkdir -p ws/store/signals
    { signal a1 2026-02-04T10:00:00Z; printf '{"to'; } >ws/store/signals/2026-02-04.jsonl
    { signal b1 2026-02-03T10:00:00Z; printf '{"to'; } >ws/store/signals/2026-02-03.jsonl
    exec {reader}<ws/store/signals/2026-02-03.jsonl
    signals 1 1 >event
    traced clock_nanosleep metaspn-write -C ws event
    exec {reader}<&-
    expect_status 0
    [[ ! -s trace || $(<trace) != *nanosleep* ]] # it has waited for nobody
    expect_file ws/store/signals/2026-02-04.jsonl "$(signal a1 2026-02-04T10:00:00Z)"
    [[ $(tail -c 4 ws/store/signals/2026-02-03.jsonl) == '{"to' ]]
}

# ---- promise 10: a sync that failed

@test "a last line that is not whole yet is told of once, though its writer goes on" {
    local date hour
    signal s1 2026-02-04T10:00:00Z | metaspn-write -C ws
    printf '{"signal_id":"torn' >>ws/store/signals/2026-02-04.jsonl
    exec {held}<ws/store/signals/2026-02-04.jsonl # it is not cut off
    printf '{"signal_id":"torn' >ws/store/signals/2026-02-05.jsonl
    for hour in 10 11 12; do
        signal "t$hour" "2026-02-05T$hour:00:00Z" # a batch each
        eventually holds signals "\"t$hour\""
    done | metaspn-write -C ws 2>"$err"
    exec {held}<&-
    for date in 2026-02-04 2026-02-05; do
        [[ $(grep -c "$date.jsonl: the last line is not whole yet" "$err") == 1 ]]
    done
}
