#!/usr/bin/env bats
# Another program takes a file away for a moment, between two system calls of a reader, and puts it back; or writes it anew
# in place, so that for a moment it is empty; or one call fails. At each moment that there is.
# (For writers: unlocked.bats.)

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash
load helper

setup()
{
    fresh_workspace
    needs_strace
    export ws=ws
    mkdir -p ws/store/signals
    {
        signal a1 2026-02-03T10:00:00Z
        signal a3 2026-02-03T12:00:00Z
        signal a2 2026-02-03T11:00:00Z
    } >ws/store/signals/2026-02-03.jsonl
    {
        signal b1 2026-02-04T10:00:00Z
        signal b2 2026-02-04T11:00:00Z
        signal b1 2026-02-04T12:00:00Z
    } >ws/store/signals/2026-02-04.jsonl
    {
        signal c1 2026-02-05T10:00:00Z
        signal c2 2026-02-05T11:00:00Z
    } >ws/store/signals/2026-02-05.jsonl
    signal c3 2026-02-05T10:30:00Z | tr -d '\n' >>ws/store/signals/2026-02-05.jsonl
}

# fail N CALL:FAULT COMMAND ...: runs it with the N-th such call on the signals failing; false: there are not so many
fail()
{
    local signals=$PWD/ws/store/signals
    run_split strace -qq -o trace -P "$signals" -P "$signals/2026-02-03.jsonl" -P "$signals/2026-02-04.jsonl" \
        -P "$signals/2026-02-05.jsonl" -e trace="${2%%:*}" -e inject="$2:when=$1" "${@:3}"
    [[ $(<trace) == *INJECTED* ]]
}

# has ID ...: each of these stands in `lines`; once ID ...: and no more than once
has()
{
    local id
    for id; do
        [[ $(<lines) == *"\"signal_id\":\"$id\""* ]] || {
            echo "$id is not there: $(ids_of lines)"
            return 1
        }
    done
}

once()
{
    local id
    has "$@"
    for id; do
        [[ $(grep -c "\"signal_id\":\"$id\"" lines) == 1 ]] || {
            echo "$id is there more than once: $(ids_of lines)"
            return 1
        }
    done
}

# eventually ID ...: these come to stand in `lines` before the follower ends
eventually()
{
    local id missing=yes
    while [[ $missing ]]; do
        missing=
        for id; do
            [[ $(<lines) == *"\"signal_id\":\"$id\""* ]] || missing=$id
        done
        [[ $missing ]] || return 0
        [[ -d /proc/$follower && $((SECONDS - begun)) -lt 60 ]] || break
        sleep 0.01
    done
    [[ ! -d /proc/$follower ]] || has "$@"
}

# follow N CALL:FAULT OPTION ...: follows with the N-th such call failing, while c4 is appended; false: there are not so
# many
follow()
{
    local signals=$PWD/ws/store/signals follower begun=$SECONDS lost=
    cp -R ws/store/signals before
    : >lines
    # By env, for the signal must not go to the shell of a function (helper.bash).
    env ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" strace -D -qq -o trace -P "$signals" -P "$signals/2026-02-03.jsonl" -P "$signals/2026-02-04.jsonl" \
        -P "$signals/2026-02-05.jsonl" -e trace="${2%%:*}" -e inject="$2:when=$1" \
        metaspn-replay -q -C ws --follow "${@:3}" >lines 2>"$err" 3>&- &
    follower=$!
    eventually b2 c3 || lost=yes
    { echo; signal c4 2026-02-05T12:00:00Z; } >>ws/store/signals/2026-02-05.jsonl
    eventually b2 c1 c2 c3 c4 || lost=yes
    kill "$follower" 2>/dev/null || true
    wait "$follower" || true
    rm -r ws/store/signals
    mv before ws/store/signals
    [[ ! $lost ]] || exit 1
    [[ $(<trace) == *INJECTED* ]]
}

readonly gone=openat2:error=ENOENT cut=pread64:retval=0

@test "a day that is moved away for a moment is printed as a whole, or not at all" {
    local n options index
    for index in '' --no-index; do
        metaspn-replay -C ws --count >"$out"
        for options in '' -r --order=append --source=social.feed; do
            for n in {1..40}; do
                # shellcheck disable=SC2086 # words
                fail "$n" $gone metaspn-replay -C ws $index $options || break
                [[ $status == 5 ]] && continue
                expect_status 0
                [[ $(grep -c '"a[123]"' "$out") == [03] && $(grep -c '"c[123]"' "$out") == [03] ]]
                [[ $options || $(ids_of "$out") != *'c2 c3'* ]]
            done
            ((n > 3 && n < 40))
        done
    done
}

@test "a day that is moved away between the look and the reading is no exit 1" {
    local n day
    metaspn-replay -C ws --count >"$out"
    for n in {1..40}; do
        for day in ws/store/signals/*; do # which changes what the index knows of them, but for their bytes
            mv "$day" away
            mv away "$day"
        done
        fail "$n" $gone metaspn-replay -C ws --count || break
        [[ $status == 0 || $status == 5 ]]
    done
    ((n > 3 && n < 40))
}

@test "a first record that is away when its line is to be printed is no exit 1" {
    local n
    signal c1 2026-02-05T10:00:00Z >event
    metaspn-write -q -C ws event
    for n in {1..40}; do
        fail "$n" $gone metaspn-write -q -C ws --print=all event || break
        [[ $status == 0 || $status == 5 ]]
        [[ $status == 5 ]] || expect_same event "$out"
    done
    ((n > 3 && n < 40))
}

@test "a line that cannot be read for a moment does not make a copy the first record of its id" {
    local n options
    metaspn-replay -C ws >whole
    for options in '' -r --since=2026-02-04; do
        # shellcheck disable=SC2086 # words
        metaspn-replay -C ws $options >whole
        for n in {1..40}; do
            # shellcheck disable=SC2086 # words
            fail "$n" pread64:error=EIO metaspn-replay -C ws $options || break
            [[ $status == 5 ]] || expect_same whole "$out"
        done
        ((n > 3 && n < 40))
    done
}

@test "--count: repeats of a day that has gone are no events" {
    local n
    signal b1 2026-02-04T12:00:00Z >>ws/store/signals/2026-02-04.jsonl
    rm ws/store/signals/2026-02-0[35].jsonl
    metaspn-replay -C ws --count >"$out"
    expect_out 2
    for n in {1..20}; do
        fail "$n" $gone metaspn-replay -C ws --count || break
        [[ $status != 0 || $(<"$out") != 4 ]]
    done
    ((n > 2 && n < 20))
}

@test "--next passes nothing that was not printed: a day that is away, or empty, for a moment" {
    local n fault old
    for old in 0001-01-01T00:00:00Z 2026-02-04T10:00:00Z; do
        echo '{"last_timestamp":"'$old'","schema_version":"0.1","seen_ids_at_timestamp":[]}' >old
        for fault in $gone $cut; do
            for options in '' -n2; do
                for n in {1..60}; do
                    rm -rf next ws/store/index
                    # shellcheck disable=SC2086 # words
                    fail "$n" "$fault" metaspn-replay -C ws --checkpoint-file=old --next=next $options || break
                    [[ $status == 0 ]] || continue
                    cp "$out" lines
                    metaspn-replay -q -C ws --checkpoint-file=next >>lines
                    has b2 c1 c2 c3
                done
                ((n > 3 && n < 60))
            done
        done
    done
}

@test "a position is kept while its day is away for a moment" {
    local n
    metaspn-replay -q -C ws --checkpoint-file=none --next=old -n 4 >before
    for n in {1..40}; do
        rm -rf next ws/store/index
        fail "$n" $gone metaspn-replay -C ws --checkpoint-file=old --next=next || break
        [[ $status == 0 ]] || continue
        expect_err
        cat before "$out" >lines
        metaspn-replay -C ws --checkpoint-file=next >>lines 2>"$err"
        expect_err
        once a1 a2 a3 b2 c1 c2 c3
    done
    ((n > 3 && n < 40))
}

@test "advance: a checkpoint without positions gets none past events of a day that is away, or empty, for a moment" {
    local n fault
    for fault in $gone $cut; do
        for n in {1..80}; do
            rm -rf ws/store/index ws/store/checkpoints
            mkdir ws/store/checkpoints
            echo '{"last_timestamp":"2026-02-04T10:00:00Z","schema_version":"0.1","seen_ids_at_timestamp":["b1"]}' \
                >ws/store/checkpoints/w.json
            metaspn-replay -q -C ws --checkpoint=w -n 1 >lines
            fail "$n" "$fault" metaspn-checkpoint -C ws advance w lines || break
            metaspn-replay -q -C ws --checkpoint=w >>lines
            has c1 c2 c3
        done
        ((n > 3 && n < 80))
    done
}

@test "reset: no later than asked for, where the day is away for a moment" {
    local n
    metaspn-replay -q -C ws --checkpoint-file=none --next=next >all
    for n in {1..60}; do
        rm -rf ws/store/index ws/store/checkpoints
        metaspn-checkpoint -C ws advance w --to=next
        fail "$n" $gone metaspn-checkpoint -C ws reset w --to=2026-02-04T10:30:00Z || break
        [[ $status == 0 ]] || continue
        metaspn-replay -q -C ws --checkpoint=w >lines
        has b2 c1 c2 c3
    done
    ((n > 3 && n < 60))
}

@test "--follow loses nothing of a day that is away, or empty, for a moment" {
    local n fault options
    for options in --since=2026-02-03 --checkpoint=none; do
        for fault in $gone $cut; do
            for n in {1..60}; do
                rm -rf ws/store/index
                follow "$n" "$fault" "$options" || break
            done
            ((n > 3 && n < 60))
        done
    done
}

# replaced N COMMAND ...: runs it; just before it opens the day in the middle for the N-th time that becomes another file,
# with one event more. False: it is not opened so often.
replaced()
{
    local day=ws/store/signals/2026-02-04.jsonl
    cp middle "$day"
    metaspn-replay -C ws --count >"$out"
    { cat middle; signal b3 2026-02-04T13:00:00Z; } >other
    run_split timeout 20 env LD_PRELOAD="$PWD/replaced.so" REPLACED="$day" REPLACED_BY=other REPLACED_AT="${day##*/}" \
        REPLACED_READ="$1" "${@:2}"
    [[ ! -e other ]]
}

@test "a day that is replaced between the look and the reading is not left out" {
    local n options
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "not under $METASPN_TESTED_UNDER"
    cc -D_GNU_SOURCE -shared -fPIC -o replaced.so "$BATS_TEST_DIRNAME/replaced.c" -ldl
    cp ws/store/signals/2026-02-04.jsonl middle
    for options in '' -r --order=append --source=social.feed --no-index --count '--checkpoint=none --next=next' '-f -n 9'; do
        for n in {1..20}; do
            # shellcheck disable=SC2086 # words
            replaced "$n" metaspn-replay -q -C ws $options || break
            expect_status 0
            if [[ $options == --count ]]; then
                [[ $(<"$out") == [89] ]]
            else
                cp "$out" lines
                once a1 a2 a3 b1 b2 c1 c2 c3
            fi
        done
        ((n > 1 && n < 20))
    done
}

@test "a day that is replaced each time when it is opened is read whole" {
    local options
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "not under $METASPN_TESTED_UNDER"
    cc -D_GNU_SOURCE -shared -fPIC -o replaced.so "$BATS_TEST_DIRNAME/replaced.c" -ldl
    cp ws/store/signals/2026-02-04.jsonl middle
    for options in '' -r --source=social.feed --tail=9 '--checkpoint=none --next=next'; do
        # shellcheck disable=SC2086 # words
        replaced each metaspn-replay -q -C ws $options || true
        expect_status 0
        cp "$out" lines
        once a1 a2 a3 b1 b2 c1 c2 c3
        rm -f next
    done
    replaced each metaspn-replay -q -C ws --count || true
    [[ $(<"$out") == [89] ]]
}

# opened COMMAND ...: the days that it opens, each as often, into `opened`
opened()
{
    run_split strace -qq -o trace -P "$PWD/ws/store/signals" -e trace=openat2 "$@"
    expect_status 0
    grep -o '2026-02-0.\.jsonl' trace >opened || true
}

@test "each day of which bytes are needed is opened once, and no other" {
    local options
    rm ws/store/signals/*
    printf '%s\n' "$(signal a 2026-02-03T10:00:00Z)" "$(signal b 2026-02-04T10:00:00Z)" "$(signal c 2026-02-05T10:00:00Z)" |
        metaspn-write -C ws
    for options in '' -r --order=append --tail=5 '--tail=2 -n 3' --source=social.feed '--checkpoint=none --next=next'; do
        # shellcheck disable=SC2086 # words
        opened metaspn-replay -q -C ws $options
        [[ $(sort opened | uniq -c | grep -c '^ *1 ') == 3 && $(wc -l <opened) == 3 ]]
    done
    opened metaspn-replay -C ws --count
    [[ ! -s opened ]]
    opened metaspn-replay -C ws --checkpoint-file=next --next=next
    [[ ! -s opened ]]
    signal late 2026-02-04T09:00:00Z | metaspn-write -C ws
    opened metaspn-replay -C ws --checkpoint-file=next --next=next
    [[ $(<opened) == 2026-02-04.jsonl ]]
}

# numbered N PAD: so many signals on one day, the last one late, each with so much more in it
numbered()
{
    local pad
    printf -v pad "%*s" "$2" ''
    seq "$1" | sed "s/.*/{\"payload\":\"$pad\",\"signal_id\":\"s&\",\"timestamp\":\"2026-02-06T10:00:00Z\"}/; \$s/T10/T09/"
}

# written_anew OPTION ...: replays into a pipe that is read when the day has been written anew in place: $status, $out
written_anew()
{
    local full emptied
    rm -f pipe
    numbered 6000 50 >ws/store/signals/2026-02-06.jsonl
    mkfifo pipe
    exec {full}<>pipe
    metaspn-replay -C ws --since=2026-02-06 "$@" >pipe 2>"$err" 3>&- {full}<&- &
    replay=$!
    for _ in {1..500}; do
        ! sleeps "$replay" || break
        sleep 0.02
    done
    numbered 6000 70 1<>ws/store/signals/2026-02-06.jsonl
    exec {emptied}<pipe {full}<&-
    cat <&"$emptied" >"$out" 3>&- &
    reader=$!
    exec {emptied}<&-
}

# The lines that came are whole ones, of either time.
expect_whole_lines()
{
    [[ $(grep -cvxE '\{"payload":" *","signal_id":"s[0-9]+","timestamp":"2026-02-06T(10|09):00:00Z"\}' "$out") == 0 ]]
}

@test "a day that is written anew in place while it is printed: whole lines, and exit 5" {
    local options replay reader
    for options in '' --reverse --tail=5999 '--checkpoint=none --next=next' --order=append; do
        # shellcheck disable=SC2086 # words
        written_anew $options
        status=0
        wait "$replay" || status=$?
        wait "$reader"
        expect_status 5
        expect_err_like 'signals/2026-02-06.jsonl: was cut, or written anew, while it was read$'
        expect_whole_lines
        [[ ! -e next ]]
    done
}

@test "--follow: a day that is written anew in place while it is printed comes from its start" {
    local replay reader
    written_anew -q --follow
    for _ in {1..500}; do
        [[ $(tail -n 1 "$out") != *'"s6000"'* ]] || break
        sleep 0.02
    done
    kill "$replay"
    wait "$reader"
    [[ ! -s $err ]]
    expect_whole_lines
    tail -n 6000 "$out" | cmp - <(numbered 6000 70)
}
