#!/usr/bin/env bats
# A small slice of each item of scripts/torture; and what those found.

# shellcheck disable=SC2154  # the helper sets variables
load helper

setup()
{
    fresh_workspace
    METASPN_BIN=$(dirname "$(type -P metaspn-write)")
    export METASPN_BIN
    torture=$BATS_TEST_DIRNAME/torture
}

quickly()
{
    /usr/bin/python3 "$torture/$1.py" --quick
}

@test "faults: system calls that fail" { quickly faults; }
@test "kills: at system calls, and at random" { quickly kills; }
@test "crashes: states that a crash may leave" { quickly crashes; }
@test "powercut: power cuts on file systems of their own" { quickly powercut; }
@test "space: file size limits and full file systems" { quickly space; }
@test "writers: several at once, some without lock" { quickly writers; }
@test "damage: cuts and flipped bits" { quickly damage; }
@test "index-entries: the same answers with the index and without" { quickly index-entries; }
@test "resume: a worker's loop in random stores" { quickly resume; }

@test "scripts/torture knows each item" {
    cd "$BATS_TEST_DIRNAME/.."
    scripts/torture --list | cut -d ' ' -f 1 >"$out"
    for item in crashes damage faults fuzzers hostile index-entries kills memory mutants original powercut resume \
        scanner space surroundings valgrind writers; do
        grep -qx "$item" "$out"
    done
    run -2 scripts/torture no-such-item
}

@test "every mutant that the build knows is one that an item must catch" {
    grep -rohE 'MUTANT\([A-Z_]*\)' "$BATS_TEST_DIRNAME"/../lib | tr -d '()' | sed 's/MUTANT//' |
        tr '[:upper:]' '[:lower:]' | sort -u >"$out"
    sed -n 's/^    "\([a-z_]*\)": "[a-z]*",$/\1/p' "$torture/mutants.py" | sort >wanted
    expect_same "$out" wanted
}

# An index whose facts were committed without their entries stored every one of these again.
@test "an index is not committed in parts when a read fails" {
    signal a 2026-02-04T10:00:00Z >events
    signal b 2026-02-05T10:00:00Z >>events
    emission c 2026-02-05T10:00:00Z >>events
    metaspn-write -C ws events
    for n in {4..20}; do
        rm -rf ws/store/index
        run_split strace -qq -o /dev/null -e inject=pread64:error=EIO:when="$n" metaspn-write -C ws events
        metaspn-write -C ws events
        [[ $(cat ws/store/*/*.jsonl | wc -l) == 3 ]]
        metaspn-fsck -C ws
    done
}

# A writer that found the partition there synced its bytes, and nobody its name.
@test "names that a killed writer made are synced by the next one, which stores the same event or another" {
    signal a 2026-02-04T10:00:00Z >events
    signal b 2026-02-04T10:00:00Z >others
    for next in events others; do
        rm -rf ws/store
        run_split strace -qq -o /dev/null -e inject=fdatasync:signal=KILL:when=1 metaspn-write -C ws events
        strace -qq -y -o log -e trace=fsync metaspn-write -C ws "$next"
        for name in ws ws/store ws/store/signals; do
            grep -q "^fsync([0-9]*<[^>]*/$name>) *= 0" log
        done
    done
}

@test "names that another program made are synced before a document in them is" {
    mkdir -p ws/store
    echo '{"schema_version":"0.1","last_timestamp":"2026-02-05T10:00:00Z","seen_ids_at_timestamp":[]}' >document
    for what in checkpoint snapshot; do
        mkdir "ws/store/${what}s"
        strace -qq -y -o log -e trace=fsync "metaspn-$what" -C ws write w <document
        for name in ws ws/store "ws/store/${what}s"; do
            grep -q "^fsync([0-9]*<[^>]*/$name>) *= 0" log
        done
    done
}

@test "a position whose hash cannot be read is no success" {
    signal a 2026-02-04T10:00:00Z >events
    signal b 2026-02-05T10:00:00Z >>events
    metaspn-write -C ws events
    for n in {1..30}; do
        rm -rf ws/store/checkpoints
        run_split strace -qq -o /dev/null -e inject=pread64:error=EIO:when="$n" metaspn-checkpoint -C ws advance w events
        [[ $status != 0 ]] || [[ $(metaspn-checkpoint -C ws read w | jq '[.positions[] | has("hash")] | all') == true ]]
    done
}

# Pages that were never written out are zeros after a power cut, in a file of the same size, inode and times.
@test "what an older boot knew of bytes that were not synced is not believed" {
    [[ -z ${METASPN_TESTED_UNDER:-} ]] || skip "not under $METASPN_TESTED_UNDER"
    cc -shared -fPIC -o crashed.so "$torture/crashed.c" -ldl
    for n in {100..199}; do signal "s$n" "2026-02-05T10:0${n:1:1}:0${n:2:1}Z"; done >events
    echo before >boot
    export LD_PRELOAD=$PWD/crashed.so TORTURE_BOOT=$PWD/boot
    metaspn-write -C ws --no-sync events
    length=$(head -n 1 events | wc -c)
    head -c $((length - 1)) /dev/zero | dd conv=notrunc status=none of=ws/store/signals/2026-02-05.jsonl bs="$length" seek=1
    echo after >boot
    run_split metaspn-replay -C ws
    expect_status 3
    sed 2d events | expect_same - "$out"
    run_split metaspn-write -C ws --print=new events
    unset LD_PRELOAD
    sed -n 2p events | expect_same - "$out"
}
