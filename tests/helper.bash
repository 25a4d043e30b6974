# What the tests of the commands share. A test file begins with `load helper`; then each test has
#   $ws       a fresh workspace, a directory without store/, named in no environment variable
#   $PWD      the test's own directory, which holds ws
#   the time  2026-02-05T18:00:00Z, in METASPN_NOW
# and the commands by their names: those in $METASPN_BIN, or of the build that is being tested, of .build/test or build/, or in the PATH.
#
#   signal ID TIME [NAME=JSON ...]     a signal in canonical form, members replaced or added; NAME= leaves one out
#   emission ID TIME [NAME=JSON ...]   an emission likewise
#   run_split COMMAND ...              runs it: $status, and what it printed in the files $out and $err
#   run_without_reader COMMAND ...     likewise, its stdout being a pipe that nobody reads any more
#   expect_status N, expect_out LINE ..., expect_err LINE ..., expect_file FILE LINE ...
#                                      what was printed, whole; expect_out alone: nothing
#   expect_err_like REGEX              some line of $err matches (an extended regular expression)
#   expect_same FILE FILE              the same bytes
# Each of these shows what it got and what it wanted.

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

fresh_workspace()
{
    find_commands
    if [[ -n ${METASPN_COUNTS:-} ]]; then # where scripts/test --coverage wants this file's counts, as in the build
        export GCOV_PREFIX=$METASPN_COUNTS/${BATS_TEST_FILENAME##*/} GCOV_PREFIX_STRIP
        GCOV_PREFIX_STRIP=$(tr -cd / <<<"$METASPN_BUILD" | wc -c)
    fi
    unset METASPN_WORKSPACE POSIXLY_CORRECT
    export LC_ALL=C METASPN_NOW=2026-02-05T18:00:00Z
    cd "$BATS_TEST_TMPDIR" || return
    ws=$BATS_TEST_TMPDIR/ws
    out=$BATS_TEST_TMPDIR/out
    err=$BATS_TEST_TMPDIR/err
    mkdir "$ws"
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
    local member name text=
    for member; do
        members[${member%%=*}]=${member#*=}
    done
    while IFS= read -r name; do
        [[ -z ${members[$name]} ]] || text+=,\"$name\":${members[$name]}
    done < <(printf '%s\n' "${!members[@]}" | LC_ALL=C sort)
    printf '{%s}\n' "${text#,}"
}

signal()
{
    local id=$1 time=$2
    shift 2
    print_object signal_id="\"$id\"" timestamp="\"$time\"" source='"social.feed"' payload_type='"PostSeen"' \
        payload='{"n":1}' schema_version='"0.9"' entity_refs='[]' "$@"
}

emission()
{
    local id=$1 time=$2
    shift 2
    print_object emission_id="\"$id\"" timestamp="\"$time\"" emission_type='"DraftReady"' caused_by='"s1"' \
        payload='{"n":1}' schema_version='"0.9"' entity_refs='[]' "$@"
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

expect_file()
{
    local file=$1
    shift
    if [[ $# == 0 ]]; then
        diff -u --label "got $file" --label wanted "$file" /dev/null
    else
        diff -u --label "got $file" --label wanted "$file" <(printf '%s\n' "$@")
    fi
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
    grep -qE -- "$1" "$err" && return
    printf 'no line of stderr matches: %s\n' "$1"
    sed 's/^/stderr: /' "$err"
    return 1
}

expect_same()
{
    cmp -- "$1" "$2" || diff -u -- "$1" "$2"
}
