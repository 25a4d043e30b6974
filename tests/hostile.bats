#!/usr/bin/env bats
# Hostile files: whatever stands in the place of one of ours is refused and named, nothing outside the store is touched,
# nothing hangs, and no name or content reaches a terminal with its escapes.

# shellcheck disable=SC2094,SC2154  # the helper sets variables; files are named as functions are
load helper

setup_file()
{
    find_commands
    mkdir -p "$BATS_FILE_TMPDIR/prepared"/{ws,elsewhere}
    cd "$BATS_FILE_TMPDIR/prepared" || return
    export METASPN_NOW=2026-02-05T18:00:00Z
    signal s1 2026-02-05T10:00:00Z >signals
    emission e1 2026-02-05T11:00:00Z >emissions
    signal new 2026-02-05T12:00:00Z >new
    emission newe 2026-02-05T12:00:00Z >newe
    printf '{"last_timestamp":"2026-02-04T10:00:00Z","schema_version":"0.1","seen_ids_at_timestamp":[]}\n' >checkpoint
    printf '{"a":1}\n' >document
    metaspn-write -C ws signals emissions
    metaspn-checkpoint -C ws write w <checkpoint
    metaspn-snapshot -C ws write s --at=2026-02-05T00:00:00Z <document
    printf 'precious\n' >precious
}

setup()
{
    fresh_workspace "$BATS_FILE_TMPDIR/prepared"
    store=ws/store
    day=$store/signals/2026-02-05.jsonl
    snapshot=$store/snapshots/s__2026-02-05T000000Z.json
}

# in_place_of FILE KIND: puts something else there.
in_place_of()
{
    rm -rf "$1"
    case $2 in
    link) ln -s "$PWD/precious" "$1" ;;
    link-to-folder) ln -s "$PWD/elsewhere" "$1" ;;
    dangling) ln -s "$PWD/elsewhere/made" "$1" ;;
    fifo) mkfifo "$1" ;;
    socket) /usr/bin/python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$1" ;;
    folder) mkdir "$1" ;;
    file) printf 'x\n' >"$1" ;;
    device) mknod "$1" c 1 5 2>/dev/null || skip 'only root makes devices' ;;
    esac
}

# refused NAME COMMAND ...: exit 5 at once, naming it; nothing elsewhere was touched.
refused()
{
    local name=$1
    shift
    run_split timeout 20 "$@"
    expect_status 5 && expect_err_like "$name" && untouched
}

untouched()
{
    local text inside
    shopt -s dotglob nullglob
    inside=(elsewhere/*)
    shopt -u dotglob nullglob
    text_of precious text && [[ $text == $'precious\n' && ${#inside[@]} == 0 ]]
}

# on_terminal COMMAND ...: what it writes to a terminal, stdout and stderr.
on_terminal()
{
    script -qec "$(printf '%q ' "$@")" /dev/null </dev/null
}

# tame: stdin holds no escape, no C1 and no bidi control.
tame()
{
    LC_ALL=C tr -d '\r\n' >shown
    ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]' shown
}

# ---- in the place of a partition
@test "a link for a partition: write" { in_place_of "$day" link && refused 2026-02-05.jsonl metaspn-write -C ws new; }
@test "a link for a partition: replay" { in_place_of "$day" link && refused 2026-02-05.jsonl metaspn-replay -C ws; }
@test "a dangling for a partition: write" {
    in_place_of "$day" dangling &&
        refused 2026-02-05.jsonl metaspn-write -C ws new
}
@test "a dangling for a partition: replay" {
    in_place_of "$day" dangling &&
        refused 2026-02-05.jsonl metaspn-replay -C ws
}
@test "a fifo for a partition: write" { in_place_of "$day" fifo && refused 2026-02-05.jsonl metaspn-write -C ws new; }
@test "a fifo for a partition: replay" { in_place_of "$day" fifo && refused 2026-02-05.jsonl metaspn-replay -C ws; }
@test "a socket for a partition: write" {
    in_place_of "$day" socket &&
        refused 2026-02-05.jsonl metaspn-write -C ws new
}
@test "a socket for a partition: replay" {
    in_place_of "$day" socket &&
        refused 2026-02-05.jsonl metaspn-replay -C ws
}
@test "a folder for a partition: write" {
    in_place_of "$day" folder &&
        refused 2026-02-05.jsonl metaspn-write -C ws new
}
@test "a folder for a partition: replay" {
    in_place_of "$day" folder &&
        refused 2026-02-05.jsonl metaspn-replay -C ws
}
@test "a device for a partition: write" {
    in_place_of "$day" device &&
        refused 2026-02-05.jsonl metaspn-write -C ws new
}
@test "a device for a partition: replay" {
    in_place_of "$day" device &&
        refused 2026-02-05.jsonl metaspn-replay -C ws
}
@test "a FIFO for a partition: top" { in_place_of "$day" fifo && refused 2026-02-05.jsonl metaspn-top -C ws; }
@test "a link for a partition: fsck" {
    in_place_of "$day" link &&
        run_split metaspn-fsck -C ws &&
        false || [[ $status == 3 || $status == 5 ]] &&
        untouched
}
@test "a link for a partition: checkpoint advance" {
    in_place_of "$day" link &&
        refused 2026-02-05.jsonl metaspn-checkpoint -C ws advance w signals
}
@test "a link for another day: its events are not read" {
    in_place_of "$store/signals/2026-02-04.jsonl" link &&
        refused 2026-02-04.jsonl metaspn-replay -C ws
}
@test "a link of another name is not ours" {
    ln -s "$PWD/precious" "$store/signals/notes.txt" &&
        run_split metaspn-replay -C ws &&
        expect_status 0 &&
        expect_same "$out" signals
}

# ---- in the place of a folder
@test "a link-to-folder for signals/: what writes there" {
    in_place_of "$store/signals" link-to-folder &&
        refused signals metaspn-write -C ws new
}
@test "a file for signals/: what writes there" {
    in_place_of "$store/signals" file &&
        refused signals metaspn-write -C ws new
}
@test "a fifo for signals/: what writes there" {
    in_place_of "$store/signals" fifo &&
        refused signals metaspn-write -C ws new
}
@test "a link-to-folder for emissions/: what writes there" {
    in_place_of "$store/emissions" link-to-folder &&
        refused emissions metaspn-write -C ws newe
}
@test "a file for emissions/: what writes there" {
    in_place_of "$store/emissions" file &&
        refused emissions metaspn-write -C ws newe
}
@test "a fifo for emissions/: what writes there" {
    in_place_of "$store/emissions" fifo &&
        refused emissions metaspn-write -C ws newe
}
@test "a link-to-folder for checkpoints/: what writes there" {
    in_place_of "$store/checkpoints" link-to-folder &&
        refused checkpoints metaspn-checkpoint -C ws write w <checkpoint
}
@test "a file for checkpoints/: what writes there" {
    in_place_of "$store/checkpoints" file &&
        refused checkpoints metaspn-checkpoint -C ws write w <checkpoint
}
@test "a fifo for checkpoints/: what writes there" {
    in_place_of "$store/checkpoints" fifo &&
        refused checkpoints metaspn-checkpoint -C ws write w <checkpoint
}
@test "a link-to-folder for snapshots/: what writes there" {
    in_place_of "$store/snapshots" link-to-folder &&
        refused snapshots metaspn-snapshot -C ws write s <document
}
@test "a file for snapshots/: what writes there" {
    in_place_of "$store/snapshots" file &&
        refused snapshots metaspn-snapshot -C ws write s <document
}
@test "a fifo for snapshots/: what writes there" {
    in_place_of "$store/snapshots" fifo &&
        refused snapshots metaspn-snapshot -C ws write s <document
}
@test "a link for signals/: what reads there" {
    in_place_of "$store/signals" link-to-folder &&
        refused signals metaspn-replay -C ws
}
@test "a link for emissions/: what reads there" {
    in_place_of "$store/emissions" link-to-folder &&
        refused emissions metaspn-replay -C ws --kind=emissions
}
@test "a link for checkpoints/: what reads there" {
    in_place_of "$store/checkpoints" link-to-folder &&
        refused checkpoints metaspn-checkpoint -C ws read w
}
@test "a link for snapshots/: what reads there" {
    in_place_of "$store/snapshots" link-to-folder &&
        refused snapshots metaspn-snapshot -C ws read s
}
@test "a link for index/: write" { in_place_of "$store/index" link-to-folder && refused index metaspn-write -C ws new; }
@test "a link for index/: replay" { in_place_of "$store/index" link-to-folder && refused index metaspn-replay -C ws; }
@test "a link for quarantine/: the torn line stays" {
    printf torn >>"$day" &&
        in_place_of "$store/quarantine" link-to-folder &&
        refused quarantine metaspn-write -C ws new &&
        [[ $(tail -c 4 "$day") == torn ]]
}
@test "a link or a FIFO for quarantine/: who reads a damaged line" {
    local kind
    echo damaged >>"$day"
    for kind in link-to-folder fifo; do
        in_place_of "$store/quarantine" "$kind"
        refused "metaspn-replay: ws/store/quarantine: is (a symbolic link|not a directory)$" metaspn-replay -C ws --skip-damaged
        refused "metaspn-top: ws/store/quarantine: is (a symbolic link|not a directory)$" metaspn-top -C ws
        refused "metaspn-fsck: ws/store/quarantine: is (a symbolic link|not a directory)$" metaspn-fsck -C ws -q
        [[ $(wc -l <"$err") == 1 && $(wc -l <"$out") == 1 ]]
    done
}
@test "store may be a link" {
    mv "$store" elsewhere/kept &&
        ln -s "$PWD/elsewhere/kept" "$store" &&
        run_split metaspn-write -C ws new &&
        expect_status 0 &&
        grep -q '"new"' elsewhere/kept/signals/2026-02-05.jsonl
}
@test "store is a file" { in_place_of "$store" file && refused store metaspn-write -C ws new; }
@test "store is a FIFO" { in_place_of "$store" fifo && refused store metaspn-replay -C ws; }
@test "store is a dangling link" {
    local where='store: is a symbolic link to "../elsewhere/made", which does not exist'
    rm -rf "$store"
    ln -s ../elsewhere/made "$store"
    refused "^metaspn-write: ws/$where$" metaspn-write -C ws new
    refused "^metaspn-replay: ws/$where$" metaspn-replay -C ws
    refused "^metaspn-write: $where$" env -C ws metaspn-write ../new
}

# ---- in the place of another file
@test "a link for the lock" { in_place_of "$store/lock" link && refused lock metaspn-write -C ws new; }
@test "a dangling for the lock" { in_place_of "$store/lock" dangling && refused lock metaspn-write -C ws new; }
@test "a fifo for the lock" { in_place_of "$store/lock" fifo && refused lock metaspn-write -C ws new; }
@test "a folder for the lock" { in_place_of "$store/lock" folder && refused lock metaspn-write -C ws new; }
@test "a link for a checkpoint: read" {
    in_place_of "$store/checkpoints/w.json" link &&
        refused w.json metaspn-checkpoint -C ws read w
}
@test "a link for a checkpoint: write" {
    in_place_of "$store/checkpoints/w.json" link &&
        refused w.json metaspn-checkpoint -C ws write w <checkpoint
}
@test "a link for a snapshot: read" { in_place_of "$snapshot" link && refused s__2026 metaspn-snapshot -C ws read s; }
@test "a link for a snapshot: write" {
    in_place_of "$snapshot" link &&
        refused s__2026 metaspn-snapshot -C ws write s --at=2026-02-05T00:00:00Z <document
}
@test "a fifo for a checkpoint: read" {
    in_place_of "$store/checkpoints/w.json" fifo &&
        refused w.json metaspn-checkpoint -C ws read w
}
@test "a fifo for a checkpoint: write" {
    in_place_of "$store/checkpoints/w.json" fifo &&
        refused w.json metaspn-checkpoint -C ws write w <checkpoint
}
@test "a fifo for a snapshot: read" { in_place_of "$snapshot" fifo && refused s__2026 metaspn-snapshot -C ws read s; }
@test "a fifo for a snapshot: write" {
    in_place_of "$snapshot" fifo &&
        refused s__2026 metaspn-snapshot -C ws write s --at=2026-02-05T00:00:00Z <document
}
@test "a device for a checkpoint: read" {
    in_place_of "$store/checkpoints/w.json" device &&
        refused w.json metaspn-checkpoint -C ws read w
}
@test "a device for a checkpoint: write" {
    in_place_of "$store/checkpoints/w.json" device &&
        refused w.json metaspn-checkpoint -C ws write w <checkpoint
}
@test "a device for a snapshot: read" {
    in_place_of "$snapshot" device &&
        refused s__2026 metaspn-snapshot -C ws read s
}
@test "a device for a snapshot: write" {
    in_place_of "$snapshot" device &&
        refused s__2026 metaspn-snapshot -C ws write s --at=2026-02-05T00:00:00Z <document
}
@test "a link for a checkpoint: advance" {
    in_place_of "$store/checkpoints/w.json" link &&
        refused w.json metaspn-checkpoint -C ws advance w signals
}
@test "a link for a checkpoint: replay" {
    in_place_of "$store/checkpoints/w.json" link &&
        refused w.json metaspn-replay -C ws --checkpoint=w
}
@test "a link for the index's manifest" {
    in_place_of "$store/index/manifest" link &&
        refused manifest metaspn-replay -C ws
}
@test "a fifo for the index's manifest" {
    in_place_of "$store/index/manifest" fifo &&
        refused manifest metaspn-replay -C ws
}
@test "a link for the file of --next" {
    ln -s "$PWD/precious" next &&
        refused next metaspn-replay -C ws --checkpoint=w --next=next
}
@test "a FIFO for the file of --next" { mkfifo next && refused next metaspn-replay -C ws --checkpoint=w --next=next; }
@test "links under the names of temporaries are not followed" {
    for n in {0..99}; do ln -s "$PWD/precious" "$store/checkpoints/.tmp-metaspn-$n"; done; metaspn-checkpoint -C ws write w <checkpoint &&
        untouched
}
@test "a link that looks left over is not followed when it is swept" {
    ln -s "$PWD/precious" "$store/checkpoints/.tmp-metaspn-old" &&
        touch -hd 2020-01-01 "$store/checkpoints/.tmp-metaspn-old" &&
        metaspn-checkpoint -C ws write w <checkpoint &&
        untouched
}

# ---- names
@test "the name ../x of a checkpoint" {
    run_split metaspn-checkpoint -C ws write $'../x' <checkpoint &&
        false || expect_status 2 &&
        untouched &&
        [[ ! -e ws/x &&
        ! -e ws/x.json ]]
}
@test "the name a/b of a checkpoint" {
    run_split metaspn-checkpoint -C ws write $'a/b' <checkpoint &&
        false || expect_status 2 &&
        untouched &&
        [[ ! -e ws/x &&
        ! -e ws/x.json ]]
}
@test "the name .. of a checkpoint" {
    run_split metaspn-checkpoint -C ws write $'..' <checkpoint &&
        false || expect_status 2 &&
        untouched &&
        [[ ! -e ws/x &&
        ! -e ws/x.json ]]
}
@test "the name . of a checkpoint" {
    run_split metaspn-checkpoint -C ws write $'.' <checkpoint &&
        false || expect_status 2 &&
        untouched &&
        [[ ! -e ws/x &&
        ! -e ws/x.json ]]
}
@test "the name (empty) of a checkpoint" {
    run_split metaspn-checkpoint -C ws write $'' <checkpoint &&
        false || expect_status 2 &&
        untouched &&
        [[ ! -e ws/x &&
        ! -e ws/x.json ]]
}
@test "the name .hidden of a checkpoint" {
    run_split metaspn-checkpoint -C ws write $'.hidden' <checkpoint &&
        false || expect_status 2 &&
        untouched &&
        [[ ! -e ws/x &&
        ! -e ws/x.json ]]
}
@test "the name a\\nb of a checkpoint" {
    run_split metaspn-checkpoint -C ws write $'a\nb' <checkpoint &&
        false || expect_status 2 &&
        untouched &&
        [[ ! -e ws/x &&
        ! -e ws/x.json ]]
}
@test "the name /etc/passwd of a checkpoint" {
    run_split metaspn-checkpoint -C ws write $'/etc/passwd' <checkpoint &&
        false || expect_status 2 &&
        untouched &&
        [[ ! -e ws/x &&
        ! -e ws/x.json ]]
}
@test "the name \\e[31m of a checkpoint" {
    run_split metaspn-checkpoint -C ws write $'\e[31m' <checkpoint &&
        false || expect_status 2 &&
        untouched &&
        [[ ! -e ws/x &&
        ! -e ws/x.json ]]
}
@test "the name x\\x7f of a checkpoint" {
    run_split metaspn-checkpoint -C ws write $'x\x7f' <checkpoint &&
        false || expect_status 2 &&
        untouched &&
        [[ ! -e ws/x &&
        ! -e ws/x.json ]]
}
@test "the name ../x of a snapshot" {
    run_split metaspn-snapshot -C ws write '../x' <document &&
        false || expect_status 2 &&
        untouched
}
@test "the name a/b of a snapshot" {
    run_split metaspn-snapshot -C ws write 'a/b' <document &&
        false || expect_status 2 &&
        untouched
}
@test "the name . of a snapshot" {
    run_split metaspn-snapshot -C ws write '.' <document &&
        false || expect_status 2 &&
        untouched
}
@test "the name (empty) of a snapshot" {
    run_split metaspn-snapshot -C ws write '' <document &&
        false || expect_status 2 &&
        untouched
}
@test "the name .hidden of a snapshot" {
    run_split metaspn-snapshot -C ws write '.hidden' <document &&
        false || expect_status 2 &&
        untouched
}
@test "a name of 201 bytes" {
    run_split metaspn-checkpoint -C ws write "$(printf 'x%.0s' {1..201})" <checkpoint &&
        false || expect_status 2
}

# ---- what reaches a terminal
@test "an id with escapes: replay" {
    printf '%s\n' "$(signal "$(printf '\u202e\u009b')x" 2026-02-05T13:00:00Z)" >>"$day" &&
        on_terminal metaspn-replay -C ws | tame
}
@test "an id with escapes: a table" {
    signal '\u001b[31mx' 2026-02-05T13:00:00Z | metaspn-write -C ws &&
        on_terminal metaspn-replay -C ws --format=table | tame
}
@test "an id with escapes: an answer" {
    signal '\u001b[31m\u202ex' 2026-02-05T13:00:00Z >bad &&
        on_terminal metaspn-write -C ws --print=result bad | tame
}
@test "an id with escapes: a conflict" {
    signal '\u001b[31mx' 2026-02-05T13:00:00Z >bad &&
        metaspn-write -C ws bad &&
        signal '\u001b[31mx' 2026-02-05T14:00:00Z >bad &&
        on_terminal metaspn-write -C ws bad | tame
}
@test "input with escapes: the message" {
    printf '{"signal_id":"\033[31m\302\233x"\n' >bad &&
        on_terminal metaspn-write -C ws bad | tame
}
@test "a member's name with escapes: the message" {
    printf '{"signal_id":"a","\033[31m":1,"\033[31m":2}\n' >bad &&
        on_terminal metaspn-write -C ws bad | tame
}
@test "a damaged line with escapes: the message" {
    printf '\033[31m\342\200\256\n' >>"$day" &&
        on_terminal metaspn-replay -C ws | tame
}
@test "a file's name with escapes: the message" { on_terminal metaspn-write -C ws $'no\e[31m\u202esuch' | tame; }
@test "a workspace's name with escapes: the message" { on_terminal metaspn-replay -C $'no\e[31m\u202esuch' | tame; }
@test "an option with escapes: the message" { on_terminal metaspn-replay -C ws $'--kind=\e[31m' | tame; }
@test "a checkpoint's file name with escapes: the list" {
    cp "$store/checkpoints/w.json" "$store"/checkpoints/$'\e[31m.json' &&
        on_terminal metaspn-checkpoint -C ws list | tame
}
@test "a snapshot's file name with escapes: the list" {
    cp "$snapshot" "$store"/snapshots/$'\e[31m__2026-02-05.json' &&
        on_terminal metaspn-snapshot -C ws list | tame
}
@test "fsck of a damaged line with escapes" {
    printf '\033[31m\342\200\256\n' >>"$day" &&
        on_terminal metaspn-fsck -C ws | tame
}
