#!/usr/bin/env bats
# What only larger partitions reach: questions that begin by reading and end by the index, windows found by bisection
# over blank lines, numbers of damaged lines counted from where the last one was. Every answer is that of --no-index.

# shellcheck disable=SC2154  # out, err, ws: helper.bash

load helper

events=9000 # of more than 200 bytes: more than 1 MiB is read before the index is asked

setup()
{
    fresh_workspace
    mkdir -p ws/store/signals
    awk -v n="$events" 'BEGIN {
        for (i = 0; i < n; i++) {
            rare = i % 2500 == 2400
            printf "{\"entity_refs\":[{\"ref_type\":\"user\",\"value\":\"%s\"}],\"payload\":{\"text\":\"%060d\"},", rare ? "rare" : "u" i % 7, i
            printf "\"payload_type\":\"%s\",\"schema_version\":\"0.9\",\"signal_id\":\"s%d\",", rare ? "Rare" : "PostSeen", i
            printf "\"source\":\"%s\",\"timestamp\":\"2026-02-05T%02d:%02d:%02dZ\"}\n", i == 2 ? "once" : "feed", i / 3600, i / 60 % 60, i % 60
        }
    }' >ws/store/signals/2026-02-05.jsonl
    day=ws/store/signals/2026-02-05.jsonl
}

# Asks with the index, twice, and without: the same lines, so many.
expect_count()
{
    local count=$1
    shift
    metaspn-replay -C ws "$@" >first
    metaspn-replay -C ws "$@" >second
    metaspn-replay -C ws --no-index "$@" >unindexed
    expect_same first unindexed
    expect_same second unindexed
    [[ $(wc -l <first) == "$count" ]]
}

@test "few events of many, by entity, type, source: the first and the last" {
    metaspn-replay -C ws --count >count
    [[ $(<count) == "$events" ]]
    for order in --order=append --reverse; do
        expect_count 2 --entity=user:rare -n2 "$order"
        expect_count 3 --entity=user:rare -n50 "$order"
        expect_count 3 --type=Rare -n3 "$order"
        expect_count 1 --source=once -n3 "$order"
        expect_count 0 --source=nobody -n3 "$order"
        expect_count 1 --type=Rare --where="text=$(printf %060d 4900)" -n9 "$order"
    done
}

@test "a window in a partition with blank lines" {
    sed -i '0~3G' "$day"
    expect_count 61 --since=2026-02-05T00:10:00Z --until=2026-02-05T00:11:00Z
    expect_count 61 --since=2026-02-05T00:10:00Z --until=2026-02-05T00:11:00Z --reverse
    expect_count 60 --since=2026-02-05T02:29:00Z
    expect_count 1 --until=2026-02-05T00:00:00Z
    expect_count 0 --since=2026-02-05T03:00:00Z
}

@test "damaged lines are named by their numbers, in whatever order they are met" {
    sed -i -e '10s/.*/damaged/' -e '4000s/.*/{"signal_id":3}/' -e '8000s/"timestamp"/"time"/' "$day"
    for order in --order=append --reverse; do
        run_split metaspn-replay -C ws "$order" --type=Rare
        expect_status 3
        [[ $(grep -o 'jsonl:[0-9]*' "$err" | sort -V | tr '\n' ' ') == 'jsonl:10 jsonl:4000 jsonl:8000 ' ]]
    done
}

@test "a whole partition of another day's events: said once" {
    mv "$day" ws/store/signals/2026-02-04.jsonl
    for _ in first second; do
        run_split metaspn-replay -C ws --since=2026-02-04
        expect_status 0
        [[ $(wc -l <"$out") == "$events" && $(grep -c 'day' "$err") == 1 ]]
    done
}

@test "a pipe is made to take at once what is written at once" {
    metaspn-replay -C ws | /usr/bin/python3 -c '
import fcntl, sys
sys.stdin.buffer.read()
print(fcntl.fcntl(0, 1032))  # F_GETPIPE_SZ' >size
    [[ $(<size) -ge 262144 ]]
}

# An id for each of seven producers, say: looked up anew for each line, it would take as long as there are lines before.
@test "ids that stand in thousands of lines are looked up once, not line by line" {
    not_under valgrind 'which needs more of the processor'
    mkdir -p ws/store/signals
    awk 'BEGIN {for (i = 0; i < 100000; i++) printf "{\"signal_id\":\"s%d\",\"timestamp\":\"2026-02-05T10:00:00Z\"}\n", i % 7}' \
        >ws/store/signals/2026-02-05.jsonl
    ulimit -t 8 # seconds of the processor; without that it needs a minute
    run_split metaspn-replay -C ws --count --no-index
    expect_status 0
    expect_out 7
    run_split metaspn-replay -C ws
    expect_status 0
    [[ $(wc -l <"$out") == 7 ]]
    run_split metaspn-fsck -C ws
    expect_status 3
    [[ $(wc -l <"$out") == 99993 ]]
}
