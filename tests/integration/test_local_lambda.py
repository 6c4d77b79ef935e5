"""Functions really run: in workers, with limits, logs, a queue, retries and dead letters."""

from __future__ import annotations

import base64
import os
import threading
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.integration.conftest import running_aws
from tests.integration.deployment import deploy, invoke, make_queue, queue_arn, take, write_project, zipped
from tests.integration.waiting import until


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """An embedded AWS whose minutes last 0.2 s."""
    directory = tmp_path_factory.mktemp("lambda")
    with running_aws(directory / "state", write_project(directory / "project"), time_scale=300) as running:
        yield running


@pytest.fixture(scope="module")
def project(aws):
    return aws.directory.parent / "project"


def test_a_function_returns_what_its_handler_returns(aws):
    assert invoke(aws, deploy(aws, "same"), {"orders": [1, 2.5, None]})["Payload"] == {
        "orders": [1, 2.5, None]
    }


def test_a_handler_sees_its_own_name_variables_and_context(aws):
    name = deploy(aws, "who", variables={"STAGE": "test"}, Timeout=7, MemorySize=256)
    seen = invoke(aws, name)["Payload"]
    assert (seen["name"], seen["stage"], seen["memory"]) == (name, "test", "256")
    assert seen["arn"].endswith(f":function:{name}")
    assert 6000 < seen["left"] <= 7000


def test_a_handler_sees_nothing_of_whoever_runs_the_embedded_aws(aws):
    assert invoke(aws, deploy(aws, "who"))["Payload"]["profile"] is None


def test_a_worker_inherits_no_socket_of_the_server(aws):
    # Input, output, error, the lifeline, the connection, and the directory being listed.
    assert len(invoke(aws, deploy(aws, "who"))["Payload"]["descriptors"]) <= 6


def test_functions_with_equal_variables_share_a_warm_worker(aws):
    first, second = deploy(aws, "who"), deploy(aws, "who")
    one, two = invoke(aws, first)["Payload"], invoke(aws, second)["Payload"]
    assert one["pid"] == two["pid"]
    assert (one["name"], two["name"]) == (first, second)


def test_functions_with_other_variables_do_not_share_a_worker(aws):
    one = invoke(aws, deploy(aws, "who", variables={"STAGE": "a"}))["Payload"]
    two = invoke(aws, deploy(aws, "who", variables={"STAGE": "b"}))["Payload"]
    assert one["pid"] != two["pid"]


def test_byte_code_is_kept_for_the_next_worker_and_out_of_the_source_tree(aws, project):
    invoke(aws, deploy(aws, "same"))
    kept = [path.name for path in (aws.directory / "function_byte_code").rglob("*.pyc")]
    assert [name for name in kept if name.startswith("app.")]
    assert list(project.rglob("*.pyc")) == []


def test_an_exception_comes_back_with_its_bare_class_name_and_trace(aws):
    answer = invoke(aws, deploy(aws, "fails"))
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "InvalidOrder"
    assert answer["Payload"]["errorMessage"] == "order 7 has no total"
    assert 'in fails\n    raise InvalidOrder("order 7 has no total")' in answer["Payload"]["stackTrace"][0]
    assert len(answer["Payload"]["stackTrace"]) == 1


def test_a_function_that_takes_too_long_is_killed(aws):
    answer = invoke(aws, deploy(aws, "hangs", Timeout=1))
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "Sandbox.Timedout"
    assert answer["Payload"]["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")


def test_a_function_that_ends_its_process_is_an_exit_error(aws):
    answer = invoke(aws, deploy(aws, "ends"))
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "Runtime.ExitError"
    assert answer["Payload"]["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")


def test_an_answer_beyond_six_megabytes_is_an_error(aws):
    assert invoke(aws, deploy(aws, "large"))["Payload"]["errorType"] == "Function.ResponseSizeTooLarge"


def test_an_answer_that_is_no_json_is_a_marshal_error(aws):
    assert invoke(aws, deploy(aws, "unreturnable"))["Payload"]["errorType"] == "Runtime.MarshalError"


def test_a_handler_that_nobody_has_is_named_in_the_error(aws):
    answer = invoke(aws, deploy(aws, "absent"))
    assert answer["Payload"]["errorType"] == "Runtime.HandlerNotFound"
    assert "absent" in answer["Payload"]["errorMessage"]


def test_a_handler_that_only_the_zip_has_runs_from_the_zip(aws):
    code = {"ZipFile": zipped("def uploaded(event, context):\n    return 'from the zip'\n")}
    name = deploy(aws, "uploaded", Code=code)
    assert invoke(aws, name)["Payload"] == "from the zip"
    assert invoke(aws, name)["Payload"] == "from the zip"


def test_a_saved_file_counts_from_the_next_invocation_on(aws, project):
    name = deploy(aws, "same")
    assert invoke(aws, name, {"a": 1})["Payload"] == {"a": 1}
    before = (project / "app.py").read_text()
    (project / "app.py").write_text(before + "\ndef same(event, context):\n    return 'changed'\n")
    try:
        until(lambda: invoke(aws, name)["Payload"] == "changed")
    finally:
        (project / "app.py").write_text(before)
    until(lambda: invoke(aws, name, {"a": 2})["Payload"] == {"a": 2})


def test_a_file_that_does_not_compile_says_where(aws, project):
    name = deploy(aws, "same")
    before = (project / "app.py").read_text()
    (project / "app.py").write_text(before + "\ndef broken(:\n")
    try:
        error = until(lambda: invoke(aws, name).get("FunctionError") and invoke(aws, name)["Payload"])
    finally:
        (project / "app.py").write_text(before)
    assert error["errorType"] == "Runtime.UserCodeSyntaxError"
    assert "app.py, line" in error["errorMessage"]
    until(lambda: invoke(aws, name, {"a": 2})["Payload"] == {"a": 2})


def test_the_tail_of_the_log_comes_with_the_answer(aws):
    answer = invoke(aws, deploy(aws, "speaks"), LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode()
    assert log.startswith("START RequestId: ")
    for line in (
        "a printed line",
        "a logged line",
        "a line of a child",
        "\nEND RequestId: ",
        "\nREPORT RequestId: ",
    ):
        assert line in log


def test_what_a_function_writes_is_in_its_log_group(aws):
    name = deploy(aws, "speaks")
    invoke(aws, name)
    events = aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    lines = [event["message"] for event in events]
    assert "a printed line" in lines
    assert any(line.startswith("REPORT") and "Memory Size: 128 MB" in line for line in lines)


def test_the_request_id_of_the_answer_is_the_one_in_the_log(aws):
    name = deploy(aws, "who")
    answer = invoke(aws, name)
    assert answer["ResponseMetadata"]["RequestId"] == answer["Payload"]["id"]


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks at Linux's list of processes")
def test_a_timeout_also_ends_what_the_handler_started(aws):
    invoke(aws, deploy(aws, "hangs", Timeout=1))
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert b"sleep\x00299.5\x00" not in commands


@pytest.mark.parametrize(("setting", "value"), [("Runtime", "nodejs22.x"), ("PackageType", "Image")])
def test_a_function_that_could_not_run_is_refused(aws, setting, value):
    options = {"FunctionName": "x", "Role": "arn:aws:iam::123456789012:role/r", "Code": {"ImageUri": "x:1"}}
    with pytest.raises(ClientError, match="The embedded AWS runs Python functions"):
        aws.client("lambda").create_function(**options, **{setting: value})


def test_reserved_concurrency_throttles_the_invocation_beyond_it(aws):
    name = deploy(aws, "naps")
    aws.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    # The first look below may take the one place: then this tries again.
    busy = threading.Thread(target=until, args=(lambda: throttling(aws, name, seconds=3) is None,))
    busy.start()
    try:
        error = until(lambda: throttling(aws, name))
    finally:
        busy.join()
    assert error["Error"]["Code"] == "TooManyRequestsException"
    assert invoke(aws, name, {"seconds": 0})["StatusCode"] == 200


def throttling(aws, name, seconds=0):
    try:
        invoke(aws, name, {"seconds": seconds})
    except ClientError as error:
        return error.response
    return None


def test_more_invocations_than_workers_wait_their_turn(aws):
    name = deploy(aws, "naps")
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(invoke(aws, name, {"seconds": 0.2})["StatusCode"]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8


def test_an_event_that_is_no_json_is_refused(aws):
    with pytest.raises(ClientError, match="Could not parse request body into json"):
        aws.client("lambda").invoke(FunctionName=deploy(aws, "same"), Payload=b"{")


def test_a_queued_event_beyond_a_megabyte_is_refused(aws):
    with pytest.raises(ClientError, match="Request must be smaller than 1048576 bytes"):
        invoke(aws, deploy(aws, "same"), {"x": "y" * 1_048_576}, InvocationType="Event")


def test_a_dry_run_runs_nothing(aws):
    queue = make_queue(aws)
    name = deploy(aws, "remembers", variables={"QUEUE": queue})
    assert invoke(aws, name, InvocationType="DryRun")["StatusCode"] == 204
    assert take(aws, queue) == []


def test_a_queued_event_is_accepted_and_handled(aws):
    queue = make_queue(aws)
    name = deploy(aws, "remembers", variables={"QUEUE": queue})
    assert invoke(aws, name, {"n": 1}, InvocationType="Event")["StatusCode"] == 202
    assert until(lambda: take(aws, queue)) == [{"n": 1}]


def test_a_failing_event_is_tried_three_times_and_then_dead_lettered(aws):
    attempts, dead = make_queue(aws), make_queue(aws)
    target = {"TargetArn": queue_arn(aws, dead)}
    name = deploy(aws, "remembers", variables={"QUEUE": attempts}, DeadLetterConfig=target)
    assert aws.client("lambda").get_function_configuration(FunctionName=name)["DeadLetterConfig"] == target
    invoke(aws, name, {"fail": True}, InvocationType="Event")
    assert until(lambda: take(aws, dead)) == [{"fail": True}]
    assert take(aws, attempts) == [{"fail": True}] * 3


def test_the_on_failure_destination_gets_event_and_error(aws):
    attempts, failures = make_queue(aws), make_queue(aws)
    name = deploy(aws, "remembers", variables={"QUEUE": attempts})
    for arn in (queue_arn(aws, attempts), queue_arn(aws, failures)):  # the later one counts
        aws.client("lambda").put_function_event_invoke_config(
            FunctionName=name, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
        )
    invoke(aws, name, {"fail": True}, InvocationType="Event")
    (record,) = until(lambda: take(aws, failures))
    assert record["requestPayload"] == {"fail": True}
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responsePayload"]["errorType"] == "InvalidOrder"
    assert take(aws, attempts) == [{"fail": True}]


def test_a_queue_feeds_a_function_in_batches(aws):
    source, handled = make_queue(aws), make_queue(aws)
    name = deploy(aws, "batch", variables={"QUEUE": handled})
    for number in range(5):
        aws.client("sqs").send_message(QueueUrl=source, MessageBody=f'{{"n": {number}}}')
    aws.client("lambda").create_event_source_mapping(
        EventSourceArn=queue_arn(aws, source), FunctionName=name, BatchSize=3
    )
    batches = []
    until(lambda: batches.extend(take(aws, handled)) or sum(map(len, batches)) == 5)
    assert max(map(len, batches)) == 3
    assert sorted(m["n"] for batch in batches for m in batch) == [0, 1, 2, 3, 4]
    until(lambda: message_count(aws, source) == 0)


def test_a_message_reported_as_failed_ends_in_the_dead_letter_queue(aws):
    dead, handled = make_queue(aws), make_queue(aws)
    redrive = f'{{"deadLetterTargetArn": "{queue_arn(aws, dead)}", "maxReceiveCount": 1}}'
    source = make_queue(aws, RedrivePolicy=redrive, VisibilityTimeout="1")
    name = deploy(aws, "batch", variables={"QUEUE": handled})
    for body in ('{"bad": true}', '{"bad": false}'):
        aws.client("sqs").send_message(QueueUrl=source, MessageBody=body)
    aws.client("lambda").create_event_source_mapping(
        EventSourceArn=queue_arn(aws, source),
        FunctionName=name,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    assert until(lambda: take(aws, dead)) == [{"bad": True}]


def message_count(aws, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(map(int, attributes.values()))


def test_an_accepted_event_survives_a_killed_process(tmp_path):
    project = write_project(tmp_path / "project")
    with running_aws(tmp_path / "state", project) as aws:
        queue = make_queue(aws)
        name = deploy(aws, "remembers", variables={"QUEUE": queue})
        aws.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        for number in range(5):
            invoke(aws, name, {"n": number}, InvocationType="Event")
        pids = worker_pids(aws)
        aws.kill()
        until(lambda: not any(is_alive(pid) for pid in pids))
    with running_aws(tmp_path / "state", project) as aws:
        assert take(aws, queue) == []
        aws.client("lambda").delete_function_concurrency(FunctionName=name)
        found = []
        until(lambda: found.extend(take(aws, queue)) or len(found) >= 5)
        assert sorted(event["n"] for event in found) == [0, 1, 2, 3, 4]


def worker_pids(aws):
    pid = invoke(aws, deploy(aws, "who"))["Payload"]["pid"]
    assert is_alive(pid)
    return [pid]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_warm_invocation_takes_milliseconds(aws):
    name = deploy(aws, "same")
    client = aws.client("lambda")
    times = []
    for _ in range(60):
        began = time.perf_counter()
        client.invoke(FunctionName=name, Payload=b"{}")["Payload"].read()
        times.append(time.perf_counter() - began)
    assert sorted(times)[30] < 0.1  # 5 ms on an idle machine; a worker per call would take 300
