#!/usr/bin/env python3
"""Power cuts on loop-mounted ext4 and xfs, while writers, a worker, snapshots and fsck --repair are at it.

A cut is the file systems' own shutdown without a flush of their log: from then on nothing reaches the disk. The file system
is unmounted and mounted again, as after a reboot; then what every process had acknowledged before the cut is judged. An
answer that comes while it is made counts for nothing: on xfs a sync that is overtaken by the shutdown may return 0.
"""

import contextlib
import fcntl
import itertools
import os
import random
import signal as signals
import struct
import subprocess
import sys
import threading
import time

import judge
from judge import Fault, emission, signal

CUTS, QUICK_CUTS = 200, 4  # of each file system
CUTS_OF_A_STORE = 10  # then a new one, for judging takes as long as the store is large
GOING_DOWN, WITHOUT_LOG = 0x8004587D, 2  # XFS_IOC_GOINGDOWN and EXT4_IOC_SHUTDOWN
SYSTEMS = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"]}
SIZE = 320 << 20  # the least that mkfs.xfs takes; the image is sparse
DAYS = ["2026-02-04", "2026-02-05", "2026-02-06"]
SNAPSHOT = "store/snapshots/s__2026-02-05.json"


class Disk:
    """An image with a file system, mounted."""

    def __init__(self, system, folder):
        self.image, self.place = folder / f"{system}.img", folder / system
        self.place.mkdir()
        with open(self.image, "wb") as file:
            file.truncate(SIZE)
        subprocess.run([*SYSTEMS[system], self.image], check=True, capture_output=True)
        self.mount()

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.place], check=True, capture_output=True)

    def unmount(self):
        subprocess.run(["umount", self.place], check=True, capture_output=True)

    def cut(self):
        directory = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(directory, GOING_DOWN, struct.pack("I", WITHOUT_LOG))
        finally:
            os.close(directory)

    def remove(self):
        subprocess.run(["umount", "--lazy", self.place], check=False, capture_output=True)
        self.image.unlink()


class Events:
    """What is written: every id has one content, and some come again."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.numbers = itertools.count()
        self.old = []
        self.lock = threading.Lock()

    def some(self, least, most):
        with self.lock:
            lines = []
            for _ in range(self.dice.randrange(least, most)):
                if self.old and self.dice.randrange(4) == 0:
                    lines.append(self.dice.choice(self.old[-60:]))
                    continue
                number = next(self.numbers)
                text = "x" * self.dice.choice([0, 10, 100, 1500])
                lines.append((signal, signal, emission)[number % 3](f"e{number}", self.dice.choice(DAYS),
                                                                    payload={"n": number, "text": text}))
                self.old.append(lines[-1])
            return lines


class Life:
    """A store, what is done to it until the power goes, and what was acknowledged by then."""

    def __init__(self, disk, workspace, seed):
        self.disk, self.workspace = disk, workspace
        workspace.mkdir()
        self.judge = judge.Judge(workspace)
        self.events = Events(seed)
        self.lock = threading.Lock()
        self.off = threading.Event()
        self.running = set()
        self.handed_out, self.passed = set(), set()  # lines that the worker was given; that its checkpoint has passed
        self.snapshots = [None]  # contents that may stand there: the one acknowledged last, and those tried since
        self.answered = 0
        self.faults = []
        disk.unmount()  # the workspace's own name is the caller's to sync
        disk.mount()

    # ---- what is done

    def start(self, command, **options):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   env=judge.environment(), **options)
        with self.lock:
            self.running.add(process)
        return process

    def run(self, command, data=b""):
        process = self.start(command)
        stdout, _ = process.communicate(data)
        with self.lock:
            self.running.discard(process)
        return process.returncode, stdout

    def offer(self, lines):
        with self.lock:
            self.judge.offer(lines)
        return lines

    def acknowledge(self, lines):
        with self.lock:
            self.judge.acknowledge(lines)

    def write(self):
        """One run after the other; exit 0 acknowledges."""
        lines = self.offer(self.events.some(1, 40))
        if self.run(judge.argv("write", "-C", self.workspace), judge.joined(lines))[0] == 0 and not self.off.is_set():
            self.acknowledge(lines)
            self.answered += len(lines)

    def write_without_sync(self):
        """Acknowledges nothing."""
        lines = self.offer(self.events.some(1, 40))
        self.run(judge.argv("write", "-C", self.workspace, "--no-sync"), judge.joined(lines))

    def stream(self):
        """One process that is given events a few at a time, and answers as it stores them."""
        process = self.start(judge.argv("write", "-C", self.workspace, "--print=result"))
        given = []

        def feed():
            with contextlib.suppress(OSError):
                while not self.off.is_set():
                    lines = self.offer(self.events.some(1, 6))
                    given.extend(lines)
                    process.stdin.write(judge.joined(lines))
                    process.stdin.flush()
                    time.sleep(0.004)
            with contextlib.suppress(OSError):
                process.stdin.close()

        feeder = threading.Thread(target=feed)
        feeder.start()
        printed = b""
        for answer in process.stdout:
            if not self.off.is_set():
                printed += answer
                self.answered += 1
        feeder.join()
        process.wait()
        with self.lock:
            self.judge.acknowledge_answers(printed, given)

    def work(self):
        """A worker's loop."""
        status, batch = self.run(judge.argv("replay", "-C", self.workspace, "--kind=signals", "--checkpoint=w", "-n25",
                                            f"--next={self.workspace}/next"))
        lines = set(batch.split(b"\n")[:-1])
        self.handed_out |= lines
        if status == 0 and self.run(judge.argv("checkpoint", "-C", self.workspace, "advance", "w",
                                               f"--to={self.workspace}/next"))[0] == 0 and not self.off.is_set():
            self.passed |= lines

    def snapshot(self):
        content = b'{"n":%d,"text":"%s"}' % (next(self.events.numbers), b"y" * self.events.dice.choice([0, 9000]))
        self.snapshots.append(b'{"day":"2026-02-05","report":%s,"schema_version":"0.1"}\n' % content)
        if self.run(judge.argv("snapshot", "-C", self.workspace, "write", "s", "--day=today"), content)[0] == 0 and \
                not self.off.is_set():
            self.snapshots = self.snapshots[-1:]

    def repair(self):
        self.run(judge.argv("fsck", "-C", self.workspace, "--repair"))

    def again_and_again(self, step):
        try:
            while not self.off.is_set():
                step()
        except Fault as fault:
            self.faults.append(fault)

    def wait_for_some(self):
        """Until so many more events were acknowledged (or too few for long), and a moment longer."""
        wanted = self.answered + self.events.dice.randrange(60)
        for _ in range(200):
            if self.answered >= wanted:
                break
            time.sleep(0.01)
        time.sleep(self.events.dice.random() * 0.05)

    def until_the_power_goes(self):
        self.off.clear()
        steps = [self.write, self.write_without_sync, self.stream, self.work, self.snapshot]
        if self.events.dice.randrange(3) == 0:
            steps.append(self.repair)
        threads = [threading.Thread(target=self.again_and_again, args=(step,)) for step in steps]
        for thread in threads:
            thread.start()
        self.wait_for_some()
        self.off.set()  # before the cut: what is acknowledged by now is judged
        self.disk.cut()
        time.sleep(0.02)
        with self.lock:
            for process in self.running:
                process.send_signal(signals.SIGKILL)
        for thread in threads:
            thread.join()
        self.running.clear()
        self.disk.unmount()
        self.disk.mount()
        if self.faults:
            raise self.faults[0]

    # ---- what is there afterwards

    def check(self, turn):
        self.judge.remember()
        self.check_worker()
        self.check_snapshot()
        self.check_index()
        self.judge.check(fsck=turn % 3 == 0)
        self.judge.remember()

    def check_worker(self):
        """What the checkpoint has passed is not due again, and what is not due was handed out."""
        due = judge.expect(judge.run(judge.argv("replay", "-C", self.workspace, "--kind=signals", "--checkpoint=w", "-q")), 0)
        due = set(due.split(b"\n")[:-1])
        if self.passed & due:
            raise Fault(f"the checkpoint was advanced, and is behind again: {next(iter(self.passed & due))[:200]!r}")
        stored = judge.expect(judge.run(judge.argv("replay", "-C", self.workspace, "-q")), 0)
        missed = set(stored.split(b"\n")[:-1]) - due - self.handed_out
        if missed:
            raise Fault(f"the checkpoint has passed what no worker was given: {next(iter(missed))[:200]!r}")

    def check_snapshot(self):
        path = self.workspace / SNAPSHOT
        content = path.read_bytes() if path.exists() else None
        if content not in self.snapshots:
            raise Fault(f"{path.name} is neither what was acknowledged nor what came after it: {content}")
        self.snapshots = [content]

    def check_index(self):
        """The same answers with what is left of the index as without."""
        question = self.events.dice.choice([["--source=torture", "--order=append"], ["--count"], ["--tail=7"],
                                            [f"--id=e{self.events.dice.randrange(1, 200)}"]])
        with_index, without = (judge.expect(judge.run(judge.argv("replay", "-C", self.workspace, "-q", "--kind=all", *question,
                                                                 *more)), 0) for more in ([], ["--no-index"]))
        if with_index != without:
            raise Fault(f"replay {' '.join(question)}: the index makes a difference")


def cuts(disk, seed, count, tell):
    life = Life(disk, disk.place / f"ws-{seed}", seed)
    try:
        for turn in range(count):
            life.until_the_power_goes()
            life.check(turn)
            tell(len(life.judge.acknowledged))
    finally:
        judge.shutil.rmtree(life.workspace, ignore_errors=True)


def try_system(item, system, wanted):
    """How many cuts there were, and after how many events acknowledged."""
    disk = Disk(system, item.kept)
    done, acknowledged = [], 0
    try:
        for seed in itertools.count(1):
            count = min(CUTS_OF_A_STORE, wanted - len(done))
            if count <= 0 or item.faults >= 10:
                break
            before = len(done)
            try:
                cuts(disk, seed, count, done.append)
            except Fault as fault:
                done.append(0)
                item.fault(f"{system}, store {seed}, cut {len(done) - before}", fault)
            acknowledged += max(done[before:])
    finally:
        disk.remove()
    item.tried += len(done)
    return len(done), acknowledged


def why_not(system, folder):
    """Why this file system cannot be tried here; None where it can."""
    if os.geteuid() != 0:
        return "only root may mount"
    program = SYSTEMS[system][0]
    if not judge.shutil.which(program):
        return f"there is no {program}"
    try:
        disk = Disk(system, folder)
    except subprocess.CalledProcessError as error:
        return f"{error.cmd[0]}: {error.stderr.decode().strip()}"
    try:
        disk.cut()
    except OSError as error:
        return f"the file system cannot be shut down: {error}"
    finally:
        disk.remove()
        judge.shutil.rmtree(disk.place, ignore_errors=True)
    return None


def mount_alone():
    """What is mounted is seen by this process and its children only, and goes with them."""
    alone = ["unshare", "--mount"]
    if "POWERCUT_ALONE" in os.environ or not judge.shutil.which(alone[0]):
        return
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0:
        os.execvpe(alone[0], [*alone, sys.executable, *sys.argv], os.environ | {"POWERCUT_ALONE": "1"})


def main():
    mount_alone()
    item = judge.Item("power cuts on loop-mounted file systems")
    figures = []
    for system in SYSTEMS:
        why = why_not(system, item.kept)
        if why:
            item.skip(f"{system}: {why}")
            continue
        count, acknowledged = try_system(item, system, QUICK_CUTS if item.quick else CUTS)
        figures.append(f"{count} on {system}, {acknowledged} events acknowledged")
    item.finish(f" ({'; '.join(figures)})" if figures else "")


if __name__ == "__main__":
    main()
