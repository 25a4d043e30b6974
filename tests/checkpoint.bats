#!/usr/bin/env bats
# metaspn-checkpoint. What a replay makes of a checkpoint is in resume.bats.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash
load helper

teardown()
{
    rm -rf "${elsewhere:-}"
    [[ -n ${background:-} ]] || return 0
    kill -KILL "$background" || true
}

checkpoint()
{
    metaspn-checkpoint -C "$ws" "$@"
}

replay()
{
    metaspn-replay -q -C "$ws" "$@"
}

# lay DAY LINE ...: a partition of signals as another program may have left it
lay()
{
    mkdir -p ws/store/signals
    printf '%s\n' "${@:2}" >"ws/store/signals/$1.jsonl"
}

# Two signals on each of three days, s1 to s6.
six()
{
    local i=0 day hour
    for day in 03 04 05; do
        for hour in 10 11; do
            signal "s$((++i))" "2026-02-${day}T$hour:00:00Z"
        done
    done | metaspn-write -C ws
}

# place DAY N: the position behind its first N lines
place()
{
    local IFS='' lines text
    mapfile lines <"ws/store/signals/$1.jsonl"
    text="${lines[*]:0:$2}"
    echo "${#text}"
}

# expect_places NAME DAY=N ...: the positions of a checkpoint, each behind the first N lines of its day
expect_places()
{
    local name=$1 wanted='{' entry
    shift
    for entry; do
        [[ $wanted == '{' ]] || wanted+=,
        wanted+=\"${entry%=*}\":$(place "${entry%=*}" "${entry#*=}")
    done
    diff -u --label got --label wanted <(checkpoint read "$name" | jq -c '.positions | map_values(.offset)') - <<<"$wanted}"
}

# expect_due NAME 'ID ...': what a replay with it prints
expect_due()
{
    replay --checkpoint="$1" >due || true
    diff -u --label got --label wanted <(ids_of due) - <<<"$2"
}

eventually()
{
    for _ in {1..500}; do
        ! "$@" || return 0
        sleep 0.02
    done
    echo "never: $*"
    return 1
}

# drained FD: what was written into this pipe has been read
drained()
{
    /usr/bin/python3 -c 'import fcntl, struct, sys, termios
sys.exit(struct.unpack("i", fcntl.ioctl(int(sys.argv[1]), termios.FIONREAD, bytes(4)))[0] > 0)' "$1"
}

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
    replay | metaspn-checkpoint build | checkpoint write w
    expect_file ws/store/checkpoints/w.json '{"last_timestamp":"2026-02-05T11:00:00Z","schema_version":"0.1","seen_ids_at_timestamp":["s6"]}'
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
    expect_same "$out" ws/store/checkpoints/w.json
}

@test "write: empty stdin changes nothing, exit 0" {
    run_split checkpoint write w </dev/null
    expect_status 0
    [[ ! -e ws/store/checkpoints/w.json ]]
    checkpoint write w <<<'{"last_timestamp":"2026-02-05T10:00:00Z"}'
    cp ws/store/checkpoints/w.json before
    run_split checkpoint write w </dev/null
    expect_status 0
    expect_same before ws/store/checkpoints/w.json
}

@test "write: what is no checkpoint is exit 3, says which member is wrong, and changes nothing" {
    checkpoint write w <<<'{"last_timestamp":"2026-02-05T10:00:00Z"}'
    cp ws/store/checkpoints/w.json before
    local t='"last_timestamp":"2026-02-05T10:00:00Z"'
    while IFS='|' read -r document what; do
        run_split checkpoint write w <<<"$document"
        expect_status 3
        expect_out
        expect_err "metaspn-checkpoint: -: $what; nothing was stored"
        expect_same before ws/store/checkpoints/w.json
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
    [[ ! -e ws/store/checkpoints/w.json ]]
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
    replay | head -n 3 | checkpoint advance half
    replay | metaspn-checkpoint build | checkpoint write time
    checkpoint reset none --to=2026-01-01 --kind=emissions
    touch -d 2026-02-05T17:00:00.9Z ws/store/checkpoints/*.json
    local size
    size=$(cat ws/store/signals/*.jsonl | wc -c)
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
    [[ $(cut -f 4 "$out") == "$(wc -c <ws/store/signals/2026-02-04.jsonl)" ]]
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

# ---- advance --to

# next OPTION ...: a checkpoint in the file n
next()
{
    replay --next=n "$@" >/dev/null
}

@test "advance --to: stores where replay got to, the kind in it, and other members stay" {
    six
    checkpoint write w <<<'{"last_timestamp":"0001-01-01T00:00:00Z","positions":{},"mine":1.0}'
    next --checkpoint=w -n 3
    run_split checkpoint advance w --to=n
    expect_status 0
    expect_out
    expect_err
    expect_places w 2026-02-03=2 2026-02-04=1
    [[ $(checkpoint read w | jq -c '[.kind,.last_timestamp,.seen_ids_at_timestamp,.schema_version]') == '["signals","2026-02-04T10:00:00Z",["s3"],"0.1"]' ]]
    grep -q '"mine":1\.0,' ws/store/checkpoints/w.json
}

@test "advance --to: in each partition the greater position; nothing moved is exit 0" {
    six
    next --checkpoint=w -n 3
    cp n n3
    next --checkpoint=w -n 5
    checkpoint advance w --to=n
    cp ws/store/checkpoints/w.json before
    run_split checkpoint advance w --to=n3
    expect_status 0
    expect_same before ws/store/checkpoints/w.json
    # one day forward, another one back
    jq -c --slurpfile b n3 '.positions["2026-02-04"] = $b[0].positions["2026-02-04"]' n >mixed
    replay --checkpoint=w --next=n | wc -l | grep -qx 1
    jq -c --slurpfile b n3 '.positions["2026-02-04"] = $b[0].positions["2026-02-04"]' n >mixed
    checkpoint advance w --to=mixed
    expect_places w 2026-02-03=2 2026-02-04=2 2026-02-05=2
}

@test "advance --to: a position before a newline that came since is no greater than the one behind it, nor the other way round" {
    six
    truncate -s -1 ws/store/signals/2026-02-05.jsonl
    next --checkpoint-file=none
    mv n before
    echo >>ws/store/signals/2026-02-05.jsonl
    next --checkpoint-file=none
    checkpoint advance w --to=n
    checkpoint read w >stored
    checkpoint advance w --to=before
    checkpoint read w | expect_same stored -
    checkpoint delete w
    checkpoint advance w --to=before
    checkpoint read w >stored
    checkpoint advance w --to=n
    checkpoint read w | expect_same stored -
}

@test "advance --to: the new position where the old one is of other bytes, though it stands at the same place" {
    six
    next --checkpoint=w
    checkpoint advance w --to=n
    sed -i 's/"s/"t/' ws/store/signals/2026-02-04.jsonl
    next --checkpoint=w
    checkpoint advance w --to=n
    expect_due w ''
}

@test "advance --to: the new position where the old one does not fit, and not one that fits nothing" {
    six
    next --checkpoint=w
    checkpoint advance w --to=n
    lay 2026-02-04 "$(signal t1 2026-02-04T10:00:00Z)"
    next --checkpoint=w
    checkpoint advance w --to=n
    expect_places w 2026-02-03=2 2026-02-04=1 2026-02-05=2
    jq -c '.positions["2026-02-04"] = {"hash":"0000000000000000","offset":99999}' n >wrong
    checkpoint advance w --to=wrong
    expect_places w 2026-02-03=2 2026-02-04=1 2026-02-05=2
}

@test "advance --to: a position whose partition is gone is kept" {
    six
    next --checkpoint=w
    checkpoint advance w --to=n
    mv ws/store/signals/2026-02-04.jsonl away
    signal s7 2026-02-05T12:00:00Z | metaspn-write -C ws
    next --checkpoint=w
    checkpoint advance w --to=n
    mv away ws/store/signals/2026-02-04.jsonl
    expect_places w 2026-02-03=2 2026-02-04=2 2026-02-05=3
    expect_due w ''
}

@test "advance --to: last_timestamp is the greatest, with the ids of both where they are equal" {
    six
    signal s7 2026-02-05T11:00:00Z | metaspn-write -C ws
    checkpoint write w <<<'{"last_timestamp":"2026-02-05T11:00:00Z","positions":{},"seen_ids_at_timestamp":["s6"]}'
    jq -nc '{last_timestamp:"2026-02-05T11:00:00Z",positions:{},seen_ids_at_timestamp:["s7","s6"]}' >n
    checkpoint advance w --to=n
    [[ $(checkpoint read w | jq -c '[.last_timestamp,.seen_ids_at_timestamp]') == '["2026-02-05T11:00:00Z",["s6","s7"]]' ]]
    jq -nc '{last_timestamp:"2026-02-05T10:00:00Z",positions:{},seen_ids_at_timestamp:["s5"]}' >n
    checkpoint advance w --to=n
    [[ $(checkpoint read w | jq -c '[.last_timestamp,.seen_ids_at_timestamp]') == '["2026-02-05T11:00:00Z",["s6","s7"]]' ]]
}

@test "advance --to: a FILE of another kind is exit 3, one that is no checkpoint too, one that is missing 5" {
    six
    emission e1 2026-02-05T10:00:00Z | metaspn-write -C ws
    next --checkpoint=w
    checkpoint advance w --to=n
    cp ws/store/checkpoints/w.json before
    metaspn-replay -q -C ws -k emissions --checkpoint=e --next=n >/dev/null
    run_split checkpoint advance w --to=n
    expect_status 3
    expect_err 'metaspn-checkpoint: n: is a checkpoint of emissions, not of signals; nothing was moved'
    echo '{"last_timestamp":' >n
    run_split checkpoint advance w --to=n
    expect_status 3
    expect_err_like '^metaspn-checkpoint: n: damaged: invalid JSON at byte .*; nothing was moved$'
    : >n
    run_split checkpoint advance w --to=n
    expect_status 3
    expect_err 'metaspn-checkpoint: n: damaged: is empty; nothing was moved'
    run_split checkpoint advance w --to=missing
    expect_status 5
    expect_same before ws/store/checkpoints/w.json
}

@test "advance --to: a FILE that is a pipe, or a FIFO that is waited for; a signal ends the wait" {
    six
    next --checkpoint=w -n 3
    run_split checkpoint advance w --to=/dev/stdin < <(cat n)
    expect_status 0
    expect_err
    expect_places w 2026-02-03=2 2026-02-04=1
    mkfifo fifo
    metaspn-checkpoint -C ws advance w --to=fifo 2>"$err" 3>&- &
    background=$!
    eventually sleeps "$background"
    kill -TERM "$background"
    status=0
    wait "$background" || status=$?
    background=
    expect_status 143
    expect_err
    next --checkpoint=w
    metaspn-checkpoint -C "$ws" advance w --to=fifo 3>&- &
    background=$!
    cat n >fifo
    wait "$background"
    background=
    expect_due w ''
}

@test "advance --to: two checkpoints by time become one with positions, before the first event still due" {
    six
    replay --until=2026-02-03T11:00:00Z | metaspn-checkpoint build | checkpoint write w
    replay --until=2026-02-05T10:00:00Z | metaspn-checkpoint build >n
    checkpoint advance w --to=n
    expect_places w 2026-02-03=2 2026-02-04=2 2026-02-05=1
    expect_due w s6
}

@test "advance --to: syncs the partitions whose position it moves, then stores, under the store's lock" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "strace does not go with $METASPN_TESTED_UNDER"
    # written by another program, so that nobody has synced them yet
    lay 2026-02-03 "$(signal s1 2026-02-03T10:00:00Z)"
    lay 2026-02-04 "$(signal s2 2026-02-04T10:00:00Z)"
    next --checkpoint=w -n 1
    strace -f -y -o trace -e trace=fdatasync,fsync,fcntl,rename,renameat,renameat2 metaspn-checkpoint -C ws advance w --to=n
    awk '/F_OFD_SETLK.*F_WRLCK/ && /store\/lock/ {locked = NR}
         /(fdatasync|fsync)\(.*2026-02-03\.jsonl/ {synced = NR}
         /(fdatasync|fsync)\(.*2026-02-04\.jsonl/ {too_much = NR}
         /rename.*w\.json/ {stored = NR}
         /F_UNLCK/ && /store\/lock/ {unlocked = NR}
         END {exit !(locked && locked < synced && synced < stored && (!unlocked || stored < unlocked) && !too_much)}' trace ||
        { cat trace; false; }
}

@test "advance --to: where the store's lock is not to be had nothing is moved, exit 5" {
    needs_strace
    six
    next --checkpoint=w
    run_split strace -o trace -P "$PWD/ws/store/lock" -e inject=fcntl:error=ENOLCK metaspn-checkpoint -C ws advance w --to=n
    expect_status 5
    expect_err 'metaspn-checkpoint: ws/store/lock: cannot lock: No locks available'
    [[ ! -e ws/store/checkpoints/w.json ]]
}

# ---- advance from lines

@test "advance: behind each line that was read, of leading ones in their order" {
    six
    replay --checkpoint=w | head -n 3 >lines
    run_split checkpoint advance w lines
    expect_status 0
    expect_out
    expect_places w 2026-02-03=2 2026-02-04=1
    expect_due w 's4 s5 s6'
    replay --checkpoint=w | checkpoint advance w
    expect_due w ''
}

@test "advance: a line that was passed already changes nothing; blank lines neither; no lines nothing at all" {
    six
    run_split checkpoint advance w </dev/null
    expect_status 0
    [[ ! -e ws/store/checkpoints/w.json ]]
    replay | head -n 5 >lines
    checkpoint advance w lines
    cp ws/store/checkpoints/w.json before
    { head -n 2 lines; echo; } | checkpoint advance w
    expect_same before ws/store/checkpoints/w.json
}

@test "advance: a line that is nowhere is invalid, what precedes it counts" {
    six
    { replay | head -n 3; signal s4 2026-02-04T11:00:00Z payload='{"n":2}'; replay | tail -n 2; } >lines
    run_split checkpoint advance w lines
    expect_status 3
    expect_err 'metaspn-checkpoint: lines:4: is not in the store; what precedes it counts'
    expect_places w 2026-02-03=2 2026-02-04=1
    for bad in 'no event' '{"signal_id":"s5"}' "$(replay | head -n 1 | head -c 50)"; do
        { replay | sed -n 4p; echo "$bad"; } >lines
        run_split checkpoint advance w lines
        expect_status 3
        expect_err_like '^metaspn-checkpoint: lines:2: '
        expect_places w 2026-02-03=2 2026-02-04=2
    done
}

@test "advance: a FILE that cannot be read is the end, exit 5; what precedes it counts, and nothing after it" {
    six
    replay -n 2 >b1
    replay | sed -n 3p >b2
    replay | tail -n 3 >b3
    run_split checkpoint advance w b1.typo b2
    expect_status 5
    expect_err 'metaspn-checkpoint: b1.typo: cannot open: No such file or directory; what precedes it counts'
    [[ ! -e ws/store/checkpoints/w.json ]]
    run_split checkpoint advance w b1 b2 . b3
    expect_status 5
    expect_err 'metaspn-checkpoint: .: cannot open: Is a directory; what precedes it counts'
    expect_due w 's4 s5 s6'
    # the same where it is met after a pause
    checkpoint delete w
    mkfifo pipe
    metaspn-checkpoint -C "$ws" advance w pipe missing b3 2>"$err" 3>&- &
    background=$!
    exec 4>pipe
    cat b1 >&4
    eventually test -e ws/store/checkpoints/w.json
    exec 4>&-
    status=0
    wait "$background" || status=$?
    background=
    expect_status 5
    expect_err 'metaspn-checkpoint: missing: cannot open: No such file or directory; what precedes it counts'
    expect_due w 's3 s4 s5 s6'
}

@test "advance: a store that cannot be read from the start is exit 5" {
    six
    replay >lines
    mkfifo ws/store/signals/2026-02-06.jsonl
    run_split checkpoint advance w lines
    expect_status 5
    expect_err "metaspn-checkpoint: $ws/store/signals/2026-02-06.jsonl: is not a regular file"
    [[ ! -e ws/store/checkpoints/w.json ]]
    run_split metaspn-checkpoint -C nowhere advance w lines
    expect_status 5
    expect_err 'metaspn-checkpoint: nowhere: No such file or directory'
}

@test "advance: where the store cannot be read, what precedes counts too; where that cannot be stored, nobody says so" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "strace does not go with $METASPN_TESTED_UNDER"
    six
    replay >lines
    local i line failed=
    for i in {1..8}; do
        run_split strace -f -o trace -P "$ws/store/signals/2026-02-04.jsonl" -e inject=pread64:error=EIO:when="$i" \
            metaspn-checkpoint -C "$ws" advance "w$i" lines
        [[ $status == 5 ]] || continue
        if [[ $(<"$err") != *lines:* ]]; then # it was the hash of a position that is to be stored
            [[ ! -e ws/store/checkpoints/w$i.json ]]
            continue
        fi
        expect_err_like '^metaspn-checkpoint: lines:[34]: .*/2026-02-04\.jsonl: cannot read: Input/output error; what precedes it counts$'
        line=$(cut -d: -f 3 "$err")
        tail -n +"$line" lines >rest
        expect_due "w$i" "$(ids_of rest)"
        failed+=x
    done
    [[ $failed ]]
    { replay -n 3; echo '{}'; } >lines
    run_split strace -f -o trace -e inject=renameat:error=EIO metaspn-checkpoint -C "$ws" advance w lines
    expect_status 5
    expect_err_like '^metaspn-checkpoint: lines:4: is no event: [^;]*$'
    expect_err_like '^metaspn-checkpoint: .*w\.json: cannot replace: Input/output error$'
    [[ ! -e ws/store/checkpoints/w.json ]]
}

@test "advance: lines of the other kind are invalid; the first line tells the kind of a new checkpoint" {
    six
    emission e1 2026-02-05T10:00:00Z | metaspn-write -C ws
    replay -n 1 | checkpoint advance w
    run_split checkpoint advance w < <(metaspn-replay -C ws -k emissions)
    expect_status 3
    metaspn-replay -C ws -k emissions | checkpoint advance e
    [[ $(checkpoint read e | jq -r .kind) == emissions ]]
    run_split metaspn-replay -C ws --checkpoint=e
    expect_status 0
    expect_out
}

@test "advance: an event with both ids is of the kind in whose folder it lies" {
    mkdir -p ws/store/emissions
    emission e1 2026-02-05T10:00:00Z signal_id='"s1"' >ws/store/emissions/2026-02-05.jsonl
    emission e2 2026-02-05T10:00:00Z signal_id='"s2"' >>ws/store/emissions/2026-02-05.jsonl
    run_split checkpoint advance w <ws/store/emissions/2026-02-05.jsonl
    expect_status 0
    [[ $(checkpoint read w | jq -c '[.kind,.seen_ids_at_timestamp]') == '["emissions",["e1","e2"]]' ]]
    expect_due w ''
    lay 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z emission_id='"e1"')"
    checkpoint advance v <ws/store/signals/2026-02-05.jsonl
    [[ $(checkpoint read v | jq -c '[.kind,.seen_ids_at_timestamp]') == '["signals",["s1"]]' ]]
    run_split checkpoint advance u <<<"$(signal s9 2026-02-05T10:00:00Z emission_id='"e9"')"
    expect_status 3
    expect_err 'metaspn-checkpoint: -:1: is not in the store; what precedes it counts'
}

@test "advance: the first line in the store with these bytes, where an id has several" {
    local one two
    one=$(signal s1 2026-02-04T10:00:00Z)
    two=$(signal s1 2026-02-04T10:00:00Z payload='{"n":2}')
    lay 2026-02-03 "$two"
    lay 2026-02-04 "$(signal s0 2026-02-04T09:00:00Z)" "$one"
    lay 2026-02-05 "$two" "$one" "$(signal s2 2026-02-05T10:00:00Z)"
    checkpoint advance a <<<"$one"
    expect_places a 2026-02-04=2
    checkpoint advance b <<<"$two"
    expect_places b 2026-02-03=1
    # The copy that comes next is not taken for it.
    lay 2026-02-06 "$(signal s3 2026-02-06T10:00:00Z)" "$(signal s4 2026-02-06T11:00:00Z)" "$(signal s3 2026-02-06T10:00:00Z)"
    checkpoint advance c <ws/store/signals/2026-02-06.jsonl
    expect_places c 2026-02-06=2
}

@test "advance: a stored line with CR, odd spelling or without newline at the end" {
    lay 2026-02-05 '{ "signal_id" : "s1", "timestamp" : "2026-02-05 10:00:00" }'$'\r'
    printf '%s' "$(signal s2 2026-02-05T11:00:00Z)" >>ws/store/signals/2026-02-05.jsonl
    replay | checkpoint advance w
    expect_due w ''
    [[ $(checkpoint read w | jq '.positions[].offset') == $(wc -c <ws/store/signals/2026-02-05.jsonl) ]]
    # the next writer ends the line: the same position
    signal s3 2026-02-05T12:00:00Z | metaspn-write -q -C ws
    expect_due w s3
}

@test "advance: events that came after it was started are found" {
    six
    mkfifo pipe
    metaspn-checkpoint -C "$ws" advance w <pipe 3>&- &
    background=$!
    exec 4>pipe
    signal s7 2026-02-05T12:00:00Z | tee line | metaspn-write -C ws
    cat line >&4
    exec 4>&-
    wait "$background"
    background=
    expect_places w 2026-02-05=3
}

@test "advance: stores at most a second after an event has come, and holds no partition open meanwhile" {
    six
    mkfifo pipe
    metaspn-checkpoint -C "$ws" advance w <pipe 3>&- &
    background=$!
    exec 4>pipe
    replay -n 1 >&4
    eventually test -e ws/store/checkpoints/w.json
    expect_places w 2026-02-03=1
    for fd in "/proc/$background/fd"/*; do
        [[ $(readlink "$fd") != *.jsonl ]]
    done
    replay -n 2 | tail -n 1 >&4
    eventually expect_places w 2026-02-03=2 >/dev/null
    exec 4>&-
    wait "$background"
    background=
}

@test "advance: what was read waits for more lines for less than a second" {
    needs_strace
    six
    replay -n 1 >line
    mkfifo pipe
    strace -f -o trace -e trace=poll,ppoll metaspn-checkpoint -C "$ws" advance w <pipe 3>&- &
    background=$!
    exec 4>pipe
    cat line >&4
    eventually test -e ws/store/checkpoints/w.json
    exec 4>&-
    wait "$background"
    background=
    grep -o 'tv_sec=[0-9]*, tv_nsec=[0-9]*' trace >waits
    [[ -s waits && $(<waits) != *tv_sec=[1-9]* ]]
}

@test "advance: SIGTERM stores what was read, then ends it" {
    six
    mkfifo pipe
    metaspn-checkpoint -C "$ws" advance w <pipe 3>&- &
    background=$!
    exec 4>pipe
    replay -n 2 >&4
    eventually drained 4
    kill -TERM "$background"
    status=0
    wait "$background" || status=$?
    background=
    exec 4>&-
    [[ $status == 143 ]]
    expect_places w 2026-02-03=2
}

@test "advance: a checkpoint without positions gets one for every partition first" {
    six
    replay --until=2026-02-04T10:00:00Z | metaspn-checkpoint build | checkpoint write w
    replay --checkpoint=w -n 1 | tee lines | checkpoint advance w
    [[ $(jq -r .signal_id lines) == s4 ]]
    expect_places w 2026-02-03=2 2026-02-04=2 2026-02-05=0
    expect_due w 's5 s6'
}

@test "advance: two at once lose nothing: each reads and replaces under the lock" {
    six
    for i in 1 2 3 4 5 6; do
        replay | sed -n "${i}p" | checkpoint advance w &
    done
    wait
    expect_places w 2026-02-03=2 2026-02-04=2 2026-02-05=2
    [[ $(checkpoint read w | jq -c '[.last_timestamp,.seen_ids_at_timestamp]') == '["2026-02-05T11:00:00Z",["s6"]]' ]]
}

@test "advance waits for the store's lock, and does not hold it while it waits for input" {
    six
    mkfifo pipe
    metaspn-checkpoint -C "$ws" advance w <pipe 3>&- &
    background=$!
    exec 4>pipe
    replay -n 1 >&4
    eventually test -e ws/store/checkpoints/w.json
    signal s9 2026-02-05T13:00:00Z | timeout 10 metaspn-write -C ws --lock-timeout=5
    exec 4>&-
    wait "$background"
    background=
}

# ---- reset

@test "reset: a new worker: earlier days at their end, that day before its first event, later days whole" {
    six
    run_split checkpoint reset w --to=2026-02-04T10:30:00Z
    expect_status 0
    expect_out
    expect_places w 2026-02-03=2 2026-02-04=1 2026-02-05=0
    [[ $(checkpoint read w | jq -c '[.kind,.last_timestamp,.seen_ids_at_timestamp]') == '["signals","2026-02-04T10:30:00Z",[]]' ]]
    expect_due w 's4 s5 s6'
    checkpoint reset at --to=2026-02-04T11:00:00Z
    expect_due at 's4 s5 s6'
    checkpoint reset behind --to=2026-02-04T11:00:00.000001Z
    expect_places behind 2026-02-03=2 2026-02-04=2 2026-02-05=0
}

@test "reset --to=now: a new worker begins at the present, and what arrives late still reaches it" {
    six
    checkpoint reset w --to=now
    expect_due w ''
    signal late 2026-02-03T09:00:00Z | metaspn-write -C ws
    signal new 2026-02-05T19:00:00Z | metaspn-write -C ws
    expect_due w 'late new'
}

@test "reset: a torn end is noted once, though it is looked at before the lock and under it" {
    signal s1 2026-02-05T10:00:00Z | metaspn-write -C ws
    printf '{"torn' >>ws/store/signals/2026-02-05.jsonl
    run_split checkpoint reset w --to=now
    expect_status 0
    [[ $(grep -c 'the last line is not whole yet' "$err") == 1 && $(wc -l <"$err") == 1 ]]
}

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

@test "reset: in the order of lines, its first event at or after the time" {
    lay 2026-02-05 "$(signal s3 2026-02-05T12:00:00Z)" "$(signal s1 2026-02-05T10:00:00Z)" "$(signal s2 2026-02-05T11:00:00Z)"
    checkpoint reset w --to=2026-02-05T11:00:00Z
    expect_due w 's3 s1 s2'
}

@test "reset: syncs the partitions that a new worker will never see, then stores" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "strace does not go with $METASPN_TESTED_UNDER"
    lay 2026-02-03 "$(signal s1 2026-02-03T10:00:00Z)"
    strace -f -y -o trace -e trace=fdatasync,renameat metaspn-checkpoint -C ws reset w --to=2026-02-05
    awk '/fdatasync\(.*2026-02-03\.jsonl/ {synced = NR}
         /rename.*w\.json/ {stored = NR}
         END {exit !(synced && synced < stored)}' trace || { cat trace; false; }
}

@test "a checkpoint without positions: advance and reset sync the partitions in which it gets one" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "strace does not go with $METASPN_TESTED_UNDER"
    local verb
    for verb in 'advance w line' 'reset w --to=2026-02-05'; do
        rm -rf ws/store
        lay 2026-02-03 "$(signal s1 2026-02-03T10:00:00Z)"
        lay 2026-02-04 "$(signal s2 2026-02-04T10:00:00Z)"
        echo '{"last_timestamp":"2026-02-03T12:00:00Z"}' | checkpoint write w
        replay --checkpoint=w >line
        # shellcheck disable=SC2086 # words
        strace -f -y -o trace -e trace=fdatasync,renameat metaspn-checkpoint -C ws $verb
        awk '/fdatasync\(.*2026-02-03\.jsonl/ {synced = NR}
             /rename.*w\.json/ {stored = NR}
             END {exit !(synced && synced < stored)}' trace || { cat trace; false; }
    done
}

@test "reset: no position moves forward; earlier ones stay" {
    six
    replay -n 1 | checkpoint advance w
    checkpoint reset w --to=2026-02-03T11:00:00Z
    expect_due w 's2 s3 s4 s5 s6'
    replay --checkpoint=w | checkpoint advance w
    checkpoint reset w --to=2026-02-04T11:00:00Z
    expect_due w 's4 s5 s6'
    [[ $(checkpoint read w | jq -c '[.last_timestamp,.seen_ids_at_timestamp]') == '["2026-02-04T11:00:00Z",[]]' ]]
    checkpoint reset w --to=2026-02-04T11:30:00Z
    expect_due w 's4 s5 s6'
    replay -n 3 | checkpoint advance v
    checkpoint reset v --to=2026-02-05T11:00:00Z
    expect_places v 2026-02-03=2 2026-02-04=1 2026-02-05=1
}

@test "reset: a later day that is gone is due as a whole when it comes back" {
    six
    replay | checkpoint advance w
    mv ws/store/signals/2026-02-03.jsonl ws/store/signals/2026-02-05.jsonl .
    checkpoint reset w --to=2026-02-04T11:00:00Z
    mv 2026-02-03.jsonl 2026-02-05.jsonl ws/store/signals
    expect_due w 's4 s5 s6'
}

@test "reset: a position that does not fit is due from the start, and stays so" {
    six
    replay --checkpoint=w | checkpoint advance w
    lay 2026-02-04 "$(signal t1 2026-02-04T10:00:00Z)" "$(signal t2 2026-02-04T11:00:00Z)"
    checkpoint reset w --to=2026-02-04T11:00:00Z
    expect_due w 't1 t2 s5 s6'
}

@test "reset: a checkpoint by time loses nothing that is due to it" {
    six
    replay --until=2026-02-03T10:00:00Z | metaspn-checkpoint build | checkpoint write w
    checkpoint reset w --to=2026-02-05T10:00:00Z
    expect_due w 's2 s3 s4 s5 s6'
}

@test "reset: --kind of another kind than the checkpoint's is exit 2; other members stay" {
    six
    checkpoint reset w --to=now
    run_split checkpoint reset w --to=now --kind=emissions
    expect_status 2
    expect_err 'metaspn-checkpoint: --kind=emissions: w is a checkpoint of signals' "Try 'metaspn-checkpoint --help'."
    run_split checkpoint reset w --to=now --kind=signals
    expect_status 0
    checkpoint read w | jq -c '.mine = 7' | checkpoint write w
    checkpoint reset w --to=2026-02-03
    [[ $(checkpoint read w | jq -r .mine) == 7 ]]
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
    cp ws/store/checkpoints/w.json before
    run_split prlimit --fsize=100 metaspn-checkpoint -C ws reset w --to=2026-02-03
    expect_status 5
    expect_same before ws/store/checkpoints/w.json
    [[ $(ls -A ws/store/checkpoints) == w.json ]]
}
