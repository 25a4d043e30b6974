#!/usr/bin/env bats
# Does scripts/check-style see what it is there for? Each test breaks one convention in a copy of the tree.

# shellcheck disable=SC2016,SC2030,SC2031  # back quotes are text; output is the test's own

setup_file()
{
    mkdir -p "$BATS_FILE_TMPDIR"/{tests,built/{cmd,lib}}
    cp -R "$BATS_TEST_DIRNAME"/../{.ci,.clang-format,cmd,lib,man,meson.build,meson_options.txt,{README,CONTRIBUTING}.md,scripts} \
        "$BATS_FILE_TMPDIR"
    cp -R "$BATS_TEST_DIRNAME"/{*.bats,*.build,README.md,unit} "$BATS_FILE_TMPDIR/tests"
    (cd "$BATS_TEST_DIRNAME" && cp --parents fuzz/*.{c,h,build} "$BATS_FILE_TMPDIR/tests")
}

setup()
{
    cd "$BATS_TEST_TMPDIR" || return
    cp -R "$BATS_FILE_TMPDIR/." .
}

# refused CHECK TEXT: the check fails, and names what the test has done.
refused()
{
    run scripts/check-style --build=built "$1"
    printf '%s\n' "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"not ok 1 - ${1//_/ }"* && $output == *"$2"* ]]
}

# Without what would take its time, and is right: the test check-style looks at all of it.
leave_only()
{
    local but=()
    for file; do
        but+=(! -path "$file")
    done
    find cmd lib scripts tests -type f ! -path scripts/check-style "${but[@]}" -delete
}

# An addition to the end of a file, so that what stands before it counts as well.
add()
{
    printf '\n%s\n' "$2" >>"$1"
}

@test "a header of a higher room" {
    add lib/base/bytes.c '#include "event/event.h"'
    refused layers 'lib/base/bytes.c:'
}

@test "a header that is not named with its room" {
    add lib/base/timestamp.c '#include "io.h"'
    refused layers 'io.h is no header of the library'
}

@test "a header of cmd in the library" {
    add lib/base/status.c '#include "cli.h"'
    refused layers 'cli.h is no header of the library'
}

@test "a file of the library that the build does not know" {
    echo >lib/stray.c
    refused layers 'lib/stray.c: not listed'
}

@test "a file that is opened, synced, renamed or locked elsewhere than in io" {
    for call in 'openat(d, n, 0)' 'fdatasync(fd)' 'renameat(a, b, c, d)' 'fcntl(fd, F_OFD_SETLK, &l)' 'ftruncate (fd, 0)'; do
        add lib/files/partition.c "int f(void) { return $call; }"
        refused only_io_opens_syncs_renames_and_locks "$call"
    done
}

@test "jansson outside document, xxhash outside hash" {
    add lib/event/event.c '#include <jansson.h>'
    refused each_foreign_library_has_one_owner 'lib/event/event.c:'
    add cmd/cli.c '#include <xxhash.h>'
    refused each_foreign_library_has_one_owner 'cmd/cli.c:'
    add lib/event/filter.c 'uint64_t f(void) { return XXH3_64bits("", 0); }'
    refused each_foreign_library_has_one_owner 'lib/event/filter.c:'
}

@test "a library that prints, exits or parses options" {
    for line in '#include <getopt.h>' 'f(stderr);' 'exit(1);' 'puts(s);' 'abort();' 'assert(x);'; do
        add lib/event/event.c "$line"
        refused the_library_neither_prints_nor_exits "$line"
    done
}

@test "a library that reads the environment or the clock" {
    for line in 'getenv(s);' 't = time(NULL);' 'clock_gettime(CLOCK_REALTIME, &t);' 'gettimeofday(&t, NULL);'; do
        add lib/event/event.c "$line"
        refused the_library_reads_neither_environment_nor_clock "${line%%(*}"
    done
    add lib/base/io.c 'clock_gettime(CLOCK_REALTIME, &t);'
    refused the_library_reads_neither_environment_nor_clock 'lib/base/io.c:'
}

@test "words in comments and strings are no calls" {
    add lib/event/event.c '/* exit(1), stderr and sprintf( are not for us; time(2) neither */ const char *s = "puts(stdout)";'
    for check in the_library_neither_prints_nor_exits the_library_reads_neither_environment_nor_clock no_banned_function; do
        run scripts/check-style --build=built "$check"
        [[ $output != *lib/event/event.c* ]]
    done
}

@test "a library that keeps state" {
    echo 'static int calls; int f(void); int f(void) { return ++calls; }' >state.c
    cc -c -o state.o state.c
    ar rc built/lib/libmetaspn.a state.o
    refused the_library_keeps_no_global_state 'state.o: calls'
    echo 'static int calls = 7; int f(void); int f(void) { return ++calls; }' >state.c
    cc -c -o state.o state.c
    ar rc built/lib/libmetaspn.a state.o
    refused the_library_keeps_no_global_state 'state.o: calls'
}

@test "constant tables are no state" {
    echo 'extern const char *const t[]; const char *const t[] = {"a", "b"}; static int unused[0];' >state.c
    cc -fPIC -c -o state.o state.c
    ar rc built/lib/libmetaspn.a state.o
    run scripts/check-style --build=built the_library_keeps_no_global_state
    [ "$output" = $'ok 1 - the library keeps no global state\n1..1' ]
}

@test "a command that knows a kind of store" {
    add cmd/cli.c '#include "files/catalog/catalog.h"'
    refused commands_know_no_kind_of_store 'cmd/cli.c:'
}

@test "a command that includes another" {
    add cmd/cli.c '#include "metaspn-top.h"'
    refused commands_share_code_by_other_files 'cmd/cli.c:'
}

@test "functions that are banned" {
    for call in 'strcpy(a, b)' 'sprintf(a, "")' 'strtok(a, b)' 'atoi(a)' 'alloca(n)' 'gets(a)' 'strncpy(a, b, n)'; do
        add cmd/cli.c "$call;"
        refused no_banned_function "${call%%(*}"
    done
}

@test "warnings that are switched off" {
    add lib/event/event.c '#pragma GCC diagnostic ignored "-Wconversion"'
    refused compiler_settings 'lib/event/event.c:'
    add meson.build "add_project_arguments('-Wno-shadow', language: 'c')"
    refused compiler_settings 'Wno-shadow'
    echo '    "command": "cc -std=gnu11 -Wall -c ../lib/event/event.c",' >built/compile_commands.json
    refused compiler_settings 'compiled without -Wextra'
}

@test "a header that needs another one before it, or has the wrong guard" {
    leave_only lib/{base/status,base/bytes,store/name}.h
    add lib/base/status.h 'struct bytes *f(uint64_t n);'
    sed -i 's/METASPN_BASE_BYTES_H/BYTES_H/' lib/base/bytes.h
    echo '#include "base/bytes.h"' >lib/store/name.h
    refused headers_stand_alone 'uint64_t'
    [[ $output == *'lib/base/bytes.h: its guard is not METASPN_BASE_BYTES_H'* ]]
    [[ $output == *'lib/store/name.h: does not begin with what it is for'* ]]
}

@test "a file of more than 500 lines" {
    yes '/**/' | head -n 601 >lib/base/bytes.c
    refused file_length 'lib/base/bytes.c: 601 lines'
    yes '#' | head -n 601 >tests/top.bats
    refused file_length 'tests/top.bats: 601 lines'
    add lib/base/status.c '#include "base/utf8.c"'
    refused file_length 'lib/base/status.c:'
}

@test "a function that is too long" {
    { echo 'static int long_one(void)'; echo '{'; yes '    f();' | head -n 58; echo '}'; } >lib/base/bytes.c
    run scripts/check-style --build=built function_length
    [ "$status" -eq 0 ]
    { echo 'static int long_one(void)'; echo '{'; yes '    f();' | head -n 59; echo '}'; } >lib/base/bytes.c
    refused function_length 'lib/base/bytes.c:1: over 60 lines'
}

# house FILE=CODE...: a tree of these files alone, in their order from the lowest up, and its objects.
house()
{
    local file code
    rm -rf cmd lib built
    mkdir -p cmd lib built/{lib/libmetaspn.a.p,cmd}
    touch built/lib/libmetaspn.a
    for file; do
        code=${file#*=}
        file=${file%%=*}
        mkdir -p "lib/${file%/*}"
        printf '%s\n' "$code" >"lib/$file"
        printf "    '%s',\n" "$file" >>lib/meson.build
        [[ $file == *.h ]] || cc -c -o "built/lib/libmetaspn.a.p/${file//\//_}.o" "lib/$file"
    done
}

@test "modules that call each other in a circle" {
    house low/a.c='int b(void); int a(void) { return b(); }' low/b.c='int c(void); int b(void) { return c(); }' \
        low/c.c='int a(void); int c(void) { return a(); }'
    refused no_circle_and_no_arrow_up 'circle of calls: lib/low/a lib/low/b lib/low/c'
    [[ $output == *'lib/low/a -> lib/low/b: b'* ]]
}

@test "headers that include each other" {
    house low/a.h='#include "low/b.h"' low/b.h='#include "low/a.h"'
    refused no_circle_and_no_arrow_up 'circle of includes: lib/low/a lib/low/b'
}

@test "a call of a higher room" {
    house low/a.c='int b(void); int a(void) { return b(); }' high/b.c='int b(void) { return 0; }'
    refused no_circle_and_no_arrow_up 'up: lib/low/a -> lib/high/b: b'
    house low/b.c='int b(void) { return 0; }' high/a.c='int b(void); int a(void) { return b(); }'
    run scripts/check-style --build=built no_circle_and_no_arrow_up
    [ "$status" -eq 0 ]
}

@test "a name that a library has, too" {
    echo '#include <unistd.h>
        int json_number_value(void); int json_number_value(void) { return getpid(); }' >name.c
    cc -c -o name.o name.c
    ar rc built/lib/libmetaspn.a name.o
    echo 'int json_dumps(void); int main(void) { return json_dumps(); }' >main.c
    cc -o built/cmd/metaspn-write main.c -ljansson
    refused no_name_of_a_linked_library 'json_number_value is a name of a library'
}

@test "layout that is not clang-format's" {
    leave_only tests/unit/tap.h
    add tests/unit/tap.h 'int  f( void );'
    refused layout 'tests/unit/tap.h:'
}

@test "what shellcheck does not like" {
    leave_only scripts/test tests/style.bats
    add scripts/test "rm \$unquoted"
    add tests/style.bats "cp \$unquoted ."
    refused shell 'scripts/test:'
    [[ $output == *tests/style.bats:* ]]
}

@test "a scratch file that is committed" {
    command -v git || skip 'there is no git'
    touch scratch
    scripts/check-style --build=built nothing_stray_is_tracked # there is no repository
    git init -q
    git add cmd README.md
    scripts/check-style --build=built nothing_stray_is_tracked
    git add scratch
    refused nothing_stray_is_tracked 'scratch does not belong to the tree'
}

@test "white space at ends, tabs, a missing newline" {
    add README.md 'text '
    add lib/event/event.c $'\tint a;'
    printf 'text' >>man/metaspn.7
    refused white_space 'white space at the end'
    [[ $output == *'lib/event/event.c:'*': tab'* ]]
    [[ $output == *'man/metaspn.7: no newline at the end'* ]]
}

@test "words of unfinished work" {
    add lib/event/event.c "/* TO""DO: later */"
    add tests/unit/tap.h "/* FIX""ME */"
    add man/metaspn.7 "HA""CK"
    refused finished 'lib/event/event.c:'
    [[ $output == *tests/unit/tap.h:* && $output == *man/metaspn.7:* ]]
}

# A command that says what it is given to say.
command_saying()
{
    echo 'int main(void) { return 0; }' >cmd/metaspn-new.c
    printf '#!/bin/sh\ncat <<\\END\n%s\nEND\n' "$1" >built/cmd/metaspn-new
    chmod +x built/cmd/metaspn-new
}

@test "a command without a page, tests, or a place in build and completion" {
    command_saying ''
    refused every_command_is_documented_and_tested 'metaspn-new has no man/metaspn-new.1'
    for missing in 'has no tests/new.bats' 'is not in man/metaspn.7' 'is not in README.md' 'is not in cmd/meson.build' \
        'is not completed'; do
        [[ $output == *"metaspn-new $missing"* ]]
    done
    echo >man/metaspn-gone.1
    refused every_command_is_documented_and_tested 'man/metaspn-gone.1 is of no command'
}

@test "an option in --help alone, or in the manual page alone" {
    command_saying '  -n, --limit=N  a number
      --told     only here'
    printf '.It Fl n Ar N , Fl -limit Ns = Ns Ar N\n.It Fl -read\n' >man/metaspn-new.1
    refused help_agrees_with_the_manual_page 'man/metaspn-new.1 lacks --told'
    [[ $output == *'metaspn-new --help lacks --read'* ]]
    [[ $output != *limit* && $output != *'lacks -n'* ]]
}

@test "a help text that is too wide or lacks a part" {
    command_saying "$(printf '%081d' 0)"
    refused help_is_complete_and_narrow 'metaspn-new --help, line 1: 81 columns'
    for missing in synopsis 'exit codes' examples; do
        [[ $output == *"metaspn-new --help has no $missing"* ]]
    done
    [[ $output == *'metaspn-new --version does not print: metaspn-new '* ]]
}

@test "a manual page that mandoc does not like, or that nobody installs" {
    add man/metaspn.7 '.Xx'
    add man/metaspn.7 '.Xr metaspn-absent 1'
    echo >man/metaspn-new.5
    refused manual_pages 'skipping unknown macro'
    [[ $output == *'man/metaspn-new.5 is not in man/meson.build'* ]]
    [[ $output == *'man/metaspn.7 refers to metaspn-absent.1'* ]]
}

@test "a test that nobody runs" {
    echo >tests/forgotten.bats
    echo >tests/unit/test_forgotten.c
    echo >tests/fuzz/fuzz_forgotten.c
    refused no_test_is_forgotten 'tests/forgotten.bats is not run'
    [[ $output == *'tests/unit/test_forgotten.c is not run'* ]]
    [[ $output == *'tests/fuzz/fuzz_forgotten.c is not run'* ]]
}

# What is wrong with the table of promises in tests/README.md: a line each. A row is
# | PROMISE | PAGE(SECTION) | `FILE`: TEST |, or | | | `FILE`: TEST | for another test of the same promise.
broken_promises()
{
    local row promise page file name count=0
    while IFS= read -r row; do
        [[ $row =~ ^\|\ (.*)\|\ (.*)\|\ (.*)\|$ ]] || { printf 'no row: %s\n' "$row"; continue; }
        promise=${BASH_REMATCH[1]% } page=${BASH_REMATCH[2]% } name=${BASH_REMATCH[3]% }
        if [[ -n $promise ]]; then
            count=$((count + 1))
            [[ $page =~ ^(metaspn[a-z-]*)\(([157])\)$ && -e man/${BASH_REMATCH[1]}.${BASH_REMATCH[2]} ]] ||
                printf 'of no page: %s\n' "$promise"
        fi
        if [[ ! $name =~ ^\`([a-z-]+)\`:\ (.+)$ ]]; then
            printf 'without a test: %s\n' "$promise"
            continue
        fi
        file=tests/${BASH_REMATCH[1]}.bats name=${BASH_REMATCH[2]}
        grep -qsF -- "@test \"$name\" {" "$file" || printf 'not there: %s: %s\n' "$file" "$name"
    done < <(sed -n '/^| promise | of | held by |$/,/^$/p' tests/README.md | tail -n +3 | grep .)
    ((count >= 50)) || printf 'only %d promises\n' "$count"
}

@test "each promise of the manuals is held by tests that are there" {
    run broken_promises
    printf '%s\n' "$output"
    [ -z "$output" ]
}

# breaks SED-COMMANDS TEXT: the table, changed so, is broken as the text says.
breaks()
{
    sed -i "$1" tests/README.md
    run broken_promises
    printf '%s\n' "$output"
    [[ $output == *"$2"* ]]
}

@test "a promise that no test holds, or one that is not there" {
    local held='| What is acknowledged is on disk | metaspn-write(1) | `durability`: an event is written, synced, then printed: in this order |'
    grep -qxF "$held" tests/README.md
    breaks 's/`durability`: an event is written, synced/`durability`: an event is synced, written/' \
        'not there: tests/durability.bats: an event is synced, written'
    breaks 's/| `top`: section 6: ties/| `bottom`: section 6: ties/' 'not there: tests/bottom.bats: section 6: ties'
    breaks 's/^\(| Numbers are [^|]*| [^|]*| \).*|$/\1 |/' 'without a test: Numbers are'
    breaks 's/metaspn-top(1)/metaspn-down(1)/' 'of no page: Ranking'
    breaks '/^| promise/,/^$/d' 'only 0 promises'
}

@test "a test that is renamed, and not in the table" {
    sed -i 's/^@test "a damaged line in the middle is never changed"/@test "a damaged line stays"/' tests/durability-torn-ends.bats
    run broken_promises
    [ "$output" = 'not there: tests/durability-torn-ends.bats: a damaged line in the middle is never changed' ]
}

# The files of the tree that CONTRIBUTING.md names, and that are not there.
lost_files()
{
    grep -oE '`(lib|cmd|man|scripts|tests)/[a-zA-Z0-9_/.-]+`' CONTRIBUTING.md | tr -d '`' | sort -u | while IFS= read -r file; do
        [[ -e $file ]] || printf '%s\n' "$file"
    done
}

@test "each file that CONTRIBUTING.md names is there" {
    [[ $(grep -oE '`(lib|cmd)/[a-z_/-]+\.c`' CONTRIBUTING.md | wc -l) -ge 20 ]]
    run lost_files
    [ -z "$output" ]
    mv lib/event/check.c lib/event/gone.c
    run lost_files
    [ "$output" = lib/event/check.c ]
}
