# What the tests of hostile surroundings share, beside helper.bash.

# shellcheck disable=SC2015,SC2094,SC2154  # the helper sets variables; files are named as functions are

setup_file()
{
    local n day
    find_commands
    mkdir -p "$BATS_FILE_TMPDIR/prepared/ws"
    cd "$BATS_FILE_TMPDIR/prepared" || return
    export METASPN_NOW=2026-02-05T18:00:00Z
    signal s1 2026-02-04T10:00:00Z >events
    signal s2 2026-02-05T10:00:00Z payload='{"score":2,"text":"\u00fc\u0130"}' entity_refs='[{"ref_type":"T","value":"v"}]' >>events
    cp events signals
    emission e1 2026-02-05T11:00:00Z >>events
    signal new 2026-02-05T12:00:00Z >new
    printf '{"last_timestamp":"2026-02-04T10:00:00Z","schema_version":"0.1","seen_ids_at_timestamp":["s1"]}\n' >checkpoint
    printf '{"a":1}\n' >document
    metaspn-write -C ws events
    metaspn-checkpoint -C ws write w <checkpoint
    metaspn-snapshot -C ws write s <document
    cp -R ws/store before
    for n in {0..199}; do
        TZ=UTC0 printf -v day '%(%F)T' $((1735689600 + n * 86400)) # from 2025-01-01 on
        signal "d$n" "${day}T10:00:00Z"
    done >../days
}

setup()
{
    fresh_workspace "$BATS_FILE_TMPDIR/prepared"
}

# The partitions begin with what they held, and hold nothing but whole lines.
unharmed()
{
    local file old now
    for file in signals/2026-02-04 signals/2026-02-05 emissions/2026-02-05; do
        text_of "before/$file.jsonl" old && text_of "ws/store/$file.jsonl" now && [[ $now == "$old"* && $now == *$'\n' ]] ||
            { printf 'harmed: %s\n' "$file"; diff "before/$file.jsonl" "ws/store/$file.jsonl"; return 1; }
    done
}

# gives STATUS COMMAND ...
gives()
{
    local wanted=$1
    shift
    run_split "$@"
    expect_status "$wanted" && unharmed
}

# answers_as_ever WRAPPER ... -- COMMAND ...: the same output with and without.
answers_as_ever()
{
    local wrapper=()
    while [[ $1 != -- ]]; do
        wrapper+=("$1")
        shift
    done
    shift
    out=usual gives 0 "$@" && gives 0 "${wrapper[@]}" "$@" && expect_same "$out" usual
}

is_stored()
{
    metaspn-replay -C ws --id=new >found && expect_same found new
}

ignoring() { (trap '' "$1" && shift && "$@"); }

# stores TIME DAY STORED: an event of that time lies in that day's partition, with its time as it is stored.
stores()
{
    local day
    signal when "$1" >event
    signal when "$3" >wanted
    run_split metaspn-write -C ws --print=all event
    expect_status 0 && expect_same "$out" wanted && text_of "ws/store/signals/$2.jsonl" day && [[ $day == *'"when"'* ]]
}

# A line for each of 200 days, stored.
many_days()
{
    metaspn-write -C ws "$BATS_FILE_TMPDIR/days"
}
