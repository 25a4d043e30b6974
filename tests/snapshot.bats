#!/usr/bin/env bats
# metaspn-snapshot: documents by name and time; and what all commands share, where one command is enough to show it.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash
load helper

snapshot()
{
    metaspn-snapshot -C "$ws" "$@"
}

# keep NAME JSON [OPTION ...]
keep()
{
    local name=$1 json=$2
    shift 2
    printf '%s\n' "$json" | snapshot write "$name" "$@"
}

# ---- section 6: write

@test "section 6: a document at a second, by default now" {
    keep state '{"open":1}' --at=2026-02-05T15:00:00.9Z
    keep state '{"open":2}'
    expect_file <(document snapshots state__2026-02-05T150000Z) '{"open":1}'
    expect_file <(document snapshots state__2026-02-05T180000Z) '{"open":2}'
    [[ $(ls ws/store) == snapshots ]]
}

@test "section 6: writing is silent, --print=path prints the path as the workspace was given" {
    run_split keep state '{}'
    expect_status 0
    expect_out
    expect_err
    run_split keep state '{}' --print=none
    expect_out
    run_split keep state '{}' --print=path
    expect_out "$ws/store/snapshots/state__2026-02-05T180000Z.json"
    run_split metaspn-snapshot --workspace=ws/ write state --print=path <<<'{}'
    expect_out 'ws//store/snapshots/state__2026-02-05T180000Z.json'
    METASPN_WORKSPACE=ws run_split metaspn-snapshot write state --print=path <<<'{}'
    expect_out 'ws/store/snapshots/state__2026-02-05T180000Z.json'
    cd ws
    run_split metaspn-snapshot write state --print=path <<<'{}'
    expect_out 'store/snapshots/state__2026-02-05T180000Z.json'
}

@test "section 6: the same name and time is replaced, the same input gives the same bytes" {
    keep state '{"b":[1, 2],"a":null}'
    document snapshots state__2026-02-05T180000Z >first
    keep state '{ "a" : null,
        "b" : [1,2] }'
    document snapshots state__2026-02-05T180000Z | expect_same first -
    keep state '{"a":1}'
    run_split snapshot list
    expect_out "$ws/store/snapshots/state__2026-02-05T180000Z.json"
    run_split snapshot read state
    expect_out '{"a":1}'
}

@test "section 6: canonical form as of events, numbers untouched" {
    keep state $'{"z":1.10,"\u00e9":-0,"a":1e400,"n":123456789012345678901234567890,"s":"\\u00E9\\/\u007f","b":{"y":1,"x":2}}'
    expect_file <(document snapshots state__2026-02-05T180000Z) \
        '{"a":1e400,"b":{"x":2,"y":1},"n":123456789012345678901234567890,"s":"\u00e9/\u007f","z":1.10,"\u00e9":-0}'
}

@test "section 6: a daily document is wrapped as the digest, or as a report" {
    keep digest '{"top_candidates":["s2","s1"]}' --day=2026-02-04
    keep calibration '{"bins":[0.10]}' --day=today
    keep credibility '{}' --day=yesterday
    expect_file <(document snapshots digest__2026-02-04) \
        '{"day":"2026-02-04","digest":{"top_candidates":["s2","s1"]},"schema_version":"0.1"}'
    expect_file <(document snapshots calibration__2026-02-05) \
        '{"day":"2026-02-05","report":{"bins":[0.10]},"schema_version":"0.1"}'
    expect_file <(document snapshots credibility__2026-02-04) \
        '{"day":"2026-02-04","report":{},"schema_version":"0.1"}'
}

@test "section 6: input that is no JSON object changes nothing, exit 3" {
    keep state '{"a":1}'
    local input
    for input in '' ' ' '[]' '1' 'null' '{' '{"a":1,}' '{"a":1}{}' '{"a":NaN}' '{"a":1,"\u0061":2}' $'{"a":"\xff"}' \
        $'\xef\xbb\xbf{}'; do
        run_split snapshot write state <<<"$input"
        expect_status 3
        expect_out
        expect_err_like '^metaspn-snapshot: -: .+; nothing was stored$'
        [[ $(wc -l <"$err") == 1 ]]
    done
    expect_file <(document snapshots state__2026-02-05T180000Z) '{"a":1}'
    [[ $(ls -A ws/store/snapshots) == state__2026-02-05T180000Z.json ]]
}

@test "section 6: nothing is made for input that is refused" {
    run_split keep state '[]'
    expect_status 3
    [[ ! -e ws/store ]]
}

# ---- section 6: read and list

@test "section 6: read prints the latest, or the latest at or before a time" {
    keep state '{"n":1}' --at=2026-02-04T10:00:00Z
    keep state '{"n":2}' --at=2026-02-05T10:00:00Z
    keep state '{"n":3}' --at=2026-02-06T10:00:00Z
    keep other '{"n":4}' --at=2026-02-07T10:00:00Z
    run_split snapshot read state
    expect_out '{"n":3}'
    run_split snapshot read state --at=now
    expect_out '{"n":2}'
    run_split snapshot read state --at=2026-02-05T10:00:00Z
    expect_out '{"n":2}'
    run_split snapshot read state --at=2026-02-05T09:59:59.999999Z
    expect_out '{"n":1}'
    run_split snapshot read state --at=-32h
    expect_out '{"n":1}'
    run_split snapshot read state --at=2026-02-04
    expect_out '{"n":1}'
    run_split snapshot read state --at=tomorrow
    expect_out '{"n":3}'
    # A name that begins like another one is another one.
    keep sta '{"n":5}' --at=2026-02-08T10:00:00Z
    keep states '{"n":6}' --at=2026-02-08T10:00:00Z
    run_split snapshot read state
    expect_out '{"n":3}'
    expect_err
    expect_status 0
}

@test "section 6: where the latest goes before it could be read, the latest is looked for again" {
    needs_strace
    keep state '{"n":1}' --at=2026-02-04T10:00:00Z
    keep state '{"n":2}' --at=2026-02-05T10:00:00Z
    run_split strace -qq -o trace -P ws/store/snapshots -e inject=openat2:error=ENOENT:when=2 metaspn-snapshot -C ws read state
    [[ $(grep INJECTED trace) == *state__2026-02-05T100000Z.json* ]]
    expect_status 0
    expect_out '{"n":2}'
}

@test "section 6: read --day prints that day's document and no other" {
    keep digest '{"n":1}' --day=2026-02-04
    keep digest '{"n":2}' --at=2026-02-05T10:00:00Z
    run_split snapshot read digest --day=yesterday
    expect_status 0
    expect_out '{"day":"2026-02-04","digest":{"n":1},"schema_version":"0.1"}'
    run_split snapshot read digest --day=today
    expect_status 1
    expect_out
    expect_err 'metaspn-snapshot: no snapshot "digest" of 2026-02-05'
}

@test "section 6: read without a day finds daily documents too, as of the first second of their day" {
    keep digest '{"n":1}' --day=2026-02-04
    keep digest '{"n":2}' --day=2026-02-05
    run_split snapshot read digest
    expect_out '{"day":"2026-02-05","digest":{"n":2},"schema_version":"0.1"}'
    run_split snapshot read digest --at=2026-02-05T00:00:00Z
    expect_out '{"day":"2026-02-05","digest":{"n":2},"schema_version":"0.1"}'
    run_split snapshot read digest --at=2026-02-04T23:59:59Z
    expect_out '{"day":"2026-02-04","digest":{"n":1},"schema_version":"0.1"}'
    keep digest '{"n":3}' --at=2026-02-05T00:00:00Z
    run_split snapshot read digest --at=2026-02-05
    expect_out '{"n":3}'
}

@test "section 6: what is not there is exit 1" {
    keep state '{}' --at=2026-02-05T10:00:00Z
    run_split snapshot read other
    expect_status 1
    expect_err 'metaspn-snapshot: no snapshot "other"'
    run_split snapshot read state --at=2026-02-05T09:00:00Z
    expect_status 1
    expect_err 'metaspn-snapshot: no snapshot "state" at or before 2026-02-05T09:00:00Z'
    expect_out
    rm -r ws/store/snapshots
    run_split snapshot read state
    expect_status 1
    run_split snapshot read state --day=today
    expect_status 1
}

@test "section 6: list prints nothing where nothing was kept yet" {
    mkdir ws/store
    run_split snapshot list
    expect_status 0
    expect_out
    expect_err
}

@test "section 6: list prints paths, oldest first" {
    keep b '{}' --at=2026-02-05T10:00:00Z
    keep digest '{}' --day=2026-02-05
    keep a '{}' --at=2026-02-05T10:00:00Z
    keep b '{}' --at=2025-12-31T23:59:59Z
    run_split snapshot list
    expect_status 0
    expect_err
    expect_out "$ws"/store/snapshots/{b__2025-12-31T235959Z,digest__2026-02-05,a__2026-02-05T100000Z,b__2026-02-05T100000Z}.json
    run_split snapshot list b
    expect_out "$ws"/store/snapshots/{b__2025-12-31T235959Z,b__2026-02-05T100000Z}.json
    run_split snapshot list nobody
    expect_status 0
    expect_out
}

@test "section 5: list --format=table separates name, time and path by tabs" {
    keep 'a\b' '{}' --at=2026-02-05T10:00:00Z
    keep digest '{}' --day=2026-02-05
    run_split metaspn-snapshot -C ws list --format=table
    expect_out $'digest\t2026-02-05\tws/store/snapshots/digest__2026-02-05.json' \
        $'a\\\\b\t2026-02-05T10:00:00Z\tws/store/snapshots/a\\\\b__2026-02-05T100000Z.json'
    run_split metaspn-snapshot -C ws list --format=names
    expect_out 'ws/store/snapshots/digest__2026-02-05.json' 'ws/store/snapshots/a\b__2026-02-05T100000Z.json'
}

@test "section 5: on a terminal a table is aligned and cut, and paths are escaped" {
    keep $'x\xe2\x80\xaey' '{}' --at=2026-02-05T10:00:00Z
    keep digest '{}' --day=2026-02-05
    run_split script -qec 'stty columns 44; metaspn-snapshot -C ws list --format=table' /dev/null </dev/null
    expect_out $'digest    2026-02-05            ws/store/sna\r' $'x\\u202ey  2026-02-05T10:00:00Z  ws/store/sna\r'
    run_split script -qec $'metaspn-snapshot -C ws list "x\xe2\x80\xaey"' /dev/null </dev/null
    expect_out $'ws/store/snapshots/x\\u202ey__2026-02-05T100000Z.json\r'
}

@test "section 6: only names that end in __ and a time or a day are snapshots, split at the last __" {
    keep 'a__2026-02-05' '{"n":1}' --at=2026-02-05T10:00:00Z
    local file
    for file in a_2026-02-05.json a__2026-02-30.json a__2026-02-05T100000.json a__2026-02-05T100000Z.txt \
        a__2026-02-05T250000Z.json __2026-02-05.json .a__2026-02-05.json a__.json a.json a__2026-02-05.json.bak; do
        echo 'not ours' >"ws/store/snapshots/$file"
    done
    mkdir ws/store/snapshots/folder
    run_split snapshot list
    expect_status 0
    expect_out "$ws/store/snapshots/a__2026-02-05__2026-02-05T100000Z.json"
    run_split snapshot read a
    expect_status 1
    run_split snapshot read a --day=today
    expect_status 1
    run_split snapshot read a__2026-02-05
    expect_out '{"n":1}'
}

@test "section 6: names of snapshots" {
    local name long
    printf -v long '%200s' ''
    long=${long// /n}
    for name in a "$long" 'with space' 'é' 'a__b' '-' "'" $'\xf0\x9f\x91\x8d' 'a.b' '__'; do
        run_split snapshot write --at=2026-02-05 -- "$name" <<<'{"n":1}'
        expect_status 0
        run_split snapshot read -- "$name"
        expect_status 0
        expect_out '{"n":1}'
    done
    for name in '' "${long}n" a/b / .. .a $'a\nb' $'a\x7f' $'\xc2\x85' $'\xff' $'a\xe2\x80'; do
        run_split snapshot write -- "$name" <<<'{}'
        expect_status 2
        expect_err_like "^metaspn-snapshot: snapshot name \"[ -~]*\" "
        run_split snapshot read -- "$name"
        expect_status 2
        run_split snapshot list -- "$name"
        expect_status 2
    done
    [[ $(find ws -type f | wc -l) == 10 ]]
}

# ---- section 5: the command line

@test "section 5: a wrong command line is exit 2, one line and where help is" {
    usage()
    {
        local message=$1
        shift
        run_split metaspn-snapshot "$@" </dev/null
        expect_status 2
        expect_out
        expect_err "metaspn-snapshot: $message" "Try 'metaspn-snapshot --help'."
    }
    usage 'one of write, read, list is needed'
    usage 'command: not one of write, read, list: "wipe"' wipe
    usage 'read: the name of a snapshot is needed' read
    usage 'read: too many operands' read a b
    usage 'unknown option "--foo"' read --foo a
    usage 'unknown option "--foo"' --foo=bar read a
    usage "unknown option '-x'" -qx read a
    usage "unknown option '-x'" --quiet -xq read a
    usage "option '--quiet' takes no value" --quiet=yes read a
    usage "option '--at' needs a value" read a --at
    usage "option '-C' needs a value" read a -qC
    usage "option '--workspace' needs the name of a directory" -C '' read a
    usage 'unknown option "--days"' read a --days=1
    printf -v long '%0100d' 0
    usage "unknown option \"--${long:42}...\"" "--$long" read a
}

@test "section 5: options that do not go together" {
    local arguments
    for arguments in 'read a --at=now --day=today' 'list --at=now' 'list --day=today' 'read a --print=path' \
        'read a --format=table' 'list --print=path' 'list --format=json' 'write a --print=paths' 'read a --at=never' \
        'read a --day=2026-02-30' 'read a --day=-1d' 'read a --now=x'; do
        # shellcheck disable=SC2086  # words
        run_split snapshot $arguments </dev/null
        expect_status 2
        [[ $(wc -l <"$err") == 2 ]]
    done
}

@test "section 5: long options may be shortened, and stand anywhere" {
    run_split metaspn-snapshot write --work=ws state --pr path --now 2026-02-05T12:00:00+01:00 <<<'{}'
    expect_status 0
    expect_out 'ws/store/snapshots/state__2026-02-05T110000Z.json'
}

@test "section 4: --now, METASPN_NOW, and what counts from them" {
    METASPN_NOW=@0 run_split snapshot write state --print=path <<<'{}'
    expect_out "$ws/store/snapshots/state__1970-01-01T000000Z.json"
    run_split snapshot write state --at=-1h --now=2026-02-05T00:30:00Z --print=path <<<'{}'
    expect_out "$ws/store/snapshots/state__2026-02-04T233000Z.json"
    run_split snapshot write state --now=-1d --print=path <<<'{}'
    expect_out "$ws/store/snapshots/state__2026-02-04T180000Z.json"
    METASPN_NOW=soon run_split snapshot write state --now=@0 --print=path <<<'{}' # which is not asked
    expect_out "$ws/store/snapshots/state__1970-01-01T000000Z.json"
    METASPN_NOW=soon run_split snapshot list
    expect_status 2
    expect_err_like '^metaspn-snapshot: METASPN_NOW'
}

@test "section 4: neither TZ nor the locale changes anything" {
    TZ=America/New_York LC_ALL=tr_TR.UTF-8 run_split snapshot write state --day=today --print=path <<<'{"I":1.5}'
    expect_out "$ws/store/snapshots/state__2026-02-05.json"
}

@test "section 5: help and version, even beside a wrong time" {
    METASPN_NOW=soon run_split metaspn-snapshot --help
    expect_status 0
    expect_err
    grep -q '^Usage: metaspn-snapshot ' "$out"
    [[ $(wc -L <"$out") -le 80 ]]
    run_split metaspn-snapshot -V
    expect_status 0
    grep -qxE 'metaspn-snapshot [0-9]+\.[0-9]+\.[0-9]+' "$out"
}

# ---- sections 2 and 5: the store

@test "section 2: a workspace that is not there, and a store that is not there for a reader, is exit 5" {
    run_split metaspn-snapshot -C nowhere read a
    expect_status 5
    expect_err 'metaspn-snapshot: nowhere: No such file or directory'
    run_split metaspn-snapshot -C nowhere write a <<<'{}'
    expect_status 5
    expect_err 'metaspn-snapshot: nowhere: No such file or directory'
    run_split metaspn-snapshot -C nowhere write a <<<'[]'
    expect_status 5
    expect_err 'metaspn-snapshot: nowhere: No such file or directory'
    [[ ! -e nowhere ]]
    run_split metaspn-snapshot -C ws list
    expect_status 5
    expect_err 'metaspn-snapshot: ws/store: No such file or directory'
    [[ ! -e ws/store ]]
    : >file
    run_split metaspn-snapshot -C file list
    expect_status 5
    expect_err_like 'file'
}

@test "section 2: store/ is made in the current directory only where that was named" {
    cd ws
    run_split metaspn-snapshot write a <<<'{}'
    expect_status 5
    expect_err_like '^metaspn-snapshot: store: '
    [[ ! -e store ]]
    METASPN_WORKSPACE='' run_split metaspn-snapshot write a <<<'{}'
    expect_status 5
    run_split metaspn-snapshot -C . write a <<<'{}'
    expect_status 0
    rm -r store
    METASPN_WORKSPACE=. run_split metaspn-snapshot write a <<<'{}'
    expect_status 0
    rm -r store/snapshots
    run_split metaspn-snapshot write a <<<'{}'
    expect_status 0
    [[ -d store/snapshots ]]
}

@test "section 2: store/ is never made in what is a store itself" {
    mkdir -p ws/store/signals other/emissions
    run_split metaspn-snapshot -C ws/store write a <<<'{}'
    expect_status 5
    expect_err_like '^metaspn-snapshot: ws/store/store: .*signals/'
    [[ ! -e ws/store/store ]]
    run_split metaspn-snapshot -C other write a <<<'{}'
    expect_status 5
    [[ ! -e other/store ]]
    run_split metaspn-snapshot -C ws/store list
    expect_status 5
}

@test "section 2: modes come from the umask" {
    (
        umask 027
        keep a '{}'
    )
    [[ $(stat -c %a ws/store ws/store/snapshots ws/store/snapshots/* | xargs) == '750 750 640' ]]
}

@test "section 2: store may be a link, below it nothing may" {
    mkdir elsewhere
    ln -s ../elsewhere ws/store
    keep a '{"n":1}'
    expect_file elsewhere/snapshots/a__2026-02-05T180000Z.json '{"n":1}'
    mv elsewhere/snapshots moved
    ln -s ../moved elsewhere/snapshots
    local command
    for command in 'read a' list 'write a'; do
        # shellcheck disable=SC2086  # words
        run_split metaspn-snapshot -C ws $command <<<'{}'
        expect_status 5
        expect_err 'metaspn-snapshot: ws/store/snapshots: is a symbolic link'
    done
    expect_file moved/a__2026-02-05T180000Z.json '{"n":1}'
}

@test "section 2: a link, a FIFO or a folder in the place of a snapshot is named, and never followed" {
    keep b '{"n":1}' --at=2026-02-05T19:00:00Z
    local file=ws/store/snapshots/a__2026-02-05T180000Z.json
    echo '{"secret":1}' >secret
    ln -s ../../../secret "$file"
    run_split metaspn-snapshot -C ws read a
    expect_status 5
    expect_out
    expect_err "metaspn-snapshot: $file: is a symbolic link"
    run_split metaspn-snapshot -C ws write a <<<'{"n":2}'
    expect_status 5
    expect_err "metaspn-snapshot: $file: is a symbolic link"
    expect_file secret '{"secret":1}'
    run_split metaspn-snapshot -C ws list
    expect_status 5
    expect_err "metaspn-snapshot: $file: is a symbolic link"
    rm "$file"
    mkfifo "$file"
    run_split timeout 10 metaspn-snapshot -C ws read a
    expect_status 5
    expect_err "metaspn-snapshot: $file: is not a regular file"
    run_split metaspn-snapshot -C ws write a <<<'{"n":2}'
    expect_status 5
    rm "$file"
    mkdir "$file"
    run_split metaspn-snapshot -C ws read a
    expect_status 5
    [[ -z $(find ws -name '.tmp*') ]]
}

@test "section 6: a damaged document is exit 5, never absent" {
    keep a '{"n":1}' --at=2026-02-05T10:00:00Z
    local content
    for content in '' '{"n":' '[]' '{"n":1}x'; do
        printf '%s' "$content" >ws/store/snapshots/a__2026-02-05T120000Z.json
        run_split snapshot read a
        expect_status 5
        expect_out
        expect_err_like 'a__2026-02-05T120000Z.json: damaged'
    done
}

@test "section 5: the message says what is wrong, however long the path" {
    local folder path=ws
    printf -v folder '%0200d' 0
    for _ in {1..18}; do
        path+=/$folder
    done
    mkdir -p "$path/store/snapshots"
    printf '{' >"$path/store/snapshots/a__2026-02-05.json"
    run_split metaspn-snapshot -C "$path" read a
    expect_status 5
    expect_err "metaspn-snapshot: $path/store/snapshots/a__2026-02-05.json: damaged at byte 2: ends too early, expected a member name or '}'"
}

@test "section 6: documents of other writers are read as they stand" {
    mkdir -p ws/store/snapshots
    printf '{"n": NaN, "a": "\xc3\xa9"}' >ws/store/snapshots/a__2026-02-05T120000Z.json
    run_split snapshot read a
    expect_status 0
    expect_out $'{"n": NaN, "a": "\xc3\xa9"}'
}

@test "section 5: on a terminal the lines of another writer's document stay lines" {
    mkdir -p ws/store/snapshots
    printf '{\n  "a": "\xe2\x80\xae"\n}' >ws/store/snapshots/a__2026-02-05T120000Z.json
    run_split script -qec 'metaspn-snapshot -C ws read a' /dev/null </dev/null
    expect_status 0
    expect_out $'{\r' $'  "a": "\\u202e"\r' $'}\r'
}

# ---- section 5: output, input and signals

@test "section 5: output that cannot be written is exit 5" {
    not_under valgrind 'which opens what is closed'
    keep a '{}'
    local command
    # shellcheck disable=SC2086  # words
    for command in 'read a' list --help --version; do
        status=0
        snapshot $command >/dev/full 2>"$err" || status=$?
        expect_status 5
        expect_err 'metaspn-snapshot: cannot write to standard output: No space left on device'
        status=0
        snapshot $command >&- 2>"$err" || status=$?
        expect_status 5
    done
}

@test "section 5: a reader whose stdout is closed ends by SIGPIPE, even if that was ignored before" {
    keep a '{}'
    run_without_reader snapshot read a
    expect_status 141
    trap '' PIPE
    run_without_reader snapshot read a
    trap - PIPE
    expect_status 141
    expect_err
}

@test "section 5: a document is stored before its path is printed to a closed pipe" {
    run_without_reader keep a '{"n":1}' --print=path
    expect_status 141
    expect_file <(document snapshots a__2026-02-05T180000Z) '{"n":1}'
}

@test "section 5: closed descriptors neither become files nor go unnoticed" {
    status=0
    snapshot write a <&- 2>"$err" || status=$?
    expect_status 5
    expect_err_like '^metaspn-snapshot: -: cannot read'
    keep a '{"n":1}' 2>&-
    keep b '{"n":2}' >&- 2>&-
    expect_file <(document snapshots a__2026-02-05T180000Z) '{"n":1}'
    expect_file <(document snapshots b__2026-02-05T180000Z) '{"n":2}'
}

@test "section 5: an input that cannot be read is exit 5" {
    run_split snapshot write a </
    expect_status 5
    expect_err_like '^metaspn-snapshot: -: cannot read: Is a directory'
    [[ ! -e ws/store ]]
}

@test "section 8: no space and a file size limit leave the old document, and no temporary" {
    keep a '{"n":1}'
    printf '{"n":"%8000s"}' '' >large
    status=0
    (ulimit -f 4; snapshot write a <large) 2>"$err" || status=$?
    expect_status 5
    expect_err_like 'a__2026-02-05T180000Z.json: cannot write: File too large'
    expect_file <(document snapshots a__2026-02-05T180000Z) '{"n":1}'
    [[ $(ls -A ws/store/snapshots) == a__2026-02-05T180000Z.json ]]
}

@test "section 8: temporaries of killed writers are swept after an hour" {
    keep a '{}'
    : >ws/store/snapshots/.tmp-metaspn-0000000000000001
    touch -d '2 hours ago' ws/store/snapshots/.tmp-metaspn-0000000000000001
    : >ws/store/snapshots/.tmp-metaspn-0000000000000002
    : >ws/store/snapshots/.tmp-other
    touch -d '2 hours ago' ws/store/snapshots/.tmp-other
    keep a '{}'
    ls -A ws/store/snapshots >names
    expect_file names .tmp-metaspn-0000000000000002 .tmp-other a__2026-02-05T180000Z.json
}
