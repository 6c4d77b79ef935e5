"""Taxi trips on a whole stage: first and later runs, a month more, and files that must be refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.sql import queries
from cli.demos.nyc_taxi import DATABASE, QUESTIONS
from cli.demos.stage import DemoStage
from cli.sample_data.nyc_taxi import COLUMNS, trips, write_month, write_zones

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage

FOLDER = "batch/nyc_taxi/"
TICK = {
    "version": "0",
    "id": "1",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-11-20T04:10:00Z",
    "region": "us-east-1",
    "resources": ["arn:aws:events:us-east-1:123456789012:rule/decant-local-nyc_taxi_due"],
    "detail": {},
}


class Taxi:
    """The system as its users have it."""

    def __init__(self, stage: DemoStage) -> None:
        self.stage = stage

    def put(self, key: str, body: str) -> None:
        self.stage.client("s3").put_object(Bucket=self.stage.bucket("landing"), Key=FOLDER + key, Body=body)

    def take_away(self, key: str) -> None:
        self.stage.client("s3").delete_object(Bucket=self.stage.bucket("landing"), Key=FOLDER + key)

    def run(self, **parameters: str) -> dict[str, Any]:
        return self.stage.follow(self.stage.start("nyc_taxi", **parameters))

    def ask(self, statement: str) -> list[list[Any]]:
        return self.stage.athena(statement, DATABASE)

    def months(self) -> dict[str, int]:
        return {str(m): int(n) for m, n in self.ask(queries("nyc_taxi")["count_trips"].substitute())}

    def files(self) -> set[str]:
        return {str(path) for (path,) in self.ask('SELECT DISTINCT "$path" FROM yellow_trips')}


@pytest.fixture(scope="module")
def taxi(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Taxi:
    """Two months of 400 and 300 trips, after a first run that had no zone lookup and one that had."""
    folder = tmp_path_factory.mktemp("taxi")
    used = DemoStage(stage.running, folder, live=False)
    for sample in (write_month(folder, "2025-01", 400), write_month(folder, "2025-02", 300)):
        used.upload(sample.path, sample.key)
    found = Taxi(used)
    without_zones = found.run()
    assert (without_zones["outcome"], without_zones["error"]) == ("failed", "InvalidBatch")
    assert "put TLC's taxi_zone_lookup.csv there" in without_zones["cause"]
    zones = write_zones(folder)
    used.upload(zones.path, zones.key)
    first = found.run()
    assert first["outcome"] == "succeeded", first["cause"]
    assert found.months() == {"2025-01": 400, "2025-02": 300}
    return found


def test_the_view_shows_what_the_files_say(taxi: Taxi) -> None:
    lines = [line.split(",") for line in (*trips("2025-01", 400), *trips("2025-02", 300))]
    place = {name: at for at, name in enumerate(COLUMNS)}
    (row,) = taxi.ask(
        "SELECT count(*), sum(total), sum(tip), count(passengers), min(picked_up_at), count_if(rate = 'JFK'),"
        " count_if(payment = 'Credit card'), count_if(pickup_zone = 'JFK Airport') FROM trips"
    )
    total, tip = (
        sum(round(100 * float(line[place[name]])) for line in lines) / 100
        for name in ("total_amount", "tip_amount")
    )
    assert row == [
        "700",
        f"{total:.2f}",
        f"{tip:.2f}",
        str(sum(line[place["passenger_count"]] != "" for line in lines)),
        min(line[place["tpep_pickup_datetime"]] for line in lines) + ".000",
        str(sum(line[place["RatecodeID"]] == "2.0" for line in lines)),
        str(sum(line[place["payment_type"]] == "1" for line in lines)),
        str(sum(line[place["PULocationID"]] == "132" for line in lines)),
    ]


def test_a_tick_that_finds_nothing_new_changes_nothing(taxi: Taxi) -> None:
    before = taxi.files()
    names = set()
    for _ in range(2):  # delivered twice, as EventBridge may
        answer = taxi.stage.client("lambda").invoke(
            FunctionName="decant-local-nyc_taxi_due", Payload=json.dumps(TICK)
        )
        names.add(json.loads(answer["Payload"].read()))
    (name,) = names
    run = taxi.stage.follow(name)
    assert run["outcome"] == "succeeded", run["cause"]
    assert "WriteMonth" not in {step["state"] for step in run["steps"]}
    assert taxi.files() == before


def test_a_month_more_is_exactly_that_month_more(taxi: Taxi, stage: Stage) -> None:
    before, files = taxi.months(), taxi.files()
    taxi.put("yellow/2025-03/a.csv", "\n".join([",".join(COLUMNS), *trips("2025-03", 200)]))
    taxi.put("yellow/2025-03/b.csv", "\r\n".join([",".join(COLUMNS), *trips("2025-04", 50), ""]))
    run = taxi.run()
    assert run["outcome"] == "succeeded", run["cause"]
    assert taxi.months() == before | {"2025-03": 250}
    assert files < taxi.files()
    (notice,) = (each for each in taxi.stage.notices(1) if run["name"] in each["body"])
    assert (
        notice["subject"]
        == f"[nyc_taxi] succeeded: 1 month loaded, {sum(before.values()) + 250} trips in all"
    )
    assert "Trips of 2025-03: 250" in notice["body"]
    printed = stage.decant_json("sql", "--athena", f"select count(*) as trips from {DATABASE}.trips")
    assert printed == [{"trips": str(sum(before.values()) + 250)}]


@pytest.mark.usefixtures("taxi")
def test_athena_s_refusal_is_told_in_its_words(stage: Stage) -> None:
    told = stage.decant("sql", "--athena", f"select nope from {DATABASE}.trips", code=1)
    assert "COLUMN_NOT_FOUND: line 1:8: Column 'nope'" in told


@pytest.mark.usefixtures("taxi")
def test_only_so_many_rows_are_printed_as_asked(stage: Stage) -> None:
    statement = f"select fare from {DATABASE}.trips"
    assert len(stage.decant_json("sql", "--athena", statement, "--limit", "3")) == 3
    assert "and more; --limit" in stage.decant("sql", "--athena", statement, "--limit", "3")


def test_the_analysts_questions_are_answered(taxi: Taxi) -> None:
    for name, (_, columns) in QUESTIONS.items():
        answer = taxi.ask(queries("nyc_taxi")[name].substitute())
        assert answer, name
        assert {len(row) for row in answer} == {len(columns)}


@pytest.mark.parametrize(
    ("body", "error", "told"),
    [
        (",".join(COLUMNS).replace("tip_amount", "gratuity") + "\n1\n", "InvalidBatch", "without tip_amount"),
        (
            "\n".join([",".join(COLUMNS), *trips("2025-05", 3)]).replace("2025-05-", "05/2025/"),
            "States.TaskFailed",
            "05/2025/",
        ),
    ],
    ids=["other columns", "a date in another form"],
)
def test_a_month_that_cannot_be_read_is_red_and_leaves_the_tables(
    taxi: Taxi, body: str, error: str, told: str
) -> None:
    before = taxi.months(), taxi.files(), taxi.ask("SHOW TABLES")
    taxi.put("yellow/2025-05/a.csv", body)
    run = taxi.run()
    taxi.take_away("yellow/2025-05/a.csv")
    assert (run["outcome"], run["error"]) == ("failed", error)
    assert told in run["cause"]
    assert (taxi.months(), taxi.files(), taxi.ask("SHOW TABLES")) == before
    (notice,) = (each for each in taxi.stage.notices(1) if run["name"] in each["body"])
    assert told in notice["body"]


def test_a_month_that_is_asked_for_again_holds_its_files_once(taxi: Taxi) -> None:
    before = taxi.months()
    taxi.put("yellow/2025-01/late.csv", "\n".join([",".join(COLUMNS), *trips("2025-01", 7)]))
    assert taxi.run(months="2025-01")["outcome"] == "succeeded"
    assert taxi.months() == before | {"2025-01": before["2025-01"] + 7}
