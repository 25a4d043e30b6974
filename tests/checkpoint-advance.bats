#!/usr/bin/env bats
# metaspn-checkpoint advance: to where a replay has read, or past each line that a worker has read.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load workers

# drained FD: what was written into this pipe has been read
drained()
{
    /usr/bin/python3 -c 'import fcntl, struct, sys, termios
sys.exit(struct.unpack("i", fcntl.ioctl(int(sys.argv[1]), termios.FIONREAD, bytes(4)))[0] > 0)' "$1"
}

# ---- advance --to

# next OPTION ...: a checkpoint in the file n
next()
{
    replay -q --next=n "$@" >/dev/null
}

@test "advance --to: stores where replay got to, the kind in it, and other members stay" {
    six
    checkpoint write w <<<'{"last_timestamp":"0001-01-01T00:00:00Z","positions":{},"mine":1.0}'
    next --checkpoint=w -n 3
    run_split checkpoint advance w --to=n
    expect_status 0
    expect_out
    expect_err
    expect_places w 2026-02-03=2 2026-02-04=1
    [[ $(checkpoint read w | jq -c '[.kind,.last_timestamp,.seen_ids_at_timestamp,.schema_version]') == '["signals","2026-02-04T10:00:00Z",["s3"],"0.1"]' ]]
    document checkpoints w | grep '"mine":1\.0,'
}

@test "advance --to: in each partition the greater position; nothing moved is exit 0" {
    six
    next --checkpoint=w -n 3
    cp n n3
    next --checkpoint=w -n 5
    checkpoint advance w --to=n
    document checkpoints w >before
    run_split checkpoint advance w --to=n3
    expect_status 0
    document checkpoints w | expect_same before -
    # one day forward, another one back
    jq -c --slurpfile b n3 '.positions["2026-02-04"] = $b[0].positions["2026-02-04"]' n >mixed
    replay -q --checkpoint=w --next=n | wc -l | grep -qx 1
    jq -c --slurpfile b n3 '.positions["2026-02-04"] = $b[0].positions["2026-02-04"]' n >mixed
    checkpoint advance w --to=mixed
    expect_places w 2026-02-03=2 2026-02-04=2 2026-02-05=2
}

@test "advance --to: a position before a newline that came since is no greater than the one after it, nor the other way round" {
    six
    truncate -s -1 ws/store/signals/2026-02-05.jsonl
    next --checkpoint-file=none
    mv n before
    echo >>ws/store/signals/2026-02-05.jsonl
    next --checkpoint-file=none
    checkpoint advance w --to=n
    checkpoint read w >stored
    checkpoint advance w --to=before
    checkpoint read w | expect_same stored -
    checkpoint delete w
    checkpoint advance w --to=before
    checkpoint read w >stored
    checkpoint advance w --to=n
    checkpoint read w | expect_same stored -
}

@test "advance --to: the new position where the old one is of other bytes, though it stands at the same place" {
    six
    next --checkpoint=w
    checkpoint advance w --to=n
    sed -i 's/"s/"t/' ws/store/signals/2026-02-04.jsonl
    next --checkpoint=w
    checkpoint advance w --to=n
    expect_due w ''
}

@test "advance --to: the new position where the old one does not fit, and not one that fits nothing" {
    six
    next --checkpoint=w
    checkpoint advance w --to=n
    others_write signals 2026-02-04 "$(signal t1 2026-02-04T10:00:00Z)"
    next --checkpoint=w
    checkpoint advance w --to=n
    expect_places w 2026-02-03=2 2026-02-04=1 2026-02-05=2
    jq -c '.positions["2026-02-04"] = {"hash":"0000000000000000","offset":99999}' n >wrong
    checkpoint advance w --to=wrong
    expect_places w 2026-02-03=2 2026-02-04=1 2026-02-05=2
}

@test "advance --to: a position whose partition is gone is kept" {
    six
    next --checkpoint=w
    checkpoint advance w --to=n
    mv ws/store/signals/2026-02-04.jsonl away
    signal s7 2026-02-05T12:00:00Z | metaspn-write -C ws
    next --checkpoint=w
    checkpoint advance w --to=n
    mv away ws/store/signals/2026-02-04.jsonl
    expect_places w 2026-02-03=2 2026-02-04=2 2026-02-05=3
    expect_due w ''
}

@test "advance --to: last_timestamp is the greatest, with the ids of both where they are equal" {
    six
    signal s7 2026-02-05T11:00:00Z | metaspn-write -C ws
    checkpoint write w <<<'{"last_timestamp":"2026-02-05T11:00:00Z","positions":{},"seen_ids_at_timestamp":["s6"]}'
    jq -nc '{last_timestamp:"2026-02-05T11:00:00Z",positions:{},seen_ids_at_timestamp:["s7","s6"]}' >n
    checkpoint advance w --to=n
    [[ $(checkpoint read w | jq -c '[.last_timestamp,.seen_ids_at_timestamp]') == '["2026-02-05T11:00:00Z",["s6","s7"]]' ]]
    jq -nc '{last_timestamp:"2026-02-05T10:00:00Z",positions:{},seen_ids_at_timestamp:["s5"]}' >n
    checkpoint advance w --to=n
    [[ $(checkpoint read w | jq -c '[.last_timestamp,.seen_ids_at_timestamp]') == '["2026-02-05T11:00:00Z",["s6","s7"]]' ]]
}

@test "advance --to: a FILE of another kind is exit 3, one that is no checkpoint too, one that is missing 5" {
    six
    emission e1 2026-02-05T10:00:00Z | metaspn-write -C ws
    next --checkpoint=w
    checkpoint advance w --to=n
    document checkpoints w >before
    metaspn-replay -q -C ws -k emissions --checkpoint=e --next=n >/dev/null
    run_split checkpoint advance w --to=n
    expect_status 3
    expect_err 'metaspn-checkpoint: n: is a checkpoint of emissions, not of signals; nothing was moved'
    echo '{"last_timestamp":' >n
    run_split checkpoint advance w --to=n
    expect_status 3
    expect_err_like '^metaspn-checkpoint: n: damaged: invalid JSON at byte .*; nothing was moved$'
    : >n
    run_split checkpoint advance w --to=n
    expect_status 3
    expect_err 'metaspn-checkpoint: n: damaged: is empty; nothing was moved'
    run_split checkpoint advance w --to=missing
    expect_status 5
    document checkpoints w | expect_same before -
}

@test "advance --to: a FILE that is a pipe, or a FIFO that is waited for; a signal ends the wait" {
    six
    next --checkpoint=w -n 3
    run_split checkpoint advance w --to=/dev/stdin < <(cat n)
    expect_status 0
    expect_err
    expect_places w 2026-02-03=2 2026-02-04=1
    mkfifo fifo
    metaspn-checkpoint -C ws advance w --to=fifo 2>"$err" 3>&- &
    background=$!
    eventually sleeps "$background"
    kill -TERM "$background"
    status=0
    wait "$background" || status=$?
    background=
    expect_status 143
    expect_err
    next --checkpoint=w
    metaspn-checkpoint -C "$ws" advance w --to=fifo 3>&- &
    background=$!
    cat n >fifo
    wait "$background"
    background=
    expect_due w ''
}

@test "advance --to: two checkpoints by time become one with positions, before the first event still due" {
    six
    replay -q --until=2026-02-03T11:00:00Z | metaspn-checkpoint build | checkpoint write w
    replay -q --until=2026-02-05T10:00:00Z | metaspn-checkpoint build >n
    checkpoint advance w --to=n
    expect_places w 2026-02-03=2 2026-02-04=2 2026-02-05=1
    expect_due w s6
}

@test "advance --to: syncs the partitions whose position it moves, then stores, under the store's lock" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "strace does not go with $METASPN_TESTED_UNDER"
    # written by another program, so that nobody has synced them yet
    others_write signals 2026-02-03 "$(signal s1 2026-02-03T10:00:00Z)"
    others_write signals 2026-02-04 "$(signal s2 2026-02-04T10:00:00Z)"
    next --checkpoint=w -n 1
    strace -f -y -o trace -e trace=fdatasync,fsync,fcntl,rename,renameat,renameat2 metaspn-checkpoint -C ws advance w --to=n
    awk '/F_OFD_SETLK.*F_WRLCK/ && /store\/lock/ {locked = NR}
         /(fdatasync|fsync)\(.*2026-02-03\.jsonl/ {synced = NR}
         /(fdatasync|fsync)\(.*2026-02-04\.jsonl/ {too_much = NR}
         /rename.*w\.json/ {stored = NR}
         /F_UNLCK/ && /store\/lock/ {unlocked = NR}
         END {exit !(locked && locked < synced && synced < stored && (!unlocked || stored < unlocked) && !too_much)}' trace ||
        { cat trace; false; }
}

@test "advance --to: where the store's lock is not to be had nothing is moved, exit 5" {
    needs_strace
    six
    next --checkpoint=w
    run_split strace -o trace -P "$PWD/ws/store/lock" -e inject=fcntl:error=ENOLCK metaspn-checkpoint -C ws advance w --to=n
    expect_status 5
    expect_err 'metaspn-checkpoint: ws/store/lock: cannot lock: No locks available'
    no_checkpoint w
}

# ---- advance from lines

@test "advance: past each line that was read, of leading ones in their order" {
    six
    replay -q --checkpoint=w | head -n 3 >lines
    run_split checkpoint advance w lines
    expect_status 0
    expect_out
    expect_places w 2026-02-03=2 2026-02-04=1
    expect_due w 's4 s5 s6'
    replay -q --checkpoint=w | checkpoint advance w
    expect_due w ''
}

@test "advance: a line that was passed already changes nothing; blank lines neither; no lines nothing at all" {
    six
    run_split checkpoint advance w </dev/null
    expect_status 0
    no_checkpoint w
    replay -q | head -n 5 >lines
    checkpoint advance w lines
    document checkpoints w >before
    { head -n 2 lines; echo; } | checkpoint advance w
    document checkpoints w | expect_same before -
}

@test "advance: a line that is nowhere is invalid, what precedes it counts" {
    six
    { replay -q | head -n 3; signal s4 2026-02-04T11:00:00Z payload='{"n":2}'; replay -q | tail -n 2; } >lines
    run_split checkpoint advance w lines
    expect_status 3
    expect_err 'metaspn-checkpoint: lines:4: is not in the store; what precedes it counts'
    expect_places w 2026-02-03=2 2026-02-04=1
    for bad in 'no event' '{"signal_id":"s5"}' "$(replay -q | head -n 1 | head -c 50)"; do
        { replay -q | sed -n 4p; echo "$bad"; } >lines
        run_split checkpoint advance w lines
        expect_status 3
        expect_err_like '^metaspn-checkpoint: lines:2: '
        expect_places w 2026-02-03=2 2026-02-04=2
    done
}

@test "advance: a FILE that cannot be read is the end, exit 5; what precedes it counts, and nothing after it" {
    six
    replay -q -n 2 >b1
    replay -q | sed -n 3p >b2
    replay -q | tail -n 3 >b3
    run_split checkpoint advance w b1.typo b2
    expect_status 5
    expect_err 'metaspn-checkpoint: b1.typo: cannot open: No such file or directory; what precedes it counts'
    no_checkpoint w
    run_split checkpoint advance w b1 b2 . b3
    expect_status 5
    expect_err 'metaspn-checkpoint: .: cannot open: Is a directory; what precedes it counts'
    expect_due w 's4 s5 s6'
    # the same where it is met after a pause
    checkpoint delete w
    mkfifo pipe
    metaspn-checkpoint -C "$ws" advance w pipe missing b3 2>"$err" 3>&- &
    background=$!
    exec 4>pipe
    cat b1 >&4
    eventually checkpoint read w
    exec 4>&-
    status=0
    wait "$background" || status=$?
    background=
    expect_status 5
    expect_err 'metaspn-checkpoint: missing: cannot open: No such file or directory; what precedes it counts'
    expect_due w 's3 s4 s5 s6'
}

@test "advance: a store that cannot be read from the start is exit 5" {
    six
    replay -q >lines
    mkfifo ws/store/signals/2026-02-06.jsonl
    run_split checkpoint advance w lines
    expect_status 5
    expect_err "metaspn-checkpoint: $ws/store/signals/2026-02-06.jsonl: is not a regular file"
    no_checkpoint w
    run_split metaspn-checkpoint -C nowhere advance w lines
    expect_status 5
    expect_err 'metaspn-checkpoint: nowhere: No such file or directory'
}

@test "advance: where the store cannot be read, what precedes counts too; where that cannot be stored, nobody says so" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "strace does not go with $METASPN_TESTED_UNDER"
    six
    replay -q >lines
    local i line failed=
    for i in {1..8}; do
        run_split strace -f -o trace -P "$ws/store/signals/2026-02-04.jsonl" -e inject=pread64:error=EIO:when="$i" \
            metaspn-checkpoint -C "$ws" advance "w$i" lines
        [[ $status == 5 ]] || continue
        if [[ $(<"$err") != *lines:* ]]; then # it was the hash of a position that is to be stored
            no_checkpoint "w$i"
            continue
        fi
        expect_err_like '^metaspn-checkpoint: lines:[34]: .*/2026-02-04\.jsonl: cannot read: Input/output error; what precedes it counts$'
        line=$(cut -d: -f 3 "$err")
        tail -n +"$line" lines >rest
        expect_due "w$i" "$(ids_of rest)"
        failed+=x
    done
    [[ $failed ]]
    { replay -q -n 3; echo '{}'; } >lines
    run_split strace -f -o trace -e inject=renameat:error=EIO metaspn-checkpoint -C "$ws" advance w lines
    expect_status 5
    expect_err_like '^metaspn-checkpoint: lines:4: is no event: [^;]*$'
    expect_err_like '^metaspn-checkpoint: .*w\.json: cannot replace: Input/output error$'
    no_checkpoint w
}

@test "advance: lines of the other kind are invalid; the first line tells the kind of a new checkpoint" {
    six
    emission e1 2026-02-05T10:00:00Z | metaspn-write -C ws
    replay -q -n 1 | checkpoint advance w
    run_split checkpoint advance w < <(metaspn-replay -C ws -k emissions)
    expect_status 3
    metaspn-replay -C ws -k emissions | checkpoint advance e
    [[ $(checkpoint read e | jq -r .kind) == emissions ]]
    run_split metaspn-replay -C ws --checkpoint=e
    expect_status 0
    expect_out
}

@test "advance: an event with both ids is of the kind in whose folder it lies" {
    mkdir -p ws/store/emissions
    others_write emissions 2026-02-05 "$(emission e1 2026-02-05T10:00:00Z signal_id='"s1"')"
    others_append emissions 2026-02-05 "$(emission e2 2026-02-05T10:00:00Z signal_id='"s2"')"
    run_split checkpoint advance w <ws/store/emissions/2026-02-05.jsonl
    expect_status 0
    [[ $(checkpoint read w | jq -c '[.kind,.seen_ids_at_timestamp]') == '["emissions",["e1","e2"]]' ]]
    expect_due w ''
    others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z emission_id='"e1"')"
    checkpoint advance v <ws/store/signals/2026-02-05.jsonl
    [[ $(checkpoint read v | jq -c '[.kind,.seen_ids_at_timestamp]') == '["signals",["s1"]]' ]]
    run_split checkpoint advance u <<<"$(signal s9 2026-02-05T10:00:00Z emission_id='"e9"')"
    expect_status 3
    expect_err 'metaspn-checkpoint: -:1: is not in the store; what precedes it counts'
}

@test "advance: the first line in the store with these bytes, where an id has several" {
    local one two
    one=$(signal s1 2026-02-04T10:00:00Z)
    two=$(signal s1 2026-02-04T10:00:00Z payload='{"n":2}')
    others_write signals 2026-02-03 "$two"
    others_write signals 2026-02-04 "$(signal s0 2026-02-04T09:00:00Z)" "$one"
    others_write signals 2026-02-05 "$two" "$one" "$(signal s2 2026-02-05T10:00:00Z)"
    checkpoint advance a <<<"$one"
    expect_places a 2026-02-04=2
    checkpoint advance b <<<"$two"
    expect_places b 2026-02-03=1
    # The copy that comes next is not taken for it.
    others_write signals 2026-02-06 "$(signal s3 2026-02-06T10:00:00Z)" "$(signal s4 2026-02-06T11:00:00Z)" "$(signal s3 2026-02-06T10:00:00Z)"
    checkpoint advance c <ws/store/signals/2026-02-06.jsonl
    expect_places c 2026-02-06=2
}

@test "advance: a stored line with CR, odd spelling or without newline at the end" {
    others_write signals 2026-02-05 '{ "signal_id" : "s1", "timestamp" : "2026-02-05 10:00:00" }'$'\r'
    printf '%s' "$(signal s2 2026-02-05T11:00:00Z)" >>ws/store/signals/2026-02-05.jsonl
    replay -q | checkpoint advance w
    expect_due w ''
    [[ $(checkpoint read w | jq '.positions[].offset') == $(stored signals 2026-02-05 | wc -c) ]]
    # the next writer ends the line: the same position
    signal s3 2026-02-05T12:00:00Z | metaspn-write -q -C ws
    expect_due w s3
}

@test "advance: events that came after it was started are found" {
    six
    mkfifo pipe
    metaspn-checkpoint -C "$ws" advance w <pipe 3>&- &
    background=$!
    exec 4>pipe
    signal s7 2026-02-05T12:00:00Z | tee line | metaspn-write -C ws
    cat line >&4
    exec 4>&-
    wait "$background"
    background=
    expect_places w 2026-02-05=3
}

@test "advance: stores at most a second after an event has come, and holds no partition open meanwhile" {
    six
    mkfifo pipe
    metaspn-checkpoint -C "$ws" advance w <pipe 3>&- &
    background=$!
    exec 4>pipe
    replay -q -n 1 >&4
    eventually checkpoint read w
    expect_places w 2026-02-03=1
    for fd in "/proc/$background/fd"/*; do
        [[ $(readlink "$fd") != *.jsonl ]]
    done
    replay -q -n 2 | tail -n 1 >&4
    eventually expect_places w 2026-02-03=2 >/dev/null
    exec 4>&-
    wait "$background"
    background=
}

@test "advance: what was read waits for more lines for less than a second" {
    needs_strace
    six
    replay -q -n 1 >line
    mkfifo pipe
    strace -f -o trace -e trace=poll,ppoll metaspn-checkpoint -C "$ws" advance w <pipe 3>&- &
    background=$!
    exec 4>pipe
    cat line >&4
    eventually checkpoint read w
    exec 4>&-
    wait "$background"
    background=
    grep -o 'tv_sec=[0-9]*, tv_nsec=[0-9]*' trace >waits
    [[ -s waits && $(<waits) != *tv_sec=[1-9]* ]]
}

@test "advance: SIGTERM stores what was read, then ends it" {
    six
    mkfifo pipe
    metaspn-checkpoint -C "$ws" advance w <pipe 3>&- &
    background=$!
    exec 4>pipe
    replay -q -n 2 >&4
    eventually drained 4
    kill -TERM "$background"
    status=0
    wait "$background" || status=$?
    background=
    exec 4>&-
    [[ $status == 143 ]]
    expect_places w 2026-02-03=2
}

@test "advance: a checkpoint without positions gets one for every partition first" {
    six
    replay -q --until=2026-02-04T10:00:00Z | metaspn-checkpoint build | checkpoint write w
    replay -q --checkpoint=w -n 1 | tee lines | checkpoint advance w
    [[ $(jq -r .signal_id lines) == s4 ]]
    expect_places w 2026-02-03=2 2026-02-04=2 2026-02-05=0
    expect_due w 's5 s6'
}

@test "advance: two at once lose nothing: each reads and replaces under the lock" {
    six
    for i in 1 2 3 4 5 6; do
        replay -q | sed -n "${i}p" | checkpoint advance w &
    done
    wait
    expect_places w 2026-02-03=2 2026-02-04=2 2026-02-05=2
    [[ $(checkpoint read w | jq -c '[.last_timestamp,.seen_ids_at_timestamp]') == '["2026-02-05T11:00:00Z",["s6"]]' ]]
}

@test "advance waits for the store's lock, and does not hold it while it waits for input" {
    six
    mkfifo pipe
    metaspn-checkpoint -C "$ws" advance w <pipe 3>&- &
    background=$!
    exec 4>pipe
    replay -q -n 1 >&4
    eventually checkpoint read w
    signal s9 2026-02-05T13:00:00Z | metaspn-write -C ws --lock-timeout=20
    exec 4>&-
    wait "$background"
    background=
}
