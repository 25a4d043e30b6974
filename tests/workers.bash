# What the tests of checkpoints and of the worker's loop share, beside helper.bash.
#
#   checkpoint, replay              of $ws
#   no_checkpoint NAME              there is none of this name
#   six                             two signals on each of three days, s1 to s6, are stored
#   place DAY N                     the position past the first N lines of the day
#   expect_places NAME DAY=N ...    the positions of a checkpoint, each past the first N lines of its day
#   expect_due NAME 'ID ...'        what a replay with it prints

# shellcheck disable=SC2034,SC2154  # used by the tests; of helper.bash

teardown()
{
    rm -rf "${elsewhere:-}"
    [[ -n ${background:-} ]] || return 0
    kill -KILL "$background" || true
}

checkpoint()
{
    metaspn-checkpoint -C "$ws" "$@"
}

no_checkpoint()
{
    ! document checkpoints "$1" 2>/dev/null
}

six()
{
    local i=0 day hour
    for day in 03 04 05; do
        for hour in 10 11; do
            signal "s$((++i))" "2026-02-${day}T$hour:00:00Z"
        done
    done | metaspn-write -C ws
}

place()
{
    local IFS='' lines text
    mapfile lines <"ws/store/signals/$1.jsonl"
    text="${lines[*]:0:$2}"
    echo "${#text}"
}

replay()
{
    metaspn-replay -C "$ws" "$@"
}

expect_places()
{
    local name=$1 wanted='{' entry
    shift
    for entry; do
        [[ $wanted == '{' ]] || wanted+=,
        wanted+=\"${entry%=*}\":$(place "${entry%=*}" "${entry#*=}")
    done
    diff -u --label got --label wanted <(checkpoint read "$name" | jq -c '.positions | map_values(.offset)') - <<<"$wanted}"
}

expect_due()
{
    replay -q --checkpoint="$1" >due || true
    diff -u --label got --label wanted <(ids_of due) - <<<"$2"
}
