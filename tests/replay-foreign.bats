#!/usr/bin/env bats
# metaspn-replay of files that other programs write, too: repeated ids, unusual lines, damage.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load replaying

# expect_ids 'ID ...': what was printed, by the ids alone
expect_ids()
{
    [[ $(ids_of "$out") == "$1" ]]
}

# ---- section 6: an id is one event

@test "section 6: of an id that occurs more than once only the first record is replayed, by lowest date and position" {
    others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z source='"second"')" "$(signal s2 2026-02-05T11:00:00Z)" \
        "$(signal s2 2026-02-05T12:00:00Z)"
    others_write signals 2026-02-04 "$(signal s1 2026-02-04T10:00:00Z source='"first"')"
    others_write emissions 2026-02-03 "$(emission s1 2026-02-03T10:00:00Z)"
    for options in '' --no-index; do
        # shellcheck disable=SC2086 # may be empty
        [[ $(ids $options) == 's1 s2' ]]
        [[ $(replay --id=s1 $options | jq -r .source) == first ]]
        [[ $(replay --count $options) == 2 ]]
        [[ $(ids --since=2026-02-05T12:00:00Z $options) == '' ]]
        [[ $(ids -k all $options) == 's1 s1 s2' ]]
    done
}

@test "section 6: an open last line stands in its place in time, inside the window or outside it" {
    others_write signals 2026-02-05 "$(signal b 2026-02-05T11:00:00Z)" "$(signal c 2026-02-05T12:00:00Z)"
    printf '%s' "$(signal a 2026-02-05T10:00:00Z)" >>ws/store/signals/2026-02-05.jsonl
    for _ in 1 2; do
        [[ $(ids) == 'a b c' && $(ids --reverse) == 'c b a' ]]
        [[ $(ids --until=2026-02-05T11:00:00Z) == 'a b' ]]
    done
    others_write signals 2026-02-05 "$(signal b 2026-02-05T11:00:00Z)" "$(signal c 2026-02-05T12:00:00Z)"
    printf '%s' "$(signal d 2026-02-05T13:00:00Z)" >>ws/store/signals/2026-02-05.jsonl
    for _ in 1 2; do
        [[ $(ids --until=2026-02-05T11:00:00Z) == b && $(ids --since=2026-02-05T12:30:00Z) == d ]]
        [[ $(ids --until=2026-02-05T12:00:00Z --reverse) == 'c b' ]]
    done
}

@test "section 6: filters look at the first record alone" {
    others_write signals 2026-02-04 "$(signal s1 2026-02-04T10:00:00Z source='"first"')"
    others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z source='"second"')"
    [[ $(ids --source=second) == '' ]]
    [[ $(ids --day=2026-02-05) == '' ]]
    [[ $(ids --source=second --no-index) == '' ]]
}

@test "section 6: an id is the same however it is spelled" {
    others_write signals 2026-02-04 "$(signal s1 2026-02-04T10:00:00Z)"
    others_write signals 2026-02-05 '{"timestamp":"2026-02-05T10:00:00Z","signal\u005fid":"\u00731"}'
    [[ $(replay --count) == 1 ]]
    [[ $(replay --count --id=s1) == 1 ]]
}

@test "section 6: a repeated id on a last line without newline is not printed" {
    others_write signals 2026-02-04 "$(signal s1 2026-02-04T10:00:00Z)"
    printf '%s' "$(signal s1 2026-02-05T10:00:00Z)" >ws/store/signals/2026-02-05.jsonl
    [[ $(replay --count) == 1 ]]
    printf '%s' "$(signal s2 2026-02-05T10:00:00Z)" >ws/store/signals/2026-02-05.jsonl
    [[ $(ids) == 's1 s2' ]]
    # Behind lines that the index knows, too.
    others_write signals 2026-02-05 "$(signal s2 2026-02-05T10:00:00Z)" "$(signal s3 2026-02-05T11:00:00Z)"
    printf '%s' "$(signal s2 2026-02-05T12:00:00Z)" >>ws/store/signals/2026-02-05.jsonl
    for _ in 1 2; do
        [[ $(ids) == 's1 s2 s3' ]]
        [[ $(ids --reverse) == 's3 s2 s1' ]]
        [[ $(ids --reverse --source=social.feed) == 's3 s2 s1' ]]
        [[ $(ids --reverse --order=append) == 's3 s2 s1' ]]
    done
}

@test "section 6: a last line without newline that copies an event of a later day is its first record" {
    others_write signals 2026-02-04 "$(signal s1 2026-02-04T10:00:00Z)"
    others_write signals 2026-02-05 "$(signal s2 2026-02-05T10:00:00Z)" "$(signal s3 2026-02-05T11:00:00Z)"
    others_write signals 2026-02-06 "$(signal s2 2026-02-06T10:00:00Z)"
    [[ $(replay --count) == 3 ]] # the index knows them
    printf '%s' "$(signal s2 2026-02-04T11:00:00Z)" >>ws/store/signals/2026-02-04.jsonl
    for option in '' --no-index; do
        [[ $(ids $option) == 's1 s2 s3' ]]
        [[ $(ids $option --reverse) == 's3 s2 s1' ]]
        [[ $(ids $option --day=2026-02-05) == 's3' ]]
        [[ $(replay $option --count) == 3 ]]
        [[ $(replay $option -q --checkpoint=w --count) == 3 ]]
    done
    echo >>ws/store/signals/2026-02-04.jsonl
    [[ $(ids) == 's1 s2 s3' ]]
}

# ---- section 2: others write here too

@test "section 2: what other programs append, add, rewrite or remove is seen at once" {
    three_days
    [[ $(replay --count) == 5 ]]
    others_append signals 2026-02-05 "$(signal s6 2026-02-05T09:00:00Z)"
    [[ $(ids --day=2026-02-05) == 's6 s4 s5' ]]
    others_write signals 2026-02-01 "$(signal s7 2026-02-01T09:00:00Z)"
    [[ $(ids -n 1) == 's7' ]]
    others_write signals 2026-02-04 "$(signal s8 2026-02-04T09:00:00Z)"
    [[ $(ids --day=2026-02-04) == 's8' ]]
    rm ws/store/signals/2026-02-03.jsonl
    [[ $(ids) == 's7 s8 s6 s4 s5' ]]
    [[ $(ids --no-index) == 's7 s8 s6 s4 s5' ]]
}

@test "section 2: files that are no partitions are no one's business" {
    three_days
    touch ws/store/signals/{README,2026-02-05.jsonl~,2026-13-01.jsonl,2026-2-5.jsonl}
    echo garbage >ws/store/signals/2026-02-05.json
    run_split replay --count
    expect_status 0
    expect_out 5
    expect_err
}

@test "section 2: a link, a FIFO or a folder in the place of a partition is exit 5, naming it" {
    three_days
    mkfifo ws/store/signals/2026-02-06.jsonl
    run_split replay
    expect_status 5
    expect_err_like 'signals/2026-02-06\.jsonl'
    rm ws/store/signals/2026-02-06.jsonl
    ln -s 2026-02-05.jsonl ws/store/signals/2026-02-06.jsonl
    run_split replay
    expect_status 5
    expect_err_like 'signals/2026-02-06\.jsonl'
    rm ws/store/signals/2026-02-06.jsonl
    mkdir ws/store/signals/2026-02-06.jsonl
    run_split replay
    expect_status 5
}

@test "section 2: without, with an old and with a damaged index the answers are the same" {
    three_days
    others_append signals 2026-02-04 "$(signal s0 2026-02-04T01:00:00Z)"
    replay --kind=all >want
    cp -r ws/store/index old
    signal s9 2026-02-06T01:00:00Z | tee -a want >>ws/store/signals/2026-02-06.jsonl
    replay --kind=all >/dev/null
    rm -r ws/store/index
    replay --kind=all >got
    expect_same want got
    rm -r ws/store/index
    cp -r old ws/store/index
    replay --kind=all >got
    expect_same want got
    for file in ws/store/index/*; do
        head -c 100 /dev/urandom >"$file"
        replay --kind=all -q >got
        expect_same want got
    done
}

# ---- section 3: what stands in the store already

@test "section 3: blank lines are no damage, CR is white space, NaN and other timestamp forms are let through" {
    others_write signals 2026-02-05 '' '  ' $'\r' '{"signal_id":"a","timestamp":"2026-02-05T10:00:00Z","payload":NaN}' \
        '{"signal_id":"b","timestamp":"20260205T110000Z"}'$'\r' '{"signal_id":"c","timestamp":"2026-02-05T13:00:00+01:00","timestamp":"2026-02-05T12:00:00"}'
    run_split replay
    expect_status 0
    expect_err
    expect_file "$out" '{"signal_id":"a","timestamp":"2026-02-05T10:00:00Z","payload":NaN}' '{"signal_id":"b","timestamp":"20260205T110000Z"}'$'\r' \
        '{"signal_id":"c","timestamp":"2026-02-05T13:00:00+01:00","timestamp":"2026-02-05T12:00:00"}'
    [[ $(replay --count) == 3 ]]
    [[ $(replay -r | tac | cmp - "$out" && echo same) == same ]]
}

# ---- section 8: damage

@test "section 8: a damaged line is named with file, line and byte, the rest is delivered, exit 3" {
    others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" 'garbage' '{"signal_id":"x"}' "$(signal s2 2026-02-05T11:00:00Z)"
    length=$(signal s1 2026-02-05T10:00:00Z | wc -c)
    for options in '' --no-index --order=append --reverse --source=social.feed; do
        # shellcheck disable=SC2086 # may be empty
        run_split replay $options
        expect_status 3
        [[ $(wc -l <"$out") == 2 ]]
        expect_err_like "^metaspn-replay: $ws/store/signals/2026-02-05.jsonl:2:$length: "
        expect_err_like "^metaspn-replay: $ws/store/signals/2026-02-05.jsonl:3:$((length + 8)): "
        [[ $(wc -l <"$err") == 2 ]]
    done
    run_split replay --count
    expect_status 3
    expect_out 2
}

@test "section 8: damage after the last line that is printed is not met, whatever the format" {
    local last format options
    for last in $'\n' ''; do
        others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" garbage "$(signal s2 2026-02-05T11:00:00Z)"
        printf '%s%s' "$(signal s3 2026-02-05T12:00:00Z)" "$last" >>"$ws/store/signals/2026-02-05.jsonl"
        for format in jsonl table; do
            for options in -n1 '-n1 --source=social.feed' '-n1 --order=append' '-r -n1' '-r -n2' --tail=1 --tail=2 '--tail=1 --count'; do
                # shellcheck disable=SC2086 # words
                run_split replay --format=$format $options
                expect_status 0
                expect_err
            done
            for options in -n2 '-r -n3' --tail=3 '--tail=3 --count' '-r -n3 --count'; do
                # shellcheck disable=SC2086 # words
                run_split replay --format=$format $options
                expect_status 3
                [[ $(wc -l <"$err") == 1 ]]
            done
        done
    done
}

# events DAY PREFIX COUNT FILLER
events()
{
    local i
    for ((i = 0; i < $3; i++)); do
        printf '{"payload":{"p":"%s"},"payload_type":"T","signal_id":"%s%d","source":"s","timestamp":"%sT10:%02d:%02dZ"}\n' \
            "$4" "$2" "$i" "$1" $((i / 60)) $((i % 60))
    done
}

@test "a day that is replaced while an earlier one is printed is read as it is then, or as it was found" {
    local options in replay filler first
    filler=$(printf '%0400d' 0)
    mkdir -p ws/store/signals
    events 2026-02-05 a 2000 "$filler" >ws/store/signals/2026-02-05.jsonl # more than a pipe and a block hold
    events 2026-02-06 b 10 short >old
    { events 2026-02-06 c 20 longer | tac; echo damaged; } >new
    mkfifo pipe
    for options in '' --no-index --order=append --source=s '-k all' --tail=2005; do
        cp old ws/store/signals/2026-02-06.jsonl
        cp new next
        # shellcheck disable=SC2086 # words
        metaspn-replay -C ws $options >pipe 2>"$err" 3>&- &
        replay=$!
        exec {in}<pipe
        IFS= read -r first <&"$in"
        mv next ws/store/signals/2026-02-06.jsonl
        cat <&"$in" >rest
        { echo "$first"; cat rest; } >"$out"
        exec {in}<&-
        status=0
        wait "$replay" || status=$?
        if [[ $options == --tail* ]]; then
            expect_status 0
            expect_err
            { tail -n 1995 ws/store/signals/2026-02-05.jsonl; cat old; } | expect_same - "$out"
        else
            expect_status 3
            expect_err_like "^metaspn-replay: ws/store/signals/2026-02-06.jsonl:21:"
            { cat ws/store/signals/2026-02-05.jsonl; grep c new | grep -v damaged; } | sort | expect_same - <(sort "$out")
            [[ $options == --order* ]] || [[ $(tail -n 1 "$out") == *'"signal_id":"c19"'* ]]
        fi
    done
}

@test "an event whose line ends in CR LF, which came later, is printed once" {
    mkdir -p ws/store/signals
    signal a 2026-02-05T10:00:00Z | tr -d '\n' >ws/store/signals/2026-02-05.jsonl
    metaspn-replay -C ws --checkpoint=w --next=n -q >"$out"
    expect_out "$(signal a 2026-02-05T10:00:00Z)"
    metaspn-checkpoint -C ws advance w --to=n
    printf ' \r\n' >>ws/store/signals/2026-02-05.jsonl
    run_split metaspn-replay -C ws --checkpoint=w --next=n
    expect_status 0
    expect_out
    expect_err
    others_append signals 2026-02-05 "$(signal b 2026-02-05T11:00:00Z)"
    run_split metaspn-replay -C ws --checkpoint=w
    expect_out "$(signal b 2026-02-05T11:00:00Z)"
    expect_err
}

@test "section 8: --skip-damaged names damage too, and exits with 0" {
    others_write signals 2026-02-05 'garbage' "$(signal s2 2026-02-05T11:00:00Z)"
    run_split replay --skip-damaged
    expect_status 0
    expect_out "$(signal s2 2026-02-05T11:00:00Z)"
    expect_err_like '2026-02-05.jsonl:1:0: '
}

@test "section 8: damage in a partition outside the window is not met" {
    others_write signals 2026-02-05 'garbage' "$(signal s2 2026-02-05T11:00:00Z)"
    others_write signals 2026-02-04 "$(signal s1 2026-02-04T11:00:00Z)"
    run_split replay --until=2026-02-04
    expect_status 0
    expect_err
}

@test "section 8: damage is met where the day is in the window, whatever the times around it" {
    others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T11:00:00Z)" damaged
    for options in --no-index '' '' --reverse; do
        run_split replay --until=2026-02-05T10:30:00Z $options
        expect_status 3
        expect_err_like '2026-02-05.jsonl:3:'
        [[ $(jq -r .signal_id "$out") == s1 ]]
    done
}

@test "section 8: damage whose bytes lie in quarantine is a note, exit 0" {
    three_days
    printf '{"signal_id":"torn","timest' >>ws/store/signals/2026-02-05.jsonl
    exec {open}<ws/store/signals/2026-02-05.jsonl # so that the writer cannot cut it off
    signal s6 2026-02-05T13:00:00Z | metaspn-write -C ws
    exec {open}<&-
    run_split replay
    expect_status 0
    [[ $(wc -l <"$out") == 6 ]]
    expect_err_like '^metaspn-replay: note: .*2026-02-05\.jsonl:3:[0-9]*: '
    run_split replay -q
    expect_status 0
    expect_err
}

@test "section 8: damage is known wherever its bytes were copied from" {
    others_write signals 2026-02-05 garbage "$(signal s1 2026-02-05T10:00:00Z)"
    metaspn-fsck -C ws --repair >/dev/null || true
    others_write signals 2026-02-06 garbage "$(signal s2 2026-02-06T10:00:00Z)"
    others_write emissions 2026-02-05 "$(emission e1 2026-02-05T10:00:00Z)" garbage "$(emission e2 2026-02-05T11:00:00Z)"
    for _ in first second; do
        run_split replay --kind=all
        expect_status 0
        [[ $(wc -l <"$out") == 4 && $(grep -c '^metaspn-replay: note: ' "$err") == 3 ]]
    done
    run_split metaspn-fsck -C ws
    expect_status 0
    others_write signals 2026-02-07 'garbage ' # other bytes
    run_split replay --kind=all
    expect_status 3
    for copy in ws/store/quarantine/*; do echo other >"$copy"; done # no copy, whatever its name says
    run_split replay --kind=emissions
    expect_status 3
}

@test "section 8: a fragment and zero bytes at the end are not written yet: a note, exit 0" {
    three_days
    for tail in '{"signal_id":"s6","timestamp":"2026-02-05T13:00:00Z"' '\0\0\0\0' 'x'; do
        cp ws/store/signals/2026-02-05.jsonl kept
        # shellcheck disable=SC2059 # zeros
        printf "$tail" >>ws/store/signals/2026-02-05.jsonl
        for options in '' --no-index --reverse; do
            # shellcheck disable=SC2086 # may be empty
            run_split replay $options
            expect_status 0
            [[ $(wc -l <"$out") == 5 ]]
            expect_err_like '^metaspn-replay: note: .*2026-02-05\.jsonl'
        done
        cp kept ws/store/signals/2026-02-05.jsonl
    done
}

@test "section 8: damage is named though the index says where the event that is asked for stands" {
    others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T11:00:00Z payload="\"$(printf '%050000d' 7)\"")" \
        garbage "$(signal s3 2026-02-05T12:00:00Z)"
    replay --skip-damaged -q --count >"$out"
    run_split replay --id=s1
    expect_status 3
    expect_out "$(signal s1 2026-02-05T10:00:00Z)"
    expect_err_like '2026-02-05\.jsonl:3:'
}

@test "section 8: damage at the start of a partition, and nothing but damage, backward too" {
    others_write signals 2026-02-04 garbage
    others_write signals 2026-02-05 garbage "$(signal s1 2026-02-05T10:00:00Z)"
    for options in '' --reverse '--reverse --order=append' --tail=9; do
        # shellcheck disable=SC2086 # may be empty
        run_split replay $options
        expect_status 3
        expect_out "$(signal s1 2026-02-05T10:00:00Z)"
        expect_err_like "^metaspn-replay: $ws/store/signals/2026-02-04.jsonl:1:0: "
        expect_err_like "^metaspn-replay: $ws/store/signals/2026-02-05.jsonl:1:0: "
        [[ $(wc -l <"$err") == 2 ]]
    done
}

@test "section 8: a record in the wrong day's file needs both days in the window, and is told of once" {
    others_write signals 2026-02-04 "$(signal s1 2026-02-04T10:00:00Z)" "$(signal s2 2026-02-05T10:00:00Z)" "$(signal s3 2026-02-05T11:00:00Z)"
    others_write signals 2026-02-05 "$(signal s4 2026-02-05T10:00:00Z)" "$(signal s5 2026-02-04T12:00:00Z)"
    run_split replay
    expect_status 0
    expect_ids 's1 s2 s3 s5 s4'
    expect_err "metaspn-replay: warning: $ws/store/signals/2026-02-04.jsonl: holds events of other days"
    for options in '' --no-index; do
        # shellcheck disable=SC2086 # may be empty
        [[ $(ids --day=2026-02-05 $options 2>/dev/null) == 's4' ]]
        # shellcheck disable=SC2086
        [[ $(ids --day=2026-02-04 $options 2>/dev/null) == 's1' ]]
        # shellcheck disable=SC2086
        [[ $(ids --since=2026-02-04 --until=2026-02-05 $options 2>/dev/null) == 's1 s2 s3 s5 s4' ]]
    done
}

@test "section 8: records of another day alone are told of too, and where they are only counted" {
    others_write signals 2026-02-04 "$(signal s1 2026-02-05T10:00:00Z)"
    for options in --count --day=2026-02-04 --until=2026-02-04T12:00:00Z '--day=2026-02-04 --count' '--id=s2 --count'; do
        for index in '' --no-index; do
            # shellcheck disable=SC2086
            run_split replay $options $index
            expect_status 0
            expect_err "metaspn-replay: warning: $ws/store/signals/2026-02-04.jsonl: holds events of other days"
        done
    done
    run_split replay --day=2026-02-05
    expect_err
}

@test "section 8: a record of another day on a last line without newline is told of with line and byte" {
    others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" ''
    printf %s "$(signal s2 2026-02-04T12:00:00Z)" >>ws/store/signals/2026-02-05.jsonl
    run_split replay
    expect_status 0
    expect_err "metaspn-replay: warning: $ws/store/signals/2026-02-05.jsonl:3:$(signal s1 2026-02-05T10:00:00Z | wc -c | awk '{print $1 + 1}'): an event of another day: 2026-02-04T12:00:00Z"
}
