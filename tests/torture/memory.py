#!/usr/bin/env python3
"""R10: every allocation of every command fails, alone and with all after it, until the command ends as it would anyway.

No crash, and no leak that AddressSanitizer sees; the exit status is 5, or the failure was overcome and everything is as
ever; never exit 0 with work undone; what stood in the store stands there, and the next run completes the work.
"""

import os
import queue
import socket
import struct
import subprocess
import threading

import judge
from judge import Fault, emission, joined, signal

REFS = [{"ref_type": "user", "value": "u1", "tags": [1, {"a": 1}]}]
OLD = [signal("s1"), signal("s2", time="09:00:00", entity_refs=REFS, payload={"score": 2}), signal("s3", "2026-02-06")]
LOOSE = b'{ "signal_id":"n\\u0031", "timestamp":"2026-02-05T12:00:00+01:00", "source":"a", "payload_type":"t", ' \
        b'"payload":{"b":[1.0,"\\u00e9"],"a":{}}, "entity_refs":[{"kind":"user","identifier":"u1"}], "raw":null }'
# Others may write so: whoever reads it needs memory for the time, the depth and the names.
ODD = b'{"signal_id":"%s","timestamp":"2026-02-0%dT10\\u003a00:00Z","payload_type":"Probe","source":"torture","payload":' \
      b'{"score":3,"deep":' + 600 * b"[" + 600 * b"]" + b"," + b",".join(b'"%d":0' % n for n in range(100)) + b"}}"
NEW = joined([LOOSE, signal("n2", "2026-02-07"), emission("n3"), OLD[0], signal("s2", source="other"),
              signal("s2", time="09:00:00", entity_refs=REFS, payload={"score": 2.0, "none": []})])
DOUBT = b"signals/2026-02-01.jsonl 7\n" # of somebody whose sync failed there; nobody syncs that day
DOCUMENT = b'{"last_timestamp":"2026-02-05T10:00:00Z","seen_ids_at_timestamp":["s\\u0031","s4"],"more":[1e400]}\n'

# Name, arguments, input; "-C" is added. A file that an argument names lies beside the workspace, which is "ws".
CASES = [
    ("write", ["--print=result"], NEW),
    ("write", ["--print=all", "--rejects=rejected"], b"{\n" + NEW + b"[]\n"),
    ("write", ["--no-sync", "--on-duplicate=raise", "--stats"], NEW),
    ("replay", ["--kind=all", "--order=append"], b""),
    ("replay", ["--entity=user:u1", "--where=score=2", "--reverse", "-n2"], b""),
    ("replay", ['--entity={"tags":[1.0,{"a":1}]}', "--skip-damaged"], b""),
    ("replay", ["--id=s2", "--no-index", "--format=table"], b""),
    ("replay", ["--kind=all", "--count", "--source=torture"], b""),
    ("replay", ["--tail=2", "--resolved"], b""),
    ("replay", ["--checkpoint=w", "--next=next"], b""),
    ("replay", ["--checkpoint-file=plain", "-n1", "--next=next"], b""),
    ("top", ["--missing-score=0"], b""),
    ("top", ["--format=digest", "--unique-by=none"], b""),
    ("top", ["--format=table"], b""),
    ("checkpoint", ["read", "w"], b""),
    ("checkpoint", ["write", "v"], DOCUMENT),
    ("checkpoint", ["list", "--format=table"], b""),
    ("checkpoint", ["advance", "w", "--to=behind"], b""),
    ("checkpoint", ["advance", "w"], joined(OLD[:2])),
    ("checkpoint", ["reset", "w", "--to=2026-02-06"], b""),
    ("checkpoint", ["delete", "w"], b""),
    ("checkpoint", ["build"], joined([OLD[1], OLD[0]])),
    ("snapshot", ["write", "state", "--print=path"], b'{"b":[1,{"c":1e400}],"a":"\\u00e9"}'),
    ("snapshot", ["write", "digest", "--day=2026-02-05"], b'{"top_candidates":[]}'),
    ("snapshot", ["read", "old"], b""),
    ("snapshot", ["list"], b""),
    ("fsck", ["--json"], b""),
    ("fsck", ["--repair"], b""),
]
LIMIT = 5000  # allocations; a command that needs more would need another kind of test


def prepared(place):
    """The state before each run: a store with an index, damage old and new, repetitions, ends without newline, a
    checkpoint, a snapshot, a failed sync."""
    workspace = place / "ws"
    workspace.mkdir(parents=True)
    judge.expect(judge.write(workspace, OLD + [emission("e1")]), 0)
    with open(workspace / "store/signals/2026-02-06.jsonl", "ab") as file:
        file.write(b"known damage\n" + joined([ODD % (b"odd", 6), OLD[0]]))
    judge.expect(judge.run(judge.argv("fsck", "-C", workspace, "--repair")), 3)
    (place / "plain").write_bytes(DOCUMENT)
    judge.expect(judge.run(judge.argv("checkpoint", "-C", workspace, "write", "w"), DOCUMENT), 0)
    with open(workspace / "store/signals/2026-02-05.jsonl", "ab") as file:
        file.write(b"damaged\n" + joined([signal("s4", time="08:00:00"), ODD % (b"odd", 6)]) + b'{"torn')
    (workspace / "store/signals/2026-02-04.jsonl").write_bytes(ODD % (b"last", 4))
    judge.expect(judge.run(judge.argv("replay", "-C", workspace, "--checkpoint=w", "-n1", "--next", place / "behind")), 3)
    judge.expect(judge.run(judge.argv("snapshot", "-C", workspace, "write", "old"), b"{}"), 0)
    (workspace / "store/checkpoints/unfit.json").write_bytes(DOCUMENT.replace(
        b"}", b',"positions":{"2026-02-05":{"hash":"0000000000000000","offset":5}}}'))
    (workspace / "store/snapshots/broken__2026-02-05.json").write_bytes(b'{"day":1}')
    left_over = workspace / "store/quarantine/.tmp-metaspn-0123456789abcdef"
    left_over.write_bytes(b"{")
    (workspace / "store/lock").write_bytes(DOUBT)
    os.utime(left_over, (0, 0))
    return place


class Tree:
    """A directory that is put back as it was: only what has changed is written, in place, for an index knows inodes."""

    def __init__(self, place):
        self.place = place
        self.seen = self.look()
        self.content = {name: self.read(name) for name, seen in self.seen.items() if seen}

    def look(self):
        """What tells that a file has changed, by name; None is a directory."""
        seen = {}

        def look_into(folder, prefix):
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = prefix + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        seen[name] = None
                        look_into(entry.path, name + "/")
                    else:
                        stat = entry.stat(follow_symlinks=False)
                        seen[name] = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)

        look_into(self.place, "")
        return seen

    def read(self, name):
        with open(f"{self.place}/{name}", "rb") as file:
            return file.read()

    def files(self, seen):
        """What stands there, but for what is derived."""
        return {name: self.content[name] if stat == self.seen.get(name) else self.read(name)
                for name, stat in seen.items() if stat and "store/index/" not in name}

    def put_back(self):
        seen = self.look()
        if seen == self.seen:
            return
        for name in sorted(seen.keys() - self.seen.keys(), reverse=True):
            (os.unlink if seen[name] else os.rmdir)(f"{self.place}/{name}")
        for name in sorted(self.seen):
            stat, path = self.seen[name], f"{self.place}/{name}"
            if stat is None and name not in seen:
                os.mkdir(path)
            elif stat != seen.get(name):
                with open(path, "wb") as file:
                    file.write(self.content[name])
                os.utime(path, ns=(stat[2], stat[2]))
        self.seen = self.look()


class Command:
    """A command that is run again and again (nomemory.c)."""

    def __init__(self, command, data, place, library):
        self.files = place.with_name(place.name + "-files")
        self.files.mkdir(exist_ok=True)
        (self.files / "stdin").write_bytes(data)
        environment = judge.environment() | {
            "LD_PRELOAD": library, "NOMEMORY_FILES": str(self.files), "UBSAN_OPTIONS": "halt_on_error=1",
            "ASAN_OPTIONS": "verify_asan_link_order=0:exitcode=99"}
        self.talk, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment["NOMEMORY_SOCKET"] = str(theirs.fileno())
        self.process = subprocess.Popen(command, cwd=place, env=environment, pass_fds=(theirs.fileno(),))
        theirs.close()

    def run(self, number=0, on=False):
        """What came of it."""
        self.talk.send(struct.pack("@ll", number, on))
        answer = self.talk.recv(1 << 17)
        if not answer:
            raise SystemExit(f"{self.process.args}: no answer")
        status, allocations, *self.places = struct.unpack(f"@{len(answer) // 8}l", answer)
        if allocations > LIMIT:
            raise SystemExit(f"{self.process.args}: {allocations} allocations")
        stdout, stderr = ((self.files / name).read_bytes() for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess([], os.waitstatus_to_exitcode(status), stdout, stderr)

    def close(self):
        self.talk.close()
        self.process.wait()


class Case:
    def __init__(self, case, tree, library):
        self.name, self.arguments, data = case
        self.tree = tree
        self.command = Command(judge.argv(self.name, "-C", "ws", *self.arguments), data, tree.place, library)
        self.before = tree.files(tree.seen)
        self.usual = self.command.run()
        self.places = self.command.places
        if self.usual.returncode not in (0, 3, 4):
            raise SystemExit(f"{self}: {self.usual.stderr!r}")
        self.after = tree.files(tree.look())
        tree.put_back()

    def __str__(self):
        return f"metaspn-{self.name} {' '.join(self.arguments)}"

    def check(self, result, now):
        if result.returncode not in (self.usual.returncode, 5):
            raise Fault(f"exit status {result.returncode}: {result.stderr.decode(errors='replace')[:3000]}")
        if result.returncode == 5 and not result.stderr.startswith(b"metaspn-" + self.name.encode()):
            raise Fault(f"no message: {result.stderr!r}")
        if any(".tmp-" in name and name not in self.before for name in now):
            raise Fault("a temporary is left")
        if result.returncode != 5 and (now != self.after or result.stdout != self.usual.stdout):
            raise Fault(f"exit {result.returncode} with work undone: {result.stdout!r}, {result.stderr!r}")
        if DOUBT not in now["ws/store/lock"]:
            raise Fault("a failed sync is forgotten")
        for name, old in self.before.items():
            whole = old[:old.rfind(b"\n") + 1]
            if name.endswith(".jsonl") and not now.get(name, b"").startswith(whole):
                raise Fault(f"{name}: old bytes have changed")

    def check_next(self):
        """The same once more, with memory: everything is as it would have been."""
        result = self.command.run()
        again = {self.usual.returncode, 0, 4} if self.name in ("write", "fsck") else {self.usual.returncode}
        again |= {1} if "delete" in self.arguments else set()
        if result.returncode not in again:
            raise Fault(f"the next run: exit status {result.returncode}: {result.stderr!r}")
        now, wanted = self.tree.files(self.tree.look()), dict(self.after)
        for aside in ("rejected",):  # said again by each run
            now.pop(aside, None)
            wanted.pop(aside, None)
        if now != wanted:
            raise Fault("the next run does not complete the work")

    def fail(self, number, on):
        """Where nothing has changed, the next run is the usual one."""
        result = self.command.run(number, on)
        seen = self.tree.look()
        try:
            self.check(result, self.tree.files(seen))
            if result.returncode == 5 and seen != self.tree.seen:
                self.check_next()
        finally:
            if seen != self.tree.seen:
                self.tree.put_back()

    def fail_all(self, numbers, on, item):
        for number in numbers:
            try:
                self.fail(number, on)
            except Fault as fault:
                item.fault(f"{self}, allocation {number}{' and on' if on else ''}", fault)
        return len(numbers)


class Places:
    """Which allocations of a command were not tried yet in a run that came to them by the same calls."""

    def __init__(self):
        self.tried = set()
        self.lock = threading.Lock()

    def choose(self, name, on, places):
        with self.lock:
            new = {(name, on, place): number for number, place in reversed(list(enumerate(places, 1)))
                   if (name, on, place) not in self.tried}
            self.tried.update(new)
        return sorted(new.values())


def build_sanitized():
    """The directory of commands that tell what they do to memory."""
    place = judge.ROOT / ".build/memory"
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "check": True}
    if not (place / "build.ninja").exists():
        subprocess.run(["meson", "setup", place, judge.ROOT, "-Db_sanitize=address,undefined", "-Doptimization=1"], **quiet)
    commands = ["cmd/" + path.stem for path in (judge.ROOT / "cmd").glob("metaspn-*.c")]
    subprocess.run(["ninja", "-C", place, *commands], **quiet)
    return place / "cmd"


def runtime(command):
    """The sanitizers' shared library, which must come after ours."""
    listed = subprocess.run(["ldd", command], capture_output=True, text=True, check=True).stdout
    return [line.split()[2] for line in listed.splitlines() if "libasan" in line]


def main():
    item = judge.Item("each allocation fails in turn")
    library = item.kept / "nomemory.so"
    source = judge.ROOT / "tests/torture/nomemory.c"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    if not item.quick:
        judge.BIN = build_sanitized()
    preloaded = ":".join([str(library), *runtime(judge.BIN / "metaspn-write")])

    places = Places()
    trees = queue.SimpleQueue()
    for number in range(os.cpu_count() or 1):
        trees.put(Tree(prepared(item.kept / f"place-{number}")))

    def work(_, what):
        number, on = what
        tree = trees.get()
        try:
            case = Case(CASES[number], tree, preloaded)
            # Where all after it fail too, what led to the first is all that matters.
            by_place = item.quick or on
            numbers = places.choose(case.name, on, case.places) if by_place else range(1, len(case.places) + 1)
            tried = case.fail_all(numbers, on, item)
            case.command.close()
        finally:
            trees.put(tree)
        return tried

    item.trials(work, [(case, on) for case in range(len(CASES)) for on in ((False,) if item.quick else (False, True))])
    item.finish()


if __name__ == "__main__":
    main()
