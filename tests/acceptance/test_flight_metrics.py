"""flight_metrics on a whole stage: its figures are those that plain Python works out from the same files."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cli.sample_data.flight_metrics import write_day
from tests import flight_truth
from tests.acceptance.conftest import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import Stage

FLIGHTS = 210
DELAYS = "grain, carrier, route, flights, cancelled, on_time, on_time_rate, mean_delay, p95_delay"
FEEDBACK = "delay_band, flights, answers, mean_score, correlation"


class Month:
    """A month of its own, and what plain Python makes of its files."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage, self.folder = stage, folder
        self.first = date(random.randrange(2030, 2090), random.randrange(1, 13), 1)
        self.truth: dict[date, flight_truth.Day] = {}

    def put(self, number: int, *, wrong_clock: bool = False) -> date:
        """Put the files of one of its days, or another content in their place."""
        day = self.first + timedelta(days=number)
        for sample in write_day(self.folder, day, flights=FLIGHTS, wrong_clock=wrong_clock):
            self.stage.put(f"batch/flights/{sample.key}", sample.path.read_bytes())
        self.truth[day] = flight_truth.Day(self.folder / day.isoformat(), day)
        return day

    def run(self, day: date) -> dict[str, Any]:
        """Start a run by hand and return it when it has ended."""
        body = {"parameters": {"date": day.isoformat()}}
        return ended(self.stage, self.stage.api.post("/pipelines/flight_metrics/runs", body)["run"])

    def check(self) -> None:
        """Compare every figure in the warehouse with the truth: of each day, and of the month."""
        every = [flight for day in self.truth.values() for flight in day.flights.values()]
        self._check("flight_delays_by_month", "flight_month", self.first, every)
        for day, truth in self.truth.items():
            self._check("flight_delays", "flight_date", day, list(truth.flights.values()))
        rows = "SELECT count(*), count(DISTINCT flight_id), sum(answers) FROM flights WHERE "
        found = self.stage.sql(f"{rows} date_trunc('month', flight_date) = '{self.first}'")
        answers = sum(len(flight["scores"]) for flight in every)
        assert found == [[len(every), len(every), answers]]

    def _check(self, table: str, column: str, value: date, flights: list[dict[str, Any]]) -> None:
        scores = table.replace("delays", "feedback")
        for name, columns, keys, truth in (
            (table, DELAYS, 3, flight_truth.delays(flights)),
            (scores, FEEDBACK, 1, flight_truth.feedback(flights)),
        ):
            rows = self.stage.sql(f"SELECT {columns} FROM {name} WHERE {column} = '{value}'")
            found = {tuple(row[:keys]) if keys > 1 else row[0]: row[keys:] for row in rows}
            assert len(rows) == len(found)
            assert found.keys() == truth.keys()
            for key, figures in truth.items():
                assert found[key] == pytest.approx(list(figures)), (name, value, key)


@pytest.fixture
def month(stage: Stage, tmp_path: Path) -> Month:
    return Month(stage, tmp_path)


def backfill(stage: Stage, first: date, last: date, *more: str, code: int) -> dict[str, Any]:
    bounds = ("--from", first.isoformat(), "--to", last.isoformat())
    return dict(json.loads(stage.decant("backfill", "flight_metrics", *bounds, *more, "--json", code=code)))


def test_a_backfill_measures_every_date_once_and_tells_which_are_missing(stage: Stage, month: Month) -> None:
    first, _, last = (month.put(number) for number in (0, 1, 3))
    missing = first + timedelta(days=2)
    report = backfill(stage, first, last, code=1)
    assert [each["outcome"] for each in report["dates"]] == ["succeeded", "succeeded", "failed", "succeeded"]
    assert (report["missing"], report["dates"][2]["error"]) == ([missing.isoformat()], "MissingInput")
    month.check()
    month.put(2)
    again = backfill(stage, first, last, code=0)
    assert [each["earlier"] for each in again["dates"]] == [True, True, False, True]
    assert again["dates"][2]["run"].endswith("-2")
    month.check()


def test_a_corrected_file_replaces_its_date_and_can_be_taken_back(stage: Stage, month: Month) -> None:
    day = month.put(4, wrong_clock=True)
    month.run(day)
    month.check()
    for wrong_clock in (False, True):
        month.put(4, wrong_clock=wrong_clock)
        assert month.run(day)["output"]["load_metrics"]["already"] is False
        month.check()
    assert month.run(day)["output"]["load_metrics"]["already"] is True
    month.check()
    read = f"SELECT count(*), sum(delay_minutes) FROM flights WHERE dt = '{day}'"
    late = [flight["delay"] for flight in month.truth[day].flights.values() if flight["delay"] is not None]
    ((rows, delay),) = athena(stage, read)
    assert (int(rows), float(delay)) == (len(month.truth[day].flights), pytest.approx(sum(late)))


def test_runs_of_one_date_at_the_same_time_load_it_once(month: Month) -> None:
    day = month.put(5)
    with ThreadPoolExecutor(3) as threads:
        runs = list(threads.map(month.run, [day] * 3))
    assert [run["outcome"] for run in runs] == ["succeeded"] * 3
    assert sorted(run["output"]["load_metrics"]["already"] for run in runs) == [False, True, True]
    month.check()


def test_the_tick_measures_the_newest_date_once(stage: Stage, month: Month) -> None:
    month.first = date(2099, random.randrange(1, 12), 1)
    day = month.put(6)
    tick = f"{date(2020, 1, 1) + timedelta(days=random.randrange(2000))}T05:30:00"
    event = {"time": f"{tick}Z", "detail-type": "Scheduled Event", "source": "aws.events"}
    event |= {"version": "0", "account": "1", "region": "us-east-1", "resources": [], "id": "i", "detail": {}}
    answers = [
        stage.client("lambda").invoke(
            FunctionName="decant-local-flight_metrics_due", Payload=json.dumps(event)
        )
        for _ in range(2)
    ]
    first, again = (json.loads(answer["Payload"].read()) for answer in answers)
    assert first == again
    run = ended(stage, first)
    assert (run["outcome"], run["input"]["tick"]) == ("succeeded", f"{tick}.000Z")
    assert run["output"]["find_flight_files"]["date"] == day.isoformat()


def test_a_file_with_other_columns_ends_red_and_people_are_told_which(stage: Stage, month: Month) -> None:
    day = month.put(7)
    stage.put(f"batch/flights/{day}/feedback.csv", "who,what\nme,fine\n")
    asked = ("runs", "start", "flight_metrics", "-p", f"date={day}", "--watch", "--json")
    run = json.loads(stage.decant(*asked, code=1))
    assert (run["outcome"], run["error"]) == ("failed", "WrongColumns")
    for words in (f"{day}/feedback.csv", "lacks feedback_id", "it has who, what"):
        assert words in run["cause"]
    notice = stage.notice(run)
    assert notice["subject"] == "[flight_metrics] failed: WrongColumns"
    assert "lacks feedback_id" in notice["body"]
    assert stage.sql(f"SELECT count(*) FROM flights WHERE flight_date = '{day}'") == [[0]]


def ended(stage: Stage, name: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        run = stage.api.get(f"/runs/{name}")
        return None if run["outcome"] == "running" else dict(run)

    return dict(wait_for(found, f"the end of {name}", 120))


def athena(stage: Stage, statement: str) -> list[list[str]]:
    client = stage.client("athena")
    query = client.start_query_execution(
        QueryString=statement,
        QueryExecutionContext={"Database": "decant_local"},
        WorkGroup="decant-local",
    )["QueryExecutionId"]

    def done() -> dict[str, Any] | None:
        status = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        return status if status["State"] not in {"QUEUED", "RUNNING"} else None

    status = wait_for(done, statement)
    assert status["State"] == "SUCCEEDED", status
    rows = client.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"][1:]
    return [[cell["VarCharValue"] for cell in row["Data"]] for row in rows]
