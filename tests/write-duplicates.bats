#!/usr/bin/env bats
# metaspn-write: duplicates and conflicts.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing

# conflict STATUS EVENT EVENT: what the second is to the first.
conflict()
{
    rm -rf ws/store
    printf '%s\n' "$2" | store
    printf '%s\n' "$3" | store -q --print=result | jq -r .status >got
    expect_file got "$1"
}

# ---- section 6: duplicates

@test "section 6: an event that is stored already is not stored again" {
    signal s1 2026-02-05T10:00:00Z >event
    store event
    store event
    store --on-duplicate=return_existing event event
    store --on-duplicate=ignore event
    stored signals 2026-02-05 | expect_same event -
}

@test "section 6: duplicates are by id, over the whole store, whatever the day" {
    signal s1 2026-02-05T10:00:00Z | store
    signal s1 2001-01-01T10:00:00Z | store -q
    [[ -z $(stored signals 2001-01-01) ]]
}

@test "section 6: duplicates are within a kind" {
    signal x 2026-02-05T10:00:00Z | store
    run_split store --print=result <<<"$(emission x 2026-02-05T10:00:00Z)"
    expect_out '{"id":"x","kind":"emissions","path":"ws/store/emissions/2026-02-05.jsonl","status":"appended"}'
}

@test "section 6: ids are compared decoded" {
    signal 'a\u00e9' 2026-02-05T10:00:00Z | store
    run_split store --print=result <<<"$(signal 'aé' 2026-02-05T10:00:00Z)"
    expect_out '{"id":"a\u00e9","kind":"signals","path":"ws/store/signals/2026-02-05.jsonl","status":"duplicate"}'
}

@test "section 6: duplicates within the input are duplicates of the first" {
    run_split store --print=result <<END
$(signal s1 2026-02-05T10:00:00Z)
$(signal s2 2026-02-05T10:00:00Z)
$(signal s1 2026-02-05T10:00:00Z)
END
    jq -r .status "$out" >statuses
    expect_file statuses appended appended duplicate
    [[ $(stored signals 2026-02-05 | wc -l) == 2 ]]
}

@test "section 6: raise stops at the first duplicate, exit 4: what precedes it is stored, nothing after it" {
    signal s1 2026-02-05T10:00:00Z | store
    {
        signal s0 2026-02-05T10:00:00Z
        signal s1 2026-02-05T10:00:00Z
        signal s2 2026-02-05T10:00:00Z
    } >events
    run_split store --on-duplicate=raise --print=new events
    expect_status 4
    expect_out "$(signal s0 2026-02-05T10:00:00Z)"
    expect_err 'metaspn-write: events:2: duplicate signal_id "s1": not stored, nor is what follows'
    stored signals 2026-02-05 | jq -r .signal_id >ids
    expect_file ids s1 s0
}

@test "section 6: raise stops at a duplicate within the input too" {
    run_split store --on-duplicate=raise <<END
$(emission e1 2026-02-05T10:00:00Z)
$(emission e1 2026-02-05T10:00:00Z)
$(emission e2 2026-02-05T10:00:00Z)
END
    expect_status 4
    expect_err 'metaspn-write: -:2: duplicate emission_id "e1": not stored, nor is what follows'
    [[ $(stored emissions 2026-02-05 | wc -l) == 1 ]]
}

@test "section 6: of an invalid line and a duplicate the one that comes first ends it" {
    signal s1 2026-02-05T10:00:00Z | store
    {
        signal s1 2026-02-05T10:00:00Z
        echo x
    } >events
    run_split store --on-duplicate=raise events
    expect_status 4
    [[ $(wc -l <"$err") == 1 ]]
    tac events >reversed
    run_split store --on-duplicate=raise reversed
    expect_status 3
    [[ $(wc -l <"$err") == 1 ]]
}

@test "section 6: raise beside skip: of invalid lines only those before the duplicate are told, kept and counted" {
    {
        signal s1 2026-02-05T10:00:00Z
        echo x
        signal s1 2026-02-05T11:00:00Z
        echo y
        signal s2 2026-02-05T10:00:00Z
    } >events
    run_split store --on-duplicate=raise --rejects=rejects --stats events
    expect_status 4
    sed -i 's/ bytes=.*//' "$err"
    expect_err "metaspn-write: events:2: $(invalid_x)" \
        'metaspn-write: events:3: duplicate signal_id "s1": not stored, nor is what follows' \
        'metaspn-write: note: 1 invalid line put into rejects' \
        'metaspn-write: warning: 1 conflict (a stored id came with other content; the first record stands): events:3: "s1"' \
        'read=3 appended=1 duplicates=1 conflicts=1 invalid=1'
    [[ $(jq .line rejects) == 2 ]]
    seq 1000 >lines
    run_split store --on-duplicate=raise --on-invalid=skip --stats events lines
    expect_status 4
    [[ $(wc -l <"$err") == 2 ]]
    run_split store --on-duplicate=raise --on-invalid=skip --stats lines events
    expect_status 4
    [[ $(tail -n 1 "$err") == 'read=1001 appended=0 duplicates=1 conflicts=0 invalid=1000 '* ]]
}

@test "section 5: a name that is empty is quoted" {
    run_split store '' <<<x
    expect_status 5
    expect_err 'metaspn-write: "": cannot open: No such file or directory'
    run_split store --rejects= <<<x
    expect_status 5
    expect_err 'metaspn-write: "": cannot open: No such file or directory'
}

@test "section 6: raise says nothing of a file after the duplicate that cannot be read" {
    { signal s1 2026-02-05T10:00:00Z; signal s1 2026-02-05T10:00:00Z; } >events
    run_split store --on-duplicate=raise events nofile .
    expect_status 4
    expect_err 'metaspn-write: events:2: duplicate signal_id "s1": not stored, nor is what follows'
    signal s2 2026-02-05T10:00:00Z >new
    run_split store --on-duplicate=raise nofile new . events
    expect_status 5
    expect_err 'metaspn-write: nofile: cannot open: No such file or directory' \
        'metaspn-write: .: cannot open: Is a directory' \
        'metaspn-write: events:1: duplicate signal_id "s1": not stored, nor is what follows'
    [[ $(stored_ids) == $'s1\ns2' ]]
}

@test "section 6: --stats counts what stopped it and nothing after it" {
    {
        signal s1 2026-02-05T10:00:00Z
        signal s1 2026-02-05T10:00:00Z
        echo x
    } >events
    run_split store --on-duplicate=raise --stats events
    expect_status 4
    [[ $(tail -n 1 "$err") == 'read=2 appended=1 duplicates=1 conflicts=0 invalid=0 '* ]]
    sed -i 1d events
    run_split store --stats events
    expect_status 3
    [[ $(tail -n 1 "$err") == 'read=2 appended=0 duplicates=1 conflicts=0 invalid=1 '* ]]
}

# ---- section 6: conflicts

@test "section 6: a duplicate that differs in timestamp, source, type, caused_by, payload or entities is a conflict" {
    local first change
    first=$(signal s1 2026-02-05T10:00:00Z)
    for change in 'timestamp="2026-02-05T10:00:00.000001Z"' 'source="x"' 'payload_type="x"' 'payload={"n":2}' \
        'payload={"n":1,"m":[1]}' 'entity_refs=[{"ref_type":"a","value":"b"}]'; do
        conflict conflict "$first" "$(signal s1 2026-02-05T10:00:00Z "$change")"
    done
    first=$(emission e1 2026-02-05T10:00:00Z)
    for change in 'timestamp="2026-02-06T10:00:00Z"' 'emission_type="x"' 'caused_by="x"' 'payload=null'; do
        conflict conflict "$first" "$(emission e1 2026-02-05T10:00:00Z "$change")"
    done
}

@test "section 6: within the input the first of an id is what the others are compared with" {
    {
        signal s1 2026-02-05T10:00:00Z
        signal s1 2026-02-05T10:00:00Z source='"x"'
        signal s1 2026-02-05T10:00:00Z trace='{"a":1}'
        emission s1 2026-02-05T10:00:00Z
        signal s1 2026-02-05T10:00:00Z source='"x"'
        signal s1 2026-02-06T10:00:00Z
    } >events
    run_split metaspn-write -C ws --print=result events
    expect_status 0
    [[ $(jq -r .status "$out" | xargs) == 'appended conflict duplicate appended conflict conflict' ]]
    [[ $(tail -n 1 "$out" | jq -r .path) == ws/store/signals/2026-02-05.jsonl ]]
}

@test "section 6: trace, raw, schema_version and members that are null, empty or absent make no conflict" {
    local first change
    first=$(signal s1 2026-02-05T10:00:00Z)
    for change in 'trace={"a":1}' 'raw={"a":1}' 'schema_version="1"' 'timestamp="2026-02-05T11:00:00+01:00"' 'entity_refs=' \
        'payload={"n":1,"m":null}' 'payload={"n":1.0,"m":"","k":[],"l":{}}'; do
        conflict duplicate "$first" "$(signal s1 2026-02-05T10:00:00Z "$change")"
    done
}

@test "section 6: entities are compared by type, platform and value, in both shapes" {
    conflict duplicate "$(signal s1 2026-02-05T10:00:00Z entity_refs='[{"ref_type":"a","value":"b","label":"x"}]')" \
        "$(signal s1 2026-02-05T10:00:00Z entity_refs='[{"kind":"a","identifier":"b"}]')"
    conflict conflict "$(signal s1 2026-02-05T10:00:00Z entity_refs='[{"ref_type":"a","value":"b"}]')" \
        "$(signal s1 2026-02-05T10:00:00Z entity_refs='[{"ref_type":"a","value":"b","platform":"x"}]')"
}

@test "section 6: conflicts are told where what comes before them could not be printed" {
    signal s1 2026-02-05T10:00:00Z >events
    signal big 2026-02-05T10:00:00Z payload="\"$(printf '%0300000d' 7)\"" >>events
    signal s1 2026-02-05T11:00:00Z >>events
    status=0
    store --print=new --stats events >/dev/full 2>"$err" || status=$?
    expect_status 5
    expect_err_like 'warning: 1 conflict .*: events:3: "s1"$'
    expect_err_like '^read=3 appended=2 duplicates=1 conflicts=1 '
}

@test "section 6: one warning at the end gives the number of conflicts and the first few" {
    for i in 1 2 3 4 5; do signal "s$i" 2026-02-05T10:00:00Z; done | store
    for i in 1 2 3 4 5; do signal "s$i" 2026-02-05T11:00:00Z; done >events
    run_split store events
    expect_status 0
    [[ $(wc -l <"$err") == 1 ]]
    expect_err_like '^metaspn-write: warning: 5 conflicts .*: events:1: "s1", events:2: "s2", events:3: "s3", \.\.\.$'
    run_split store -q events
    expect_err
    [[ $(stored signals 2026-02-05 | wc -l) == 5 ]]
}

# ---- section 6: invalid lines

@test "section 6: a file that is printed to and read at once is refused, as cat refuses it" {
    signal s1 2026-02-05T10:00:00Z >events
    cp events before
    refused()
    {
        status=0
        metaspn-write -C ws --print=all "$@" >>events 2>"$err" || status=$?
        expect_status 2
        expect_same before events
        [[ ! -e ws/store ]]
    }
    refused before events
    expect_err "metaspn-write: events: the input is the file of standard output itself" "Try 'metaspn-write --help'."
    refused <events
    expect_err "metaspn-write: -: the input is the file of standard output itself" "Try 'metaspn-write --help'."
    # shellcheck disable=SC2094 # nothing is written
    metaspn-write -C ws events >>events
    expect_same before events
}
