#!/usr/bin/env bats
# scripts/completions/metaspn: what bash offers after a Tab.

setup()
{
    # shellcheck source=scripts/completions/metaspn
    source "$BATS_TEST_DIRNAME/../scripts/completions/metaspn"
    cd "$BATS_TEST_TMPDIR" || return
    mkdir bin
    PATH=$PWD/bin:$PATH
}

# A command that prints $2 for --help and $3 for anything else, and notes its arguments.
command_saying()
{
    printf '%s\n' "$2" >"bin/$1.help"
    printf '%s\n' "${3:-}" >"bin/$1.list"
    cat >"bin/$1" <<'END'
#!/bin/sh
[ "$1" != --help ] || exec cat "$0.help"
echo "$@" >>asked
cat "$0.list"
END
    chmod +x "bin/$1"
}

# offered WORD...: completes the last of the words, which are split as bash splits them.
offered()
{
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _metaspn
    printf '%s\n' "${COMPREPLY[@]}"
}

@test "every command is completed, with every long option of its help" {
    for path in "$METASPN_BUILD"/cmd/metaspn-*; do
        command=${path##*/}
        [[ -f $path && -x $path ]] || continue
        [ "$(complete -p "$command")" = "complete -F _metaspn $command" ]
        diff <("$path" --help | grep -E '^ {2,6}-' | grep -oE -- '(^ +|, )--[a-z-]+' | grep -oE -- '--.*' | sort) \
            <(offered "$path" -- | tr -d = | sort)
    done
}

@test "options: with = where they take a value" {
    command_saying metaspn-top '  -n, --limit=N        how many
      --stats, --no-stats
                       a line
      --print=none|path
                       --not-an-option
Examples: metaspn-top --neither'
    [ "$(offered metaspn-top --)" = $'--limit=\n--stats\n--no-stats\n--print=' ]
    [ "$(offered metaspn-top --st)" = '--stats' ]
}

@test "values: words that the help lists, in both spellings" {
    command_saying metaspn-replay '  -k, --kind=signals|emissions|all  which
      --stats          a line
      --order=append   as they lie
      --score-field=P  where'
    [ "$(offered metaspn-replay --order = a)" = append ]
    [ "$(offered metaspn-replay --kind =)" = $'signals\nemissions\nall' ]
    [ "$(offered metaspn-replay --kind = e)" = emissions ]
    [ "$(offered metaspn-replay -k s)" = signals ]
    [ -z "$(offered metaspn-replay --score-field = s)" ]
}

@test "values: times, files, directories" {
    command_saying metaspn-replay '  -S, --since=T    from
      --next=FILE  to
  -C, --workspace=DIR  where'
    mkdir folder
    touch found
    [ "$(offered metaspn-replay --since = t)" = today ]
    [ "$(offered metaspn-replay -S y)" = yesterday ]
    [ "$(offered metaspn-replay --next = fo | sort)" = $'folder\nfound' ] # in a folder's order, whatever that is
    [ "$(offered metaspn-replay -C fo)" = folder ]
}

@test "names of checkpoints, from the workspace on the command line" {
    command_saying metaspn-checkpoint '  -C, --workspace=DIR  where' $'worker\nother one'
    command_saying metaspn-replay '      --checkpoint=NAME  from'
    [ "$(offered metaspn-replay -C /srv/a --checkpoint = w)" = worker ]
    [ "$(cat asked)" = '-C /srv/a list' ]
    [ "$(offered metaspn-checkpoint --workspace = /srv/b read o)" = 'other\ one' ]
    [ "$(tail -n 1 asked)" = '-C /srv/b list' ]
    [ "$(offered metaspn-checkpoint -C '"/srv/my\ store"' read w)" = worker ]
    [ "$(tail -n 1 asked)" = '-C /srv/my store list' ]
    [ "$(offered metaspn-checkpoint re)" = $'read\nreset' ]
}

@test "a name from the store is never run" {
    command_saying metaspn-checkpoint '' "\$(touch pwned)"
    offered metaspn-checkpoint read ''
    [ ! -e pwned ]
    [ "$(offered metaspn-checkpoint read '')" = "\\\$\\(touch\\ pwned\\)" ]
}

@test "names of snapshots, each once" {
    command_saying metaspn-snapshot '' $'./store/snapshots/a__b__2026-02-05.json\n./store/snapshots/a__b__2026-02-06.json
./store/snapshots/state__2026-02-05T120000Z.json'
    [ "$(offered metaspn-snapshot read '')" = $'a__b\nstate' ]
    [ "$(offered metaspn-snapshot wr)" = write ]
}

@test "files for those who read them" {
    command_saying metaspn-write ''
    touch events.jsonl
    [ "$(offered metaspn-write ev)" = events.jsonl ]
}

@test "--to of a checkpoint: a file to advance to, a time to reset to" {
    command_saying metaspn-checkpoint '      --to=FILE|TIME  where to' worker
    touch next
    [ "$(offered metaspn-checkpoint advance w --to = ne)" = next ]
    [ "$(offered metaspn-checkpoint reset w --to = t)" = today ]
}

@test "after a name come files, or nothing" {
    command_saying metaspn-checkpoint '' worker
    command_saying metaspn-snapshot '' ./store/snapshots/state__2026-02-05.json
    touch working
    [ "$(offered metaspn-checkpoint advance worker wo)" = working ]
    [ -z "$(offered metaspn-checkpoint reset worker '')" ]
    [ -z "$(offered metaspn-snapshot read state '')" ]
    [ "$(offered metaspn-checkpoint advance --quiet w)" = worker ]
}

@test "paths are left to readline to quote, and those of directories to go on" {
    compopt() { echo "$@" >>settings; }
    command_saying metaspn-write '      --rejects=FILE  where
  -C, --workspace=DIR  where'
    mkdir 'a folder'
    [ "$(offered metaspn-write a)" = 'a folder' ]
    [ "$(offered metaspn-write -C a)" = 'a folder' ]
    [ "$(offered metaspn-write --rejects = a)" = 'a folder' ]
    [ "$(cat settings)" = $'-o filenames\n-o filenames\n-o filenames' ]
}
