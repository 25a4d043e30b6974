#!/usr/bin/env bats
# Several writers: each event is stored once, and nobody waits for another without need.
# (unlocked.bats has writers that know no lock.)

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing

# ---- promises 3 and 6: several writers

@test "eight writers with shared ids: none lost, none twice, one appended for each id" {
    local w
    for w in {1..8}; do
        # s1 to s400 in every one of them, in another order each, and 100 of its own
        { signals 1 400; signals $((400 + w * 100 - 99)) $((400 + w * 100)); } | awk -v w="$w" '{print (NR * 7919 * w) % 1009, $0}' |
            sort -n | cut -d' ' -f 2- >"events$w"
    done
    for w in {1..8}; do
        # In two batches, so that they meet: the rest comes when the first half is stored.
        # shellcheck disable=SC2094  # it looks only whether there is something in it
        { head -n 200 "events$w"; eventually test -s "results$w"; tail -n +201 "events$w"; } | store -q --print=result >"results$w" 3>&- &
    done
    wait
    expect_stored 1200
    cat results? | jq -r 'select(.status == "appended").id' | sort >appended
    sort -u appended | expect_same - appended
    [[ $(wc -l <appended) == 1200 && $(cat results? | wc -l) == 4000 ]]
}

@test "writers wait for each other, and do not wait for a producer that is slow" {
    mkfifo pipe
    metaspn-write -C ws <pipe 3>&- &
    exec {producer}>pipe
    signal s1 2026-02-05T10:00:00Z >&"$producer"
    eventually grep -qs '"s1"' "$day"
    # The first one waits for input now: the lock is free.
    run_split store --lock-timeout=20 <<<"$(signal s2 2026-02-05T10:00:00Z)"
    expect_status 0
    signal s3 2026-02-05T10:00:00Z >&"$producer"
    exec {producer}>&-
    wait
    expect_stored 3
}

@test "a lock file that a copy of a store replaced is the lock of those who run already, too" {
    local writer feed other
    needs_strace
    mkfifo pipe
    metaspn-write -C ws --print=path --lock-timeout=0.5 <pipe >printed 2>"$err" 3>&- &
    writer=$!
    exec {feed}>pipe
    signal s1 2026-02-05T10:00:00Z >&"$feed"
    eventually test -s printed
    : >lock
    mv lock ws/store/lock
    strace -f -o trace -e trace=fdatasync -e inject=fdatasync:delay_enter=20000000 \
        sh -c 'echo $$ >pid; exec metaspn-write -C ws' < <(signal s2 2026-02-06T10:00:00Z) 3>&- {feed}>&- &
    other=$!
    eventually test -s ws/store/signals/2026-02-06.jsonl
    signal s3 2026-02-05T10:00:00Z >&"$feed"
    exec {feed}>&-
    status=0; wait "$writer" || status=$?
    expect_status 5
    expect_err_like 'ws/store/lock: the lock is held by another process; 1 events of the input are stored'
    kill -KILL "$(<pid)" # it has held the lock all the time
    wait "$other" || true
}

@test "a slow producer's event is stored soon, without waiting for the next" {
    mkfifo pipe
    metaspn-write -C ws <pipe 3>&- &
    exec {producer}>pipe
    for i in 1 2 3; do
        signal "s$i" 2026-02-05T10:00:00Z >&"$producer"
        eventually grep -qs "\"s$i\"" "$day"
    done
    exec {producer}>&-
    wait
    expect_stored 3
}

@test "a slow producer's invalid line is among the rejects soon, without waiting for an event" {
    mkfifo pipe
    store --rejects=rejects <pipe 2>"$err" 3>&- &
    exec {producer}>pipe
    for i in 1 2; do
        echo "x$i" >&"$producer"
        eventually grep -qs "\"x$i\"" rejects
    done
    exec {producer}>&-
    wait $! || [[ $? == 3 ]]
}

@test "the lock is not held while printing: a pipe from the store into the store" {
    signals 1 20000 >events
    status=0
    timeout 60 bash -c 'metaspn-write -C ws --print=new <events | sed s/_id\":\"s/_id\":\"t/ | metaspn-write -C ws' 3>&- || status=$?
    [[ $status == 0 ]]
    cat ws/store/signals/*.jsonl | wc -l >count
    expect_file count 40000
}

@test "the lock is not held while telling that a checkpoint is of another kind" {
    needs_strace
    signals 1 1 | store
    metaspn-checkpoint -C ws reset w --to=now --kind=signals
    run_split strace -o trace -e trace=fcntl,write metaspn-checkpoint -C ws reset w --to=now --kind=emissions
    expect_status 2
    grep -E 'F_OFD_SETLK, \{l_type=F_UNLCK|^write\(2, ' trace | head -n 1 | grep -q F_UNLCK
}

@test "while nobody reads what it prints, others can write" {
    signals 1 20000 >events
    mkfifo pipe
    metaspn-write -C ws --print=new events >pipe 3>&- &
    exec {reader}<pipe
    eventually grep -qs '"s1"' "$day"
    run_split store --lock-timeout=20 <<<"$(signal s20001 2026-02-05T10:00:00Z)"
    expect_status 0
    cat <&"$reader" >printed
    exec {reader}<&-
    wait
    expect_same events printed
    expect_stored 20001
}

@test "writers that start together in an empty workspace" {
    local w
    for w in {1..6}; do
        signals 1 50 | store -q 3>&- &
    done
    wait
    expect_stored 50
}
