# What the tests of the index share, beside helper.bash and writing.bash.

# shellcheck disable=SC2034,SC2154  # used by the tests; of helper.bash

replay()
{
    metaspn-replay -C ws "$@"
}

setup_file()
{
    mkdir -p "$BATS_FILE_TMPDIR/prepared/ws"
    cd "$BATS_FILE_TMPDIR/prepared" || return
    {
        signals 1 40
        signals 41 58 source='"other"' entity_refs='[{"ref_type":"handle","value":"bob"}]'
        signal s59 2026-02-06T10:00:00Z entity_refs='[{"ref_type":"handle","value":"bob"}]'
        signal s60 2026-02-07T10:00:00Z
    } >given
    emissions 1 5 >>given
}

# A store of 60 signals and 5 emissions, in `given` as it was given, with an index.
setup()
{
    fresh_workspace "$BATS_FILE_TMPDIR/prepared"
    store given
}

emissions()
{
    local i
    for ((i = $1; i <= $2; i++)); do
        emission "e$i" "2026-02-05T10:00:0$i""Z" caused_by='"s41"'
    done
}

