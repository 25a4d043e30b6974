#!/usr/bin/env bats
# metaspn-fsck --repair: what it mends, and that nothing else is touched.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing

# ---- --repair

@test "--repair mends a torn end as the next writer would" {
    signals 1 2 | store
    cp "$day" before
    printf '{"torn' >>"$day"
    run_split fsck --repair
    expect_status 0
    expect_out "$day:3:$(wc -c <before): torn end: 6 bytes that are no event"
    expect_err_like '^metaspn-fsck: warning: .*: cut off 6 bytes of a last line that was never finished; a copy is in ws/store/quarantine$'
    expect_err_like '^metaspn-fsck: 1 finding in 2 lines of 1 partition, 1 mended$'
    expect_same before "$day"
    cat ws/store/quarantine/* >kept
    expect_file <(cat kept; echo) '{"torn'
    run_split fsck
    expect_status 0
}

@test "--repair gives a whole last line its newline where nothing else is to be mended" {
    signals 1 2 >lines
    mkdir -p ws/store/signals
    head -c -1 lines >"$day"
    run_split fsck --repair
    expect_status 0
    expect_out
    expect_err_like "^metaspn-fsck: note: $day: added the newline that its last line lacked$"
    expect_err_like '^metaspn-fsck: 0 findings in 2 lines of 1 partition$'
    expect_same lines "$day"
}

@test "--repair gives a whole last line its newline, and mends emissions too" {
    mkdir -p ws/store/signals ws/store/emissions
    signals 1 2 | head -c -1 >"$day"
    head -c 100 /dev/zero >ws/store/emissions/2026-02-05.jsonl
    printf '{"torn' >>"$day".x
    run_split fsck --repair
    expect_status 0
    [[ ! -s ws/store/emissions/2026-02-05.jsonl ]]
    { signals 1 2 | head -c -1; printf '{"torn'; } >"$day"
    run_split fsck --repair
    expect_status 0
    run_split fsck
    expect_status 0
}

@test "--repair mends the other ends where one cannot be mended" {
    local other=ws/store/signals/2026-02-06.jsonl
    needs_strace
    mkdir -p ws/store/signals
    { signals 1 2; printf '{"torn'; } >"$day"
    { signal t1 2026-02-06T10:00:00Z; printf '{"torn'; } >$other
    run_split strace -qq -o trace -P "$day" -e inject=ftruncate:error=EIO metaspn-fsck -C ws --repair
    grep -q INJECTED trace
    expect_status 5
    [[ $(wc -l <"$out") == 2 ]]
    expect_err_like "^metaspn-fsck: $day: .*Input/output error$"
    expect_file $other "$(signal t1 2026-02-06T10:00:00Z)"
    run_split fsck
    expect_out "$day:3:$(signals 1 2 | wc -c): torn end: 6 bytes that are no event"
}

@test "--repair copies damaged lines to quarantine, and changes no byte of the partition" {
    mkdir -p ws/store/signals
    { signals 1 2; echo x; printf 'a\0b\n'; signals 3 4; } >"$day"
    cp "$day" before
    run_split fsck --repair
    expect_status 0
    [[ $(wc -l <"$out") == 2 ]]
    expect_err_like "^metaspn-fsck: note: $day: copied 2 damaged lines to ws/store/quarantine$"
    expect_same before "$day"
    [[ $(find ws/store/quarantine -type f | wc -l) == 2 ]]
    run_split metaspn-replay -C ws --count
    expect_status 0
    expect_out 4
}

@test "--repair reports each of several damaged lines with the same bytes" {
    mkdir -p ws/store/signals ws/store/emissions
    { signals 1 1; printf 'x\nx\n'; } >"$day"
    printf 'x\ny\n' >ws/store/signals/2026-02-06.jsonl
    printf 'x\n' >ws/store/emissions/2026-02-06.jsonl
    run_split fsck
    expect_status 3
    cp "$out" found
    [[ $(wc -l <found) == 5 ]]
    run_split fsck --repair
    expect_status 0
    expect_same found "$out"
    expect_err_like '^metaspn-fsck: 5 findings in 6 lines of 3 partitions, 5 mended$'
    run_split fsck
    expect_status 0
    expect_err 'metaspn-fsck: 0 findings in 6 lines of 3 partitions; lines: 5 in quarantine'
}

@test "--repair removes temporaries that were left over, and only those" {
    store <<<"$(signal s1 2026-02-05T10:00:00Z)"
    mkdir -p ws/store/checkpoints
    touch -d '2 hours ago' ws/store/checkpoints/.tmp-metaspn-0123456789abcdef ws/store/checkpoints/.tmp-other
    touch ws/store/checkpoints/.tmp-metaspn-fedcba9876543210
    run_split fsck --repair
    expect_status 0
    expect_err_like '^metaspn-fsck: note: removed 1 temporary$'
    [[ $(ls -A ws/store/checkpoints) == $'.tmp-metaspn-fedcba9876543210\n.tmp-other' ]]
}

@test "--repair is exit 5 where temporaries cannot be listed or removed" {
    local left_over=ws/store/checkpoints/.tmp-metaspn-0123456789abcdef
    needs_strace
    signals 1 3 | store
    mkdir -p ws/store/checkpoints
    touch -d '2 hours ago' "$left_over"
    run_split strace -qq -o /dev/null -e inject=unlinkat:error=EROFS metaspn-fsck -C ws --repair
    expect_status 5
    expect_err_like "^metaspn-fsck: $left_over: cannot remove: Read-only file system\$"
    [[ -e $left_over ]]
    [[ $(<"$err") != *removed* ]]
    # after the listings of the checkpoints and of what is left over, that of what is to be removed
    run_split strace -qq -o trace -P ws/store/checkpoints -e inject=getdents64:error=EIO:when=5 metaspn-fsck -C ws --repair
    grep -q INJECTED trace
    expect_status 5
    expect_err_like '^metaspn-fsck: ws/store/checkpoints: cannot list: Input/output error$'
    [[ -e $left_over ]]
}

@test "--repair makes an index anew that does not agree" {
    signals 1 100 | store
    sed '1s/"s1"/"xx"/; 1s/T00:00:01Z/T00:00:00Z/' "$day" >other
    dd if=other of="$day" conv=notrunc 2>"$err"
    signals 101 101 >>"$day"
    run_split fsck --repair
    expect_status 0
    expect_err_like '^metaspn-fsck: note: ws/store/index: made anew$'
    run_split fsck
    expect_status 0
    run_split store --print=result <<<"$(signal xx 2026-02-05T10:00:00Z)"
    [[ $(jq -r .status "$out") != appended ]]
}

@test "--repair leaves what it may not touch, exit 3" {
    mkdir -p ws/store/signals ws/store/checkpoints
    { signals 1 2; signals 1 1; signal t1 2026-02-06T10:00:00Z; printf x; } >"$day"
    echo x >ws/store/checkpoints/w.json
    run_split fsck --repair
    expect_status 3
    expect_err_like '^metaspn-fsck: 4 findings in 4 lines of 1 partition, 1 mended'
    { signals 1 2; signals 1 1; signal t1 2026-02-06T10:00:00Z; } >want
    expect_same want "$day"
    expect_file ws/store/checkpoints/w.json x
}

@test "--repair waits for the writers' lock before it touches an end" {
    signals 1 2 | store
    printf x >>"$day"
    hold_lock
    metaspn-fsck -C ws --repair >"$out" 2>"$err" 3>&- &
    eventually sleeps $!
    [[ $(tail -c 1 "$day") == x ]]
    release_lock
    wait $!
    [[ $(tail -c 1 "$day") == '' ]]
    run_split fsck
    expect_status 0
}

@test "--repair waits for a writer who takes long before it puts down the index" {
    local writer
    needs_strace
    signals 1 2 | store
    strace -f -o trace -e trace=fdatasync -e inject=fdatasync:delay_enter=3500000 metaspn-write -C ws \
        < <(signals 3 3) 3>&- &
    writer=$!
    eventually grep -q '"s3"' "$day"
    printf noise >ws/store/index/manifest
    run_split fsck --repair
    expect_status 0
    expect_err_like '^metaspn-fsck: note: ws/store/index: made anew$'
    wait "$writer"
    run_split fsck
    expect_status 0
}

@test "--repair can be run twice" {
    mkdir -p ws/store/signals
    { signals 1 2; echo x; printf '{"torn'; } >"$day"
    run_split fsck --repair
    expect_status 0
    run_split fsck --repair
    expect_status 0
    expect_out
}
