"""What runs of a workflow cost: ways, loops, items, prices, limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import KEPT
from benchmarks.cost import FILES, rows
from chalicelib.pipeline import GlueJob
from chalicelib.steps.check_glue_job import wait_seconds
from cli.main import main
from infrastructure.render import ROOT
from infrastructure.workflow_cost import (
    GlueCapacity,
    GrowingWaits,
    NoWay,
    Question,
    TooManyWays,
    UnknownRegion,
    estimate,
    regions,
)
from infrastructure.workflow_cost.prices import PRICES
from infrastructure.workflow_cost.project import capacity, memory

MB = 1_000_000
LOAD_FILE = json.loads((ROOT / "workflows" / "load_file.asl.json").read_text(encoding="utf-8"))


def line_of(*states: dict[str, Any]) -> dict[str, Any]:
    """A workflow whose states S0, S1, ... follow each other."""
    named = {f"S{number}": dict(state) for number, state in enumerate(states)}
    for number, state in enumerate(named.values()):
        if state["Type"] not in {"Succeed", "Fail", "Choice"}:
            state.update({"Next": f"S{number + 1}"} if number + 1 < len(states) else {"End": True})
    return {"StartAt": "S0", "States": named}


def passes(number: int) -> dict[str, Any]:
    return line_of(*[{"Type": "Pass"}] * number)


def task(resource: str, **parameters: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters}


def only(definition: dict[str, Any], **asked: Any) -> Any:
    (way,) = estimate(definition, Question(**{"runs": 1, **asked})).ways
    return way


def usage(*states: dict[str, Any], **asked: Any) -> Any:
    return only(line_of(*states), **asked).walked.usage


# The exercises that the pricing of Step Functions is taught with


def test_ten_states_and_100_000_runs_cost_25_dollars():
    assert only(passes(10), runs=100_000).bill.standard_usd == pytest.approx(25.00)


def test_fifteen_states_and_50_000_runs_cost_18_dollars_75():
    assert only(passes(15), runs=50_000).bill.standard_usd == pytest.approx(18.75)


def test_a_million_express_runs_of_100_milliseconds_cost_a_dollar_ten():
    way = only(passes(5), runs=1_000_000)
    assert way.walked.usage.seconds == pytest.approx(0.1)
    assert way.bill.express_usd == pytest.approx(1.0 + 1_000_000 * 0.1 * 64 / 1024 / 3600 * 0.06, abs=0.01)


def test_express_gets_cheaper_by_the_gb_hour():
    """Amazon's own example: 100 million runs of 10 s and 64 MB cost 382.97 for their duration."""
    way = only(line_of({"Type": "Wait", "Seconds": 10}), runs=100_000_000)
    requests, duration = way.bill.express
    assert requests.usd == pytest.approx(100.0)
    # Its transition adds 0.02 s, billed as 0.1 s, at the price of the last tier.
    assert duration.usd == pytest.approx(382.97 + 100_000_000 * 0.1 / 16 / 3600 * 0.01642, abs=0.1)


# Ways


def test_each_distinct_way_is_walked_and_those_that_fail_come_last():
    ways = estimate(LOAD_FILE, Question(runs=1)).ways
    chains = [way.walked.way.states for way in ways]
    assert len(set(chains)) == len(chains) >= 6
    assert [way.walked.fails for way in ways] == sorted(way.walked.fails for way in ways)
    assert all(chain[0] == "ValidateFile" for chain in chains)


def test_assumed_values_and_states_asked_for_choose_the_way():
    assumed = {"route": "lambda", "load": "true", "valid": "true"}
    ways = estimate(LOAD_FILE, Question(runs=1, assumed=assumed, through=("CopyToRedshift",))).ways
    for way in ways:
        assert way.walked.way.states[-1] == "FileLoaded"
        assert "TransformFile" in way.walked.way.states
        assert way.walked.usage.transitions == len(way.walked.way.states)
    with pytest.raises(NoWay, match="StartGlueJob"):
        estimate(LOAD_FILE, Question(runs=1, assumed=assumed, through=("StartGlueJob",)))


def test_a_choice_on_something_else_stays_open():
    choice = {
        "Type": "Choice",
        "Choices": [
            {"Variable": "$.x.kind", "StringEquals": "a", "Next": "A"},
            {"Variable": "$.x.size", "NumericGreaterThan": 3, "Next": "B"},
        ],
        "Default": "C",
    }
    ends = {name: {"Type": "Succeed"} for name in "ABC"}
    definition = {"StartAt": "Which", "States": {"Which": choice, **ends}}

    def taken(**assumed: str) -> list[str]:
        return [
            way.walked.way.states[-1] for way in estimate(definition, Question(runs=1, assumed=assumed)).ways
        ]

    assert taken() == ["A", "B", "C"]
    assert taken(kind="a") == ["A"]
    assert taken(kind="b") == ["B", "C"]


def test_a_workflow_with_more_ways_than_anybody_reads_is_refused():
    states: dict[str, Any] = {"End": {"Type": "Succeed"}}
    for number in range(8):
        after = f"C{number + 1}" if number < 7 else "End"
        states[f"A{number}"] = {"Type": "Pass", "Next": after}
        states[f"C{number}"] = {
            "Type": "Choice",
            "Choices": [{"Variable": "$.x", "IsPresent": True, "Next": f"A{number}"}],
            "Default": after,
        }
    with pytest.raises(TooManyWays, match="--assume"):
        estimate({"StartAt": "C0", "States": states}, Question(runs=1))


# Loops


def polling(seconds: int, job: dict[str, Any]) -> dict[str, Any]:
    return {
        "StartAt": "Start",
        "States": {
            "Start": {**job, "Next": "Pause"},
            "Pause": {"Type": "Wait", "Seconds": seconds, "Next": "Look"},
            "Look": {**task("glue:getJobRun"), "Next": "IsDone"},
            "IsDone": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.done", "BooleanEquals": True, "Next": "Done"}],
                "Default": "Pause",
            },
            "Done": {"Type": "Succeed"},
        },
    }


def test_a_poll_loop_turns_until_the_job_is_done():
    way = only(polling(30, task("glue:startJobRun", JobName="x")), job_seconds=100)
    (turns,) = way.walked.turns
    assert (turns.states, turns.number) == (("Pause", "Look", "IsDone"), 3)
    assert way.walked.usage.transitions == 5 + 3 * 3
    assert "Start" in turns.reason


def test_waits_grow_as_the_check_step_makes_them_grow():
    job = GlueJob(name="process_csv")
    waits = GrowingWaits(first=job.first_wait, growth=job.growth, longest=job.longest_wait)
    for elapsed in (0, 10, 31, 60, 100, 240, 1000):
        assert waits.pause(elapsed) == wait_seconds(job, elapsed)


def test_growing_waits_look_less_often_at_a_long_job():
    assumed = {"route": "glue", "load": "true", "valid": "true", "succeeded": "true"}

    def turns(seconds: float) -> int:
        ways = estimate(LOAD_FILE, Question(runs=1, assumed=assumed, job_seconds=seconds)).ways
        (number,) = {turns.number for way in ways for turns in way.walked.turns}
        return number

    assert turns(60) < turns(600) < turns(6000)
    assert turns(6000) <= 6000 / 120 + 12


def test_a_loop_that_waits_for_nothing_known_says_what_it_assumed():
    definition = polling(10, {"Type": "Pass"})
    way = only(definition)
    assert way.walked.turns[0].number == 6
    assert "assumed" in way.walked.turns[0].reason


# Items


ITEM = {
    "StartAt": "One",
    "States": {"One": {"Type": "Pass", "Next": "Two"}, "Two": {"Type": "Pass", "End": True}},
}


def test_a_map_counts_its_items_and_a_parallel_its_branches():
    used = usage({"Type": "Map", "ItemProcessor": ITEM}, items=100)
    assert used.transitions == 1 + 100 * 2
    assert used.events == 2 + 4 + 100 * (2 + 4)
    assert usage({"Type": "Map", "Iterator": ITEM}, items=100).transitions == used.transitions
    both = usage({"Type": "Parallel", "Branches": [ITEM, passes(3)]})
    assert both.transitions == 1 + 2 + 3
    assert both.seconds == pytest.approx(0.02 + 3 * 0.02)


def test_a_distributed_map_has_child_runs_with_histories_of_their_own():
    def mapped(kind: str, **more: Any) -> dict[str, Any]:
        config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
        return {"Type": "Map", "ItemProcessor": {**ITEM, "ProcessorConfig": config}, **more}

    listing = {"ItemReader": {"Resource": "arn:aws:states:::s3:listObjectsV2"}, "ResultWriter": {}}
    used = usage(mapped("STANDARD", **listing), items=5000)
    assert (used.transitions, used.events, used.s3_puts) == (1 + 5000 * 2, 8, 5 + 1)
    batched = usage(mapped("STANDARD", ItemBatcher={"MaxItemsPerBatch": 100}), items=5000)
    assert batched.transitions == 1 + 50 * 2
    way = only(line_of(mapped("EXPRESS")), items=5000, runs=10)
    assert way.walked.usage.transitions == 1
    assert way.walked.usage.child_requests == 5000
    assert "Distributed" in way.bill.express_impossible
    assert any(line.what == "Express child runs" and line.quantity == 50_000 for line in way.bill.rest)


def test_a_maps_inner_way_is_the_longest_that_does_not_fail():
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.bad", "BooleanEquals": True, "Next": "Tell"}],
        "Default": "Keep",
    }
    inside = {
        "StartAt": "IsBad",
        "States": {
            "IsBad": choice,
            "Keep": {"Type": "Pass", "End": True},
            "Tell": {"Type": "Pass", "Next": "Log"},
            "Log": {"Type": "Pass", "Next": "Bad"},
            "Bad": {"Type": "Fail"},
        },
    }
    definition = line_of({"Type": "Map", "ItemProcessor": inside})
    assert only(definition).walked.inside == {"S0": ("IsBad", "Keep")}
    assert only(definition, through=("Tell",)).walked.inside["S0"][1] == "Tell"


# Work


def test_a_glue_job_is_billed_a_minute_at_least_and_by_its_workers():
    job = task("glue:startJobRun.sync", JobName="${BigJob}")
    assert usage(job, size=MB).glue_dpu_minutes == pytest.approx(2.0)
    ten = {"BigJob": GlueCapacity(dpus=10, source="test")}
    assert usage(job, size=MB, glue=ten).glue_dpu_minutes == pytest.approx(10.0)
    hour = usage(job, glue=ten, job_seconds=3660)
    assert hour.glue_dpu_minutes == pytest.approx(600)
    assert hour.seconds == pytest.approx(3660, abs=1)
    shell = {"BigJob": capacity({"Command": {"Name": "pythonshell"}})}
    assert usage(job, size=MB, glue=shell).glue_dpu_minutes == pytest.approx(0.0625)


@pytest.mark.parametrize(
    ("properties", "dpus"),
    [
        ({"WorkerType": "G.2X", "NumberOfWorkers": 3}, 6),
        ({"Command": {"Name": "pythonshell"}, "MaxCapacity": 1}, 1),
    ],
)
def test_the_templates_properties_say_a_jobs_capacity(properties, dpus):
    assert capacity(properties).dpus == dpus


def test_a_crawler_is_billed_ten_minutes_at_least():
    assert usage(task("aws-sdk:glue:startCrawler", Name="c")).glue_dpu_minutes == pytest.approx(20)


def test_athena_bills_ten_megabytes_at_least_and_nothing_for_ddl():
    def scanned(query: str, **asked: Any) -> float:
        parameters = {"QueryString.$" if query.startswith(("$", "States")) else "QueryString": query}
        return usage(task("athena:startQueryExecution.sync", **parameters), **asked).athena_bytes

    assert scanned("SELECT 1", size=MB) == 10 * MB
    assert scanned("INSERT INTO a SELECT * FROM b", size=50 * MB) == 50 * MB
    assert scanned("$.query", size=50 * MB) == 50 * MB
    assert scanned("$.query", size=50 * MB, scans={"S0": 20 * MB}) == 20 * MB
    assert scanned("$.query", size=50 * MB, scans={"S0": 0}) == 0
    for free in (
        "CREATE DATABASE IF NOT EXISTS x",
        "create external table t (a int)",
        "SHOW TABLES",
        "MSCK REPAIR TABLE t",
        "CREATE OR REPLACE VIEW v AS SELECT 1",
        "States.Format('DROP TABLE {}', $.t)",
    ):
        assert scanned(free, size=50 * MB) == 0, free
    assert scanned("CREATE TABLE t AS SELECT 1", size=50 * MB) == 50 * MB


def test_functions_are_known_by_placeholder_arn_and_invoke():
    known = memory()
    for state in (
        {"Type": "Task", "Resource": "${ValidateFileArn}"},
        {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:decant-dev-validate_file",
        },
        task("lambda:invoke", FunctionName="${ValidateFileArn}"),
        task(
            "lambda:invoke", FunctionName="arn:aws:lambda:us-east-1:123456789012:function:validate-file:live"
        ),
    ):
        used = usage(state, memory=known, size=80 * MB)
        assert used.lambda_gb_seconds == pytest.approx(1769 / 1024 * 1.2)
        assert used.lambda_requests == 1


def test_a_states_duration_can_be_given():
    used = usage({"Type": "Task", "Resource": "${OwnArn}"}, durations={"S0": 10}, memory={"own": 512})
    assert used.lambda_gb_seconds == pytest.approx(5.0)
    assert used.seconds == pytest.approx(10.02)


def test_calls_without_a_price_here_are_listed():
    used = usage(task("sns:publish"), task("aws-sdk:dynamodb:putItem"), task("athena:getQueryResults"))
    assert used.unpriced == {"sns:publish": 1, "dynamodb:putItem": 1}


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (task("glue:startJobRun.sync", JobName="x"), "S0 waits by .sync"),
        (task("sqs:sendMessage.waitForTaskToken"), "task token"),
        ({"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:x"}, "activity"),
        ({"Type": "Wait", "Seconds": 301}, "300 s"),
    ],
)
def test_what_express_cannot_do_is_said(state, why):
    bill = only(line_of(state)).bill
    assert why in bill.express_impossible
    assert bill.express_usd is None


# Limits


def test_an_inline_map_of_many_items_comes_near_both_limits():
    definition = line_of({"Type": "Map", "ItemProcessor": ITEM})
    assert only(definition, items=100).warnings == []
    history, payload = only(definition, items=5000).warnings
    assert "exceeds the limit of 25,000" in history
    assert "ResultWriter" in payload
    assert "comes near" in only(definition, items=3700).warnings[0]
    kept_small = line_of({"Type": "Map", "ItemProcessor": ITEM, "ResultPath": None})
    assert only(kept_small, items=1000).warnings == []


def test_a_fast_poll_of_a_long_job_comes_near_the_history_limit():
    job = task("glue:startJobRun", JobName="x")
    (warning,) = only(polling(2, job), job_seconds=6 * 3600).warnings
    assert "turns of Pause" in warning
    assert only(polling(120, job), job_seconds=6 * 3600).warnings == []


def test_payload_that_grows_in_a_loop_is_told():
    definition = polling(30, task("glue:startJobRun", JobName="x"))
    definition["States"]["Look"] = {"Type": "Pass", "Parameters": {"before.$": "$"}, "Next": "IsDone"}
    (warning,) = only(definition).warnings
    assert "Parameters.before.$" in warning


def test_a_file_too_large_for_a_function_is_told():
    way = only(line_of({"Type": "Task", "Resource": "${TransformFileArn}"}), size=100_000 * MB)
    assert "Lambda ends it at 900 s" in way.warnings[0]


# Prices


def test_the_price_file_is_dated_and_names_its_pages():
    document = json.loads(PRICES.read_text())
    assert len(document["as_of"]) == len("2026-01-31")
    assert all(source.startswith("https://aws.amazon.com/") for source in document["sources"].values())
    units = {frozenset(region) for region in document["regions"].values()}
    assert len(units) == 1
    assert len(regions()) >= 5


def test_a_region_without_prices_is_refused_with_those_that_have_some():
    with pytest.raises(UnknownRegion, match="eu-central-1, eu-west-1, us-east-1"):
        estimate(passes(1), Question(runs=1, region="mars-north-1"))


def test_the_free_tier_is_told_apart():
    bill = only(passes(10), runs=100).bill
    assert bill.free_usd == pytest.approx(bill.standard_usd)
    bill = only(passes(10), runs=100_000).bill
    assert bill.free_usd == pytest.approx(4000 / 1000 * 0.025)


# The benchmark


def test_small_files_cost_a_fiftieth_of_a_glue_job_for_each_and_are_there_thirty_times_sooner():
    tutorial, parquet, loaded, measured = rows()
    assert tutorial["usd"] > FILES * 2 / 60 * 0.44
    assert parquet["usd_ratio"] < 1 / 50
    assert parquet["ratio"] < 1 / 30
    assert loaded["usd"] > parquet["usd"]
    assert measured["ratio"] < 1 / 30
    assert {*KEPT, "usd", "usd_ratio"} == set(tutorial)


# The command


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["workflows", "cost", *arguments])


def test_the_command_prices_a_pipelines_file_by_its_size():
    def states(size: str) -> list[list[str]]:
        said = run("load_file", "--runs", "1000", "--size", size, "--pipeline", "orders", "--json")
        assert said.exit_code == 0, said.output
        return [way["states"] for way in json.loads(said.output)["ways"]]

    assert {"TransformFile"} == {
        state for way in states("5MB") for state in way if state in {"TransformFile", "StartGlueJob"}
    }
    assert {"StartGlueJob"} == {
        state for way in states("50MB") for state in way if state in {"TransformFile", "StartGlueJob"}
    }


def test_the_command_prints_every_figure_with_its_source(tmp_path):
    path = tmp_path / "ten.asl.json"
    path.write_text(json.dumps(passes(10)))
    said = run(str(path), "--runs", "100000")
    assert said.exit_code == 0, said.output
    assert "25.00" in said.output
    assert "https://aws.amazon.com/step-functions/pricing/" in said.output
    found = json.loads(run(str(path), "--runs", "100000", "--json").output)
    assert found["ways"][0]["per_month"]["standard_usd"] == 25.0
    assert found["ways"][0]["per_run"]["transitions"] == 10


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nothing",), 1, "there are"),
        (("load_file", "--region", "mars"), 1, "eu-west-1"),
        (("load_file", "--size", "5 parsecs"), 2, "5MB"),
        (("load_file", "--path", "Nowhere"), 1, "there are ValidateFile"),
        (("load_file", "--duration", "Nowhere=2"), 1, "there is no state 'Nowhere'"),
        (("load_file", "--route", "glue", "--path", "TransformFile"), 1, "no way without errors"),
        (("load_file", "--pipeline", "nothing"), 1, "orders"),
        (("load_file", "--assume", "route"), 2, "NAME=VALUE"),
        (("load_file", "--duration", "Notify=fast"), 1, "write seconds"),
        (("load_file", "--scan", "Notify=much"), 1, "no size"),
        (("load_file", "--runs", "0"), 2, "runs"),
    ],
)
def test_a_command_line_that_cannot_be_answered_says_what_to_write(arguments, code, said):
    answered = run(*arguments)
    assert answered.exit_code == code
    assert said in answered.output
    assert "Traceback" not in answered.output
