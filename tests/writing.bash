# What the tests of writers and of the store share, beside helper.bash.
#
#   $day                            the partition of signals of 2026-02-05
#   store [OPTION ...] [FILE ...]   metaspn-write into $ws
#   signals FROM TO [NAME=JSON ...] signals s$FROM to s$TO, a second apart, on 2026-02-05
#   stored_ids                      the ids in the store, as they lie, of signals
#   expect_stored N                 each of the signals s1 to sN is stored once, nothing else, and fsck finds nothing
#   fsck [OPTION ...]               metaspn-fsck of $ws
#   stores LINE WANTED              the line goes in, and exactly the other one is stored, in the only partition there is
#   refuses LINE MESSAGE [OPTION ...]   the line is invalid: the message, exit 3, nothing stored
#   invalid_x                       what is said of the line x
#   patiently COMMAND ...           a command of ours that waits six times as long for others' unfinished lines
#   hold_lock, release_lock         another program that holds the writers' lock

# shellcheck disable=SC2034,SC2154  # used by the tests; of helper.bash

day=ws/store/signals/2026-02-05.jsonl

store()
{
    metaspn-write -C ws "$@"
}

signals()
{
    local i at all=() from=$1 to=$2
    shift 2
    signal 's%d' '2026-02-05T%s' "$@" >/dev/null
    for ((i = from; i <= to; i++)); do
        printf -v at '%02d:%02d:%02dZ' $((i / 3600 % 24)) $((i / 60 % 60)) $((i % 60))
        all+=("$i" "$at")
    done
    # shellcheck disable=SC2059  # the event is the format
    [[ $from -gt $to ]] || printf "$object\n" "${all[@]}"
}

stored_ids()
{
    stored signals | sed 's/.*"signal_id":"\([^"]*\)".*/\1/'
}

expect_stored()
{
    stored_ids | sort >stored
    seq -f 's%.0f' 1 "$1" | sort | diff - stored || return
    run_split metaspn-fsck -C ws
    cat "$out"
    expect_status 0
}

patiently()
{
    if [[ ${METASPN_TESTED_UNDER:-} != valgrind ]] && strace -o /dev/null true 2>/dev/null; then
        strace -f -qq -o pauses -e trace=clock_nanosleep -e inject=clock_nanosleep:delay_enter=100000 "$@"
    else
        "$@"
    fi
}

hold_lock()
{
    coproc HOLDER {
        exec /usr/bin/python3 -c '
import fcntl, sys
with open("ws/store/lock", "r+") as lock:
    fcntl.lockf(lock, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()' 3>&-
    }
    holder=$HOLDER_PID
    read -r <&"${HOLDER[0]}"
}

release_lock()
{
    eval "exec ${HOLDER[1]}>&-"
    wait "$holder" || true
}

fsck()
{
    metaspn-fsck -C ws "$@"
}

stores()
{
    rm -rf ws/store
    printf '%s\n' "$1" | store
    expect_file <(stored signals; stored emissions) "$2"
}

refuses()
{
    local line=$1 message=$2
    shift 2
    status=0
    printf '%s' "$line" | store "$@" >"$out" 2>"$err" || status=$?
    expect_status 3
    expect_out
    expect_err "metaspn-write: -:1: $message: not stored, nor is what follows"
    [[ -z $(stored signals; stored emissions) ]]
}

invalid_x()
{
    echo 'invalid JSON at byte 1: expected a value: "x"'
}
