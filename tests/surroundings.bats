#!/usr/bin/env bats
# Hostile surroundings: the same answers, or a refusal that says why, whatever a command finds around it; the store is
# never harmed.

# shellcheck disable=SC2015,SC2094,SC2154  # the helper sets variables; files are named as functions are

load helper
load surroundings

with_umask() { (umask "$1" && shift && "$@"); }

with_limit()
{
    not_under valgrind 'which the limit hits, too'
    [[ $1 != -v ]] || not_under sanitizers 'which take address space'
    (ulimit "$1" "$2" && shift 2 && "$@" 2>&1) | cat
    return "${PIPESTATUS[0]}"
}

from_nowhere() { mkdir gone && (cd gone && rmdir ../gone && "$@"); }

# refuses TIME
refuses()
{
    signal when "$1" >event
    gives 3 metaspn-write -C ws event && ! grep -rq '"when"' ws/store/signals
}

mode() { stat -c %a "ws/store/$1"; }

as_nobody()
{
    [[ $EUID == 0 ]] || skip 'only root can become somebody else'
    chmod -R go+rX "$BATS_TEST_TMPDIR" && chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" 2>/dev/null || true
    run_split setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

# ---- language and time zone

@test "LC_ALL=tr_TR.UTF-8: replay" {
    answers_as_ever env LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 LC_NUMERIC=tr_TR.UTF-8 -- metaspn-replay -C ws
}
@test "LC_ALL=tr_TR.UTF-8: replay as a table" {
    answers_as_ever env LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 LC_NUMERIC=tr_TR.UTF-8 -- metaspn-replay -C ws --kind=all --format=table
}
@test "LC_ALL=tr_TR.UTF-8: top" {
    answers_as_ever env LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 LC_NUMERIC=tr_TR.UTF-8 -- metaspn-top -C ws
}
@test "LC_ALL=tr_TR.UTF-8: checkpoints as a table" {
    answers_as_ever env LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 LC_NUMERIC=tr_TR.UTF-8 -- metaspn-checkpoint -C ws list --format=table
}
@test "LC_ALL=none_such: replay" {
    answers_as_ever env LC_ALL=none_such LANG=none_such LC_NUMERIC=none_such -- metaspn-replay -C ws
}
@test "LC_ALL=none_such: replay as a table" {
    answers_as_ever env LC_ALL=none_such LANG=none_such LC_NUMERIC=none_such -- metaspn-replay -C ws --kind=all --format=table
}
@test "LC_ALL=none_such: top" {
    answers_as_ever env LC_ALL=none_such LANG=none_such LC_NUMERIC=none_such -- metaspn-top -C ws
}
@test "LC_ALL=none_such: checkpoints as a table" {
    answers_as_ever env LC_ALL=none_such LANG=none_such LC_NUMERIC=none_such -- metaspn-checkpoint -C ws list --format=table
}
@test "TZ=Pacific/Kiritimati: today" { answers_as_ever env TZ=Pacific/Kiritimati -- metaspn-replay -C ws --day=today; }
@test "TZ=Pacific/Kiritimati: since" {
    answers_as_ever env TZ=Pacific/Kiritimati -- metaspn-replay -C ws --since=2026-02-05 --format=table
}
@test "TZ=:/etc/passwd: today" { answers_as_ever env TZ=:/etc/passwd -- metaspn-replay -C ws --day=today; }
@test "TZ=:/etc/passwd: since" {
    answers_as_ever env TZ=:/etc/passwd -- metaspn-replay -C ws --since=2026-02-05 --format=table
}
@test "TZ=Pacific/Kiritimati: snapshot --day" {
    gives 0 env TZ=Pacific/Kiritimati metaspn-snapshot -C ws write d --day=today --print=path <document &&
        expect_out ws/store/snapshots/d__2026-02-05.json
}

# ---- modes, places, limits

@test "umask 0: partition and folder" {
    rm -r ws/store &&
        with_umask 0 metaspn-write -C ws new &&
        [[ $(mode signals/2026-02-05.jsonl) == 666 &&
        $(mode signals) == 777 &&
        $(mode .) == 777 &&
        $(mode lock) == 666 ]]
}
@test "umask 0: checkpoint and snapshot" {
    rm -r ws/store/{checkpoints,snapshots} &&
        with_umask 0 metaspn-checkpoint -C ws write w <checkpoint &&
        with_umask 0 metaspn-snapshot -C ws write s <document &&
        [[ $(mode checkpoints/w.json) == 666 &&
        $(mode checkpoints) == 777 &&
        $(mode snapshots) == 777 &&
        $(stat -c %a ws/store/snapshots/*) == 666 ]]
}
@test "umask 0: index and quarantine" {
    rm -r ws/store/index &&
        printf torn >>ws/store/signals/2026-02-05.jsonl &&
        with_umask 0 metaspn-write -qC ws new &&
        [[ $(mode quarantine) == 777 &&
        $(mode index) == 777 &&
        $(mode index/lock) == 666 &&
        $(stat -c %a ws/store/quarantine/*) == 666 ]]
}
@test "umask 077: partition and folder" {
    rm -r ws/store &&
        with_umask 077 metaspn-write -C ws new &&
        [[ $(mode signals/2026-02-05.jsonl) == 600 &&
        $(mode signals) == 700 &&
        $(mode .) == 700 &&
        $(mode lock) == 600 ]]
}
@test "umask 077: checkpoint and snapshot" {
    rm -r ws/store/{checkpoints,snapshots} &&
        with_umask 077 metaspn-checkpoint -C ws write w <checkpoint &&
        with_umask 077 metaspn-snapshot -C ws write s <document &&
        [[ $(mode checkpoints/w.json) == 600 &&
        $(mode checkpoints) == 700 &&
        $(mode snapshots) == 700 &&
        $(stat -c %a ws/store/snapshots/*) == 600 ]]
}
@test "umask 077: index and quarantine" {
    rm -r ws/store/index &&
        printf torn >>ws/store/signals/2026-02-05.jsonl &&
        with_umask 077 metaspn-write -qC ws new &&
        [[ $(mode quarantine) == 700 &&
        $(mode index) == 700 &&
        $(mode index/lock) == 600 &&
        $(stat -c %a ws/store/quarantine/*) == 600 ]]
}
@test "umask: a partition that is there keeps its mode" {
    chmod 604 ws/store/signals/2026-02-05.jsonl &&
        with_umask 077 metaspn-write -C ws new &&
        [[ $(mode signals/2026-02-05.jsonl) == 604 ]]
}
@test "deleted working directory: replay of a path" { answers_as_ever from_nowhere -- metaspn-replay -C "$ws"; }
@test "deleted working directory: top of a path" { answers_as_ever from_nowhere -- metaspn-top -C "$ws"; }
@test "deleted working directory: snapshot list of a path" {
    answers_as_ever from_nowhere -- metaspn-snapshot -C "$ws" list
}
@test "deleted working directory: write to a path" {
    gives 0 from_nowhere metaspn-write -C "$ws" "$PWD/new" && is_stored
}
@test "deleted working directory: a relative path is not there" { gives 5 from_nowhere metaspn-replay -C ws; }
@test "deleted working directory: a store is not made in it" { gives 5 from_nowhere metaspn-write -C . <new; }
@test "64 open files, 200 partitions: write" {
    answers_as_ever with_limit -n 64 -- metaspn-write -C ws "$BATS_FILE_TMPDIR/days"
}
@test "64 open files, 200 partitions: replay" {
    many_days &&
        answers_as_ever with_limit -n 64 -- metaspn-replay -C ws --kind=all
}
@test "64 open files, 200 partitions: replay --reverse" {
    many_days &&
        answers_as_ever with_limit -n 64 -- metaspn-replay -C ws --reverse
}
@test "64 open files, 200 partitions: replay without index" {
    many_days &&
        answers_as_ever with_limit -n 64 -- metaspn-replay -C ws --no-index
}
@test "64 open files, 200 partitions: top" {
    many_days &&
        answers_as_ever with_limit -n 64 -- metaspn-top -C ws --missing-score=0
}
@test "64 open files, 200 partitions: fsck" {
    many_days && gives 0 with_limit -n 64 metaspn-fsck -C ws
}
@test "64 open files, 200 partitions: checkpoint build" {
    many_days && answers_as_ever with_limit -n 64 -- metaspn-checkpoint build new
}
@test "64 open files: a worker's turn" {
    many_days &&
        gives 0 with_limit -n 64 metaspn-replay -C ws --checkpoint=w --next=next &&
        gives 0 with_limit -n 64 metaspn-checkpoint -C ws advance w --to=next
}
@test "5 open files: replay fails and harms nothing" {
    run_split with_limit -n 5 metaspn-replay -C ws; [[ $status != 0 ]] || expect_same "$out" signals; unharmed
}
@test "5 open files: write fails or stores" {
    run_split with_limit -n 5 metaspn-write -C ws new; [[ $status != 0 ]] || is_stored; unharmed
}
@test "no file may grow: write" { gives 5 with_limit -f 0 metaspn-write -C ws new && grep -q 'File too large' "$out"; }
@test "no file may grow: checkpoint write" { gives 5 with_limit -f 0 metaspn-checkpoint -C ws write w <checkpoint; }
@test "no file may grow: snapshot write" { gives 5 with_limit -f 0 metaspn-snapshot -C ws write s <document; }
@test "no file may grow: replay" { answers_as_ever with_limit -f 0 -- metaspn-replay -C ws; }
@test "64 MiB of memory: write" { gives 0 with_limit -v 65536 metaspn-write -C ws new && is_stored; }
@test "64 MiB of memory: replay" { answers_as_ever with_limit -v 65536 -- metaspn-replay -C ws --kind=all; }
@test "256 KiB of stack, an event 500 deep" {
    signal new 2026-02-05T12:00:00Z payload="$(printf '[%.0s' {1..500})$(printf ']%.0s' {1..500})" >new &&
        gives 0 with_limit -s 256 metaspn-write -C ws new &&
        is_stored
}
@test "SIGTERM ignored by whoever started it" { gives 0 ignoring TERM metaspn-write -C ws new && is_stored; }
@test "SIGCHLD ignored by whoever started it" { gives 0 ignoring CHLD metaspn-write -C ws new && is_stored; }
@test "SIGIO ignored by whoever started it" { gives 0 ignoring IO metaspn-write -C ws new && is_stored; }

# ---- the environment

@test "no environment at all" {
    out=usual gives 0 metaspn-replay -C ws &&
        gives 0 env -i "$(type -P metaspn-replay)" -C ws &&
        expect_same "$out" usual
}
@test "METASPN_WORKSPACE names the workspace" {
    answers_as_ever env METASPN_WORKSPACE=ws -- metaspn-replay -C ws &&
        gives 0 env METASPN_WORKSPACE=ws metaspn-replay &&
        expect_same "$out" usual
}
@test "METASPN_WORKSPACE empty: the current directory" { gives 5 env METASPN_WORKSPACE= metaspn-replay; }
@test "METASPN_WORKSPACE absent path" { gives 5 env METASPN_WORKSPACE=/none/such metaspn-replay; }
@test "METASPN_WORKSPACE is not asked where -C is given" {
    answers_as_ever env METASPN_WORKSPACE=/none/such -- metaspn-replay -C ws
}
@test "METASPN_NOW that is no time" { gives 2 env METASPN_NOW=soon metaspn-replay -C ws --day=today; }
@test "METASPN_NOW of the year 9999" {
    gives 0 env METASPN_NOW=9999-12-31T23:59:59Z metaspn-replay -C ws --until=now &&
        expect_same "$out" <(head -2 events)
}
@test "METASPN_NOW of the year 1" {
    gives 0 env METASPN_NOW=0001-01-01T00:00:00Z metaspn-replay -C ws --until=now && expect_out
}
@test "tomorrow of the last day is no time" {
    gives 2 env METASPN_NOW=9999-12-31T23:59:59Z metaspn-replay -C ws --day=tomorrow
}
@test "yesterday of the first day is no time" {
    gives 2 env METASPN_NOW=0001-01-01T00:00:00Z metaspn-replay -C ws --day=yesterday
}
@test "POSIXLY_CORRECT: options before operands" {
    gives 0 env POSIXLY_CORRECT=1 metaspn-write -C ws new && is_stored
}
@test "TMPDIR that is not there" {
    not_under valgrind 'which needs one'
    gives 0 env TMPDIR=/none/such metaspn-snapshot -C ws write s <document
}
@test "a workspace's path of 4000 bytes" {
    mkdir -p "$(printf 'd%.0s' {1..200})" &&
        p="$(printf 'd%.0s' {1..200})" &&
        gives 5 metaspn-replay -C "$(printf "$p/%.0s" {1..20})"
}
@test "a workspace's name with a newline and escapes is told in one line" {
    gives 5 metaspn-replay -C $'no\nsuch\e[31m' && [[ $(wc -l <"$err") == 1 ]] && ! grep -q $'\e' "$err"
}

# ---- an account that may only read

@test "may only read: replay" {
    out=usual gives 0 metaspn-replay -C ws &&
        as_nobody metaspn-replay -C ws &&
        expect_status 0 &&
        expect_same "$out" usual
}
@test "may only read: replay an id" {
    out=usual gives 0 metaspn-replay -C ws --id=s2 &&
        as_nobody metaspn-replay -C ws --id=s2 &&
        expect_status 0 &&
        expect_same "$out" usual
}
@test "may only read: top" {
    out=usual gives 0 metaspn-top -C ws &&
        as_nobody metaspn-top -C ws &&
        expect_status 0 &&
        expect_same "$out" usual
}
@test "may only read: checkpoint read" {
    out=usual gives 0 metaspn-checkpoint -C ws read w &&
        as_nobody metaspn-checkpoint -C ws read w &&
        expect_status 0 &&
        expect_same "$out" usual
}
@test "may only read: snapshot read" {
    out=usual gives 0 metaspn-snapshot -C ws read s &&
        as_nobody metaspn-snapshot -C ws read s &&
        expect_status 0 &&
        expect_same "$out" usual
}
@test "may only read: fsck" {
    out=usual gives 0 metaspn-fsck -C ws &&
        as_nobody metaspn-fsck -C ws &&
        expect_status 0 &&
        expect_same "$out" usual
}
@test "may only read: replay of a store without index" {
    rm -r ws/store/index &&
        as_nobody metaspn-replay -C ws &&
        expect_status 0 &&
        expect_same "$out" <(head -2 events) &&
        [[ ! -e ws/store/index ]]
}
@test "may only read: write is refused" { as_nobody metaspn-write -C ws new && expect_status 5 && unharmed; }
@test "may only read: checkpoint write is refused" {
    as_nobody metaspn-checkpoint -C ws write w <checkpoint && expect_status 5 && unharmed
}
@test "may only read: checkpoint delete is refused" {
    as_nobody metaspn-checkpoint -C ws delete w && expect_status 5 && unharmed
}
@test "may only read: snapshot write is refused" {
    as_nobody metaspn-snapshot -C ws write s <document && expect_status 5 && unharmed
}

# ---- the calendar and its edges

@test "the time 2024-02-29T12:00:00Z is of 2024-02-29" {
    stores '2024-02-29T12:00:00Z' 2024-02-29 2024-02-29T12:00:00Z
}
@test "the time 2000-02-29T00:00:00Z is of 2000-02-29" {
    stores '2000-02-29T00:00:00Z' 2000-02-29 2000-02-29T00:00:00Z
}
@test "the time 2024-02-28T23:59:59-00:01 is of 2024-02-29" {
    stores '2024-02-28T23:59:59-00:01' 2024-02-29 2024-02-29T00:00:59Z
}
@test "the time 2024-03-01T00:30:00+01:00 is of 2024-02-29" {
    stores '2024-03-01T00:30:00+01:00' 2024-02-29 2024-02-29T23:30:00Z
}
@test "the time 2023-03-01T00:30:00+01:00 is of 2023-02-28" {
    stores '2023-03-01T00:30:00+01:00' 2023-02-28 2023-02-28T23:30:00Z
}
@test "the time 2100-03-01T00:00:00+00:01 is of 2100-02-28" {
    stores '2100-03-01T00:00:00+00:01' 2100-02-28 2100-02-28T23:59:00Z
}
@test "the time 0001-01-01T00:00:00Z is of 0001-01-01" {
    stores '0001-01-01T00:00:00Z' 0001-01-01 0001-01-01T00:00:00Z
}
@test "the time 9999-12-31T23:59:59Z is of 9999-12-31" {
    stores '9999-12-31T23:59:59Z' 9999-12-31 9999-12-31T23:59:59Z
}
@test "the time 9999-12-31T23:59:59.999999Z is of 9999-12-31" {
    stores '9999-12-31T23:59:59.999999Z' 9999-12-31 9999-12-31T23:59:59.999999Z
}
@test "the time 2026-02-05T12:00:00+14:00 is of 2026-02-04" {
    stores '2026-02-05T12:00:00+14:00' 2026-02-04 2026-02-04T22:00:00Z
}
@test "the time 2026-02-05T12:00:00-14:00 is of 2026-02-06" {
    stores '2026-02-05T12:00:00-14:00' 2026-02-06 2026-02-06T02:00:00Z
}
@test "the time 2026-01-01T00:00:00+23:59 is of 2025-12-31" {
    stores '2026-01-01T00:00:00+23:59' 2025-12-31 2025-12-31T00:01:00Z
}
@test "the time 2025-12-31T23:59:00-23:59 is of 2026-01-01" {
    stores '2025-12-31T23:59:00-23:59' 2026-01-01 2026-01-01T23:58:00Z
}
@test "the time 2026-02-05T12:00:00+05:45 is of 2026-02-05" {
    stores '2026-02-05T12:00:00+05:45' 2026-02-05 2026-02-05T06:15:00Z
}
@test "the time 2026-02-05T12:00:00-0330 is of 2026-02-05" {
    stores '2026-02-05T12:00:00-0330' 2026-02-05 2026-02-05T15:30:00Z
}
@test "the time 1969-12-31T23:59:59.5Z is of 1969-12-31" {
    stores '1969-12-31T23:59:59.5Z' 1969-12-31 1969-12-31T23:59:59.500000Z
}
@test "the time 1970-01-01T00:00:00Z is of 1970-01-01" {
    stores '1970-01-01T00:00:00Z' 1970-01-01 1970-01-01T00:00:00Z
}
@test "the time 2038-01-19T03:14:08Z is of 2038-01-19" {
    stores '2038-01-19T03:14:08Z' 2038-01-19 2038-01-19T03:14:08Z
}
@test "the time 2026-02-05t10:00:00z is of 2026-02-05" {
    stores '2026-02-05t10:00:00z' 2026-02-05 2026-02-05T10:00:00Z
}
@test "the time 2026-02-05 10:00:00 is of 2026-02-05" { stores '2026-02-05 10:00:00' 2026-02-05 2026-02-05T10:00:00Z; }
@test "the time 2026-02-05T10:00:00.1234567Z is of 2026-02-05" {
    stores '2026-02-05T10:00:00.1234567Z' 2026-02-05 2026-02-05T10:00:00.123456Z
}
@test "the time 2026-02-05T10:00:00.000000Z is of 2026-02-05" {
    stores '2026-02-05T10:00:00.000000Z' 2026-02-05 2026-02-05T10:00:00Z
}
@test "the time 2026-03-29T02:30:00+01:00 is of 2026-03-29" {
    stores '2026-03-29T02:30:00+01:00' 2026-03-29 2026-03-29T01:30:00Z
}
@test "the time 2026-02-05T10:00:00-00:00 is of 2026-02-05" {
    stores '2026-02-05T10:00:00-00:00' 2026-02-05 2026-02-05T10:00:00Z
}
@test "the time 0001-01-01T14:00:00+14:00 is of 0001-01-01" {
    stores '0001-01-01T14:00:00+14:00' 0001-01-01 0001-01-01T00:00:00Z
}
@test "the time 9999-12-31T09:59:59-14:00 is of 9999-12-31" {
    stores '9999-12-31T09:59:59-14:00' 9999-12-31 9999-12-31T23:59:59Z
}
@test "2023-02-29T00:00:00Z is no time" { refuses '2023-02-29T00:00:00Z'; }
@test "1900-02-29T00:00:00Z is no time" { refuses '1900-02-29T00:00:00Z'; }
@test "2100-02-29T00:00:00Z is no time" { refuses '2100-02-29T00:00:00Z'; }
@test "2026-02-30T00:00:00Z is no time" { refuses '2026-02-30T00:00:00Z'; }
@test "2026-04-31T00:00:00Z is no time" { refuses '2026-04-31T00:00:00Z'; }
@test "2026-13-01T00:00:00Z is no time" { refuses '2026-13-01T00:00:00Z'; }
@test "2026-00-01T00:00:00Z is no time" { refuses '2026-00-01T00:00:00Z'; }
@test "2026-01-00T00:00:00Z is no time" { refuses '2026-01-00T00:00:00Z'; }
@test "2026-02-05T24:00:00Z is no time" { refuses '2026-02-05T24:00:00Z'; }
@test "2026-02-05T23:60:00Z is no time" { refuses '2026-02-05T23:60:00Z'; }
@test "2026-12-31T23:59:60Z is no time" { refuses '2026-12-31T23:59:60Z'; }
@test "0000-01-01T00:00:00Z is no time" { refuses '0000-01-01T00:00:00Z'; }
@test "10000-01-01T00:00:00Z is no time" { refuses '10000-01-01T00:00:00Z'; }
@test "0001-01-01T00:00:00+00:01 is no time" { refuses '0001-01-01T00:00:00+00:01'; }
@test "9999-12-31T23:59:59-00:01 is no time" { refuses '9999-12-31T23:59:59-00:01'; }
@test "2026-02-05T10:00:00+24:00 is no time" { refuses '2026-02-05T10:00:00+24:00'; }
@test "2026-02-05T10:00:00+14:60 is no time" { refuses '2026-02-05T10:00:00+14:60'; }
@test "2026-02-05T10:00:00.Z is no time" { refuses '2026-02-05T10:00:00.Z'; }
@test "2026-02-05T10:00Z is no time" { refuses '2026-02-05T10:00Z'; }
@test "2026-02-05 is no time" { refuses '2026-02-05'; }
@test "2026-W06-4T10:00:00Z is no time" { refuses '2026-W06-4T10:00:00Z'; }
@test "20260205T100000Z is no time" { refuses '20260205T100000Z'; }
@test "-2026-02-05T10:00:00Z is no time" { refuses '-2026-02-05T10:00:00Z'; }
@test "2026-02-05T10:00:00+1 is no time" { refuses '2026-02-05T10:00:00+1'; }
