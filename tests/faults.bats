#!/usr/bin/env bats
# Each system call of a writer fails in turn, or is its last: nothing acknowledged is missing, nothing is stored twice, no
# old byte has changed, exit 0 means that all is done, and the next run completes what was left.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing

day=ws/store/signals/2026-02-05.jsonl

setup()
{
    fresh_workspace
    needs_strace
    export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # as the helpers' strace has it
    signals 1 3 | store
    printf '{"torn' >>"$day"
    # A duplicate, two for a file that is there, one for a new file, one for a new folder.
    { signals 2 2; signals 4 5; signal t1 2026-02-06T10:00:00Z; emission e1 2026-02-05T10:00:00Z; } >events
    { signals 1 5; signal t1 2026-02-06T10:00:00Z; emission e1 2026-02-05T10:00:00Z; } >everything
    signals 1 3 >old
    mv ws fresh
}

# stored: standing[LINE] is an x for each time that the line stands in a partition, as a whole or at its end.
stored()
{
    local file lines line
    standing=()
    for file in ws/store/{signals,emissions}/*.jsonl; do
        [[ -e $file ]] || continue
        mapfile -t lines <"$file"
        for line in "${lines[@]}"; do
            standing["$line"]+=x
        done
    done
}

# What a run has left, and what the next one makes of it.
judge()
{
    local -A standing
    # shellcheck disable=SC2034  # torn: a subscript, below
    local line before now torn='{"torn'
    # 127: a call of the loader, before the command began.
    [[ $status == 0 || $status == 5 || $status == 137 || $status == 127 ]] || { echo "exit $status"; return 2; }
    stored
    # What was printed in whole lines is there.
    while IFS= read -r line; do
        [[ ${standing["$line"]-} ]] || { echo "acknowledged, but not stored: $line"; return 2; }
    done <"$out"
    while IFS= read -r line; do
        [[ $status != 0 || ${standing["$line"]-} ]] || { echo "exit 0, but not stored: $line"; return 2; }
    done <everything
    { text_of old before && text_of "$day" now && [[ $now == "$before"* ]]; } || { echo 'old lines have changed'; return 2; }
    run_split metaspn-write -C ws events
    [[ $status == 0 ]] || { echo "the next run: exit $status"; cat "$err"; return 2; }
    stored
    while IFS= read -r line; do
        [[ ${standing["$line"]-} == x ]] || { echo "after the next run, not there once: $line"; return 2; }
        unset 'standing[$line]'
    done <everything
    unset 'standing[$torn]'
    [[ ${#standing[@]} == 0 ]] || { printf 'after the next run, unknown: %s\n' "${!standing[@]}"; return 2; }
    run_split metaspn-fsck -C ws
    [[ $status == 0 ]] || { echo 'fsck finds:'; cat "$out" "$err"; return 2; }
}

# with_fault CALL:WHAT: one run with it, then the judgement. 1: it did not come to that call.
with_fault()
{
    local trace quickly=()
    rm -rf ws
    cp -a fresh ws
    # strace stops at this call alone, and then cannot kill.
    [[ $1 == *:signal=* ]] || quickly=(--seccomp-bpf)
    run_split timeout 20 strace -f "${quickly[@]}" -o trace -e "trace=${1%%:*}" -e "inject=$1" metaspn-write -C ws --print=all events
    trace=$(<trace)
    [[ $trace == *INJECTED* || $trace == *'killed by SIGKILL'* ]] || return
    judge
}

# in_turn CALL FAULT: the first such call, the second, ... until there is none.
in_turn()
{
    local n result
    for ((n = 1; n <= ${3:-16}; n++)); do
        result=0
        with_fault "$1:$2:when=$n" || result=$?
        [[ $result -lt 2 ]] || { echo "($1 number $n: $2)"; return 1; }
        [[ $result == 0 ]] || break
    done
    # It must have come to the call at all.
    [[ $n -gt 1 ]]
}

@test "writing fails: EIO, ENOSPC, EINTR" {
    in_turn write error=EIO
    in_turn write error=ENOSPC
    in_turn write error=EINTR
    in_turn pwrite64 error=ENOSPC
}

@test "a call that is interrupted is made again: every second one is" {
    local call only
    for call in openat2 pread64 write pwrite64 ftruncate fcntl; do
        rm -rf ws
        cp -a fresh ws
        only=()
        case $call in # not those of the libraries
        pread64) only=(-P "$day") ;;
        fcntl) only=(-P ws/store/lock) ;;
        esac
        run_split timeout 20 strace -f -o trace "${only[@]}" -e "trace=$call" -e "inject=$call:error=EINTR:when=1+2" \
            metaspn-write -C ws --print=all events
        grep -q INJECTED trace
        expect_status 0
        judge
    done
}

@test "a reader gives the whole answer, or says what it cannot read" {
    local call n
    metaspn-replay -q -C fresh --kind=all >whole
    for call in getdents64 pread64 openat2; do
        for n in {1..10}; do
            rm -rf ws
            cp -a fresh ws
            run_split timeout 20 strace -f -o trace -e "trace=$call" -e "inject=$call:error=EIO:when=$n" \
                metaspn-replay -q -C ws --kind=all
            grep -q INJECTED trace || break
            [[ $status == 5 ]] || { expect_status 0 && expect_same whole "$out"; }
        done
        [[ $n -gt 1 ]]
    done
}

@test "syncing fails" {
    in_turn fdatasync error=EIO
    in_turn fsync error=EIO
}

@test "opening fails: EIO, EMFILE, EINTR, and where openat2 is missing or forbidden" {
    in_turn openat2 error=EIO
    in_turn openat2 error=EMFILE 4
    in_turn openat2 error=EINTR 4
    with_fault openat2:error=ENOSYS
    with_fault openat2:error=EPERM
}

@test "making folders, replacing, cutting fails" {
    in_turn mkdirat error=ENOSPC
    in_turn renameat error=EIO
    in_turn ftruncate error=EIO
}

@test "reading and looking fails" {
    in_turn pread64 error=EIO
    in_turn getdents64 error=EIO
    in_turn fstat error=EIO 12 || in_turn newfstatat error=EIO 12
}

@test "locks and leases are not to be had" {
    in_turn fcntl error=EAGAIN 4
    with_fault fcntl:error=ENOLCK:when=2+
}

@test "killed at a write, a sync, a rename, a folder, a cut" {
    local call
    for call in write pwrite64 fdatasync fsync renameat mkdirat ftruncate; do
        in_turn "$call" signal=KILL
    done
}

@test "killed when it opens something" {
    in_turn openat2 signal=KILL
}

@test "memory is short: exit 5, or done" {
    not_under sanitizers 'which take address space'
    [[ -z ${METASPN_COUNTS:-} ]] || skip 'a build that counts takes address space'
    local limit exits=()
    for limit in {2400..4800..300}; do
        rm -rf ws
        cp -a fresh ws
        status=0
        (ulimit -v "$limit" && exec metaspn-write -C ws --print=all events) >"$out" 2>"$err" || status=$?
        exits+=("$status")
        judge
    done
    echo "exit: ${exits[*]}"
    [[ " ${exits[*]} " == *' 5 '* && ${exits[-1]} == 0 ]]
}
