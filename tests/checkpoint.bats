#!/usr/bin/env bats
# metaspn-checkpoint build, read, write, delete and list. What a replay makes of a checkpoint is in resume.bats.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load workers

# ---- build

@test "build: the last timestamp and the ids at it, in the order processed, each once" {
    {
        signal b 2026-02-05T09:00:00Z
        signal s2 2026-02-05T10:00:00.5Z
        signal s1 2026-02-05T11:30:00.5+01:00
        signal s2 2026-02-05T10:30:00.500000Z
        signal s1 2026-02-05T10:30:00.5Z
    } >in
    run_split metaspn-checkpoint build in
    expect_status 0
    expect_out '{"last_timestamp":"2026-02-05T10:30:00.500000Z","schema_version":"0.1","seen_ids_at_timestamp":["s1","s2"]}'
}

@test "build: of emissions too, from stdin and several FILEs, without a workspace" {
    emission e1 2026-02-05T10:00:00Z >one
    emission 'e\"ü' 2026-02-05T10:00:00Z >two
    rm -r "$ws"
    run_split metaspn-checkpoint build one - <two
    expect_status 0
    expect_out '{"last_timestamp":"2026-02-05T10:00:00Z","schema_version":"0.1","seen_ids_at_timestamp":["e1","e\"\u00fc"]}'
}

@test "build: no events print nothing, exit 0" {
    run_split metaspn-checkpoint build <<<$'\n  '
    expect_status 0
    expect_out
    run_split metaspn-checkpoint build /dev/null
    expect_status 0
    expect_out
}

@test "build: timestamps that go down are invalid, so is what is no event, and an event of the other kind" {
    { signal s1 2026-02-05T10:00:00Z; signal s2 2026-02-05T09:59:59Z; } >down
    run_split metaspn-checkpoint build down
    expect_status 3
    expect_out
    expect_err 'metaspn-checkpoint: down:2: the timestamps go down, from 2026-02-05T10:00:00Z to 2026-02-05T09:59:59Z; no checkpoint was printed'
    { signal s1 2026-02-05T10:00:00Z; echo '{"signal_id":"s2"}'; } >bad
    run_split metaspn-checkpoint build bad
    expect_status 3
    expect_out
    expect_err_like '^metaspn-checkpoint: bad:2: is no event: timestamp: missing'
    { signal s1 2026-02-05T10:00:00Z; emission e1 2026-02-05T10:00:00Z; } >mixed
    run_split metaspn-checkpoint build mixed
    expect_status 3
    expect_err_like '^metaspn-checkpoint: mixed:2: '
}

@test "build and advance: what is no event is told by the kind whose id it has" {
    local signal emission first line what
    signal=$(signal s1 2026-02-05T10:00:00Z)
    emission=$(emission e1 2026-02-05T10:00:00Z)
    printf '%s\n' "$signal" "$emission" | metaspn-write -C ws
    while IFS='|' read -r first line what; do
        rm -f ws/store/checkpoints/w.json
        printf '%s\n' ${first:+"${!first}"} "$line" >in
        what="metaspn-checkpoint: in:$((${#first} ? 2 : 1)): is $what"
        run_split metaspn-checkpoint build in
        expect_status 3
        expect_err "$what; no checkpoint was printed"
        run_split checkpoint advance w in
        expect_status 3
        expect_err "$what; what precedes it counts"
    done <<'CASES'
|{"signal_id":"s","timestamp":"soon"}|no event: timestamp: not a time: "soon"
signal|{"signal_id":"s","timestamp":"soon"}|no event: timestamp: not a time: "soon"
|{"emission_id":"e","timestamp":"soon"}|no event: timestamp: not a time: "soon"
|{"emission_id":""}|no event: emission_id: not a non-empty string: ""
|{"emission_id":"e","timestamp":NaN}|no event: timestamp: not a time: "NaN"
|{"id":"s"}|no event: neither signal_id nor emission_id: "{"id":"s"}"
signal|{"id":"s"}|no event: neither signal_id nor emission_id: "{"id":"s"}"
|[]|no event: not a JSON object: "[]"
emission|[]|no event: not a JSON object: "[]"
signal|{"emission_id":"e","timestamp":"2026-02-05T10:00:00Z"}|an emission, but only signals are accepted: "e"
emission|{"signal_id":17}|a signal, but only emissions are accepted: "17"
CASES
}

@test "build: a FILE that cannot be read is exit 5, and no checkpoint is printed" {
    signal s1 2026-02-05T10:00:00Z >one
    run_split metaspn-checkpoint build one missing
    expect_status 5
    expect_out
    expect_err_like missing
}

@test "build: takes no more memory for many long lines than for one" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "not under $METASPN_TESTED_UNDER, which takes more"
    signal s1 2026-02-05T10:00:00Z payload="\"$(head -c 4000000 /dev/zero | tr '\0' x)\"" >line
    for _ in {1..40}; do
        cat line
    done | prlimit --as=100000000 metaspn-checkpoint build >"$out"
    expect_out '{"last_timestamp":"2026-02-05T10:00:00Z","schema_version":"0.1","seen_ids_at_timestamp":["s1"]}'
}

@test "build | write: what the original does, byte for byte" {
    six
    replay -q | metaspn-checkpoint build | checkpoint write w
    expect_file <(document checkpoints w) '{"last_timestamp":"2026-02-05T11:00:00Z","schema_version":"0.1","seen_ids_at_timestamp":["s6"]}'
}

# ---- read, write, delete, list

@test "write and read: canonical, other members and their numbers kept" {
    run_split checkpoint write w <<<'{ "seen_ids_at_timestamp": ["a", "\u00fc"], "last_timestamp": "2026-02-05T10:00:00+00:00",
        "mine": {"b": 1.10, "a": 123456789012345678901234567890} }'
    expect_status 0
    expect_out
    run_split checkpoint read w
    expect_status 0
    expect_out '{"last_timestamp":"2026-02-05T10:00:00+00:00","mine":{"a":123456789012345678901234567890,"b":1.10},"seen_ids_at_timestamp":["a","\u00fc"]}'
    document checkpoints w | expect_same "$out" -
}

@test "write: empty stdin changes nothing, exit 0" {
    run_split checkpoint write w </dev/null
    expect_status 0
    no_checkpoint w
    checkpoint write w <<<'{"last_timestamp":"2026-02-05T10:00:00Z"}'
    document checkpoints w >before
    run_split checkpoint write w </dev/null
    expect_status 0
    document checkpoints w | expect_same before -
}

@test "write: what is no checkpoint is exit 3, says which member is wrong, and changes nothing" {
    checkpoint write w <<<'{"last_timestamp":"2026-02-05T10:00:00Z"}'
    document checkpoints w >before
    local t='"last_timestamp":"2026-02-05T10:00:00Z"'
    while IFS='|' read -r document what; do
        run_split checkpoint write w <<<"$document"
        expect_status 3
        expect_out
        expect_err "metaspn-checkpoint: -: $what; nothing was stored"
        document checkpoints w | expect_same before -
    done <<CASES
[]|not a JSON object: "[]"
{}|last_timestamp: missing
{"last_timestamp":17}|last_timestamp: must be a time, not 17
{"last_timestamp":"soon"}|last_timestamp: must be a time, not "soon"
{$t,"kind":"signal"}|kind: must be signals or emissions, not "signal"
{$t,"seen_ids_at_timestamp":"a"}|seen_ids_at_timestamp: must be an array of strings, not "a"
{$t,"seen_ids_at_timestamp":[1]}|seen_ids_at_timestamp: must be an array of strings, not [1]
{$t,"positions":[]}|positions: must be an object, not []
{$t,"positions":{"today":{}}}|positions: "today" is no day
{$t,"positions":{"2026-02-30":{}}}|positions: "2026-02-30" is no day
{$t,"positions":{"2026-02-05":4}}|positions.2026-02-05: must be an object, not 4
{$t,"positions":{"2026-02-05":{}}}|positions.2026-02-05.offset: missing
{$t,"positions":{"2026-02-05":{"offset":-1}}}|positions.2026-02-05.offset: must be a whole number from 0, not -1
{$t,"positions":{"2026-02-05":{"offset":1.5}}}|positions.2026-02-05.offset: must be a whole number from 0, not 1.5
{$t,$t}|invalid JSON at byte 42: duplicate member "last_timestamp"
CASES
}

@test "read and delete: an absent checkpoint is exit 1" {
    six
    for command in read delete; do
        run_split checkpoint "$command" w
        expect_status 1
        expect_out
        expect_err 'metaspn-checkpoint: no checkpoint "w"'
    done
    checkpoint write w <<<'{"last_timestamp":"2026-02-05T10:00:00Z"}'
    run_split checkpoint delete w
    expect_status 0
    expect_out
    no_checkpoint w
}

@test "read: a damaged checkpoint is exit 5, the empty one of an interrupted write too" {
    mkdir -p ws/store/checkpoints
    : >ws/store/checkpoints/w.json
    run_split checkpoint read w
    expect_status 5
    expect_out
    expect_err "metaspn-checkpoint: $ws/store/checkpoints/w.json: damaged: is empty"
    printf '{"last_timestamp":"2026-' >ws/store/checkpoints/w.json
    run_split checkpoint read w
    expect_status 5
    expect_err_like '/w\.json: damaged: invalid JSON at byte '
    run_split checkpoint advance w <<<''
    expect_status 5
    run_split checkpoint reset w --to=now
    expect_status 5
    run_split checkpoint delete w
    expect_status 0
}

@test "list: names, sorted; other files are not ours" {
    six
    run_split checkpoint list
    expect_status 0
    expect_out
    for name in b a 'c d' ü; do
        checkpoint write "$name" <<<'{"last_timestamp":"2026-02-05T10:00:00Z"}'
    done
    touch ws/store/checkpoints/{notes.txt,.hidden.json,x.json.tmp}
    run_split checkpoint list
    expect_status 0
    expect_out a b 'c d' ü
}

@test "list --format=table: name, kind, last timestamp, bytes behind, file time" {
    six
    replay -q | head -n 3 | checkpoint advance half
    replay -q | metaspn-checkpoint build | checkpoint write time
    checkpoint reset none --to=2026-01-01 --kind=emissions
    touch -d 2026-02-05T17:00:00.9Z ws/store/checkpoints/*.json
    local size
    size=$(stored signals | wc -c)
    run_split checkpoint list --format=table
    expect_status 0
    expect_out half$'\t'signals$'\t'2026-02-04T10:00:00Z$'\t'$((size - $(place 2026-02-03 2) - $(place 2026-02-04 1)))$'\t'2026-02-05T17:00:00Z \
        none$'\t'emissions$'\t'2026-01-01T00:00:00Z$'\t'0$'\t'2026-02-05T17:00:00Z \
        time$'\t'signals$'\t'2026-02-05T11:00:00Z$'\t'0$'\t'2026-02-05T17:00:00Z
}

@test "list --format=table: a time of the file that no timestamp can hold" {
    local time
    # the file systems of disks do not keep such times
    elsewhere=$(mktemp -d /dev/shm/metaspn.XXXXXX) || skip 'there is no /dev/shm'
    six
    checkpoint reset w --to=now
    cp -R ws/store "$elsewhere"
    for time in -99999999999999,0001-01-01T00:00:00Z -2,1969-12-31T23:59:57Z 99999999999999,9999-12-31T23:59:59Z; do
        touch -d "@${time%,*}.5" "$elsewhere/store/checkpoints/w.json"
        run_split metaspn-checkpoint -C "$elsewhere" list --format=table
        expect_status 0
        [[ $(cut -f 5 "$out") == "${time#*,}" ]]
    done
}

@test "list --format=table: where the position does not fit any more, the whole day is behind" {
    six
    checkpoint reset w --to=now
    sed -i 's/"n":1/"n":2/' ws/store/signals/2026-02-04.jsonl
    run_split checkpoint list --format=table
    [[ $(cut -f 4 "$out") == "$(stored signals 2026-02-04 | wc -c)" ]]
}

@test "list --format=table: a damaged checkpoint is told, the others are listed, exit 5" {
    six
    checkpoint reset a --to=now
    checkpoint reset c --to=now
    : >ws/store/checkpoints/b.json
    run_split checkpoint list --format=table
    expect_status 5
    [[ $(cut -f 1 "$out" | paste -sd' ') == 'a c' ]]
    expect_err_like '/b\.json: damaged'
}

@test "a link, a FIFO or a folder in the place of a checkpoint is exit 5, naming it" {
    six
    mkdir -p ws/store/checkpoints/folder.json
    ln -s /etc/passwd ws/store/checkpoints/link.json
    mkfifo ws/store/checkpoints/fifo.json
    for name in folder link fifo; do
        for command in 'read' 'delete' 'reset --to=now' 'advance /dev/null'; do
            # shellcheck disable=SC2086 # several words
            run_split checkpoint ${command%% *} "$name" ${command#"${command%% *}"}
            expect_status 5
            expect_err_like "checkpoints/$name\\.json: is "
        done
        run_split checkpoint write "$name" <<<'{"last_timestamp":"2026-02-05T10:00:00Z"}'
        expect_status 5
    done
    run_split checkpoint list
    expect_status 5
}

# ---- the command line

@test "names: 1-200 bytes of UTF-8, no slash, no control character, no leading dot; else exit 2" {
    local long
    long=$(printf 'x%.0s' {1..200})
    run_split checkpoint write "$long" <<<'{"last_timestamp":"2026-02-05T10:00:00Z"}'
    expect_status 0
    for name in '' "${long}x" a/b ../w .w $'a\nb' $'a\xff'; do
        run_split checkpoint read "$name"
        expect_status 2
        expect_err_like 'checkpoint'
    done
}

@test "what is wrong with the command line is exit 2" {
    while read -r -a words; do
        run_split checkpoint "${words[@]}" </dev/null
        expect_status 2
        expect_out
        expect_err_like "^Try 'metaspn-checkpoint --help'\.$"
    done <<'CASES'

walk
read
read a b
write
list a
list --format=lines
read a --format=table
read a --to=now
advance
advance a --to=
advance a --to=f g
advance a --kind=signals
reset a
reset a --to=someday
reset a --to=now --kind=all
build --to=now
CASES
}

@test "a workspace without store is exit 5 to read, list and delete; write makes one" {
    for command in 'read w' 'delete w' list 'list --format=table'; do
        # shellcheck disable=SC2086 # several words
        run_split checkpoint $command
        expect_status 5
        expect_out
        [[ ! -e ws/store ]]
    done
    run_split checkpoint write w <<<'{"last_timestamp":"2026-02-05T10:00:00Z"}'
    expect_status 0
    run_split metaspn-checkpoint -C missing write w <<<'{"last_timestamp":"2026-02-05T10:00:00Z"}'
    expect_status 5
}

@test "write: a mistyped workspace is exit 5 whatever stdin holds, and nothing is made" {
    mkdir -p named/signals
    local input
    for input in '' '[]' '{"last_timestamp":"2026-02-05T10:00:00Z"}'; do
        run_split metaspn-checkpoint -C missing write w <<<"$input"
        expect_status 5
        expect_err 'metaspn-checkpoint: missing: No such file or directory'
        run_split metaspn-checkpoint -C named write w <<<"$input"
        expect_status 5
        run_split metaspn-checkpoint write w <<<"$input"
        expect_status 5
    done
    [[ ! -e store && ! -e named/store ]]
    run_split checkpoint write w </dev/null
    expect_status 0
    [[ ! -e ws/store ]]
}

# ---- reset

@test "list as a table: where a partition cannot be read, the workers of the other kind are listed, exit 5" {
    signal s1 2026-02-05T10:00:00Z | metaspn-write -C ws
    emission e1 2026-02-05T10:00:00Z | metaspn-write -C ws
    checkpoint reset a --to=now --kind=emissions
    checkpoint reset b --to=now
    checkpoint reset c --to=now --kind=emissions
    mkfifo ws/store/signals/2026-02-04.jsonl
    run_split checkpoint list --format=table
    expect_status 5
    cut -f 1-4 "$out" >got
    expect_file got $'a\temissions\t2026-02-05T18:00:00Z\t0' $'c\temissions\t2026-02-05T18:00:00Z\t0'
    expect_err "metaspn-checkpoint: $ws/store/signals/2026-02-04.jsonl: is not a regular file"
    checkpoint delete b
    run_split checkpoint list --format=table
    expect_status 5
    [[ $(wc -l <"$out") == 2 ]]
    mkfifo ws/store/emissions/2026-02-04.jsonl
    run_split checkpoint list --format=table
    expect_status 5
    expect_out
    expect_err "metaspn-checkpoint: $ws/store/signals/2026-02-04.jsonl: is not a regular file" \
        "metaspn-checkpoint: $ws/store/emissions/2026-02-04.jsonl: is not a regular file"
}

# ---- atomically

@test "a reader sees the old checkpoint or the new one, and no temporary is left" {
    six
    checkpoint reset w --to=now
    for _ in {1..40}; do
        checkpoint reset w --to=2026-02-03
        checkpoint reset w --to=now
    done &
    background=$!
    while kill -0 "$background" 2>/dev/null; do
        checkpoint read w | jq -e .positions >/dev/null
    done
    wait "$background"
    background=
    [[ $(ls -A ws/store/checkpoints) == w.json ]]
}

@test "where it cannot be stored, the old one stands, exit 5" {
    six
    checkpoint reset w --to=now
    document checkpoints w >before
    run_split prlimit --fsize=100 metaspn-checkpoint -C ws reset w --to=2026-02-03
    expect_status 5
    document checkpoints w | expect_same before -
    [[ $(ls -A ws/store/checkpoints) == w.json ]]
}
