"""Hostile and large files end in a verdict within bounded memory, measured in a process of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = r"""
import gzip, itertools, json, random, re, sys
from chalicelib.pipeline import CSV, JSON, NDJSON, Column, Pipeline, Tolerance
from chalicelib.validation import BadRows, validate

class Stream:
    def __init__(self, parts):
        self.parts, self.rest = iter(parts), b""
    def read(self, size):
        while len(self.rest) < size:
            part = next(self.parts, b"")
            if not part:
                break
            self.rest += part
        part, self.rest = self.rest[:size], self.rest[size:]
        return part

MB = 1 << 20
def rows(count, key):
    yield b"a,b\n"
    for start in range(0, count, 1000):
        numbers = range(start, start + 1000)
        yield b"".join(key(number) + b",some words that fill the row\n" for number in numbers)

def objects(count):
    for start in range(0, count, 1000):
        yield b"".join(b'{"a": "%016x", "b": "some words that fill the row"}\n' % random.getrandbits(60)
                       for _ in range(1000))

def every_other(number):
    return b"%d" % number if number % 2 else b"bad"

def half_objects(count):
    for number in range(count):
        value = b"%d" % number if number % 2 else b'"bad"'
        yield b'{"a": %s, "b": "some words that fill the row"}\n' % value

def bomb(content):
    member = gzip.compress(content * (10 * MB // len(content)), 9)
    yield gzip.compress(b"a,b\n")
    for _ in range(300):
        yield member

random.seed(5)
CASES = {
    "one line of 200 MB": (CSV(), "f.csv", lambda: itertools.chain([b"a,b\n1,"], [b"x" * MB] * 200)),
    "one record of 300 MB": (
        CSV(),
        "f.csv",
        lambda: itertools.chain([b'a,b\n1,"'], [b"x\n" * 50000] * 3000),
    ),
    "one header of 200 MB": (CSV(), "f.csv", lambda: [b"x," * (MB // 2)] * 200),
    "lone quotes": (CSV(), "f.csv", lambda: itertools.chain([b"a,b\n"], [b'5",6"\n' * 60000] * 3)),
    "binary junk": (CSV(), "f.csv", lambda: (random.randbytes(MB).replace(b"\0", b"x") for _ in range(20))),
    "one column of junk": (CSV(), "f.csv", lambda: itertools.chain([b"a,b\n"], [b"junk\n" * 200000] * 20)),
    "gzip bomb": (CSV(), "f.csv.gz", lambda: bomb(b"a,b\n")),
    "gzip bomb of one line": (CSV(), "f.csv.gz", lambda: bomb(b"a")),
    "growing keys": (CSV(), "f.csv", lambda: rows(1_000_000, b"%d".__mod__)),
    "random keys": (CSV(), "f.csv", lambda: rows(600_000, lambda _: b"%016x" % random.getrandbits(60))),
    "ndjson line of 300 MB": (NDJSON(), "f.ndjson", lambda: itertools.chain([b'{"a":"'], [b"x" * MB] * 300)),
    "json object of 300 MB": (JSON(), "f.json", lambda: itertools.chain([b'[{"a":"'], [b"x" * MB] * 300)),
    "json nested a million deep": (JSON(), "f.json", lambda: itertools.chain([b'[{"a":'], [b"[" * MB] * 30)),
    "json of numbers": (JSON(), "f.json", lambda: itertools.chain([b"[1"], [b",1" * 5000] * 4, [b"]"])),
    "json of spaces": (JSON(), "f.json", lambda: [b" " * MB] * 50),
    "ndjson gzip bomb": (NDJSON(), "f.ndjson.gz", lambda: bomb(b"a")),
    "ndjson with random keys": (NDJSON(), "f.ndjson", lambda: objects(300_000)),
    "csv, half of it tolerated": (CSV(), "f.csv", lambda: rows(60_000, every_other)),
    "csv, half of it too much": (CSV(), "f.csv", lambda: rows(240_000, every_other)),
    "ndjson, half of it tolerated": (NDJSON(), "f.ndjson", lambda: half_objects(40_000)),
}
source, key, parts = CASES[sys.argv[1]]
tolerant = "half" in sys.argv[1]
kind = "integer" if sys.argv[1] == "growing keys" or tolerant else "text"
unique = kind == "integer" or "random" in sys.argv[1]
columns = (Column(name="a", type=kind, unique=unique), Column(name="b", type="text"))
pipeline = Pipeline(name="p", description="d", landing_prefix="incoming/p/", source=source, columns=columns,
                    tolerate=Tolerance() if tolerant else None)
bad_rows = BadRows(pipeline.tolerate.rows) if tolerant else None
report = validate(Stream(parts()), pipeline, key=key, size=0, bad_rows=bad_rows)
if tolerant and bad_rows.open:
    assert sum(1 for _ in bad_rows.documents()) == report.bad_rows
# VmHWM, because ru_maxrss keeps the size of the process that started this one
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024
print(json.dumps({"peak": peak, "reason": report.reason, "rows": report.rows, "bad_rows": report.bad_rows}))
"""


@pytest.mark.parametrize(
    ("case", "reason", "most_megabytes"),
    [
        ("one line of 200 MB", "line 2: the record is longer than 16,777,216 bytes", 200),
        ("one record of 300 MB", "line 2: the record is longer than 16,777,216 bytes", 200),
        ("one header of 200 MB", "line 1: the record is longer than", 200),
        ("lone quotes", "180,000 of 180,000 rows are bad", 200),
        ("binary junk", "the header", 200),
        ("one column of junk", "none of the first 209,714 rows has the header's 2 cells", 200),
        ("gzip bomb", "the gzip data grows past", 200),
        ("gzip bomb of one line", "line 2: the record is longer than", 200),
        ("growing keys", None, 200),
        ("random keys", None, 200),
        ("ndjson line of 300 MB", "line 1 is longer than", 80),
        ("json object of 300 MB", "byte 1: the object here is larger than", 80),
        ("json nested a million deep", "byte 1: the value here is nested deeper than 20,000", 80),
        ("json of numbers", "20,001 of 20,001 rows are bad", 80),
        ("json of spaces", "the file is empty", 80),
        ("ndjson gzip bomb", "line 2 is longer than", 80),
        ("ndjson with random keys", None, 80),
        ("csv, half of it tolerated", None, 200),
        ("csv, half of it too much", "120,000 of 240,000 rows are bad; pipeline p tolerates 100,000", 200),
        ("ndjson, half of it tolerated", None, 80),
    ],
)
def test_memory_stays_bounded(case, reason, most_megabytes):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, case],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    if reason is None:
        assert found["reason"] is None
    else:
        assert found["reason"].startswith(reason)
    assert found["peak"] < most_megabytes
