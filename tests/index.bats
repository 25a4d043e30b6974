#!/usr/bin/env bats
# The derived index: whatever happens to it, every command gives the right answer.

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

# What every command should say of this store, with the index as it is now.
answers()
{
    replay --kind=all | sort
    replay --source=other --count
    replay --entity=handle:bob --count
    replay --kind=emissions --caused-by=s41 --count
    replay --id=s17 --id=s59
    replay --reverse -n 3
}

remember_answers()
{
    answers >right
    cp -a ws/store/index index
}

# The index was tampered with: the answers are the same, nothing is stored twice, and what is new is stored.
expect_right()
{
    local result results
    status=0
    answers >got 2>"$err" || status=$?
    expect_status 0
    expect_same right got || return
    run_split store --print=result given
    expect_status 0
    mapfile -t results <"$out"
    for result in "${results[@]}"; do
        [[ $result == *'"status":"duplicate"'* ]] || { printf 'stored again: %s\n' "$result"; return 1; }
    done
}

restore_index()
{
    rm -rf ws/store/index
    cp -a index ws/store/index
}

# ---- it is there, and it is used

@test "a writer makes an index, an append leaves its files as they are" {
    local files
    files=$(ls -i ws/store/index/ids-* ws/store/index/refs-*)
    signal s61 2026-02-07T11:00:00Z | store
    [[ $(ls -i ws/store/index/ids-* ws/store/index/refs-*) == "$files" ]]
}

@test "a reader makes an index, and nothing else" {
    rm -rf ws/store/index
    find ws/store -type f | sort >before
    replay --count
    find ws/store -type f ! -path '*/index/*' | sort | expect_same before -
    [[ -s ws/store/index/manifest ]]
}

@test "with an index, a look at an id does not read the store" {
    needs_strace
    run_split strace -f -y -o trace -e trace=pread64,read metaspn-replay -C ws --id=s59
    expect_out "$(grep '"s59"' given)"
    run ! grep -q 'signals/2026-02-07.jsonl' trace
}

# What a command that finds nothing new does to the index.
expect_index_left()
{
    cksum ws/store/index/* >before
    run_split replay "$@"
    expect_status 0
    cksum ws/store/index/* | expect_same before -
}

@test "a look that finds nothing new writes nothing: of one kind, of both, after a day has gone" {
    replay --kind=all --count
    expect_index_left
    expect_index_left --kind=emissions
    rm "$day"
    replay --count
    expect_index_left --count
    expect_out 2
    expect_index_left --kind=all
}

@test "a partition whose owner or mode changed is looked into once" {
    needs_strace
    chmod 600 "$day"
    replay --day=2026-02-07
    run_split strace -f -y -o trace -e trace=pread64 metaspn-replay -C ws --day=2026-02-07
    expect_out "$(grep '"s60"' given)"
    run ! grep -q 'signals/2026-02-05.jsonl' trace
}

# ---- what may happen to it

@test "the index deleted, as a whole or a file of it" {
    local file
    remember_answers
    rm -rf ws/store/index
    expect_right
    for file in index/*; do
        restore_index
        rm "ws/store/$file"
        expect_right
    done
}

@test "what is left of an index that is of no use is removed by the next one" {
    local before
    before=$(ls -d ws/store/index/*-*)
    [[ $before == *ids-* ]]
    rm ws/store/index/manifest
    replay --count
    run ! grep -qxF "$before" <(ls -d ws/store/index/*-*)
}

@test "the index cut at any length" {
    local file size
    remember_answers
    for file in index/{manifest,ids-*,refs-*}; do
        for size in 0 1 40 $(($(stat -c %s "$file") / 2)) $(($(stat -c %s "$file") - 1)); do
            restore_index
            truncate -s "$size" "ws/store/$file"
            expect_right
        done
    done
}

@test "the index full of noise, or of zeros, or longer than it was" {
    local file
    remember_answers
    for file in index/{manifest,ids-*,refs-*}; do
        restore_index
        noise "$(stat -c %s "$file")" >"ws/store/$file"
        expect_right
        restore_index
        head -c "$(stat -c %s "$file")" /dev/zero >"ws/store/$file"
        expect_right
        restore_index
        noise 5000 >>"ws/store/$file"
        expect_right
    done
}

noise()
{
    awk -v n="$1" 'BEGIN {srand(7); for (i = 0; i < n; i++) printf "%c", 33 + int(rand() * 90)}'
}

# flip FILE BIT
flip()
{
    local byte
    byte=$(od -An -tu1 -j $(($2 / 8)) -N 1 "$1")
    printf '%b' "$(printf '\\x%x' $((byte ^ 1 << $2 % 8)))" | dd of="$1" bs=1 seek=$(($2 / 8)) conv=notrunc status=none
}

# What may happen to a file that somebody has open: its bytes change, not its name.
cut_to_nothing()
{
    truncate -s 0 "$1"
}

cut_in_half()
{
    truncate -s $(($(stat -c %s "$1") / 2)) "$1"
}

fill_with_noise()
{
    noise "$(stat -c %s "$1")" >"$1.noise"
    dd if="$1.noise" of="$1" conv=notrunc status=none
    rm "$1.noise"
}

fill_with_zeros()
{
    dd if=/dev/zero of="$1" bs="$(stat -c %s "$1")" count=1 conv=notrunc status=none
}

# All N answers so far say that the event is stored already.
answered()
{
    [[ $(grep -c '"status":"duplicate"' answers) == "$1" && $(wc -l <answers) == "$1" ]]
}

# A writer has answered for all that is given, its index's files change as HOW says, and it is given all again.
spoil_under_writer()
{
    local writer input file
    restore_index
    store --print=result <input >answers 2>"$err" 3>&- &
    writer=$!
    exec {input}>input
    cat given >&"$input"
    eventually answered 65
    for file in ws/store/index/{ids,refs}-*; do
        "$1" "$file"
    done
    cat given >&"$input"
    eventually lines_are 130 answers
    exec {input}>&-
    wait "$writer"
}

lines_are()
{
    (($(wc -l <"$2") == $1))
}

@test "the index cut under a writer who has it open" {
    local how
    remember_answers
    mkfifo input
    for how in cut_to_nothing cut_in_half; do
        spoil_under_writer "$how"
        answered 130
        grep -qx 'metaspn-write: note: ws/store/index: damaged; rebuilding it' "$err"
        expect_right
    done
}

# What was checked when it was mapped is not checked again: events may be stored again, which readers leave out.
@test "the index overwritten under a writer who has it open: no crash, and nothing is lost" {
    local how
    remember_answers
    mkfifo input
    for how in fill_with_noise fill_with_zeros; do
        spoil_under_writer "$how"
        run ! grep -v '"status":"\(duplicate\|appended\)"' answers
        expect_right
    done
}

@test "any bit of the index flipped" {
    local file bits n
    remember_answers
    for file in index/{manifest,ids-*,refs-*}; do
        bits=$(($(stat -c %s "$file") * 8))
        for n in {0..9}; do
            restore_index
            flip "ws/store/$file" $(((n * 7919 + n * bits / 10) % bits))
            expect_right
        done
    done
}

@test "any bit of the index's log flipped, or the log cut" {
    local log n bits
    # A reader that finds something new leaves it in the log.
    for n in {61..70}; do signals "$n" "$n" >>given; tail -n 1 given | store; done
    log=$(echo ws/store/index/log-*)
    [[ -s $log ]]
    remember_answers
    bits=$(($(stat -c %s "$log") * 8))
    for n in {0..9}; do
        restore_index
        flip "$log" $(((n * 7919 + n * bits / 10) % bits))
        expect_right
        restore_index
        truncate -s $((bits * n / 80)) "$log"
        expect_right
    done
}

@test "an index of another version" {
    remember_answers
    printf '\2' | dd of=ws/store/index/manifest bs=1 seek=8 conv=notrunc status=none
    expect_right
}

@test "the index of another store" {
    remember_answers
    mkdir other
    signals 500 600 | metaspn-write -C other
    rm -rf ws/store/index
    cp -r other/store/index ws/store/index
    expect_right
}

@test "an old index put back" {
    cp -a ws/store/index old
    signals 61 80 >>given
    store given
    remember_answers
    rm -rf ws/store/index
    mv old ws/store/index
    expect_right
}

@test "an index that is newer than the partitions, which were put back from a backup" {
    cp -a ws/store/signals backup
    remember_answers
    signals 61 80 | store
    rm -rf ws/store/signals
    mv backup ws/store/signals
    expect_right
    run_split store --print=result <<<"$(signals 61 61)"
    [[ $(jq -r .status "$out") == appended ]]
}

@test "the index gone again and again while eight write" {
    local w
    rm -rf ws/store
    for w in {1..8}; do
        { signals 1 100; sleep 0.05; signals $((w * 50 + 51)) $((w * 50 + 100)); } | store -q 3>&- &
    done
    for w in {1..10}; do
        rm -rf ws/store/index || true # somebody makes a file there at that moment
        sleep 0.02
    done
    wait
    expect_stored 500
}

@test "the index deleted, or all that is in it, under a writer and a follower who go on: there is one again" {
    local writer follower feed
    mkfifo pipe
    store --print=path <pipe >printed 3>&- &
    writer=$!
    exec {feed}>pipe
    signal a1 2026-02-08T10:00:00Z >&"$feed"
    eventually grep -q 02-08 printed
    rm -r ws/store/index
    signal a2 2026-02-09T10:00:00Z >&"$feed"
    eventually grep -q 02-09 printed
    [[ -s ws/store/index/manifest && -e ws/store/index/lock ]]
    rm ws/store/index/*
    signal a3 2026-02-10T10:00:00Z >&"$feed"
    eventually grep -q 02-10 printed
    [[ -s ws/store/index/manifest && -e ws/store/index/lock ]]
    metaspn-replay -C ws -f --tail=0 >followed 3>&- {feed}>&- &
    follower=$!
    eventually sleeps "$follower"
    rm -r ws/store/index
    signal a4 2026-02-11T10:00:00Z >>ws/store/signals/2026-02-11.jsonl
    eventually test -s followed
    eventually test -s ws/store/index/manifest
    kill "$follower"
    exec {feed}>&-
    wait "$writer"
}

@test "an index that cannot be written: right answers, nothing made" {
    unshare --mount mount -t tmpfs tmpfs ws 2>"$err" || skip 'may not mount'
    remember_answers
    signals 61 80 >>"$day"
    declare -f answers replay >functions
    cat >steps <<'END'
. ./functions
mount --bind ws/store/index ws/store/index
mount -o remount,bind,ro ws/store/index
replay --count >count
metaspn-write -C ws --print=result given >results
signals 81 81 | metaspn-write -C ws --print=result >>results
END
    export -f signals signal print_object
    cp -a ws/store/index before
    unshare --mount bash ./steps 3>&-
    expect_file count 80
    [[ $(grep -c duplicate results) == 65 && $(grep -c appended results) == 1 ]]
    diff -r before ws/store/index
}

@test "an index that this account may not write: right answers, nothing made" {
    [[ $(id -u) != 0 ]] || skip 'root writes everywhere'
    signals 61 80 >>"$day"
    cp -a ws/store/index before
    chmod -R a-w ws/store/index
    run_split replay --count
    expect_out 80
    expect_result duplicate "$(signals 70 70)"
    expect_result appended "$(signals 81 81)"
    chmod -R u+w ws/store/index
    diff -r before ws/store/index
}

@test "an index whose folder may be listed and not searched: right answers, and fsck could not look" {
    local unprivileged=()
    [[ $(id -u) != 0 ]] || unprivileged=(setpriv '--bounding-set=-dac_override,-dac_read_search')
    chmod 444 ws/store/index
    run_split "${unprivileged[@]}" metaspn-replay -C ws --count
    expect_status 0
    expect_out 60
    run_split "${unprivileged[@]}" metaspn-write -C ws --print=result <<<"$(signals 60 61)"
    expect_status 0
    [[ $(jq -r .status "$out" | paste -sd' ') == 'conflict appended' ]]
    run_split "${unprivileged[@]}" metaspn-fsck -C ws -q
    expect_status 5
    expect_err_like '^metaspn-fsck: ws/store/index: manifest: Permission denied$'
    chmod 755 ws/store/index
}

@test "no index at all on a read-only file system" {
    unshare --mount mount -t tmpfs tmpfs ws 2>"$err" || skip 'may not mount'
    remember_answers
    rm -rf ws/store/index
    declare -f answers replay >functions
    cat >steps <<'END'
. ./functions
mount --bind ws ws
mount -o remount,bind,ro ws
answers >got
END
    unshare --mount bash ./steps 3>&-
    expect_same right got
    [[ ! -e ws/store/index ]]
}

@test "no space for the index: events are stored, and found" {
    unshare --mount mount -t tmpfs tmpfs ws 2>"$err" || skip 'may not mount'
    rm -rf ws/store/index
    mkdir ws/store/index
    signals 61 3000 >later
    declare -f replay >functions
    cat >steps <<'END'
. ./functions
mount -t tmpfs -o size=8k tmpfs ws/store/index
metaspn-write -C ws later || exit
metaspn-write -C ws --print=result later >results || exit
replay --count >count
END
    unshare --mount bash ./steps 3>&-
    expect_file count 3000
    run ! grep -v duplicate results
    run_split metaspn-fsck -C ws
    expect_status 0
}

@test "another account's index, which may be read and not be written" {
    [[ $(id -u) == 0 ]] || skip 'only root can be two accounts'
    remember_answers
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")"
    setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v metaspn-replay)" -C "$ws" --count >"$out" 2>"$err" ||
        skip 'that account cannot come here'
    expect_out 60
    signals 61 61 >>"$day"
    setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v metaspn-replay)" -C "$ws" --count >"$out"
    expect_out 61
    diff -r index ws/store/index
}

# in_its_place WHAT: fsck finds that, the answers are right all the same, and nothing is touched there.
in_its_place()
{
    find ws/store/index -printf '%p %y %m %s %T@ %i\n' | sort >before
    run_split metaspn-fsck -C ws
    expect_status 3
    expect_out "ws/store/index: $1"
    expect_err_like '^metaspn-fsck: 1 finding in '
    expect_right || return
    run_split store --print=result <<<"$(signals "$2" "$2")"
    expect_status 0
    expect_err
    [[ $(jq -r .status "$out") == appended ]]
    run_split store --print=result <<<"$(signals "$2" "$2")"
    [[ $(jq -r .status "$out") == duplicate ]]
    run_split metaspn-fsck -C ws --repair
    expect_status 5
    expect_err_like '^metaspn-fsck: ws/store/index: cannot be written$'
    find ws/store/index -printf '%p %y %m %s %T@ %i\n' | sort | expect_same before -
    sed -i '$d' "$day"
    rm -rf ws/store/index
    run_split metaspn-fsck -C ws
    expect_status 0
    expect_right
}

@test "a plain file in the place of the index: right answers, and fsck finds it" {
    remember_answers
    rm -rf ws/store/index
    echo notes >ws/store/index
    in_its_place 'is not a directory' 81
}

@test "a directory in the place of a file of the index: right answers, and fsck finds it" {
    local file
    signals 61 61 | store
    remember_answers
    for file in manifest lock; do
        rm -rf "ws/store/index/$file"
        mkdir "ws/store/index/$file"
        in_its_place "$file: is not a regular file" 82
        restore_index
    done
    for file in ws/store/index/{log,ids,refs}-*; do
        rm "$file"
        mkdir "$file"
        expect_right || return
        run_split metaspn-fsck -C ws
        expect_status 0
        restore_index
    done
}

@test "a link in the place of the index is exit 5, for a reader too" {
    mkdir outside
    rm -rf ws/store/index
    ln -s ../../outside ws/store/index
    run_split replay --count
    expect_status 5
    expect_err_like '^metaspn-replay: ws/store/index: is a symbolic link$'
    [[ -z $(ls -A outside) ]]
    # Asked for nothing of it, a reader does not look at it.
    run_split replay --no-index --count
    [[ $status == 0 || $status == 5 ]]
}
