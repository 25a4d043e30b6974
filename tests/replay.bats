#!/usr/bin/env bats
# metaspn-replay: what is printed, filters, order. Checkpoints are in resume.bats, --follow in follow.bats.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load replaying

# ---- section 6: what is printed

@test "section 6: stored lines, byte for byte, and a last line without newline gets one" {
    others_write signals 2026-02-05 "$(signal s1 2026-02-05T10:00:00Z)" '{ "timestamp" : "2026-02-05T11:00:00+00:00", "signal_id":"s\u0032" }'$'\r'
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
    others_write emissions 2026-02-05 "$(emission e1 2026-02-05T10:00:00Z source='"ingest"')"
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
    given "$(signal f 2026-02-05T10:00:00Z)" "$(signal b 2026-02-05T12:00:00Z)" "$(signal a 2026-02-05T10:00:00.5Z)" \
        "$(signal d 2026-02-05T10:00:00Z)" "$(signal c 2026-02-05T12:00:00Z)" "$(signal e 2026-02-05T10:00:00Z)"
    given "$(signal z 2026-02-04T23:00:00Z)"
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
        others_write signals "2026-02-$day" "$(sed "s/social/soci\\\\u0061l/;\$a\\  " "$BATS_TEST_TMPDIR/$day")"
        others_write emissions "2026-02-$day" "$(emission "e$day" "2026-02-${day}T05:00:00Z")" "$(emission e "2026-02-${day}T04:00:00Z")"
    done
    others_append signals 2026-02-05 "$(signal misfiled 2026-02-03T01:00:00Z)"
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
