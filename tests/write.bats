#!/usr/bin/env bats
# metaspn-write: what comes in, what is stored, what is said. Durability and concurrency have files of their own.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing

# A line of input goes in, and exactly the other line is stored, in the only partition there is.
stores()
{
    rm -rf ws/store
    printf '%s\n' "$1" | store
    expect_file <(cat ws/store/{signals,emissions}/*.jsonl 2>/dev/null) "$2"
}

# The line is invalid: the message, exit 3, nothing stored.
refuses()
{
    local line=$1 message=$2
    shift 2
    status=0
    printf '%s' "$line" | store "$@" >"$out" 2>"$err" || status=$?
    expect_status 3
    expect_out
    expect_err "metaspn-write: -:1: $message: not stored, nor is what follows"
    [[ -z $(find ws/store -name '*.jsonl') ]]
}

# What is said of the line x.
invalid_x()
{
    echo 'invalid JSON at byte 1: expected a value: "x"'
}

# ---- section 2: where things lie

@test "section 2: an event goes into the file of its kind and UTC day" {
    {
        signal s1 2026-02-05T00:00:00Z
        signal s2 2026-02-05T23:59:59.999999Z
        signal s3 2026-02-05T00:30:00+01:00
        emission e1 2026-02-05T10:00:00Z
    } | store
    (cd ws/store && find . -name '*.jsonl' | sort) >"$out"
    expect_out ./emissions/2026-02-05.jsonl ./signals/2026-02-04.jsonl ./signals/2026-02-05.jsonl
    [[ $(wc -l <ws/store/signals/2026-02-05.jsonl) == 2 ]]
}

@test "section 2: lines are appended in the order of the input" {
    for i in 3 1 2; do signal "s$i" "2026-02-05T10:00:0$i""Z"; done >lines
    store lines
    expect_same lines ws/store/signals/2026-02-05.jsonl
}

@test "section 2: a workspace that does not exist is exit 5 with its path, and is not made" {
    run_split metaspn-write -C nowhere <<<"$(signal s1 2026-02-05T10:00:00Z)"
    expect_status 5
    expect_err 'metaspn-write: nowhere: No such file or directory'
    [[ ! -e nowhere ]]
}

@test "section 2: store/ is made in the current directory only where -C or METASPN_WORKSPACE names it" {
    cd ws
    run_split metaspn-write <<<"$(signal s1 2026-02-05T10:00:00Z)"
    expect_status 5
    expect_err_like '^metaspn-write: store: No such file or directory'
    [[ ! -e store ]]
    signal s1 2026-02-05T10:00:00Z | metaspn-write -C .
    signal s2 2026-02-05T10:00:00Z | metaspn-write
    rm -rf store
    signal s3 2026-02-05T10:00:00Z | METASPN_WORKSPACE=. metaspn-write
    [[ $(grep -c s3 store/signals/2026-02-05.jsonl) == 1 ]]
}

@test "section 2: a directory that is itself a store is exit 5, saying so" {
    signal s1 2026-02-05T10:00:00Z | store
    run_split metaspn-write -C ws/store <<<"$(signal s2 2026-02-05T10:00:00Z)"
    expect_status 5
    expect_err 'metaspn-write: ws/store/store: there is none, but signals/ or emissions/: name the directory above'
    [[ ! -e ws/store/store ]]
    (cd ws/store && ! signal s2 2026-02-05T10:00:00Z | metaspn-write -C . 2>/dev/null)
    mkdir -p other/emissions
    run_split metaspn-write -C other <<<"$(signal s2 2026-02-05T10:00:00Z)"
    expect_status 5
}

@test "section 2: files are made with 0666 and folders with 0777 less umask" {
    (umask 027 && signal s1 2026-02-05T10:00:00Z | store)
    run_split find ws/store \( -type d ! -perm 750 \) -o \( -type f ! -perm 640 \)
    expect_out
    (umask 0 && signal e1 2026-02-06T10:00:00Z | store)
    [[ $(stat -c %a ws/store/signals/2026-02-06.jsonl) == 666 ]]
    [[ $(stat -c %a ws/store/signals/2026-02-05.jsonl) == 640 ]]
}

@test "section 2: what is not ours in the store is left alone" {
    mkdir -p ws/store/signals ws/store/attic
    echo mine >ws/store/signals/2026-02-30.jsonl
    echo mine >ws/store/signals/notes.txt
    echo mine >ws/store/attic/2026-02-05.jsonl
    ln -s /nowhere ws/store/signals/link
    signal s1 2026-02-05T10:00:00Z | store
    expect_file ws/store/signals/2026-02-30.jsonl mine
    expect_file ws/store/signals/notes.txt mine
    expect_file ws/store/attic/2026-02-05.jsonl mine
    [[ -L ws/store/signals/link ]]
}

# ---- section 3: what is stored

@test "section 3: a canonical line is stored as it came" {
    stores "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s1 2026-02-05T10:00:00Z)"
    stores "$(emission e1 2026-02-05T10:00:00.000001Z)" "$(emission e1 2026-02-05T10:00:00.000001Z)"
}

@test "section 3: members are sorted by code points at every depth, white space goes" {
    stores ' { "timestamp" : "2026-02-05T10:00:00Z","source":"s", "signal_id":"s1", "payload_type":"t","payload":{"b":[ 1 , {"d":1,"c":2} ],"a":"\u00E9\/"} , "😀":1, "\uffff":2, "é":3 }'$'\r' \
        '{"payload":{"a":"\u00e9/","b":[1,{"c":2,"d":1}]},"payload_type":"t","schema_version":"0.9","signal_id":"s1","source":"s","timestamp":"2026-02-05T10:00:00Z","\u00e9":3,"\uffff":2,"\ud83d\ude00":1}'
}

@test "section 3: numbers stay exactly as they were written" {
    local payload='[1.10,-0,1e400,0.1E-2,123456789012345678901234567890,1E+5]'
    stores "{ $(signal s1 2026-02-05T10:00:00Z payload="$payload" | cut -c 2-)" \
        "$(signal s1 2026-02-05T10:00:00Z payload="$payload")"
}

@test "section 3: schema_version is filled in, and other members are kept" {
    stores "$(signal s1 2026-02-05T10:00:00Z schema_version= entity_refs= zz='{"a":[]}' aa=null)" \
        "$(signal s1 2026-02-05T10:00:00Z entity_refs= zz='{"a":[]}' aa=null)"
    stores "$(signal s1 2026-02-05T10:00:00Z schema_version='"7"')" "$(signal s1 2026-02-05T10:00:00Z schema_version='"7"')"
}

@test "section 3: strings are escaped in lower case, lone surrogates kept" {
    stores "$(signal s1 2026-02-05T10:00:00Z payload='"\u001F\uD800\u0041\u007f\b\f\n\r\t\"\\/"')" \
        "$(signal s1 2026-02-05T10:00:00Z payload='"\u001f\ud800A\u007f\b\f\n\r\t\"\\/"')"
}

@test "section 3: a timestamp is stored in UTC, a fraction in six digits" {
    local given want
    while read -r given want; do
        stores "$(signal s1 "${given/_/ }")" "$(signal s1 "$want")"
    done <<'END'
2026-02-05T10:00:00 2026-02-05T10:00:00Z
2026-02-05_10:00:00 2026-02-05T10:00:00Z
2026-02-05t10:00:00z 2026-02-05T10:00:00Z
2026-02-05T10:00:00+02:00 2026-02-05T08:00:00Z
2026-02-05T10:00:00-0530 2026-02-05T15:30:00Z
2026-02-05T00:00:00+23:59 2026-02-04T00:01:00Z
2026-02-05T10:00:00.5Z 2026-02-05T10:00:00.500000Z
2026-02-05T10:00:00.1234567Z 2026-02-05T10:00:00.123456Z
2026-02-05T10:00:00.0000009Z 2026-02-05T10:00:00Z
2024-02-29T23:59:59Z 2024-02-29T23:59:59Z
0001-01-01T00:00:00Z 0001-01-01T00:00:00Z
9999-12-31T23:59:59Z 9999-12-31T23:59:59Z
END
}

@test "section 3: both shapes of entity reference are kept as they are" {
    local refs='[{"identifier":"alice","kind":"handle","platform":"x"},{"label":null,"platform":"web","ref_type":"domain","schema_version":"0.9","value":"a.example"}]'
    stores "$(signal s1 2026-02-05T10:00:00Z entity_refs="$refs")" "$(signal s1 2026-02-05T10:00:00Z entity_refs="$refs")"
}

@test "section 3: what the original's json.dumps makes is stored byte for byte" {
    /usr/bin/python3 - >lines <<'END'
import json
for n, text in enumerate(["a\u00e9\u2028\ud83d\ude00\x7f\\\"/", "", "\u0000\u001f", "\uffff"]):
    event = {"signal_id": "s%d" % n, "timestamp": "2026-02-05T10:00:00Z", "source": text, "payload_type": "T",
             "payload": {text: [1.5, -0.0, 1e22, 10**30, True, None], "z": {}}, "schema_version": "0.1",
             "entity_refs": [], "trace": None, "raw": {"a": [[]]}}
    print(json.dumps(event, sort_keys=True, separators=(",", ":")))
END
    store lines
    expect_same lines ws/store/signals/2026-02-05.jsonl
}

@test "section 3: a blank line is skipped, CR before LF is white space, a last line needs no LF" {
    printf '\n  \t\r\n%s\r\n\n%s' "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T10:00:01Z)" | store
    expect_file ws/store/signals/2026-02-05.jsonl "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T10:00:01Z)"
}

@test "section 3: empty input is done" {
    run_split store </dev/null
    expect_status 0
    expect_out
    expect_err
}

# shown TEXT [BYTES]: what a message shows of a long text, its first 60 columns
shown()
{
    printf '"%.*s..."' "${2:-60}" "$1"
}

# ---- section 3: what is refused. B is what every signal here has behind its id.

b='"payload":1,"payload_type":"t","source":"s","timestamp":"2026-02-05T10:00:00Z"}'

@test "section 3: what is no JSON is invalid" {
    refuses 'nojson' 'invalid JSON at byte 1: expected a value: "nojson"'
    refuses '{"signal_id":"a",}' 'invalid JSON at byte 18: expected a member name: "}"'
    refuses "{\"signal_id\":\"a\",\"x\":NaN,$b" 'invalid JSON at byte 22: NaN is not allowed: "NaN"'
    refuses "{\"signal_id\":\"a\",\"x\":-Infinity,$b" 'invalid JSON at byte 22: -Infinity is not allowed: "-Infinity"'
    refuses $'\xef\xbb\xbf'"{\"signal_id\":\"a\",$b" \
        "invalid JSON at byte 1: unexpected byte order mark: $(shown "\\ufeff{\"signal_id\":\"a\",$b")"
    refuses "{\"signal_id\":\"a\",$b{}" 'invalid JSON at byte 97: trailing data after the document: "{}"'
    refuses '{"signal_id":"a"' 'invalid JSON at byte 17: ends too early, expected '\'','\'' or '\''}'\'
}

@test "section 3: NUL bytes are no JSON" {
    status=0
    printf '{"signal_id":"a\0",%s\n' "$b" | store >"$out" 2>"$err" || status=$?
    expect_status 3
    expect_err_like '^metaspn-write: -:1: invalid JSON at byte 16: .*: not stored, nor is what follows$'
    status=0
    printf '\0\0\0\n' | store >"$out" 2>"$err" || status=$?
    expect_status 3
}

@test "section 3: invalid UTF-8 is invalid" {
    local bytes escaped
    for bytes in $'\xff' $'\xc3' $'\xc0\xaf' $'\xed\xa0\x80' $'\xf4\x90\x80\x80'; do
        escaped=$(printf %s "$bytes" | od -An -tx1 | sed 's/ /\\x/g')
        refuses "{\"signal_id\":\"a$bytes\",$b" "invalid JSON at byte 16: invalid UTF-8: $(shown "$escaped\",$b")"
    done
}

@test "section 3: what is no object is invalid" {
    refuses '[]' 'not a JSON object: "[]"'
    refuses '"signal_id"' 'not a JSON object: "signal_id"'
    refuses 'null' 'not a JSON object: "null"'
}

@test "section 3: both ids, or neither, are invalid" {
    refuses "{\"signal_id\":\"a\",\"emission_id\":\"b\",$b" 'both signal_id and emission_id: "a" and "b"'
    refuses "{\"emission\\u005fid\":1,\"signal_id\":\"a\",$b" 'both signal_id and emission_id: "a" and 1'
    refuses "{$b" "neither signal_id nor emission_id: $(shown "{$b")"
}

@test "section 3: a missing member is named" {
    local member
    for member in timestamp source payload_type payload; do
        refuses "$(signal s1 2026-02-05T10:00:00Z "$member=")" "$member: missing"
    done
    for member in timestamp emission_type caused_by payload; do
        refuses "$(emission e1 2026-02-05T10:00:00Z "$member=")" "$member: missing"
    done
}

@test "section 3: a member of the wrong type is named, its value quoted" {
    local member
    for member in timestamp source payload_type; do
        refuses "$(signal s1 2026-02-05T10:00:00Z "$member=5")" "$member: must be a string, not 5"
    done
    for member in timestamp emission_type caused_by; do
        refuses "$(emission e1 2026-02-05T10:00:00Z "$member={\"a\":1}")" "$member: must be a string, not {\"a\":1}"
    done
    refuses "$(signal s1 2026-02-05T10:00:00Z signal_id=null)" 'signal_id: must be a non-empty string, not null'
    refuses "$(signal s1 2026-02-05T10:00:00Z signal_id='""')" 'signal_id: must be a non-empty string, not ""'
    refuses "$(emission e1 2026-02-05T10:00:00Z emission_id='[]')" 'emission_id: must be a non-empty string, not []'
    refuses "$(signal s1 2026-02-05T10:00:00Z schema_version='""')" 'schema_version: must be a non-empty string, not ""'
    refuses "$(signal s1 2026-02-05T10:00:00Z schema_version=1)" 'schema_version: must be a non-empty string, not 1'
    refuses "$(signal s1 2026-02-05T10:00:00Z trace='"x"')" 'trace: must be an object or null, not "x"'
    refuses "$(signal s1 2026-02-05T10:00:00Z raw='[1]')" 'raw: must be an object or null, not [1]'
    refuses "$(signal s1 2026-02-05T10:00:00Z entity_refs=null)" 'entity_refs: must be an array of objects, not null'
    refuses "$(signal s1 2026-02-05T10:00:00Z entity_refs='[{},"x"]')" 'entity_refs[1]: must be an object, not "x"'
}

@test "section 3: trace and raw may be null" {
    stores "$(signal s1 2026-02-05T10:00:00Z trace=null raw=null)" "$(signal s1 2026-02-05T10:00:00Z trace=null raw=null)"
}

@test "section 3: a timestamp that is none is quoted" {
    local text
    for text in '' yesterday 2026-02-05 2026-02-30T10:00:00Z 2026-02-05T24:00:00Z 2026-02-05T10:00:60Z 2026-02-05T10:00Z \
        2026-02-05T10:00:00.Z 2026-02-05T10:00:00+24:00 2026-02-05T10:00:00+02 20260205T100000Z 26-02-05T10:00:00Z \
        '2026-02-05T10:00:00Z ' 2023-02-29T00:00:00Z 0000-01-01T00:00:00Z; do
        refuses "$(signal s1 "$text")" "timestamp: not an RFC 3339 time: \"$text\""
    done
    refuses "$(signal s1 0001-01-01T00:00:00+00:01)" \
        'timestamp: outside the years 0001-9999: "0001-01-01T00:00:00+00:01"'
    refuses "$(signal s1 9999-12-31T23:59:59-00:01)" \
        'timestamp: outside the years 0001-9999: "9999-12-31T23:59:59-00:01"'
}

@test "section 3: a duplicate member is invalid at any depth, in any spelling" {
    refuses "{\"signal_id\":\"a\",\"signal_id\":\"a\",$b" 'invalid JSON at byte 18: duplicate member "signal_id"'
    refuses "{\"signal_id\":\"a\",\"signal\\u005fid\":\"b\",$b" 'invalid JSON at byte 18: duplicate member "signal\u005fid"'
    refuses "{\"signal_id\":\"a\",\"x\":[{\"y\":1,\"\\u0079\":2}],$b" 'invalid JSON at byte 30: duplicate member "\u0079"'
}

@test "section 3: nesting deeper than 512 is invalid" {
    local open close
    open=$(printf '[%.0s' {1..511}) close=$(printf ']%.0s' {1..511})
    stores "$(signal s1 2026-02-05T10:00:00Z payload="$open$close")" "$(signal s1 2026-02-05T10:00:00Z payload="$open$close")"
    rm -rf ws/store
    refuses "{\"signal_id\":\"a\",\"x\":[$open$close],$b" "invalid JSON at byte 533: nesting deeper than 512: $(shown "[$close")"
}

@test "section 3: a line that is too long is invalid, as input and in canonical form" {
    local line length
    line=$(signal s1 2026-02-05T10:00:00Z payload='"é"')
    length=$(printf '%s' "$line" | wc -c)
    refuses "$line" "line is longer than $((length - 1)) bytes: $(shown "$line" 61)" --max-line=$((length - 1))
    refuses "$line" "canonical line is longer than $((length + 3)) bytes: $(shown "$line" 61)" --max-line=$((length + 3))
    printf '%s\n' "$line" | store --max-line=$((length + 4))
    printf '%s\n' "${line/s1/s2}" | store --max-line=1K
}

@test "section 3: by default a line of more than 16 MiB is invalid, and the next one is read all the same" {
    {
        signal s1 2026-02-05T10:00:00Z
        printf '{"signal_id":"long","payload":"'
        head -c 16M /dev/zero | tr '\0' x
        printf '"}\n'
        signal s2 2026-02-05T10:00:01Z
    } >lines
    run_split store --on-invalid=skip lines
    expect_status 3
    expect_err "metaspn-write: lines:2: line is longer than 16777216 bytes: $(shown "$(head -c 100 <(sed 1d lines))")"
    [[ $(wc -l <ws/store/signals/2026-02-05.jsonl) == 2 ]]
}

@test "a line that is too long ends the command when it is, though its own end never comes" {
    run_split timeout 20 metaspn-write -C ws < <(
        signal s1 2026-02-05T10:00:00Z
        exec cat /dev/zero
    )
    expect_status 3
    expect_err_like '^metaspn-write: -:2: line is longer than 16777216 bytes: .*: not stored, nor is what follows$'
    expect_stored 1
}

@test "section 3: an event of exactly 16 MiB is stored" {
    local head='{"payload":"' tail='","payload_type":"t","schema_version":"0.9","signal_id":"s1","source":"s","timestamp":"2026-02-05T10:00:00Z"}'
    {
        printf '%s' "$head"
        head -c $((16777216 - ${#head} - ${#tail})) /dev/zero | tr '\0' x
        printf '%s\n' "$tail"
    } >line
    store line
    expect_same line ws/store/signals/2026-02-05.jsonl
}

@test "section 5: an offending value is cut short and made printable" {
    printf '%s' "$(signal s1 2026-02-05T10:00:00Z timestamp='"\u001b[31m'"$(printf 'x%.0s' {1..200})"'"')" >line
    run_split store line
    expect_status 3
    [[ $(wc -l <"$err") == 1 && $(wc -c <"$err") -lt 200 ]]
    run ! grep -q $'\x1b' "$err"
    expect_err_like '^metaspn-write: line:1: timestamp: not an RFC 3339 time: ".*\.\.\.": not stored, nor is what follows$'
}

# ---- section 5: FILE operands, exit codes

@test "section 5: FILEs are read in their order, - is stdin" {
    signal s1 2026-02-05T10:00:00Z >one
    signal s2 2026-02-05T10:00:00Z >two
    signal s3 2026-02-05T10:00:00Z | store one - two
    jq -r .signal_id ws/store/signals/2026-02-05.jsonl >"$out"
    expect_out s1 s3 s2
}

@test "section 5: FILEs are relative to the current directory, whatever -C says" {
    signal s1 2026-02-05T10:00:00Z >events
    store events
    [[ -s ws/store/signals/2026-02-05.jsonl ]]
}

@test "section 5: a missing FILE and a directory are exit 5, and the others are read" {
    signal s1 2026-02-05T10:00:00Z >one
    mkdir folder
    run_split store nofile folder one
    expect_status 5
    expect_err 'metaspn-write: nofile: cannot open: No such file or directory' \
        'metaspn-write: folder: cannot open: Is a directory'
    [[ $(wc -l <ws/store/signals/2026-02-05.jsonl) == 1 ]]
}

@test "section 5: the greatest of the exit codes 5, 4 and 3" {
    signal s1 2026-02-05T10:00:00Z >one
    echo x >bad
    run_split store --on-invalid=skip nofile bad one
    expect_status 5
    run_split store --on-invalid=skip --on-duplicate=raise bad one
    expect_status 4
    run_split store --on-invalid=skip bad
    expect_status 3
}

@test "section 5: messages name file and line" {
    {
        signal s1 2026-02-05T10:00:00Z
        echo
        echo x
    } >events
    run_split store events
    expect_status 3
    expect_err "metaspn-write: events:3: $(invalid_x): not stored, nor is what follows"
}

@test "section 5: the command line: exit 2, one line and where to get help" {
    local given message
    while IFS='|' read -r given message; do
        run_split store "$given" </dev/null
        expect_status 2
        expect_err "metaspn-write: $message" "Try 'metaspn-write --help'."
    done <<'END'
--kind=signal|--kind: not one of auto, signals, emissions: "signal"
--print=everything|--print: not one of none, path, result, new, all: "everything"
--on-duplicate=stop|--on-duplicate: not one of return_existing, ignore, raise: "stop"
--on-invalid=raise|--on-invalid: not one of stop, skip: "raise"
END
    for given in --no-such-option --lock-timeout=x --max-line=0 --max-line=1X; do
        run_split store "$given" </dev/null
        expect_status 2
        [[ $(wc -l <"$err") == 2 ]]
    done
    [[ ! -e ws/store ]]
}

@test "section 5: writers are silent unless --print asks" {
    run_split store <<<"$(signal s1 2026-02-05T10:00:00Z)"
    expect_status 0
    expect_out
    expect_err
}

# ---- section 6: kinds

@test "section 6: --kind refuses events of the other kind" {
    refuses "$(signal s1 2026-02-05T10:00:00Z)" 'a signal, but only emissions are accepted: "s1"' --kind=emissions
    refuses "$(emission e1 2026-02-05T10:00:00Z)" 'an emission, but only signals are accepted: "e1"' --kind=signals
    signal s1 2026-02-05T10:00:00Z | store --kind=signals
    emission e1 2026-02-05T10:00:00Z | store --kind=emissions
    {
        signal s2 2026-02-05T10:00:00Z
        emission e2 2026-02-05T10:00:00Z
    } | store --kind=auto
    [[ $(cat ws/store/*/*.jsonl | wc -l) == 4 ]]
}

# ---- section 6: duplicates

@test "section 6: an event that is stored already is not stored again" {
    signal s1 2026-02-05T10:00:00Z >event
    store event
    store event
    store --on-duplicate=return_existing event event
    store --on-duplicate=ignore event
    expect_same event ws/store/signals/2026-02-05.jsonl
}

@test "section 6: duplicates are by id, over the whole store, whatever the day" {
    signal s1 2026-02-05T10:00:00Z | store
    signal s1 2001-01-01T10:00:00Z | store -q
    [[ ! -e ws/store/signals/2001-01-01.jsonl ]]
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
    [[ $(wc -l <ws/store/signals/2026-02-05.jsonl) == 2 ]]
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
    jq -r .signal_id ws/store/signals/2026-02-05.jsonl >ids
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
    [[ $(wc -l <ws/store/emissions/2026-02-05.jsonl) == 1 ]]
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

@test "section 6: raise says nothing of a file behind the duplicate that cannot be read" {
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

@test "section 6: --stats counts what stopped it and nothing behind" {
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

# conflict STATUS EVENT EVENT: what the second is to the first.
conflict()
{
    rm -rf ws/store
    printf '%s\n' "$2" | store
    printf '%s\n' "$3" | store -q --print=result | jq -r .status >got
    expect_file got "$1"
}

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
    [[ $(wc -l <ws/store/signals/2026-02-05.jsonl) == 5 ]]
}

# ---- section 6: --print

@test "section 6: --print=path prints the path of the first record, DIR as given" {
    signal s1 2026-02-04T10:00:00Z | store
    {
        signal s1 2026-02-05T10:00:00Z
        emission e1 2026-02-05T10:00:00Z
    } >events
    run_split store -q --print=path events
    expect_out ws/store/signals/2026-02-04.jsonl ws/store/emissions/2026-02-05.jsonl
    run_split metaspn-write -q -C ./ws/ --print=path events
    expect_out ./ws//store/signals/2026-02-04.jsonl ./ws//store/emissions/2026-02-05.jsonl
    mv events ws
    cd ws
    run_split metaspn-write -q --print=path events
    expect_out store/signals/2026-02-04.jsonl store/emissions/2026-02-05.jsonl
}

@test "section 6: --print=result prints an object for every event in input order" {
    signal s1 2026-02-04T10:00:00Z | store
    run_split store -q --print=result <<END
$(signal s2 2026-02-05T10:00:00Z)
$(signal s1 2026-02-04T10:00:00Z)
$(signal s1 2026-02-05T10:00:00Z)
END
    expect_out '{"id":"s2","kind":"signals","path":"ws/store/signals/2026-02-05.jsonl","status":"appended"}' \
        '{"id":"s1","kind":"signals","path":"ws/store/signals/2026-02-04.jsonl","status":"duplicate"}' \
        '{"id":"s1","kind":"signals","path":"ws/store/signals/2026-02-04.jsonl","status":"conflict"}'
}

@test "section 6: --print=new prints the stored line of each event that was new" {
    signal s1 2026-02-05T10:00:00Z | store
    run_split store --print=new <<END
$(signal s1 2026-02-05T10:00:00Z)
 $(signal s2 2026-02-05T11:00:00+01:00)
$(signal s2 2026-02-05T10:00:00Z)
END
    expect_out "$(signal s2 2026-02-05T10:00:00Z)"
}

@test "section 6: --print=all prints the first record's stored line of every event" {
    signal s1 2026-02-05T10:00:00Z source='"first"' | store
    run_split store -q --print=all <<END
$(signal s2 2026-02-05T10:00:00Z)
$(signal s1 2026-02-05T10:00:00Z source='"second"')
$(signal s2 2026-02-05T10:00:00Z source='"third"')
END
    expect_out "$(signal s2 2026-02-05T10:00:00Z)" "$(signal s1 2026-02-05T10:00:00Z source='"first"')" \
        "$(signal s2 2026-02-05T10:00:00Z)"
}

@test "section 6: --print=none prints nothing" {
    run_split store --print=none <<<"$(signal s1 2026-02-05T10:00:00Z)"
    expect_out
}

@test "section 6: what others stored is printed as it stands there" {
    mkdir -p ws/store/signals
    printf ' %s ' "$(signal s1 2026-02-05T10:00:00Z)" >ws/store/signals/2026-02-05.jsonl
    run_split store -q --print=all <<<"$(signal s1 2026-02-05T10:00:00Z)"
    expect_out " $(signal s1 2026-02-05T10:00:00Z) "
}

# ---- section 6: invalid lines

@test "section 6: stop: what precedes the named line is stored and nothing after it" {
    {
        signal s1 2026-02-05T10:00:00Z
        echo x
        signal s2 2026-02-05T10:00:00Z
    } >events
    run_split store --print=new events
    expect_status 3
    expect_out "$(signal s1 2026-02-05T10:00:00Z)"
    expect_file ws/store/signals/2026-02-05.jsonl "$(signal s1 2026-02-05T10:00:00Z)"
}

@test "section 6: skip: the first ten invalid lines are reported, then the total, exit 3" {
    {
        signal s1 2026-02-05T10:00:00Z
        for i in {1..12}; do echo "x$i"; done
        signal s2 2026-02-05T10:00:00Z
    } >events
    run_split store --on-invalid=skip events
    expect_status 3
    [[ $(wc -l <"$err") == 11 ]]
    [[ $(head -n 1 "$err") == 'metaspn-write: events:2: invalid JSON at byte 1: expected a value: "x1"' ]]
    [[ $(tail -n 1 "$err") == 'metaspn-write: 12 invalid lines in all' ]]
    [[ $(wc -l <ws/store/signals/2026-02-05.jsonl) == 2 ]]
    # ten of them are all told, and need no total
    run_split store --on-invalid=skip < <(head -n 11 events)
    expect_status 3
    [[ $(wc -l <"$err") == 10 ]]
}

@test "section 6: --rejects implies skip and appends what was wrong" {
    {
        echo x
        signal s1 2026-02-05T10:00:00Z
        printf '{"signal_id":"\xff"}\n'
    } >events
    echo '{"before":1}' >rejects
    run_split store --rejects=rejects events
    expect_status 3
    expect_file rejects '{"before":1}' \
        '{"error":"invalid JSON at byte 1: expected a value: \"x\"","file":"events","input":"x","line":1,"time":"2026-02-05T18:00:00Z"}' \
        '{"error":"invalid JSON at byte 15: invalid UTF-8: \"\\xff\"}\"","file":"events","input":"{\"signal_id\":\"\ufffd\"}","line":3,"time":"2026-02-05T18:00:00Z"}'
    [[ $(wc -l <ws/store/signals/2026-02-05.jsonl) == 1 ]]
}

@test "section 6: a reject has the time at which it was rejected" {
    unset METASPN_NOW
    {
        echo x
        eventually grep -qs '"line":1' rejects
        sleep 0.2
        echo y
    } | store --rejects=rejects 2>"$err" || status=$?
    expect_status 3
    [[ $(jq -r .time rejects | sort -u | wc -l) == 2 ]]
    jq -r .time rejects | sort -c
}

@test "section 6: --rejects keeps at most 64 KiB of a line" {
    head -c 100000 /dev/zero | tr '\0' x >events
    run_split store --rejects=rejects events
    [[ $(jq '.input | length' rejects) == 65536 ]]
}

@test "section 6: a rejects file that cannot be written is exit 5" {
    run_split store --rejects=no/such/file <<<x
    expect_status 5
    expect_err_like '^metaspn-write: no/such/file: '
    run_split store --rejects=/dev/full <<<x
    expect_status 5
    expect_err "metaspn-write: -:1: $(invalid_x)" \
        'metaspn-write: /dev/full: cannot write: No space left on device'
    yes "$(printf '%01000d' 7)" | head -n 3000 >lines
    run_split store --rejects=/dev/full lines
    expect_status 5
    [[ $(grep -c '/dev/full: cannot write: No space left on device$' "$err") == 1 ]]
}

@test "section 6: rejects are written while the input goes on" {
    mkfifo fifo
    store -q --rejects=rejects fifo 3>&- &
    writer=$!
    exec {input}>fifo
    echo x >&"$input"
    eventually test -s rejects
    exec {input}>&-
    status=0
    wait "$writer" || status=$?
    expect_status 3
}

@test "section 6: rejects are not glued to a torn last line of their file" {
    printf '{"error":"to' >rejects
    run_split store --rejects=rejects <<<"$(signal s1 2026-02-05T10:00:00Z)"
    expect_status 0
    [[ $(stat -c %s rejects) == 12 ]]
    run_split store --rejects=rejects <<<$'x\nx'
    run_split store --rejects=rejects <<<x
    expect_status 3
    [[ $(head -n 1 rejects) == '{"error":"to' ]]
    [[ $(tail -n +2 rejects | jq -r .input) == $'x\nx\nx' ]]
}

@test "section 6: a rejects file that is input, too, is refused before anything is read" {
    { signal s1 2026-02-05T10:00:00Z; echo x; } >events
    cp events before
    ln events other
    ln -s events link
    refused()
    {
        expect_status 2
        expect_err "metaspn-write: $1: the input is the file of --rejects itself" "Try 'metaspn-write --help'."
        expect_same before events
        [[ ! -e ws/store ]]
    }
    run_rejects()
    {
        local file=$1
        shift
        run_split timeout 10 prlimit --fsize=100000 metaspn-write -C ws --rejects="$file" "$@"
    }
    run_rejects events events
    refused events
    run_rejects link before ./other
    refused ./other
    run_rejects events <other
    refused -
    run_rejects events before - <other
    refused -
    echo x >invalid
    run_rejects none invalid none
    expect_status 2
    [[ ! -s none ]]
    run_rejects rejects - events <before
    expect_status 3
    [[ $(wc -l <rejects) == 2 ]]
}

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

@test "section 6: lines that are blank, or skipped, take no memory" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "memory under $METASPN_TESTED_UNDER is not the command's"
    most()
    {
        # shellcheck disable=SC2016 # Python's
        /usr/bin/python3 -c '
import resource, subprocess, sys
line, count = sys.argv[1].encode() + b"\n", int(sys.argv[2])
writer = subprocess.Popen(["metaspn-write", "-C", "ws", "--on-invalid=skip"], stdin=subprocess.PIPE)
for _ in range(count):
    writer.stdin.write(line * 1000)
writer.stdin.close()
writer.wait()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@" 2>"$err"
    }
    local line
    for line in "$(printf '%999s' '')" "$(printf '%0999d' 7)"; do
        (($(most "$line" 64) < $(most "$line" 16) + 24000))
    done
}

# ---- section 6: the rest

@test "section 6: --stats is one line on stderr" {
    signal s1 2026-02-05T10:00:00Z | store
    {
        signal s1 2026-02-05T10:00:00Z
        signal s1 2026-02-05T11:00:00Z
        signal s2 2026-02-05T10:00:00Z
        echo x
    } >events
    run_split store -q --stats --on-invalid=skip events
    expect_status 3
    [[ $(tail -n 1 "$err") =~ ^read=4\ appended=1\ duplicates=2\ conflicts=1\ invalid=1\ bytes=$(signal s2 2026-02-05T10:00:00Z | wc -c)\ seconds=[0-9]+\.[0-9]+$ ]]
}

@test "section 6: --no-sync stores all the same" {
    signal s1 2026-02-05T10:00:00Z | store --no-sync
    run_split store --print=result <<<"$(signal s1 2026-02-05T10:00:00Z)"
    [[ $(jq -r .status "$out") == duplicate ]]
}

@test "section 6: --progress shows events and speed, --no-progress and a pipe nothing" {
    slow_producer()
    {
        signal "$1a" 2026-02-05T10:00:00Z
        eventually grep -qs "\"$1a\"" ws/store/signals/2026-02-05.jsonl
        sleep 0.6
        signal "$1b" 2026-02-05T10:00:00Z
        sleep 0.2
    }
    slow_producer s1 | store --progress 2>"$err"
    grep -q '[0-9] events, .* MB/s' "$err"
    mkfifo pipe
    slow_producer s2 >pipe &
    run_split script -qec 'metaspn-write -C ws <pipe' /dev/null </dev/null
    grep -q '[0-9] events, .* MB/s' "$out"
    slow_producer s3 >pipe &
    run_split script -qec 'metaspn-write -C ws --no-progress <pipe' /dev/null </dev/null
    expect_out
    slow_producer s4 | store 2>"$err"
    expect_err
}

@test "section 5: a message is a line of its own, also where progress is shown" {
    two_batches()
    {
        signal s1 2026-02-05T10:00:00Z
        eventually grep -qs '"s1"' ws/store/signals/2026-02-05.jsonl
        sleep 0.6
        signal s2 2026-02-05T10:00:00Z
        eventually grep -q events "$err"
    }
    two_batches | store --progress - missing 2>"$err" || status=$?
    expect_status 5
    grep -qF $'MB/s\r\033[Kmetaspn-write: missing: cannot open' "$err"
}

@test "section 5: a terminal on stdin is noted where it is read, and only there" {
    signal s1 2026-02-05T10:00:00Z >events
    run_split script -qec 'metaspn-write -C ws events' /dev/null </dev/null
    expect_status 0
    expect_out
    run_split script -qec 'metaspn-write -C ws events -' /dev/null < <(printf '\4')
    expect_status 0
    [[ $(<"$out") == *'metaspn-write: note: reading standard input from the terminal; end it with Ctrl-D'* ]]
}

@test "section 6: a slow producer's event waits 200 ms for others at most" {
    needs_strace
    mkfifo fifo
    strace -f -o trace -e trace=poll,ppoll metaspn-write -C ws fifo 3>&- &
    writer=$!
    exec {input}>fifo
    signal s1 2026-02-05T10:00:00Z >&"$input"
    eventually test -s ws/store/signals/2026-02-05.jsonl
    exec {input}>&-
    wait "$writer"
    grep -o 'tv_sec=[0-9]*, tv_nsec=[0-9]*' trace >waits
    [[ -s waits ]]
    awk -F '[=,]' '$2 > 0 || $4 > 200000000 {exit 1}' waits
}

@test "section 6: --lock-timeout: exit 5 when the lock is not to be had, with nothing stored" {
    signal s1 2026-02-05T10:00:00Z | store
    hold_lock
    run_split store --lock-timeout=0.05 <<<"$(signal s2 2026-02-05T10:00:00Z)"
    release_lock
    expect_status 5
    expect_err 'metaspn-write: ws/store/lock: the lock is held by another process; 0 events of the input are stored'
    [[ $(wc -l <ws/store/signals/2026-02-05.jsonl) == 1 ]]
    signal s2 2026-02-05T10:00:00Z | store
    [[ $(wc -l <ws/store/signals/2026-02-05.jsonl) == 2 ]]
}

@test "section 6: the lock file stays, the same file" {
    signal s1 2026-02-05T10:00:00Z | store
    local inode
    inode=$(stat -c %i ws/store/lock)
    signal s2 2026-02-05T10:00:00Z | store
    [[ $(stat -c %i ws/store/lock) == "$inode" && $(stat -c %s ws/store/lock) == 0 ]]
}

@test "nothing depends on TZ or the locale" {
    local zone
    for zone in UTC Asia/Kathmandu America/St_Johns; do
        rm -rf ws/store
        signal s1 2026-02-05T23:30:00-01:00 | TZ=$zone LC_ALL=de_DE.UTF-8 store
        [[ -e ws/store/signals/2026-02-06.jsonl ]]
    done
}
