"""nyc_taxi on an Athena that really runs: whenever a run dies, a month is there once or not at all."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.sql import queries
from cli.athena import ask
from tests.workflows.conftest import Workflow

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import RunningAWS

BUCKET = "taxi-tables"
THREE = "SELECT n FROM (VALUES 1, 2, 3) AS t(n) WHERE '{}' <> ''"
TABLES = {"raw_trips", "zones", "yellow_trips", "trips"}
STATEMENTS = {
    "create_raw_trips": f"CREATE EXTERNAL TABLE IF NOT EXISTS raw_trips (n int) LOCATION 's3://{BUCKET}/raw/'",
    "create_zones": f"CREATE EXTERNAL TABLE IF NOT EXISTS zones (n int) LOCATION 's3://{BUCKET}/zones/'",
    "convert": "CREATE TABLE yellow_trips WITH (format = 'PARQUET', partitioned_by = ARRAY['month'])"
    " AS SELECT n, '2025-01' AS month FROM (VALUES 1, 2, 3) AS t(n)",
    "create_view": "CREATE OR REPLACE VIEW trips AS SELECT n, month FROM yellow_trips",
    "count_trips": queries("nyc_taxi")["count_trips"].substitute(),
    "drop_loading": queries("nyc_taxi")["drop_loading"].substitute(),
    "write_month": f"CREATE TABLE {{}} WITH (format = 'PARQUET') AS {THREE}",
}
"""Small stand-ins for the statements that read trips; those that publish and drop are the service's own."""


def plan(*months: str, run: str = "aa", publish: str = "add_month", **statements: str) -> Any:
    """What PlanTaxi says of months; a run writes to tables of its own."""
    text = queries("nyc_taxi")[publish].substitute() if publish.endswith("_month") else publish
    items = [
        {"month": month, "table": f"loading_{month.replace('-', '_')}_{run}", "publish": text}
        for month in months
    ]
    return [{"months": months, "items": items, "statements": {**STATEMENTS, **statements}}]


class Taxi:
    """A workflow whose Athena and catalogue are the embedded AWS's own, with a database of its own."""

    def __init__(self, aws: RunningAWS, calls: Path) -> None:
        self.stage = f"w{uuid.uuid4().hex[:8]}"
        self.database = f"{self.stage}_nyc_taxi"
        self.athena = aws.client("athena")
        aws.client("s3").create_bucket(Bucket=BUCKET)
        groups = {"decant": "athena", "tables": "tables"}
        for group, folder in groups.items():
            where = {"OutputLocation": f"s3://{BUCKET}/{self.stage}/{folder}/"}
            configuration = {"EnforceWorkGroupConfiguration": True, "ResultConfiguration": where}
            self.athena.create_work_group(Name=f"{group}-{self.stage}", Configuration=configuration)
        names = {
            "CatalogDatabase": self.stage,
            "AthenaWorkgroup": f"decant-{self.stage}",
            "TaxiTables": f"tables-{self.stage}",
        }
        work = {"parameters": {"months": "new"}}
        self.workflow = Workflow(aws, calls, "nyc_taxi", good={"plan_taxi": plan()}, work=work, names=names)

    def ask(self, statement: str) -> list[list[Any]]:
        return ask(self.athena, statement, stage=self.stage, database=self.database)[1]

    def months(self) -> dict[str, int]:
        return {str(month): int(trips) for month, trips in self.ask(STATEMENTS["count_trips"])}

    def tables(self) -> set[str]:
        return {str(row[0]) for row in self.ask("SHOW TABLES")}

    def stopped_in(self, state: str, **script: Any) -> None:
        """Start a run and stop it as soon as it has entered a state."""
        execution = self.workflow.start(**script)
        deadline = time.monotonic() + 60
        while not any(
            event.get("stateEnteredEventDetails", {}).get("name") == state
            for event in self.workflow.history(execution)
        ):
            assert time.monotonic() < deadline, f"{state} never came"
            time.sleep(0.01)
        self.workflow.states.stop_execution(executionArn=execution)
        assert self.workflow.end_of(execution).status == "ABORTED"


@pytest.fixture(scope="module")
def taxi(scripted_aws: RunningAWS, tmp_path_factory: pytest.TempPathFactory) -> Taxi:
    """A database after a first run that failed and one that did not; each test adds months of its own."""
    found = Taxi(scripted_aws, tmp_path_factory.mktemp("calls"))
    broken = STATEMENTS["convert"].replace("n, '", "CAST('x' AS integer) AS n, '")
    ended = found.workflow.run(plan_taxi=plan(convert=broken))
    assert (ended.status, ended.states[-1]) == ("FAILED", "RunFailed")
    assert "INVALID_CAST_ARGUMENT" in (ended.cause or "")
    assert found.tables() == {"raw_trips", "zones"}
    ended = found.workflow.run(plan_taxi=plan())
    assert (ended.status, found.tables()) == ("SUCCEEDED", TABLES), ended.cause
    assert found.months() == {"2025-01": 3}
    return found


def test_a_month_that_failed_half_way_is_added_once_by_the_next_run(taxi: Taxi) -> None:
    before = taxi.months()
    unwritten = plan(
        "2025-02", write_month=STATEMENTS["write_month"].replace("n FROM", "CAST('x' AS integer) AS n FROM")
    )
    unpublished = plan("2025-02", publish="ALTER TABLE no_such ADD PARTITION (month = '{}') LOCATION '{}'")
    for half_way in (unwritten, unpublished):
        ended = taxi.workflow.run(plan_taxi=half_way)
        assert (ended.status, ended.states[-2:]) == ("FAILED", ["NotifyFailed", "RunFailed"])
        assert (taxi.months(), taxi.tables()) == (before, TABLES)
    assert taxi.workflow.run(plan_taxi=plan("2025-02")).status == "SUCCEEDED"
    assert (taxi.months(), taxi.tables()) == (before | {"2025-02": 3}, TABLES)


def test_a_month_whose_run_was_killed_is_there_once_after_the_next(taxi: Taxi) -> None:
    killed = {
        "WriteMonth": "2025-03",
        "FindMonth": "2025-04",
        "PublishMonth": "2025-05",
        "DropLoading": "2025-06",
    }
    for state, month in killed.items():
        taxi.stopped_in(state, plan_taxi=plan(month))
        assert taxi.months().get(month) in (None, 3)
    before = taxi.months()
    for run in ("aa", "bb"):  # the same run again, and another one
        ended = taxi.workflow.run(plan_taxi=plan(*killed.values(), run=run))
        assert ended.status == "SUCCEEDED", ended.cause
        assert taxi.months() == before | dict.fromkeys(killed.values(), 3)


def test_two_runs_at_once_add_a_month_once(taxi: Taxi) -> None:
    before = taxi.months()
    executions = [taxi.workflow.start(plan_taxi=plan("2025-07", run=run)) for run in ("aa", "bb")]
    assert {taxi.workflow.end_of(execution).status for execution in executions} == {"SUCCEEDED"}
    assert taxi.months() == before | {"2025-07": 3}
    assert taxi.tables() == TABLES


def test_a_month_that_is_asked_for_again_is_replaced_and_not_doubled(taxi: Taxi) -> None:
    before = taxi.months()
    four = STATEMENTS["write_month"].replace("1, 2, 3", "1, 2, 3, 4")
    ended = taxi.workflow.run(plan_taxi=plan("2025-01", publish="replace_month", write_month=four))
    assert ended.status == "SUCCEEDED"
    assert taxi.months() == before | {"2025-01": 4}
