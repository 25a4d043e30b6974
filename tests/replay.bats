#!/usr/bin/env bats
# metaspn-replay, but for checkpoints (checkpoint.bats) and --follow (follow.bats).

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash
load helper

replay()
{
    metaspn-replay -C "$ws" "$@"
}

# lay KIND DAY LINE ...: a partition as another program may have left it
lay()
{
    local kind=$1 day=$2
    shift 2
    mkdir -p "ws/store/$kind"
    printf '%s\n' "$@" >"ws/store/$kind/$day.jsonl"
}

# expect_ids 'ID ...': what was printed, by the ids alone
expect_ids()
{
    [[ $(ids_of "$out") == "$1" ]]
}

# ids OPTION ...: runs a replay that must succeed and shows the ids in one line
ids()
{
    replay "$@" >replayed || true
    ids_of replayed
}

# A store of three days and both kinds, in the order of time.
three_days()
{
    {
        signal s1 2026-02-03T10:00:00Z source='"ingest"' entity_refs='[{"ref_type":"handle","value":"alice","platform":"x"}]'
        signal s2 2026-02-03T11:00:00Z source='"ingest.social"' payload_type='"EntityResolved"'
        signal s3 2026-02-04T10:00:00Z source='"route"' payload='{"status":"READY","n":1.0}'
        signal s4 2026-02-05T10:00:00Z source='"ingester"' entity_refs='[{"kind":"handle","identifier":"bob","platform":"x"}]'
        signal s5 2026-02-05T10:00:00.5Z payload='{"status":"DONE","n":2,"deep":{"er":[1],"on":true}}'
        emission e1 2026-02-03T10:30:00Z caused_by='"s1"'
        emission e2 2026-02-05T10:00:00Z caused_by='"s4"' emission_type='"Sent"'
    } | metaspn-write -C ws
}

# ---- section 6: what is printed

@test "section 6: stored lines, byte for byte, and a last line without newline gets one" {
    lay signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" '{ "timestamp" : "2026-02-05T11:00:00+00:00", "signal_id":"s\u0032" }'$'\r'
    printf '%s' "$(signal s3 2026-02-05T12:00:00Z)" >>ws/store/signals/2026-02-05.jsonl
    cp ws/store/signals/2026-02-05.jsonl want
    echo >>want
    run_split replay
    expect_status 0
    expect_same want "$out"
    expect_err
    for options in --no-index --reverse --tail=3 --order=append '--id=s3' '-n 3'; do
        # shellcheck disable=SC2086 # several words
        replay $options >got
        [[ $(tail -c 1 got | od -An -tx1) == ' 0a' ]]
    done
}

@test "section 6: finding nothing is done" {
    three_days
    run_split replay --id=nobody
    expect_status 0
    expect_out
    expect_err
    rm -r ws/store/signals
    run_split replay
    expect_status 0
    expect_out
}

@test "section 2: a workspace without store is exit 5 with its path" {
    run_split replay
    expect_status 5
    expect_err_like "^metaspn-replay: $ws(/store)?: "
    [[ ! -e ws/store ]]
    run_split metaspn-replay -C nowhere
    expect_status 5
    expect_err_like '^metaspn-replay: nowhere'
}

@test "section 6: --kind, and its default: emissions with --caused-by, else signals" {
    three_days
    [[ $(ids) == 's1 s2 s3 s4 s5' ]]
    [[ $(ids -k emissions) == 'e1 e2' ]]
    [[ $(ids --kind=signals) == 's1 s2 s3 s4 s5' ]]
    [[ $(ids --caused-by=s4) == 'e2' ]]
    [[ $(ids --caused-by=s4 --kind=signals) == '' ]]
    [[ $(ids -k all --caused-by=s4 --caused-by=s1) == 'e1 e2' ]]
}

@test "section 6: --kind=all merges by time, signals first at equal timestamps; on each day with --order=append" {
    three_days
    [[ $(ids -k all) == 's1 e1 s2 s3 s4 e2 s5' ]]
    [[ $(ids -k all --order=append) == 's1 s2 e1 s3 s4 s5 e2' ]]
    [[ $(ids -k all -r) == 's5 e2 s4 s3 s2 e1 s1' ]]
    [[ $(ids -k all -r --order=append) == 'e2 s5 s4 s3 e1 s2 s1' ]]
}

@test "section 6: replay of all kinds copies a store" {
    three_days
    mkdir copy
    replay --kind=all | metaspn-write -C copy
    diff -r ws/store copy/store -x index -x lock
}

# ---- section 6: filters

@test "section 6: --since and --until are both included, a day stands for its first and last instant" {
    three_days
    [[ $(ids --since=2026-02-03T11:00:00Z --until=2026-02-05T10:00:00Z) == 's2 s3 s4' ]]
    [[ $(ids -S 2026-02-04 -U 2026-02-04) == 's3' ]]
    [[ $(ids --since=2026-02-05T10:00:00.000001Z) == 's5' ]]
    [[ $(ids --until=2026-02-03T10:59:59.999999Z) == 's1' ]]
    [[ $(ids --since=2026-02-06) == '' ]]
    [[ $(ids --day=today) == 's4 s5' ]]
    [[ $(ids --day=2026-02-03) == 's1 s2' ]]
    [[ $(ids --since=-1d) == 's4 s5' ]]
}

@test "section 6: a window of one instant, the first or the last of a day" {
    for time in 2026-02-04T23:59:59.999999Z 2026-02-05T00:00:00Z 2026-02-05T00:00:00.000001Z; do
        signal "$time" "$time"
    done | metaspn-write -C ws
    for options in '' --no-index --reverse --count; do
        for time in 2026-02-04T23:59:59.999999Z 2026-02-05T00:00:00Z; do
            run_split metaspn-replay -C ws --since=$time --until=$time $options
            [[ $(wc -l <"$out") == 1 ]]
            [[ $options == --count ]] && expect_out 1 || grep -q "\"signal_id\":\"$time\"" "$out"
        done
    done
}

@test "section 6: of --since, --until, --day and --limit the last one counts" {
    three_days
    [[ $(ids --since=2026-02-05 --since=2026-02-04 --limit=1 --limit=2) == 's3 s4' ]]
    [[ $(ids --day=2026-02-05 --day=2026-02-03) == 's1 s2' ]]
    [[ $(ids --tail=1 --tail=2) == 's4 s5' ]]
}

@test "section 6: --source, --type, --stage and --id are any-of and match exactly" {
    three_days
    [[ $(ids --source=ingest) == 's1' ]]
    [[ $(ids --source=ingest --source=route) == 's1 s3' ]]
    [[ $(ids --stage=ingest) == 's1 s2' ]]
    [[ $(ids --stage=ingest --stage=route) == 's1 s2 s3' ]]
    [[ $(ids --type=EntityResolved) == 's2' ]]
    [[ $(ids -k all --type=Sent --type=EntityResolved) == 's2 e2' ]]
    [[ $(ids --id=s5 --id=s1) == 's1 s5' ]]
    [[ $(ids --source=ingest --type=EntityResolved) == '' ]]
}

@test "section 6: source and stage match no emission" {
    lay emissions 2026-02-05 "$(emission e1 2026-02-05T10:00:00Z source='"ingest"')"
    [[ $(ids -k all --source=ingest) == '' ]]
    [[ $(ids -k emissions --stage=ingest) == '' ]]
}

@test "section 6: --entity as TYPE:VALUE and as an object, for both shapes of reference" {
    three_days
    [[ $(ids --entity=handle:alice) == 's1' ]]
    [[ $(ids --entity=handle:bob) == 's4' ]]
    [[ $(ids --entity=handle:bob --entity=handle:alice) == 's1 s4' ]]
    [[ $(ids --entity='{"ref_type":"handle","identifier":"bob"}') == 's4' ]]
    [[ $(ids --entity='{"platform":"x"}') == 's1 s4' ]]
    [[ $(ids --entity='{"platform":"x","label":null,"value":"alice"}') == 's1' ]]
    [[ $(ids --entity='{"platform":null}') == '' ]]
    run_split replay --entity=nocolon
    expect_status 2
}

@test "section 6: --where compares numbers as decimals, several of one path are any-of, different paths must all hold" {
    three_days
    [[ $(ids --where=n=1) == 's1 s2 s3 s4' ]]
    [[ $(ids --where=n=1.00 --where=status=READY) == 's3' ]]
    [[ $(ids --where=status=READY --where=status=DONE) == 's3 s5' ]]
    [[ $(ids --where=deep.on=true) == 's5' ]]
    [[ $(ids --where=deep.er=1) == '' ]]
    [[ $(ids --where=absent=null) == '' ]]
    run_split replay --where=nothing
    expect_status 2
}

@test "section 6: --resolved and --unresolved" {
    three_days
    [[ $(ids --resolved) == 's1 s2 s4' ]]
    [[ $(ids --unresolved) == 's3 s5' ]]
}

# ---- section 6: order

@test "section 6: within a partition ascending timestamps, equal ones as they lie; --order=append as they lie" {
    lay signals 2026-02-05 "$(signal f 2026-02-05T10:00:00Z)" "$(signal b 2026-02-05T12:00:00Z)" "$(signal a 2026-02-05T10:00:00.5Z)" \
        "$(signal d 2026-02-05T10:00:00Z)" "$(signal c 2026-02-05T12:00:00Z)" "$(signal e 2026-02-05T10:00:00Z)"
    lay signals 2026-02-04 "$(signal z 2026-02-04T23:00:00Z)"
    [[ $(ids) == 'z f d e a b c' ]]
    [[ $(ids -r) == 'c b a e d f z' ]]
    [[ $(ids --order=append) == 'z f b a d c e' ]]
    [[ $(ids --order=append --reverse) == 'e c d a b f z' ]]
}

@test "section 6: --limit is the first N in that order, 0 is none" {
    three_days
    [[ $(ids -n 2) == 's1 s2' ]]
    [[ $(ids -n 2 -r) == 's5 s4' ]]
    [[ $(ids -n 99) == 's1 s2 s3 s4 s5' ]]
    run_split replay -n 0
    expect_status 0
    expect_out
}

@test "section 6: --tail is the last N, in that order; of the first N where there is a limit" {
    three_days
    [[ $(ids --tail=2) == 's4 s5' ]]
    [[ $(ids --tail=2 -r) == 's2 s1' ]]
    [[ $(ids --tail=99) == 's1 s2 s3 s4 s5' ]]
    [[ $(ids --tail=2 -n 3) == 's2 s3' ]]
    [[ $(ids --tail=2 --kind=all --order=append) == 's5 e2' ]]
    run_split replay --tail=0
    expect_status 0
    expect_out
}

@test "section 6: --count prints only the number" {
    three_days
    run_split replay --count
    expect_out 5
    run_split replay --count --kind=all
    expect_out 7
    run_split replay --count --stage=ingest
    expect_out 2
    run_split replay --count --since=2026-02-04T11:00:00Z
    expect_out 2
    run_split replay --count -n 3
    expect_out 3
    run_split replay --count --tail=1
    expect_out 1
    run_split replay --count --id=nobody
    expect_out 0
}

# ---- section 6: an id is one event

@test "section 6: of an id that occurs more than once only the first record is replayed, by lowest date and position" {
    lay signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z source='"second"')" "$(signal s2 2026-02-05T11:00:00Z)" \
        "$(signal s2 2026-02-05T12:00:00Z)"
    lay signals 2026-02-04 "$(signal s1 2026-02-04T10:00:00Z source='"first"')"
    lay emissions 2026-02-03 "$(emission s1 2026-02-03T10:00:00Z)"
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
    lay signals 2026-02-05 "$(signal b 2026-02-05T11:00:00Z)" "$(signal c 2026-02-05T12:00:00Z)"
    printf '%s' "$(signal a 2026-02-05T10:00:00Z)" >>ws/store/signals/2026-02-05.jsonl
    for _ in 1 2; do
        [[ $(ids) == 'a b c' && $(ids --reverse) == 'c b a' ]]
        [[ $(ids --until=2026-02-05T11:00:00Z) == 'a b' ]]
    done
    lay signals 2026-02-05 "$(signal b 2026-02-05T11:00:00Z)" "$(signal c 2026-02-05T12:00:00Z)"
    printf '%s' "$(signal d 2026-02-05T13:00:00Z)" >>ws/store/signals/2026-02-05.jsonl
    for _ in 1 2; do
        [[ $(ids --until=2026-02-05T11:00:00Z) == b && $(ids --since=2026-02-05T12:30:00Z) == d ]]
        [[ $(ids --until=2026-02-05T12:00:00Z --reverse) == 'c b' ]]
    done
}

@test "section 6: filters look at the first record alone" {
    lay signals 2026-02-04 "$(signal s1 2026-02-04T10:00:00Z source='"first"')"
    lay signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z source='"second"')"
    [[ $(ids --source=second) == '' ]]
    [[ $(ids --day=2026-02-05) == '' ]]
    [[ $(ids --source=second --no-index) == '' ]]
}

@test "section 6: an id is the same however it is spelled" {
    lay signals 2026-02-04 "$(signal s1 2026-02-04T10:00:00Z)"
    lay signals 2026-02-05 '{"timestamp":"2026-02-05T10:00:00Z","signal\u005fid":"\u00731"}'
    [[ $(replay --count) == 1 ]]
    [[ $(replay --count --id=s1) == 1 ]]
}

@test "section 6: a repeated id on a last line without newline is not printed" {
    lay signals 2026-02-04 "$(signal s1 2026-02-04T10:00:00Z)"
    printf '%s' "$(signal s1 2026-02-05T10:00:00Z)" >ws/store/signals/2026-02-05.jsonl
    [[ $(replay --count) == 1 ]]
    printf '%s' "$(signal s2 2026-02-05T10:00:00Z)" >ws/store/signals/2026-02-05.jsonl
    [[ $(ids) == 's1 s2' ]]
    # Behind lines that the index knows, too.
    lay signals 2026-02-05 "$(signal s2 2026-02-05T10:00:00Z)" "$(signal s3 2026-02-05T11:00:00Z)"
    printf '%s' "$(signal s2 2026-02-05T12:00:00Z)" >>ws/store/signals/2026-02-05.jsonl
    for _ in 1 2; do
        [[ $(ids) == 's1 s2 s3' ]]
        [[ $(ids --reverse) == 's3 s2 s1' ]]
        [[ $(ids --reverse --source=social.feed) == 's3 s2 s1' ]]
        [[ $(ids --reverse --order=append) == 's3 s2 s1' ]]
    done
}

@test "section 6: a last line without newline that copies an event of a later day is its first record" {
    lay signals 2026-02-04 "$(signal s1 2026-02-04T10:00:00Z)"
    lay signals 2026-02-05 "$(signal s2 2026-02-05T10:00:00Z)" "$(signal s3 2026-02-05T11:00:00Z)"
    lay signals 2026-02-06 "$(signal s2 2026-02-06T10:00:00Z)"
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
    signal s6 2026-02-05T09:00:00Z >>ws/store/signals/2026-02-05.jsonl
    [[ $(ids --day=2026-02-05) == 's6 s4 s5' ]]
    lay signals 2026-02-01 "$(signal s7 2026-02-01T09:00:00Z)"
    [[ $(ids -n 1) == 's7' ]]
    lay signals 2026-02-04 "$(signal s8 2026-02-04T09:00:00Z)"
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
    signal s0 2026-02-04T01:00:00Z >>ws/store/signals/2026-02-04.jsonl
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
    lay signals 2026-02-05 '' '  ' $'\r' '{"signal_id":"a","timestamp":"2026-02-05T10:00:00Z","payload":NaN}' \
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
    lay signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" 'garbage' '{"signal_id":"x"}' "$(signal s2 2026-02-05T11:00:00Z)"
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

@test "section 8: damage behind the last line that is printed is not met, whatever the format" {
    local last format options
    for last in $'\n' ''; do
        lay signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" garbage "$(signal s2 2026-02-05T11:00:00Z)"
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

@test "a day that is replaced while an earlier one is printed is read as it is then, or not at all" {
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
            expect_status 5
            expect_err "metaspn-replay: ws/store/signals/2026-02-06.jsonl: was replaced, or has gone, while it was read"
            tail -n 1995 ws/store/signals/2026-02-05.jsonl | expect_same - "$out"
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
    signal b 2026-02-05T11:00:00Z >>ws/store/signals/2026-02-05.jsonl
    run_split metaspn-replay -C ws --checkpoint=w
    expect_out "$(signal b 2026-02-05T11:00:00Z)"
    expect_err
}

@test "section 8: --skip-damaged names damage too, and exits with 0" {
    lay signals 2026-02-05 'garbage' "$(signal s2 2026-02-05T11:00:00Z)"
    run_split replay --skip-damaged
    expect_status 0
    expect_out "$(signal s2 2026-02-05T11:00:00Z)"
    expect_err_like '2026-02-05.jsonl:1:0: '
}

@test "section 8: damage in a partition outside the window is not met" {
    lay signals 2026-02-05 'garbage' "$(signal s2 2026-02-05T11:00:00Z)"
    lay signals 2026-02-04 "$(signal s1 2026-02-04T11:00:00Z)"
    run_split replay --until=2026-02-04
    expect_status 0
    expect_err
}

@test "section 8: damage is met where the day is in the window, whatever the times around it" {
    lay signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T11:00:00Z)" damaged
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
    lay signals 2026-02-05 garbage "$(signal s1 2026-02-05T10:00:00Z)"
    metaspn-fsck -C ws --repair >/dev/null || true
    lay signals 2026-02-06 garbage "$(signal s2 2026-02-06T10:00:00Z)"
    lay emissions 2026-02-05 "$(emission e1 2026-02-05T10:00:00Z)" garbage "$(emission e2 2026-02-05T11:00:00Z)"
    for _ in first second; do
        run_split replay --kind=all
        expect_status 0
        [[ $(wc -l <"$out") == 4 && $(grep -c '^metaspn-replay: note: ' "$err") == 3 ]]
    done
    run_split metaspn-fsck -C ws
    expect_status 0
    lay signals 2026-02-07 'garbage ' # other bytes
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
    lay signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T11:00:00Z payload="\"$(printf '%050000d' 7)\"")" \
        garbage "$(signal s3 2026-02-05T12:00:00Z)"
    replay --skip-damaged -q --count >"$out"
    run_split replay --id=s1
    expect_status 3
    expect_out "$(signal s1 2026-02-05T10:00:00Z)"
    expect_err_like '2026-02-05\.jsonl:3:'
}

@test "section 8: damage at the start of a partition, and nothing but damage, backward too" {
    lay signals 2026-02-04 garbage
    lay signals 2026-02-05 garbage "$(signal s1 2026-02-05T10:00:00Z)"
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
    lay signals 2026-02-04 "$(signal s1 2026-02-04T10:00:00Z)" "$(signal s2 2026-02-05T10:00:00Z)" "$(signal s3 2026-02-05T11:00:00Z)"
    lay signals 2026-02-05 "$(signal s4 2026-02-05T10:00:00Z)" "$(signal s5 2026-02-04T12:00:00Z)"
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
    lay signals 2026-02-04 "$(signal s1 2026-02-05T10:00:00Z)"
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
    lay signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" ''
    printf %s "$(signal s2 2026-02-04T12:00:00Z)" >>ws/store/signals/2026-02-05.jsonl
    run_split replay
    expect_status 0
    expect_err "metaspn-replay: warning: $ws/store/signals/2026-02-05.jsonl:3:$(signal s1 2026-02-05T10:00:00Z | wc -c | awk '{print $1 + 1}'): an event of another day: 2026-02-04T12:00:00Z"
}

# ---- section 5

@test "section 5: a terminal that does not say how wide it is has 80 columns" {
    signal s1 2026-02-05T10:00:00Z payload="\"$(printf '%0200d' 7)\"" | metaspn-write -C ws
    run_split script -qec 'stty columns 0; metaspn-replay -C ws --format=table' /dev/null </dev/null
    expect_status 0
    [[ $(head -n 1 "$out" | tr -d '\r\n' | wc -m) == 80 ]]
}

@test "section 6: --format=table, a line for each event with fields separated by one tab" {
    three_days
    run_split replay --kind=all --day=2026-02-05 --format=table
    expect_status 0
    expect_out $'2026-02-05T10:00:00Z\tS\tPostSeen\tingester\thandle:bob\ts4\t{"n":1}' \
        $'2026-02-05T10:00:00Z\tE\tSent\ts4\t\te2\t{"n":1}' \
        $'2026-02-05T10:00:00.500000Z\tS\tPostSeen\tsocial.feed\t\ts5\t{"deep":{"er":[1],"on":true},"n":2,"status":"DONE"}'
    replay --kind=all --format=table --reverse | tac | cmp - <(replay --kind=all --format=table)
    replay --kind=all --format=table --tail=3 | cmp - <(replay --kind=all --format=table | tail -n 3)
}

@test "section 5: a reader that goes away ends the command by SIGPIPE" {
    three_days
    run_without_reader replay
    expect_status 141
    expect_err
}

@test "section 5: output that cannot be written is exit 5" {
    three_days
    status=0
    replay >/dev/full 2>"$err" || status=$?
    expect_status 5
    status=0
    replay --count >/dev/full 2>"$err" || status=$?
    expect_status 5
}

@test "section 6: what does not go together is exit 2, with one line and where to find help" {
    three_days
    while IFS= read -r line; do
        # shellcheck disable=SC2086 # several words
        run_split replay $line
        expect_status 2
        expect_out
        [[ $(wc -l <"$err") == 2 ]]
        expect_err_like "^Try 'metaspn-replay --help'\.$"
    done <<'END'
--day=today --since=-1d
--until=today --day=today
--since=2026-02-05 --until=2026-02-04
--resolved --unresolved
--kind=signal
--order=time
--format=json
--limit=-1
--tail=x
--nothing
--follow --reverse
--follow --count
--follow --order=append
--follow --until=today
--follow --tail=3 -n 3
--entity=
--where==x
operand
END
}

@test "section 5: an operand is refused, quoted" {
    run_split replay $'a\tb'
    expect_status 2
    expect_err 'metaspn-replay: there are no operands: "a\x09b"' "Try 'metaspn-replay --help'."
}

@test "section 5: a shortened option that may mean several is refused, naming them" {
    run_split replay --un=today
    expect_status 2
    expect_out
    expect_err "metaspn-replay: option '--un' may mean --until, --unresolved" "Try 'metaspn-replay --help'."
}

# ---- the same answers by every way

# A store that nobody has been kind to: disordered, repeated, misfiled, spelled oddly.
unkind_store()
{
    local i day at RANDOM=42
    for day in 03 04 05; do
        for i in {1..60}; do
            printf -v at '%02d:%02d' $((i / 3)) $((RANDOM % 60))
            signal "s$((RANDOM % 150))" "2026-02-${day}T$at:00Z" \
                source="\"src$((RANDOM % 3))\"" payload="{\"n\":$((RANDOM % 4))}" \
                entity_refs="[{\"kind\":\"h\",\"identifier\":\"v$((RANDOM % 5))\",\"platform\":null}]"
        done >>"$BATS_TEST_TMPDIR/$day"
        lay signals "2026-02-$day" "$(sed "s/social/soci\\\\u0061l/;\$a\\  " "$BATS_TEST_TMPDIR/$day")"
        lay emissions "2026-02-$day" "$(emission "e$day" "2026-02-${day}T05:00:00Z")" "$(emission e "2026-02-${day}T04:00:00Z")"
    done
    signal misfiled 2026-02-03T01:00:00Z >>ws/store/signals/2026-02-05.jsonl
}

# gives WANTED OPTION ...
gives()
{
    local text
    replay "${@:2}" >got
    text_of got text && [[ $text == "$1" ]] && return
    printf 'replay %s:\n' "${*:2}"
    diff <(printf %s "$1") got
}

@test "section 6: --reverse is tac of forward, --count its lines, --tail its tail, --no-index the same, for every filter" {
    unkind_store
    local line i lines turned tail
    while IFS= read -r line; do
        # shellcheck disable=SC2086 # several words
        set -- -q $line
        replay "$@" >forward
        mapfile lines <forward
        turned=()
        for ((i = ${#lines[@]}; i > 0; i--)); do turned+=("${lines[i - 1]}"); done
        tail=("${lines[@]:${#lines[@]} > 7 ? ${#lines[@]} - 7 : 0}")
        local IFS=
        gives "${turned[*]}" "$@" -r
        gives "${lines[*]}" "$@" --no-index
        gives "${turned[*]}" "$@" --no-index --reverse
        gives "${lines[*]:0:7}" "$@" -n 7
        gives "${turned[*]:0:7}" "$@" -n 7 -r
        gives "${tail[*]}" "$@" --tail=7
        gives "${#lines[@]}"$'\n' "$@" --count
        unset IFS
        echo "$line: ${#lines[@]}"
    done <<'END'

--order=append
--kind=all
--kind=all --order=append
--kind=emissions
--source=src1
--source=src1 --source=src2 --order=append
--stage=src0
--entity=h:v3
--entity={"platform":null,"value":"v1"} --where=n=2
--where=n=1 --where=n=3
--resolved
--unresolved --kind=all
--id=s1 --id=s2 --id=misfiled
--since=2026-02-03T07:00:00Z --until=2026-02-05T03:00:00Z
--day=2026-02-04 --entity=h:v2 --kind=all
END
}

@test "section 6: --reverse -n and --tail do not read the whole store" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "not under $METASPN_TESTED_UNDER" # which reads, too, or bears no strace
    type strace >/dev/null 2>&1 || skip 'strace is not installed'
    local i
    for i in {1..9}; do
        signal "big$i" "2026-02-0${i}T10:00:00Z" payload="\"$(head -c 300000 /dev/zero | tr '\0' x)\""
    done | metaspn-write -C ws
    for i in {1..30}; do
        signal "s$i" "2026-02-09T11:00:$(printf %02d "$i")Z"
    done | metaspn-write -C ws
    for options in '-r -n 20' --tail=20 '--source=social.feed -r -n 20' '--id=s7 -r -n 1'; do
        # shellcheck disable=SC2086 # several words
        strace -f -e trace=pread64,read -o trace metaspn-replay -C ws $options >"$out"
        read_bytes=$(grep -oE '= [0-9]+$' trace | awk '{n += $2} END {print n}')
        [[ $read_bytes -lt 600000 ]] || {
            echo "$options: $read_bytes bytes"
            return 1
        }
    done
}
