#!/usr/bin/env bats
# metaspn-checkpoint reset: a new worker begins at a time, an old one goes back to it.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load workers

# ---- reset

@test "reset: a new worker: earlier days at their end, that day before its first event, later days whole" {
    six
    run_split checkpoint reset w --to=2026-02-04T10:30:00Z
    expect_status 0
    expect_out
    expect_places w 2026-02-03=2 2026-02-04=1 2026-02-05=0
    [[ $(checkpoint read w | jq -c '[.kind,.last_timestamp,.seen_ids_at_timestamp]') == '["signals","2026-02-04T10:30:00Z",[]]' ]]
    expect_due w 's4 s5 s6'
    checkpoint reset at --to=2026-02-04T11:00:00Z
    expect_due at 's4 s5 s6'
    checkpoint reset behind --to=2026-02-04T11:00:00.000001Z
    expect_places behind 2026-02-03=2 2026-02-04=2 2026-02-05=0
}

@test "reset --to=now: a new worker begins at the present, and what arrives late still reaches it" {
    six
    checkpoint reset w --to=now
    expect_due w ''
    signal late 2026-02-03T09:00:00Z | metaspn-write -C ws
    signal new 2026-02-05T19:00:00Z | metaspn-write -C ws
    expect_due w 'late new'
}

@test "reset: a torn end is noted once, though it is looked at before the lock and under it" {
    signal s1 2026-02-05T10:00:00Z | metaspn-write -C ws
    printf '{"torn' >>ws/store/signals/2026-02-05.jsonl
    run_split checkpoint reset w --to=now
    expect_status 0
    [[ $(grep -c 'the last line is not whole yet' "$err") == 1 && $(wc -l <"$err") == 1 ]]
}

@test "reset: in the order of lines, its first event at or after the time" {
    given "$(signal s3 2026-02-05T12:00:00Z)" "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T11:00:00Z)"
    checkpoint reset w --to=2026-02-05T11:00:00Z
    expect_due w 's3 s1 s2'
}

@test "reset: syncs the partitions that a new worker will never see, then stores" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "strace does not go with $METASPN_TESTED_UNDER"
    others_write signals 2026-02-03 "$(signal s1 2026-02-03T10:00:00Z)"
    strace -f -y -o trace -e trace=fdatasync,renameat metaspn-checkpoint -C ws reset w --to=2026-02-05
    awk '/fdatasync\(.*2026-02-03\.jsonl/ {synced = NR}
         /rename.*w\.json/ {stored = NR}
         END {exit !(synced && synced < stored)}' trace || { cat trace; false; }
}

@test "a checkpoint without positions: advance and reset sync the partitions in which it gets one" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "strace does not go with $METASPN_TESTED_UNDER"
    local verb
    for verb in 'advance w line' 'reset w --to=2026-02-05'; do
        rm -rf ws/store
        others_write signals 2026-02-03 "$(signal s1 2026-02-03T10:00:00Z)"
        others_write signals 2026-02-04 "$(signal s2 2026-02-04T10:00:00Z)"
        echo '{"last_timestamp":"2026-02-03T12:00:00Z"}' | checkpoint write w
        replay -q --checkpoint=w >line
        # shellcheck disable=SC2086 # words
        strace -f -y -o trace -e trace=fdatasync,renameat metaspn-checkpoint -C ws $verb
        awk '/fdatasync\(.*2026-02-03\.jsonl/ {synced = NR}
             /rename.*w\.json/ {stored = NR}
             END {exit !(synced && synced < stored)}' trace || { cat trace; false; }
    done
}

@test "reset: no position moves forward; earlier ones stay" {
    six
    replay -q -n 1 | checkpoint advance w
    checkpoint reset w --to=2026-02-03T11:00:00Z
    expect_due w 's2 s3 s4 s5 s6'
    replay -q --checkpoint=w | checkpoint advance w
    checkpoint reset w --to=2026-02-04T11:00:00Z
    expect_due w 's4 s5 s6'
    [[ $(checkpoint read w | jq -c '[.last_timestamp,.seen_ids_at_timestamp]') == '["2026-02-04T11:00:00Z",[]]' ]]
    checkpoint reset w --to=2026-02-04T11:30:00Z
    expect_due w 's4 s5 s6'
    replay -q -n 3 | checkpoint advance v
    checkpoint reset v --to=2026-02-05T11:00:00Z
    expect_places v 2026-02-03=2 2026-02-04=1 2026-02-05=1
}

@test "reset: a later day that is gone is due as a whole when it comes back" {
    six
    replay -q | checkpoint advance w
    mv ws/store/signals/2026-02-03.jsonl ws/store/signals/2026-02-05.jsonl .
    checkpoint reset w --to=2026-02-04T11:00:00Z
    mv 2026-02-03.jsonl 2026-02-05.jsonl ws/store/signals
    expect_due w 's4 s5 s6'
}

@test "reset: a position that does not fit is due from the start, and stays so" {
    six
    replay -q --checkpoint=w | checkpoint advance w
    others_write signals 2026-02-04 "$(signal t1 2026-02-04T10:00:00Z)" "$(signal t2 2026-02-04T11:00:00Z)"
    checkpoint reset w --to=2026-02-04T11:00:00Z
    expect_due w 't1 t2 s5 s6'
}

@test "reset: a checkpoint by time loses nothing that is due to it" {
    six
    replay -q --until=2026-02-03T10:00:00Z | metaspn-checkpoint build | checkpoint write w
    checkpoint reset w --to=2026-02-05T10:00:00Z
    expect_due w 's2 s3 s4 s5 s6'
}

@test "reset: --kind of another kind than the checkpoint's is exit 2; other members stay" {
    six
    checkpoint reset w --to=now
    run_split checkpoint reset w --to=now --kind=emissions
    expect_status 2
    expect_err 'metaspn-checkpoint: --kind=emissions: w is a checkpoint of signals' "Try 'metaspn-checkpoint --help'."
    run_split checkpoint reset w --to=now --kind=signals
    expect_status 0
    checkpoint read w | jq -c '.mine = 7' | checkpoint write w
    checkpoint reset w --to=2026-02-03
    [[ $(checkpoint read w | jq -r .mine) == 7 ]]
}
