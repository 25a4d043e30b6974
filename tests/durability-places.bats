#!/usr/bin/env bats
# Links, FIFOs, devices and folders in the place of files of ours.

# shellcheck disable=SC2154  # ws, out, err, status: helper.bash

load helper
load writing

# ---- promise 13: nobody gets in

@test "store itself may be a symbolic link" {
    mkdir elsewhere
    ln -s ../elsewhere ws/store
    signals 1 3 | store
    signals 1 3 | expect_same - elsewhere/signals/2026-02-05.jsonl
    [[ -L ws/store ]]
}

@test "a link, a FIFO or a device in the place of a file or folder of ours is exit 5, naming it" {
    local place kind
    mkdir outside
    signals 1 1 >one
    signals 2 2 >two
    for place in signals signals/2026-02-05.jsonl lock index index/manifest index/lock; do
        for kind in link dangling fifo device; do
            [[ $kind != device || $(id -u) == 0 ]] || continue
            rm -rf ws/store outside/*
            store one
            cp -r ws/store/. outside
            rm -rf "ws/store/$place"
            case $kind in
            link) ln -s "$PWD/outside/$place" "ws/store/$place" ;;
            dangling) ln -s "$PWD/outside/new" "ws/store/$place" ;;
            fifo) mkfifo "ws/store/$place" ;;
            device) mknod "ws/store/$place" c 1 3 ;;
            esac
            find outside -type f -exec cksum {} + | sort >before
            run_split timeout 10 metaspn-write -C ws two
            expect_status 5
            expect_err_like "ws/store/$place: "
            find outside -type f -exec cksum {} + | sort | expect_same before -
            [[ ! -e outside/new ]]
        done
    done
}

@test "a link in the place of quarantine: nothing is written through it, and nothing is lost" {
    mkdir outside
    signals 1 1 | store
    printf '{"torn' >>"$day"
    cp "$day" before
    ln -s ../../outside ws/store/quarantine
    run_split store <<<"$(signals 2 2)"
    expect_status 5
    expect_err_like 'ws/store/quarantine: is a symbolic link'
    expect_same before "$day"
    [[ -z $(ls -A outside) ]]
}

@test "a directory in the place of a partition is exit 5" {
    mkdir -p "$day"
    run_split store <<<"$(signals 1 1)"
    expect_status 5
    expect_err_like "$day: is not a regular file"
}

@test "a current directory that has gone matters to nobody who names a workspace" {
    signals 1 1 >event
    mkdir gone
    (cd gone && rmdir ../gone && metaspn-write -C "$ws" "$BATS_TEST_TMPDIR/event")
    signals 1 1 | expect_same - "$day"
}

@test "umask 077 and umask 0 make files that are as private or as open" {
    (umask 077 && signals 1 1 | store)
    [[ $(stat -c %a "$day") == 600 && $(stat -c %a ws/store/lock) == 600 ]]
    rm -rf ws/store
    (umask 0 && signals 1 1 | store)
    [[ $(stat -c %a "$day") == 666 && $(stat -c %a ws/store/signals) == 777 ]]
}
