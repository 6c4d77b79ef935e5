"""Every arrow of nyc_taxi, walked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cli.workflow_diagram import arrows
from tests.workflows.conftest import Ended, Workflow

if TYPE_CHECKING:
    from tests.integration.conftest import RunningAWS

MONTH = {"month": "2025-02", "table": "loading_2025_02_ab", "publish": "{} {}"}
PLAN: dict[str, Any] = {
    "months": ["2025-02"],
    "items": [MONTH],
    "statements": dict.fromkeys(
        (
            "create_raw_trips",
            "create_zones",
            "convert",
            "create_view",
            "count_trips",
            "drop_loading",
            "write_month",
        ),
        "{} {}",
    ),
}
NOTHING_NEW = [{**PLAN, "months": [], "items": []}]
QUERY = [{"QueryExecution": {"QueryExecutionId": "q"}}]
FAILED = [{"raise": "InvalidRequestException", "message": "no such workgroup"}]


def rows(*lines: str) -> list[dict[str, Any]]:
    listed = [{"Data": [{"VarCharValue": value} for value in line.split()]} for line in lines]
    return [{"ResultSet": {"Rows": listed}}]


GOOD: dict[str, list[dict[str, Any]]] = {
    "plan_taxi": [PLAN],
    "create_database": QUERY,
    "show_tables": QUERY,
    "get_tables": rows("yellow_trips"),
    "show_months": QUERY,
    "get_months": rows("month=2025-01"),
    "drop_leftover": QUERY,
    "write_month": QUERY,
    "find_month": [{"Table": {"StorageDescriptor": {"Location": "s3://there/"}}}],
    "publish_month": QUERY,
    "drop_loading": QUERY,
    "drop_unpublished": QUERY,
    "create_raw_trips": QUERY,
    "create_zones": QUERY,
    "convert_to_parquet": QUERY,
    "create_view": QUERY,
    "update_view": QUERY,
    "count_trips": QUERY,
    "get_counts": rows("month trips", "2025-01 1200", "2025-02 1100"),
}
FIRST = {"get_tables": rows()}
FIRST_TASKS = ("plan_taxi", "create_raw_trips", "create_zones", "convert_to_parquet", "create_view")
LATER_TASKS = tuple(task for task in GOOD if task not in {*FIRST_TASKS[1:], "drop_unpublished"})
MONTH_TASKS = ("drop_leftover", "write_month", "find_month", "publish_month")


@pytest.fixture(scope="session")
def taxi(scripted_aws: RunningAWS, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The workflow with every task scripted."""
    return Workflow(
        scripted_aws,
        tmp_path_factory.mktemp("calls"),
        "nyc_taxi",
        good=GOOD,
        work={"parameters": {"months": "new"}},
        names={"CatalogDatabase": "lake", "AthenaWorkgroup": "w", "TaxiTables": "t"},
        scripted=[
            "".join(word.capitalize() for word in task.split("_")) for task in GOOD if task != "plan_taxi"
        ],
    )


def test_without_a_table_the_first_run_makes_all_of_it(taxi: Workflow) -> None:
    ended = taxi.run(**FIRST)
    assert ended.status == "SUCCEEDED"
    assert [state for state in ended.states if state not in {"CreateRawTrips", "CreateZones"}] == [
        "CreateDatabase",
        "ShowTables",
        "GetTables",
        "IsFirstRun",
        "PlanTaxiFirstRun",
        "CreateTables",
        "ConvertToParquet",
        "CreateView",
        "CountTrips",
        "GetCounts",
        "DescribeTrips",
        "NotifySucceeded",
        "TripsLoaded",
    ]
    assert (ended.calls["create_raw_trips"], ended.calls["create_zones"]) == (1, 1)
    assert ended.input_of("PlanTaxiFirstRun")["loaded"] is None


def test_with_a_table_every_new_month_is_written_found_and_published(taxi: Workflow) -> None:
    ended = taxi.run(plan_taxi=[{**PLAN, "items": [MONTH] * 3}])
    assert ended.status == "SUCCEEDED"
    assert {ended.calls[task] for task in (*MONTH_TASKS, "drop_loading")} == {3}
    assert ended.input_of("PlanTaxiNewMonths")["loaded"] == ["month=2025-01"]


def test_people_are_told_the_trips_of_every_month(taxi: Workflow) -> None:
    details = taxi.run().input_of("NotifySucceeded")["details"]
    assert details["headline"] == "1 month loaded, 2,300 trips in all"
    assert details["facts"] == {
        "Loaded now": "2025-02",
        "Trips in all": "2,300",
        "Trips of 2025-01": "1,200",
        "Trips of 2025-02": "1,100",
    }


def test_people_are_told_that_nothing_was_new(taxi: Workflow) -> None:
    ended = taxi.run(plan_taxi=NOTHING_NEW, get_counts=rows("month trips", "2025-01 1"))
    assert "write_month" not in ended.calls
    details = ended.input_of("NotifySucceeded")["details"]
    assert details["headline"] == "nothing new, 1 trips in all"
    assert details["facts"]["Loaded now"].startswith("nothing")


@pytest.mark.parametrize(
    "error",
    ["TooManyRequestsException", "ThrottlingException", "InternalServerException", "States.TaskFailed"],
)
def test_what_athena_throttles_is_asked_again(taxi: Workflow, error: str) -> None:
    refused = {"raise": error}
    tasks = ("create_database", "write_month", "publish_month", "count_trips")
    ended = taxi.run(**{task: [refused, *GOOD[task]] for task in tasks})
    assert (ended.status, {ended.calls[task] for task in tasks}) == ("SUCCEEDED", {2})


def test_a_catalogue_that_throttles_is_asked_again(taxi: Workflow) -> None:
    ended = taxi.run(find_month=[{"raise": "ThrottlingException"}] * 3 + GOOD["find_month"])
    assert (ended.status, ended.calls["find_month"]) == ("SUCCEEDED", 4)


@pytest.fixture(scope="session")
def failed(taxi: Workflow) -> dict[str, Ended]:
    """A run for each task that cannot do its work, by the way that it went."""
    scripts = {f"first {task}": {**FIRST, task: FAILED} for task in FIRST_TASKS}
    scripts |= {f"later {task}": {task: FAILED} for task in LATER_TASKS}
    executions = {way: taxi.start(**script) for way, script in scripts.items()}
    return {way: taxi.end_of(execution) for way, execution in executions.items()}


def test_a_run_that_cannot_go_on_is_told_of_and_red(failed: dict[str, Ended]) -> None:
    assert len(failed) == len(FIRST_TASKS) + len(LATER_TASKS)
    for way, ended in failed.items():
        assert ended.states[-2:] == ["NotifyFailed", "RunFailed"], way
        assert (ended.status, ended.error) == ("FAILED", "InvalidRequestException"), way


@pytest.mark.parametrize("task", MONTH_TASKS)
def test_a_month_that_cannot_be_published_leaves_no_table_behind(failed: dict[str, Ended], task: str) -> None:
    ended = failed[f"later {task}"]
    assert ended.calls["drop_unpublished"] == 1
    assert "update_view" not in ended.calls


def test_a_run_whose_notice_cannot_be_sent_is_red(taxi: Workflow) -> None:
    ended = taxi.run(notify=[{"raise": "NotFoundException", "message": "Topic does not exist"}])
    assert (ended.states[-1], ended.status, ended.error) == ("NoticeNotSent", "FAILED", "NoticeNotSent")


def test_every_arrow_of_the_definition_is_walked_here(taxi: Workflow, failed: dict[str, Ended]) -> None:
    scripts: list[dict[str, Any]] = [
        {},
        FIRST,
        {"notify": FAILED},
        {"create_database": FAILED, "notify": FAILED},
        {"publish_month": FAILED, "drop_unpublished": FAILED},
    ]
    runs = [taxi.end_of(execution) for execution in [taxi.start(**script) for script in scripts]]
    for machine in (taxi.definition, taxi.definition["States"]["InsertNewMonths"]["ItemProcessor"]):
        states = machine["States"]
        walked = set().union(*(ended.arrows(states) for ended in (*runs, *failed.values())))
        drawn = {(name, target) for name, state in states.items() for _, target in arrows(state)}
        assert drawn - walked == set()
