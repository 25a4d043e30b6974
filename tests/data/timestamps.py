#!/usr/bin/env python3
"""Prints timestamps.inc: texts, and what Python 3.11 makes of them as the time of a stored event.

    python3.11 tests/data/timestamps.py > tests/data/timestamps.inc

Each row is a text, its length in bytes (it may hold NULs) and microseconds since the epoch, or REFUSED.
"""
import random
import sys
from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
FIRST = datetime(1, 1, 1, tzinfo=timezone.utc)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone.utc)

DATES = ["2026-02-05", "20260205", "2026-0205", "202602-05", "2026-2-5", "26-02-05", "2026-02", "2026", "",
         "2024-02-29", "20240229", "2025-02-29", "1900-02-29", "2000-02-29", "2100-02-29", "0001-01-01", "9999-12-31",
         "0000-01-01", "2026-00-05", "2026-13-05", "2026-02-00", "2026-04-31", "2026/02/05", "-2026-02-05",
         "12026-02-05", " 2026-02-05", "2026-02-05 ", "2026-02-05T", "20260205T", "2026-036", "2026036"]

CLOCKS = ["10", "10:30", "10:30:15", "1030", "103015", "10:3015", "1030:15", "1", "10:3", "10:30:1", "103", "10301",
          "10:", "10:30:", "10:30:15:", "24", "24:00", "24:00:00", "23:59:59", "235959", "23:60", "23:59:60", "23:59:61",
          "-1:00", "+1:00", "1O:30", " 10:30", "10:30 ", "10 :30", "10.30.15", "10-30"]

FRACTIONS = [".1", ".12", ".123", ".1234", ".12345", ".123456", ".1234567", ".123456789012345678901234567890", ",1",
             ",123456789", ".", ",", ".x", ".12x", ".123456x", ".12345x", ":1", ":123456", " 1", ".1.2", ".-1", ".999999",
             ".9999999", "123", "123456", "1", "12"]

OFFSETS = ["Z", "z", "ZZ", "+00:00", "-00:00", "+0000", "+00", "+01:00", "-01:00", "+0100", "+01", "+01:30:15",
           "+013015", "+01:30:15.5", "+01:30:15,123456", "+01:30:15.1234567", "-00:00:00.5", "+00:00:01.5", "+23:59",
           "-23:59", "+23:59:59.999999", "-23:59:59.999999", "+24:00", "-24:00", "+23:60", "+00:99", "+00:1439", "+99:99",
           "+1", "+1:00", "+01:0", "+01:", "+", "-", "+-01:00", "+01:00Z", "+01:00+01:00", "Z+01:00", " +01:00", " Z",
           "UTC", "+01:00 ", "+01:60", "+01.5", "+01:00.25", "+01:30:15:5", "x+01:00", "xx+01:00", "\u2212" "01:00"]

SEPARATORS = ["T", "t", " ", "_", "x", "0", "Z", "-", "+", ":", "\t", "\0", "\u00e9", "\u20ac", "\U0001f600", "\ud800",
              "\udfff", "  ", "TT", "\u00e9\u00e9", "\ud800\ud800"]

ODD = ["2026-02-05T10:30\0", "2026-02-05T10:30:15\0", "2026-02-05T10:30:15\0\0", "2026-02-05\0", "2026-02-05T10:30Z\0Z",
       "2026-02-05T10:30:15.123456\0x", "2026-02-05T10:30:15.12345\0", "2026-02-05T10:30+01:00:00.123456\0x",
       "2026-02-05T10:30:15.123456\u00e9+01:00", "2026-02-05T10:30:15.123456\ud800+01:00",
       "2026-02-05T10:30:15.12345\u00e9+01:00", "2026-02-05Z", "20260205Z", "2026-02-05+01:00", "2026-02-05-10:30",
       "2026-02-05 10:30-", "now", "1770285600", "0001-01-01T00:00:00+00:01", "0001-01-01T00:01:00+00:01",
       "0001-01-01T00:00:00-23:59", "9999-12-31T23:59:59.999999-00:01", "9999-12-31T23:58:59.999999-00:01",
       "9999-12-31T23:59:59.999999+23:59", "2024-02-29T23:30:00-00:30", "2024-03-01T00:15:00+00:30",
       "2023-03-01T00:15+0030", "2025-12-31T23:59:59.999999-00:00:01", "2026-01-01T00:00:00.5+00:00:01"]


def cases():
    yield from DATES
    for date in DATES:
        yield date + "T10:30:15+01:00"
    for clock in CLOCKS:
        for text in ("2026-02-05T" + clock, "20260205T" + clock + "Z"):
            yield text
    for fraction in FRACTIONS:
        for clock in ("10", "10:30", "10:30:15", "103015"):
            yield "2026-02-05T" + clock + fraction
        yield "2026-02-05T10:30:15" + fraction + "-02:00"
    for offset in OFFSETS:
        for clock in ("10", "10:30:15", "103015.25"):
            yield "2026-02-05T" + clock + offset
    for separator in SEPARATORS:
        for text in ("2026-02-05%s10:30:15", "20260205%s1030Z", "2026-02-05%s", "2026-02-05%sZ"):
            yield text % separator
    yield from ODD
    yield from mutations(random.Random(20260205), 200)


def mutations(chance, count):
    """Well-formed texts with one character changed, put in or left out."""
    good = ["2026-02-05T10:30:15.123456+01:30", "20260205T103015,1234567Z", "2026-02-05 10:30:15Z", "2026-02-05T10:30-0130"]
    for _ in range(count):
        text = chance.choice(good)
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice(["", "0", "9", ":", ".", "-", "+", "Z", " "]) + text[at + chance.randrange(2):]
        yield text


def reading(text):
    """Microseconds since the epoch, None where Python reads no time in the years 1 to 9999."""
    try:
        time = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=timezone.utc)
    return (time - EPOCH) // timedelta(microseconds=1) if FIRST <= time <= LAST else None


def literal(data):
    return "".join(chr(c) if 32 <= c < 127 and chr(c) not in '"\\?' else "\\%03o" % c for c in data)


def is_week_date(text):
    return "W" in text[4:6]


def main():
    if sys.version_info[:2] != (3, 11):
        sys.exit("timestamps.py: the table shows Python 3.11's answers")
    print("/* Made by timestamps.py. */")
    for text in dict.fromkeys(cases()):
        # What the strict form adds to Python's: a lower-case z.
        if is_week_date(text) or text.endswith("z"):
            continue
        data = text.encode("utf-8", "surrogatepass")
        time = reading(text)
        print('{"%s", %d, %s},' % (literal(data), len(data), "REFUSED" if time is None else "INT64_C(%d)" % time))


main()
