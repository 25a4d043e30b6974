#!/usr/bin/env bats
# Beside writers that know no lock: they append with O_APPEND, a line in one write or in several.

# shellcheck disable=SC2154  # helper.bash sets variables

load helper
load writing

# append_slowly FILE PIECE SECONDS [PIECE SECONDS ...]: keeps FILE open all the time. It takes its shell's place.
append_slowly()
{
    exec /usr/bin/python3 -c '
import sys, time
with open(sys.argv[1], "ab", buffering=0) as file:
    for piece, seconds in zip(sys.argv[2::2], sys.argv[3::2]):
        file.write(piece.encode())
        time.sleep(float(seconds))' "$@"
}

# Starts append_slowly in the background and waits until its first bytes stand there.
beside()
{
    mkdir -p ws/store/signals
    append_slowly "$file" "$@" 3>&- &
    until [[ -s $file ]]; do sleep 0.01; done
}

setup()
{
    fresh_workspace
    file=ws/store/signals/2026-02-05.jsonl
    theirs=$(signal theirs 2026-02-05T10:00:00Z)
    ours=$(signal ours 2026-02-05T11:00:00Z)
}

@test "a line that comes in pieces is waited for, however many there are" {
    beside "${theirs:0:10}" 0.4 "${theirs:10:10}" 0.4 "${theirs:20}"$'\n' 0
    run_split patiently metaspn-write -C ws <<<"$ours"
    wait
    expect_status 0
    expect_file "$file" "$theirs" "$ours"
    [[ ! -e ws/store/quarantine ]]
}

@test "a line that grows and is not ended in time is copied, ended and left" {
    beside "${theirs:0:10}" 1 "${theirs:10:10}" 60
    run_split metaspn-write -C ws <<<"$ours"
    kill $!
    wait $! || true
    expect_status 0
    expect_err_like 'warning: .*: ended a last line of 20 bytes'
    expect_file "$file" "${theirs:0:20}" "$ours"
    [[ $(cat ws/store/quarantine/*) == "${theirs:0:20}" ]]
}

@test "a signal does not shorten the wait for somebody's newline" {
    needs_strace
    mkdir -p ws/store/signals
    exec {theirs_open}>>"$file"
    printf %s "${theirs:0:10}" >&"$theirs_open"
    echo "$ours" >event
    run_split strace -o trace -e trace=clock_nanosleep -e inject=clock_nanosleep:retval=0:signal=TERM metaspn-write -C ws event
    exec {theirs_open}>&-
    expect_status 143
    [[ $(grep -c '^clock_nanosleep' trace) == 100 ]] # of 20 ms
    expect_file "$file" "${theirs:0:10}" "$ours"
}

@test "a newline that comes with the beginning of the next line ends the wait" {
    beside "${theirs:0:10}" 0.3 "${theirs:10}"$'\n'"${theirs:0:5}" 0.3 "${theirs:5}"$'\n' 0
    run_split patiently metaspn-write -C ws <<<"$ours"
    wait
    expect_status 0
    expect_file "$file" "$theirs" "$theirs" "$ours"
}

# write_while_away [COMMAND ...]: writes, after COMMAND, while the day is moved away at one moment, and back; at each
# moment that there is.
write_while_away()
{
    local n
    mv ws fresh
    for ((n = 1; n <= 30; n++)); do
        rm -rf ws
        cp -a fresh ws
        "$@" >/dev/null
        run_split strace -f -o trace -P "$PWD/ws/store/signals" -e inject=openat2:error=ENOENT:when="$n" metaspn-write -C ws event
        grep -q INJECTED trace || break
        head -c "$(wc -c <"fresh/${file#ws/}")" "$file" | expect_same - "fresh/${file#ws/}"
        grep -q 'cannot list: No such file' "$err" || [[ $(tail -n 1 "$file") == "$ours" ]]
        [[ $(grep -c '"theirs"' "$file") == 1 ]]
        [[ ! -e ws/store/quarantine ]]
    done
    ((n > 3 && n < 30))
    rm -rf ws
    mv fresh ws
}

@test "a day that is moved away for a moment, and back, loses nothing and holds nothing twice" {
    needs_strace
    local other=${theirs/theirs/other}
    printf "%s\n" "$ours" "$theirs" >event
    printf '%s\n' "$theirs" "$other" | metaspn-write -C ws
    rm -r ws/store/index
    write_while_away
    metaspn-write -C ws <<<"$theirs"
    write_while_away metaspn-replay -C ws --count # the index knows it
    printf '%s\n' "${theirs/theirs/third}" "${theirs/theirs/fourth}" >>"$file"
    write_while_away
}

# hold_lease FILE: has a write lease on it, which ends as soon as somebody wants to open it.
hold_lease()
{
    coproc LEASE {
        exec /usr/bin/python3 -c '
import fcntl, os, signal, sys
held = os.open(sys.argv[1], os.O_RDWR)
def end(*_):
    fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    sys.exit()
signal.signal(signal.SIGIO, end)
fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
while True:
    signal.pause()' "$1" 3>&-
    }
    read -r <&"${LEASE[0]}"
}

@test "a lease is waited for, where openat2 is missing too" {
    metaspn-write -C ws <<<"$theirs"
    local holder way
    for way in env "strace -f -o trace -e inject=openat2:error=ENOSYS"; do
        hold_lease "$file"
        holder=$LEASE_PID
        # shellcheck disable=SC2086  # words
        run_split $way metaspn-replay -C ws --no-index
        wait "$holder"
        expect_status 0
        expect_out "$theirs"
    done
}

@test "nothing is put after a line that is not ended, however often the next one has begun already" {
    local pieces=() lines=()
    for _ in {1..12}; do
        pieces+=("${theirs:5}"$'\n'"${theirs:0:5}" 0.1)
        lines+=("$theirs")
    done
    beside "${theirs:0:5}" 0.1 "${pieces[@]}" "${theirs:5}"$'\n' 0
    run_split patiently metaspn-write -C ws <<<"$ours"
    wait
    expect_status 0
    expect_file "$file" "${lines[@]}" "$theirs" "$ours"
}

# write_beside BEFORE AFTER FIRST TIMES OPTION...: writes two events while unlocked.c appends its pieces.
write_beside()
{
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "not under $METASPN_TESTED_UNDER"
    mkdir -p ws/store/signals
    first=$(signal first 2026-02-05T09:00:00Z)
    second=${second:-$(signal second 2026-02-05T12:00:00Z)}
    printf '%s\n' "$first" >"$file"
    printf '%s\n' "$ours" "$second" >events
    cc -D_GNU_SOURCE -shared -fPIC -o unlocked.so "$BATS_TEST_DIRNAME/unlocked.c" -ldl
    run_split ${with[@]+"${with[@]}"} env LD_PRELOAD="$PWD/unlocked.so" UNLOCKED_FILE="$file" UNLOCKED_BEFORE="$1" UNLOCKED_AFTER="$2" \
        UNLOCKED_FIRST="$3" UNLOCKED_TIMES="$4" metaspn-write -C ws "${@:5}" events
}

# beside_a_write BEFORE AFTER [FIRST TIMES]: the same; all of them are new.
beside_a_write()
{
    write_beside "$1" "$2" "${3:-}" "${4:-0}" --print=new
    expect_status 0
    expect_same events "$out"
}

# write_replaced LINES MOMENT [FILE]: writes $ours, or the file, while the day becomes another file, of these lines, at that
# moment: sync, or when the file of that name is opened to append to it.
write_replaced()
{
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "not under $METASPN_TESTED_UNDER"
    cc -D_GNU_SOURCE -shared -fPIC -o replaced.so "$BATS_TEST_DIRNAME/replaced.c" -ldl
    echo "$1" >other
    run_split ${with[@]+"${with[@]}"} env LD_PRELOAD="$PWD/replaced.so" REPLACED="$file" REPLACED_BY=other REPLACED_AT="$2" \
        metaspn-write -C ws "${3:--}" <<<"$ours"
}

@test "what was glued to a fragment that came at the same moment is written again, and nothing else" {
    beside_a_write "${theirs:0:20}" ''
    expect_file "$file" "$first" "${theirs:0:20}$ours" "$second" "$ours"
    run_split metaspn-write -C ws --print=new events
    expect_out
}

@test "a line that came at the same moment stays, before ours or after them" {
    beside_a_write "$theirs"$'\n' "${theirs/theirs/more}"$'\n'
    expect_file "$file" "$first" "$theirs" "$ours" "$second" "${theirs/theirs/more}"
    run_split metaspn-write -C ws --print=result <<<"${theirs/theirs/more}"
    [[ $(<"$out") == *'"status":"duplicate"'* ]]
}

@test "a fragment that came just after our write is ended and left" {
    beside_a_write '' "${theirs:0:20}"
    expect_file "$file" "$first" "$ours" "$second" "${theirs:0:20}"
}

@test "somebody who is always a little faster is waited for" {
    beside_a_write '' '' "$theirs"$'\n' 12
    local lines=()
    for _ in {1..12}; do lines+=("$theirs"); done
    expect_file "$file" "$first" "${lines[@]}" "$ours" "$second"
}

@test "the index that is damaged while what was written beside somebody is synced costs no event, and is rebuilt" {
    needs_strace
    signal before 2026-02-04T10:00:00Z | metaspn-write -C ws
    {
        eventually grep -qs second "$file"
        printf noise | dd of="$(echo ws/store/index/ids-*)" bs=1 seek=4096 conv=notrunc status=none
    } 3>&- &
    local with=(strace -f -o trace -e trace=fdatasync -e inject=fdatasync:delay_enter=1000000)
    beside_a_write '' '' "$theirs"$'\n' 1
    wait
    expect_file "$file" "$first" "$theirs" "$ours" "$second"
    # its pages had been checked before: the next command finds it, here where that did not
    grep -q 'index: damaged; rebuilding it$' "$err" || {
        run_split metaspn-write -C ws --print=result events
        expect_err_like 'note: ws/store/index: damaged; rebuilding it$'
        [[ $(jq -r .status "$out" | sort -u) == duplicate ]]
    }
    expect_file "$file" "$first" "$theirs" "$ours" "$second"
    metaspn-fsck -C ws
}

# expect_results 'ID STATUS' ...: what --print=result said.
expect_results()
{
    printf '%s\n' "$@" | expect_same <(jq -r '.id + " " + .status' "$out") -
}

@test "what somebody stores in that moment is not stored again" {
    other=$(signal ours 2026-02-05T11:30:00Z)
    write_beside '' '' "$other"$'\n' 1 --print=result
    expect_status 0
    expect_file "$file" "$first" "$other" "$second"
    expect_results 'ours conflict' 'second appended'
}

@test "what somebody stores between the last look and the write is a duplicate, too" {
    other=$(signal ours 2026-02-05T11:30:00Z)
    write_beside "$other"$'\n' '' '' 0 --print=result
    expect_results 'ours conflict' 'second appended'
    rm -r ws/store
    # our own line is glued to a fragment of theirs
    write_beside "$other"$'\n{"torn' '' '' 0 --print=all
    expect_status 0
    expect_out "$other" "$second"
    [[ $(metaspn-replay -C ws --skip-damaged --count 2>&1 | tail -n 1) == 3 ]]
    run_split metaspn-replay -C ws --id=ours
    expect_out "$other"
}

@test "with raise, what somebody stores in that moment ends it, and nothing after it is stored" {
    other=$(signal ours 2026-02-05T11:30:00Z)
    write_beside '' '' "$other"$'\n' 1 --on-duplicate=raise
    expect_status 4
    expect_file "$file" "$first" "$other"
    rm -r ws/store
    other=$(signal second 2026-02-05T11:30:00Z)
    write_beside '' '' "$other"$'\n' 1 --on-duplicate=raise --print=result
    expect_status 4
    expect_results 'ours appended'
    expect_file "$file" "$first" "$other" "$ours"
}

@test "with raise, what stands between two that somebody stored in that moment is not stored" {
    other=$(signal ours 2026-02-05T11:30:00Z)
    second=$(signal new 2026-02-05T12:00:00Z; signal second 2026-02-05T13:00:00Z)
    write_beside '' '' "$other"$'\n'"$(signal second 2026-02-05T13:30:00Z)"$'\n' 1 --on-duplicate=raise --print=result
    expect_status 4
    expect_results
    expect_file "$file" "$first" "$other" "$(signal second 2026-02-05T13:30:00Z)"
}

@test "with raise, nothing after what somebody stored in that moment, where another writes beside the write as well" {
    other=$(signal second 2026-02-05T12:30:00Z)
    second=$(signal second 2026-02-05T12:00:00Z; signal third 2026-02-05T13:00:00Z)
    write_beside '' "$theirs"$'\n' "$other"$'\n' 1 --on-duplicate=raise --print=result
    expect_status 4
    expect_results 'ours appended'
    expect_file "$file" "$first" "$other" "$ours" "$theirs"
}

@test "what stands there after a write that others mixed with is synced once more: it may be theirs" {
    needs_strace
    with=(strace -f -y -o trace -e 'trace=write,fdatasync')
    write_beside "$theirs"$'\n' '' '' 0 --print=new
    expect_same events "$out"
    [[ $(sed '/write(1</q' trace | grep -c 'fdatasync(.*/signals/2026-02-05.jsonl') == 2 ]]
}

@test "what stands there and cannot be read after such a write is not written again" {
    needs_strace
    local n
    for ((n = 1; n <= 40; n++)); do
        rm -rf ws/store
        with=(strace -f -o trace -P "$PWD/$file" -e inject=pread64:error=EIO:when="$n")
        write_beside "$theirs"$'\n' '' '' 0
        grep -q INJECTED trace || break
        [[ $(jq -r .signal_id "$file" | sort | uniq -d) == '' ]]
        [[ $status == 5 || $(wc -l <"$file") == 4 ]]
    done
    ((n > 5 && n < 40))
}

@test "repetitions in the input repeat what somebody stored in that moment" {
    other=$(signal ours 2026-02-05T11:30:00Z)
    second=$other
    write_beside '' '' "$other"$'\n' 1 --print=result
    expect_results 'ours conflict' 'ours duplicate'
    rm -r ws/store
    second=$ours
    write_beside '' '' "$other"$'\n' 1 --print=all
    expect_out "$other" "$other"
}

@test "another file of the same size that takes a day's place before the write is read first" {
    local other=${theirs/theirs/others}
    metaspn-write -C ws <<<"$theirs"
    write_replaced "${other/Z/}" "${file##*/}"
    expect_status 0
    expect_file "$file" "${other/Z/}" "$ours"
    run_split metaspn-write -C ws --print=result <<<"$other"
    [[ $(<"$out") == *'"status":"duplicate"'* ]]
    [[ $(metaspn-replay -C ws --id=others) == "${other/Z/}" ]]
    metaspn-fsck -C ws
}

@test "another file that takes the place of one that was made for a batch that failed is not removed" {
    write_replaced "$theirs" sync
    expect_status 5
    expect_file "$file" "$theirs"
}

@test "another file of the same size that takes the place of a day that was written stays whole when the batch fails" {
    local day
    needs_strace
    for day in {01..30}; do signal "old$day" "2026-01-${day}T10:00:00Z"; done | metaspn-write -C ws
    for day in {01..30}; do signal "new$day" "2026-01-${day}T10:00:00Z"; done >events
    theirs=$(signal the03 2026-01-03T10:00:00Z; signal its03 2026-01-03T11:00:00Z)
    file=ws/store/signals/2026-01-03.jsonl
    with=(strace -f -o trace -P "$PWD/ws/store/signals/2026-01-30.jsonl" -e inject=write:error=ENOSPC)
    write_replaced "$theirs" 2026-01-30.jsonl events
    expect_status 5
    expect_file "$file" "$theirs"
}

@test "an id that somebody stores in that moment, in another day, is not stored again" {
    other=$(signal second 2026-02-05T11:30:00Z)
    second=$(signal second 2026-02-06T12:00:00Z)
    write_beside '' '' "$other"$'\n' 1 --print=result
    expect_status 0
    expect_results 'ours appended' 'second conflict'
    [[ ! -e ws/store/signals/2026-02-06.jsonl ]]
    rm -r ws/store
    # and is delivered once, where that day was written before
    other=$(signal second 2026-02-06T11:30:00Z)
    second=$(signal second 2026-02-04T12:00:00Z)
    file=ws/store/signals/2026-02-06.jsonl
    ours=$(signal ours 2026-02-06T11:00:00Z)
    write_beside '' '' "$other"$'\n' 1 --print=result
    expect_results 'ours appended' 'second appended'
    [[ $(metaspn-replay -C ws | jq -r .signal_id | paste -sd' ') == 'second first ours' ]]
}

@test "a day rewritten in place while a writer prints what it holds: lines of it come out whole or not at all" {
    local i filling reader first day=ws/store/signals/2026-02-05.jsonl
    printf -v filling '%032000d' 0
    for i in {1..128}; do
        signal "s$i" 2026-02-05T10:00:00Z payload="\"$filling\""
    done >events
    metaspn-write -C ws events
    mkfifo pipe
    metaspn-write -C ws --print=all events >pipe 2>"$err" &
    exec {reader}<pipe
    IFS= read -r -N 1 -u "$reader" first
    tr '[:print:]' x <events | dd of=$day conv=notrunc status=none
    cat <&"$reader" >rest
    exec {reader}<&-
    status=0
    wait $! || status=$?
    expect_status 5
    expect_err "metaspn-write: $day: was rewritten meanwhile"
    { printf %s "$first" && cat rest; } >printed
    head -n "$(wc -l <printed)" events >leading
    expect_same printed leading
}
