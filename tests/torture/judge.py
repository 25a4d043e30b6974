"""The judge of all: what was acknowledged, and what was put in, against what stands in the store.

    judge = Judge(workspace)
    judge.offer(lines)           what a writer of ours is given
    judge.allow(lines)           what others put there themselves
    judge.remember()             whole lines that stand now must stand for ever
    ... something happens ...
    judge.acknowledge(lines)     what a command said to be stored
    judge.check()                raises Fault

After any event: metaspn-fsck, one more write, replay: every acknowledged id exactly once with identical bytes, no id that
was never sent, none twice, every other line unchanged, nothing hangs. Besides the judge, this module holds what all items
of a torture run share: events, commands, and the counting of trials.
"""

import atexit
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("METASPN_BIN") or ROOT / ".build/test/cmd")
NOW = "2026-02-05T18:00:00Z"
TIMEOUT = 60  # seconds after which a command hangs
surroundings = {}  # more of the commands' environment
KINDS = {"signals": "signal_id", "emissions": "emission_id"}


class Fault(Exception):
    """A promise that was not kept."""


# ---- events


def canonical(members):
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode()


def signal(name, day="2026-02-05", time="10:00:00", **members):
    return canonical({"signal_id": name, "timestamp": f"{day}T{time}Z", "source": "torture", "payload_type": "Probe",
                      "payload": {"n": 1}, "schema_version": "0.9", "entity_refs": []} | members)


def emission(name, day="2026-02-05", time="10:00:00", **members):
    return canonical({"emission_id": name, "timestamp": f"{day}T{time}Z", "emission_type": "Probed", "payload": {"n": 1},
                      "caused_by": "s1", "schema_version": "0.9", "entity_refs": []} | members)


def joined(lines):
    return b"".join(line + b"\n" for line in lines)


def identity(line):
    """(kind, id) of an event, or None where the line is none."""
    try:
        event = json.loads(line)
        for kind, member in KINDS.items():
            if isinstance(event.get(member), str) and isinstance(event.get("timestamp"), str):
                return kind, event[member]
    except (ValueError, AttributeError):
        pass
    return None


# ---- commands


def argv(name, *arguments):
    return [str(BIN / ("metaspn-" + name)), *map(str, arguments)]


def has(name):
    return (BIN / ("metaspn-" + name)).exists()


def environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith("METASPN_")}
    return kept | {"METASPN_NOW": NOW, "LC_ALL": "C", "TZ": "UTC"} | surroundings


def run(command, data=b"", timeout=TIMEOUT, **options):
    """Runs a command to its end; one that does not come to it is a fault."""
    try:
        return subprocess.run(command, input=data, capture_output=True, timeout=timeout, check=False,
                              env=options.pop("env", None) or environment(), **options)
    except subprocess.TimeoutExpired:
        raise Fault(f"hangs: {' '.join(command)}") from None


def expect(result, *statuses):
    if result.returncode not in statuses:
        raise Fault(f"{' '.join(result.args)}: exit status {result.returncode}: "
                    f"{(result.stdout + result.stderr).decode(errors='replace')}")
    return result.stdout


def write(workspace, lines, *options, **more):
    return run(argv("write", "-C", workspace, *options), joined(lines), **more)


def answers(stdout):
    """The answers of --print=result that came out whole."""
    return [json.loads(line) for line in stdout.split(b"\n")[:-1]]


# ---- the judge


class Judge:
    def __init__(self, workspace):
        self.workspace = pathlib.Path(workspace)
        self.store = self.workspace / "store"
        self.offered = {}  # (kind, id): the lines that were given with it
        self.allowed = set()
        self.acknowledged = {}
        self.before = {}
        self.lenient = False  # lines that are no events may stand there
        self.writes = 0

    def offer(self, lines):
        for line in lines:
            self.offered.setdefault(identity(line), set()).add(line)

    def allow(self, lines):
        self.allowed.update(lines)

    def acknowledge(self, lines):
        for line in lines:
            self.acknowledged.setdefault(identity(line), line)

    def acknowledge_answers(self, stdout, lines):
        """`lines` were given to metaspn-write --print=result: it answers in their order."""
        printed = answers(stdout)
        if [identity(line)[1] for line in lines[:len(printed)]] != [json.loads(answer["id"]) if answer["id"][:1] == '"'
                                                                   else answer["id"] for answer in printed]:
            raise Fault("the answers are not those of the events that were given")
        self.acknowledge(lines[:len(printed)])
        return printed

    def partitions(self):
        return {path.relative_to(self.store).as_posix(): path.read_bytes()
                for kind in KINDS for path in sorted((self.store / kind).glob("????-??-??.jsonl"))}

    def remember(self):
        self.before = self.partitions()

    def quarantined(self):
        folder = self.store / "quarantine"
        return {path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else set()

    def check(self, fsck=True):
        self.check_before()
        if fsck and has("fsck") and self.store.exists():
            expect(run(argv("fsck", "-C", self.workspace)), 0, 3)
        self.write_one_more()
        partitions = self.partitions()
        self.check_lines(partitions)
        self.check_replay(partitions)
        if fsck and has("fsck") and not self.lenient and not self.quarantined():
            expect(run(argv("fsck", "-C", self.workspace)), 0)

    def check_before(self):
        """What stood there in whole lines, or as a whole event, stands there still."""
        now = self.partitions()
        for name, old in self.before.items():
            whole = old if identity(old[old.rfind(b"\n") + 1:]) else old[:old.rfind(b"\n") + 1]
            if not now.get(name, b"").startswith(whole):
                raise Fault(f"{name}: old bytes have changed")

    def write_one_more(self):
        self.writes += 1
        lines = [make(f"judge-{self.writes}", time="23:59:59") for make in (signal, emission)]
        self.offer(lines)
        self.acknowledge_answers(expect(write(self.workspace, lines, "--print=result"), 0), lines)
        if len(self.acknowledged.keys() & map(identity, lines)) != len(lines):
            raise Fault("exit 0, and not every event was answered")

    def check_lines(self, partitions):
        known, seen = self.quarantined(), {}
        for name, content in partitions.items():
            if content and not content.endswith(b"\n"):
                raise Fault(f"{name}: an open end after a write")
            for line in content.split(b"\n"):
                key = identity(line)
                if line in known or line in self.allowed or not line.strip() or (self.lenient and key is None):
                    continue
                if line not in self.offered.get(key, ()):
                    raise Fault(f"{name}: a line that nobody wrote: {line[:300]!r}")
                if key in seen:
                    raise Fault(f"{name}: {key} stands there twice")
                seen[key] = line
        for key, line in self.acknowledged.items():
            if seen.get(key) != line and line not in self.allowed:
                raise Fault(f"{key} was acknowledged and is {'not the same' if key in seen else 'not there'}")

    def check_replay(self, partitions):
        wanted = sorted(line for content in partitions.values() for line in content.split(b"\n") if identity(line))
        for option in ("--order=append", "--no-index"):
            got = expect(run(argv("replay", "-C", self.workspace, "--kind=all", option)), 0, 3)
            if sorted(got.split(b"\n")[:-1]) != wanted:
                raise Fault(f"replay {option} does not print what stands there")


# ---- items


def scratch():
    """A fresh directory, in memory where there is room: what is tried here needs no disk."""
    memory = pathlib.Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 1 << 30
    return pathlib.Path(tempfile.mkdtemp(prefix="metaspn-torture-", dir=memory if roomy else None))


class Item:
    """One item of the run: counts trials and faults, says them in one line at the end, and gives the exit status.

    item.trials(function, cases): function(workspace, case) for each, each in a fresh directory `workspace`; it raises
    Fault, and may return how many things it tried.
    """

    def __init__(self, what):
        self.name = pathlib.Path(sys.argv[0]).stem
        self.what = what
        self.quick = "--quick" in sys.argv
        self.tried = 0
        self.faults = 0
        self.kept = scratch()
        atexit.register(shutil.rmtree, self.kept, ignore_errors=True)
        self.lock = threading.Lock()
        self.skipped = []
        self.told = {}  # faults that look alike: how many

    def skip(self, why):
        self.skipped.append(why)
        print(f"{self.name}: SKIPPED: {why}", flush=True)

    def fault(self, case, fault):
        with self.lock:
            self.faults += 1
            alike = re.sub(r"tmp\w+|\d+|b['\"].*", "", str(fault))
            self.told[alike] = self.told.get(alike, 0) + 1
            if self.told[alike] <= 2 and len(self.told) <= 20:
                print(f"{self.name}: FAULT: {case}: {fault}", flush=True)

    def trial(self, function, case):
        workspace = pathlib.Path(tempfile.mkdtemp(dir=self.kept))
        tried = 1
        try:
            tried = function(workspace, case) or 1
        except Fault as fault:
            self.fault(case, fault)
        with self.lock:
            self.tried += tried
        shutil.rmtree(workspace, ignore_errors=True)

    def trials(self, function, cases, workers=os.cpu_count() or 1):
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            for future in [pool.submit(self.trial, function, case) for case in cases]:
                future.result()

    def finish(self, figures=""):
        shutil.rmtree(self.kept, ignore_errors=True)
        skipped = f", SKIPPED: {'; '.join(self.skipped)}" if self.skipped else ""
        print(f"{self.name}: {self.what}: {self.tried} tried{figures}, {self.faults} faults{skipped}", flush=True)
        sys.exit(1 if self.faults else 0)
