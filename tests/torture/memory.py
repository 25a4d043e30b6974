#!/usr/bin/env python3
"""R10: every allocation of every command fails, alone and with all after it, until the command ends as it would anyway.

No crash, and no leak that AddressSanitizer sees; the exit status is 5, or the failure was overcome and everything is as
ever; never exit 0 with work undone; what stood in the store stands there, and the next run completes the work.
"""

import os
import shutil
import subprocess

import judge
from judge import Fault, emission, joined, signal

REFS = [{"ref_type": "user", "value": "u1"}]
OLD = [signal("s1"), signal("s2", time="09:00:00", entity_refs=REFS, payload={"score": 2}), signal("s3", "2026-02-06")]
LOOSE = b'{ "signal_id":"n\\u0031", "timestamp":"2026-02-05T12:00:00+01:00", "source":"a", "payload_type":"t", ' \
        b'"payload":{"b":[1.0,"\\u00e9"],"a":{}}, "entity_refs":[{"kind":"user","identifier":"u1"}], "raw":null }'
NEW = joined([LOOSE, signal("n2", "2026-02-07"), emission("n3"), OLD[0], signal("s2", source="other")])
DOCUMENT = b'{"last_timestamp":"2026-02-05T10:00:00Z","seen_ids_at_timestamp":["s\\u0031","s4"],"more":[1e400]}\n'

# Name, arguments, input; "-C" is added. A file that an argument names lies beside the workspace, which is "ws".
CASES = [
    ("write", ["--print=result"], NEW),
    ("write", ["--print=all", "--rejects=rejected"], b"{\n" + NEW + b"[]\n"),
    ("write", ["--no-sync", "--on-duplicate=raise", "--stats"], NEW),
    ("replay", ["--kind=all", "--order=append"], b""),
    ("replay", ["--entity=user:u1", "--where=score=2", "--reverse", "-n2"], b""),
    ("replay", ["--id=s2", "--no-index", "--format=table"], b""),
    ("replay", ["--kind=all", "--count", "--source=torture"], b""),
    ("replay", ["--tail=2", "--resolved"], b""),
    ("replay", ["--checkpoint=w", "--next=next"], b""),
    ("replay", ["--checkpoint-file=plain", "-n1", "--next=next"], b""),
    ("top", ["--missing-score=0"], b""),
    ("top", ["--format=digest", "--unique-by=none"], b""),
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
QUICK = [0, 4, 6, 8, 15, 20]
LIMIT = 5000  # allocations; a command that needs more would need another kind of test


def prepare(place):
    """The state before each run: a store with an index, a damaged line, a torn end, a checkpoint, a snapshot."""
    workspace = place / "ws"
    workspace.mkdir()
    judge.expect(judge.write(workspace, OLD + [emission("e1")]), 0)
    (place / "plain").write_bytes(DOCUMENT)
    judge.expect(judge.run(judge.argv("checkpoint", "-C", workspace, "write", "w"), DOCUMENT), 0)
    with open(workspace / "store/signals/2026-02-05.jsonl", "ab") as file:
        file.write(b"damaged\n" + signal("s4", time="08:00:00") + b'\n{"torn')
    judge.expect(judge.run(judge.argv("replay", "-C", workspace, "--checkpoint=w", "-n1", "--next", place / "behind")), 3)
    judge.expect(judge.run(judge.argv("snapshot", "-C", workspace, "write", "old"), b"{}"), 0)


def files(place):
    """What stands there, but for what is derived; what a run ends with, whatever became of the one before."""
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in sorted(place.rglob("*"))
            if path.is_file() and "store/index/" not in path.as_posix() and path.name != "hit"}


class Case:
    def __init__(self, case, place, library):
        self.name, self.arguments, self.data = case
        self.place = place
        self.library = library
        self.fresh()
        self.before = files(place)
        self.usual = self.run()
        if self.usual.returncode not in (0, 3, 4):
            raise SystemExit(f"{self}: {self.usual.stderr!r}")
        self.after = files(place)

    def __str__(self):
        return f"metaspn-{self.name} {' '.join(self.arguments)}"

    def fresh(self):
        for entry in self.place.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        shutil.copytree(self.place.parent / "fresh", self.place, dirs_exist_ok=True)

    def run(self, number=None, on=False):
        more = {}
        if number:
            more = {"LD_PRELOAD": self.library, "NOMEMORY_AT": str(number), "NOMEMORY_HIT": str(self.place / "hit"),
                    "ASAN_OPTIONS": "verify_asan_link_order=0:exitcode=99", "UBSAN_OPTIONS": "halt_on_error=1"}
            more |= {"NOMEMORY_ON": "1"} if on else {}
        return judge.run(judge.argv(self.name, "-C", "ws", *self.arguments), self.data, cwd=self.place,
                         env=judge.environment() | more)

    def check(self, result):
        if result.returncode not in (self.usual.returncode, 5):
            raise Fault(f"exit status {result.returncode}: {result.stderr.decode(errors='replace')[:3000]}")
        if result.returncode == 5 and not result.stderr.startswith(b"metaspn-" + self.name.encode()):
            raise Fault(f"no message: {result.stderr!r}")
        now = files(self.place)
        if any(".tmp-" in name for name in now):
            raise Fault("a temporary is left")
        if result.returncode != 5 and (now != self.after or result.stdout != self.usual.stdout):
            raise Fault(f"exit {result.returncode} with work undone: {result.stdout!r}, {result.stderr!r}")
        for name, old in self.before.items():
            whole = old[:old.rfind(b"\n") + 1]
            if name.endswith(".jsonl") and not now.get(name, b"").startswith(whole):
                raise Fault(f"{name}: old bytes have changed")

    def check_next(self):
        """The same once more, with memory: everything is as it would have been."""
        result = self.run()
        again = {self.usual.returncode, 0, 4} if self.name in ("write", "fsck") else {self.usual.returncode}
        again |= {1} if "delete" in self.arguments else set()
        if result.returncode not in again:
            raise Fault(f"the next run: exit status {result.returncode}: {result.stderr!r}")
        now, wanted = files(self.place), dict(self.after)
        for aside in ("rejected",):  # said again by each run
            now.pop(aside, None)
            wanted.pop(aside, None)
        if now != wanted:
            raise Fault("the next run does not complete the work")

    def fail_one(self, number, on):
        """Whether there was such an allocation."""
        self.fresh()
        result = self.run(number, on)
        hit = self.place / "hit"
        was_hit = hit.exists()
        hit.unlink(missing_ok=True)
        self.check(result)
        if result.returncode == 5:
            self.check_next()
        return was_hit

    def fail_all(self, on, item):
        for number in range(1, LIMIT):
            try:
                if not self.fail_one(number, on):
                    return number - 1
            except Fault as fault:
                item.fault(f"{self}, allocation {number}{' and on' if on else ''}", fault)
        raise Fault(f"{self}: no end")


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
    """The sanitizers' shared library, which must stand behind ours."""
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
    (item.kept / "fresh").mkdir()
    prepare(item.kept / "fresh")

    def work(workspace, what):
        case, on = what
        place = item.kept / workspace.name / "place"
        place.mkdir()
        os.symlink(item.kept / "fresh", place.parent / "fresh")
        return Case(CASES[case], place, preloaded).fail_all(on, item)

    numbers = QUICK if item.quick else range(len(CASES))
    item.trials(work, [(case, on) for case in numbers for on in ((False,) if item.quick else (False, True))])
    item.finish()


if __name__ == "__main__":
    main()
