#!/usr/bin/env bats
# Closed descriptors, full devices, readers that have gone: the same answers, or a refusal; the store is never harmed.

# shellcheck disable=SC2015,SC2094,SC2154  # the helper sets variables; files are named as functions are

load helper
load surroundings

without_stdin() { "$@" <&-; }

without_stdout() { not_under valgrind 'which opens what is closed' && "$@" >&-; }

without_stderr() { "$@" 2>&-; }

without_any() { "$@" <&- >&- 2>&-; }

into_full() { "$@" >/dev/full; }

from_directory() { "$@" <.; }

# ---- descriptors
@test "stdin closed: write cannot read it" { gives 5 without_stdin metaspn-write -C ws; }
@test "stdin closed: checkpoint write cannot read it" { gives 5 without_stdin metaspn-checkpoint -C ws write w; }
@test "stdin closed: checkpoint advance cannot read it" { gives 5 without_stdin metaspn-checkpoint -C ws advance w; }
@test "stdin closed: snapshot write cannot read it" { gives 5 without_stdin metaspn-snapshot -C ws write s; }
@test "stdin closed: replay needs none" { answers_as_ever without_stdin -- metaspn-replay -C ws; }
@test "stdin closed: checkpoint read needs none" { answers_as_ever without_stdin -- metaspn-checkpoint -C ws read w; }
@test "stdin closed: checkpoint list needs none" { answers_as_ever without_stdin -- metaspn-checkpoint -C ws list; }
@test "stdin closed: checkpoint build needs none" {
    answers_as_ever without_stdin -- metaspn-checkpoint build signals
}
@test "stdin closed: snapshot read needs none" { answers_as_ever without_stdin -- metaspn-snapshot -C ws read s; }
@test "stdin closed: snapshot list needs none" { answers_as_ever without_stdin -- metaspn-snapshot -C ws list; }
@test "stdin closed: top needs none" { answers_as_ever without_stdin -- metaspn-top -C ws --missing-score=0; }
@test "stdin closed: fsck needs none" { answers_as_ever without_stdin -- metaspn-fsck -C ws; }
@test "stdin closed: write of a file needs none" { answers_as_ever without_stdin -- metaspn-write -C ws new; }
@test "stdout closed: replay says that it cannot print" { gives 5 without_stdout metaspn-replay -C ws; }
@test "stdout closed: checkpoint read says that it cannot print" {
    gives 5 without_stdout metaspn-checkpoint -C ws read w
}
@test "stdout closed: checkpoint list says that it cannot print" {
    gives 5 without_stdout metaspn-checkpoint -C ws list
}
@test "stdout closed: checkpoint build says that it cannot print" {
    gives 5 without_stdout metaspn-checkpoint build signals
}
@test "stdout closed: snapshot read says that it cannot print" {
    gives 5 without_stdout metaspn-snapshot -C ws read s
}
@test "stdout closed: snapshot list says that it cannot print" { gives 5 without_stdout metaspn-snapshot -C ws list; }
@test "stdout closed: top says that it cannot print" { gives 5 without_stdout metaspn-top -C ws --missing-score=0; }
@test "stdout closed: write has nothing to say" { gives 0 without_stdout metaspn-write -C ws new && is_stored; }
@test "stdout closed: write that prints says so, and has stored" {
    gives 5 without_stdout metaspn-write -C ws --print=all new && is_stored
}
@test "stdout closed: checkpoint write has nothing to say" {
    gives 0 without_stdout metaspn-checkpoint -C ws write v <checkpoint &&
        expect_same ws/store/checkpoints/v.json checkpoint
}
@test "stdout closed: replay --next moves nothing" {
    gives 5 without_stdout metaspn-replay -C ws --checkpoint=w --next=next && [[ ! -e next ]]
}
@test "stderr closed: replay works" { answers_as_ever without_stderr -- metaspn-replay -C ws; }
@test "stderr closed: checkpoint read works" { answers_as_ever without_stderr -- metaspn-checkpoint -C ws read w; }
@test "stderr closed: checkpoint list works" { answers_as_ever without_stderr -- metaspn-checkpoint -C ws list; }
@test "stderr closed: checkpoint build works" { answers_as_ever without_stderr -- metaspn-checkpoint build signals; }
@test "stderr closed: snapshot read works" { answers_as_ever without_stderr -- metaspn-snapshot -C ws read s; }
@test "stderr closed: snapshot list works" { answers_as_ever without_stderr -- metaspn-snapshot -C ws list; }
@test "stderr closed: top works" { answers_as_ever without_stderr -- metaspn-top -C ws --missing-score=0; }
@test "stderr closed: write works" { answers_as_ever without_stderr -- metaspn-write -C ws new; }
@test "stderr closed: fsck works" { answers_as_ever without_stderr -- metaspn-fsck -C ws; }
@test "stderr closed: write of bad input says so by its status" {
    gives 3 without_stderr metaspn-write -C ws document
}
@test "all three closed: replay fails and harms nothing" { gives 5 without_any metaspn-replay -C ws; }
@test "all three closed: write fails and harms nothing" { gives 5 without_any metaspn-write -C ws; }
@test "all three closed: snapshot write fails and harms nothing" {
    gives 5 without_any metaspn-snapshot -C ws write s
}
@test "all three closed: checkpoint write fails and harms nothing" {
    gives 5 without_any metaspn-checkpoint -C ws write w
}
@test "all three closed: write of a file stores it" { gives 0 without_any metaspn-write -C ws new && is_stored; }
@test "/dev/full: replay does not say that it succeeded" { gives 5 into_full metaspn-replay -C ws; }
@test "/dev/full: checkpoint read does not say that it succeeded" {
    gives 5 into_full metaspn-checkpoint -C ws read w
}
@test "/dev/full: checkpoint list does not say that it succeeded" { gives 5 into_full metaspn-checkpoint -C ws list; }
@test "/dev/full: checkpoint build does not say that it succeeded" {
    gives 5 into_full metaspn-checkpoint build signals
}
@test "/dev/full: snapshot read does not say that it succeeded" { gives 5 into_full metaspn-snapshot -C ws read s; }
@test "/dev/full: snapshot list does not say that it succeeded" { gives 5 into_full metaspn-snapshot -C ws list; }
@test "/dev/full: top does not say that it succeeded" { gives 5 into_full metaspn-top -C ws --missing-score=0; }
@test "/dev/full: write has stored what it could not print" {
    gives 5 into_full metaspn-write -C ws --print=result new && is_stored
}
@test "/dev/full: replay --next moves nothing" {
    gives 5 into_full metaspn-replay -C ws --checkpoint=w --next=next && [[ ! -e next ]]
}
@test "/dev/full: --help" { gives 5 into_full metaspn-replay --help; }
@test "/dev/full: --version" { gives 5 into_full metaspn-write --version; }
@test "/dev/full: fsck with findings" {
    printf x >>ws/store/signals/2026-02-04.jsonl &&
        run_split into_full metaspn-fsck -C ws &&
        false || expect_status 5
}
@test "no reader: replay ends by SIGPIPE" { run_without_reader metaspn-replay -C ws && expect_status 141 && unharmed; }
@test "no reader: checkpoint read ends by SIGPIPE" {
    run_without_reader metaspn-checkpoint -C ws read w && expect_status 141 && unharmed
}
@test "no reader: checkpoint list ends by SIGPIPE" {
    run_without_reader metaspn-checkpoint -C ws list && expect_status 141 && unharmed
}
@test "no reader: checkpoint build ends by SIGPIPE" {
    run_without_reader metaspn-checkpoint build signals && expect_status 141 && unharmed
}
@test "no reader: snapshot read ends by SIGPIPE" {
    run_without_reader metaspn-snapshot -C ws read s && expect_status 141 && unharmed
}
@test "no reader: snapshot list ends by SIGPIPE" {
    run_without_reader metaspn-snapshot -C ws list && expect_status 141 && unharmed
}
@test "no reader: top ends by SIGPIPE" {
    run_without_reader metaspn-top -C ws --missing-score=0 && expect_status 141 && unharmed
}
@test "no reader: write stores and ends by SIGPIPE" {
    run_without_reader metaspn-write -C ws --print=all new && expect_status 141 && is_stored
}
@test "no reader: replay | head -1" { metaspn-replay -C ws | head -1 | expect_same - <(head -1 events); }
@test "no reader, SIGPIPE ignored: replay fails" {
    run_without_reader ignoring PIPE metaspn-replay -C ws; [[ $status -ne 0 ]] && unharmed
}
@test "no reader, SIGPIPE ignored: write stores and fails" {
    run_without_reader ignoring PIPE metaspn-write -C ws --print=all new; [[ $status -ne 0 ]] && is_stored
}
@test "stdin is a directory: write" { gives 5 from_directory metaspn-write -C ws; }
@test "stdin is a directory: snapshot write" { gives 5 from_directory metaspn-snapshot -C ws write s; }
@test "stdin is a directory: checkpoint write" { gives 5 from_directory metaspn-checkpoint -C ws write w; }

# through_nonblocking COMMAND ...: stdin and stdout are small pipes that somebody has set to non-blocking; nothing is given
# or taken before the command sleeps.
through_nonblocking()
{
    /usr/bin/python3 -c '
import fcntl, os, subprocess, sys, time
def pipe(end):
    ends = os.pipe()
    fcntl.fcntl(ends[1], 1031, 4096)  # F_SETPIPE_SZ
    os.set_blocking(ends[end], False)
    return ends
def asleep(pid):
    return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] in "SZ"
given = sys.stdin.buffer.read()
(stdin, producer), (reader, stdout) = pipe(0), pipe(1)
command = subprocess.Popen(sys.argv[1:], stdin=stdin, stdout=stdout)
os.close(stdin), os.close(stdout)
while not asleep(command.pid):
    time.sleep(0.01)
os.write(producer, given)
os.close(producer)
sys.stdout.buffer.write(open(reader, "rb").read())
sys.exit(command.wait())' "$@"
}
@test "stdin that does not block: write waits for it" {
    gives 0 through_nonblocking metaspn-write -C ws --print=all <new && expect_same "$out" new && is_stored
}
@test "stdout that does not block: replay prints everything" {
    many_days && answers_as_ever through_nonblocking -- metaspn-replay -C ws </dev/null
}
