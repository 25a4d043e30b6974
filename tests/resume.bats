#!/usr/bin/env bats
# metaspn-replay --checkpoint: what is due to a worker, and in which order. metaspn-checkpoint is in checkpoint.bats.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load workers
load resuming

# ---- what is due, and in which order

@test "absent: a note, and from the beginning; -q without the note" {
    six
    run_split replay --checkpoint=w
    expect_status 0
    expect_err 'metaspn-replay: note: no checkpoint "w"; everything is due, from the beginning'
    [[ $(wc -l <"$out") == 6 ]]
    run_split replay --checkpoint-file=none
    expect_status 0
    expect_err_like '^metaspn-replay: note: none: .*; everything is due'
    due 's1 s2 s3 s4 s5 s6'
    expect_err
}

@test "damaged: exit 5, never taken for absent" {
    six
    mkdir ws/store/checkpoints
    for damage in '' '{' '[]' '{"last_timestamp":1}'; do
        printf '%s' "$damage" >ws/store/checkpoints/w.json
        run_split replay --checkpoint=w --next=n
        expect_status 5
        expect_out
        expect_err_like '^metaspn-replay: .*/w\.json: damaged: '
        run_split replay --checkpoint-file=ws/store/checkpoints/w.json
        expect_status 5
        expect_out
        [[ ! -e n ]]
    done
}

@test "only what the checkpoint has not passed" {
    six
    loop 's1 s2' -n 2
    loop 's3 s4 s5 s6'
    loop ''
}

@test "in the order of positions: partitions by date, lines as they lie" {
    given "$(signal s3 2026-02-05T12:00:00Z)" "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T11:00:00Z)"
    given "$(signal s0 2026-02-04T12:00:00Z)"
    due 's0 s3 s1 s2'
    due 's0 s3' -n 2
}

@test "an event that arrives late still reaches the worker, once" {
    six
    loop 's1 s2 s3 s4 s5 s6'
    signal late 2026-02-03T00:00:00Z | store
    signal older 2025-12-31T00:00:00Z | store
    loop 'older late'
    loop ''
}

@test "what is printed is what is stored, byte for byte; a last line without newline gets one, and is not passed twice" {
    others_write signals 2026-02-05 '{ "timestamp":"2026-02-05T10:00:00", "signal_id":"s1" }'$'\r'
    printf '%s' "$(signal s2 2026-02-05T11:00:00Z)" >>ws/store/signals/2026-02-05.jsonl
    cp ws/store/signals/2026-02-05.jsonl want
    echo >>want
    loop 's1 s2'
    expect_same want "$out"
    loop ''
    # the next writer ends the line
    signal s3 2026-02-05T12:00:00Z | store
    loop s3
    # another program ends one with nothing else
    printf '%s' "$(signal s4 2026-02-05T13:00:00Z)" >>ws/store/signals/2026-02-05.jsonl
    loop s4
    echo >>ws/store/signals/2026-02-05.jsonl
    loop ''
}

@test "a fragment is not passed before it is whole" {
    six
    line=$(signal s7 2026-02-05T12:00:00Z)
    printf '%s' "${line:0:40}" >>ws/store/signals/2026-02-05.jsonl
    run_split replay --day=today
    expect_err "metaspn-replay: note: $ws/store/signals/2026-02-05.jsonl: the last line is not whole yet (40 bytes from byte $(place 2026-02-05 2) on)"
    loop 's1 s2 s3 s4 s5 s6'
    loop ''
    printf '%s\n' "${line:40}" >>ws/store/signals/2026-02-05.jsonl
    loop s7
}

@test "an id that occurs again is not due again; in an earlier day it may come again" {
    six
    loop 's1 s2 s3 s4 s5 s6'
    others_append signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s7 2026-02-05T12:00:00Z)"
    loop s7
    others_append signals 2026-02-03 "$(signal s7 2026-02-05T12:00:00Z)"
    loop s7
    loop ''
}

@test "filters reject for good, and a rare one costs what is new" {
    { signal s1 2026-02-05T10:00:00Z; signal s2 2026-02-05T11:00:00Z source='"rare"'; signal s3 2026-02-05T12:00:00Z; } | store
    loop s2 --source=rare
    expect_next 2026-02-05=3
    due ''
    signal s4 2026-02-05T13:00:00Z source='"rare"' | store
    loop s4 --source=rare
}

@test "the answers are the same without an index" {
    six
    others_append signals 2026-02-04 'no event' "$(signal s1 2026-02-04T12:00:00Z)"
    for options in '' '-n 3' '--until=2026-02-04T10:00:00Z' '--since=2026-02-04' '--source=none'; do
        # shellcheck disable=SC2086 # several words
        run_split replay --checkpoint=w --next=n $options
        cp "$out" want
        cp n want.n
        # shellcheck disable=SC2086 # several words
        run_split replay --checkpoint=w --next=n --no-index $options
        expect_same want "$out"
        expect_same want.n n
    done
}

@test "--count counts what is due, --format=table shows it" {
    six
    loop 's1 s2 s3 s4' -n 4
    [[ $(replay --checkpoint=w --count) == 2 ]]
    [[ $(replay --checkpoint=w --count -n 1) == 1 ]]
    [[ $(replay --checkpoint=w --format=table | cut -f 6 | paste -sd' ') == 's5 s6' ]]
}

# ---- windows

@test "--since: partitions before it count as read, earlier events of its day are rejected for good" {
    six
    loop 's4 s5 s6' --since=2026-02-04T11:00:00Z
    expect_next 2026-02-03=2 2026-02-04=2 2026-02-05=2
    due ''
}

@test "--until ends each partition at its first due event that is later, which is never passed" {
    given "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s3 2026-02-05T12:00:00Z)" "$(signal s2 2026-02-05T11:00:00Z)"
    given "$(signal s4 2026-02-06T10:00:00Z)"
    loop s1 --until=2026-02-05T11:00:00Z
    expect_next 2026-02-05=1
    loop '' --until=2026-02-05T11:30:00Z
    loop 's3 s2' --until=2026-02-05T12:00:00Z
    loop s4
}

@test "--until: a later event that no filter wants does not end the partition" {
    given "$(signal x 2026-02-05T12:00:00Z source='"other"')" "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T13:00:00Z)"
    loop s1 --until=2026-02-05T11:00:00Z --source=social.feed
    expect_next 2026-02-05=2
}

@test "--until: a record in the wrong day's file does not end it and is printed at once" {
    others_write signals 2026-02-05 "$(signal m 2031-01-01T00:00:00Z)" "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T12:00:00Z)"
    others_write signals 2026-02-06 "$(signal o 2026-02-05T09:00:00Z)" "$(signal s3 2026-02-06T10:00:00Z)"
    loop 'm s1' --until=2026-02-05T11:00:00Z
    expect_next 2026-02-05=2
    loop 's2 o s3'
}

@test "--since and --until: past a partition that ended, the first instant of the window is in it" {
    others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:30:00Z)" "$(signal s2 2026-02-05T12:00:00Z)"
    others_write signals 2026-02-06 "$(signal early 2026-02-05T09:59:59.999999Z)" "$(signal first 2026-02-05T10:00:00Z)"
    loop s1 --since=2026-02-05T10:00:00Z --until=2026-02-05T11:00:00Z
    expect_next 2026-02-05=1
    loop 's2 first' --since=2026-02-05T10:00:00Z --until=2026-02-06T11:00:00Z
    expect_next 2026-02-05=2 2026-02-06=2
}

@test "--until does not enter later days: what copies an event that is not due yet is not passed" {
    others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T12:00:00Z)"
    others_write signals 2026-02-06 "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T12:00:00Z)" "$(signal s3 2026-02-06T10:00:00Z)"
    loop s1 --until=2026-02-05T11:00:00Z
    expect_next 2026-02-05=1
    # the first record goes: its copy is still due
    others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)"
    loop 's2 s3'
}

@test "--until=now in a loop: nothing before its time, everything in the end, nothing twice" {
    six
    for hour in 10 11; do
        loop "$(case $hour in 10) echo s1 ;; 11) echo s2 ;; esac)" --until=now --now="2026-02-03T$hour:30:00Z"
    done
    loop 's3 s4 s5' --until=now --now=2026-02-05T10:00:00Z
    loop '' --until=now --now=2026-02-05T10:00:01Z
    loop s6 --until=now --now=2026-02-06
}

@test "--day: both ends" {
    six
    loop 's3 s4' --day=2026-02-04
    expect_next 2026-02-03=2 2026-02-04=2
    loop 's5 s6'
}

# ---- kinds

@test "the kind is kept in the checkpoint and is the default; another one is exit 2" {
    six
    { emission e1 2026-02-05T10:00:00Z; emission e2 2026-02-05T11:00:00Z; } | store
    loop e1 --kind=emissions -n 1
    [[ $(jq -r .kind n) == emissions ]]
    due e2
    due e2 --kind=emissions
    run_split replay --checkpoint=w --kind=signals
    expect_status 2
    expect_out
    due 'e2' --caused-by=s1
    run_split replay -q --checkpoint=none --caused-by=s1 --count
    expect_out 2
}

@test "what does not go together is exit 2" {
    six
    loop s1 -n 1
    while read -r -a words; do
        run_split replay "${words[@]}"
        expect_status 2
        expect_out
        expect_err_like "^Try 'metaspn-replay --help'\.$"
    done <<'CASES'
--checkpoint=w --kind=all
--checkpoint=none --kind=all
--checkpoint=w --checkpoint-file=n
--checkpoint=w --reverse
--checkpoint=w --order=append
--checkpoint=w --tail=3
--checkpoint=w --count --next=m
--checkpoint=../w
--checkpoint=
--checkpoint-file=
--checkpoint=w --next=
--next=m
--follow --checkpoint=w --next=m
--follow --checkpoint=w --tail=3
CASES
    [[ ! -e m ]]
}

@test "a workspace or a store that is not there is no missing checkpoint: exit 5" {
    run_split replay --checkpoint=w --next=n
    expect_status 5
    run_split metaspn-replay -C nowhere --checkpoint=w --next=n
    expect_status 5
    [[ ! -e n ]]
}

# ---- following

@test "--follow --checkpoint: all that is due, then what is appended, whatever its time" {
    six
    loop 's1 s2' -n 2
    metaspn-replay -C "$ws" --follow --checkpoint=w -n 6 >got 3>&- &
    background=$!
    for _ in {1..500}; do
        [[ $(wc -l <got) -lt 4 ]] || break
        sleep 0.02
    done
    signal late 2026-02-03T00:00:00Z | store
    signal new 2026-02-06T00:00:00Z | store
    wait "$background"
    background=
    [[ $(jq -r .signal_id got | paste -sd' ') == 's3 s4 s5 s6 late new' ]]
}

@test "--follow --checkpoint -n: ends after N lines, those that were due included" {
    six
    run_split timeout 20 metaspn-replay -q -C "$ws" --follow --checkpoint=w -n 4
    expect_status 0
    [[ $(jq -r .signal_id "$out" | paste -sd' ') == 's1 s2 s3 s4' ]]
    run_split timeout 20 metaspn-replay -q -C "$ws" --follow --checkpoint=w --day=2026-02-04 -n 2
    [[ $(jq -r .signal_id "$out" | paste -sd' ') == 's3 s4' ]]
}

@test "follow | worker | advance: the pipeline keeps its checkpoint, and goes on where it was killed" {
    six
    due_ids() { replay -q --checkpoint=w | jq -r .signal_id | paste -sd' '; }
    eventually_due() {
        for _ in {1..500}; do
            [[ $(due_ids) != "$1" ]] || return 0
            sleep 0.02
        done
        echo "due: $(due_ids)"
        return 1
    }
    mkfifo pipe
    metaspn-replay -q -C "$ws" -f --checkpoint=w >pipe 3>&- &
    background=$!
    tee worked <pipe | checkpoint advance w 3>&- &
    eventually_due ''
    signal s7 2026-02-05T12:00:00Z | store
    eventually_due ''
    kill -KILL "$background"
    wait
    background=
    signal s8 2026-02-03T12:00:00Z | store
    loop s8
    [[ $(jq -r .signal_id worked | paste -sd' ') == 's1 s2 s3 s4 s5 s6 s7' ]]
}

# ---- the loop, killed

@test "the loop may be killed at any system call of any of its commands, and loses no event" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "strace does not go with $METASPN_TESTED_UNDER"
    six
    checkpoint reset w --to=2026-02-03
    cp -r ws pristine
    worked() { jq -r .signal_id worked | sort -u | paste -sd' '; }
    for command in replay advance; do
        for call in openat write fsync fdatasync renameat close; do
            for when in 1 3; do
                rm -rf ws n worked
                cp -r pristine ws
                : >worked
                for kill in yes no; do
                    wrap=()
                    [[ $kill == no ]] || wrap=(strace -f -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$when")
                    [[ $command == replay ]] && first=("${wrap[@]}") second=() || first=() second=("${wrap[@]}")
                    "${first[@]}" metaspn-replay -q -C ws --checkpoint=w --next=n -n 4 >lines || continue
                    cat lines >>worked
                    "${second[@]}" metaspn-checkpoint -C ws advance w --to=n || continue
                done
                metaspn-replay -q -C ws --checkpoint=w --next=n >>worked
                [[ $(worked) == 's1 s2 s3 s4 s5 s6' ]]
            done
        done
    done
}
