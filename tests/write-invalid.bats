#!/usr/bin/env bats
# metaspn-write: input that is refused, and what becomes of it.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing

# shown TEXT [BYTES]: what a message shows of a long text, its first 60 columns
shown()
{
    printf '"%.*s..."' "${2:-60}" "$1"
}

# ---- section 3: what is refused. B is what every signal here has after its id.

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
    [[ $(stored signals 2026-02-05 | wc -l) == 2 ]]
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
    stored signals 2026-02-05 | expect_same line -
}

@test "section 5: an offending value is cut short and made printable" {
    printf '%s' "$(signal s1 2026-02-05T10:00:00Z timestamp='"\u001b[31m'"$(printf 'x%.0s' {1..200})"'"')" >line
    run_split store line
    expect_status 3
    [[ $(wc -l <"$err") == 1 && $(wc -c <"$err") -lt 200 ]]
    run ! grep -q $'\x1b' "$err"
    expect_err_like '^metaspn-write: line:1: timestamp: not an RFC 3339 time: ".*\.\.\.": not stored, nor is what follows$'
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
    expect_file <(stored signals 2026-02-05) "$(signal s1 2026-02-05T10:00:00Z)"
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
    [[ $(stored signals 2026-02-05 | wc -l) == 2 ]]
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
    [[ $(stored signals 2026-02-05 | wc -l) == 1 ]]
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
