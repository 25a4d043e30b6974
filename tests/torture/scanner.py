#!/usr/bin/env python3
"""R9: our scanner against Python's json on generated and mutated lines: the same verdict, the same canonical bytes.

Where they may differ: a nesting deeper than 512 is refused on input, and one that Python cannot follow is left out;
repeated members, NaN and the infinities are refused on input, as the specification says, and let through in the store.
"""

import concurrent.futures
import os
import random
import sys

import judge

sys.path.insert(0, str(judge.ROOT / "tests/data"))
import json_cases  # noqa: E402  (a verdict and a canonical form by Python's json, numbers as they are written)

LINES = 1_000_000
CHUNK = 20_000
MAX_DEPTH = 512

PIECES = [b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u", b"\\ud83d\\ude00", b"\\ud800", b"\\udc00", b"\\u0061",
          b"\\u00e9", b"\\/", b"\\n", b"\\x", b"-", b"-0", b"0", b"01", b"1.", b".5", b"1e", b"1e+5", b"1E400", b"1.10",
          b"null", b"nul", b"true", b"false", b"NaN", b"Infinity", b"-Infinity", b" ", b"\t", b"\r", b"\x00", b"\x1f",
          b"\x7f", b"\xc3\xa9", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xf4\x90\x80\x80", b"\xc0\x80",
          b"\xef\xbb\xbf", b'"a":', b'"a":1,', b'"":', b"{}", b"[]", b"[" * 9, b'"payload":{"a":[', b"x" * 70]
NAMES = ["a", "b", "payload", "signal_id", "timestamp", "", "é", "\U0001f600", "\ue000", "\ud800", "a.b", "aa", "signal_key",
         "n" * 16, "payload_type", "\x00"]
NUMBERS = ["0", "-0", "1", "1.0", "1.10", "-12.5e-7", "1e400", "123456789012345678901234567890", "0.1E+2"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def space(self):
        return self.random.choice(["", "", "", "", " ", "\t", "  ", "\r "])

    def character(self, character):
        kind = self.random.random()
        code = ord(character)
        if kind < 0.1 or code < 32 or character in '"\\' or 0xD800 <= code < 0xE000:
            if code > 0xFFFF:
                code -= 0x10000
                return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04X}"
            return f"\\u{code:04{self.random.choice('xX')}}"
        return character

    def string(self):
        if self.random.random() < 0.5:
            text = self.random.choice(NAMES)
        else:
            text = "".join(self.random.choice('ab cé\n"\\/\x7f\u2028\U0001f600\ud801') for _ in range(self.random.randrange(90)))
        return '"' + "".join(map(self.character, text)) + '"'

    def value(self, depth):
        kind = self.random.randrange(8 if depth > 0 else 5)
        if kind < 2:
            return self.string()
        if kind < 4:
            return self.random.choice(NUMBERS)
        if kind == 4:
            return self.random.choice(["null", "true", "false", "null", "NaN"])
        return self.object(depth) if kind > 5 else self.array(depth)

    def array(self, depth):
        items = (self.space() + self.value(depth - 1) + self.space() for _ in range(self.random.randrange(4)))
        return "[" + ",".join(items) + "]"

    def object(self, depth):
        names = self.random.sample(NAMES, self.random.randrange(7))
        if self.random.random() < 0.03:
            names += names[:1]
        if self.random.random() < 0.5:
            names.sort()
        members = (self.space() + '"' + "".join(map(self.character, name)) + '"' + self.space() + ":" + self.space() +
                   self.value(depth - 1) for name in names)
        return "{" + ",".join(members) + self.space() + "}"

    def event(self):
        return judge.signal(self.string(), payload={name: self.random.random() for name in self.random.sample("abcxyz", 3)})

    def deep(self):
        depth = self.random.choice([100, 511, 512, 513, 700])
        return b"[" * depth + b"]" * (depth - (self.random.random() < 0.1))

    def line(self):
        kind = self.random.random()
        if kind < 0.002:
            return self.deep()
        if kind < 0.1:
            return self.event()
        if kind < 0.15:
            return (self.space() + self.value(3) + self.space()).encode("utf-8", "surrogatepass")
        return self.object(3).encode("utf-8", "surrogatepass")

    def mutated(self, line):
        line = bytearray(line)
        for _ in range(self.random.choice([1, 1, 1, 2, 5])):
            at = self.random.randrange(len(line) + 1)
            kind = self.random.randrange(5)
            if kind == 0:
                line[at:at] = self.random.choice(PIECES)
            elif kind == 1:
                line[at:at + self.random.choice([1, 1, 2, 7])] = b""
            elif kind == 2:
                line[at:at + 1] = bytes([self.random.randrange(256)])
            elif kind == 3:
                start = self.random.randrange(len(line) + 1)
                line[at:at] = line[start:start + self.random.randrange(20)]
            else:
                line[at:at + 1] = self.random.choice(PIECES)
        return bytes(line).replace(b"\n", b" ")

    def lines(self, count):
        for _ in range(count):
            line = self.line()
            yield line if self.random.random() < 0.4 else self.mutated(line)


def depth_of(value):
    """Of what json_cases.DECODER makes, without recursion."""
    deepest, level = 0, [value]
    while level := [value for value in level if isinstance(value, list)]:
        deepest += 1
        level = [inner for value in level
                 for inner in ([item for _, item in value] if isinstance(value, json_cases.Members) else value)]
    return deepest


def verdict(line):
    """By Python: what scan_lines should print; None where Python cannot tell."""
    try:
        value = json_cases.DECODER.decode(line.decode("utf-8"))
        form = json_cases.canonical(value).encode("ascii")
    except ValueError:
        return b"R "
    except RecursionError:
        return None
    if not json_cases.is_strict(value) or depth_of(value) > MAX_DEPTH:
        return b"W " + form
    return (b"C " if form == line else b"S ") + form


def compare(program, seed, count):
    """(how many, of which are JSON, the faults)"""
    lines = list(Generator(seed).lines(count))
    result = judge.run([program], judge.joined(lines), timeout=600)
    if result.returncode != 0:
        return count, 0, [f"seed {seed}: exit status {result.returncode}: {result.stderr[-2000:]!r}"]
    answers = result.stdout.split(b"\n")[:-1]
    if len(answers) != count:
        return count, 0, [f"seed {seed}: {len(answers)} answers"]
    good, faults = 0, []
    for line, answer in zip(lines, answers):
        got, _, difference = answer.partition(b"\t")
        wanted = verdict(line)
        good += got != b"R "
        if difference or (wanted is not None and got != wanted):
            faults.append(f"{line!r}: {got!r}, Python: {wanted!r} {difference.decode()}")
    return count, good, faults


def main():
    item = judge.Item("the scanner against Python's json")
    tree = judge.pathlib.Path(os.environ.get("METASPN_BUILD") or judge.ROOT / ".build/test")
    program = str(tree / "tests/scan_lines")
    lines, chunk = (12_000, 3_000) if item.quick else (LINES, CHUNK)
    good = 0
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for tried, of_them, faults in pool.map(compare, *zip(*((program, seed, chunk) for seed in range(lines // chunk)))):
            item.tried += tried
            good += of_them
            for fault in faults:
                item.fault("differs", fault)
    item.finish(f", {good} of them JSON")


if __name__ == "__main__":
    main()
