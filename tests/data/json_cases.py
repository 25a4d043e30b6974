#!/usr/bin/env python3
"""Prints json_cases.inc: texts, what Python's json makes of them, and their canonical form.

    python3 tests/data/json_cases.py > tests/data/json_cases.inc

Each row is a text, its length in bytes (it may hold NULs), a verdict and the canonical form (NULL: not JSON):
REFUSED, or STORED (only what stands in the store may look so), or STRICT, or CANONICAL (STRICT, and already in that
form). Numbers go through as they are written: json.dumps() would change them.
"""
import json
import random
import sys
from json.encoder import encode_basestring_ascii

sys.setrecursionlimit(10000)


class Number(str):
    """A number, NaN or an infinity, as it is written."""


class Members(list):
    """An object's members in the order of the text, repeated ones too."""


DECODER = json.JSONDecoder(object_pairs_hook=Members, parse_float=Number, parse_int=Number, parse_constant=Number)


def canonical(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, Members):
        members = sorted(dict(value).items())
        return "{" + ",".join(f"{encode_basestring_ascii(name)}:{canonical(item)}" for name, item in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value)


def is_strict(value):
    if isinstance(value, Number):
        return value not in ("NaN", "Infinity", "-Infinity")
    if isinstance(value, Members):
        names = [name for name, _ in value]
        return len(set(names)) == len(names) and all(is_strict(item) for _, item in value)
    return not isinstance(value, list) or all(map(is_strict, value))


def row(text):
    try:
        value = DECODER.decode(text.decode("utf-8"))
    except ValueError:
        return f"{{{literal(text)}, {len(text)}, REFUSED, NULL}},"
    form = canonical(value).encode("ascii")
    verdict = "STORED" if not is_strict(value) else "CANONICAL" if form == text else "STRICT"
    return f"{{{literal(text)}, {len(text)}, {verdict}, {literal(form)}}},"


def literal(text):
    """A C string; octal escapes, because they end after three digits."""
    short = {0x22: '\\"', 0x5c: "\\\\", 0x3f: "\\?"}
    return '"' + "".join(short.get(c) or (chr(c) if 0x20 <= c < 0x7f else f"\\{c:03o}") for c in text) + '"'


VALUES = r"""
null true false 0 -0 1 -1 10 1.0 0.5 -0.5 1.10 1e5 1E5 1e+5 1e-5 1.5E-10 1e400 -1e-400 0e0 0.0 -0.0e-0 0.1000
123456789012345678901234567890 3.141592653589793238462643383279502884197 1e999999999999999999999 "" "a" "abc" [] {} [[]]
[{}] [1] [1,2] [null,true,false] {"a":1} {"a":[1,{"b":2}]} {"":0} {"a":{}} {"a":[]} [[[[[]]]]] [0,"",{},[]]
NaN Infinity -Infinity [NaN] {"a":-Infinity} [1,Infinity,2]
-NaN +NaN nan inf infinity -infinity +Infinity NaN1 Inf INFINITY -Inf
nul nulll nulL Null NULL n tru truE True TRUE t fals False falsey none undefined
01 00 -01 1. .5 -.5 1.e5 1e 1e+ 1E- 1e5.5 1.2.3 +1 ++1 --1 - -- -a 0x10 1_000 1f 1L 1a 0b1 012 -012 1e05 1e00 0.e1 1,5 ١
[ ] { } [[ ]] {{ }} [} {] [[] []] {"a":1}} {"a":{} ["a" {"a":[} [{] [1 [1, [1,] [,1] [,] [1,,2] [1;2] [1:2] [1}
{"a"} {"a":} {"a":1,} {,"a":1} {"a":1,,"b":2} {"a",1} {"a":1 {"a {"a" {"a": {:1} {"a"::1} {a:1} {'a':1} {1:1} {null:1}
{"a":1;"b":2} {"a":1:"b":2} {"a":1"b":2} {"a"1} [1"a"] ["a"1] ["a""b"] [1[2]] [[1]2] {"a":{}{}} {"a":1}[ {"a":1}x [](x)
"a "a' 'a' 'a" "\" "\\" "\\\" "\\\\" "\"" "\\"" "a"b "a""b" `a` a "a"" ""a ""
// /**/ [1//] /**/1 1/**/ #1 @ ! ~ ? = & | ^ % $ * ( ) < > ; : , . \ _
""".split()

SPACED = [
    b"", b" ", b"\n", b"\t\r\n ", b"\r", b" 1", b"1 ", b" 1 ", b"\t[\n]\r", b"[ ]", b"{ }", b"[ 1 ]", b"[1 ,2]", b"[1, 2]",
    b'{ "a":1}', b'{"a" :1}', b'{"a": 1}', b'{"a":1 }', b'{"a":1} ', b' {"a":1}', b'{"a":1 ,"b":2}', b'{"a":1, "b":2}',
    b'{"a":1}\r', b'{"a":1}\n', b"1 2", b"1\n2", b"[1 2]", b'{"a" "b"}', b'{"a":1 "b":2}', b"tr ue", b"- 1", b"1 .5", b"1 e5",
    b"\x0b1", b"1\x0b", b"[\x0c]", b"\xc2\xa01", b"\xe2\x80\xa8[]", b"\x00", b"1\x00", b"\x001", b"[1\x00]", b"[\x01]",
    b"\xef\xbb\xbf", b"\xef\xbb\xbf{}", b"{}\xef\xbb\xbf", b"\xff\xfe{\x00}\x00", b"\xfe\xff\x00{\x00}",
    b'{"a":"x y","b": "x y"}', b'{"a":[ ],"b":{ }}', b'{"a":[1,2 ],"b":{"c":1 }}',
    b" " * 100 + b"[" + b" " * 100 + b"]" + b" " * 100, b'{"a":' + b"\t\r\n " * 40 + b'1' + b"\n" * 70 + b"}",
]

SEQUENCES = [
    b"\x7f", b"\xc2\x80", b"\xdf\xbf", b"\xe0\xa0\x80", b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbf", b"\xef\xbb\xbf",
    b"\xf0\x90\x80\x80", b"\xf4\x8f\xbf\xbf", "é€😀".encode(), "日本語".encode(), b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xc2",
    b"\xc2A", b"\xc2\xc2", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xe1\x80", b"\xe1\x80A", b"\xe1A\x80", b"\xed\xa0\x80",
    b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb8\x80", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xf0\x9f\x98", b"\xf0\x9f",
    b"\xf0", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xff", b"\xf0\x9fA\x80",
]

ESCAPES = [
    r"\"", r"\\", r"\/", r"\b", r"\f", r"\n", r"\r", r"\t", r"\u0041", r"\u0000", r"\u001f", r"\u0020", r"\u007e", r"\u007f",
    r"\u0080", r"\u00e9", r"\u00E9", r"\u0022", r"\u005c", r"\u005C", r"\u002f", r"\u0008", r"\u0009", r"\u000a", r"\u000A",
    r"\u000b", r"\u000c", r"\u000d", r"\u2028", r"\ufeff", r"\uffff", r"\uFFFF", r"\ud800", r"\udbff", r"\udc00", r"\udfff",
    r"\ud83d\ude00", r"\uD83D\uDE00", r"\ud83d\ud83d", r"\ude00\ud83d", r"\ud83d\ud83d\ude00", r"\ud83dx\ude00", r"\ud83d\n",
    r"\ud800\udc00", r"\udbff\udfff", "\\ud83d\u00e9", r"\\u0041", r"\\\u0041", r"\a", r"\x41", r"\u", r"\u1", r"\u12", r"\u123",
    r"\u123g", r"\ug123", r"\u 123", r"\u+123", r"\u-123", r"\u0x1", r"\U0041", r"\0", r"\1", r"\'", r"\v", r"\e", "\\\n", "\\ ", "\\é",
    r"\u00", r"\ud83d\u", r"\ud83d\ude0", r"\ud83d\x", r"\N", r"\B", r"\u１２３４",
]

NAMES = [
    ["a", "b"], ["b", "a"], ["a", "a"], ["a", "aa"], ["aa", "a"], ["", "a"], ["a", ""], ["", ""], ["A", "a"], ["a", "A"], ["a", "B"],
    ["Z", "a"], ["10", "9"], ["9", "10"], ["a", r"\u0061"], [r"\u0061", "a"], [r"\u0061", r"\u0061"], ["b", r"\u0061"],
    [r"\u0061", "b"], ["é", r"\u00e9"], [r"\u00e9", r"\u00E9"], ["é", "e"], ["e", "é"], ["z", "é"], [r"\u00e9", "z"], ["z", r"\u00e9"],
    [r"\ud83d\ude00", r"\ue000"], [r"\ue000", r"\ud83d\ude00"], ["😀", "\ue000"], ["\ue000", "😀"], ["😀", r"\ud83d\ude00"],
    [r"\ud83d", r"\ud83d\ude00"], [r"\ud83d\ude00", r"\ud83d"], [r"\ud83d", r"\ue000"], [r"\ue000", r"\ud83d"], [r"\udc00", r"\ud800"],
    [r"\ud800", r"\udc00"], [r"\ud800", r"\ud800"], [r"\ud800", r"\uD800"], [r"\uffff", r"\ud800\udc00"], [r"\ud800\udc00", r"\uffff"],
    ["a", r"a\u0000"], [r"a\u0000", "a"], [r"\u0000", ""], ["", r"\u0000"], [r"a\u0000", r"a\u0000b"], [r"\u0000\u0000", r"\u0000"],
    ["12345678", "123456789"], ["123456789", "12345678"], ["12345678a", "12345678b"], ["12345678b", "12345678a"],
    ["12345678a", "12345678a"], ["1234567", "12345678"], ["12345678", "1234567"], ["entity_id", "entity_refs"],
    ["12345678", r"1234567\u0038"], [r"12345678\u0061", "12345678a"], [r"123456\u00e9", "123456é"], ["1234567é", r"1234567\u00e9"],
    ["1234567é", "1234567ê"], ["1234567ê", "1234567é"], [r"12345\ud83d\ude00", r"12345\ue000"], [r"\"", r"\u0022"], [r"\\", r"\u005c"],
    [r"\/", "/"], ["/", r"\/"], [r"\n", r"\u000a"], [r"\t", r"\n"], [r"\n", r"\t"], ["\x7f", r"\u007f"], ["a", "b", "c"], ["a", "c", "b"],
    ["c", "b", "a"], ["b", "a", "c"], ["a", "b", "a"], ["b", "a", "a"], ["a", "b", "b"], ["a", "b", "c", "d", "a"],
    [f"n{i:02}" for i in range(40)], [f"n{i * 17 % 40:02}" for i in range(40)], [f"n{i * 17 % 40:02}" for i in range(41)],
    [f"long_name_{i * 7 % 30}" for i in range(30)], [f"long_name_{i * 7 % 30}" for i in range(31)],
    [f"\\u00{0x61 + i * 11 % 25:02x}" for i in range(25)], [f"\\u00{0x61 + i * 11 % 25:02x}" for i in range(26)],
]

WORDS = ["a", "b", "é", "€", "😀", "\\n", '\\"', "\\\\", "\\u0061", "\\ud800", "\\udc00", "\\/", "\x7f", "\\u0000", "payload", "signal_id",
         "source", "\ue000", "\\u000A", "12345678", " ", "/", "{", "}", "[", "]", ",", ":"]
SCALARS = ["null", "true", "false", "0", "-0", "1", "-1.5", "1e400", "1E-7", "123456789012345678901234567890", "0.1", "1.10"]


def string(chance):
    return '"' + "".join(chance.choices(WORDS, k=chance.choice([0, 1, 1, 2, 3, 5, 12]))) + '"'


def document(chance, depth, space):
    def gap():
        return chance.choice([" ", "\t", "\n", "\r\n", "  "]) if chance.random() < space else ""
    kind = chance.random()
    if depth == 0 or kind < 0.4:
        return gap() + (string(chance) if kind < 0.2 else chance.choice(SCALARS)) + gap()
    items = chance.choice([0, 1, 2, 3, 5])
    values = [document(chance, depth - 1, space) for _ in range(items)]
    if kind < 0.6:
        return gap() + "[" + ",".join(values) + ("" if values else gap()) + "]" + gap()
    names = [string(chance) for _ in values]
    if chance.random() < 0.5:
        names = sorted(set(names), key=json.loads)
    members = [gap() + name + gap() + ":" + value for name, value in zip(names, values)]
    return gap() + "{" + ",".join(members) + ("" if members else gap()) + "}" + gap()


def texts():
    yield from (value.encode() for value in VALUES)
    yield from SPACED
    for padding in (0, 13, 61):
        x = b"x" * padding
        for inside in SEQUENCES + [escape.encode() for escape in ESCAPES]:
            yield b'["' + x + inside + b'"]'
            if padding in (0, 61):
                yield b'{"' + x + inside + b'":"' + inside + x + b'"}'
    for c in [*range(0x21), 0x7f]:
        yield b'{"a":"' + bytes([c]) + b'"}'
        yield b'{"a":' + bytes([c]) + b'"b"}'
    for names in NAMES:
        members = [f'"{name}":{i}' for i, name in enumerate(names)]
        yield ("{" + ",".join(members) + "}").encode()
        yield ('{"x":[{' + ", ".join(members) + "}]}").encode()
    chance = random.Random(1)
    for i in range(160):
        yield document(chance, 3, 0 if i % 2 else 0.2).encode()


if __name__ == "__main__":
    print("/* Made by json_cases.py. */")
    for text in dict.fromkeys(texts()):
        print(row(text))
