#!/usr/bin/env bats
# What was acknowledged is there, whatever a kill, a power cut or a failed sync does.
# (faults.bats injects errors into system calls.)

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing
load tracing

# in_order PATTERN ...: the trace has lines of each, and all of one come before all of the next.
in_order()
{
    local pattern first before=
    for pattern; do
        first=$(lines_of "$pattern" | head -n 1)
        if [[ -z $first || -n $before && $before -ge $first ]]; then
            printf 'not in its place: %s\n' "$pattern"
            cat trace
            return 1
        fi
        before=$(lines_of "$pattern" | tail -n 1)
    done
}

synced='fdatasync\([0-9]+<.*/signals/2026-02-05.jsonl>\) *= 0'

printed='write\(1<'

# ---- promise 1: acknowledged = durable

@test "an event is written, synced, then printed: in this order" {
    signal s0 2026-02-05T09:00:00Z | store
    signal s1 2026-02-05T10:00:00Z >event
    traced write,pwrite64,fdatasync,fsync metaspn-write -C ws --print=new event
    expect_status 0
    in_order 'write\([0-9]+<.*/signals/2026-02-05.jsonl>' "$synced" "$printed"
}

@test "a new file's name is synced before the event is printed" {
    signal s1 2026-02-05T10:00:00Z >event
    traced write,fsync metaspn-write -C ws --print=new event
    in_order 'fsync\([0-9]+<.*/store/signals>\) *= 0' "$printed"
    in_order 'fsync\([0-9]+<.*/store>\) *= 0' "$printed"
    in_order 'fsync\([0-9]+<.*/ws>\) *= 0' "$printed"
}

@test "a duplicate that another program wrote is synced before it is acknowledged" {
    mkdir -p ws/store/signals
    signal s1 2026-02-05T10:00:00Z | tee event >"$day"
    traced write,fdatasync,fsync metaspn-write -C ws --print=all event
    expect_status 0
    in_order "$synced" "$printed"
    # Directly after what is known to be synced, too.
    signal s2 2026-02-05T11:00:00Z | tee event >>"$day"
    traced write,fdatasync metaspn-write -C ws --print=all event
    expect_status 0
    in_order "$synced" "$printed"
}

@test "one write and one sync for a batch and partition" {
    { signals 1 1000; signal t1 2026-02-06T10:00:00Z; } >events
    traced write,fdatasync metaspn-write -C ws events
    [[ $(lines_of 'write\([0-9]+<.*/signals/' | wc -l) == 2 ]]
    [[ $(lines_of 'fdatasync\([0-9]+<.*/signals/' | wc -l) == 2 ]]
    [[ $(cat ws/store/signals/*.jsonl | wc -l) == 1001 ]]
}

@test "with --no-sync nothing is synced, until somebody else is told that it is stored" {
    signal s1 2026-02-05T10:00:00Z >event
    store <<<"$(signal s0 2026-02-05T10:00:00Z)"
    traced fdatasync metaspn-write -C ws --no-sync event
    [[ -z $(lines_of fdatasync) ]]
    traced fdatasync metaspn-write -C ws event
    [[ $(lines_of 'fdatasync\([0-9]+<.*/signals/' | wc -l) == 1 ]]
    traced fdatasync metaspn-write -C ws event
    [[ -z $(lines_of fdatasync) ]]
}

@test "exit 0 of a sync that was refused does not happen, and the event is not stored" {
    needs_strace
    signal s0 2026-02-05T09:00:00Z | store
    cp "$day" before
    signal s1 2026-02-05T10:00:00Z >event
    run_split strace -f -o trace -e inject=fdatasync:error=EIO metaspn-write -C ws --print=new event
    expect_status 5
    expect_out
    expect_err "metaspn-write: $day: cannot sync: Input/output error; 0 events of the input are stored"
    expect_same before "$day"
    # The next writer does not take it for stored.
    run_split store --print=new event
    expect_status 0
    expect_same event "$out"
}

# refused FILE: its sync fails while somebody has the partition open, so that the line stands there and is not stored.
refused()
{
    run_split strace -f -o /dev/null -e inject=fdatasync:error=EIO metaspn-write -C ws "$1"
    expect_status 5
}

@test "what stands there after failed syncs is written again, from the first of it on, before the next is acknowledged" {
    needs_strace
    local n start reader
    signal s0 2026-02-05T09:00:00Z | store
    for n in 1 2 3; do signal "s$n" "2026-02-05T10:00:0${n}Z" >"event$n"; done
    start=$(stat -c %s "$day")
    exec {reader}<"$day"
    refused event1
    refused event2
    exec {reader}<&-
    traced pwrite64,fdatasync,write metaspn-write -C ws --print=new event3
    expect_status 0
    in_order "pwrite64\\([0-9]+<.*/signals/2026-02-05.jsonl>, .*, $(($(stat -c %s "$day") - start)), $start\\) = " \
        "$synced" "$printed"
    cat event1 event2 event3 | diff - <(tail -n 3 "$day")
    run_split store --print=result event1
    [[ $(jq -r .status "$out") == duplicate ]]
}

# ---- promise 10: a sync that failed

# The bytes of the partition are written anew, then synced, then something is printed.
expect_written_anew()
{
    local anew synced printed
    anew=$(lines_of 'pwrite64\([0-9]+<.*/signals/2026-02-05.jsonl>' | head -n 1)
    synced=$(lines_of 'fdatasync\([0-9]+<.*/signals/2026-02-05.jsonl>\) *= 0')
    printed=$(lines_of 'write\(1<' | head -n 1)
    [[ $anew -gt 0 && $anew -lt $synced && $synced -lt $printed ]]
}

@test "what a failed sync left in doubt is written anew before it is believed, with an index and without" {
    local fault index wanted
    signals 1 2 >old
    signals 3 5 >new
    signals 6 6 >next
    # Somebody reads, so that nothing can be cut off; or nobody is left to cut it off.
    for fault in error=EIO error=EIO:signal=KILL; do
        for index in keep rm; do
            for wanted in new next; do
                rm -rf ws/store
                store old
                exec {reader}<"$day"
                run_split strace -f -o trace -e inject=fdatasync:"$fault" metaspn-write -C ws --print=new new
                exec {reader}<&-
                expect_out
                cat old new | expect_same - "$day"
                expect_file ws/store/lock "signals/2026-02-05.jsonl $(wc -c <old)"
                [[ $index == keep ]] || rm -r ws/store/index
                traced write,pwrite64,fdatasync metaspn-write -C ws --print=all "$wanted"
                expect_status 0
                expect_written_anew
                [[ ! -s ws/store/lock ]]
            done
        done
    done
    cat old new next | expect_same - "$day"
}

@test "lines of others that were in a sync that failed are written anew" {
    signals 1 2 | store
    signals 3 4 | tee theirs >>"$day"
    signals 5 6 >new
    run_split strace -f -o trace -e inject=fdatasync:error=EIO metaspn-write -C ws new
    expect_status 5
    signals 1 4 | expect_same - "$day"
    traced write,pwrite64,fdatasync metaspn-write -C ws --print=all theirs
    expect_written_anew
}

@test "a doubt about one partition does not touch another, and noise in the lock file is none" {
    signals 1 2 | store
    printf 'signals/2026-02-04.jsonl 0\nnoise\nsignals/2026-02-31.jsonl 0\nsignals/2026-02-05.jsonl 1x\nsignals/2026-02-05.jsonl+0\n\0\0' >ws/store/lock
    traced write,pwrite64,fdatasync metaspn-write -C ws <<<"$(signals 3 3)"
    expect_status 0
    [[ -z $(lines_of 'pwrite64\([0-9]+<.*/signals/') ]]
    expect_file ws/store/lock 'signals/2026-02-04.jsonl 0'
    signal a1 2026-02-04T10:00:00Z | store
    [[ ! -s ws/store/lock ]]
}

@test "the doubt about a later batch stands at the front of the lock file, too" {
    local writer feed
    needs_strace
    signals 1 1 | store
    mkfifo pipe
    strace -f -o /dev/null -e inject=fdatasync:error=EIO:when=2 metaspn-write -C ws --print=new <pipe >printed 2>"$err" 3>&- &
    writer=$!
    exec {feed}>pipe {reader}<"$day"
    signals 2 2 >&"$feed"
    eventually test -s printed
    signals 3 3 >&"$feed"
    exec {feed}>&-
    wait "$writer" || status=$?
    exec {reader}<&-
    expect_status 5
    expect_file ws/store/lock "signals/2026-02-05.jsonl $(signals 1 2 | wc -c)"
}

@test "a doubt that the lock file could not be told of the first time is told it the next" {
    needs_strace
    mkdir -p ws/store/signals
    (signal s1 2026-02-04T10:00:00Z; printf '{"fragment') >ws/store/signals/2026-02-04.jsonl
    run_split strace -f -o trace -e trace=pwrite64,fdatasync -e inject=pwrite64:error=ENOSPC:when=1 \
        -e inject=fdatasync:error=EIO metaspn-write -C ws <<<"$(signal s1 2026-02-05T10:00:00Z)"
    expect_status 5
    [[ $(grep -c INJECTED trace) == 2 ]]
    expect_file ws/store/lock 'signals/2026-02-04.jsonl 0'
}

@test "much that others wrote is read before the lock is taken" {
    mkdir -p ws/store/signals
    head -c 17000000 /dev/zero | tr '\0' ' ' >"$day" # a blank line is one, too
    echo >>"$day"
    traced fcntl,pread64 metaspn-write -C ws <<<"$(signal s1 2026-02-06T10:00:00Z)"
    expect_status 0
    [[ $(lines_of 'pread64\([0-9]+<.*/signals/2026-02-05.jsonl>.* = [0-9]{6,}$' | wc -l) -ge 1 ]]
    awk '/store\/lock>, F_OFD_SETLK, .*F_WRLCK/ {held = 1} /store\/lock>, F_OFD_SETLK, .*F_UNLCK/ {held = 0}
        held && /2026-02-05.jsonl>.* = [0-9][0-9][0-9][0-9][0-9][0-9]+$/ {print; bad = 1} END {exit bad}' trace
}

@test "an index that turns out to be damaged when much is read under the lock after all is rebuilt" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "not under $METASPN_TESTED_UNDER"
    cc -D_GNU_SOURCE -shared -fPIC -o locked.so "$BATS_TEST_DIRNAME/locked.c" -ldl
    signals 1 1 | store
    head -c 17000000 /dev/zero | tr '\0' ' ' >much
    echo >>much
    signals 2 2 >event
    # shellcheck disable=SC2016  # for the shell that it runs
    run_split env LD_PRELOAD="$PWD/locked.so" DAY="$day" LOCKED='cat much >>"$DAY"; [ $TURN -lt 3 ] ||
        { cat event >>"$DAY"; printf x | dd bs=1 seek=5000 conv=notrunc status=none of="$(ls ws/store/index/ids-*)"; }' \
        metaspn-write -C ws --print=result <<<"$(signals 2 3)"
    expect_status 0
    expect_err_like 'note: .*/index: damaged; rebuilding it'
    [[ $(jq -r .status "$out" | paste -sd' ') == 'duplicate appended' ]]
}

@test "a doubt is told apart from the zeros that a power cut left in the lock file" {
    signals 1 2 | store
    signals 3 5 >new
    head -c 100 /dev/zero >ws/store/lock
    exec {reader}<"$day"
    run_split strace -f -o trace -e inject=fdatasync:error=EIO metaspn-write -C ws new
    exec {reader}<&-
    expect_status 5
    rm -r ws/store/index
    traced write,pwrite64,fdatasync metaspn-write -C ws --print=all new
    expect_status 0
    expect_written_anew
}

@test "a lock file that cannot be read is left as it is, and nothing is stored" {
    not_under valgrind 'whose own reads fail, too'
    local n times=0
    signals 1 2 | store
    echo 'signals/2026-02-05.jsonl 0' | tee want >ws/store/lock
    mv ws fresh
    for ((n = 1; n <= 40 && times < 2; n++)); do
        rm -rf ws
        cp -a fresh ws
        run_split strace -f -o trace -e inject=pread64:error=EIO:when="$n" metaspn-write -C ws <<<"$(signals 3 3)"
        grep -q 'ws/store/lock: cannot read' "$err" || continue
        times=$((times + 1)) # at its first byte, at its end
        expect_status 5
        expect_same want ws/store/lock
        signals 1 2 | expect_same - "$day"
    done
    [[ $times == 2 ]]
}

@test "without a word in the lock file nothing is synced" {
    signals 1 2 | store
    signals 3 3 >new
    exec {reader}<"$day"
    run_split strace -f -o trace -e inject=pwrite64:error=ENOSPC:when=1 metaspn-write -C ws --print=new new
    exec {reader}<&-
    expect_status 5
    expect_err_like "^metaspn-write: ws/store/lock: cannot write: No space left on device"
    [[ -z $(lines_of fdatasync) ]]
    expect_out
    store new
    signals 1 3 | expect_same - "$day"
}
