#!/usr/bin/env bats
# metaspn-replay --checkpoint, --checkpoint-file and --next: positions, and what they become.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load workers
load resuming

# ---- positions

@test "a rewritten day is delivered from its start, with a warning" {
    six
    loop 's1 s2 s3 s4 s5 s6'
    others_write signals 2026-02-04 "$(signal t1 2026-02-04T09:00:00Z)" "$(signal s3 2026-02-04T10:00:00Z)" "$(signal s4 2026-02-04T11:00:00Z)"
    run_split replay --checkpoint=w
    expect_status 0
    expect_err_like "^metaspn-replay: warning: $ws/store/signals/2026-02-04\.jsonl: "
    loop 't1 s3 s4'
    run_split replay --checkpoint=w
    expect_out
    expect_err
}

@test "a day that others emptied ends at its start, and is due again as a whole when it fills" {
    six
    due 's1 s2 s3 s4 s5 s6'
    : >ws/store/signals/2026-02-04.jsonl
    due 's1 s2 s5 s6' --next=n
    expect_next 2026-02-03=2 2026-02-04=0 2026-02-05=2
    checkpoint advance w --to=n
    checkpoint list --format=table >table
    [[ $(cut -f 4 table) == 0 ]]
    others_append signals 2026-02-04 "$(signal s7 2026-02-04T10:00:00Z)"
    due s7
    [[ ! -s $err ]]
}

@test "a restored backup: a position past the end, or inside a line, or of other bytes" {
    six
    cp ws/store/signals/2026-02-05.jsonl backup
    signal s7 2026-02-05T12:00:00Z | store
    loop 's1 s2 s3 s4 s5 s6 s7'
    cp backup ws/store/signals/2026-02-05.jsonl
    due 's5 s6'
    signal s8 2026-02-05T12:00:00Z | store
    due 's5 s6 s8'
    # the same events again: nothing was lost, nothing comes twice
    cp backup ws/store/signals/2026-02-05.jsonl
    signal s7 2026-02-05T12:00:00Z | store
    due ''
    # blanks after the position are nothing new, a line that goes on is
    printf '%s' "$(signal s9 2026-02-05T13:00:00Z)" >>ws/store/signals/2026-02-05.jsonl
    loop s9
    printf ' ' >>ws/store/signals/2026-02-05.jsonl
    due ''
    others_append signals 2026-02-05 x
    run_split replay --checkpoint=w
    expect_status 3
    [[ $(ids_of "$out") == 's5 s6 s7' ]]
}

@test "--checkpoint-file: a pipe or a FIFO, however large" {
    six
    replay -n 2 --checkpoint=w --next=c >/dev/null
    jq -c '.mine = "x" * 200000' c >large
    mkfifo fifo
    local file
    for file in c large; do
        run_split replay --checkpoint-file=<(cat "$file")
        expect_status 0
        expect_err
        [[ $(ids_of "$out") == 's3 s4 s5 s6' ]]
        run_split replay --checkpoint-file=/dev/stdin < <(cat "$file")
        expect_status 0
        [[ $(ids_of "$out") == 's3 s4 s5 s6' ]]
        cat "$file" >fifo 3>&- &
        run_split replay --checkpoint-file=fifo
        expect_status 0
        [[ $(ids_of "$out") == 's3 s4 s5 s6' ]]
    done
    head -c 40 c >short
    run_split replay --checkpoint-file=<(cat short)
    expect_status 5
    expect_err_like '^metaspn-replay: /dev/fd/[0-9]*: damaged: '
}

@test "a hash of an unknown form does not fit" {
    six
    loop 's1 s2 s3 s4 s5 s6'
    for hash in '"xxh4-00"' '"0123456789ABCDEF"' '17' null; do
        checkpoint read w | jq -c ".positions[\"2026-02-04\"].hash = $hash" >c
        run_split replay --checkpoint-file=c
        [[ $(jq -r .signal_id "$out" | paste -sd' ') == 's3 s4' ]]
        expect_err_like 'warning: .*2026-02-04\.jsonl'
    done
    checkpoint read w | jq -c '.positions["2026-02-04"] = {hash:"0123456789abcdef",offset:0}' >c
    run_split replay --checkpoint-file=c
    expect_err_like 'warning: .*2026-02-04\.jsonl'
    checkpoint read w | jq -c 'del(.positions["2026-02-04"].hash)' >c
    [[ $(replay -q --checkpoint-file=c | jq -r .signal_id | paste -sd' ') == 's3 s4' ]]
    checkpoint read w | sed 's/"offset":[0-9]*/"offset":99999999999999999999999999/' >c
    [[ $(replay -q --checkpoint-file=c | wc -l) == 2 ]]
}

@test "the hash is of the at most 4096 bytes before: far before them a rewrite is not noticed" {
    local pad
    pad=$(printf 'x%.0s' {1..3000})
    others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)"
    for i in 2 3 4; do
        others_append signals 2026-02-05 "$(signal s$i 2026-02-05T1$i:00:00Z payload="\"$pad\"")"
    done
    loop 's1 s2 s3 s4'
    sed -i 's/"s1"/"t1"/' ws/store/signals/2026-02-05.jsonl
    due ''
    sed -i 's/"s4"/"t4"/' ws/store/signals/2026-02-05.jsonl
    due 't1 s2 s3 t4'
}

@test "a partition without a position is due as a whole; one that is gone keeps its position" {
    six
    loop 's1 s2 s3 s4 s5 s6'
    checkpoint read w | jq -c 'del(.positions["2026-02-04"])' >c
    [[ $(replay -q --checkpoint-file=c | jq -r .signal_id | paste -sd' ') == 's3 s4' ]]
    mv ws/store/signals/2026-02-03.jsonl away
    loop ''
    mv away ws/store/signals/2026-02-03.jsonl
    loop ''
}

# ---- without positions

# by_time TIME ID ...: a checkpoint as the original makes it
by_time()
{
    local time=$1
    shift
    jq -nc --arg t "$time" '{last_timestamp:$t,schema_version:"0.1",seen_ids_at_timestamp:$ARGS.positional}' --args "$@" |
        checkpoint write w
}

@test "a checkpoint by time: later than its timestamp, or at it and not among its ids" {
    six
    { signal s4b 2026-02-04T11:00:00Z; signal late 2026-02-04T09:00:00Z; } | store
    by_time 2026-02-04T11:00:00Z s4
    due 's4b s5 s6'
    by_time 2026-02-04T11:00:00Z
    due 's4 s4b s5 s6'
    by_time 2026-02-05T11:00:00Z s6 s6
    due ''
    by_time 0001-01-01T00:00:00Z
    due 's1 s2 s3 s4 s4b late s5 s6'
    # A last line that has no newline yet is one of them, beside others and alone.
    by_time 2026-02-05T11:00:00Z s6
    signal open5 2026-02-05T12:00:00Z | tr -d '\n' >>ws/store/signals/2026-02-05.jsonl
    signal open6 2026-02-06T12:00:00Z | tr -d '\n' >ws/store/signals/2026-02-06.jsonl
    due 'open5 open6'
}

@test "a checkpoint by time: events that are later count in the wrong day's file too" {
    six
    others_append signals 2026-02-03 "$(signal m 2026-02-05T10:30:00Z)"
    by_time 2026-02-05T10:00:00Z s5
    due 'm s6'
}

@test "--next gives every partition a position: past what was read, elsewhere before the first event still due" {
    six
    by_time 2026-02-03T11:00:00Z s2
    loop s3 -n 1
    expect_next 2026-02-03=2 2026-02-04=1 2026-02-05=0
    signal late 2026-02-03T09:00:00Z | store
    loop 'late s4 s5 s6'
}

@test "--next: what comes between the replay and the advance is due, where the checkpoint went by time before" {
    six
    by_time 2026-02-05T10:00:00Z s5
    due s6 --next=n
    signal late 2026-02-03T09:00:00Z | store
    checkpoint advance w --to=n
    due late
}

@test "--next: processed ones past a stop by -n come once more, none is lost" {
    others_write signals 2026-02-05 "$(signal s2 2026-02-05T12:00:00Z)" "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s3 2026-02-05T13:00:00Z)"
    others_write signals 2026-02-06 "$(signal s5 2026-02-06T12:00:00Z)" "$(signal m 2026-02-05T10:00:00Z)" "$(signal s6 2026-02-06T13:00:00Z)"
    by_time 2026-02-05T11:00:00Z
    loop 's2' -n 1
    expect_next 2026-02-05=1 2026-02-06=0
    loop 's1 s3 s5 m s6'
}

@test "-n 0 --next: nothing is read, but a checkpoint by time gets its positions" {
    six
    by_time 2026-02-04T10:00:00Z s3
    loop '' -n 0
    expect_next 2026-02-03=2 2026-02-04=1 2026-02-05=0
    [[ $(jq -c '[.kind,.last_timestamp,.seen_ids_at_timestamp]' n) == '["signals","2026-02-04T10:00:00Z",["s3"]]' ]]
    # What is no event before the first one that is due is passed.
    others_write signals 2026-02-06 '' damaged "$(signal s7 2026-02-06T10:00:00Z)"
    by_time 2026-02-05T11:00:00Z s6
    loop '' -n 0
    expect_next 2026-02-03=2 2026-02-04=2 2026-02-05=2 2026-02-06=2
}

# ---- --next

@test "--next: with -n past the last line printed, later partitions unchanged, earlier ones always with a position" {
    { signal a 2026-02-02T10:00:00Z source='"other"'; signal s1 2026-02-03T10:00:00Z; signal x 2026-02-03T11:00:00Z source='"other"'; } | store
    { signal s2 2026-02-04T10:00:00Z; signal s3 2026-02-04T11:00:00Z; signal s4 2026-02-05T10:00:00Z; } | store
    due 's1 s2' -n 2 --next=n --source=social.feed
    expect_next 2026-02-02=1 2026-02-03=2 2026-02-04=1
    due 's1' -n 1 --next=n --source=social.feed
    expect_next 2026-02-02=1 2026-02-03=1
}

@test "--next: without a stop the end of each partition, damaged lines and those that no filter wanted included" {
    six
    others_append signals 2026-02-04 'no event'
    due 's1 s2 s3 s4 s5 s6' --next=n
    [[ $status == 3 ]]
    expect_next 2026-02-03=2 2026-02-04=3 2026-02-05=2
    checkpoint advance w --to=n
    loop ''
    [[ $status == 0 ]]
    others_append signals 2026-02-04 'no event either' ''
    run_split replay --checkpoint=w --next=n --skip-damaged
    expect_status 0
    expect_out
    expect_err_like '2026-02-04\.jsonl:4:'
    checkpoint advance w --to=n
    loop ''
    expect_err
}

@test "--next: a partition ends before the blank lines after its last event or damaged line" {
    others_write signals 2026-02-03 "$(signal s1 2026-02-03T10:00:00Z)"$'\r' '' $' \t\r' "$(printf '%5000s' '')" ''
    others_write signals 2026-02-04 '' "$(signal s2 2026-02-04T10:00:00Z)" '' 'no event' ''
    others_write signals 2026-02-05 '' ' '
    due 's1 s2' --next=n
    expect_next 2026-02-03=1 2026-02-04=4 2026-02-05=0
    checkpoint advance w --to=n
    [[ $(checkpoint list --format=table | cut -f 4) == 0 ]]
    others_append signals 2026-02-03 "$(signal s3 2026-02-03T11:00:00Z)" ''
    others_append signals 2026-02-05 "$(signal s4 2026-02-05T10:00:00Z)"
    for index in '' --no-index; do
        # shellcheck disable=SC2086 # may be empty
        due 's3 s4' --next=n $index
        expect_err
        expect_next 2026-02-03=6 2026-02-04=4 2026-02-05=3
    done
    checkpoint reset later --to=2026-02-06
    [[ $(checkpoint read later | jq -c '.positions | map_values(.offset)') == $(jq -c '.positions | map_values(.offset)' n) ]]
}

@test "--next with -n: damage past the stop is neither passed nor reported" {
    others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" 'no event' "$(signal s2 2026-02-05T11:00:00Z)"
    loop s1 -n 1
    [[ $status == 0 ]]
    expect_err
    loop s2 -n 1
    [[ $status == 3 ]]
}

@test "--since that begins with the last instant of a day leaves that instant due" {
    { signal s1 2026-02-04T23:59:59.999998Z; signal s2 2026-02-04T23:59:59.999999Z; signal s3 2026-02-05T10:00:00Z; } | store
    due 's2 s3' --since=2026-02-04T23:59:59.999999Z --next=n
    expect_next 2026-02-04=2 2026-02-05=1
}

@test "--next is not written where only the last lines could not be" {
    for i in {10..29}; do signal "s$i" "2026-02-03T10:00:${i}Z"; done | store
    signal last 2026-02-05T10:00:00Z | store
    replay --count
    status=0
    prlimit --fsize="$(stored signals 2026-02-03 | wc -c)" metaspn-replay -C ws -q --checkpoint=w --next=n >got 2>"$err" || status=$?
    expect_status 5
    expect_same ws/store/signals/2026-02-03.jsonl got
    [[ ! -e n ]]
}

@test "--next: last_timestamp is the greatest that was printed, with its ids" {
    others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T12:00:00Z)" "$(signal s3 2026-02-05T11:00:00Z)" "$(signal s4 2026-02-05T12:00:00.0Z)"
    last() { jq -c '[.last_timestamp,.seen_ids_at_timestamp]' n; }
    loop '' -n 0
    [[ $(last) == '["0001-01-01T00:00:00Z",[]]' ]]
    loop s1 -n 1
    [[ $(last) == '["2026-02-05T10:00:00Z",["s1"]]' ]]
    loop 's2 s3' -n 2
    [[ $(last) == '["2026-02-05T12:00:00Z",["s2"]]' ]]
    loop s4
    [[ $(last) == '["2026-02-05T12:00:00Z",["s2","s4"]]' ]]
    signal late 2026-02-04T10:00:00Z | store
    loop late
    [[ $(last) == '["2026-02-05T12:00:00Z",["s2","s4"]]' ]]
    # an ordered day as a whole, which is handed on in blocks
    given "$(signal s5 2026-02-06T10:00:00Z)" "$(signal s6 2026-02-06T11:00:00Z)" "$(signal s7 2026-02-06T11:00:00Z)"
    loop 's5 s6 s7'
    [[ $(last) == '["2026-02-06T11:00:00Z",["s6","s7"]]' ]]
    # and one that is not in order
    given "$(signal s8 2026-02-07T12:00:00Z)" "$(signal s9 2026-02-07T10:00:00Z)" "$(signal s10 2026-02-07T11:00:00Z)"
    loop 's8 s9 s10'
    [[ $(last) == '["2026-02-07T12:00:00Z",["s8"]]' ]]
}

@test "--next: the document, as the original reads it, with other members kept" {
    signal s1 2026-02-05T10:00:00Z | store
    echo '{"last_timestamp":"2026-02-01T00:00:00Z","positions":{},"z":1.50,"schema_version":"7"}' >c
    replay --checkpoint-file=c --next=n >/dev/null
    grep -Exq '\{"kind":"signals","last_timestamp":"2026-02-05T10:00:00Z","positions":\{"2026-02-05":\{"hash":"[0-9a-f]{16}","offset":[0-9]+\}\},"schema_version":"7","seen_ids_at_timestamp":\["s1"\],"z":1\.50\}' n
}

@test "--next: an empty store, and a file that is replaced" {
    mkdir -p ws/store/signals
    run_split replay -q --checkpoint=w --next=n
    expect_status 0
    expect_file n '{"kind":"signals","last_timestamp":"0001-01-01T00:00:00Z","positions":{},"schema_version":"0.1","seen_ids_at_timestamp":[]}'
    checkpoint advance w --to=n
    six
    replay --checkpoint=w --next=n | wc -l | grep -qx 6
    replay --checkpoint-file=n --next=n | wc -l | grep -qx 0
    [[ -z $(find . -name '.tmp*') ]]
}

@test "--next: replaced only when all lines are out" {
    six
    echo old >n
    run_split bash -c "exec metaspn-replay -q -C '$ws' --checkpoint=w --next=n >/dev/full"
    expect_status 5
    expect_file n old
    run_without_reader metaspn-replay -q -C "$ws" --checkpoint=w --next=n
    [[ $status == 141 ]]
    expect_file n old
}

@test "--next: past no line of a day that is written anew in place while nobody reads what was printed" {
    local full line
    others_write signals 2026-02-05 "$(signal a1 2026-02-05T10:00:00Z)" "$(signal a2 2026-02-05T11:00:00Z)"
    mkfifo pipe
    exec {full}<>pipe
    head -c 65536 /dev/zero >pipe
    metaspn-replay -q -C ws --checkpoint=w --next=n -n 1 >pipe 3>&- &
    background=$!
    for _ in {1..500}; do
        ! sleeps "$background" || break
        sleep 0.02
    done
    others_write signals 2026-02-05 "$(signal b1 2026-02-05T10:00:00Z)" "$(signal b2 2026-02-05T11:00:00Z)"
    head -c 65536 <&"$full" >zeros
    wait "$background"
    background=
    read -r -u "$full" line
    exec {full}<&-
    [[ $line == *'"a1"'* ]]
    checkpoint advance w --to=n
    due 'b1 b2'
}

@test "--next: not on exit 5" {
    six
    echo old >n
    mkdir ws/store/signals/2026-02-06.jsonl
    run_split replay -q --checkpoint=w --next=n
    expect_status 5
    expect_file n old
}

@test "--next: something else than a regular file is exit 5, before anything is printed; a missing folder is exit 5" {
    six
    mkfifo fifo
    ln -s somewhere link
    mkdir folder
    for file in fifo link folder; do
        run_split replay -q --checkpoint=w --next="$file"
        expect_status 5
        expect_out
        expect_err_like 'is not a regular file'
    done
    run_split replay -q --checkpoint=w --next=missing/n
    expect_status 5
}
