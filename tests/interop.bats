#!/usr/bin/env bats
# Beside other programs: what they wrote is read as widely as section 3 says, and they can read what is written here.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing

# others_wrote LINE ...: the only partition.
others_wrote()
{
    rm -rf ws/store
    others_write signals 2026-02-05 "$@"
}

# is_event LINE: read as an event, printed byte for byte, a duplicate's first record, and no finding.
is_event()
{
    others_wrote "$1"
    run_split metaspn-replay -C ws
    expect_status 0
    expect_out "$1"
    run_split metaspn-fsck -C ws -q
    expect_status 0
    run_split store -q --print=path <<<"$(signal s1 2026-02-06T10:00:00Z)"
    expect_out "$day"
}

# is_damage LINE: named, not printed, not repaired, hides nothing.
is_damage()
{
    others_wrote "$1" "$(signal good 2026-02-05T10:00:00Z)"
    run_split metaspn-replay -C ws
    expect_status 3
    expect_out "$(signal good 2026-02-05T10:00:00Z)"
    expect_err_like "$day:1:0: "
    run_split store --print=result <<<"$(signal s1 2026-02-05T10:00:00Z)"
    [[ $(jq -r .status "$out") == appended ]]
    [[ $(stored signals | head -n 1) == "$1" ]]
}

# ---- what stands in the store already

@test "an object with an id and a timestamp is an event" {
    is_event '{"signal_id":"s1","timestamp":"2026-02-05T10:00:00Z"}'
    is_event '{"timestamp":"2026-02-05T10:00:00Z","signal_id":"s1","source":5,"payload_type":null,"entity_refs":"x","trace":[],"schema_version":""}'
    is_event ' { "signal_id" : "s1" , "timestamp" : "2026-02-05 10:00:00" } '
    is_event "$(signal s1 2026-02-05T10:00:00Z)"$'\r'
}

@test "a member that is missing or mistyped only matches no filter" {
    others_wrote '{"signal_id":"s1","timestamp":"2026-02-05T10:00:00Z","source":5,"payload_type":["PostSeen"],"entity_refs":{"ref_type":"a","value":"b"}}'
    local filter
    for filter in --source=5 --type=PostSeen --entity=a:b --stage=5 --where=n=1 --resolved; do
        run_split metaspn-replay -C ws --count "$filter"
        expect_status 0
        expect_out 0
    done
    run_split metaspn-replay -C ws --count --unresolved
    expect_out 1
}

@test "NaN and the infinities are let through" {
    is_event '{"payload":{"a":NaN,"b":[Infinity,-Infinity]},"signal_id":"s1","timestamp":"2026-02-05T10:00:00Z"}'
}

@test "of a repeated member the last counts" {
    is_event '{"signal_id":"other","timestamp":"never","timestamp":"2026-02-05T10:00:00Z","signal_id":"s1"}'
    is_event '{"signal_id":"other","\u0073ignal_id":"s1","timestamp":"2026-02-05T10:00:00Z"}'
    is_damage '{"signal_id":"s1","timestamp":"2026-02-05T10:00:00Z","signal_id":5}'
}

@test "an event may be of any depth and length" {
    local open close
    open=$(printf '[%.0s' {1..2000}) close=$(printf ']%.0s' {1..2000})
    is_event "{\"payload\":$open$close,\"signal_id\":\"s1\",\"timestamp\":\"2026-02-05T10:00:00Z\"}"
    mkdir -p ws/store/signals
    {
        printf '{"payload":"'
        head -c 17M /dev/zero | tr '\0' x
        printf '","signal_id":"long","timestamp":"2026-02-05T10:00:00Z"}\n'
    } | tee line >"$day"
    metaspn-replay -C ws | cmp - line
}

@test "raw UTF-8, escapes that nobody needs, and any number are an event's own business" {
    is_event '{"payload":"é \u0041\/ 😀","n":[1E400,0.10,-0,123456789012345678901234567890],"signal_id":"s\u0031","timestamp":"2026-02-05T10:00:00Z"}'
}

@test "timestamps are read in all the forms of Python's fromisoformat" {
    local text
    for text in 2026-02-05 20260205 2026-02-05T10 2026-02-05T10:00 2026-02-05T1000 20260205T100000 2026-02-05_10:00:00 \
        2026-02-05T10:00:00.1 2026-02-05T10:00:00,123 2026-02-05T10:00:00.123456789 2026-02-05T10:00:00+00 \
        2026-02-05T10:00:00+0530 2026-02-05T10:00:00-05:30 2026-02-05T10:00:00+01:02:03 2026-02-05T10:00:00+01:02:03.5 \
        2026-02-05T10:00:00Z; do
        is_event "$(signal s1 "$text")"
    done
    for text in '' never 2026-2-5 2026-02-30 2026-02-05T25:00:00 2026-02-05T10:00:00+25:00 2026-W06-4 2026-036; do
        is_damage "$(signal s1 "$text")"
    done
}

@test "a blank line is no damage, anything else that is no event is" {
    others_wrote '' "$(signal s1 2026-02-05T10:00:00Z)" '   ' $'\t\r' "$(signal s2 2026-02-05T10:00:00Z)"
    run_split metaspn-replay -C ws --count
    expect_status 0
    expect_out 2
    is_damage 'x'
    is_damage '[]'
    is_damage '{}'
    is_damage '{"signal_id":"s1"}'
    is_damage '{"signal_id":"","timestamp":"2026-02-05T10:00:00Z"}'
    is_damage '{"emission_id":"s1","timestamp":"2026-02-05T10:00:00Z"}'
    is_damage $'{"signal_id":"s1","timestamp":"2026-02-05T10:00:00Z","x":"\xff"}'
    is_damage '{"signal_id":"s1","timestamp":"2026-02-05T10:00:00Z",}'
    is_damage "$(signal s1 2026-02-05T10:00:00Z)$(signal s2 2026-02-05T10:00:00Z)"
}

@test "an event with both ids is one of the kind whose folder it lies in" {
    is_event '{"emission_id":"e1","signal_id":"s1","timestamp":"2026-02-05T10:00:00Z"}'
}

# ---- the producer metaspn-io

samples()
{
    cat "$BATS_TEST_DIRNAME"/data/metaspn-io/*.jsonl
}

@test "what metaspn-io writes goes in byte for byte, and goes in once" {
    samples | store
    metaspn-replay -C ws | sort >got
    samples | sort | expect_same - got
    run_split store --stats < <(samples)
    expect_err_like '^read=24 appended=0 duplicates=24 conflicts=0 invalid=0 '
    run_split metaspn-fsck -C ws
    expect_status 0
    expect_err_like '; lines: 3 out of order$'
}

@test "its references are found by --entity" {
    samples | store
    samples | grep '"identifier":"alice"' >want
    run_split metaspn-replay -C ws --entity=platform_identifier:alice
    expect_same want "$out"
    run_split metaspn-replay -C ws --entity='{"kind":"platform_identifier","identifier":"alice","platform":"twitter"}'
    expect_same want "$out"
    run_split metaspn-replay -C ws --entity='{"ref_type":"platform_identifier","value":"alice"}'
    expect_same want "$out"
}

@test "lines that it appends by itself are seen, and known" {
    samples | head -n 12 | store
    samples | tail -n 12 | jq -c . | while read -r line; do
        others_append signals "$(jq -r '.timestamp[:10]' <<<"$line")" "$line"
    done
    run_split metaspn-replay -C ws --count
    expect_out 24
    run_split store -q --stats < <(samples)
    expect_err_like '^read=24 appended=0 duplicates=24 conflicts=0 '
}

# ---- the original

# How the original reads a day, and what it writes there.
cat_as_the_original()
{
    /usr/bin/python3 -c '
import datetime, json, sys
for line in open(sys.argv[1], encoding="utf-8"):
    if line.strip():
        event = json.loads(line)
        datetime.datetime.fromisoformat(event["timestamp"].replace("Z", "+00:00"))
        print(json.dumps(event, sort_keys=True, separators=(",", ":")))' "$1"
}

@test "what is stored here the original reads, and would write the same bytes" {
    {
        signal s1 2026-02-05T10:00:00.5+02:00 payload='{"b":"é\u2028","a":[1,1.5,true,null,-3,1e-07]}'
        signal 's\ud83d\ude00' 2026-02-05T10:00:00 source='"caf\u00e9"' entity_refs='[{"value":"x","ref_type":"y"}]'
        signal s3 2026-02-05T23:00:00Z zz='{"B":1,"a":2,"_":3}'
    } | sed 's/":/" : /g' | store
    stored signals 2026-02-05 >lines
    cat_as_the_original lines | expect_same - lines
}

@test "what the original writes comes out as it wrote it" {
    mkdir -p ws/store/signals ws/store/checkpoints
    /usr/bin/python3 -c '
import json
for n in range(20):
    event = {"signal_id": "s%d" % n, "timestamp": "2026-02-05T10:%02d:00Z" % (20 - n), "source": "caf\u00e9", "payload": {"x": n / 7},
             "payload_type": "T", "schema_version": "0.9", "entity_refs": [], "trace": None, "raw": None}
    print(json.dumps(event, sort_keys=True, separators=(",", ":")))' >"$day"
    cp "$day" before
    metaspn-replay -C ws --order=append | expect_same - before
    metaspn-replay -C ws | tac | expect_same - before
    store -q before
    stored signals | expect_same before -
}
