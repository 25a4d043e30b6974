#!/usr/bin/env bats
# meson install: what a package would contain.

setup_file()
{
    DESTDIR=$BATS_FILE_TMPDIR/root meson install -C "$METASPN_BUILD" --no-rebuild --quiet
}

setup()
{
    prefix=$BATS_FILE_TMPDIR/root/$(meson introspect "$METASPN_BUILD" --buildoptions |
        /usr/bin/python3 -c 'import json, sys
print(next(option["value"] for option in json.load(sys.stdin) if option["name"] == "prefix"))')
    cd "$prefix" || return
}

@test "everything is under the prefix, below DESTDIR" {
    run find "$BATS_FILE_TMPDIR/root" -type f ! -path "$(realpath "$prefix")/*"
    [ -z "$output" ]
}

@test "a program, a page and a completion for each command, and the pages of model and store" {
    for source in "$BATS_TEST_DIRNAME"/../cmd/metaspn-*.c; do
        name=$(basename "$source" .c)
        printf '%s\n' "bin/$name" "share/man/man1/$name.1" "share/bash-completion/completions/$name"
    done >"$BATS_TEST_TMPDIR/wanted"
    printf '%s\n' share/man/man5/metaspn-store.5 share/man/man7/metaspn.7 share/man/man7/metaspn-cookbook.7 >>"$BATS_TEST_TMPDIR/wanted"
    diff <(sort "$BATS_TEST_TMPDIR/wanted") <(find . -type f -printf '%P\n' | sort)
}

@test "an installed command runs" {
    for command in bin/*; do
        [[ $("$command" --version) == "${command#bin/} "* ]]
    done
}
