"""The language: JSONPath, JSONata, variables, choices, branches and maps."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.step_functions_client import StateMachines, output

JSONATA = {"QueryLanguage": "JSONata"}
DONE = {"Done": {"Type": "Succeed"}}


@pytest.fixture(scope="module")
def machines(local_aws):
    return StateMachines(local_aws)


def passes(**fields: Any) -> dict[str, Any]:
    return {"Only": {"Type": "Pass", "End": True} | fields}


EXPRESSIONS = {
    "$states.input.n * 2": 8,
    "$states.input.nothing": None,
    "$states.input.text & '!'": 'it\'s "quoted"\n\\ é 𝄞!',
    "$states.input.rows[1].id": 2,
    "$sum($states.input.rows.id)": 3,
    "$partition([1..5], 2)": [[1, 2], [3, 4], [5]],
    "$range(0, 10, 5)": [0, 5, 10],
    "$hash('a', 'SHA-256')": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
    "$hash('a', 'MD5')": "0cc175b9c0f1b6a831c399e269772661",
    "$parse('{\"q\": [1]}').q[0]": 1,
    "$length($uuid())": 36,
    "$random(7) = $random(7)": True,
    "$states.context.StateMachine.Name != ''": True,
    "[]": [],
    "{'a': $states.input.nothing}": {"a": None},
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_jsonata_expression_has_its_value(machines, expression):
    document = {"n": 4, "nothing": None, "text": 'it\'s "quoted"\n\\ é 𝄞', "rows": [{"id": 1}, {"id": 2}]}
    found = machines.run(passes(Output=f"{{% {expression} %}}"), document, fields=JSONATA)
    assert output(found) == EXPRESSIONS[expression]


@pytest.mark.parametrize("expression", ["$states.input.absent", "1 + 'a'", "$sum", "$nothing", "$eval('1')"])
def test_a_jsonata_expression_without_a_value_fails_the_execution(machines, expression):
    found = machines.run(passes(Output=f"{{% {expression} %}}"), fields=JSONATA)
    assert (found["status"], found["error"]) == ("FAILED", "States.QueryEvaluationError")
    assert "'Only'" in found["cause"]


def test_a_jsonata_expression_reads_a_large_input_quickly(machines):
    rows = [{"id": number, "text": "x" * 60} for number in range(2_000)]
    begun = time.monotonic()
    found = machines.run(passes(Output="{% $count($states.input) %}"), rows, fields=JSONATA)
    assert output(found) == 2_000
    assert time.monotonic() - begun < 10


def test_a_jsonata_task_takes_arguments_and_gives_its_result(machines):
    queue = machines.queue()
    arguments = {"QueueUrl": "{% $states.input.queue %}", "MessageBody": {"n": "{% $states.input.n + 1 %}"}}
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Arguments": arguments,
        "Output": "{% $exists($states.result.MessageId) %}",
        "End": True,
    }
    found = machines.run({"Only": task}, {"queue": queue, "n": 1}, fields=JSONATA)
    assert output(found) is True
    assert machines.message(queue) == {"n": 2}


def test_a_jsonata_condition_chooses_and_a_caught_error_is_readable(machines):
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:glue:getTable",
        "Arguments": {"DatabaseName": "none", "Name": "none"},
        "Catch": [
            {"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error %}", "Next": "Which"}
        ],
        "End": True,
    }
    condition = "{% $states.input = 'Glue.EntityNotFoundException' %}"
    which = {"Type": "Choice", "Choices": [{"Condition": condition, "Next": "Done"}], "Default": "Other"}
    found = machines.run({"Only": task, "Which": which, "Other": {"Type": "Fail"}} | DONE, fields=JSONATA)
    assert output(found) == "Glue.EntityNotFoundException"


@pytest.mark.parametrize("language", ["JSONPath", "JSONata"])
def test_variables_last_until_they_are_read(machines, language):
    if language == "JSONPath":
        assign = {"whole.$": "$.a", "list": [1, {"k": 2}], "text": "it's"}
        read = {"Parameters": {"b.$": "$whole.b", "k.$": "$list[1].k", "t.$": "States.Format('{}!', $text)"}}
    else:
        assign = {"whole": "{% $states.input.a %}", "list": [1, {"k": 2}], "text": "it's"}
        read = {"Output": {"b": "{% $whole.b %}", "k": "{% $list[1].k %}", "t": "{% $text & '!' %}"}}
    states = {"First": {"Type": "Pass", "Assign": assign, "Next": "Between"}}
    states["Between"] = {"Type": "Pass", "Next": "Only"}
    found = machines.run(states | passes(**read), {"a": {"b": 1}}, fields={"QueryLanguage": language})
    assert output(found) == {"b": 1, "k": 2, "t": "it's!"}


def test_a_branch_reads_outer_variables_and_keeps_its_own(machines):
    inner = {"StartAt": "B", "States": {"B": {"Type": "Pass", "Assign": {"own": 1}, "Next": "C"}}}
    inner["States"]["C"] = {"Type": "Pass", "Parameters": {"x.$": "$outer"}, "End": True}
    states = {"First": {"Type": "Pass", "Assign": {"outer": 5}, "Next": "Both"}}
    states["Both"] = {"Type": "Parallel", "Branches": [inner], "Next": "After"}
    states["After"] = {"Type": "Pass", "Parameters": {"own.$": "$own"}, "End": True}
    found = machines.run(states)
    assert found["status"] == "FAILED"
    assert "own" in found["cause"]
    parallel = next(e for e in machines.events(found["executionArn"]) if e["type"] == "ParallelStateExited")
    assert json.loads(parallel["stateExitedEventDetails"]["output"]) == [{"x": 5}]


PATHS = {
    "$.rows[1].id": 2,
    "$.rows[-1].id": 2,
    "$.rows[*].id": [1, 2],
    "$.rows[0:1]": [{"id": 1}],
    "$.rows[?(@.id==2)].id": [2],
    "$.rows[?(@.id==3)]": [],
    "$..id": [1, 2],
    "$.with-hyphen": 5,
    "$['with space']['é']": 6,
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_leads_to_a_value_or_to_a_list_of_them(machines, path):
    document = {"rows": [{"id": 1}, {"id": 2}], "with-hyphen": 5, "with space": {"é": 6}}
    found = machines.run(passes(Parameters={"value.$": path}, ResultPath="$.new-one.here"), document)
    assert output(found)["new-one"]["here"] == {"value": PATHS[path]}


INTRINSICS = {
    "States.Format('{} is {}', $.name, $.n)": "é is 4",
    r"States.Format('it\\'s {}', $.n)": "it's 4",
    "States.StringToJson($.json)": {"a": [1]},
    "States.JsonToString($.list)": "[1,2,3]",
    "States.Array(1, 'a', $.n)": [1, "a", 4],
    "States.ArrayPartition($.list, 2)": [[1, 2], [3]],
    "States.ArrayContains($.list, 2)": True,
    "States.ArrayRange(1, 7, 3)": [1, 4, 7],
    "States.ArrayGetItem($.list, 1)": 2,
    "States.ArrayLength($.list)": 3,
    "States.ArrayUnique(States.Array(1, 1, 2))": [1, 2],
    "States.Base64Encode('abc')": "YWJj",
    "States.Base64Decode('YWJj')": "abc",
    "States.Hash('a', 'SHA-1')": "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
    "States.JsonMerge($.x, $.y, false)": {"a": 1, "b": 2},
    "States.MathAdd($.n, -1)": 3,
    "States.StringSplit('a,b', ',')": ["a", "b"],
}


@pytest.mark.parametrize("function", INTRINSICS)
def test_an_intrinsic_function_has_its_value(machines, function):
    document = {"name": "é", "n": 4, "json": '{"a": [1]}', "list": [1, 2, 3], "x": {"a": 1}, "y": {"b": 2}}
    states = passes(Parameters={"value.$": function.replace("\\\\", "\\")})
    assert output(machines.run(states, document)) == {"value": INTRINSICS[function]}


def test_a_choice_that_nothing_matches_has_its_own_error(machines):
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEquals": 5, "Next": "Done"}]}
    found = machines.run({"Only": choice} | DONE, {"a": 4})
    assert (found["status"], found["error"]) == ("FAILED", "States.NoChoiceMatched")


def test_a_fail_state_passes_on_an_error_of_step_functions(machines):
    fail = {"Type": "Fail", "ErrorPath": "$.error.Error"}
    assert machines.run({"Only": fail}, {"error": {"Error": "States.Timeout"}})["error"] == "States.Timeout"


def branch(name: str, state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": name, "States": {name: state}}


def test_a_branch_that_fails_ends_the_others_and_can_be_caught_by_its_error(machines):
    branches = [
        branch("Quick", {"Type": "Fail", "Error": "States.Timeout", "Cause": "c"}),
        branch("Slow", {"Type": "Wait", "Seconds": 60, "End": True}),
    ]
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "Done"}]
    both = {"Type": "Parallel", "Branches": branches, "Catch": catch, "End": True}
    begun = time.monotonic()
    assert output(machines.run({"Both": both} | DONE)) == {"Error": "States.Timeout", "Cause": "c"}
    assert time.monotonic() - begun < 20


def test_branches_run_side_by_side(machines):
    branches = [branch(f"W{n}", {"Type": "Wait", "Seconds": 2, "End": True}) for n in range(4)]
    begun = time.monotonic()
    found = machines.run({"Both": {"Type": "Parallel", "Branches": branches, "End": True}}, 7)
    assert output(found) == [7, 7, 7, 7]
    assert 2 <= time.monotonic() - begun < 7


def test_a_map_of_1500_items_runs_one_after_another(machines):
    inner = branch(
        "Each", {"Type": "Pass", "Parameters": {"i.$": "$$.Map.Item.Index"}, "OutputPath": "$.i", "End": True}
    )
    each = {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": inner, "End": True}
    assert output(machines.run({"All": each}, list(range(1500)))) == list(range(1500))


def test_an_item_that_fails_fails_the_map(machines):
    rule = {"Variable": "$", "NumericEquals": 2, "Next": "Bad"}
    inner = {
        "StartAt": "Which",
        "States": {
            "Which": {"Type": "Choice", "Choices": [rule], "Default": "Good"},
            "Bad": {"Type": "Fail", "Error": "Two", "Cause": "is bad"},
            "Good": {"Type": "Wait", "Seconds": 60, "End": True},
        },
    }
    begun = time.monotonic()
    found = machines.run({"All": {"Type": "Map", "ItemProcessor": inner, "End": True}}, [1, 2, 3])
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "Two", "is bad")
    assert time.monotonic() - begun < 20


LOW_FAILS = {
    "StartAt": "IsLow",
    "States": {
        "IsLow": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.value", "NumericLessThan": 3, "Next": "Low"}],
            "Default": "High",
        },
        "Low": {"Type": "Fail", "Error": "Low"},
        "High": {"Type": "Pass", "OutputPath": "$.value", "End": True},
    },
}


def distributed(**fields: Any) -> dict[str, Any]:
    configuration = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    each = {
        "Type": "Map",
        "Label": "each",
        "ItemProcessor": LOW_FAILS | configuration,
        "ItemSelector": {"value.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index"},
        "End": True,
    }
    return {"All": each | fields}


def test_every_item_of_a_distributed_map_is_an_execution(machines):
    found = machines.run(distributed(MaxConcurrency=3), [5, 6, 7, 8])
    assert output(found) == [5, 6, 7, 8]
    [run] = machines.client.list_map_runs(executionArn=found["executionArn"])["mapRuns"]
    described = machines.client.describe_map_run(mapRunArn=run["mapRunArn"])
    assert (described["status"], described["maxConcurrency"]) == ("SUCCEEDED", 3)
    assert (described["itemCounts"]["succeeded"], described["itemCounts"]["total"]) == (4, 4)
    children = machines.client.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    inputs = [
        json.loads(machines.client.describe_execution(executionArn=child["executionArn"])["input"])
        for child in children
    ]
    assert sorted(item["index"] for item in inputs) == [0, 1, 2, 3]
    own = machines.client.list_executions(stateMachineArn=found["stateMachineArn"])["executions"]
    assert len(own) == 1
    types = machines.types(found["executionArn"])
    assert types[2:5] == ["MapStateStarted", "MapRunStarted", "MapRunSucceeded"]


@pytest.mark.parametrize(
    ("limits", "items", "status"),
    [
        ({}, [1, 5], "FAILED"),
        ({"ToleratedFailureCount": 1}, [1, 5, 6], "SUCCEEDED"),
        ({"ToleratedFailureCount": 1}, [1, 2, 6], "FAILED"),
        ({"ToleratedFailurePercentage": 70}, [1, 2, 6], "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 50}, [1, 2, 6], "FAILED"),
    ],
)
def test_a_map_run_fails_when_more_children_fail_than_it_tolerates(machines, limits, items, status):
    found = machines.run(distributed(**limits), items)
    assert found["status"] == status
    if status == "FAILED":
        assert found["error"] == "States.ExceedToleratedFailureThreshold"
        [run] = machines.client.list_map_runs(executionArn=found["executionArn"])["mapRuns"]
        assert machines.client.describe_map_run(mapRunArn=run["mapRunArn"])["status"] == "FAILED"
        failed = machines.client.list_executions(mapRunArn=run["mapRunArn"], statusFilter="FAILED")[
            "executions"
        ]
        child = machines.client.describe_execution(executionArn=failed[0]["executionArn"])
        assert child["redriveStatus"] == "REDRIVABLE_BY_MAP_RUN"
        with pytest.raises(ClientError, match="redrive its parent"):
            machines.client.redrive_execution(executionArn=child["executionArn"])


@pytest.fixture(scope="module")
def bucket(machines):
    name = f"items-{uuid.uuid4().hex[:8]}"
    s3 = machines.aws.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="in/a.csv", Body=b"value,name\n5,a\n6,b\n7,c\n")
    s3.put_object(Bucket=name, Key="in/b.json", Body=b"[5, 6, 7]")
    return name


def reader(
    action: str, bucket: str, configuration: dict[str, Any] | None = None, **where: str
) -> dict[str, Any]:
    found = {"Resource": f"arn:aws:states:::s3:{action}", "Parameters": {"Bucket": bucket} | where}
    return found | ({"ReaderConfig": configuration} if configuration else {})


def reads(item_reader: dict[str, Any], **fields: Any) -> dict[str, Any]:
    states = distributed(ItemReader=item_reader, **fields)
    states["All"]["ItemProcessor"] |= branch("Same", {"Type": "Pass", "End": True})
    del states["All"]["ItemSelector"]
    return states


def test_items_come_from_a_csv_object(machines, bucket):
    configuration = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "MaxItems": 2}
    found = machines.run(reads(reader("getObject", bucket, configuration, Key="in/a.csv")))
    assert output(found) == [{"name": "a", "value": "5"}, {"name": "b", "value": "6"}]


def test_items_come_from_a_json_object(machines, bucket):
    found = machines.run(reads(reader("getObject", bucket, {"InputType": "JSON"}, Key="in/b.json")))
    assert output(found) == [5, 6, 7]


def test_items_come_from_a_listing(machines, bucket):
    found = machines.run(reads(reader("listObjectsV2", bucket, Prefix="in/")))
    assert [item["Key"] for item in output(found)] == ["in/a.csv", "in/b.json"]
    one = machines.run(reads(reader("listObjectsV2", bucket, {"MaxItems": 1}, Prefix="in/")))
    assert [item["Key"] for item in output(one)] == ["in/a.csv"]


def test_a_listing_of_nothing_has_no_items(machines, bucket):
    assert output(machines.run(reads(reader("listObjectsV2", bucket, Prefix="none/")))) == []


def test_an_object_that_is_missing_fails_the_item_reader(machines, bucket):
    found = machines.run(reads(reader("getObject", bucket, {"InputType": "JSON"}, Key="none")))
    assert found["error"] == "States.ItemReaderFailed"


@pytest.mark.parametrize("kind", ["JSONL", "MANIFEST", "PARQUET"])
def test_a_reader_that_does_not_work_here_is_refused_by_name(machines, bucket, kind):
    with pytest.raises(ClientError, match=kind):
        machines.create(reads(reader("getObject", bucket, {"InputType": kind}, Key="k")))


def test_results_are_written_to_s3_with_a_manifest(machines, bucket):
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": bucket, "Prefix": "out"}}
    found = output(machines.run(distributed(ResultWriter=writer, ToleratedFailureCount=1), [1, 5]))
    s3 = machines.aws.client("s3")

    def read(key: str) -> Any:
        return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    manifest = read(found["ResultWriterDetails"]["Key"])
    [succeeded] = read(manifest["ResultFiles"]["SUCCEEDED"][0]["Key"])
    [failed] = read(manifest["ResultFiles"]["FAILED"][0]["Key"])
    assert (succeeded["Status"], succeeded["Output"]) == ("SUCCEEDED", "5")
    assert (failed["Status"], failed["Error"]) == ("FAILED", "Low")


def test_where_results_go_is_told_by_the_state_s_input(machines, bucket):
    place = {"Bucket.$": "$.bucket", "Prefix.$": "$.folder"}
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": place}
    states = distributed(ResultWriter=writer, ItemsPath="$.items", ResultPath="$.written")
    found = output(machines.run(states, {"bucket": bucket, "folder": "told", "items": [5, 6]}))
    assert found["folder"] == "told"
    assert found["written"]["ResultWriterDetails"]["Bucket"] == bucket
    assert found["written"]["ResultWriterDetails"]["Key"].startswith("told/")


def test_stopping_a_distributed_map_stops_its_children(machines):
    states = distributed()
    states["All"]["ItemProcessor"] |= branch("Hold", {"Type": "Wait", "Seconds": 60, "End": True})
    execution = machines.start(machines.create(states), [1, 2, 3])
    machines.wait(execution, lambda _: machines.client.list_map_runs(executionArn=execution)["mapRuns"])
    [run] = machines.client.list_map_runs(executionArn=execution)["mapRuns"]
    machines.client.stop_execution(executionArn=execution)
    for child in machines.client.list_executions(mapRunArn=run["mapRunArn"])["executions"]:
        assert machines.ended(child["executionArn"])["status"] == "ABORTED"
