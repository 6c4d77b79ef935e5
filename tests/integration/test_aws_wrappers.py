"""The fakes and the real wrappers keep the same contract."""

from __future__ import annotations

import io
import json
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from chalicelib.aws import client as clients
from chalicelib.aws.glue import Glue, TableIsGoneError
from chalicelib.aws.s3 import S3
from chalicelib.aws.sns import SNS
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.errors import GlueIsBusy, LedgerChanged, RowsLost, RunConflict, UnknownFile, UnknownRun
from tests.fakes import FakeGlue, FakeS3, FakeSNS, FakeStepFunctions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import RunningAWS

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": ["states.amazonaws.com", "glue.amazonaws.com"]},
            }
        ],
    }
)


def own(word: str) -> str:
    return f"{word}-{uuid.uuid4().hex[:12]}"


def _next_millisecond() -> None:
    now = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 <= now + 1:
        pass


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run the test with the fake, then with the wrapper against the embedded AWS."""
    if request.param == "fake":
        yield "fake"
        return
    aws: RunningAWS = request.getfixturevalue("local_aws")
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    clients.client.cache_clear()
    yield "real"
    clients.client.cache_clear()


@pytest.fixture
def bucket(kind: str) -> str:
    name = own("contract")
    if kind == "real":
        clients.client("s3").create_bucket(Bucket=name)
        clients.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def s3(kind: str) -> Any:
    return FakeS3() if kind == "fake" else S3()


def test_a_file_is_found_and_read_as_it_was_put(s3: Any, bucket: str, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"0123456789")
    s3.put_file(bucket, "a b/ü+.txt", path)
    file = s3.find(bucket, "a b/ü+.txt")
    assert (file.size, file.key) == (10, "a b/ü+.txt")
    assert s3.open(file).read() == b"0123456789"
    with s3.open_seekable(file) as stream:
        stream.seek(-3, io.SEEK_END)
        assert stream.read() == b"789"


def test_a_missing_file_is_unknown(s3: Any, bucket: str) -> None:
    with pytest.raises(UnknownFile, match="nothing"):
        s3.find(bucket, "nothing.csv")


def test_content_that_was_replaced_is_not_current(s3: Any, bucket: str) -> None:
    s3.put_json(bucket, "k", {"n": 1})
    first = s3.find(bucket, "k")
    assert s3.is_current(first)
    s3.put_json(bucket, "k", {"n": 2})
    assert not s3.is_current(first)


def test_a_listing_has_the_newest_content_of_each_key_under_the_prefix(s3: Any, bucket: str) -> None:
    for key in ("in/a", "in/b", "in/a", "out/c"):
        s3.put_json(bucket, key, {"key": key})
    before = datetime.now(UTC)
    listed = list(s3.listing(bucket, "in/"))
    assert [file.key for file, _ in listed] == ["in/a", "in/b"]
    assert all(abs((before - landed).total_seconds()) < 60 for _, landed in listed)


def test_an_object_is_replaced_only_by_who_read_it_last(s3: Any, bucket: str) -> None:
    with pytest.raises(UnknownFile):
        s3.read(bucket, "ledger")
    s3.replace(bucket, "ledger", b"one", None)
    with pytest.raises(LedgerChanged):
        s3.replace(bucket, "ledger", b"another first", None)
    content, etag = s3.read(bucket, "ledger")
    s3.replace(bucket, "ledger", content + b" two", etag)
    with pytest.raises(LedgerChanged):
        s3.replace(bucket, "ledger", b"late", etag)
    assert s3.read(bucket, "ledger")[0] == b"one two"


def test_a_move_can_be_repeated(s3: Any, bucket: str) -> None:
    s3.put_json(bucket, "from", {"n": 1})
    file = s3.find(bucket, "from")
    for _ in range(2):
        s3.move(file, bucket, "to")
    assert s3.find(bucket, "to").size == file.size
    with pytest.raises(UnknownFile):
        s3.find(bucket, "from")


@pytest.mark.parametrize("megabytes", [0, 20])
def test_what_is_written_as_a_stream_becomes_one_object(s3: Any, bucket: str, megabytes: int) -> None:
    with s3.writing(bucket, "k") as sink:
        for _ in range(megabytes):
            sink.write(b"x" * 1024 * 1024)
        sink.write(memoryview(b"end"))
    file = s3.find(bucket, "k")
    assert file.size == megabytes * 1024 * 1024 + 3
    with s3.open(file) as stream:
        assert stream.read().endswith(b"end")


def test_a_stream_that_breaks_off_leaves_no_object(kind: str, s3: Any, bucket: str) -> None:
    def write() -> None:
        with s3.writing(bucket, "k") as sink:
            sink.write(b"x" * 9 * 1024 * 1024)
            raise RowsLost

    with pytest.raises(RowsLost):
        write()
    with pytest.raises(UnknownFile):
        s3.find(bucket, "k")
    if kind == "real":
        assert "Uploads" not in clients.client("s3").list_multipart_uploads(Bucket=bucket)


def test_parquet_can_be_written_as_a_stream(s3: Any, bucket: str) -> None:
    table = pa.table({"n": list(range(100))})
    with s3.writing(bucket, "k") as sink, parquet.ParquetWriter(sink, table.schema) as writer:
        writer.write_table(table)
    with s3.open_seekable(s3.find(bucket, "k")) as stream:
        assert parquet.read_table(stream) == table


def test_a_document_is_read_as_it_was_written(s3: Any, bucket: str) -> None:
    s3.put_json(bucket, "k", {"n": "ü"})
    assert s3.read_json(bucket, "k") == {"n": "ü"}
    with pytest.raises(UnknownFile):
        s3.read_json(bucket, "nothing")


def test_a_copy_has_the_content_of_the_version_that_was_copied(s3: Any, bucket: str) -> None:
    s3.put_json(bucket, "from", {"n": 1})
    copied = s3.copy(s3.find(bucket, "from"), bucket, "to")
    assert (copied.key, s3.read_json(bucket, "to")) == ("to", {"n": 1})
    with pytest.raises(UnknownFile):
        s3.copy(replace(copied, key="nothing"), bucket, "to")


@pytest.fixture
def topic(kind: str) -> str:
    return "topic" if kind == "fake" else clients.client("sns").create_topic(Name=own("contract"))["TopicArn"]


def test_a_published_message_has_an_id(kind: str, topic: str) -> None:
    sns = FakeSNS() if kind == "fake" else SNS()
    assert sns.publish(topic, "subject", {"default": "body"}, {"outcome": "failed"})


@pytest.fixture
def machine(kind: str) -> str:
    if kind == "fake":
        return "machine"
    name = own("contract")
    role = clients.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    definition = {"StartAt": "Hold", "States": {"Hold": {"Type": "Wait", "Seconds": 600, "End": True}}}
    answer = clients.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=role
    )
    return str(answer["stateMachineArn"])


@pytest.fixture
def states(kind: str) -> Any:
    return FakeStepFunctions() if kind == "fake" else StepFunctions()


def test_a_name_starts_one_execution_even_with_another_input(states: Any, machine: str) -> None:
    name = own("run")
    assert states.start(machine, name, {"n": 1})
    assert not states.start(machine, name, {"n": 2})
    found = states.describe(machine, name)
    assert (found["status"], json.loads(found["input"])) == ("RUNNING", {"n": 1})


def test_an_unknown_execution_is_an_unknown_run(states: Any, machine: str) -> None:
    for look in (states.describe, lambda *which: list(states.history(*which))):
        with pytest.raises(UnknownRun):
            look(machine, "nobody")


def test_pages_are_newest_first_and_filtered_by_status(states: Any, machine: str) -> None:
    names = [own("run") for _ in range(3)]
    for name in names:
        states.start(machine, name, {})
        _next_millisecond()  # two executions of one millisecond have no order
    states.stop(machine, names[1], "enough")
    first, token = states.page(machine, status=None, limit=2, token=None)
    second, end = states.page(machine, status=None, limit=2, token=token)
    assert [found["name"] for found in [*first, *second]] == names[::-1]
    assert end is None
    stopped, _ = states.page(machine, status="ABORTED", limit=10, token=None)
    assert [found["name"] for found in stopped] == [names[1]]


def test_a_stopped_execution_keeps_its_cause_and_goes_on_when_redriven(states: Any, machine: str) -> None:
    name = own("run")
    states.start(machine, name, {})
    states.stop(machine, name, "wrong file")
    found = states.describe(machine, name)
    assert (found["status"], found["cause"]) == ("ABORTED", "wrong file")
    states.redrive(machine, name)


def test_what_succeeded_cannot_be_redriven(kind: str, states: Any, machine: str) -> None:
    if kind == "fake":
        states.add({"name": "done", "status": "SUCCEEDED"})
        name = "done"
    else:
        definition = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
        clients.client("stepfunctions").update_state_machine(
            stateMachineArn=machine, definition=json.dumps(definition)
        )
        name = own("run")
        states.start(machine, name, {})
        deadline = time.monotonic() + 20
        while states.describe(machine, name)["status"] == "RUNNING":
            assert time.monotonic() < deadline
    with pytest.raises(RunConflict):
        states.redrive(machine, name)


@pytest.fixture
def job(kind: str, bucket: str) -> str:
    """A job whose runs last until they are stopped."""
    if kind == "fake":
        return "job"
    name = own("contract")
    clients.client("s3").put_object(Bucket=bucket, Key="job.py", Body=b"import time\ntime.sleep(600)\n")
    role = clients.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    command = {"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/job.py", "PythonVersion": "3.9"}
    clients.client("glue").create_job(Name=name, Role=role, Command=command)
    return name


def test_a_job_run_is_found_by_its_argument_and_a_second_one_is_busy(kind: str, job: str) -> None:
    glue: Any = FakeGlue() if kind == "fake" else Glue()
    run = glue.start_job_run(job, {"--run": "r-1"})
    try:
        assert glue.find_job_run(job, "--run", "r-1").id == run.id
        assert glue.find_job_run(job, "--run", "r-2") is None
        assert glue.job_run(job, run.id).state in {"STARTING", "RUNNING"}
        if kind == "fake":
            glue.busy = True
        with pytest.raises(GlueIsBusy, match=job):
            glue.start_job_run(job, {"--run": "r-2"})
    finally:
        glue.stop_job_run(job, run.id)


def test_a_table_gains_columns_and_a_partition_is_put_once(kind: str) -> None:
    glue: Any = FakeGlue() if kind == "fake" else Glue()
    database, table = own("db").replace("-", "_"), "things"
    if kind == "real":
        clients.client("glue").create_database(DatabaseInput={"Name": database})
    columns = [("id", "bigint"), ("label", "string")]
    for wanted in (columns[:1], columns, columns):
        glue.put_table(database, table, wanted, [("dt", "string")], "s3://b/things/")
    for _ in range(2):
        glue.put_partition(database, table, ["2026-01-01"], columns, "s3://b/things/dt=2026-01-01/")
    if kind == "fake":
        assert glue.tables[table] == tuple(columns)
        assert len(glue.partitions) == 1
        return
    found = clients.client("glue").get_table(DatabaseName=database, Name=table)["Table"]
    assert [(each["Name"], each["Type"]) for each in found["StorageDescriptor"]["Columns"]] == columns
    assert (
        len(clients.client("glue").get_partitions(DatabaseName=database, TableName=table)["Partitions"]) == 1
    )


def test_the_partitions_of_a_run_are_taken_out_whatever_their_date(kind: str) -> None:
    glue: Any = FakeGlue() if kind == "fake" else Glue()
    database, columns = own("db").replace("-", "_"), [("id", "bigint")]
    if kind == "real":
        clients.client("glue").create_database(DatabaseInput={"Name": database})
    glue.drop_runs(database, "loads", ["none"])
    glue.put_table(database, "loads", columns, [("dt", "string"), ("run", "string")], "s3://b/loads/")
    for day, run in (("2026-01-01", "a-1"), ("2026-01-02", "a-1"), ("2026-01-02", "a-2")):
        glue.put_partition(database, "loads", [day, run], columns, f"s3://b/loads/dt={day}/run={run}/")
    glue.drop_runs(database, "loads", [*(f"x-{number}" for number in range(30)), "a-1"])
    if kind == "fake":
        assert list(glue.partitions) == [("2026-01-02", "a-2")]
        return
    (found,) = clients.client("glue").get_partitions(DatabaseName=database, TableName="loads")["Partitions"]
    assert found["Values"] == ["2026-01-02", "a-2"]


def test_a_partition_is_led_from_one_place_to_the_next(kind: str) -> None:
    glue: Any = FakeGlue() if kind == "fake" else Glue()
    database, columns = own("db").replace("-", "_"), [("id", "bigint")]
    if kind == "real":
        clients.client("glue").create_database(DatabaseInput={"Name": database})
    glue.put_table(database, "days", columns, [("dt", "string")], "s3://b/days/")
    for place in ("s3://b/days/1/", "s3://b/days/2/", "s3://b/days/2/"):
        glue.point_partition(database, "days", ["2026-01-01"], columns, place)
    if kind == "fake":
        assert glue.places == {("days", "2026-01-01"): "s3://b/days/2/"}
        return
    (found,) = clients.client("glue").get_partitions(DatabaseName=database, TableName="days")["Partitions"]
    assert (found["Values"], found["StorageDescriptor"]["Location"]) == (["2026-01-01"], "s3://b/days/2/")


@pytest.mark.parametrize("kind", ["real"], indirect=True)
def test_a_table_that_was_dropped_since_it_was_seen_is_told_apart_and_put_again(kind: str) -> None:
    assert kind == "real"
    glue, columns, place = Glue(), [("id", "bigint")], "s3://b/gone/"
    database = own("db").replace("-", "_")
    clients.client("glue").create_database(DatabaseInput={"Name": database})
    glue.put_table(database, "gone", columns, [("dt", "string")], place)
    clients.client("glue").delete_table(DatabaseName=database, Name="gone")
    with pytest.raises(TableIsGoneError, match="gone"):
        glue.put_partition(database, "gone", ["2026-01-01"], columns, place)
    glue.put_table(database, "gone", columns, [("dt", "string")], place)
    glue.put_partition(database, "gone", ["2026-01-01"], columns, place)
