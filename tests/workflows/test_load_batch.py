"""Every arrow of load_batch, walked: the batch's own and those of its items."""

from __future__ import annotations

import itertools
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from cli.workflow_diagram import arrows
from tests.workflows.conftest import Workflow

if TYPE_CHECKING:
    from tests.integration.conftest import RunningAWS

GROUP = {"kind": "group", "token": "t", "pipeline": "orders", "files": []}
FAILED = {"raise": "LoadFailed", "message": "no such role"}
TRANSFORMED = {"rows": 5, "manifest": "s3://b/m", "files": [{"number": 0}], "left": []}
ONE_LEFT = {**TRANSFORMED, "left": [{"token": "x"}]}
ALL_LEFT = {**ONE_LEFT, "files": []}
SUMMARY = {
    "done": True,
    "wait_seconds": 0,
    "failed": 0,
    "headline": "all loaded",
    "error": {"Error": "", "Cause": ""},
}
INCOMPLETE = {**SUMMARY, "failed": 1, "error": {"Error": "BatchIncomplete", "Cause": "1 failed"}}
RUNNING = {"done": False, "wait_seconds": 5}
LOAD_FILE = {
    "StartAt": "How",
    "States": {
        "How": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.good", "BooleanEquals": True, "Next": "Good"}],
            "Default": "Bad",
        },
        "Good": {"Type": "Pass", "Result": {"catalogue": {"rows": 5}}, "End": True},
        "Bad": {"Type": "Fail", "Error": "FileRejected", "Cause": "row 3"},
    },
}
"""Stands in for load_file: ends as its input says."""


class Batch(Workflow):
    """load_batch with a list of items of its own for each run."""

    def prepare(self, aws: RunningAWS) -> None:
        self.s3 = aws.client("s3")
        self.s3.create_bucket(Bucket=self.prefix)

    def plan(self, *items: dict[str, Any]) -> list[dict[str, Any]]:
        """Write a list of items, and say what PlanBatch returns then."""
        key = uuid.uuid4().hex
        self.s3.put_object(Bucket=self.prefix, Key=key, Body=json.dumps(items))
        place = {"bucket": self.prefix, "key": key, "results": "results"}
        return [{**place, "concurrency": 2, "items": len(items)}]

    def items_of(self, execution: str) -> list[list[str]]:
        """Return the states that each item went through."""
        runs = self.states.list_map_runs(executionArn=execution)["mapRuns"]
        return [
            [
                event["stateEnteredEventDetails"]["name"]
                for event in self.history(child["executionArn"])
                if "stateEnteredEventDetails" in event
            ]
            for run in runs
            for child in self.states.list_executions(mapRunArn=run["mapRunArn"])["executions"]
        ]


def alone(*, good: bool = True) -> dict[str, Any]:
    return {"kind": "file", "name": uuid.uuid4().hex, "input": {"good": good}}


@pytest.fixture(scope="module")
def load_batch(scripted_aws: RunningAWS, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    name = f"file-{uuid.uuid4().hex[:8]}"
    machine = scripted_aws.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(LOAD_FILE), roleArn="arn:aws:iam::123456789012:role/states"
    )["stateMachineArn"]
    good = {
        "transform_group": [TRANSFORMED],
        "copy_group": [{"rows": 5, "elsewhere": []}],
        "summarise_batch": [SUMMARY],
    }
    batch = Batch(
        scripted_aws,
        tmp_path_factory.mktemp("calls"),
        "load_batch",
        good=good,
        work={"parameters": {"prefix": "batch/p/"}},
        names={"LoadFileStateMachine": machine},
    )
    batch.prepare(scripted_aws)
    return batch


def test_files_and_groups_are_loaded_and_summed_up(load_batch: Batch) -> None:
    execution = load_batch.start(plan_batch=load_batch.plan(alone(), GROUP))
    ended = load_batch.end_of(execution)
    assert ended.status == "SUCCEEDED"
    assert ended.states == [
        "PlanBatch",
        "IsAnythingToLoad",
        "LoadEach",
        "SummariseBatch",
        "IsBatchOver",
        "IsBatchComplete",
        "NotifySucceeded",
        "BatchLoaded",
    ]
    grouped = ["IsFileAlone", "TransformGroup", "IsAnyFileGood", "CopyGroup", "CatalogueGroup"]
    assert sorted(load_batch.items_of(execution)) == [
        ["IsFileAlone", "LoadFile", "ItemLoaded"],
        [*grouped, "IsAnyFileLeft", "ItemLoaded"],
    ]


def test_where_the_results_are_is_told_to_the_summary(load_batch: Batch) -> None:
    ended = load_batch.run(plan_batch=load_batch.plan(GROUP))
    place = ended.input_of("SummariseBatch")["load_each"]["ResultWriterDetails"]
    manifest = json.loads(load_batch.s3.get_object(**place)["Body"].read())
    assert [len(files) for _, files in sorted(manifest["ResultFiles"].items())] == [0, 0, 1]


def test_a_batch_of_which_a_part_failed_is_told_of_and_red(load_batch: Batch) -> None:
    ended = load_batch.run(plan_batch=load_batch.plan(alone(good=False)), summarise_batch=[INCOMPLETE])
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "BatchIncomplete", "1 failed")
    assert ended.states[-3:] == ["IsBatchComplete", "NotifyIncomplete", "BatchIncomplete"]


def test_items_that_fail_are_tolerated_until_the_summary_judges_them(load_batch: Batch) -> None:
    plan = load_batch.plan(alone(good=False), alone(good=False), GROUP)
    ended = load_batch.run(plan_batch=plan, copy_group=[FAILED])
    assert ended.status == "SUCCEEDED"  # the scripted summary says that all ended well


def test_a_run_of_the_same_name_is_met_and_not_repeated(load_batch: Batch) -> None:
    item = alone()
    first = load_batch.start(plan_batch=load_batch.plan(item))
    load_batch.end_of(first)
    again = load_batch.start(plan_batch=load_batch.plan(item))
    load_batch.end_of(again)
    assert load_batch.items_of(first) == [["IsFileAlone", "LoadFile", "ItemLoaded"]]
    assert load_batch.items_of(again) == [["IsFileAlone", "LoadFile", "ItemNotLoaded"]]


def test_a_batch_with_nothing_new_starts_no_map_run(load_batch: Batch) -> None:
    execution = load_batch.start(plan_batch=load_batch.plan())
    ended = load_batch.end_of(execution)
    assert ended.status == "SUCCEEDED"
    assert load_batch.items_of(execution) == []
    assert ended.input_of("SummariseBatch")["load_each"] == {"ResultWriterDetails": None}


def test_runs_that_are_still_under_way_are_waited_for(load_batch: Batch) -> None:
    script = [RUNNING, RUNNING, SUMMARY]
    ended = load_batch.run(plan_batch=load_batch.plan(), summarise_batch=script)
    assert (ended.status, ended.states.count("WaitForFiles")) == ("SUCCEEDED", 2)


def test_a_prefix_without_files_is_told_of_and_red(load_batch: Batch) -> None:
    ended = load_batch.run(plan_batch=[{"raise": "EmptyPrefix", "message": "there is no file"}])
    assert ended.states == ["PlanBatch", "NotifyFailed", "RunFailed"]
    assert (ended.error, ended.calls["plan_batch"]) == ("EmptyPrefix", 1)


@pytest.mark.parametrize("step", ["transform_group", "copy_group", "catalogue_group", "start_file_runs"])
def test_a_step_of_a_group_is_tried_again(load_batch: Batch, step: str) -> None:
    usual = {"transform_group": ONE_LEFT, "copy_group": {"rows": 5, "elsewhere": []}}
    again = [{"raise": "Throttled"}, usual.get(step, {})]
    script = {"transform_group": [ONE_LEFT], step: again}
    ended = load_batch.run(plan_batch=load_batch.plan(GROUP), **script)
    assert (ended.status, ended.calls[step]) == ("SUCCEEDED", 2)


@pytest.mark.parametrize("error", ["WarehouseIsBusy", "WarehouseIsUnreachable"])
def test_a_group_that_met_another_load_is_tried_again(load_batch: Batch, error: str) -> None:
    copies = [{"raise": error}, {"raise": error}, {"rows": 5, "elsewhere": []}]
    ended = load_batch.run(plan_batch=load_batch.plan(GROUP), copy_group=copies)
    assert (ended.status, ended.calls["copy_group"]) == ("SUCCEEDED", 3)


def test_every_arrow_of_the_definition_is_walked_here(load_batch: Batch) -> None:
    gone = [{"bucket": load_batch.prefix, "key": "none", "results": "r", "concurrency": 1, "items": 1}]
    scripts: list[dict[str, Any]] = [
        {"plan_batch": load_batch.plan(alone(), alone(good=False), GROUP)},
        {"plan_batch": load_batch.plan(GROUP), "transform_group": [ONE_LEFT]},
        {"plan_batch": load_batch.plan(GROUP), "transform_group": [ALL_LEFT]},
        {"plan_batch": load_batch.plan(GROUP), "transform_group": [FAILED]},
        {"plan_batch": load_batch.plan(GROUP), "copy_group": [FAILED]},
        {"plan_batch": load_batch.plan(GROUP), "catalogue_group": [FAILED]},
        {
            "plan_batch": load_batch.plan(GROUP),
            "transform_group": [ALL_LEFT],
            "start_file_runs": [FAILED],
        },
        {"plan_batch": [FAILED]},
        {"plan_batch": [FAILED], "notify": [FAILED]},
        {"plan_batch": gone},
        {"plan_batch": load_batch.plan(), "summarise_batch": [FAILED]},
        {"plan_batch": load_batch.plan(), "summarise_batch": [RUNNING, SUMMARY]},
        {"plan_batch": load_batch.plan(), "summarise_batch": [INCOMPLETE]},
        {"plan_batch": load_batch.plan(), "summarise_batch": [INCOMPLETE], "notify": [FAILED]},
        {"plan_batch": load_batch.plan(), "notify": [FAILED]},
    ]
    executions = [load_batch.start(**script) for script in scripts]
    ended = [load_batch.end_of(execution) for execution in executions]
    walked = set().union(*(each.arrows() for each in ended))
    for execution in executions:
        for states in load_batch.items_of(execution):
            walked |= set(itertools.pairwise(states))
    top = load_batch.definition["States"]
    inner = top["LoadEach"]["ItemProcessor"]["States"]
    drawn = {
        (name, target)
        for level in (top, inner)
        for name, state in level.items()
        for _, target in arrows(state)
    }
    assert drawn - walked == set()
