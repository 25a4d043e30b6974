#!/usr/bin/env bats
# A workspace that is the URL of a database: this build refuses it in one line, never takes it for a path, and shows
# neither the URL nor a password.

# shellcheck disable=SC2154  # the helper sets variables
load helper

setup()
{
    fresh_workspace
    # folders of these names are there, and hold a store
    touch before "$out" "$err"
    mkdir -p ./postgresql:/host ./postgres:/user@host
    signal s1 2026-02-05T10:00:00Z >signals
    metaspn-write -C ./postgresql:/host signals
    metaspn-write -C ./postgres:/user@host signals
    find -- * | sort >before
}

# refused STATUS TEXT COMMAND ...: says just that, and touches nothing.
refused()
{
    local expected=$1 text=$2
    shift 2
    run_split "$@" <signals
    expect_status "$expected"
    expect_out
    if [[ $expected == 2 ]]; then
        expect_err "$1: $text" "Try '$1 --help'."
    else
        expect_err "$1: $text"
    fi
    find -- * | sort | diff before -
}

# The arguments of a run of each command that opens a store, after -C.
each()
{
    local command=$1
    shift
    "$command" "$@" metaspn-write
    "$command" "$@" metaspn-write --rejects=rejects
    "$command" "$@" metaspn-replay
    "$command" "$@" metaspn-replay --follow
    "$command" "$@" metaspn-replay --checkpoint=w
    "$command" "$@" metaspn-top
    "$command" "$@" metaspn-fsck
    "$command" "$@" metaspn-fsck --repair
    "$command" "$@" metaspn-snapshot list
    "$command" "$@" metaspn-snapshot read s
    "$command" "$@" metaspn-snapshot write s
    "$command" "$@" metaspn-checkpoint list
    "$command" "$@" metaspn-checkpoint list --format=table
    "$command" "$@" metaspn-checkpoint read w
    "$command" "$@" metaspn-checkpoint write w
    "$command" "$@" metaspn-checkpoint delete w
    "$command" "$@" metaspn-checkpoint reset w --to=now
    "$command" "$@" metaspn-checkpoint advance w
}

unknown='this build knows no stores in a database (postgresql)'
password='-C: no password on the command line, where others can read it; use PGPASSFILE, a service or METASPN_WORKSPACE'

with_option()
{
    local url=$1
    shift
    refused 5 "$unknown" "$1" -C "$url" "${@:2}"
}

with_environment()
{
    METASPN_WORKSPACE=$1 refused 5 "$unknown" "${@:2}"
}

with_password()
{
    refused 2 "$password" "$2" "--workspace=$1" "${@:3}"
}

@test "each command refuses it, though a folder of that name is there" {
    each with_option postgresql://host
    each with_environment postgres://user@host
}

@test "in the environment it may have a password, which nobody sees" {
    each with_environment postgresql://user:secret@host/db
}

@test "a password on the command line is a usage error" {
    each with_password postgres://user:secret@host/db
}

@test "the scheme in any case, hosts, sockets, services" {
    local url
    for url in POSTGRES://host PostgreSQL://h1,h2/db?sslmode=require 'postgresql:///db?host=/run/postgresql' \
        'postgresql:///?service=spn' postgres://user@host postgres://user:@host 'postgres://host/db?passfile=file' \
        postgres://host:5432/a@b 'postgres://host?password=' postgresql://; do
        with_option "$url" metaspn-top
    done
}

@test "a password among the parameters, however it is spelled" {
    local url
    for url in 'postgres://host/db?password=secret' 'postgres:///?user=u&password=secret' \
        'POSTGRESQL://host?a=b&p%61ssword=secret&c=d' 'postgres://host?PASSWORD=secret' \
        'postgres://host?sslpassword=secret' postgres://:secret@host; do
        with_password "$url" metaspn-top
    done
}

@test "a path that only looks like one is a directory" {
    run_split metaspn-replay -C ./postgresql:/host
    expect_status 0
    expect_file "$out" "$(<signals)"
    run_split metaspn-replay -C postgres:/user@host
    expect_status 0
    expect_file "$out" "$(<signals)"
    for name in postgresql mysql://host ./postgres://host; do
        run_split metaspn-replay -C "$name"
        expect_status 5
        expect_err_like "No such file or directory"
    done
}
