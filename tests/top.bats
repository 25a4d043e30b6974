#!/usr/bin/env bats
# metaspn-top.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash
load helper

top()
{
    metaspn-top -C "$ws" "$@"
}

# ids OPTION ...: the ids of a ranking, best first, in one line
ids()
{
    top "$@" | jq -r .signal_id | paste -sd' '
}

# scored ID TIME SCORE [ENTITY [NAME=JSON ...]]
scored()
{
    local refs='[]'
    [[ -z ${4:-} ]] || refs="[{\"ref_type\":\"h\",\"value\":\"$4\",\"platform\":\"x\"},{\"ref_type\":\"h\",\"value\":\"second\"}]"
    signal "$1" "$2" payload="{\"score\":$3,\"deep\":{\"er\":-$3}}" entity_refs="$refs" "${@:5}"
}

some()
{
    {
        scored s1 2026-02-03T10:00:00Z 5 alice
        scored s2 2026-02-03T11:00:00Z 7 alice source='"route.worker"'
        scored s3 2026-02-04T10:00:00Z 6.5 bob
        scored s4 2026-02-05T10:00:00Z 1e0
        scored s5 2026-02-05T11:00:00Z 1.0
        signal s6 2026-02-05T12:00:00Z
        signal s7 2026-02-05T12:00:00Z payload='{"score":"9"}'
        signal s8 2026-02-05T12:00:00Z payload='{"score":true}'
        signal s9 2026-02-05T12:00:00Z payload='[1]'
        emission e1 2026-02-05T12:00:00Z payload='{"score":99}'
    } | metaspn-write -C ws
}

@test "section 6: highest score first, one for each first-named entity; without a score left out" {
    some
    run_split top
    expect_status 0
    expect_err
    [[ $(ids) == 's2 s3 s5 s4' ]]
    expect_out "$(top --unique-by=entity)"
}

@test "section 6: --unique-by=none ranks every signal, one without an entity stands alone anyway" {
    some
    [[ $(ids --unique-by=none) == 's2 s3 s1 s5 s4' ]]
}

@test "section 6: ties by later timestamp, then by greater id by its bytes" {
    {
        scored b 2026-02-05T10:00:00Z 1
        scored a 2026-02-05T10:00:00.5Z 1.00
        scored Z 2026-02-05T10:00:00Z 10e-1
        scored b2 2026-02-05T10:00:00Z 1
        scored é 2026-02-05T10:00:00Z 1
    } | metaspn-write -C ws
    [[ $(ids) == 'a é b2 b Z' ]]
}

@test "section 6: scores are compared as doubles" {
    {
        scored low 2026-02-05T10:00:00Z 9007199254740992
        scored same 2026-02-05T11:00:00Z 9007199254740993
        scored high 2026-02-05T09:00:00Z 1e300
        scored over 2026-02-05T09:00:00Z 1e999
        signal under 2026-02-05T09:00:00Z payload='{"score":-1e999}'
    } | metaspn-write -C ws
    [[ $(ids) == 'over high same low under' ]]
}

@test "section 6: -n, 25 by default, 0 is none" {
    for i in {1..30}; do
        scored "s$i" 2026-02-05T10:00:00Z "$i"
    done | metaspn-write -C ws
    [[ $(top | wc -l) == 25 ]]
    [[ $(ids -n 2) == 's30 s29' ]]
    [[ $(top --limit=40 | wc -l) == 30 ]]
    run_split top -n 0
    expect_status 0
    expect_out
}

@test "section 6: --score-field, dotted" {
    some
    [[ $(ids --score-field=deep.er) == 's5 s4 s1 s3' ]]
    [[ $(ids --score-field=deep) == '' ]]
    run_split top --score-field=a..b
    expect_status 2
    run_split top --score-field=a..b --missing-score=1
    expect_status 2
}

@test "section 6: --missing-score is for payloads that are objects without that member" {
    some
    [[ $(ids --missing-score=6.6 -n 3) == 's2 s6 s3' ]]
    [[ $(ids --missing-score=0) == 's2 s3 s5 s4 s6' ]]
    [[ $(ids --missing-score=0 --score-field=deep.er) == 's8 s7 s6 s5 s4 s1 s3' ]]
    for wrong in x '' 1. NaN Infinity 0x1 '"1"'; do
        run_split top --missing-score="$wrong"
        expect_status 2
        grep -qxF "metaspn-top: --missing-score: not a JSON number: \"$wrong\"" "$err"
    done
}

@test "section 6: the stored lines, byte for byte" {
    others_write signals 2026-02-05 '{ "signal_id":"a", "timestamp":"20260205T100000Z","payload":{"score":2.50} }' \
        '{"timestamp":"2026-02-05T11:00:00Z","signal_id":"b","payload":{"sc\u006fre":3}}'
    printf '%s' '{"signal_id":"c","timestamp":"2026-02-05T10:00:00Z","payload":{"score":1}}' >>ws/store/signals/2026-02-05.jsonl
    for options in '' --no-index; do
        # shellcheck disable=SC2086 # may be empty
        run_split top $options
        expect_status 0
        expect_file "$out" '{"timestamp":"2026-02-05T11:00:00Z","signal_id":"b","payload":{"sc\u006fre":3}}' \
            '{ "signal_id":"a", "timestamp":"20260205T100000Z","payload":{"score":2.50} }' \
            '{"signal_id":"c","timestamp":"2026-02-05T10:00:00Z","payload":{"score":1}}'
    done
}

@test "section 6: the first record of an id is ranked, its copies are not" {
    others_write signals 2026-02-04 "$(scored s1 2026-02-04T10:00:00Z 1)"
    others_write signals 2026-02-05 "$(scored s1 2026-02-05T10:00:00Z 9)"
    [[ $(top | jq .payload.score) == 1 ]]
    [[ $(ids --day=2026-02-05) == '' ]]
}

@test "section 6: all filters of replay but kind, caused-by and checkpoints" {
    some
    [[ $(ids --day=2026-02-03) == 's2' ]]
    [[ $(ids --since=2026-02-04 --until=2026-02-05T10:00:00Z) == 's3 s4' ]]
    [[ $(ids --source=route.worker) == 's2' ]]
    [[ $(ids --stage=route) == 's2' ]]
    [[ $(ids --type=PostSeen -n 1) == 's2' ]]
    [[ $(ids --entity=h:bob) == 's3' ]]
    [[ $(ids --id=s1 --id=s4) == 's1 s4' ]]
    [[ $(ids --where=score=1) == 's5 s4' ]]
    [[ $(ids --resolved) == 's2 s3' ]]
    [[ $(ids --unresolved) == 's5 s4' ]]
    for wrong in --kind=signals '-k signals' --caused-by=s1 --checkpoint=w --checkpoint-file=f --next=n --reverse \
        --unique-by=id --format=csv --limit=x '--day=today --since=today' operand; do
        # shellcheck disable=SC2086 # several words
        run_split top $wrong
        expect_status 2
        expect_out
        expect_err_like "^Try 'metaspn-top --help'\.$"
    done
}

@test "section 6: an entity is type, platform and value, whatever its label, in both shapes" {
    {
        signal s1 2026-02-05T10:00:00Z payload='{"score":1}' entity_refs='[{"ref_type":"h","value":"a","platform":"x","label":"A"}]'
        signal s2 2026-02-05T10:00:00Z payload='{"score":2}' entity_refs='[{"kind":"h","identifier":"a","platform":"x"}]'
        signal s3 2026-02-05T10:00:00Z payload='{"score":3}' entity_refs='[{"kind":"h","identifier":"a","platform":"y"}]'
        signal s4 2026-02-05T10:00:00Z payload='{"score":4}' entity_refs='[{"kind":"h","identifier":"a"}]'
        signal s5 2026-02-05T10:00:00Z payload='{"score":5}' entity_refs='[{"kind":"H","identifier":"a"}]'
    } | metaspn-write -C ws
    [[ $(ids) == 's5 s4 s3 s2' ]]
}

@test "section 6: an entity whose value is a number is one, too" {
    {
        signal s1 2026-02-05T10:00:00Z payload='{"score":1}' entity_refs='[{"kind":"user","identifier":7}]'
        signal s2 2026-02-05T10:00:00Z payload='{"score":2}' entity_refs='[{"kind":"user","identifier":7}]'
        signal s3 2026-02-05T10:00:00Z payload='{"score":3}' entity_refs='[{"kind":"user","identifier":"7"}]'
        signal s4 2026-02-05T10:00:00Z payload='{"score":4}' entity_refs='[{"kind":"user","identifier":null}]'
        signal s5 2026-02-05T10:00:00Z payload='{"score":5}' entity_refs='[{"kind":"user"}]'
    } | metaspn-write -C ws
    [[ $(ids) == 's5 s4 s3 s2' ]]
}

@test "section 6: --format=digest is ready for metaspn-snapshot" {
    some
    run_split top --format=digest -n 2
    expect_out '{"top_candidates":["s2","s3"]}'
    run_split top --format=digest -n 0
    expect_out '{"top_candidates":[]}'
    top --format=digest | metaspn-snapshot -C ws write digest --day=today
    [[ $(metaspn-snapshot -C ws read digest --day=today | jq -c .digest) == '{"top_candidates":["s2","s3","s5","s4"]}' ]]
}

@test "section 5: --format=table has the score before the payload" {
    some
    run_split top --format=table -n 1
    expect_out $'2026-02-03T11:00:00Z\tS\tPostSeen\troute.worker\th:alice +1\ts2\t7\t{"deep":{"er":-7},"score":7}'
}

@test "section 3: --format=table shows each score as it was written" {
    mkdir -p ws/store/signals
    {
        scored s1 2026-02-05T10:00:00Z 1e400
        scored s2 2026-02-05T10:00:00Z 9007199254740993
        scored s3 2026-02-05T10:00:00Z 0.40
        signal s4 2026-02-05T10:00:00Z payload='{"score":7,"score":0.4e-1}'
        signal s5 2026-02-05T10:00:00Z payload='{}'
        signal s6 2026-02-05T10:00:00Z payload='{"score":-0}'
    } >ws/store/signals/2026-02-05.jsonl
    top --format=table --missing-score=10e-3 | cut -f 6,7 >got
    expect_file got $'s1\t1e400' $'s2\t9007199254740993' $'s3\t0.40' $'s4\t0.4e-1' $'s5\t10e-3' $'s6\t-0'
}

@test "section 8: damage is named, the others are ranked, exit 3; 0 with --skip-damaged" {
    some
    others_append signals 2026-02-04 garbage
    others_append signals 2026-02-04 "$(scored s10 2026-02-04T10:00:00Z 8)"
    for options in '' --no-index; do
        # shellcheck disable=SC2086 # may be empty
        run_split top -n 1 $options
        expect_status 3
        expect_out "$(scored s10 2026-02-04T10:00:00Z 8)"
        expect_err_like '^metaspn-top: .*signals/2026-02-04\.jsonl:2:[0-9]+: '
    done
    run_split top -n 1 --skip-damaged
    expect_status 0
}

@test "section 2: no store is exit 5; an empty one is done" {
    run_split top
    expect_status 5
    mkdir ws/store
    run_split top
    expect_status 0
    expect_out
}

@test "section 5: an operand is refused, quoted" {
    run_split top $'a\tb'
    expect_status 2
    expect_err 'metaspn-top: there are no operands: "a\x09b"' "Try 'metaspn-top --help'."
}

@test "section 5: output that cannot be written is exit 5" {
    some
    status=0
    top >/dev/full 2>"$err" || status=$?
    expect_status 5
}
