#!/usr/bin/env bats
# metaspn-write: where events go, what is stored, which input is read. Durability has files of its own.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing

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
    [[ $(stored signals 2026-02-05 | wc -l) == 2 ]]
}

@test "section 2: lines are appended in the order of the input" {
    for i in 3 1 2; do signal "s$i" "2026-02-05T10:00:0$i""Z"; done >lines
    store lines
    stored signals 2026-02-05 | expect_same lines -
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
    stored signals 2026-02-05 | expect_same lines -
}

@test "section 3: a blank line is skipped, CR before LF is white space, a last line needs no LF" {
    printf '\n  \t\r\n%s\r\n\n%s' "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T10:00:01Z)" | store
    expect_file <(stored signals 2026-02-05) "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T10:00:01Z)"
}

@test "section 3: empty input is done" {
    run_split store </dev/null
    expect_status 0
    expect_out
    expect_err
}

# ---- section 5: FILE operands, exit codes

@test "section 5: FILEs are read in their order, - is stdin" {
    signal s1 2026-02-05T10:00:00Z >one
    signal s2 2026-02-05T10:00:00Z >two
    signal s3 2026-02-05T10:00:00Z | store one - two
    stored signals 2026-02-05 | jq -r .signal_id >"$out"
    expect_out s1 s3 s2
}

@test "section 5: FILEs are relative to the current directory, whatever -C says" {
    signal s1 2026-02-05T10:00:00Z >events
    store events
    [[ -n $(stored signals 2026-02-05) ]]
}

@test "section 5: a missing FILE and a directory are exit 5, and the others are read" {
    signal s1 2026-02-05T10:00:00Z >one
    mkdir folder
    run_split store nofile folder one
    expect_status 5
    expect_err 'metaspn-write: nofile: cannot open: No such file or directory' \
        'metaspn-write: folder: cannot open: Is a directory'
    [[ $(stored signals 2026-02-05 | wc -l) == 1 ]]
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

# ---- section 6: the rest

@test "section 6: --no-sync stores all the same" {
    signal s1 2026-02-05T10:00:00Z | store --no-sync
    run_split store --print=result <<<"$(signal s1 2026-02-05T10:00:00Z)"
    [[ $(jq -r .status "$out") == duplicate ]]
}

@test "section 6: a slow producer's event waits 200 ms for others at most" {
    needs_strace
    mkfifo fifo
    strace -f -o trace -e trace=poll,ppoll metaspn-write -C ws fifo 3>&- &
    writer=$!
    exec {input}>fifo
    signal s1 2026-02-05T10:00:00Z >&"$input"
    eventually holds signals signal_id
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
    [[ $(stored signals 2026-02-05 | wc -l) == 1 ]]
    signal s2 2026-02-05T10:00:00Z | store
    [[ $(stored signals 2026-02-05 | wc -l) == 2 ]]
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
        [[ -n $(stored signals 2026-02-06) ]]
    done
}
