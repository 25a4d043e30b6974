#!/usr/bin/env bats
# No space, size limits, read-only file systems: the batch is undone, and the next one works.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing
load tracing

# ---- promise 7: no space, size limits

@test "a file size limit at any byte: the partition as before, exit 5, and the next write works" {
    local before n
    signals 1 2 >old
    signals 3 5 >new
    before=$(wc -c <old)
    for ((n = before; n < before + $(wc -c <new); n += 37)); do
        rm -rf ws/store
        mkdir -p ws/store/signals
        cp old "$day"
        run_split prlimit --fsize="$n" metaspn-write -C ws --print=new new
        expect_status 5
        expect_out
        expect_same old "$day"
        expect_err_like "^metaspn-write: $day: cannot write: File too large; 0 events of the input are stored$"
    done
    run_split store new
    expect_status 0
    cat old new | expect_same - "$day"
}

@test "the message says how many events of the input are stored" {
    signals 1 100 | store
    status=0
    { signals 90 110; eventually grep -q '"s110"' "$day"; signals 111 120; } |
        prlimit --fsize="$(signals 1 115 | wc -c)" metaspn-write -C ws >"$out" 2>"$err" || status=$?
    expect_status 5
    expect_err_like '; 21 events of the input are stored$'
    signals 1 110 | expect_same - "$day"
}

@test "a limit that lets one partition grow and another not: the whole batch is undone" {
    signals 1 50 | store
    cp "$day" before
    { signal a1 2026-02-04T10:00:00Z; signals 51 60; signal b1 2026-02-06T10:00:00Z; } >events
    run_split prlimit --fsize=$(($(wc -c <before) + 100)) metaspn-write -C ws events
    expect_status 5
    expect_same before "$day"
    [[ $(find ws/store/signals -type f) == "$day" ]]
    store events
    [[ $(cat ws/store/signals/*.jsonl | wc -l) == 62 ]]
}

@test "the index knows nothing of what was written to other days by a batch that failed" {
    local d days
    needs_strace
    days=$(seq -f '2026-01-%02.0f' 1 30)
    for d in $days; do signal "old$d" "${d}T10:00:00Z"; done | store
    for d in $days; do signal "new$d" "${d}T10:00:00Z"; done >events
    run_split strace -f -o trace -P "$PWD/ws/store/signals/2026-01-30.jsonl" -e inject=write:error=ENOSPC metaspn-write -C ws events
    expect_status 5
    # the same line comes by another program, and one more
    (grep new2026-01-03 events; signal more 2026-01-03T10:00:00Z) >>ws/store/signals/2026-01-03.jsonl
    grep new2026-01-03 events | expect_same - <(metaspn-replay -C ws --id=new2026-01-03)
    metaspn-fsck -C ws
}

@test "an empty file that was there before a batch that failed is there afterwards" {
    signals 1 50 | store
    : >ws/store/signals/2026-02-04.jsonl
    run_split prlimit --fsize=$(($(wc -c <"$day") + 100)) metaspn-write -C ws < <(
        signal a1 2026-02-04T10:00:00Z
        signals 51 60
    )
    expect_status 5
    expect_file ws/store/signals/2026-02-04.jsonl
}

@test "no partition is held open while a writer waits for input" {
    local writer feed
    signals 1 1 | store
    mkfifo pipe
    metaspn-write -C ws --print=all <pipe >printed 3>&- &
    writer=$!
    exec {feed}>pipe
    signals 1 1 >&"$feed"
    eventually test -s printed
    holds_none() { [[ -z $(find "/proc/$writer/fd" -lname '*.jsonl') ]]; }
    eventually holds_none
    exec {feed}>&-
    wait "$writer"
}

# The kernel takes a lease away from a writer that was stopped for long. strace lets it believe that it has one.
@test "what was written is not cut off where the lease on the file is gone" {
    local first
    signals 1 2 | store
    cp "$day" before
    signals 3 5 >new
    local limit=$(($(wc -c <before) + 100))
    traced fcntl prlimit --fsize="$limit" metaspn-write -C ws new
    expect_status 5
    expect_same before "$day"
    first=$(lines_of '^[0-9]* *fcntl' | grep -nxF "$(lines_of 'F_SETLEASE, F_WRLCK' | head -n 1)" | cut -d: -f 1)
    exec {reader}<"$day"
    run_split strace -f -o trace -e inject="fcntl:retval=0:when=$first" prlimit --fsize="$limit" metaspn-write -C ws new
    exec {reader}<&-
    expect_status 5
    [[ $(grep -c 'F_SETLEASE, F_WRLCK) *= 0 (INJECTED)' trace) == 1 ]]
    head -n 3 new | cat before - | head -c "$limit" | expect_same - "$day"
}

# on_tmpfs SIZE COMMAND: runs it where ws is a file system of this size.
on_tmpfs()
{
    # shellcheck disable=SC2016  # for that bash to expand
    unshare --mount bash -c 'mount -t tmpfs -o "size=$1" tmpfs ws && shift && eval "$@"' - "$@" 3>&-
}

@test "a full file system: exit 5, what was stored stays, and there is room again later" {
    unshare --mount mount -t tmpfs tmpfs ws 2>"$err" || skip 'may not mount'
    signals 1 3000 >events
    signals 1 100 >few
    cat >steps <<'END'
metaspn-write -C ws few
cp ws/store/signals/2026-02-05.jsonl before
metaspn-write -C ws events 2>err && exit 1
[[ $(tail -n 1 err) == *'No space left on device; 0 events of the input are stored' ]] || exit 2
cmp before ws/store/signals/2026-02-05.jsonl || exit 3
mount -o remount,size=64m ws
metaspn-write -C ws --print=result events | grep -c appended >appended
cp -r ws/store after
END
    on_tmpfs 256k . ./steps
    expect_file appended 2900
    cp -r after ws/store
    expect_stored 3000
}

@test "no inode left: exit 5, nothing lost" {
    unshare --mount mount -t tmpfs tmpfs ws 2>"$err" || skip 'may not mount'
    for i in {10..40}; do signal "s$i" "2026-01-01T00:00:$i""Z" | sed "s/2026-01-01/20$i-01-01/"; done >events
    cat >steps <<'END'
metaspn-write -C ws events 2>err && exit 1
[[ -z $(find ws/store/signals -type f) ]] || exit 2
mount -o remount,nr_inodes=1000 ws
metaspn-write -C ws events
cat ws/store/signals/*.jsonl >stored
END
    on_tmpfs 1m,nr_inodes=20 . ./steps
    sort stored | expect_same - <(sort events)
}

@test "a read-only file system: exit 5, saying so" {
    unshare --mount mount -t tmpfs tmpfs ws 2>"$err" || skip 'may not mount'
    cat >steps <<'END'
signals 1 3 | metaspn-write -C ws
mount -o remount,ro ws
signals 4 4 | metaspn-write -C ws 2>err
[[ $? == 5 && $(cat err) == *'Read-only file system'* ]]
END
    export -f signals signal print_object
    on_tmpfs 1m . ./steps
}

@test "a store that may not be written: exit 5" {
    [[ $(id -u) != 0 ]] || skip 'root writes everywhere'
    signals 1 3 | store
    chmod -R a-w ws/store
    run_split store <<<"$(signals 4 4)"
    chmod -R u+w ws/store
    expect_status 5
    signals 1 3 | expect_same - "$day"
}

@test "few descriptors are enough for a batch over many days" {
    local i
    not_under valgrind 'which opens files of its own'
    for i in {100..159}; do sed "s/s1/s$i/; s/2026/2$i/" <<<"$(signals 1 1)"; done >events
    (ulimit -n 48 && store events)
    cat ws/store/signals/*.jsonl | expect_same - events
    (ulimit -n 48 && run_split store events && expect_status 0)
}
