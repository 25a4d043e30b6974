# What the tests of durability share, beside helper.bash and writing.bash.

# shellcheck disable=SC2034,SC2154  # used by the tests; of helper.bash

# traced CALLS COMMAND ...: the calls of the command, one a line, as CALL(ARGUMENTS; files by their paths.
traced()
{
    local calls=$1
    shift
    needs_strace
    run_split strace -f -y -o trace -e trace="$calls" "$@"
}

# The numbers of the lines of the trace that match.
lines_of()
{
    grep -nE -- "$1" trace | grep -v '\.gcda>' | cut -d: -f 1
}

