# What the tests of the commands share. A test file begins with `load helper`; then each test has
#   $ws       a fresh workspace, a directory without store/, named in no environment variable
#   $PWD      the test's own directory, which holds ws
#   the time  2026-02-05T18:00:00Z, in METASPN_NOW
# and the commands by their names: those in $METASPN_BIN, or of the build that is being tested, of .build/test or build/, or in the PATH.
#
#   signal ID TIME [NAME=JSON ...]     a signal in canonical form, members replaced or added; NAME= leaves one out
#   emission ID TIME [NAME=JSON ...]   an emission likewise
# Either leaves what it prints in $object, too.
#   stored KIND [DAY]                  the stored lines of a kind, or of one day of it, in their order
#   document SHELF NAME                a document as it is stored: checkpoints WORKER, or snapshots NAME__TIME
#   holds KIND TEXT                    that text is in one of them
#   given LINE ...                     metaspn-write stores these lines
#   others_write KIND DAY LINE ...     another program makes a partition of these lines; others_append appends them
# A test about what is stored asks `stored`; only one about files names them, or has others write them.
#   ids_of FILE                        the ids of the events in it, in one line
#   run_split COMMAND ...              runs it: $status, and what it printed in the files $out and $err
#   run_without_reader COMMAND ...     likewise, its stdout being a pipe that nobody reads any more
#   expect_status N, expect_out LINE ..., expect_err LINE ..., expect_file FILE LINE ...
#                                      what was printed, whole; expect_out alone: nothing
#   expect_err_like REGEX              some line of $err matches (an extended regular expression)
#   expect_same FILE FILE              the same bytes
# Each of these shows what it got and what it wanted.
#   eventually COMMAND ...             waits until it succeeds, 20 s at most
#   sleeps PID                         such a process, a command of ours, waits for something
#   needs_strace                       skips the test where strace cannot be used
#   not_under CHECKER WHY              skips the test where commands run under it (valgrind, sanitizers)
#
# Processes are what the tests cost: what stands in a few kilobytes is made and compared by the shell itself.

# shellcheck disable=SC2034  # used by the tests
bats_require_minimum_version 1.5.0

find_commands()
{
    local directory root=$BATS_TEST_DIRNAME/..
    for directory in "${METASPN_BIN:-}" "${METASPN_BUILD:+$METASPN_BUILD/cmd}" "$root"/{.build/test,build}/cmd; do
        [[ -n $directory && -d $directory ]] || continue
        PATH=$directory:$PATH
        return
    done
}

# fresh_workspace [DIRECTORY]: with a copy of what is in it, ws among that.
fresh_workspace()
{
    find_commands
    if [[ -n ${METASPN_COUNTS:-} ]]; then # where scripts/test --coverage wants this test's counts, as in the build
        local slashes=${METASPN_BUILD//[^\/]/}
        export GCOV_PREFIX=$METASPN_COUNTS/${BATS_TEST_FILENAME##*/}-$BATS_TEST_NUMBER GCOV_PREFIX_STRIP=${#slashes}
    fi
    set +T # bats need not note each line that the helpers run, only those of the test: it takes 0.3 ms a line
    unset METASPN_WORKSPACE POSIXLY_CORRECT
    export LC_ALL=C METASPN_NOW=2026-02-05T18:00:00Z
    cd "$BATS_TEST_TMPDIR" || return
    ws=$BATS_TEST_TMPDIR/ws
    out=$BATS_TEST_TMPDIR/out
    err=$BATS_TEST_TMPDIR/err
    if [[ $# == 0 ]]; then
        mkdir "$ws"
    else
        cp -R "$1/." .
    fi
}

# A test file with a setup() of its own calls fresh_workspace in it.
setup()
{
    fresh_workspace
}

# print_object NAME=JSON ...: members sorted by name, of a repeated one the last, without those that are empty.
print_object()
{
    local -A members=()
    local member name text="" sorted=() i
    for member; do
        name=${member%%=*}
        if [[ -z ${members[$name]+there} ]]; then
            for ((i = ${#sorted[@]}; i > 0; i--)); do
                [[ $name < ${sorted[i - 1]} ]] || break
                sorted[i]=${sorted[i - 1]}
            done
            sorted[i]=$name
        fi
        members[$name]=${member#*=}
    done
    for name in "${sorted[@]}"; do
        [[ -z ${members[$name]} ]] || text+=,\"$name\":${members[$name]}
    done
    object="{${text#,}}"
    printf '%s\n' "$object"
}

signal()
{
    local id=$1 time=$2
    shift 2
    print_object entity_refs='[]' payload='{"n":1}' payload_type='"PostSeen"' schema_version='"0.9"' \
        signal_id="\"$id\"" source='"social.feed"' timestamp="\"$time\"" "$@"
}

emission()
{
    local id=$1 time=$2
    shift 2
    print_object caused_by='"s1"' emission_id="\"$id\"" emission_type='"DraftReady"' entity_refs='[]' \
        payload='{"n":1}' schema_version='"0.9"' timestamp="\"$time\"" "$@"
}

sleeps()
{
    [[ $(</proc/"$1"/stat) == *' (m'*') S '* ]] # under valgrind its name is memcheck
}

not_under()
{
    [[ ${METASPN_TESTED_UNDER:-} != "$1" ]] || skip "not under $1, $2"
}

needs_strace()
{
    not_under valgrind 'which makes system calls of its own'
    strace -o trace true 2>"$err" || skip 'strace may not be used here'
}

if [[ ${METASPN_TESTED_UNDER:-} == sanitizers ]]; then
    # Leaks are looked for by tracing, and no process is traced twice.
    strace() { ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 command strace "$@"; }
fi

ids_of()
{
    local line lines ids=() id='"(signal|emission)_id":"([^"\]*)"'
    mapfile -t lines <"$1"
    for line in "${lines[@]}"; do
        [[ $line =~ $id ]] || { jq -r '.signal_id // .emission_id' "$1" | paste -sd' '; return; }
        ids+=("${BASH_REMATCH[2]}")
    done
    printf '%s\n' "${ids[*]}"
}

run_split()
{
    status=0
    "$@" >"$out" 2>"$err" || status=$?
}

run_without_reader()
{
    local fifo=$BATS_TEST_TMPDIR/fifo reader writer
    mkfifo "$fifo"
    exec {reader}<>"$fifo"
    exec {writer}>"$fifo" {reader}>&-
    status=0
    "$@" 1>&"$writer" 2>"$err" || status=$?
    exec {writer}>&-
    rm "$fifo"
}

expect_status()
{
    [[ $status == "$1" ]] && return
    printf 'exit status %s, not %s\n' "$status" "$1"
    sed 's/^/stderr: /' "$err"
    return 1
}

# text_of FILE VARIABLE: what a short file without a NUL holds; fails for any other.
text_of()
{
    [[ -f $1 && -r $1 ]] && ! IFS= read -r -d '' -n 65536 "$2" <"$1"
}

expect_file()
{
    local file=$1 wanted="" got
    shift
    [[ $# == 0 ]] || printf -v wanted '%s\n' "$@"
    text_of "$file" got && [[ $got == "$wanted" ]] && return
    diff -u --label "got $file" --label wanted "$file" <(printf %s "$wanted")
}

expect_out()
{
    expect_file "$out" "$@"
}

expect_err()
{
    expect_file "$err" "$@"
}

expect_err_like()
{
    local line lines
    mapfile -t lines <"$err"
    for line in "${lines[@]}"; do
        [[ ! $line =~ $1 ]] || return 0
    done
    printf 'no line of stderr matches: %s\n' "$1"
    sed 's/^/stderr: /' "$err"
    return 1
}

expect_same()
{
    local one two
    text_of "$1" one && text_of "$2" two && [[ $one == "$two" ]] && return
    cmp -- "$1" "$2" || diff -u -- "$1" "$2"
}

eventually()
{
    local i
    for i in {1..1000}; do
        "$@" && return
        sleep 0.02
    done
    printf 'in vain: %s\n' "$*"
    return 1
}

stored()
{
    local days
    mapfile -t days < <(compgen -G "$ws/store/$1/${2:-????-??-??}.jsonl")
    [[ ${#days[@]} == 0 ]] || cat "${days[@]}"
}

document()
{
    cat "$ws/store/$1/$2.json"
}

holds()
{
    [[ $(stored "$1") == *"$2"* ]]
}

given()
{
    printf '%s\n' "$@" | metaspn-write -q -C "$ws"
}

others_write()
{
    mkdir -p "$ws/store/$1"
    printf '%s\n' "${@:3}" >"$ws/store/$1/$2.jsonl"
}

others_append()
{
    mkdir -p "$ws/store/$1"
    printf '%s\n' "${@:3}" >>"$ws/store/$1/$2.jsonl"
}
