"""One cause within an hour is told once, and then in one summary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import sent_notices
from chalicelib.errors import Throttled
from chalicelib.notices import by_day, notice
from chalicelib.notices.folding import GRACE, WINDOW
from chalicelib.notices.sending import send, tell_of_folds
from tests.factories import STARTED, a_file
from tests.fakes import FakeS3, FakeSNS

NOW = datetime(2026, 11, 21, 23, 40, tzinfo=UTC)  # the hour crosses midnight


def run(number: int, pipeline: str = "orders") -> str:
    return f"{pipeline}-{number:024x}"


class Topic:
    """A topic, the artifacts bucket and a clock."""

    def __init__(self) -> None:
        self.s3, self.sns, self.now = FakeS3(), FakeSNS(), NOW
        self.s3.clock = lambda: self.now

    def tell(self, number: int, outcome: str, details: dict[str, Any], **event: Any) -> Any:
        given = {"run": run(number), "pipeline": "orders", "started": STARTED, "outcome": outcome}
        file = a_file(key=f"incoming/orders/{number}.csv").to_document()
        sent = notice({**given, "file": file, "details": details, **event}, self.now)
        return send(self.s3, self.sns, sent, self.now)

    def fail(self, number: int, cause: str = "no such role", **event: Any) -> Any:
        error = {"Error": "LoadFailed", "Cause": f'{{"errorMessage": "the warehouse refused: {cause}"}}'}
        return self.tell(number, "failed", {"error": error}, **event)

    def reject(self, number: int, column: str = "gift") -> Any:
        defect = {"row": number, "line": number, "column": column, "rule": "type", "message": f"'{number}'"}
        report = {"rows": 9, "bad_rows": number, "reason": f"{number} of 9 rows are bad", "defects": [defect]}
        places = {"file": f"s3://q/{number}", "report": "s3://q/r"}
        return self.tell(number, "rejected", {"validate_file": report, "quarantine_file": places})

    def load(self, number: int, rows: int = 5, flags: tuple[str, ...] = ()) -> Any:
        report = {"good_rows": rows, "bad_rows": 0, "flags": list(flags), "defects": []}
        catalogue = {"database": "d", "table": "orders", "rows": rows}
        return self.tell(number, "succeeded", {"validate_file": report, "catalogue": catalogue})

    @property
    def subjects(self) -> list[str]:
        return [subject for _, subject, _, _ in self.sns.published]

    def later(self, **time: int) -> None:
        self.now += timedelta(**time)


def test_the_first_of_a_cause_is_sent_and_the_others_are_counted_and_kept() -> None:
    topic = Topic()
    sent = [topic.fail(number, f"file s3://b/k{number} at line {number}") for number in range(1, 21)]
    assert [each.folded for each in sent] == [False] + [True] * 19
    assert len(topic.subjects) == 1
    (kept,) = sent_notices.of_run(topic.s3, run(20))
    assert (kept.folded, kept.message, "the warehouse refused" in kept.body) == (True, None, True)


def test_a_summary_says_how_many_more_when_the_hour_is_over_and_is_sent_once() -> None:
    topic = Topic()
    for number in range(1, 13):
        topic.reject(number)
        topic.later(minutes=4)
    topic.later(minutes=11)
    assert tell_of_folds(topic.s3, topic.sns, topic.now) == []  # not before the grace is over
    topic.later(minutes=7)
    assert tell_of_folds(topic.s3, topic.sns, topic.now) == [
        f"[orders] folded: 11 more runs rejected, as {run(1)}"
    ]
    assert tell_of_folds(topic.s3, topic.sns, topic.now) == []
    _, _, body, attributes = topic.sns.published[-1]
    assert attributes == {"pipeline": "orders", "outcome": "folded", "severity": "warning"}
    assert "Rows:     99 read, 0 loaded, 77 rejected" in body
    assert f"  {run(2)}\n" in body
    assert "... and 1 more" in body
    assert "decant quarantine list --pipeline orders" in body


def test_the_next_of_a_cause_after_the_hour_is_sent_with_the_summary_of_the_hour() -> None:
    topic = Topic()
    topic.fail(1), topic.fail(2), topic.later(minutes=61)
    assert not topic.fail(3).folded
    assert [subject.partition(":")[0] for subject in topic.subjects] == [
        "[orders] failed",
        "[orders] folded",
        "[orders] failed",
    ]
    topic.later(minutes=66)
    assert tell_of_folds(topic.s3, topic.sns, topic.now) == []  # there was no other


def test_other_causes_pipelines_and_outcomes_are_not_folded_together() -> None:
    topic = Topic()
    for sent in (
        topic.fail(1),
        topic.fail(2, "no such table"),
        topic.fail(3, pipeline="events"),
        topic.reject(4, "gift"),
        topic.reject(5, "quantity"),
        topic.load(6),
        topic.load(7, flags=("unusual_row_count",)),
    ):
        assert not sent.folded


def test_two_hundred_loaded_files_are_one_notice_and_one_summary() -> None:
    topic = Topic()
    for number in range(200):
        topic.load(number)
        topic.later(seconds=10)
    topic.now = NOW + WINDOW + GRACE
    tell_of_folds(topic.s3, topic.sns, topic.now)
    assert topic.subjects == [
        "[orders] succeeded: 0.csv",
        f"[orders] folded: 199 more runs succeeded, as {run(0)}",
    ]
    assert "995 read, 995 loaded" in topic.sns.published[-1][2]


def test_approvals_and_batches_that_succeed_are_never_folded() -> None:
    topic = Topic()
    report = {"rows": 1, "bad_rows": 0, "defects": []}
    waiting = {"validate_file": report, "why": ["always"], "expires": "soon"}
    assert not any(topic.tell(number, "waiting", waiting).folded for number in range(5))
    assert not any(topic.tell(number, "succeeded", {"headline": "done"}).folded for number in range(5))


def test_a_step_that_is_repeated_sends_its_notice_and_is_not_folded_into_itself() -> None:
    topic = Topic()
    assert [topic.fail(1).folded, topic.fail(1).folded, topic.fail(2).folded] == [False, False, True]


def test_a_notice_that_could_not_be_sent_folds_nothing() -> None:
    topic = Topic()
    topic.sns.failing = Throttled()
    with pytest.raises(Throttled):
        topic.fail(1)
    topic.sns.failing = None
    assert not topic.fail(2).folded
    assert not sent_notices.exists(topic.s3, run(1), "failed")


def test_what_was_told_on_a_day_is_read_from_keys_alone() -> None:
    topic = Topic()
    topic.load(1), topic.reject(2), topic.later(hours=1)
    topic.load(3)
    found = list(by_day.between(topic.s3, NOW, NOW + timedelta(days=1)))
    assert sorted((each.name, each.outcome, str(each.rows), each.folded) for each in found) == [
        (run(1), "succeeded", "5 read, 5 loaded, 0 rejected", False),
        (run(2), "rejected", "9 read, 0 loaded, 2 rejected", False),
        (run(3), "succeeded", "5 read, 5 loaded, 0 rejected", False),
    ]
    assert len(list(by_day.between(topic.s3, NOW, NOW + timedelta(minutes=1)))) == 2
