"""What commands do to files, recorded from strace, and the states that a crash may leave of it.

The model is that of ALICE: the kernel may have written any of what was not synced. A write or truncation is certain once
the file was synced after it, a name (made, replaced, removed) once its directory was. After a failed sync the kernel takes
the pages for clean: no later sync makes them certain, only writing them anew does.
"""

import random
import re
import tempfile

import judge

CALLS = "openat,openat2,mkdirat,write,pwrite64,ftruncate,fdatasync,fsync,renameat,renameat2,unlinkat,exit_group"
LINE = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)(?:<([^>]*)>)?( .*)?$")


def plain(text):
    """A string as strace -xx prints it."""
    return bytes.fromhex(text.replace("\\x", ""))


class Op:
    """One step: kind is one of write truncate sync failed-sync (of a file, an inode number), make-directory create rename
    unlink sync-directory (of paths), acknowledge (of lines), document (path, content or None), settle."""

    def __init__(self, kind, *what):
        self.kind, self.what = kind, what
        self.certain = None  # the index of the op that made it so

    def __repr__(self):
        return f"{self.kind} {' '.join(repr(part)[:60] for part in self.what)}"


class Recording:
    def __init__(self, workspace):
        self.root = str(workspace)
        self.ops = []
        self.inodes = {}  # path below the workspace: inode
        self.folders = {""}
        self.sizes = {}  # of inodes
        self.judge = judge.Judge(workspace)

    # ---- what happens

    def add(self, kind, *what):
        self.ops.append(Op(kind, *what))

    def run(self, command, data=b"", inject=(), lines=(), document=None, printed=False,
            unacknowledged=False):
        """Runs a command under strace. What exit 0 acknowledges: `lines`, and the document as it then is; `printed`: the
        answers on stdout acknowledge the lines one after the other."""
        self.judge.offer(lines)
        with tempfile.NamedTemporaryFile("r") as log:
            options = [part for what in inject for part in ("-e", "inject=" + what)]
            result = judge.run(["strace", "-qq", "-y", "-xx", "-s", "1000000", "-o", log.name, "-e", "trace=" + CALLS,
                                *options, *command], data)
            waiting = list(lines)
            for text in log:
                found = LINE.match(text)
                if found:
                    self.take(found, waiting if printed else None)
        if result.returncode == 0 and not unacknowledged:
            self.add("acknowledge", list(lines))
            if document:
                path = self.judge.workspace / document
                self.add("document", document, path.read_bytes() if path.exists() else None)
        return result

    def write(self, lines, *options, **more):
        return self.run(judge.argv("write", "-C", self.root, *options), judge.joined(lines), lines=lines,
                        printed="--print=result" in options, **more)

    def append(self, path, data, lines=()):
        """A writer without lock, who syncs nothing."""
        self.judge.allow(lines)
        target = self.judge.workspace / path
        for parent in reversed(target.relative_to(self.root).parents):
            if str(parent) not in ("", ".") and str(parent) not in self.folders:
                (self.judge.workspace / parent).mkdir()
                self.folders.add(str(parent))
                self.add("make-directory", str(parent))
        if path not in self.inodes:
            self.create(path)
        with open(target, "ab") as file:
            file.write(data)
        self.extend(self.inodes[path], data)

    def settle(self):
        """All that was done so far has reached the disk."""
        self.add("settle")

    # ---- what strace saw of it

    def below(self, path):
        """A path below the workspace, relative to it; None elsewhere."""
        if path == self.root:
            return ""
        return path[len(self.root) + 1:] if path.startswith(self.root + "/") else None

    def create(self, path):
        self.inodes[path] = len(self.sizes)
        self.sizes[self.inodes[path]] = 0
        self.add("create", path, self.inodes[path])

    def extend(self, inode, data, offset=None):
        offset = self.sizes[inode] if offset is None else offset
        self.add("write", inode, offset, data)
        self.sizes[inode] = max(self.sizes[inode], offset + len(data))

    def take(self, found, waiting):
        call, text, result, _, _ = found.groups()
        result = int(result)
        places = [plain(place).decode() for place in re.findall(r"<((?:\\x..)+)>", text)]
        strings = [plain(string) for string in re.findall(r'"((?:\\x..)*)"', text)]
        if call == "write" and waiting is not None and text.startswith("1<") and result > 0:
            count = strings[0][:result].count(b"\n")
            self.add("acknowledge", waiting[:count])
            del waiting[:count]
        place = self.below(places[0]) if places else None
        if place is None or (result < 0 and call not in ("fsync", "fdatasync")):
            return
        names = [(place + "/" if place else "") + string.decode() for string in strings[:1]] if "at" in call else []
        if call in ("openat", "openat2") and "O_CREAT" in text and names[0] not in self.inodes:
            self.create(names[0])
        elif call == "mkdirat":
            self.folders.add(names[0])
            self.add("make-directory", names[0])
        elif call == "write" and place in self.inodes:
            self.extend(self.inodes[place], strings[0][:result])
        elif call == "pwrite64" and place in self.inodes:
            self.extend(self.inodes[place], strings[0][:result], int(text.rsplit(", ", 1)[1]))
        elif call == "ftruncate" and place in self.inodes:
            self.sizes[self.inodes[place]] = int(text.rsplit(", ", 1)[1])
            self.add("truncate", self.inodes[place], self.sizes[self.inodes[place]])
        elif call in ("fsync", "fdatasync") and place in self.inodes:
            self.add("sync" if result == 0 else "failed-sync", self.inodes[place])
        elif call == "fsync" and place in self.folders and result == 0:
            self.add("sync-directory", place)
        elif call in ("renameat", "renameat2"):
            new = self.below(places[1]) + "/" + strings[1].decode()
            self.inodes[new] = self.inodes.pop(names[0])
            self.add("rename", names[0], new)
        elif call == "unlinkat":
            self.inodes.pop(names[0], None)
            self.add("unlink", names[0])

    # ---- what a crash may leave

    def mark_certain(self):
        """For each op, the first later op that made sure of it."""
        for later, sync in enumerate(self.ops):
            for op in self.ops[:later]:
                if op.certain is None and self.makes_certain(sync, op):
                    op.certain = later
                elif sync.kind == "failed-sync" and op.certain is None and op.kind == "write" and op.what[0] == sync.what[0]:
                    op.certain = -1  # never

    @staticmethod
    def makes_certain(sync, op):
        if sync.kind == "settle":
            return True
        if sync.kind == "sync":
            return op.kind in ("write", "truncate") and op.what[0] == sync.what[0]
        return sync.kind == "sync-directory" and op.kind in ("make-directory", "create", "rename", "unlink") and \
            op.what[0].rpartition("/")[0] == sync.what[0]

    def pending(self, point):
        """Those of the first `point` ops that may not have reached the disk."""
        return [n for n, op in enumerate(self.ops[:point]) if op.kind in CHANGES and
                (op.certain is None or op.certain < 0 or op.certain >= point)]

    def states(self, limit, seed):
        """(point, what is special, {n: how}) of crash states, at most about `limit`: how is a number of bytes that were
        written, "zeros" for a length without its bytes, or None for what was not written at all."""
        every, some = [], []
        for point in range(1, len(self.ops) + 1):
            if self.ops[point - 1].kind == "settle":
                continue
            pending = self.pending(point)
            data = [n for n in pending if self.ops[n].kind in ("write", "truncate")]
            every.append((point, "all", {}))
            every.append((point, "nothing pending", dict.fromkeys(pending)))
            every.append((point, "names without bytes", dict.fromkeys(data)))
            every.append((point, "bytes without names", {n: None for n in pending if n not in data}))
            for n in pending:
                found = every if self.is_truth(n) else some
                found.append((point, "dropped", {n: None}))
                found.append((point, "alone", {other: None for other in pending if other != n}))
                if self.ops[n].kind == "write":
                    length = len(self.ops[n].what[2])
                    found += [(point, "torn", {n: part}) for part in {1, length // 2, length - 1, length // 4096 * 4096}]
                    found.append((point, "zeros", {n: "zeros"}))
        random.Random(seed).shuffle(some)
        random.Random(seed).shuffle(every)
        every.sort(key=lambda state: state[0] != len(self.ops) or len(state[2]) < 2)  # what is most telling comes first
        return (every + some[:max(limit // 4, limit - len(every))])[:limit] if limit else every + some

    def is_truth(self, n):
        """The op is not one of the index."""
        what = self.ops[n].what[0]
        if isinstance(what, int):
            what = next((op.what[0] for op in self.ops if op.kind == "create" and op.what[1] == what), "")
        return "/index" not in what

    def build(self, point, how):
        """The files, {path: content}, folders included ({path: None}), after a crash."""
        names, contents = {"": None}, {}
        for n, op in enumerate(self.ops[:point]):
            kept = how.get(n, "all")
            if kept is None or op.kind not in CHANGES:
                continue
            if op.kind == "make-directory":
                names[op.what[0]] = None
            elif op.kind == "create":
                names[op.what[0]] = op.what[1]
            elif op.kind == "rename" and op.what[0] in names:
                names[op.what[1]] = names.pop(op.what[0])
            elif op.kind == "unlink":
                names.pop(op.what[0], None)
            elif op.kind == "write":
                overwrite(contents.setdefault(op.what[0], bytearray()), op.what[1], op.what[2], kept)
            elif op.kind == "truncate":
                content = contents.setdefault(op.what[0], bytearray())
                del content[op.what[1]:]
                content.extend(bytes(op.what[1] - len(content)))
        reachable = {path: inode for path, inode in names.items()
                     if all(parent in names for parent in parents(path))}
        return {path: None if inode is None else bytes(contents.get(inode, b"")) for path, inode in reachable.items()}


CHANGES = {"write", "truncate", "make-directory", "create", "rename", "unlink"}


def parents(path):
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def overwrite(content, offset, data, kept):
    """A write of which `kept` bytes arrived; of "zeros" only the length did."""
    if kept == "zeros":
        data = bytes(len(data))
    elif kept != "all":
        data = data[:kept]
    content.extend(bytes(max(0, offset - len(content))))
    content[offset:offset + len(data)] = data
