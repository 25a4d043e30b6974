#!/usr/bin/env bats
# What was acknowledged is there, once: after kills, torn ends, full disks, beside other writers, in hostile places.
# (SPEC section 8; faults.bats injects errors into system calls, unlocked.bats has writers that know no lock.)

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing

day=ws/store/signals/2026-02-05.jsonl

# traced CALLS COMMAND ...: the calls of the command, one a line, as CALL(ARGUMENTS; files by their paths.
traced()
{
    local calls=$1
    shift
    needs_strace
    run_split strace -f -y -o trace -e trace="$calls" "$@"
}

# The numbers of the lines of the trace that match.
lines_of()
{
    grep -nE -- "$1" trace | grep -v '\.gcda>' | cut -d: -f 1
}

# in_order PATTERN ...: the trace has lines of each, and all of one come before all of the next.
in_order()
{
    local pattern first before=
    for pattern; do
        first=$(lines_of "$pattern" | head -n 1)
        if [[ -z $first || -n $before && $before -ge $first ]]; then
            printf 'not in its place: %s\n' "$pattern"
            cat trace
            return 1
        fi
        before=$(lines_of "$pattern" | tail -n 1)
    done
}

synced='fdatasync\([0-9]+<.*/signals/2026-02-05.jsonl>\) *= 0'
printed='write\(1<'

# ---- promise 1: acknowledged = durable

@test "an event is written, synced, then printed: in this order" {
    signal s0 2026-02-05T09:00:00Z | store
    signal s1 2026-02-05T10:00:00Z >event
    traced write,pwrite64,fdatasync,fsync metaspn-write -C ws --print=new event
    expect_status 0
    in_order 'write\([0-9]+<.*/signals/2026-02-05.jsonl>' "$synced" "$printed"
}

@test "a new file's name is synced before the event is printed" {
    signal s1 2026-02-05T10:00:00Z >event
    traced write,fsync metaspn-write -C ws --print=new event
    in_order 'fsync\([0-9]+<.*/store/signals>\) *= 0' "$printed"
    in_order 'fsync\([0-9]+<.*/store>\) *= 0' "$printed"
    in_order 'fsync\([0-9]+<.*/ws>\) *= 0' "$printed"
}

@test "a duplicate that another program wrote is synced before it is acknowledged" {
    mkdir -p ws/store/signals
    signal s1 2026-02-05T10:00:00Z | tee event >"$day"
    traced write,fdatasync,fsync metaspn-write -C ws --print=all event
    expect_status 0
    in_order "$synced" "$printed"
    # Directly behind what is known to be synced, too.
    signal s2 2026-02-05T11:00:00Z | tee event >>"$day"
    traced write,fdatasync metaspn-write -C ws --print=all event
    expect_status 0
    in_order "$synced" "$printed"
}

@test "one write and one sync for a batch and partition" {
    { signals 1 1000; signal t1 2026-02-06T10:00:00Z; } >events
    traced write,fdatasync metaspn-write -C ws events
    [[ $(lines_of 'write\([0-9]+<.*/signals/' | wc -l) == 2 ]]
    [[ $(lines_of 'fdatasync\([0-9]+<.*/signals/' | wc -l) == 2 ]]
    [[ $(cat ws/store/signals/*.jsonl | wc -l) == 1001 ]]
}

@test "with --no-sync nothing is synced, until somebody else is told that it is stored" {
    signal s1 2026-02-05T10:00:00Z >event
    store <<<"$(signal s0 2026-02-05T10:00:00Z)"
    traced fdatasync metaspn-write -C ws --no-sync event
    [[ -z $(lines_of fdatasync) ]]
    traced fdatasync metaspn-write -C ws event
    [[ $(lines_of 'fdatasync\([0-9]+<.*/signals/' | wc -l) == 1 ]]
    traced fdatasync metaspn-write -C ws event
    [[ -z $(lines_of fdatasync) ]]
}

@test "exit 0 of a sync that was refused does not happen, and the event is not stored" {
    needs_strace
    signal s0 2026-02-05T09:00:00Z | store
    cp "$day" before
    signal s1 2026-02-05T10:00:00Z >event
    run_split strace -f -o trace -e inject=fdatasync:error=EIO metaspn-write -C ws --print=new event
    expect_status 5
    expect_out
    expect_err "metaspn-write: $day: cannot sync: Input/output error; 0 events of the input are stored"
    expect_same before "$day"
    # The next writer does not take it for stored.
    run_split store --print=new event
    expect_status 0
    expect_same event "$out"
}

# refused FILE: its sync fails while somebody has the partition open, so that the line stands there and is not stored.
refused()
{
    run_split strace -f -o /dev/null -e inject=fdatasync:error=EIO metaspn-write -C ws "$1"
    expect_status 5
}

@test "what stands there after failed syncs is written again, from the first of it on, before the next is acknowledged" {
    needs_strace
    local n start reader
    signal s0 2026-02-05T09:00:00Z | store
    for n in 1 2 3; do signal "s$n" "2026-02-05T10:00:0${n}Z" >"event$n"; done
    start=$(stat -c %s "$day")
    exec {reader}<"$day"
    refused event1
    refused event2
    exec {reader}<&-
    traced pwrite64,fdatasync,write metaspn-write -C ws --print=new event3
    expect_status 0
    in_order "pwrite64\\([0-9]+<.*/signals/2026-02-05.jsonl>, .*, $(($(stat -c %s "$day") - start)), $start\\) = " \
        "$synced" "$printed"
    cat event1 event2 event3 | diff - <(tail -n 3 "$day")
    run_split store --print=result event1
    [[ $(jq -r .status "$out") == duplicate ]]
}

# ---- promises 3 and 6: several writers

@test "eight writers with shared ids: none lost, none twice, one appended for each id" {
    local w
    for w in {1..8}; do
        # s1 to s400 in every one of them, in another order each, and 100 of its own
        { signals 1 400; signals $((400 + w * 100 - 99)) $((400 + w * 100)); } | awk -v w="$w" '{print (NR * 7919 * w) % 1009, $0}' |
            sort -n | cut -d' ' -f 2- >"events$w"
    done
    for w in {1..8}; do
        # In two batches, so that they meet: the rest comes when the first half is stored.
        # shellcheck disable=SC2094  # it looks only whether there is something in it
        { head -n 200 "events$w"; eventually test -s "results$w"; tail -n +201 "events$w"; } | store -q --print=result >"results$w" 3>&- &
    done
    wait
    expect_stored 1200
    cat results? | jq -r 'select(.status == "appended").id' | sort >appended
    sort -u appended | expect_same - appended
    [[ $(wc -l <appended) == 1200 && $(cat results? | wc -l) == 4000 ]]
}

@test "writers wait for each other, and do not wait for a producer that is slow" {
    mkfifo pipe
    metaspn-write -C ws <pipe 3>&- &
    exec {producer}>pipe
    signal s1 2026-02-05T10:00:00Z >&"$producer"
    eventually grep -qs '"s1"' "$day"
    # The first one waits for input now: the lock is free.
    run_split store --lock-timeout=0.5 <<<"$(signal s2 2026-02-05T10:00:00Z)"
    expect_status 0
    signal s3 2026-02-05T10:00:00Z >&"$producer"
    exec {producer}>&-
    wait
    expect_stored 3
}

@test "a lock file that a copy of a store replaced is the lock of those who run already, too" {
    local writer feed other
    needs_strace
    mkfifo pipe
    metaspn-write -C ws --print=path --lock-timeout=0.5 <pipe >printed 2>"$err" 3>&- &
    writer=$!
    exec {feed}>pipe
    signal s1 2026-02-05T10:00:00Z >&"$feed"
    eventually test -s printed
    : >lock
    mv lock ws/store/lock
    strace -f -o trace -e trace=fdatasync -e inject=fdatasync:delay_enter=3000000 metaspn-write -C ws \
        < <(signal s2 2026-02-06T10:00:00Z) 3>&- {feed}>&- &
    other=$!
    eventually test -s ws/store/signals/2026-02-06.jsonl
    signal s3 2026-02-05T10:00:00Z >&"$feed"
    exec {feed}>&-
    status=0; wait "$writer" || status=$?
    expect_status 5
    expect_err_like 'ws/store/lock: the lock is held by another process; 1 events of the input are stored'
    wait "$other"
}

@test "a slow producer's event is stored soon, without waiting for the next" {
    mkfifo pipe
    metaspn-write -C ws <pipe 3>&- &
    exec {producer}>pipe
    for i in 1 2 3; do
        signal "s$i" 2026-02-05T10:00:00Z >&"$producer"
        eventually grep -qs "\"s$i\"" "$day"
    done
    exec {producer}>&-
    wait
    expect_stored 3
}

@test "a slow producer's invalid line is among the rejects soon, without waiting for an event" {
    mkfifo pipe
    store --rejects=rejects <pipe 2>"$err" 3>&- &
    exec {producer}>pipe
    for i in 1 2; do
        echo "x$i" >&"$producer"
        eventually grep -qs "\"x$i\"" rejects
    done
    exec {producer}>&-
    wait $! || [[ $? == 3 ]]
}

@test "the lock is not held while printing: a pipe from the store into the store" {
    signals 1 20000 >events
    status=0
    timeout 60 bash -c 'metaspn-write -C ws --print=new <events | sed s/_id\":\"s/_id\":\"t/ | metaspn-write -C ws' 3>&- || status=$?
    [[ $status == 0 ]]
    cat ws/store/signals/*.jsonl | wc -l >count
    expect_file count 40000
}

@test "the lock is not held while telling that a checkpoint is of another kind" {
    needs_strace
    signals 1 1 | store
    metaspn-checkpoint -C ws reset w --to=now --kind=signals
    run_split strace -o trace -e trace=fcntl,write metaspn-checkpoint -C ws reset w --to=now --kind=emissions
    expect_status 2
    grep -E 'F_OFD_SETLK, \{l_type=F_UNLCK|^write\(2, ' trace | head -n 1 | grep -q F_UNLCK
}

@test "while nobody reads what it prints, others can write" {
    signals 1 20000 >events
    mkfifo pipe
    metaspn-write -C ws --print=new events >pipe 3>&- &
    exec {reader}<pipe
    eventually grep -qs '"s1"' "$day"
    run_split store --lock-timeout=5 <<<"$(signal s20001 2026-02-05T10:00:00Z)"
    expect_status 0
    cat <&"$reader" >printed
    exec {reader}<&-
    wait
    expect_same events printed
    expect_stored 20001
}

@test "writers that start together in an empty workspace" {
    local w
    for w in {1..6}; do
        signals 1 50 | store -q 3>&- &
    done
    wait
    expect_stored 50
}

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

# ---- promise 6: torn ends

# torn BYTES: puts them behind two events; then a third is written.
torn()
{
    rm -rf ws/store
    signals 1 2 | store
    printf '%b' "$1" >fragment
    cat fragment >>"$day"
    run_split store <<<"$(signals 3 3)"
    expect_status 0
}

@test "a last line without newline that is a whole event is one" {
    torn "$(signal s9 2026-02-05T10:00:00Z | sed 's/\\/\\\\/g')"
    expect_file "$day" "$(signals 1 1)" "$(signals 2 2)" "$(signal s9 2026-02-05T10:00:00Z)" "$(signals 3 3)"
    expect_err "metaspn-write: note: $day: added the newline that its last line lacked"
    [[ ! -e ws/store/quarantine ]]
}

@test "a last line without newline that is an event is a duplicate's first record" {
    mkdir -p ws/store/signals
    signals 1 1 | tr -d '\n' >"$day"
    run_split store --print=result <<<"$(signals 1 1)"
    [[ $(jq -r .status "$out") == duplicate ]]
    signals 1 1 | expect_same - "$day"
}

@test "so it is where its file may not be written, and the newline stays away" {
    local unprivileged=()
    [[ $(id -u) != 0 ]] || unprivileged=(setpriv --bounding-set=-dac_override)
    mkdir -p ws/store/signals
    signals 1 1 | tr -d '\n' >"$day"
    chmod a-w "$day"
    cp "$day" before
    run_split "${unprivileged[@]}" metaspn-write -C ws --print=result <<<"$(signal s1 2026-02-06T10:00:00Z)"
    expect_status 0
    [[ $(jq -r .status "$out") == conflict ]]
    expect_same before "$day"
}

@test "a fragment is copied to quarantine and cut off, which is said" {
    torn '{"signal_id":"s9","times'
    signals 1 3 | expect_same - "$day"
    expect_err_like "^metaspn-write: warning: $day: cut off 24 bytes of a last line that was never finished; a copy is in ws/store/quarantine$"
    expect_same ws/store/quarantine/signals-2026-02-05-827be7e62a1f0197 fragment
}

@test "of several fragments each is noted once, and each is said to be cut off" {
    local date days=ws/store/signals
    mkdir -p $days
    for date in 2026-02-01 2026-02-02 2026-02-03; do
        { signal "$date" "${date}T10:00:00Z" && printf '{"torn'; } >$days/$date.jsonl
    done
    cp -r ws copy
    signal new 2026-02-06T10:00:00Z | metaspn-write -C ws 2>"$err"
    [[ $(grep -c 'note: .*: the last line is not whole yet' "$err") == 3 && $(grep -c 'warning: .*: cut off' "$err") == 3 ]]
    [[ $(wc -l <"$err") == 6 ]]
    metaspn-fsck -C copy --repair >/dev/null 2>"$err"
    [[ $(grep -c 'note: .*: the last line is not whole yet' "$err") == 3 && $(grep -c 'warning: .*: cut off' "$err") == 3 ]]
}

@test "a fragment that cannot be cut off is exit 5, and nothing is put behind it" {
    needs_strace
    signals 1 2 | store
    printf '{"to' >>"$day"
    cp "$day" before
    # the first one only tries whether it may be cut
    run_split strace -f -o trace -P "$PWD/$day" -e inject=ftruncate:error=EIO:when=2 metaspn-write -q -C ws <<<"$(signals 3 3)"
    expect_status 5
    expect_err "metaspn-write: $day: cannot cut to $(signals 1 2 | wc -c) bytes: Input/output error; 0 events of the input are stored"
    expect_same before "$day"
}

@test "zero bytes that a power cut left are cut off, with a newline or without" {
    torn '\0\0\0\0\0\0\0\0'
    signals 1 3 | expect_same - "$day"
    torn '\0\0\0\0\n'
    signals 1 3 | expect_same - "$day"
}

@test "blanks behind the last newline are no fragment: they get a newline of their own, without a word" {
    torn '  \t'
    { signals 1 2; printf '  \t\n'; signals 3 3; } | expect_same - "$day"
    expect_err
    [[ ! -e ws/store/quarantine ]]
}

@test "a file of nothing but zero bytes is empty" {
    mkdir -p ws/store/signals
    head -c 5000 /dev/zero >"$day"
    signals 1 1 | store -q
    signals 1 1 | expect_same - "$day"
}

@test "a fragment is cut off, at whatever byte the line was torn" {
    local n
    signals 1 2 >old
    signals 3 3 | tr -d '\n' >line
    { cat old line; echo; } >want
    for n in 1 2 3 20 {30..150..30} $(($(wc -c <line) - 1)); do
        rm -rf ws/store
        mkdir -p ws/store/signals
        { cat old; head -c "$n" line; } >"$day"
        store -q line
        expect_same want "$day"
    done
}

@test "a file that somebody has open to read is not cut: the fragment is ended and left" {
    signals 1 2 | store
    printf '{"torn' >>"$day"
    exec {reader}<"$day"
    run_split store <<<"$(signals 3 3)"
    exec {reader}<&-
    expect_status 0
    expect_err_like 'warning: .*: ended a last line of 6 bytes that its writer did not finish; a copy is in ws/store/quarantine'
    { signals 1 2; echo '{"torn'; signals 3 3; } | expect_same - "$day"
    # It is known from then on.
    run_split metaspn-fsck -C ws
    expect_status 0
}

@test "a file that may only grow is not cut: the fragment is ended and left" {
    needs_strace
    signals 1 2 | store
    printf '{"torn' >>"$day"
    signals 3 3 >event
    run_split strace -f -o trace -P "$PWD/$day" -e inject=ftruncate:error=EPERM metaspn-write -C ws event
    expect_status 0
    expect_err_like 'warning: .*: ended a last line of 6 bytes that its writer did not finish; a copy is in ws/store/quarantine'
    { signals 1 2; echo '{"torn'; signals 3 3; } | expect_same - "$day"
}

@test "a damaged line in the middle is never changed" {
    mkdir -p ws/store/signals
    { signals 1 1; echo '{"damaged'; head -c 100 /dev/zero; echo; signals 2 2; } >"$day"
    cp "$day" before
    run_split store <<<"$(signals 3 3)"
    expect_status 0
    { cat before; signals 3 3; } | expect_same - "$day"
}

@test "a torn end elsewhere is mended by the way, and hinders nobody" {
    mkdir -p ws/store/signals
    { signal a1 2026-02-04T10:00:00Z; printf '{"to'; } >ws/store/signals/2026-02-04.jsonl
    { signal b1 2026-02-03T10:00:00Z; printf '{"to'; } >ws/store/signals/2026-02-03.jsonl
    exec {reader}<ws/store/signals/2026-02-03.jsonl
    run_split timeout 1.5 metaspn-write -C ws <<<"$(signals 1 1)"
    exec {reader}<&-
    expect_status 0
    expect_file ws/store/signals/2026-02-04.jsonl "$(signal a1 2026-02-04T10:00:00Z)"
    [[ $(tail -c 4 ws/store/signals/2026-02-03.jsonl) == '{"to' ]]
}

# ---- promise 10: a sync that failed

# The bytes of the partition are written anew, then synced, then something is printed.
expect_written_anew()
{
    local anew synced printed
    anew=$(lines_of 'pwrite64\([0-9]+<.*/signals/2026-02-05.jsonl>' | head -n 1)
    synced=$(lines_of 'fdatasync\([0-9]+<.*/signals/2026-02-05.jsonl>\) *= 0')
    printed=$(lines_of 'write\(1<' | head -n 1)
    [[ $anew -gt 0 && $anew -lt $synced && $synced -lt $printed ]]
}

@test "a last line that is not whole yet is told of once, though its writer goes on" {
    local date hour
    signal s1 2026-02-04T10:00:00Z | metaspn-write -C ws
    printf '{"signal_id":"torn' >>ws/store/signals/2026-02-04.jsonl
    exec {held}<ws/store/signals/2026-02-04.jsonl # it is not cut off
    printf '{"signal_id":"torn' >ws/store/signals/2026-02-05.jsonl
    for hour in 10 11 12; do
        signal "t$hour" "2026-02-05T$hour:00:00Z"
        sleep 0.3
    done | metaspn-write -C ws 2>"$err"
    exec {held}<&-
    for date in 2026-02-04 2026-02-05; do
        [[ $(grep -c "$date.jsonl: the last line is not whole yet" "$err") == 1 ]]
    done
}

@test "what a failed sync left in doubt is written anew before it is believed, with an index and without" {
    local fault index wanted
    signals 1 2 >old
    signals 3 5 >new
    signals 6 6 >next
    # Somebody reads, so that nothing can be cut off; or nobody is left to cut it off.
    for fault in error=EIO error=EIO:signal=KILL; do
        for index in keep rm; do
            for wanted in new next; do
                rm -rf ws/store
                store old
                exec {reader}<"$day"
                run_split strace -f -o trace -e inject=fdatasync:"$fault" metaspn-write -C ws --print=new new
                exec {reader}<&-
                expect_out
                cat old new | expect_same - "$day"
                expect_file ws/store/lock "signals/2026-02-05.jsonl $(wc -c <old)"
                [[ $index == keep ]] || rm -r ws/store/index
                traced write,pwrite64,fdatasync metaspn-write -C ws --print=all "$wanted"
                expect_status 0
                expect_written_anew
                [[ ! -s ws/store/lock ]]
            done
        done
    done
    cat old new next | expect_same - "$day"
}

@test "lines of others that were in a sync that failed are written anew" {
    signals 1 2 | store
    signals 3 4 | tee theirs >>"$day"
    signals 5 6 >new
    run_split strace -f -o trace -e inject=fdatasync:error=EIO metaspn-write -C ws new
    expect_status 5
    signals 1 4 | expect_same - "$day"
    traced write,pwrite64,fdatasync metaspn-write -C ws --print=all theirs
    expect_written_anew
}

@test "a doubt about one partition does not touch another, and noise in the lock file is none" {
    signals 1 2 | store
    printf 'signals/2026-02-04.jsonl 0\nnoise\nsignals/2026-02-31.jsonl 0\nsignals/2026-02-05.jsonl 1x\nsignals/2026-02-05.jsonl+0\n\0\0' >ws/store/lock
    traced write,pwrite64,fdatasync metaspn-write -C ws <<<"$(signals 3 3)"
    expect_status 0
    [[ -z $(lines_of 'pwrite64\([0-9]+<.*/signals/') ]]
    expect_file ws/store/lock 'signals/2026-02-04.jsonl 0'
    signal a1 2026-02-04T10:00:00Z | store
    [[ ! -s ws/store/lock ]]
}

@test "the doubt about a later batch stands at the front of the lock file, too" {
    local writer feed
    needs_strace
    signals 1 1 | store
    mkfifo pipe
    strace -f -o /dev/null -e inject=fdatasync:error=EIO:when=2 metaspn-write -C ws --print=new <pipe >printed 2>"$err" 3>&- &
    writer=$!
    exec {feed}>pipe {reader}<"$day"
    signals 2 2 >&"$feed"
    eventually test -s printed
    signals 3 3 >&"$feed"
    exec {feed}>&-
    wait "$writer" || status=$?
    exec {reader}<&-
    expect_status 5
    expect_file ws/store/lock "signals/2026-02-05.jsonl $(signals 1 2 | wc -c)"
}

@test "a doubt that the lock file could not be told of the first time is told it the next" {
    needs_strace
    mkdir -p ws/store/signals
    (signal s1 2026-02-04T10:00:00Z; printf '{"fragment') >ws/store/signals/2026-02-04.jsonl
    run_split strace -f -o trace -e trace=pwrite64,fdatasync -e inject=pwrite64:error=ENOSPC:when=1 \
        -e inject=fdatasync:error=EIO metaspn-write -C ws <<<"$(signal s1 2026-02-05T10:00:00Z)"
    expect_status 5
    [[ $(grep -c INJECTED trace) == 2 ]]
    expect_file ws/store/lock 'signals/2026-02-04.jsonl 0'
}

@test "much that others wrote is read before the lock is taken" {
    mkdir -p ws/store/signals
    head -c 17000000 /dev/zero | tr '\0' ' ' >"$day" # a blank line is one, too
    echo >>"$day"
    traced fcntl,pread64 metaspn-write -C ws <<<"$(signal s1 2026-02-06T10:00:00Z)"
    expect_status 0
    [[ $(lines_of 'pread64\([0-9]+<.*/signals/2026-02-05.jsonl>.* = [0-9]{6,}$' | wc -l) -ge 1 ]]
    awk '/store\/lock>, F_OFD_SETLK, .*F_WRLCK/ {held = 1} /store\/lock>, F_OFD_SETLK, .*F_UNLCK/ {held = 0}
        held && /2026-02-05.jsonl>.* = [0-9][0-9][0-9][0-9][0-9][0-9]+$/ {print; bad = 1} END {exit bad}' trace
}

@test "an index that turns out to be damaged when much is read under the lock after all is rebuilt" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "not under $METASPN_TESTED_UNDER"
    cc -D_GNU_SOURCE -shared -fPIC -o locked.so "$BATS_TEST_DIRNAME/locked.c" -ldl
    signals 1 1 | store
    head -c 17000000 /dev/zero | tr '\0' ' ' >much
    echo >>much
    signals 2 2 >event
    # shellcheck disable=SC2016  # for the shell that it runs
    run_split env LD_PRELOAD="$PWD/locked.so" DAY="$day" LOCKED='cat much >>"$DAY"; [ $TURN -lt 3 ] ||
        { cat event >>"$DAY"; printf x | dd bs=1 seek=5000 conv=notrunc status=none of="$(ls ws/store/index/ids-*)"; }' \
        metaspn-write -C ws --print=result <<<"$(signals 2 3)"
    expect_status 0
    expect_err_like 'note: .*/index: damaged; rebuilding it'
    [[ $(jq -r .status "$out" | paste -sd' ') == 'duplicate appended' ]]
}

@test "a doubt is told apart from the zeros that a power cut left in the lock file" {
    signals 1 2 | store
    signals 3 5 >new
    head -c 100 /dev/zero >ws/store/lock
    exec {reader}<"$day"
    run_split strace -f -o trace -e inject=fdatasync:error=EIO metaspn-write -C ws new
    exec {reader}<&-
    expect_status 5
    rm -r ws/store/index
    traced write,pwrite64,fdatasync metaspn-write -C ws --print=all new
    expect_status 0
    expect_written_anew
}

@test "a lock file that cannot be read is left as it is, and nothing is stored" {
    not_under valgrind 'whose own reads fail, too'
    local n times=0
    signals 1 2 | store
    echo 'signals/2026-02-05.jsonl 0' | tee want >ws/store/lock
    mv ws fresh
    for ((n = 1; n <= 40 && times < 2; n++)); do
        rm -rf ws
        cp -a fresh ws
        run_split strace -f -o trace -e inject=pread64:error=EIO:when="$n" metaspn-write -C ws <<<"$(signals 3 3)"
        grep -q 'ws/store/lock: cannot read' "$err" || continue
        times=$((times + 1)) # at its first byte, at its end
        expect_status 5
        expect_same want ws/store/lock
        signals 1 2 | expect_same - "$day"
    done
    [[ $times == 2 ]]
}

@test "without a word in the lock file nothing is synced" {
    signals 1 2 | store
    signals 3 3 >new
    exec {reader}<"$day"
    run_split strace -f -o trace -e inject=pwrite64:error=ENOSPC:when=1 metaspn-write -C ws --print=new new
    exec {reader}<&-
    expect_status 5
    expect_err_like "^metaspn-write: ws/store/lock: cannot write: No space left on device"
    [[ -z $(lines_of fdatasync) ]]
    expect_out
    store new
    signals 1 3 | expect_same - "$day"
}

# ---- promise 7: no space, size limits

@test "a file size limit at any byte: the partition as before, exit 5, and the next write works" {
    local before n
    signals 1 2 >old
    signals 3 5 >new
    before=$(wc -c <old)
    for ((n = before; n < before + $(wc -c <new); n += 37)); do
        rm -rf ws/store
        mkdir -p ws/store/signals
        cp old "$day"
        run_split prlimit --fsize="$n" metaspn-write -C ws --print=new new
        expect_status 5
        expect_out
        expect_same old "$day"
        expect_err_like "^metaspn-write: $day: cannot write: File too large; 0 events of the input are stored$"
    done
    run_split store new
    expect_status 0
    cat old new | expect_same - "$day"
}

@test "the message says how many events of the input are stored" {
    signals 1 100 | store
    status=0
    { signals 90 110; eventually grep -q '"s110"' "$day"; signals 111 120; } |
        prlimit --fsize="$(signals 1 115 | wc -c)" metaspn-write -C ws >"$out" 2>"$err" || status=$?
    expect_status 5
    expect_err_like '; 21 events of the input are stored$'
    signals 1 110 | expect_same - "$day"
}

@test "a limit that lets one partition grow and another not: the whole batch is undone" {
    signals 1 50 | store
    cp "$day" before
    { signal a1 2026-02-04T10:00:00Z; signals 51 60; signal b1 2026-02-06T10:00:00Z; } >events
    run_split prlimit --fsize=$(($(wc -c <before) + 100)) metaspn-write -C ws events
    expect_status 5
    expect_same before "$day"
    [[ $(find ws/store/signals -type f) == "$day" ]]
    store events
    [[ $(cat ws/store/signals/*.jsonl | wc -l) == 62 ]]
}

@test "the index knows nothing of what was written to other days by a batch that failed" {
    local d days
    needs_strace
    days=$(seq -f '2026-01-%02.0f' 1 30)
    for d in $days; do signal "old$d" "${d}T10:00:00Z"; done | store
    for d in $days; do signal "new$d" "${d}T10:00:00Z"; done >events
    run_split strace -f -o trace -P "$PWD/ws/store/signals/2026-01-30.jsonl" -e inject=write:error=ENOSPC metaspn-write -C ws events
    expect_status 5
    # the same line comes by another program, and one more
    (grep new2026-01-03 events; signal more 2026-01-03T10:00:00Z) >>ws/store/signals/2026-01-03.jsonl
    grep new2026-01-03 events | expect_same - <(metaspn-replay -C ws --id=new2026-01-03)
    metaspn-fsck -C ws
}

@test "an empty file that was there before a batch that failed is there afterwards" {
    signals 1 50 | store
    : >ws/store/signals/2026-02-04.jsonl
    run_split prlimit --fsize=$(($(wc -c <"$day") + 100)) metaspn-write -C ws < <(
        signal a1 2026-02-04T10:00:00Z
        signals 51 60
    )
    expect_status 5
    expect_file ws/store/signals/2026-02-04.jsonl
}

@test "no partition is held open while a writer waits for input" {
    local writer feed open
    signals 1 1 | store
    mkfifo pipe
    metaspn-write -C ws --print=all <pipe >printed 3>&- &
    writer=$!
    exec {feed}>pipe
    signals 1 1 >&"$feed"
    for _ in {1..1000}; do
        [[ ! -s printed ]] || break
        sleep 0.01
    done
    for _ in {1..100}; do
        open=$(find "/proc/$writer/fd" -lname '*.jsonl')
        [[ -n $open ]] || break
        sleep 0.02
    done
    [[ -z $open ]]
    exec {feed}>&-
    wait "$writer"
}

# The kernel takes a lease away from a writer that was stopped for long. strace lets it believe that it has one.
@test "what was written is not cut off where the lease on the file is gone" {
    local n first lie
    signals 1 2 | store
    cp "$day" before
    signals 3 5 >new
    local limit=$(($(wc -c <before) + 100))
    traced fcntl prlimit --fsize="$limit" metaspn-write -C ws new
    expect_status 5
    expect_same before "$day"
    first=$(lines_of '^[0-9]* *fcntl' | grep -nxF "$(lines_of 'F_SETLEASE, F_WRLCK' | head -n 1)" | cut -d: -f 1)
    for n in 0 1; do # of the writing, of the cut too
        lie=fcntl:retval=0:when=$first..$((first + n))
        exec {reader}<"$day"
        run_split strace -f -o trace -e inject="$lie" prlimit --fsize="$limit" metaspn-write -C ws new
        exec {reader}<&-
        expect_status 5
        [[ $(grep -c 'F_SETLEASE, F_WRLCK) *= 0 (INJECTED)' trace) == $((n + 1)) ]]
        head -n 3 new | cat before - | head -c "$limit" | expect_same - "$day"
        cp before "$day"
    done
}

# on_tmpfs SIZE COMMAND: runs it where ws is a file system of this size.
on_tmpfs()
{
    # shellcheck disable=SC2016  # for that bash to expand
    unshare --mount bash -c 'mount -t tmpfs -o "size=$1" tmpfs ws && shift && eval "$@"' - "$@" 3>&-
}

@test "a full file system: exit 5, what was stored stays, and there is room again later" {
    unshare --mount mount -t tmpfs tmpfs ws 2>"$err" || skip 'may not mount'
    signals 1 3000 >events
    signals 1 100 >few
    cat >steps <<'END'
metaspn-write -C ws few
cp ws/store/signals/2026-02-05.jsonl before
metaspn-write -C ws events 2>err && exit 1
[[ $(tail -n 1 err) == *'No space left on device; 0 events of the input are stored' ]] || exit 2
cmp before ws/store/signals/2026-02-05.jsonl || exit 3
mount -o remount,size=64m ws
metaspn-write -C ws --print=result events | grep -c appended >appended
cp -r ws/store after
END
    on_tmpfs 256k . ./steps
    expect_file appended 2900
    cp -r after ws/store
    expect_stored 3000
}

@test "no inode left: exit 5, nothing lost" {
    unshare --mount mount -t tmpfs tmpfs ws 2>"$err" || skip 'may not mount'
    for i in {10..40}; do signal "s$i" "2026-01-01T00:00:$i""Z" | sed "s/2026-01-01/20$i-01-01/"; done >events
    cat >steps <<'END'
metaspn-write -C ws events 2>err && exit 1
[[ -z $(find ws/store/signals -type f) ]] || exit 2
mount -o remount,nr_inodes=1000 ws
metaspn-write -C ws events
cat ws/store/signals/*.jsonl >stored
END
    on_tmpfs 1m,nr_inodes=20 . ./steps
    sort stored | expect_same - <(sort events)
}

@test "a read-only file system: exit 5, saying so" {
    unshare --mount mount -t tmpfs tmpfs ws 2>"$err" || skip 'may not mount'
    cat >steps <<'END'
signals 1 3 | metaspn-write -C ws
mount -o remount,ro ws
signals 4 4 | metaspn-write -C ws 2>err
[[ $? == 5 && $(cat err) == *'Read-only file system'* ]]
END
    export -f signals signal print_object
    on_tmpfs 1m . ./steps
}

@test "a store that may not be written: exit 5" {
    [[ $(id -u) != 0 ]] || skip 'root writes everywhere'
    signals 1 3 | store
    chmod -R a-w ws/store
    run_split store <<<"$(signals 4 4)"
    chmod -R u+w ws/store
    expect_status 5
    signals 1 3 | expect_same - "$day"
}

@test "few descriptors are enough for a batch over many days" {
    local i
    not_under valgrind 'which opens files of its own'
    for i in {100..159}; do sed "s/s1/s$i/; s/2026/2$i/" <<<"$(signals 1 1)"; done >events
    (ulimit -n 48 && store events)
    cat ws/store/signals/*.jsonl | expect_same - events
    (ulimit -n 48 && run_split store events && expect_status 0)
}

# ---- promise 13: nobody gets in

@test "store itself may be a symbolic link" {
    mkdir elsewhere
    ln -s ../elsewhere ws/store
    signals 1 3 | store
    signals 1 3 | expect_same - elsewhere/signals/2026-02-05.jsonl
    [[ -L ws/store ]]
}

@test "a link, a FIFO or a device in the place of a file or folder of ours is exit 5, naming it" {
    local place kind
    mkdir outside
    signals 1 1 >one
    signals 2 2 >two
    for place in signals signals/2026-02-05.jsonl lock index index/manifest index/lock; do
        for kind in link dangling fifo device; do
            [[ $kind != device || $(id -u) == 0 ]] || continue
            rm -rf ws/store outside/*
            store one
            cp -r ws/store/. outside
            rm -rf "ws/store/$place"
            case $kind in
            link) ln -s "$PWD/outside/$place" "ws/store/$place" ;;
            dangling) ln -s "$PWD/outside/new" "ws/store/$place" ;;
            fifo) mkfifo "ws/store/$place" ;;
            device) mknod "ws/store/$place" c 1 3 ;;
            esac
            find outside -type f -exec cksum {} + | sort >before
            run_split timeout 10 metaspn-write -C ws two
            expect_status 5
            expect_err_like "ws/store/$place: "
            find outside -type f -exec cksum {} + | sort | expect_same before -
            [[ ! -e outside/new ]]
        done
    done
}

@test "a link in the place of quarantine: nothing is written through it, and nothing is lost" {
    mkdir outside
    signals 1 1 | store
    printf '{"torn' >>"$day"
    cp "$day" before
    ln -s ../../outside ws/store/quarantine
    run_split store <<<"$(signals 2 2)"
    expect_status 5
    expect_err_like 'ws/store/quarantine: is a symbolic link'
    expect_same before "$day"
    [[ -z $(ls -A outside) ]]
}

@test "a directory in the place of a partition is exit 5" {
    mkdir -p "$day"
    run_split store <<<"$(signals 1 1)"
    expect_status 5
    expect_err_like "$day: is not a regular file"
}

@test "a current directory that has gone matters to nobody who names a workspace" {
    signals 1 1 >event
    mkdir gone
    (cd gone && rmdir ../gone && metaspn-write -C "$ws" "$BATS_TEST_TMPDIR/event")
    signals 1 1 | expect_same - "$day"
}

@test "umask 077 and umask 0 make files that are as private or as open" {
    (umask 077 && signals 1 1 | store)
    [[ $(stat -c %a "$day") == 600 && $(stat -c %a ws/store/lock) == 600 ]]
    rm -rf ws/store
    (umask 0 && signals 1 1 | store)
    [[ $(stat -c %a "$day") == 666 && $(stat -c %a ws/store/signals) == 777 ]]
}
