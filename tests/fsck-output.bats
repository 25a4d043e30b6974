#!/usr/bin/env bats
# metaspn-fsck: what it prints, its exit codes, and what it cannot look at.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing

# ---- --json, exit codes, the rest

@test "--json prints each finding as an object, the summary stays on stderr" {
    mkdir -p ws/store/signals ws/store/checkpoints
    echo x >"$day"
    echo x >ws/store/checkpoints/w.json
    run_split fsck --json
    expect_status 3
    expect_out '{"byte":0,"file":"ws/store/signals/2026-02-05.jsonl","line":1,"what":"damaged: expected a value: \"x\" (byte 1 of the line)"}' \
        '{"file":"ws/store/checkpoints/w.json","what":"damaged: invalid JSON at byte 1: expected a value: \"x\""}'
    expect_err 'metaspn-fsck: 2 findings in 1 line of 1 partition'
}

@test "files are named as -C names them" {
    mkdir -p ws/store/signals
    echo x >"$day"
    run_split metaspn-fsck -q -C "$PWD/ws"
    expect_out "$PWD/$day:1:0: damaged: expected a value: \"x\" (byte 1 of the line)"
    cd ws
    run_split metaspn-fsck -q
    expect_out "store/signals/2026-02-05.jsonl:1:0: damaged: expected a value: \"x\" (byte 1 of the line)"
}

@test "no workspace, or no store in it, is exit 5" {
    run_split metaspn-fsck -C nowhere
    expect_status 5
    run_split fsck
    expect_status 5
    run_split fsck --repair
    expect_status 5
    [[ -z $(ls -A ws) ]]
}

@test "a link, a FIFO or a device in the place of a file of ours is exit 5, and the rest is looked at" {
    store <<<"$(signal s1 2026-02-05T10:00:00Z)"
    echo x >>"$day"
    mkfifo ws/store/signals/2026-02-04.jsonl
    ln -s "$PWD/$day" ws/store/signals/2026-02-06.jsonl
    mkdir ws/store/checkpoints
    ln -s /etc/passwd ws/store/checkpoints/w.json
    ln -s /tmp ws/store/emissions
    run_split fsck
    expect_status 5
    expect_out "$day:2:$(signal s1 2026-02-05T10:00:00Z | wc -c): damaged: expected a value: \"x\" (byte 1 of the line)"
    expect_err_like '^metaspn-fsck: ws/store/signals/2026-02-04.jsonl: is not a regular file$'
    expect_err_like '^metaspn-fsck: ws/store/signals/2026-02-06.jsonl: is a symbolic link$'
    expect_err_like '^metaspn-fsck: ws/store/checkpoints/w.json: is a symbolic link$'
    expect_err_like '^metaspn-fsck: ws/store/emissions: is a symbolic link$'
}

@test "something else in the place of the lock is exit 5: no writer can work" {
    local command
    store <<<"$(signal s1 2026-02-05T10:00:00Z)"
    for command in 'ln -s /dev/null' 'ln -s nothing' mkfifo mkdir; do
        rm -rf ws/store/lock
        $command ws/store/lock
        run_split fsck
        expect_status 5
        expect_out
        [[ $(wc -l <"$err") == 2 ]]
        expect_err_like '^metaspn-fsck: ws/store/lock: is '
    done
    rm -rf ws/store/lock
    run_split fsck
    expect_status 0
}

@test "a partition that cannot be opened is told once, whatever looks at it" {
    { signals 1 2; signal s3 2026-02-06T10:00:00Z; } | store
    metaspn-checkpoint -C ws reset w --to=now
    printf x >>ws/store/signals/2026-02-06.jsonl
    rm "$day"
    mkfifo "$day"
    run_split fsck
    expect_status 5
    expect_err "metaspn-fsck: $day: is not a regular file" 'metaspn-fsck: 1 finding in 1 line of 1 partition'
    run_split fsck --repair
    expect_status 5
    expect_err "metaspn-fsck: $day: is not a regular file" 'metaspn-fsck: 1 finding in 1 line of 1 partition'
}

@test "what stands in the place of a checkpoint or snapshot is named once, and the others are looked at" {
    mkdir -p ws/store/checkpoints ws/store/snapshots
    mkfifo ws/store/checkpoints/a.json ws/store/snapshots/a__2026-02-05.json
    echo x >ws/store/checkpoints/b.json
    echo x >ws/store/snapshots/b__2026-02-05.json
    run_split fsck
    expect_status 5
    cut -d: -f 1,2 "$out" >got
    expect_file got 'ws/store/checkpoints/b.json: damaged' 'ws/store/snapshots/b__2026-02-05.json: damaged at byte 1'
    expect_err 'metaspn-fsck: ws/store/checkpoints/a.json: is not a regular file' \
        'metaspn-fsck: ws/store/snapshots/a__2026-02-05.json: is not a regular file' \
        'metaspn-fsck: 2 findings in 0 lines of 0 partitions'
}

@test "--repair looks at the rest of a store that it cannot open to write, too" {
    mkdir -p ws/store/signals
    { signals 1 2; echo x; } >"$day"
    ln -s /tmp ws/store/index
    run_split fsck
    expect_status 5
    cp "$out" found
    cp "$err" told
    run_split fsck --repair
    expect_status 5
    expect_same found "$out"
    expect_same told "$err"
    expect_err 'metaspn-fsck: ws/store/index: is a symbolic link' 'metaspn-fsck: 1 finding in 3 lines of 1 partition'
    [[ ! -e ws/store/quarantine ]]
}

@test "a partition that cannot be read is exit 5" {
    [[ $(id -u) != 0 ]] || skip 'root reads everything'
    store <<<"$(signal s1 2026-02-05T10:00:00Z)"
    chmod 0 "$day"
    run_split fsck
    expect_status 5
}

@test "an index that cannot be read is exit 5" {
    [[ $(id -u) != 0 ]] || skip 'root reads everything'
    store <<<"$(signal s1 2026-02-05T10:00:00Z)"
    chmod 0 ws/store/index
    run_split fsck
    chmod 755 ws/store/index
    expect_status 5
    expect_err_like '^metaspn-fsck: ws/store/index: Permission denied$'
}

@test "an index of which a file cannot be read is exit 5, and no finding" {
    local file calls
    needs_strace
    signals 1 3 | store
    signals 4 6 | store
    signals 5 5 >>"$day"
    for file in ws/store/index/{manifest,log-*,ids-*,refs-*}; do
        for calls in 1 2+; do # the header of a run, its pages
            run_split strace -P "$file" -o trace -e "inject=pread64:error=EIO:when=$calls" metaspn-fsck -C ws
            grep -q INJECTED trace
            expect_status 5
            [[ $(wc -l <"$out") == 1 && $(<"$out") == "$day:7:"*' stands in '* ]]
            expect_err_like '^metaspn-fsck: ws/store/index: .*cannot (be )?read'
        done
    done
}

@test "operands are refused, exit 2" {
    run_split fsck ws
    expect_status 2
    expect_err 'metaspn-fsck: there are no operands: "ws"' "Try 'metaspn-fsck --help'."
}

@test "a full stdout is exit 5" {
    mkdir -p ws/store/signals
    echo x >"$day"
    status=0
    fsck >/dev/full 2>"$err" || status=$?
    expect_status 5
}

@test "stdout's reader goes: SIGPIPE" {
    mkdir -p ws/store/signals
    echo x >"$day"
    run_without_reader fsck
    expect_status 141
}

@test "what a finding quotes is printable" {
    mkdir -p ws/store/signals
    for _ in 1 2; do signal '\u001b[31mred\u202e' 2026-02-05T10:00:00Z; done >"$day"
    run_split fsck
    run ! grep -q $'\x1b' "$out"
    # An escape in the name of the workspace, on a terminal.
    mv ws $'w\x1b[31ms'
    run_split script -qec "metaspn-fsck -q -C $'w\\x1b[31ms'" /dev/null </dev/null
    run ! grep -q $'\x1b' "$out"
}

@test "progress on a terminal, and where it is asked for" {
    signals 1 3 | store
    run_split fsck --progress
    expect_status 0
    run_split fsck --no-progress
    expect_err 'metaspn-fsck: 0 findings in 3 lines of 1 partition'
}
