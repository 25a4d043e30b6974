#!/usr/bin/env bats
# metaspn-replay --follow.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash
# shellcheck disable=SC2030,SC2031  # follower is the test's own
load helper

teardown()
{
    [[ -n ${follower:-} ]] || return 0
    kill -KILL "$follower" || true
    wait "$follower" || true
}

# follow OPTION ...: starts it; what it prints goes to $out, and its process is $follower
follow()
{
    : >"$out"
    metaspn-replay -C "$ws" --follow "$@" >"$out" 2>"$err" 3>&- &
    follower=$!
}

# expect_ids 'ID ...': waits until as many lines are there, and compares
expect_ids()
{
    local wanted=$1 count
    count=$(wc -w <<<"$wanted")
    for _ in {1..1000}; do
        [[ $(wc -l <"$out") -lt $count ]] || break
        sleep 0.02
    done
    [[ $(jq -r '.signal_id // .emission_id' "$out" | paste -sd' ') == "$wanted" ]] || {
        echo "got $(jq -r '.signal_id // .emission_id' "$out" | paste -sd' '), wanted $wanted"
        sed 's/^/stderr: /' "$err"
        return 1
    }
}

# Waits for its end: $status.
expect_end()
{
    status=0
    wait "$follower" || status=$?
    follower=
    [[ $status == "$1" ]] || {
        echo "exit status $status, not $1"
        return 1
    }
}

write()
{
    metaspn-write -C "$ws"
}

partition()
{
    mkdir -p "ws/store/$1"
    printf 'ws/store/%s/%s.jsonl' "$1" "$2"
}

numbered()
{
    local i
    for ((i = $1; i <= $2; i++)); do
        signal "s$i" "2026-02-05T10:00:$(printf %02d "$i")Z"
    done
}

@test "section 6: --follow begins with the last 10, and goes on with what is appended" {
    numbered 1 15 | write
    follow
    expect_ids 's6 s7 s8 s9 s10 s11 s12 s13 s14 s15'
    numbered 16 17 | write
    expect_ids 's6 s7 s8 s9 s10 s11 s12 s13 s14 s15 s16 s17'
}

@test "section 6: --follow --tail=N begins with the last N, those that the filters let through" {
    numbered 1 5 | write
    signal other 2026-02-05T11:00:00Z source='"x"' | write
    follow --tail=2 --source=social.feed
    expect_ids 's4 s5'
    signal other2 2026-02-05T12:00:00Z source='"x"' | write
    numbered 6 6 | write
    expect_ids 's4 s5 s6'
}

@test "section 6: --follow --tail=0 begins with nothing" {
    numbered 1 5 | write
    follow --tail=0
    # it may not have begun yet, so one more until it prints
    for i in {6..999}; do
        [[ ! -s $out ]] || break
        signal "s$i" 2026-02-05T11:00:00Z | write
        sleep 0.02
    done
    [[ $(head -n 1 "$out" | jq -r '.signal_id[1:]') -gt 5 ]]
}

@test "section 6: --follow with --since or --day begins with all that they select; they go on to filter" {
    numbered 1 15 | write
    signal before 2026-02-04T10:00:00Z | write
    follow --since=2026-02-05T10:00:02Z -n 16
    expect_ids 's2 s3 s4 s5 s6 s7 s8 s9 s10 s11 s12 s13 s14 s15'
    { signal early 2026-02-05T09:00:00Z && numbered 16 17; } | write
    expect_end 0
    expect_ids 's2 s3 s4 s5 s6 s7 s8 s9 s10 s11 s12 s13 s14 s15 s16 s17'
    follow --day=2026-02-04 -n 2
    expect_ids 'before'
    { numbered 18 18 && signal again 2026-02-04T23:59:59Z; } | write
    expect_end 0
    expect_ids 'before again'
}

@test "section 6: --follow --since: the last instant of a day is in that day's file" {
    numbered 1 1 | write
    follow --since=2026-02-04T23:59:59.999999Z -n 2
    expect_ids s1
    { signal early 2026-02-04T23:59:59.999998Z && signal last 2026-02-04T23:59:59.999999Z; } | write
    expect_ids 's1 last'
    expect_end 0
}

@test "section 6: by whomever, whatever their timestamp" {
    numbered 1 1 | write
    follow
    expect_ids 's1'
    others_append signals 2026-02-05 "$(signal foreign 2026-02-05T08:00:00Z)"
    expect_ids 's1 foreign'
    others_append signals 2026-02-01 "$(signal older 2026-02-01T08:00:00Z)"
    expect_ids 's1 foreign older'
    numbered 2 2 | write
    expect_ids 's1 foreign older s2'
}

@test "section 6: an id that was seen before is not printed again" {
    numbered 1 2 | write
    follow
    expect_ids 's1 s2'
    others_append signals 2026-02-05 "$(numbered 1 2 && numbered 3 3 && numbered 3 4)"
    expect_ids 's1 s2 s3 s4'
    others_write signals 2026-02-06 "$(numbered 1 4)"
    numbered 5 5 | write
    expect_ids 's1 s2 s3 s4 s5'
}

@test "section 8: a fragment is held back until it is whole; a whole event without newline is printed, once" {
    numbered 1 1 | write
    follow
    expect_ids 's1'
    line=$(signal s2 2026-02-05T11:00:00Z)
    printf '%s' "${line:0:50}" >>ws/store/signals/2026-02-05.jsonl
    printf '%s' "${line:50}" >>ws/store/signals/2026-02-05.jsonl
    expect_ids 's1 s2'
    printf '\n' >>ws/store/signals/2026-02-05.jsonl
    others_append signals 2026-02-05 "$(signal s3 2026-02-05T12:00:00Z)"
    expect_ids 's1 s2 s3'
    [[ $(tail -n 1 "$out") == "$(signal s3 2026-02-05T12:00:00Z)" ]]
}

@test "a whole last event that a fragment is glued to hinders nobody" {
    local file
    file=$(partition signals 2026-02-05)
    signal a 2026-02-05T10:00:00Z | write
    follow
    expect_ids 'a'
    printf %s "$(signal b 2026-02-05T10:00:01Z)" >>"$file"
    expect_ids 'a b'
    printf '{"x' >>"$file"
    sleep 0.1
    others_append signals 2026-02-06 "$(signal c 2026-02-06T10:00:00Z)"
    others_append signals 2026-02-07 "$(signal d 2026-02-07T10:00:00Z)"
    expect_ids 'a b c d'
}

@test "what a look found is not believed after the next: a copy in an earlier day is the first record from then on" {
    mkdir -p ws/store/signals
    copy=$(signal copied 2026-02-08T10:00:00Z)
    printf %s "$copy" >ws/store/signals/2026-02-08.jsonl # without newline: its first record is looked up
    follow
    expect_ids 'copied'
    printf '%s\n' "$copy" >ws/store/signals/2026-02-03.jsonl
    expect_ids 'copied copied'
    { printf '%s\n' "$copy"; signal other 2026-02-05T10:00:00Z; } >new
    mv new ws/store/signals/2026-02-05.jsonl
    expect_ids 'copied copied other'
}

@test "copies of damage that come while it follows are seen" {
    mkdir -p elsewhere/store/signals ws/store/{signals,quarantine}
    touch ws/store/quarantine/signals-2026-02-05-0123456789abcdef
    echo damage >elsewhere/store/signals/2026-02-04.jsonl
    metaspn-fsck -C elsewhere --repair >/dev/null 2>&1 || true
    { echo other; numbered 1 1; } >ws/store/signals/2026-02-05.jsonl
    follow --since=2026-02-05
    expect_ids 's1'
    grep -q 'signals/2026-02-05.jsonl:1:0: ' "$err"
    cp elsewhere/store/quarantine/* ws/store/quarantine/ # of another day
    { echo damage; numbered 2 2; } >>ws/store/signals/2026-02-05.jsonl
    expect_ids 's1 s2'
    expect_err_like 'note: .*signals/2026-02-05.jsonl:3:[0-9]*: known damage: '
}

@test "a whole last event is printed once, where a fragment was glued to it and is gone again" {
    local file line
    file=$(partition signals 2026-02-05)
    line=$(signal b 2026-02-05T10:00:01Z)
    signal a 2026-02-05T10:00:00Z | write
    follow
    expect_ids 'a'
    printf %s "$line" >>"$file"
    expect_ids 'a b'
    printf '{"x' >>"$file"
    others_append signals 2026-02-06 "$(signal c 2026-02-06T10:00:00Z)"
    expect_ids 'a b c'
    truncate -s -3 "$file"
    { echo; signal d 2026-02-05T11:00:00Z; } >>"$file"
    expect_ids 'a b c d'
}

@test "section 6: --kind=all follows both, also where the folders come later" {
    mkdir ws/store
    follow --kind=all
    emission e1 2026-02-05T10:00:00Z | write
    expect_ids 'e1'
    numbered 1 1 | write
    expect_ids 'e1 s1'
    follow_err=$(<"$err")
    [[ -z $follow_err ]]
}

@test "section 6: a partition that is rewritten is delivered from its start, with a warning" {
    numbered 1 3 | write
    follow
    expect_ids 's1 s2 s3'
    numbered 7 9 >new
    mv new ws/store/signals/2026-02-05.jsonl
    expect_ids 's1 s2 s3 s7 s8 s9'
    expect_err_like '^metaspn-replay: warning: .*signals/2026-02-05\.jsonl'
}

@test "section 6: a copy of the file with more after it, moved to its place, is no rewriting" {
    numbered 1 3 | write
    follow
    expect_ids 's1 s2 s3'
    numbered 1 5 >new
    mv new ws/store/signals/2026-02-05.jsonl
    expect_ids 's1 s2 s3 s4 s5'
    [[ ! -s $err ]]
}

@test "section 6: nor is it one while it prints what it begins with" {
    local i printer
    mkdir -p ws/store/signals
    for i in {1..600}; do
        signal "a$i" 2026-02-03T10:00:00Z
    done >ws/store/signals/2026-02-03.jsonl
    others_write signals 2026-02-05 "$(numbered 1 3)"
    : >"$out"
    mkfifo fifo
    exec {reader}<>fifo
    metaspn-replay -C ws --follow --since=2026-02-03 >fifo 2>"$err" 3>&- &
    follower=$!
    for _ in {1..500}; do # it waits for the reader, in the first day
        ! sleeps "$follower" || break
        sleep 0.02
    done
    numbered 1 5 >new
    mv new ws/store/signals/2026-02-05.jsonl
    cat <&"$reader" >"$out" 3>&- &
    printer=$!
    exec {reader}<&-
    for i in {1..500}; do
        [[ $(<"$out") != *'"s5"'* ]] || break
        sleep 0.02
    done
    numbered 6 6 | write
    for i in {1..500}; do
        [[ $(<"$out") != *'"s6"'* ]] || break
        sleep 0.02
    done
    kill "$printer"
    [[ $(tail -n 7 "$out" | jq -r .signal_id | paste -sd' ') == 'a600 s1 s2 s3 s4 s5 s6' ]]
    [[ ! -s $err ]]
}

# in_its_place FOLDER: a copy of it, in one step.
in_its_place()
{
    cp -a "$1" "$1.copy"
    /usr/bin/python3 -c 'import ctypes, sys
sys.exit(ctypes.CDLL(None).renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2))' "$1" "$1.copy"
}

@test "section 2: a folder that is replaced is looked at, not the one that was moved away" {
    local writer feed
    signal a 2026-02-05T10:00:00Z | write
    follow
    expect_ids 'a'
    mkfifo pipe
    metaspn-write -C "$ws" --print=result <pipe >written 3>&- &
    writer=$!
    exec {feed}>pipe
    signal b 2026-02-05T10:00:01Z >&"$feed"
    expect_ids 'a b'
    in_its_place ws/store/signals
    signal c 2026-02-05T10:00:02Z >&"$feed"
    expect_ids 'a b c'
    exec {feed}>&-
    wait "$writer"
    [[ $(wc -l <written) == 2 && $(metaspn-replay -C ws --count) == 3 ]]
    signal d 2026-02-05T10:00:03Z | write
    expect_ids 'a b c d'
    # the locks stand in the store
    in_its_place ws/store
    expect_end 5
    grep -q "^metaspn-replay: $ws/store: was moved away or replaced while it was in use" "$err"
}

@test "section 6: -n ends it after N lines" {
    numbered 1 3 | write
    follow -n 2
    expect_end 0
    expect_ids 's1 s2'
    follow -n 5
    expect_ids 's1 s2 s3'
    numbered 4 9 | write
    expect_end 0
    expect_ids 's1 s2 s3 s4 s5'
    follow -n 0
    expect_end 0
    [[ ! -s $out ]]
}

@test "section 6: a reader that has gone is noticed even when nothing arrives" {
    numbered 1 3 | write
    mkfifo fifo
    exec {reader}<>fifo
    exec {writer}>fifo
    metaspn-replay -C ws --follow 1>&"$writer" 2>"$err" 3>&- {reader}<&- {writer}>&- &
    follower=$!
    exec {writer}>&-
    read -r -u "$reader" line
    [[ $line == "$(numbered 1 1)" ]]
    exec {reader}<&-
    expect_end 141
}

@test "section 6: a reader that has gone is noticed beside a program that never stops writing" {
    local day i
    needs_strace
    numbered 1 1 | write
    day=$PWD/ws/store/signals/2026-02-05.jsonl
    mkfifo fifo
    exec {reader}<>fifo
    exec {writer}>fifo
    # between two of its looks something new has always come
    strace -D -qq -o trace -P "${day%/*}" -e trace=openat2 -e inject=openat2:delay_enter=20000 metaspn-replay -C ws --follow \
        --source=social.feed 1>&"$writer" 2>"$err" 3>&- {reader}<&- {writer}>&- &
    follower=$!
    exec {writer}>&-
    read -r -u "$reader" line
    exec {reader}<&-
    for i in {1..9999}; do
        kill -0 "$follower" 2>/dev/null || break
        signal "n$i" 2026-02-05T11:00:00Z source='"other"' >>"$day"
        sleep 0.002
    done
    [[ $i -lt 9999 ]]
    expect_end 141
}

@test "section 6: what it has found does not wait for the end of what its filters do not let through" {
    local day=$PWD/ws/store/signals/2026-02-05.jsonl i two
    needs_strace
    numbered 1 1 | write
    two=$(numbered 2 2; signal other 2026-02-05T11:00:00Z source='"other"'; numbered 3 3)
    # between two of its looks something new has always come
    strace -D -qq -o trace -P "${day%/*}" -e trace=openat2 -e inject=openat2:delay_enter=20000 metaspn-replay -C ws --follow \
        --source=social.feed >"$out" 2>"$err" 3>&- &
    follower=$!
    expect_ids "s1"
    for i in {1..9999}; do
        [[ $(wc -l <"$out") -lt 3 ]] || break
        signal "n$i" 2026-02-05T11:00:00Z source='"other"' >>"$day"
        [[ $i != 50 ]] || echo "$two" >>"$day"
        sleep 0.002
    done
    [[ $i -lt 9999 ]]
}

@test "section 5: SIGTERM and SIGINT end it by the signal's own action" {
    numbered 1 3 | write
    follow
    expect_ids 's1 s2 s3'
    kill -TERM "$follower"
    expect_end 143
    env --default-signal=INT metaspn-replay -C "$ws" --follow >"$out" 2>"$err" 3>&- &
    follower=$!
    expect_ids 's1 s2 s3'
    kill -INT "$follower"
    expect_end 130
}

@test "section 8: no partition is held open while it waits" {
    numbered 1 3 | write
    follow --kind=all
    expect_ids 's1 s2 s3'
    numbered 3 3 >>ws/store/signals/2026-02-05.jsonl # a repeat, which has to be looked up
    numbered 4 4 | write
    expect_ids 's1 s2 s3 s4'
    for _ in {1..500}; do
        open=$(find "/proc/$follower/fd" -lname '*.jsonl' 2>/dev/null)
        [[ -n $open ]] || break
        sleep 0.02
    done
    [[ -z $open ]]
    # so the writer may cut off a fragment at once
    printf '{"signal_id":"torn' >>ws/store/signals/2026-02-05.jsonl
    numbered 5 5 | write
    expect_ids 's1 s2 s3 s4 s5'
}

@test "section 8: damage that is appended is named, once, and the exit is 3 in the end" {
    numbered 1 1 | write
    follow -n 3
    expect_ids 's1'
    others_append signals 2026-02-05 garbage
    others_append signals 2026-02-05 "$(numbered 2 2)"
    expect_ids 's1 s2'
    others_append signals 2026-02-05 "$(numbered 3 3)"
    expect_end 3
    expect_ids 's1 s2 s3'
    expect_err_like '^metaspn-replay: .*2026-02-05\.jsonl:2:[0-9]+: '
    [[ $(wc -l <"$err") == 1 ]]
}

@test "section 8: a line that is just being written is told once, not at every look" {
    local day other line
    day=$(partition signals 2026-02-05)
    other=$(partition signals 2026-02-06)
    numbered 1 1 >"$day"
    follow
    expect_ids 's1'
    line=$(numbered 2 2)
    printf %s "${line:0:20}" >>"$day"
    signal a 2026-02-06T10:00:00Z >>"$other" # where this is out, that was looked at
    expect_ids 's1 a'
    printf %s "${line:20:20}" >>"$day"
    signal b 2026-02-06T10:00:00Z >>"$other"
    expect_ids 's1 a b'
    echo "${line:40}" >>"$day"
    expect_ids 's1 a b s2'
    [[ $(wc -l <"$err") == 1 ]]
    expect_err_like 'signals/2026-02-05.jsonl: the last line is not whole yet \(20 bytes'
}

@test "section 6: --format=table is followed too" {
    numbered 1 1 | write
    follow --format=table -n 2
    numbered 2 2 | write
    expect_end 0
    [[ $(cut -f 6 "$out" | paste -sd' ') == 's1 s2' ]]
}

@test "section 6: a worker that echoes what it is given can be followed by others" {
    numbered 1 1 | write
    mkdir other
    metaspn-replay -C "$ws" -f -n 4 3>&- | metaspn-write -C other 3>&- &
    copier=$!
    numbered 2 4 | write
    wait "$copier"
    [[ $(metaspn-replay -C other | jq -r .signal_id | paste -sd' ') == 's1 s2 s3 s4' ]]
}
