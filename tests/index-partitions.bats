#!/usr/bin/env bats
# Whatever other programs do to the partitions, the next command sees, whatever the index says.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing
load indexing

# status_of ID: appended, duplicate or conflict.
expect_result()
{
    run_split store -q --print=result <<<"$2"
    expect_status 0
    jq -r .status "$out" >result
    expect_file result "$1"
}

# ---- what others do to the partitions

@test "others append: seen at once, by readers and for duplicates" {
    signals 61 63 >>"$day"
    run_split replay --count
    expect_out 63
    expect_result duplicate "$(signals 62 62)"
    signals 64 64 >>"$day"
    expect_result duplicate "$(signals 64 64)"
    expect_result appended "$(signals 65 65)"
}

@test "others add a day" {
    signal a1 2026-02-01T10:00:00Z >ws/store/signals/2026-02-01.jsonl
    run_split replay --count
    expect_out 61
    expect_result duplicate "$(signal a1 2026-02-01T10:00:00Z)"
}

@test "others replace a day by another file" {
    signals 101 140 >new
    mv new "$day"
    run_split replay --count
    expect_out 42
    expect_result appended "$(signals 1 1)"
    expect_result duplicate "$(signals 101 101)"
}

@test "others rewrite a day in place: shorter, longer, of the same length" {
    signals 101 110 >"$day"
    expect_result duplicate "$(signals 105 105)"
    expect_result appended "$(signals 1 1)"
    signals 201 290 >"$day"
    expect_result duplicate "$(signals 290 290)"
    expect_result duplicate "$(signals 201 201)"
    expect_result appended "$(signals 101 101)"
    sed 's/"s2/"t2/' "$day" >same
    cat same >"$day"
    expect_result appended "$(signals 201 201)"
    run_split replay --count --no-index
    mv "$out" want
    run_split replay --count
    expect_same want "$out"
}

@test "a rewrite of a line far before the end, of the same length, is noticed by the time of modification" {
    sed '2s/"s2"/"t2"/' "$day" >same
    [[ $(sed 1,2d same | wc -c) -gt 8192 ]]
    cat same >"$day"
    expect_result duplicate "$(sed -n 2p "$day")"
    expect_result appended "$(sed -n 2p given)"
}

@test "a rewrite that keeps length and time of modification is noticed by its last bytes" {
    touch -r "$day" time
    sed 's/"s58"/"t58"/' "$day" >same
    cat same >"$day"
    touch -r time "$day"
    expect_result duplicate "$(grep '"t58"' "$day")"
    expect_result appended "$(grep '"s58"' given)"
}

@test "others cut a day" {
    truncate -s "$(signals 1 30 | wc -c)" "$day"
    run_split replay --count
    expect_out 32
    expect_result duplicate "$(signals 30 30)"
    expect_result appended "$(signals 31 31)"
}

@test "others cut a day and append to it until it is as long as before" {
    local size
    size=$(stat -c %s "$day")
    truncate -s "$(signals 1 30 | wc -c)" "$day"
    signals 131 170 >>"$day"
    truncate -s "$size" "$day"
    run_split replay --count --no-index
    mv "$out" want
    run_split replay --count
    expect_same want "$out"
    expect_result duplicate "$(signals 135 135)"
    expect_result appended "$(signals 35 35)"
}

@test "a fragment after a line of zeros is cut off: that is the last line then, and not written yet" {
    { cat "$day"; printf '\0\0\0\n{"a'; } >new
    mv new "$day"
    run_split replay
    expect_status 3
    signal elsewhere 2026-02-08T10:00:00Z | metaspn-write -q -C ws
    run_split replay --no-index -q
    expect_status 0
    mv "$out" plain
    run_split replay -q
    expect_status 0
    expect_same plain "$out"
}

@test "others delete a day, or all" {
    rm "$day"
    run_split replay --count
    expect_out 2
    expect_result appended "$(signals 1 1)"
    rm -r ws/store/signals
    run_split replay --count
    expect_out 0
    expect_result appended "$(signals 1 1)"
    run_split metaspn-fsck -C ws
    expect_status 0
}

@test "a day that went and came again" {
    mv "$day" away
    run_split replay --count
    expect_out 2
    mv away "$day"
    run_split replay --count
    expect_out 60
    expect_result duplicate "$(signals 7 7)"
}

@test "a copy of an event in an earlier day's file becomes its first record" {
    sed -n 5p "$day" >ws/store/signals/2026-02-01.jsonl
    run_split store -q --print=path <<<"$(signals 5 5)"
    expect_out ws/store/signals/2026-02-01.jsonl
    run_split replay -q --count
    expect_out 60
    run_split replay -q --order=append
    [[ $(grep -c '"s5"' "$out") == 1 && $(head -n 1 "$out") == "$(signals 5 5)" ]]
    rm ws/store/signals/2026-02-01.jsonl
    run_split replay --count
    expect_out 60
    run_split store -q --print=path <<<"$(signals 5 5)"
    expect_out "$day"
}

@test "an id that others store twice is one event" {
    signals 1 20 >>"$day"
    run_split replay --count
    expect_out 60
    run_split replay --count --no-index
    expect_out 60
    replay | sort -u | wc -l >count
    expect_file count 60
}

@test "what one process reads of others' lines, the next knows" {
    needs_strace
    signals 61 90 >>"$day"
    replay --count
    run_split strace -f -y -o trace -e trace=pread64,read metaspn-replay -C ws --count
    expect_out 90
    run ! grep -q "signals/" trace
}

@test "repeats that are found while a large day is read, in it and in a later one, are known when the rest is read" {
    mkdir -p apart/store/signals
    signal dup 2026-02-06T10:00:00Z >apart/store/signals/2026-02-06.jsonl
    metaspn-replay -C apart --count
    # so many entities that what is noted is settled on the way
    { signal dup 2026-02-05T09:00:00Z; signal own 2026-02-05T09:00:01Z; signal own 2026-02-05T09:00:02Z; } \
        >apart/store/signals/2026-02-05.jsonl
    /usr/bin/python3 -c '
for i in range(1200):
    refs = ",".join("{\"ref_type\":\"t\",\"value\":\"%x\"}" % (i * 1000 + j) for j in range(1000))
    print("{\"entity_refs\":[%s],\"signal_id\":\"a%d\",\"timestamp\":\"2026-02-05T10:00:00Z\"}" % (refs, i))
' >>apart/store/signals/2026-02-05.jsonl
    signal new 2026-02-06T11:00:00Z >>apart/store/signals/2026-02-06.jsonl
    [[ $(metaspn-replay -C apart --day=2026-02-06) == "$(signal new 2026-02-06T11:00:00Z)" ]]
    [[ $(metaspn-replay -C apart --count) == 1203 ]]
    run_split metaspn-fsck -C apart
    [[ $(<"$out") == *'signal_id "dup" stands'* && $(<"$out") != *missing* ]]
}
