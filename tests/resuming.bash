# What the tests of the worker's loop share, beside helper.bash and workers.bash.

# shellcheck disable=SC2034,SC2154  # used by the tests; of helper.bash

store()
{
    metaspn-write -q -C "$ws"
}

# due 'ID ...' OPTION ...: what a replay with the checkpoint w prints
due()
{
    local wanted=$1
    shift
    run_split replay -q --checkpoint=w "$@"
    [[ $(ids_of "$out") == "$wanted" ]] || {
        echo "got $(ids_of "$out"), wanted $wanted"
        sed 's/^/stderr: /' "$err"
        return 1
    }
}

# loop 'ID ...' OPTION ...: due, and advances
loop()
{
    due "$@" --next=n
    [[ $status == 0 || $status == 3 ]]
    checkpoint advance w --to=n
}

# expect_next DAY=N ...: the positions of the checkpoint in n, each past the first N lines of its day
expect_next()
{
    local wanted='{' entry
    for entry; do
        [[ $wanted == '{' ]] || wanted+=,
        wanted+=\"${entry%=*}\":$(place "${entry%=*}" "${entry#*=}")
    done
    diff -u --label got --label wanted <(jq -c '.positions | map_values(.offset)' n) - <<<"$wanted}"
}
