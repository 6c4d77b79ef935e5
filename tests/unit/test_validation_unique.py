"""Repeats are found wherever they are, however many keys there are."""

import random
from array import array

import pytest

from chalicelib.validation.findings import Findings
from chalicelib.validation.unique import RUN, Keys, Unique
from chalicelib.validation.unique_columns import UniqueColumn


class Rows:
    def __init__(self, first: int) -> None:
        self.first, self.bad, self.marked = first, set(), set()

    def place(self, index):
        return self.first + index, None

    def text(self, index, column):
        return str(index)


def test_keys_beyond_the_memory_limit_are_kept_on_disk():
    keys = Keys()
    for start in range(0, 7 * RUN, RUN):
        keys.add(array("q", range(start, start + RUN)), start, start + RUN - 1)
    found = list(keys.overlapping(RUN + 5, RUN + 6))
    assert [len(run) for run in found] == [RUN]
    assert found[0][0] == RUN
    assert sum(map(len, keys.overlapping(0, 7 * RUN))) == 7 * RUN
    keys.close()


@pytest.mark.parametrize("kind", [Unique, UniqueColumn])
@pytest.mark.parametrize("seed", range(5))
def test_each_repeat_is_counted_once_and_its_row_is_bad_once(kind, seed, monkeypatch):
    monkeypatch.setattr(kind, "waiting_keys", 50)
    chance = random.Random(seed)
    findings = Findings(1000)
    unique = kind("a", findings)
    seen, expected, row = set(), [], 1
    for _ in range(40):
        growing = chance.random() < 0.5
        count = chance.randrange(1, 40)
        keys = (
            [row + index for index in range(count)]
            if growing
            else [chance.randrange(900) for _ in range(count)]
        )
        for index, key in enumerate(keys):
            if key in seen:
                expected.append(row + index)
            seen.add(key)
        unique.add(array("q", keys), None, Rows(row))
        row += count
    unique.finish()
    assert [defect.row for defect in findings.defects] == expected
    assert findings.counts == {"a:unique": len(expected)}
    assert findings.bad_rows == len(expected)


def test_a_row_known_as_bad_is_not_counted_again():
    findings = Findings(5)
    unique = Unique("a", findings)
    batch = Rows(1)
    batch.bad.add(2)
    findings.mark(batch, batch.bad)
    unique.add(array("q", [7, 7]), None, batch)
    unique.finish()
    findings.mark(batch, batch.bad)
    assert findings.bad_rows == 1
    assert findings.counts == {"a:unique": 1}
