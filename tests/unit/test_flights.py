"""Flights and feedback: cleaned, combined and measured as plain Python does it row by row."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from pyarrow import parquet

from chalicelib.errors import FileReplaced, InvalidFile, MissingInput, TooFewRows, WrongColumns
from chalicelib.flights import cleaning, combining, feedback_rules, flight_rules, inputs, metrics, words
from chalicelib.notices import notice
from cli.sample_data.flight_metrics import DAYS, FEEDBACK_COLUMNS, FLIGHT_COLUMNS, write_all, write_day
from tests import flight_truth
from tests.fakes import FakeS3

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 11, 1)
GOOD = (
    "F1,TP,1,LIS,OPO,2026-11-01T23:30:00Z,2026-11-02T00:30:00Z,"
    "2026-11-01T23:40:00Z,2026-11-02T00:44:00Z,false"
)
PREFIX = "batch/flights/"


def clean(
    recipe: cleaning.Recipe, text: str | bytes, *, fewest: int = 1
) -> tuple[cleaning.Cleaned, io.BytesIO]:
    sink = io.BytesIO()
    body = text.encode() if isinstance(text, str) else text
    done = cleaning.clean(io.BytesIO(body), "s3://landing/f.csv", recipe, sink, fewest=fewest)
    return done, io.BytesIO(sink.getvalue())


def flights_csv(*rows: str) -> str:
    return "\n".join([",".join(FLIGHT_COLUMNS), *rows]) + "\n"


def feedback_csv(*rows: str) -> str:
    return "\n".join([",".join(FEEDBACK_COLUMNS), *rows]) + "\n"


def measured(folder: Path, day: date) -> tuple[Any, Any, combining.Combined, Any]:
    flown, flights = clean(flight_rules.recipe(day), (folder / "flights.csv").read_bytes())
    said, feedback = clean(feedback_rules.recipe(), (folder / "feedback.csv").read_bytes(), fewest=0)
    sink = io.BytesIO()
    combined = combining.combine(flights, feedback, day, sink)
    return flown, said, combined, metrics.read(io.BytesIO(sink.getvalue()))


def delays(table: Any, day: date) -> dict[tuple[str, str | None, str | None], tuple[Any, ...]]:
    rows = metrics.delays(table, day).to_pylist()
    found = {(row["grain"], row["carrier"], row["route"]): tuple(row.values())[4:] for row in rows}
    assert len(found) == len(rows)
    return found


def check_as_in_truth(found: dict[Any, tuple[Any, ...]], truth: dict[Any, tuple[Any, ...]]) -> None:
    assert found.keys() == truth.keys()
    for key, values in truth.items():
        assert found[key] == pytest.approx(values), key


@pytest.mark.parametrize(("day", "count"), [(DAYS[0], 300), (DAYS[1], 300), (date(2028, 2, 29), 205)])
def test_every_figure_of_a_day_is_as_plain_python_works_it_out(tmp_path: Path, day: date, count: int) -> None:
    write_day(tmp_path, day, flights=count)
    truth = flight_truth.Day(tmp_path / day.isoformat(), day)
    flown, said, combined, table = measured(tmp_path / day.isoformat(), day)
    assert flown.dropped == truth.dropped_flights
    assert len(truth.dropped_flights) == 8
    assert said.dropped == truth.dropped_feedback
    assert (combined.flights, combined.unknown) == (len(truth.flights), truth.unknown)
    assert flown.read == flown.kept + sum(flown.dropped.values())
    flights = list(truth.flights.values())
    check_as_in_truth(delays(table, day), flight_truth.delays(flights))
    rows = metrics.feedback(table, day).to_pylist()
    check_as_in_truth(
        {row["delay_band"]: tuple(row.values())[2:] for row in rows}, flight_truth.feedback(flights)
    )


def test_figures_that_are_not_defined_are_left_empty() -> None:
    cancelled = "F2,TP,2,LIS,OPO,2026-11-01T10:00:00Z,2026-11-01T11:00:00Z,,,true"
    _, flights = clean(flight_rules.recipe(DAY), flights_csv(cancelled))
    _, feedback = clean(feedback_rules.recipe(), feedback_csv(), fewest=0)
    sink = io.BytesIO()
    combining.combine(flights, feedback, DAY, sink)
    table = metrics.read(io.BytesIO(sink.getvalue()))
    assert delays(table, DAY)["carrier", "TP", None] == (1, 1, 0, 0.0, None, None)
    (_, every) = metrics.feedback(table, DAY).to_pylist()
    assert (every["answers"], every["mean_score"], every["correlation"]) == (0, None, None)


def test_a_flight_over_midnight_counts_for_the_day_it_was_to_leave() -> None:
    done, written = clean(flight_rules.recipe(DAY), flights_csv(GOOD))
    assert (done.kept, done.dropped) == (1, {})
    sink = io.BytesIO()
    _, nothing = clean(feedback_rules.recipe(), feedback_csv(), fewest=0)
    combining.combine(written, nothing, DAY, sink)
    (row,) = parquet.read_table(io.BytesIO(sink.getvalue())).to_pylist()
    assert (row["delay_minutes"], row["on_time"], row["delay_band"]) == (14.0, True, "on time")
    assert row["actual_arrival"] == datetime(2026, 11, 2, 0, 44, tzinfo=UTC).replace(tzinfo=None)


def test_fifteen_minutes_are_late() -> None:
    late = GOOD.replace("00:44", "00:45")
    _, written = clean(flight_rules.recipe(DAY), flights_csv(late))
    _, nothing = clean(feedback_rules.recipe(), feedback_csv(), fewest=0)
    sink = io.BytesIO()
    combining.combine(written, nothing, DAY, sink)
    (row,) = parquet.read_table(io.BytesIO(sink.getvalue())).to_pylist()
    assert (row["on_time"], row["delay_band"]) == (False, "15 to 59 min")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("2026-11-02T00:44:00Z", "2026-02-30T00:44:00Z", "unreadable value"),
        ("2026-11-02T00:44:00Z", "2026-11-02 00:44", "unreadable value"),
        ("2026-11-02T00:44:00Z", "2026-11-02T00:44:60Z", "unreadable value"),
        ("2026-11-02T00:44:00Z", "2026-11-02T00:44:00+01:00", "unreadable value"),
        ("2026-11-02T00:44:00Z", "2026-11-01T23:40:00Z", "impossible times"),
        ("2026-11-02T00:44:00Z", "2026-11-05T01:00:00Z", "impossible times"),
        ("2026-11-02T00:44:00Z", "", "impossible times"),
        ("false", "true", "impossible times"),
        ("2026-11-02T00:30:00Z", "2026-11-03T00:30:00Z", "impossible times"),
        ("2026-11-01T23:30:00Z", "2026-10-31T23:30:00Z", "scheduled for another date"),
        (",OPO,", ",XXX,", "unknown airport"),
        (",OPO,", ",LIS,", "origin is the destination"),
        (",TP,", ",tp,", "unreadable value"),
        (",TP,", ",,", "a value is missing"),
        (",TP,", ",TP,TP,", "wrong number of cells"),
        ("F1", "F0", None),
    ],
)
def test_a_flight_that_cannot_be_used_is_dropped_for_its_reason(
    old: str, new: str, reason: str | None
) -> None:
    others = [GOOD.replace("F1", f"G{number}") for number in range(2)]
    done, _ = clean(flight_rules.recipe(DAY), flights_csv(GOOD.replace(old, new), *others))
    assert done.dropped == ({reason: 1} if reason else {})
    assert done.kept + len(done.dropped) == done.read == 3


def test_the_first_of_two_rows_of_a_flight_counts_whatever_lies_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cleaning, "BLOCK", 4096)
    others = [GOOD.replace("F1", f"G{number}") for number in range(200)]
    done, written = clean(
        flight_rules.recipe(DAY), flights_csv(GOOD, *others, GOOD.replace("00:44", "00:50"))
    )
    assert done.dropped == {"came earlier in the file": 1}
    first = parquet.read_table(written).to_pylist()[0]
    assert first["actual_arrival"].minute == 44


@pytest.mark.parametrize("score", ["0", "6", "-1"])
def test_a_score_out_of_range_is_dropped(score: str) -> None:
    done, _ = clean(
        feedback_rules.recipe(), feedback_csv('A1,F1,3,"two\nlines"', f"A2,F1,{score},", "A3,F1,5,")
    )
    assert (done.read, done.kept, done.dropped) == (3, 2, {"score out of range": 1})


@pytest.mark.parametrize(
    ("text", "error", "words_"),
    [
        ("", WrongColumns, "the file is empty"),
        ("flight_id,carrier\n1,TP\n", WrongColumns, "the header lacks flight_number, origin"),
        (flights_csv().replace("carrier", "flight_id"), WrongColumns, "lacks carrier"),
        (flights_csv().replace("\n", ",carrier\n"), WrongColumns, "names carrier twice"),
        (flights_csv(), TooFewRows, "no row that can be used"),
        (
            flights_csv(GOOD.replace("OPO", "XXX"), GOOD.replace("LIS", "XXX"), GOOD),
            TooFewRows,
            "2 of 3 rows",
        ),
        (flights_csv(GOOD).encode() + b"\xff\xfe,", InvalidFile, "UTF-8"),
        (b"\xff\xfef\x00l\x00", InvalidFile, "first line"),
    ],
)
def test_a_file_that_is_something_else_is_refused_by_name(
    text: str | bytes, error: type[Exception], words_: str
) -> None:
    with pytest.raises(error, match=words_) as raised:
        clean(flight_rules.recipe(DAY), text)
    assert "s3://landing/f.csv" in str(raised.value)


def test_columns_may_come_in_any_order_with_others_between() -> None:
    header = ",".join(["gate", *reversed(FLIGHT_COLUMNS)])
    row = ",".join(["A7", *reversed(GOOD.split(","))])
    done, written = clean(flight_rules.recipe(DAY), f"\ufeff{header}\n{row}\n")
    assert done.kept == 1
    assert parquet.read_table(written).to_pylist()[0]["flight_id"] == "F1"


def test_the_newest_date_is_the_one_that_has_both_files() -> None:
    s3 = FakeS3()
    complete = ("2026-11-01/flights.csv", "2026-11-01/feedback.csv")
    no_dates = (
        "2026-13-01/flights.csv",
        "2026-13-01/feedback.csv",
        "notes.txt",
        "2026-11-09/old/flights.csv",
    )
    for key in (*complete, "2026-11-02/flights.csv", *no_dates):
        s3.put("landing", PREFIX + key, b"x")
    assert inputs.find(s3, "landing", PREFIX, "latest", "flight_metrics").date == DAY
    s3.put("landing", PREFIX + "2026-11-02/feedback.csv", b"x")
    assert inputs.find(s3, "landing", PREFIX, "latest", "flight_metrics").date == date(2026, 11, 2)


@pytest.mark.parametrize(
    ("keys", "asked", "words_"),
    [
        ([], "2026-11-01", "2026-11-01: .* holds no flights.csv and no feedback.csv"),
        (["2026-11-01/flights.csv"], "2026-11-01", "holds no feedback.csv"),
        ([], "latest", "holds no date with both"),
        (["2026-11-01/flights.csv"], "latest", r"2026-11-01: one of the two is missing"),
    ],
)
def test_a_date_without_its_files_is_missing_by_name(keys: list[str], asked: str, words_: str) -> None:
    s3 = FakeS3()
    for key in keys:
        s3.put("landing", PREFIX + key, b"x")
    with pytest.raises(MissingInput, match=words_):
        inputs.find(s3, "landing", PREFIX, asked, "flight_metrics")


def test_the_same_content_has_the_same_token_and_corrected_content_another() -> None:
    s3 = FakeS3()
    for name in inputs.NAMES:
        s3.put("landing", f"{PREFIX}2026-11-01/{name}", b"x")
    first = inputs.find(s3, "landing", PREFIX, "2026-11-01", "flight_metrics")
    assert inputs.find(s3, "landing", PREFIX, "latest", "flight_metrics").token == first.token
    s3.put("landing", f"{PREFIX}2026-11-01/feedback.csv", b"y")
    assert inputs.find(s3, "landing", PREFIX, "latest", "flight_metrics").token != first.token
    with pytest.raises(FileReplaced, match=r"feedback\.csv was replaced"):
        inputs.check_current(s3, first.flights, first.feedback)


def test_the_samples_are_the_same_every_time_and_one_corrects_another(tmp_path: Path) -> None:
    first, second = write_all(tmp_path / "a"), write_all(tmp_path / "b")
    assert [each.path.read_bytes() for each in first] == [each.path.read_bytes() for each in second]
    (corrected,) = [each for each in first if each.corrected]
    (wrong,) = [each for each in first if each.key == corrected.key and not each.corrected]
    assert corrected.path.read_bytes() != wrong.path.read_bytes()


def test_the_notice_tells_the_numbers_and_what_was_dropped(tmp_path: Path) -> None:
    write_day(tmp_path, DAY)
    flown, said, combined, table = measured(tmp_path / DAY.isoformat(), DAY)
    details = words.told(
        {
            "found": {"date": DAY.isoformat()},
            "clean_flights": {"dropped": flown.dropped},
            "clean_feedback": {"dropped": said.dropped},
            "combine": {"answers": combined.answers, "unknown": combined.unknown},
            "compute": {
                "delays": metrics.delays(table, DAY).to_pylist(),
                "feedback": metrics.feedback(table, DAY).to_pylist(),
            },
            "load": {"rows": 400, "already": False},
        }
    )
    event = {
        "outcome": "succeeded",
        "run": "r",
        "pipeline": "flight_metrics",
        "started": "2026-11-20T02:30:00Z",
        "details": details,
    }
    told = notice({**event, "parameters": {"date": "latest"}})
    assert told.subject == "[flight_metrics] succeeded: 300 flights of 2026-11-01, 74.7% on time"
    for line in (
        "Mean delay:       17.3 min",
        "Flights dropped:  15 (",
        "unknown flight: 2",
        "95th percentile",
    ):
        assert line in told.body
    assert "Correlation of delay and score: -0.78" in told.body
