#!/usr/bin/env python3
"""R5: no room. True short writes at every byte of a batch (a file size limit), and a full file system (bytes, inodes).

Either exit 0 and all of it is stored, or exit 5 and every partition is as before; the next write, with room, works.
"""

import subprocess

import judge
from judge import Fault, emission, signal

OLD = [signal("old1"), signal("old2", entity_refs=[{"ref_type": "T", "value": "v"}]), emission("old3")]
BATCH = [signal("new1"), signal("new2", payload={"text": "x" * 60}), signal("new3"), signal("old2")]
MIXED = [signal("new1"), emission("new2"), signal("new3", "2026-02-06"), signal("old1"), emission("new4", "2026-02-01")]


def set_up(workspace):
    found = judge.Judge(workspace)
    found.offer(OLD + BATCH + MIXED)
    judge.expect(judge.write(workspace, OLD), 0)
    found.acknowledge(OLD)
    found.remember()
    return found


def outcome(found, result, lines, before):
    """All or nothing; then with room."""
    found.acknowledge_answers(result.stdout, lines)
    if result.returncode == 0:
        found.acknowledge(lines)
    elif result.returncode != 5:
        raise Fault(f"exit status {result.returncode}: {result.stderr.decode()}")
    elif {name: content for name, content in found.partitions().items() if content} != before:
        raise Fault("exit 5, and the partitions are not as before")


def limited(workspace, case):
    """No file may grow beyond `limit` bytes."""
    lines, limit = case
    found = set_up(workspace)
    result = judge.run(["prlimit", f"--fsize={limit}", *judge.argv("write", "-C", workspace, "--print=result")],
                       judge.joined(lines))
    outcome(found, result, lines, found.before)
    judge.expect(judge.write(workspace, lines), 0)
    found.acknowledge(lines)
    found.check()


def full(workspace, case):
    """A file system with so many free bytes or inodes, and more of them afterwards."""
    what, free = case
    mount = workspace / "full"
    mount.mkdir()
    options = f"size={64 + 4 * free}k,nr_inodes=200" if what == "bytes" else f"size=4m,nr_inodes={12 + free}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", mount], check=True)
    try:
        (mount / "ws").mkdir()
        if what == "bytes":
            (mount / "filler").write_bytes(bytes(64 << 10))
        else:
            for n in range(10):
                (mount / f"filler-{n}").touch()
        fresh(mount, mount / "ws")
    finally:
        subprocess.run(["umount", "--lazy", mount], check=True)


def fresh(mount, workspace):
    """What fits is stored, one run after the other; where there was no room, there is later."""
    found = judge.Judge(workspace)
    for turn, lines in enumerate([OLD, MIXED, BATCH]):
        lines = [line for line in lines if judge.identity(line) not in found.acknowledged]
        found.offer(lines)
        before = {name: content for name, content in found.partitions().items() if content}
        outcome(found, judge.write(workspace, lines, "--print=result"), lines, before)
    for filler in mount.glob("filler*"):
        filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=4m,nr_inodes=500", mount], check=True)
    for lines in (OLD, MIXED, BATCH):
        lines = [next(iter(found.offered.get(judge.identity(line), {line}))) for line in lines]
        found.offer(lines)
        judge.expect(judge.write(workspace, lines), 0)
        found.acknowledge(lines)
    found.check()


def may_mount(item):
    place = judge.pathlib.Path(judge.tempfile.mkdtemp(dir=item.kept))
    result = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], capture_output=True, check=False)
    if result.returncode == 0:
        subprocess.run(["umount", place], check=True)
        return None
    return f"no tmpfs can be mounted: {result.stderr.decode().strip()}"


def main():
    item = judge.Item("no room: a file size limit at every byte, a full file system")
    start, length = len(judge.joined(OLD[:2])), len(judge.joined(BATCH[:3]))
    step = 53 if item.quick else 1
    item.trials(limited, [(BATCH, limit) for limit in range(start - 20, start + length + 3, step)] +
                [(MIXED, limit) for limit in range(0, start + 2 * len(MIXED[0]), step)])
    at_bytes = item.tried
    why = may_mount(item)
    if why:
        item.skip(f"full file systems: {why}")
    else:
        item.trials(full, [("bytes", free) for free in range(0, 24, 5 if item.quick else 1)] +
                    [("inodes", free) for free in range(0, 24, 5 if item.quick else 1)], workers=1)
    item.finish(f" ({at_bytes} limits, {item.tried - at_bytes} full file systems)")


if __name__ == "__main__":
    main()
