#!/usr/bin/env bats
# metaspn-fsck: what it finds, and what it only counts.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing

# finds FINDING ...: these, and nothing else, exit 3.
finds()
{
    run_split fsck
    expect_out "$@"
    expect_status 3
}

# The store as it is, file by file, times of access apart.
state()
{
    find ws -printf '%p %y %m %s %T@ %i\n' | sort
    find ws -type f -exec cksum {} + | sort
}

# ---- a clean store

@test "a clean store: no findings, a summary, exit 0" {
    { signals 1 9; emission e1 2026-02-05T10:00:00Z; signal s10 2026-02-06T10:00:00Z; } | store
    run_split fsck
    expect_status 0
    expect_out
    expect_err 'metaspn-fsck: 0 findings in 11 lines of 3 partitions'
    run_split fsck -q
    expect_err
}

@test "what the other commands leave is clean" {
    cp "$BATS_TEST_DIRNAME"/data/sample-*.jsonl .
    store sample-signals.jsonl sample-emissions.jsonl
    metaspn-replay -C ws --checkpoint=worker --next=next -n 3 >lines
    metaspn-checkpoint -C ws advance worker --to=next
    metaspn-checkpoint -C ws advance other <lines
    metaspn-replay -C ws | metaspn-checkpoint build >ws/store/checkpoints/original.json
    metaspn-snapshot -C ws write state <<<'{"a":1}'
    metaspn-snapshot -C ws write digest --day=today <<<'{}'
    metaspn-snapshot -C ws write calibration --day=today <<<'{"bins":[]}'
    run_split fsck
    expect_status 0
    expect_out
}

@test "an empty store is clean" {
    mkdir ws/store
    run_split fsck
    expect_status 0
    expect_err 'metaspn-fsck: 0 findings in 0 lines of 0 partitions'
    [[ -z $(ls -A ws/store) ]]
}

@test "what is not ours is looked at by nobody" {
    store <<<"$(signal s1 2026-02-05T10:00:00Z)"
    mkdir ws/store/attic ws/store/checkpoints ws/store/snapshots
    echo x >ws/store/signals/2026-02-30.jsonl
    echo x >ws/store/signals/2026-02-05.jsonl.bak
    echo x >ws/store/attic/2026-02-05.jsonl
    echo x >ws/store/checkpoints/notes.txt
    echo x >ws/store/snapshots/digest.json
    run_split fsck
    expect_status 0
    expect_out
}

@test "nothing is made or changed without --repair" {
    { signals 1 3; echo x; } >lines
    mkdir -p ws/store/signals ws/store/checkpoints
    cp lines "$day"
    printf '{"signal' >>"$day"
    echo x >ws/store/checkpoints/w.json
    state >before
    run_split fsck
    expect_status 3
    state >after
    expect_same before after
    store <<<"$(signal s4 2026-02-06T10:00:00Z)"
    rm ws/store/index/lock
    state >before
    run_split fsck
    state >after
    expect_same before after
}

# ---- lines

@test "damage: each line is named with file, line and byte" {
    {
        signal s1 2026-02-05T10:00:00Z
        echo 'x'
        signal s2 2026-02-05T10:00:00Z
        printf '{"signal_id":"\xff"}\n'
        echo '[]'
        echo '{"signal_id":"","timestamp":"2026-02-05T10:00:00Z"}'
        echo '{"signal_id":"a"}'
        echo '{"signal_id":"a","timestamp":"never"}'
        emission e1 2026-02-05T10:00:00Z
        signal s3 2026-02-05T10:00:00Z
    } >lines
    mkdir -p ws/store/signals
    cp lines "$day"
    local offsets
    mapfile -t offsets < <(LC_ALL=C awk '{print total; total += length + 1}' lines)
    finds "$day:2:${offsets[1]}: damaged: expected a value: \"x\" (byte 1 of the line)" \
        "$day:4:${offsets[3]}: damaged: invalid UTF-8: \"\\xff\"}\" (byte 15 of the line)" \
        "$day:5:${offsets[4]}: damaged: not a JSON object: \"[]\" (byte 1 of the line)" \
        "$day:6:${offsets[5]}: damaged: signal_id: not a non-empty string: \"\" (byte 14 of the line)" \
        "$day:7:${offsets[6]}: damaged: timestamp: missing (byte 1 of the line)" \
        "$day:8:${offsets[7]}: damaged: timestamp: not a time: \"never\" (byte 30 of the line)" \
        "$day:9:${offsets[8]}: damaged: signal_id: missing (byte 1 of the line)"
    expect_err 'metaspn-fsck: 7 findings in 10 lines of 1 partition'
}

@test "damage in quarantine is only counted" {
    mkdir -p ws/store/signals
    { signals 1 2; echo x; echo y; } >"$day"
    run_split fsck --repair
    expect_status 0
    run_split fsck
    expect_status 0
    expect_out
    expect_err 'metaspn-fsck: 0 findings in 4 lines of 1 partition; lines: 2 in quarantine'
}

@test "damage of which quarantine has a copy that was changed since is found again" {
    local copy
    mkdir -p ws/store/signals
    { signals 1 2; echo damaged; } >"$day"
    run_split fsck --repair
    copy=(ws/store/quarantine/*)
    printf damages >"${copy[0]}"
    run_split fsck
    expect_status 3
    run_split metaspn-replay -C ws
    expect_status 3
}

@test "lines that are not canonical, and lines out of order, are only counted" {
    mkdir -p ws/store/signals
    {
        signal s1 2026-02-05T12:00:00Z
        signal s2 2026-02-05T11:00:00Z
        signal s3 2026-02-05T11:30:00Z
        signal s4 2026-02-05T12:00:00Z
        signal s5 2026-02-05T12:00:00+00:00
        signal s6 2026-02-05T12:00:00Z payload=NaN
        printf '%s\r\n' "$(signal s7 2026-02-05T12:00:00Z)"
        signal s8 2026-02-05T12:00:00Z schema_version=
        echo
    } >"$day"
    run_split fsck
    expect_status 0
    expect_out
    expect_err 'metaspn-fsck: 0 findings in 9 lines of 1 partition; lines: 4 not canonical, 2 out of order'
}

@test "an event in the wrong day's file is found" {
    mkdir -p ws/store/signals
    { signal s1 2026-02-05T23:00:00Z; signal s2 2026-02-05T23:30:00-01:00; } >"$day"
    finds "$day:2:$(signal s1 2026-02-05T23:00:00Z | wc -c): an event of another day: 2026-02-06T00:30:00Z"
}

@test "repeated ids are found, within a file and across days, in any spelling" {
    mkdir -p ws/store/signals ws/store/emissions
    signal aa 2026-02-04T10:00:00Z >ws/store/signals/2026-02-04.jsonl
    { signals 1 3; signal '\u0061a' 2026-02-05T10:00:00Z; signal s2 2026-02-05T11:00:00Z; } >"$day"
    emission s2 2026-02-05T10:00:00Z >ws/store/emissions/2026-02-05.jsonl
    local one escaped
    one=$(signals 1 1 | wc -c)
    escaped=$(signal '\u0061a' 2026-02-05T10:00:00Z | wc -c)
    finds "$day:4:$((3 * one)): signal_id \"\\u0061a\" stands in ws/store/signals/2026-02-04.jsonl already, at byte 0" \
        "$day:5:$((3 * one + escaped)): signal_id \"s2\" stands in $day already, at byte $one"
}

@test "the lines of repeated ids are counted in each file from its start" {
    mkdir -p ws/store/signals
    { signals 1 9; signals 1 1; } >"$day"
    { signal t1 2026-02-06T10:00:00Z; signal t2 2026-02-06T10:00:00Z; signals 10 18; signals 2 2; } >ws/store/signals/2026-02-06.jsonl
    run_split fsck
    [[ $(grep stands "$out" | cut -d: -f 1,2) == "$day:10"$'\n'ws/store/signals/2026-02-06.jsonl:12 ]]
}

@test "an id that occurs three times is found twice" {
    mkdir -p ws/store/emissions
    for i in 1 2 3; do emission e1 "2026-02-05T10:00:0$i""Z"; done >ws/store/emissions/2026-02-05.jsonl
    run_split fsck
    [[ $(grep -c 'emission_id "e1" stands in .* already, at byte 0$' "$out") == 2 && $(wc -l <"$out") == 2 ]]
}

@test "many repeated ids are all found" {
    signals 1 3000 | store
    cp "$day" ws/store/signals/2026-02-04.jsonl
    run_split fsck
    [[ $(grep -c "^$day:.* stands in ws/store/signals/2026-02-04.jsonl already" "$out") == 3000 ]]
    [[ $(grep -c "^ws/store/signals/2026-02-04.jsonl:.*: an event of another day" "$out") == 3000 ]]
    expect_err_like '^metaspn-fsck: 6000 findings in 6000 lines of 2 partitions$'
}

# ---- torn ends

@test "a torn end is found: a fragment, or zero bytes, with a newline or without" {
    signals 1 2 >lines
    mkdir -p ws/store/signals
    local size
    size=$(wc -c <lines)
    { cat lines; printf '{"signal_id":"s3","times'; } >"$day"
    finds "$day:3:$size: torn end: 24 bytes that are no event"
    { cat lines; head -c 4096 /dev/zero; } >"$day"
    finds "$day:3:$size: torn end: 4096 bytes that are no event"
    { cat lines; head -c 10 /dev/zero; echo; } >"$day"
    finds "$day:3:$size: torn end: 11 bytes that are no event"
    { cat lines; echo '{"a":1}' | tr -d '\n'; } >"$day"
    finds "$day:3:$size: torn end: 7 bytes that are no event"
}

@test "a last line without newline that is a whole event is none" {
    mkdir -p ws/store/signals
    signals 1 2 | head -c -1 >"$day"
    run_split fsck
    expect_status 0
    expect_err 'metaspn-fsck: 0 findings in 2 lines of 1 partition'
}

@test "an end that somebody is writing is waited for" {
    mkdir -p ws/store/signals
    signals 1 1 >"$day"
    mkfifo go
    {
        printf '%s' "$(signals 2 2 | head -c 50)"
        read -r _ <go
        sleep 0.3
        signals 2 3 | tail -c +51
    } >>"$day" &
    eventually grep -qz '}.{"entity' "$day"
    echo >go
    run_split patiently metaspn-fsck -C ws
    wait
    expect_status 0
    expect_out
}

# writes_while_it_is_read PYTHON: somebody has a fragment after the first line, and goes on while fsck waits.
writes_while_it_is_read()
{
    mkdir -p ws/store/signals
    signals 1 1 >"$day"
    /usr/bin/python3 -c '
import sys, time
with open(sys.argv[1], "ab", buffering=0) as file:
    size = file.tell()
    file.write(b"frag")
    time.sleep(0.5)
    exec(sys.argv[2])' "$day" "$1" 3>&- &
    eventually grep -q frag "$day"
    run_split patiently metaspn-fsck -C ws
    wait
}

@test "an end that turns out to be damaged is the line that it was" {
    writes_while_it_is_read 'file.write(b"ment\n")'
    expect_status 3
    [[ $(cut -d: -f 1-3 "$out") == "$day:2:$(signals 1 1 | wc -c)" ]]
}

@test "an end that is cut off meanwhile is none" {
    writes_while_it_is_read 'file.truncate(size)'
    expect_status 0
    expect_out
}

@test "an end that somebody holds open and does not go on with is torn" {
    mkdir -p ws/store/signals
    exec {writer}>>"$day"
    printf '{"sig' >&"$writer"
    finds "$day:1:0: torn end: 5 bytes that are no event"
    exec {writer}>&-
}

@test "a program that has always begun the next line does not keep it from its end" {
    mkdir -p ws/store/signals
    signals 1 1 >"$day"
    /usr/bin/python3 -c '
import itertools, sys, time
model, rest = open(sys.argv[1], "rb").read(), b""
with open(sys.argv[1], "ab", buffering=0) as file:
    for n in itertools.count(2):
        line = model.replace(b"s1", b"s%d" % n)
        file.write(rest + line[:100])
        rest = line[100:]
        time.sleep(0.05)' "$day" 3>&- &
    eventually grep -q '"s2"' "$day"
    run_split timeout 60 metaspn-fsck -C ws
    kill $!
    wait $! || true
    expect_status 0
    expect_out
}

# ---- documents

@test "checkpoints that are none are found" {
    mkdir -p ws/store/checkpoints
    : >ws/store/checkpoints/empty.json
    echo '{"last_timestamp":"2026-02-05T10:00:00Z"' >ws/store/checkpoints/cut.json
    echo '{"last_timestamp":5}' >ws/store/checkpoints/wrong.json
    echo '{"last_timestamp":"2026-02-05T10:00:00Z","schema_version":"0.1","seen_ids_at_timestamp":["a"]}' \
        >ws/store/checkpoints/good.json
    run_split fsck
    expect_status 3
    cut -d: -f 1,2 "$out" >got
    expect_file got 'ws/store/checkpoints/cut.json: damaged' 'ws/store/checkpoints/empty.json: damaged' \
        'ws/store/checkpoints/wrong.json: damaged'
}

@test "a position that does not fit is found, one of a day that has gone is not" {
    { signals 1 3; signal t1 2026-02-06T10:00:00Z; signal u1 2026-02-07T10:00:00Z; } | store
    metaspn-replay -C ws --checkpoint=w --next=next >lines
    metaspn-checkpoint -C ws advance w --to=next
    run_split fsck
    expect_status 0
    sed -i 's/"s2"/"x2"/' "$day"
    rm ws/store/signals/2026-02-07.jsonl
    finds 'ws/store/checkpoints/w.json: the position in 2026-02-05 does not fit: that day is due from its start'
}

@test "a position at the start fits with the hash of no bytes alone" {
    signals 1 3 | store
    metaspn-checkpoint -C ws write w <<<'{"kind":"signals","last_timestamp":"2026-02-05T00:00:00Z","positions":{
        "2026-02-05":{"hash":"0000000000000000","offset":0}}}'
    finds 'ws/store/checkpoints/w.json: the position in 2026-02-05 does not fit: that day is due from its start'
    metaspn-checkpoint -C ws reset w --to=2026-02-05T00:00:00Z
    run_split fsck
    expect_status 0
}

@test "snapshots that are none are found" {
    mkdir -p ws/store/snapshots
    echo '{"a":1' >ws/store/snapshots/state__2026-02-05T100000Z.json
    echo '[]' >ws/store/snapshots/state__2026-02-05T100001Z.json
    echo '{"a":1}' >ws/store/snapshots/state__2026-02-05T100002Z.json
    run_split fsck
    expect_status 3
    cut -d: -f 1,2 "$out" >got
    expect_file got 'ws/store/snapshots/state__2026-02-05T100000Z.json: damaged at byte 8' \
        'ws/store/snapshots/state__2026-02-05T100001Z.json: damaged'
}

@test "a daily snapshot that is not wrapped as one of its day is found" {
    mkdir -p ws/store/snapshots
    echo '{"day":"2026-02-05","digest":{},"schema_version":"0.1"}' >ws/store/snapshots/digest__2026-02-05.json
    echo '{"day":"2026-02-05","digest":{},"schema_version":"0.1"}' >ws/store/snapshots/digest__2026-02-06.json
    echo '{"day":"2026-02-05","digest":{},"schema_version":"0.1"}' >ws/store/snapshots/scores__2026-02-05.json
    echo '{"report":{}}' >ws/store/snapshots/scores__2026-02-06.json
    finds 'ws/store/snapshots/scores__2026-02-05.json: report: is not an object' \
        'ws/store/snapshots/digest__2026-02-06.json: day: is not "2026-02-06"' \
        'ws/store/snapshots/scores__2026-02-06.json: day: is not "2026-02-06"'
}

@test "temporaries that were left over are found, those of a running command are not" {
    store <<<"$(signal s1 2026-02-05T10:00:00Z)"
    mkdir -p ws/store/checkpoints ws/store/snapshots
    touch -d '2 hours ago' ws/store/checkpoints/.tmp-metaspn-0123456789abcdef ws/store/index/.tmp-metaspn-0123456789abcdef
    touch ws/store/snapshots/.tmp-metaspn-0123456789abcdef
    finds 'ws/store/checkpoints/.tmp-metaspn-0123456789abcdef: a temporary that was left over' \
        'ws/store/index/.tmp-metaspn-0123456789abcdef: a temporary that was left over'
}

# ---- the index

@test "an index that is missing, or behind, is no finding" {
    signals 1 9 | store
    signals 10 12 >>"$day"
    signal t1 2026-02-06T10:00:00Z >ws/store/signals/2026-02-06.jsonl
    run_split fsck
    expect_status 0
    rm -rf ws/store/index
    run_split fsck
    expect_status 0
    [[ ! -e ws/store/index ]]
}

@test "an index of a partition that was replaced is no finding: the next command notices" {
    signals 1 9 | store
    signals 11 19 >other
    mv other "$day"
    run_split fsck
    expect_status 0
}

@test "an index that is damaged is found" {
    local file seek=100
    signals 1 9 | store
    cp -r ws/store/index good
    for file in ws/store/index/{manifest,ids-*,refs-*}; do
        printf x | dd of="$file" bs=1 seek="$seek" conv=notrunc 2>"$err"
        run_split fsck
        expect_status 3
        [[ $(wc -l <"$out") == 1 && $(cut -d: -f 1 "$out") == ws/store/index ]]
        cp good/* ws/store/index
        seek=4200
    done
    rm ws/store/index/ids-*
    run_split fsck
    expect_status 3
}

@test "an index that knows of no repeated id where there is one is found" {
    local bytes
    signals 1 100 | store
    bytes=$(head -n 2 "$day" | wc -c)
    sed 's/"s3"/"s1"/' "$day" >other
    dd if=other of="$day" conv=notrunc 2>"$err"
    signals 101 101 >>"$day"
    finds "$day:3:$bytes: signal_id \"s1\" stands in $day already, at byte 0" \
        "ws/store/index: $day: repeated ids: 1, not 0"
}

@test "an index whose counts are not those of the partition is found" {
    signals 1 100 | store
    printf 'xx' | dd of="$day" conv=notrunc 2>"$err"
    signals 101 101 >>"$day"
    finds "$day:1:0: damaged: expected a value: \"xxentity_refs\" (byte 1 of the line)" \
        "ws/store/index: $day: events: 99, not 100, damaged lines: 1, not 0, other times"
}

# ---- beside writers

@test "a store is clean at any time while others write to it" {
    local i
    store <<<"$(signal s0 2026-02-05T10:00:00Z)"
    {
        for i in {1..40}; do
            signals "$((i * 50 + 1))" "$((i * 50 + 50))" | store
        done
        touch finished
    } &
    until [[ -e finished ]]; do
        run_split fsck
        expect_status 0
        expect_out
    done
    wait
}
