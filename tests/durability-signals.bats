#!/usr/bin/env bats
# Signals, readers that go, closed descriptors: the batch in hand is finished, or nothing is said to be done.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing

# ---- promise 11: signals and pipes

@test "SIGTERM and SIGINT: the batch in hand is finished, then the signal's own action" {
    local name code
    for name in TERM INT; do
        rm -rf ws/store pipe
        mkfifo pipe
        # A background job of a script ignores SIGINT; env gives it back its meaning.
        env --default-signal=INT metaspn-write -C ws --print=new <pipe >"$out" 3>&- &
        exec {producer}>pipe
        signals 1 1 >&"$producer"
        eventually grep -q '"s1"' "$out"
        signals 2 2 >&"$producer"
        kill -"$name" $!
        status=0
        wait $! || status=$?
        exec {producer}>&-
        code=$((128 + $(kill -l "$name")))
        expect_status "$code" 2>"$err"
        # The second was in hand, or had not been read: what is stored has been printed, too.
        expect_same "$out" "$day"
        [[ -z $(find ws/store -name '.tmp*') ]]
    done
}

@test "a signal that whoever started it ignores is ignored" {
    local writer feed
    mkfifo pipe
    (trap '' INT TERM && exec metaspn-write -C ws --print=new <pipe >printed 3>&-) &
    writer=$!
    exec {feed}>pipe
    signals 1 1 >&"$feed"
    eventually test -s printed
    kill -INT "$writer"
    kill -TERM "$writer"
    signals 2 2 >&"$feed"
    exec {feed}>&-
    wait "$writer"
    signals 1 2 | expect_same - printed
}

@test "a signal while nobody reads what is printed ends it all the same" {
    signals 1 3000 >events
    mkfifo pipe
    metaspn-write -C ws --print=new events >pipe 3>&- &
    exec {reader}<pipe
    eventually grep -qs '"s1"' "$day"
    kill -TERM $!
    status=0
    wait $! || status=$?
    exec {reader}<&-
    expect_status 143 2>"$err"
    head -n "$(wc -l <"$day")" events | expect_same - "$day"
}

@test "a signal ends the wait for the reader of a FIFO of rejects" {
    mkfifo rejects
    metaspn-write -C ws --rejects=rejects <<<x 2>"$err" 3>&- &
    eventually sleeps $!
    kill -TERM $!
    status=0
    wait $! || status=$?
    expect_status 143
    expect_err
}

@test "a signal while nobody reads the rejects ends it all the same" {
    yes "$(printf '%01000d' 7)" | head -n 1000 >lines
    mkfifo rejects
    exec {reader}<>rejects
    metaspn-write -q -C ws --rejects=rejects lines 2>"$err" 3>&- &
    eventually sleeps $!
    kill -TERM $!
    timeout 30 tail -s 0.05 --pid=$! -f /dev/null
    status=0
    wait $! || status=$?
    exec {reader}<&-
    expect_status 143
}

has_lock_open()
{
    [[ $(find "/proc/$1/fd" -lname '*/store/lock' 2>&1) == /proc/* ]]
}

@test "a signal ends the wait for the lock" {
    signals 1 2 | store
    metaspn-replay -q -C ws --checkpoint=w --next=n >"$out"
    metaspn-checkpoint -C ws write w <n
    signals 3 3 >event
    hold_lock
    local waiting
    for waiting in 'metaspn-write -C ws event' 'metaspn-checkpoint -C ws write v' 'metaspn-checkpoint -C ws delete w' \
        'metaspn-checkpoint -C ws reset w --to=@0' 'metaspn-checkpoint -C ws advance v --to=n'; do
        # shellcheck disable=SC2086 # words
        $waiting <n 2>"$err" 3>&- &
        eventually has_lock_open $!
        kill -TERM $!
        timeout 30 tail -s 0.05 --pid=$! -f /dev/null # without the signal it would wait for a minute
        status=0
        wait $! || status=$?
        expect_status 143
    done
    release_lock
    [[ $(metaspn-checkpoint -C ws list) == w ]]
    metaspn-checkpoint -C ws read w | diff - n
    expect_stored 2
}

@test "kill -9 at random: what was printed is there, and a second run completes it" {
    signals 1 400 >events
    for _ in {1..12}; do
        (while read -r line; do printf '%s\n' "$line"; done <events) | store --print=new >>printed 2>"$err" 3>&- &
        sleep "0.0$((RANDOM % 10))"
        kill -9 $! 2>"$err" || true
        wait || true
    done
    # The last line may have been cut by the kill: what is whole was acknowledged.
    head -n "$(wc -l <printed)" printed | sort -u >acknowledged
    sort "$day" | comm -23 acknowledged - >lost
    expect_file lost
    run_split store events
    expect_status 0
    expect_stored 400
}

@test "stdout's reader goes: the batch is stored, then SIGPIPE" {
    signals 1 100 >events
    run_without_reader store --print=new events
    expect_status 141
    expect_stored 100
}

@test "/dev/full: exit 5, and what was stored is stored" {
    signals 1 10 >events
    status=0
    store --print=new events >/dev/full 2>"$err" || status=$?
    expect_status 5
    expect_err 'metaspn-write: cannot write to standard output: No space left on device'
    expect_stored 10
}

@test "closed descriptors: no partition becomes stdout, and nothing is said to be done that is not" {
    not_under valgrind 'which opens what is closed'
    signals 1 3 >events
    status=0
    metaspn-write -C ws --print=new events >&- 2>"$err" || status=$?
    expect_status 5
    expect_same events "$day"
    rm -rf ws/store
    metaspn-write -C ws events >&- 2>&- <&-
    expect_same events "$day"
    rm -rf ws/store
    status=0
    metaspn-write -C ws <&- 2>"$err" || status=$?
    expect_status 5
    status=0
    metaspn-write -C ws nofile 2>&- || status=$?
    [[ $status == 5 ]]
}
