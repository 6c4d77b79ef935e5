"""What a batch lists, loads, leaves and says, step by step."""

from __future__ import annotations

import functools
import io
import json
import operator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pyarrow import parquet

from chalicelib import batches, pipelines
from chalicelib.errors import EmptyPrefix, InvalidRequest, LoadFailed, WrongPrefix
from chalicelib.group_loading import FILE_NUMBER, Member, load_group_once, loaded_tokens
from chalicelib.loading import Load
from chalicelib.pipeline import Table
from chalicelib.run import RunName
from chalicelib.steps.catalogue_group import register
from chalicelib.steps.plan_batch import plan, prefix_of
from chalicelib.steps.start_file_runs import start
from chalicelib.steps.summarise_batch import summarise
from chalicelib.steps.transform_group import transform
from tests.factories import STARTED, a_batch_pipeline, a_file, a_pipeline, an_execution
from tests.fakes import FakeGlue, FakeRedshift, FakeS3, FakeStepFunctions

if TYPE_CHECKING:
    from chalicelib.files import File

BATCH = "load_batch-0123456789abcdef01234567"
GIVEN = {
    "prefix": "batch/things/",
    "pipeline": "things",
    "concurrency": "7",
    "most_files_together": "3",
    "most_bytes_together": "1000000",
    "oldest_seconds": "0",
}
GOOD = b"id,label\n1,a\n2,b\n"
OLD = timedelta(hours=1)


def an_event(run: str = BATCH, **given: str) -> dict[str, Any]:
    return {"run": run, "token": BATCH, "parameters": {**GIVEN, **given}, "started": STARTED}


def planned(
    s3: FakeS3,
    event: dict[str, Any],
    *loaded: str,
    states: FakeStepFunctions | None = None,
    **pipeline: Any,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Plan and return what the step says and the items that it wrote."""
    told = plan(s3, states or FakeStepFunctions(), a_pipeline(**pipeline), lambda *_: set(loaded), event)
    return told, s3.read_json(told["bucket"], told["key"])


def files_under(s3: FakeS3, count: int, body: bytes = GOOD) -> list[File]:
    return [
        s3.put("landing", f"batch/things/{number}.csv", body + b"%d,c\n" % (number + 10), OLD)
        for number in range(count)
    ]


def a_group(s3: FakeS3, *bodies: bytes) -> tuple[dict[str, Any], list[File]]:
    files = [s3.put("landing", f"batch/things/{number}.csv", body) for number, body in enumerate(bodies)]
    return batches.group_item("things", BATCH, 0, tuple(files)), files


def test_a_plan_puts_small_files_together_and_leaves_out_what_is_loaded() -> None:
    s3 = FakeS3()
    files = files_under(s3, 6)
    done = RunName.of("things", files[0]).token
    told, items = planned(s3, an_event(), done)
    assert (told["files"], told["already"], told["items"], told["groups"]) == (6, 1, 2, 2)
    assert told["concurrency"] == 7
    tokens = [[each["token"] for each in batches.files_of(item)] for item in items]
    assert [len(each) for each in tokens] == [3, 2]
    assert done not in functools.reduce(operator.iadd, tokens, [])


def test_a_file_alone_has_the_run_that_its_event_would_start() -> None:
    s3 = FakeS3()
    (file,) = files_under(s3, 1)
    _, (item,) = planned(s3, an_event())
    name = str(RunName.of("things", file))
    assert (item["kind"], item["name"]) == ("file", name)
    assert item["input"] == {
        "run": name,
        "token": name,
        "pipeline": "things",
        "file": file.to_document(),
        "started": STARTED,
    }


def test_a_pipeline_whose_files_cannot_share_a_load_gets_a_run_for_each() -> None:
    s3 = FakeS3()
    files_under(s3, 3)
    told, items = planned(s3, an_event(), table=None)
    assert [item["kind"] for item in items] == ["file"] * 3
    assert "names no table" in told["why_alone"]


def test_a_folder_s_own_marker_is_no_file_and_an_empty_prefix_is_told() -> None:
    s3 = FakeS3()
    s3.put("landing", "batch/things/", b"")
    with pytest.raises(EmptyPrefix, match=r"no file under s3://landing/batch/things/"):
        planned(s3, an_event())


@pytest.mark.parametrize(
    "prefix",
    [
        "s3://elsewhere/batch/things/",
        "https://landing/batch/things/",
        "batch/../incoming/other/",
        "incoming/",
        "incoming/other/",
        "batch/",
        "batch/night/",
        "batch/nightly/x/",
        "quarantine/things/",
        "/batch/things/",
    ],
)
def test_a_prefix_that_is_not_the_pipeline_s_to_load_is_refused(
    monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    other = a_batch_pipeline(reads="batch/nightly/")
    monkeypatch.setattr(pipelines, "every", lambda: {"nightly": other, "things": a_pipeline()})
    if prefix == "batch/night/":
        assert prefix_of(a_pipeline(), prefix) == prefix
        return
    with pytest.raises(WrongPrefix, match="prefix"):
        prefix_of(a_pipeline(), prefix)


def test_a_prefix_may_be_written_with_its_bucket() -> None:
    assert prefix_of(a_pipeline(), "s3://landing/batch/things/") == "batch/things/"
    assert prefix_of(a_pipeline(), "incoming/things/2026/") == "incoming/things/2026/"


def test_a_concurrency_out_of_bounds_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match="parameter concurrency 0: write a number from 1 to 1000"):
        planned(FakeS3(), an_event(concurrency="0"))


def test_a_pipeline_with_a_workflow_of_its_own_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match="its files go through load_other"):
        planned(FakeS3(), an_event(), workflow="load_other")


def test_a_later_attempt_works_on_what_the_one_before_left_and_lists_nothing() -> None:
    s3, states = FakeS3(), FakeStepFunctions()
    files = files_under(s3, 2)
    group = batches.group_item("things", BATCH, 0, (a_file(), a_file()))
    alone = batches.file_item("things", files[1], STARTED)
    states.add(an_execution(alone["name"], "FAILED", input=json.dumps(alone["input"])))
    s3.put_json("artifacts", batches.summary_key(BATCH), {"again": [group, alone]})
    told, items = planned(s3, an_event(f"{BATCH}-2"), states=states)
    assert items[0] == group
    assert (items[1]["name"], items[1]["input"]["token"]) == (f"{alone['name']}-2", alone["name"])
    assert (told["files"], told["already"]) == (3, 0)


def test_an_attempt_after_one_that_had_no_summary_works_on_its_whole_plan() -> None:
    s3 = FakeS3()
    files_under(s3, 5)
    _, first = planned(s3, an_event())
    files_under(s3, 9)
    _, again = planned(s3, an_event(f"{BATCH}-3"))
    assert again == first


def test_a_run_that_succeeded_meanwhile_is_met_and_not_started_again() -> None:
    s3, states = FakeS3(), FakeStepFunctions()
    item = batches.file_item("things", a_file(), STARTED)
    given = json.dumps(item["input"])
    states.add(an_execution(item["name"], "FAILED", input=given))
    states.add(an_execution(f"{item['name']}-2", "SUCCEEDED", input=given))
    s3.put_json("artifacts", batches.summary_key(BATCH), {"again": [item]})
    _, (again,) = planned(s3, an_event(f"{BATCH}-2"), states=states)
    assert again["name"] == f"{item['name']}-2"


def test_a_group_becomes_one_parquet_file_that_numbers_its_files() -> None:
    s3 = FakeS3()
    group, files = a_group(s3, GOOD, b"id,label\nx,a\n", b"id,label\n3,c\n")
    told = transform(s3, a_pipeline(), group, "f/", STARTED)
    assert told["files"] == [
        {"number": 0, "token": RunName.of("things", files[0]).token, "rows": 2},
        {"number": 2, "token": RunName.of("things", files[2]).token, "rows": 1},
    ]
    (left,) = told["left"]
    assert (left["file"], "line 2, column id" in left["reason"]) == (files[1].to_document(), True)
    table = parquet.read_table(io.BytesIO(s3.objects["curated", "f/part-0.parquet"]))
    assert table.column_names == ["id", "label", "processing_date", FILE_NUMBER]
    assert table[FILE_NUMBER].to_pylist() == [0, 0, 2]
    bucket, _, key = told["manifest"].removeprefix("s3://").partition("/")
    (entry,) = s3.read_json(bucket, key)["entries"]
    assert entry["meta"]["content_length"] == len(s3.objects["curated", "f/part-0.parquet"])


def test_a_file_that_is_gone_is_left_and_the_others_are_not() -> None:
    s3 = FakeS3()
    group, files = a_group(s3, GOOD, GOOD)
    del s3.objects["landing", files[0].key]
    told = transform(s3, a_pipeline(), group, "f/", STARTED)
    assert [each["file"]["key"] for each in told["left"]] == [files[0].key]
    assert "there is no such file" in told["left"][0]["reason"] or "gone" in told["left"][0]["reason"]
    assert told["rows"] == 2


def test_a_file_with_an_unusual_number_of_rows_is_left_to_a_run_that_tells_of_it() -> None:
    s3 = FakeS3()
    group, _ = a_group(s3, GOOD, b"id,label\n3,c\n")
    told = transform(s3, a_pipeline(usual_rows=(2, 9)), group, "f/", STARTED)
    assert [len(told["files"]), len(told["left"])] == [1, 1]


def test_a_group_without_a_good_file_writes_nothing() -> None:
    s3 = FakeS3()
    group, _ = a_group(s3, b"nonsense", b"")
    told = transform(s3, a_pipeline(), group, "f/", STARTED)
    assert (told["rows"], told["manifest"], len(told["left"])) == (0, None, 2)
    assert not [key for bucket, key in s3.objects if bucket == "curated"]


def a_load(**changes: Any) -> Load:
    given = {
        "token": "things-g",
        "run": BATCH,
        "source": "2 files",
        "table": Table(name="things", mode="upsert", keys=("id",)),
        "columns": (("id", "BIGINT"), ("label", "VARCHAR(80)")),
        "rows": 5,
        "manifest": "s3://curated/m.json",
        "role": "arn:aws:iam::1:role/r",
        "number": FILE_NUMBER,
    }
    return Load(**{**given, **changes})


MEMBERS = [
    Member(number=number, token=f"things-{number}", source=f"s3://landing/{number}", rows=rows)
    for number, rows in ((0, 3), (1, 2))
]


def a_warehouse(found: list[list[Any]], counted: list[list[Any]] | None = None) -> FakeRedshift:
    return FakeRedshift(
        {
            "SELECT token, run": found,
            "information_schema": [["id"], ["label"]],
            "AS kept GROUP BY": [[0, 3], [1, 2]],
            "GROUP BY": [[0, 3], [1, 2]] if counted is None else counted,
            "COUNT(*)": [[5]],
        }
    )


def said(warehouse: FakeRedshift) -> list[tuple[str, tuple[Any, ...]]]:
    return warehouse.committed[0].statements


def test_a_group_is_one_copy_with_a_token_for_each_file() -> None:
    warehouse = a_warehouse([])
    loaded = load_group_once(warehouse, a_load(), MEMBERS)
    texts = [text for text, _ in said(warehouse)]
    assert texts[0] == 'LOCK TABLE "public"."decant_loads"'
    assert sum("COPY" in text for text in texts) == 1
    assert texts[-1].startswith('INSERT INTO "public"."decant_loads"')
    assert [value for value in said(warehouse)[-1][1] if value in {"things-0", "things-1"}] == [
        "things-0",
        "things-1",
    ]
    assert any(f'ORDER BY "{FILE_NUMBER}" DESC' in text for text in texts)
    assert [(each.rows, each.already, each.elsewhere) for each in loaded] == [
        (3, False, False),
        (2, False, False),
    ]


def test_a_file_that_another_run_loaded_is_left_out_of_what_was_copied() -> None:
    warehouse = a_warehouse([["things-1", "things-0123456789abcdef01234567", 2]])
    loaded = load_group_once(warehouse, a_load(), MEMBERS)
    (left_out,) = [values for text, values in said(warehouse) if text.startswith('DELETE FROM "staging')]
    assert left_out == (1,)
    assert [(each.already, each.elsewhere) for each in loaded] == [(False, False), (True, True)]


def test_what_an_earlier_attempt_at_the_batch_loaded_is_not_loaded_again() -> None:
    warehouse = a_warehouse([[f"things-{number}", BATCH, 3] for number in (0, 1)])
    loaded = load_group_once(warehouse, a_load(run=f"{BATCH}-2"), MEMBERS)
    assert [(each.already, each.elsewhere) for each in loaded] == [(True, False), (True, False)]
    assert not [text for text, _ in said(warehouse) if "COPY" in text]


def test_nothing_is_committed_when_copy_lost_rows_of_one_file() -> None:
    warehouse = a_warehouse([], counted=[[0, 4], [1, 1]])
    with pytest.raises(LoadFailed, match="4 rows of s3://landing/0, which holds 3"):
        load_group_once(warehouse, a_load(), MEMBERS)
    assert not warehouse.committed


def test_tokens_are_looked_for_a_thousand_at_a_time() -> None:
    warehouse = a_warehouse([["things-5", BATCH, 1]])
    assert loaded_tokens(warehouse, "t", [f"things-{number}" for number in range(1001)]) == {"things-5"}
    assert [len(values) for _, values in said(warehouse)] == [1000, 1]


def test_a_group_s_partition_holds_no_file_that_another_run_registered() -> None:
    s3, glue = FakeS3(), FakeGlue()
    group, _ = a_group(s3, GOOD, b"id,label\n3,c\n")
    folder = f"things/dt=2026-11-20/run={group['token']}/"
    transform(s3, a_pipeline(), group, folder, STARTED)
    mine = [{"token": group["files"][1]["token"], "rows": 1}]
    glue.partitions["2026-11-19", mine[0]["token"]] = "left by a run that failed before it loaded"
    told = register(s3, glue, a_pipeline(), group["token"], STARTED, mine, [0])
    assert told["rows"] == 1
    assert list(glue.partitions) == [("2026-11-20", group["token"])]
    assert [name for name, _ in glue.tables["things"]] == ["id", "label", "processing_date"]
    table = parquet.read_table(io.BytesIO(s3.objects["curated", f"{folder}part-0.parquet"]))
    assert table["id"].to_pylist() == [3]


def test_a_group_of_which_nothing_is_left_registers_nothing() -> None:
    s3, glue = FakeS3(), FakeGlue()
    group, _ = a_group(s3, GOOD)
    transform(s3, a_pipeline(), group, f"things/dt=2026-11-20/run={group['token']}/", STARTED)
    assert register(s3, glue, a_pipeline(), group["token"], STARTED, [], [0])["rows"] == 0
    assert not glue.partitions


def test_a_left_file_gets_its_own_run_once() -> None:
    s3, states = FakeS3(), FakeStepFunctions()
    group, files = a_group(s3, b"bad")
    names = [start(states, "things", group["files"], STARTED)["runs"] for _ in range(2)]
    assert names == [[str(RunName.of("things", files[0]))]] * 2
    assert len(states.executions) == 1


def summed_up(
    items: list[dict[str, Any]],
    children: list[dict[str, Any]] | None,
    states: FakeStepFunctions | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Summarise a batch of these items and children; return what the step says and the stored summary."""
    s3 = FakeS3()
    s3.put_json("artifacts", "items", items)
    s3.put_json("artifacts", "results/SUCCEEDED_0.json", children)
    manifest = {"ResultFiles": {"SUCCEEDED": [{"Key": "results/SUCCEEDED_0.json"}], "FAILED": []}}
    s3.put_json("artifacts", "manifest", manifest)
    event = {
        "run": BATCH,
        "started": STARTED,
        "began": "2026-11-20T12:00:00Z",
        "plan_batch": {
            "bucket": "artifacts",
            "key": "items",
            "already": 2,
            "waiting": 1,
            "groups": 1,
            "why_alone": None,
        },
        "load_each": {
            "ResultWriterDetails": None if children is None else {"Bucket": "artifacts", "Key": "manifest"}
        },
    }
    told = summarise(s3, states or FakeStepFunctions(), event, 1795176010.0)  # 10 s after it began
    stored = s3.objects.get(("artifacts", batches.summary_key(BATCH)))
    return told, json.loads(stored) if stored else {}


def a_child(item: dict[str, Any], output: dict[str, Any] | None, **changes: Any) -> dict[str, Any]:
    child = {"Input": json.dumps({"item": item}), "Status": "SUCCEEDED" if output else "FAILED", **changes}
    return child | ({"Output": json.dumps(output)} if output else {})


def grouped(item: dict[str, Any], *left: int) -> dict[str, Any]:
    """What a child says whose group was loaded but for some files."""
    files = [
        {"number": number, "token": each["token"], "rows": 3}
        for number, each in enumerate(item["files"])
        if number not in left
    ]
    gone = [{**item["files"][number], "reason": "line 2: bad"} for number in left]
    return {"transform_group": {"left": gone}, "copy_group": {"files": files}}


def test_a_summary_counts_loaded_rejected_failed_and_names_them() -> None:
    states = FakeStepFunctions()
    group = batches.group_item("things", BATCH, 0, (a_file(), a_file(), a_file()))
    alone, stopped = (batches.file_item("things", a_file(), STARTED) for _ in range(2))
    rejected = group["files"][1]
    states.add(
        an_execution(
            rejected["token"], "FAILED", error="FileRejected", cause="1 row is bad", input='{"file": {}}'
        )
    )
    states.add(an_execution(stopped["name"], "ABORTED", error="Stopped", cause="by hand"))
    children = [
        a_child(group, grouped(group, 1)),
        a_child(alone, {"load_file": {"rows": 4}}),
        a_child(stopped, None, Error="StepFunctions.ExecutionAlreadyExistsException", Cause="exists"),
    ]
    told, stored = summed_up([group, alone, stopped], children, states)
    assert (told["loaded"], told["rejected"], told["failed"], told["rows"]) == (3, 1, 1, 10)
    assert told["headline"] == (
        "3 of 5 files loaded, 1 rejected, 1 failed, 2 loaded before, 1 waiting for more"
    )
    assert told["error"]["Error"] == "BatchIncomplete"
    assert "Stopped: by hand" in told["error"]["Cause"]
    assert any(rejected["file"]["key"] in line and "1 row is bad" in line for line in told["lines"])
    assert stored["again"] == [stopped]
    assert [file["outcome"] for file in stored["files"]].count("loaded") == 3


def test_rejected_files_are_no_failure_of_the_batch() -> None:
    states = FakeStepFunctions()
    item = batches.file_item("things", a_file(), STARTED)
    states.add(an_execution(item["name"], "FAILED", error="FileRejected", cause="bad"))
    told, stored = summed_up([item], [a_child(item, None, Error="States.TaskFailed", Cause="{}")], states)
    assert (told["failed"], told["rejected"], told["error"]["Error"]) == (0, 1, "")
    assert stored["again"] == []


def test_a_group_that_failed_goes_again_as_it_was() -> None:
    group = batches.group_item("things", BATCH, 0, (a_file(), a_file()))
    cause = json.dumps({"errorMessage": "the warehouse refused", "stackTrace": []})
    told, stored = summed_up([group], [a_child(group, None, Error="LoadFailed", Cause=cause)])
    assert told["failed"] == 2
    assert all(file["reason"] == "LoadFailed: the warehouse refused" for file in stored["files"])
    assert stored["again"] == [group]


def test_a_left_file_whose_run_failed_goes_again_without_its_group() -> None:
    states = FakeStepFunctions()
    files = (a_file(), a_file())
    group = batches.group_item("things", BATCH, 0, files)
    states.add(an_execution(group["files"][1]["token"], "FAILED", error="UnknownFile", cause="gone"))
    _, stored = summed_up([group], [a_child(group, grouped(group, 1))], states)
    assert stored["again"] == [batches.file_item("things", files[1], STARTED)]


def test_a_run_that_something_else_started_is_met_with_its_outcome() -> None:
    states = FakeStepFunctions()
    items = [batches.file_item("things", a_file(), STARTED) for _ in range(2)]
    for item in items:
        output = json.dumps({"catalogue": {"rows": 6}})
        states.add(an_execution(item["name"], "FAILED", error="LoadFailed", cause="x"))
        states.add(an_execution(f"{item['name']}-2", "SUCCEEDED", output=output))
    children = [a_child(item, None, Error="StepFunctions.ExecutionAlreadyExistsException") for item in items]
    told, _ = summed_up(items, children, states)
    assert (told["loaded"], told["rows"], told["failed"]) == (2, 12, 0)


def test_a_batch_is_not_over_while_a_file_s_run_is_under_way() -> None:
    states = FakeStepFunctions()
    item = batches.file_item("things", a_file(), STARTED)
    states.add(an_execution(item["name"], "RUNNING"))
    told, stored = summed_up([item], [a_child(item, None, Error="X")], states)
    assert told == {"done": False, "wait_seconds": 10, "running": 1}
    assert stored == {}


def test_an_item_that_was_never_begun_has_failed() -> None:
    item = batches.file_item("things", a_file(), STARTED)
    told, stored = summed_up([item], [])
    assert told["failed"] == 1
    assert stored["files"][0]["reason"] == "it was not begun"


def test_a_batch_with_nothing_new_says_so() -> None:
    told, _ = summed_up([], None)
    assert told["headline"] == "nothing new to load, 2 loaded before, 1 waiting for more"
    assert told["seconds"] == 10.0


def test_a_notice_of_many_failures_names_the_first_and_counts_the_rest() -> None:
    items = [batches.file_item("things", a_file(), STARTED) for _ in range(30)]
    told, stored = summed_up(items, [])
    assert "  ... and 10 more" in told["lines"]
    assert "and 27 more" in told["error"]["Cause"]
    assert len(stored["files"]) == 30
