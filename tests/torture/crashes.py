#!/usr/bin/env python3
"""R3: the states that a crash may leave, from recorded traces of writes and syncs: every prefix, with one of the pending
steps dropped, torn or full of zeros, or nothing of them done. In each the judge looks, and all input comes once more.
"""

import hashlib
import subprocess

import judge
import recording
import tracing
from judge import Fault, emission, signal

QUICK_STATES, STATES = 7, 400  # of each workload
DAY = "store/signals/2026-02-05.jsonl"
CHECKPOINT = "store/checkpoints/w.json"
OLD = [signal("old1", "2026-02-04"), signal("old2"), emission("old3")]
NEW = [signal("new1"), emission("new2"), signal("new3", "2026-02-06"), signal("old2")]
LONG = [signal(f"long{n}", payload={"text": "x" * 900}) for n in range(12)]


def checkpoint(n):
    return b'{"last_timestamp":"2026-02-05T10:00:0%dZ","schema_version":"0.1","seen_ids_at_timestamp":[]}' % n


def old(r):
    r.write(OLD)
    r.settle()


def first_write(r):
    r.write(NEW, "--print=result")


def first_write_silently(r):
    r.write(NEW)


def second_write(r):
    old(r)
    r.write(NEW, "--print=result")
    r.write(LONG, "--print=result")


def printed_lines(r):
    old(r)
    r.write(LONG, "--print=result")
    r.write(LONG + NEW, "--print=result")


def only_duplicates(r):
    """Of events that another program appended and never synced."""
    lines = [signal("theirs1"), signal("theirs2")]
    r.append(DAY, judge.joined(lines), lines)
    r.write(lines, "--print=result")


def duplicates_of_an_unsynced_writer(r):
    old(r)
    r.write(NEW, "--no-sync", "--print=none", unacknowledged=True)
    r.write(NEW, "--print=result")


def killed_before_the_sync(r):
    old(r)
    r.write(NEW, inject=["fdatasync:signal=KILL:when=1"])
    r.write(NEW, "--print=result")


def killed_after_the_folder_was_made(n):
    def workload(r):
        r.write(NEW, inject=[f"fsync:signal=KILL:when={n}"])
        r.write(NEW, "--print=result")
    workload.__name__ = f"killed_at_directory_sync_{n}"
    return workload


def killed_while_the_index_is_written(r):
    old(r)
    r.write(NEW, inject=["pwrite64:signal=KILL:when=1"])
    r.write(NEW + LONG, "--print=result")


def failed_sync(r):
    old(r)
    r.write(LONG, inject=["fdatasync:error=EIO:when=1"])
    r.write(LONG, "--print=result")


def failed_sync_while_somebody_reads(r):
    old(r)
    with open(r.judge.workspace / DAY, "rb"):
        r.write(LONG, inject=["fdatasync:error=EIO:when=1"])
        r.write(LONG[:6], "--print=result")
    r.write(LONG, "--print=result")


def torn_line(r):
    old(r)
    r.append(DAY, signal("theirs")[:50])
    r.write(NEW, "--print=result")


def line_without_newline(r):
    old(r)
    r.append(DAY, signal("theirs"), [signal("theirs")])
    r.write([signal("theirs"), *NEW], "--print=result")


def torn_line_while_somebody_writes(r):
    old(r)
    r.append(DAY, signal("theirs")[:50])
    with open(r.judge.workspace / DAY, "ab"):
        r.write(NEW, "--print=result")


def beside_unlocked_lines(r):
    for n in range(3):
        line = signal(f"theirs{n}")
        r.append(DAY, line + b"\n", [line])
        r.write([signal(f"ours{n}"), line], "--print=result")


def many_days(r):
    r.write([signal(f"d{day}", f"2026-01-{day:02}") for day in range(1, 9)], "--print=result")


def one_after_the_other(r):
    for n in range(5):
        r.write([signal(f"n{n}"), emission(f"n{n}")], "--print=result")


def mended_by_fsck(r):
    old(r)
    r.append(DAY, signal("theirs")[:50])
    if judge.has("fsck"):
        r.run(judge.argv("fsck", "-C", r.root, "--repair"))
    r.write(NEW, "--print=result")


def forget_index(r):
    judge.shutil.rmtree(r.judge.store / "index")
    for path in [path for path in r.inodes if "/index/" in path]:
        r.add("unlink", path)
        del r.inodes[path]
    r.add("unlink", "store/index")
    r.folders.discard("store/index")


def index_made_anew(r):
    r.write(LONG)
    r.settle()
    forget_index(r)
    r.write(NEW + LONG, "--print=result")


def failed_sync_while_somebody_reads_without_index(r):
    """What was written and not synced must not be believed by those who find no word of it in the index."""
    old(r)
    with open(r.judge.workspace / DAY, "rb"):
        r.write(LONG, inject=["fdatasync:error=EIO:when=1"])
    forget_index(r)
    r.write(LONG[:6], "--print=result")
    r.write(NEW, "--print=result")


def killed_in_a_failing_sync(r):
    """Nobody is left to tell that it failed."""
    old(r)
    r.write(LONG, inject=["fdatasync:error=EIO:signal=KILL:when=1"])
    r.add("failed-sync", r.inodes[DAY])
    r.write(LONG[:6], "--print=result")
    r.write(NEW, "--print=result")


def failed_sync_behind_lines_of_others(r):
    """Ours are cut off again; theirs were in the same sync."""
    old(r)
    lines = [signal(f"theirs{n}", payload={"text": "x" * 900}) for n in range(12)]
    r.append(DAY, judge.joined(lines), lines)
    r.write(LONG, inject=["fdatasync:error=EIO:when=1"])
    r.write(lines, "--print=result")
    r.write(NEW, "--print=result")


def checkpoint_written(r):
    for n in range(3):
        r.run(judge.argv("checkpoint", "-C", r.root, "write", "w"), checkpoint(n), document=CHECKPOINT)


def checkpoint_of_old(r):
    old(r)
    r.run(judge.argv("checkpoint", "-C", r.root, "write", "w"), checkpoint(0), document=CHECKPOINT)
    r.settle()


def checkpoint_advanced(r):
    """Over events that another program appended and never synced: they must not be lost before the position."""
    checkpoint_of_old(r)
    lines = [signal("theirs1", time="12:00:00"), signal("theirs2", time="13:00:00")]
    r.append(DAY, judge.joined(lines), lines)
    r.run(judge.argv("checkpoint", "-C", r.root, "advance", "w"), judge.joined(lines), document=CHECKPOINT)
    r.add("acknowledge", lines)  # a worker has worked on them


def checkpoint_deleted(r):
    checkpoint_of_old(r)
    r.run(judge.argv("checkpoint", "-C", r.root, "delete", "w"), document=CHECKPOINT)


def snapshot_written(r):
    for n in range(3):
        r.run(judge.argv("snapshot", "-C", r.root, "write", "s", "--day=today"), b'{"n":%d}' % n,
              document="store/snapshots/s__2026-02-05.json")


WORKLOADS = [first_write, first_write_silently, second_write, printed_lines, only_duplicates, duplicates_of_an_unsynced_writer,
             killed_before_the_sync, *map(killed_after_the_folder_was_made, range(1, 6)), killed_while_the_index_is_written,
             failed_sync, failed_sync_while_somebody_reads, failed_sync_while_somebody_reads_without_index,
             killed_in_a_failing_sync, failed_sync_behind_lines_of_others, torn_line, line_without_newline,
             torn_line_while_somebody_writes, beside_unlocked_lines, many_days, one_after_the_other, mended_by_fsck,
             index_made_anew, checkpoint_written, checkpoint_advanced, checkpoint_deleted, snapshot_written]


# ---- one state


def put(workspace, files):
    for path in sorted(files):
        target = workspace / path
        if files[path] is None:
            target.mkdir(exist_ok=True)
        else:
            target.write_bytes(files[path])


def check_documents(workspace, ops, point):
    """A document is as it was acknowledged last, or as a later step left it."""
    acknowledged = {}
    for n, op in enumerate(ops):
        if op.kind != "document":
            continue
        path, content = op.what
        if n < point:
            acknowledged[path] = [content]
        else:
            acknowledged.setdefault(path, [None]).append(content)
    for path, contents in acknowledged.items():
        target = workspace / path
        found = target.read_bytes() if target.exists() else None
        if found not in contents:
            raise Fault(f"{path} is {found!r}")


def check_state(workspace, case):
    recorded, point, how = case
    put(workspace, recorded.build(point, how))
    check_documents(workspace, recorded.ops, point)
    found = judge.Judge(workspace)
    found.lenient = True  # what nobody acknowledged may be damaged
    found.offered, found.allowed = dict(recorded.judge.offered), recorded.judge.allowed
    for op in recorded.ops[:point]:
        if op.kind == "acknowledge":
            found.acknowledge(op.what[0])
    found.check()
    again = [line for lines in found.offered.values() for line in lines if b'"judge-' not in line]
    if again:
        judge.expect(judge.write(workspace, again), 0)
        found.acknowledge(again)
        found.check(fsck=False)


class Named:
    """A case that says its name."""

    def __init__(self, name, case):
        self.name, self.case = name, case

    def __repr__(self):
        return self.name


def explore(item, workload, limit):
    workspace = judge.pathlib.Path(judge.tempfile.mkdtemp(dir=item.kept))
    recorded = recording.Recording(workspace)
    workload(recorded)
    recorded.mark_certain()
    seen, cases = set(), []
    for point, what, how in recorded.states(limit, workload.__name__):
        files = repr((sum(op.kind in ("acknowledge", "document") for op in recorded.ops[:point]),
                      sorted(recorded.build(point, how).items())))
        key = hashlib.sha256(files.encode()).digest()
        if key not in seen:
            seen.add(key)
            steps = ", ".join(repr(recorded.ops[n]) for n in list(how)[:2])
            cases.append(Named(f"{workload.__name__}, {what} after {point} steps ({recorded.ops[point - 1]!r}): {steps}",
                               (recorded, point, how)))
    return cases


def prepare(item):
    """What the commands see of another boot."""
    library = item.kept / "crashed.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, judge.ROOT / "tests/torture/crashed.c", "-ldl"], check=True)
    (item.kept / "boot-1").write_text("one\n")
    (item.kept / "boot-2").write_text("another\n")
    judge.surroundings["LD_PRELOAD"] = str(library)


def main():
    item = judge.Item("states that a crash may leave")
    why = tracing.works()
    if why:
        item.skip(why)
        item.finish()
    prepare(item)
    judge.surroundings["TORTURE_BOOT"] = str(item.kept / "boot-1")
    cases = []
    for workload in WORKLOADS:
        cases += explore(item, workload, QUICK_STATES if item.quick else STATES)
    judge.surroundings["TORTURE_BOOT"] = str(item.kept / "boot-2")
    item.trials(lambda workspace, case: check_state(workspace, case.case), cases)
    item.finish(f" ({len(WORKLOADS)} workloads)")


if __name__ == "__main__":
    main()
