"""Names, starts, stops and redrives of runs."""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import runs
from chalicelib.errors import InvalidEvent, RunConflict, Throttled, UnknownPipeline, UnknownRun
from chalicelib.files import File
from chalicelib.run import RunName
from tests.factories import STARTED, a_file, an_execution, an_s3_event
from tests.fakes import FakeS3, FakeStepFunctions


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=40))
def test_a_name_fits_step_functions_whatever_the_key_is(key: str, etag: str) -> None:
    name = str(RunName.of("a" * 47, File(bucket="b", key=key, etag=etag, size=1)))
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name)
    assert str(RunName.parse(name)) == name


def test_the_same_content_has_the_same_name_and_other_content_another() -> None:
    file = a_file()
    assert RunName.of("orders", file) == RunName.of("orders", file)
    others = [a_file(key=file.key), a_file(etag=file.etag), a_file(key=file.key, etag=file.etag, version="2")]
    assert len({RunName.of("orders", other) for other in [file, *others]}) == 4


def test_keys_that_look_alike_when_cleaned_up_have_different_names() -> None:
    keys = ["incoming/orders/a b", "incoming/orders/a+b", "incoming/orders/a-b", "incoming/orders/a/b"]
    names = {RunName.of("orders", a_file(key=key, etag="e")) for key in keys}
    assert len(names) == len(keys)


@pytest.mark.parametrize(
    "key",
    [
        "incoming/orders/ä ö+ü.csv",
        "incoming/orders/50%.csv",
        'incoming/orders/it\'s "q".csv',
        "incoming/orders/日本.csv",
    ],
)
def test_the_key_of_an_event_is_decoded(key: str) -> None:
    (file,) = runs.files_of_event(an_s3_event(a_file(key=key)))
    assert file.key == key


def test_every_record_of_an_event_gets_a_run() -> None:
    states = FakeStepFunctions()
    files = [a_file() for _ in range(3)]
    runs.start_for_event(states, an_s3_event(*files))
    assert {json.loads(found["input"])["file"]["key"] for found in states.executions} == {
        file.key for file in files
    }


def test_the_same_event_in_any_order_makes_one_run_for_each_content() -> None:
    states = FakeStepFunctions()
    files = [a_file(key="incoming/orders/one.csv") for _ in range(2)] * 25
    random.Random(7).shuffle(files)
    for file in files:
        runs.start_for_event(states, an_s3_event(file))
    assert len(states.executions) == 2


def test_a_record_that_fails_does_not_keep_the_others_from_their_runs() -> None:
    states = FakeStepFunctions()
    lost, good = a_file(key="elsewhere/x.csv"), a_file()
    with pytest.raises(UnknownPipeline, match=r"elsewhere/x\.csv"):
        runs.start_for_event(states, an_s3_event(lost, good))
    assert len(states.executions) == 1


def test_a_record_without_a_key_names_what_is_missing() -> None:
    event = an_s3_event(a_file())
    del event["Records"][0]["s3"]["object"]["eTag"]
    with pytest.raises(InvalidEvent, match="eTag"):
        runs.start_for_event(FakeStepFunctions(), event)


def test_a_folder_marker_is_no_file() -> None:
    marker = a_file(key="incoming/orders/", size=0)
    assert not list(runs.files_of_event(an_s3_event(marker)))


def test_a_throttled_start_is_passed_on_so_that_the_event_comes_again() -> None:
    states = FakeStepFunctions()
    states.failing = Throttled("slow down")
    with pytest.raises(Throttled):
        runs.start_for_event(states, an_s3_event(a_file()))


def test_a_run_that_is_under_way_can_be_stopped_and_then_goes_on() -> None:
    states = FakeStepFunctions()
    name = runs.start_for_file(states, a_file()).run
    runs.stop(states, name, "wrong file")
    assert runs.describe(states, name).outcome == "stopped"
    assert not runs.redrive(states, name).new
    assert states.redriven == [name]


def test_a_run_that_has_ended_cannot_be_stopped() -> None:
    states = FakeStepFunctions()
    name = str(RunName.of("orders", a_file()))
    states.add(an_execution(name))
    with pytest.raises(RunConflict, match="has ended"):
        runs.stop(states, name, "late")


def test_a_failed_run_is_redriven_as_a_new_attempt_with_the_same_token_and_start() -> None:
    states, file = FakeStepFunctions(), a_file()
    first = RunName.of("orders", file)
    document = {"file": file.to_document(), "started": STARTED}
    states.add(an_execution(str(first), "FAILED", error="LoadFailed", input=json.dumps(document)))
    started = runs.redrive(states, str(first))
    document = json.loads(states.describe("m", started.run)["input"])
    assert started.run == f"{first}-2"
    assert (document["token"], document["started"]) == (first.token, STARTED)


def test_a_second_redrive_does_not_start_beside_the_first() -> None:
    states, file = FakeStepFunctions(), a_file()
    first = str(RunName.of("orders", file))
    document = {"file": file.to_document(), "started": STARTED}
    states.add(an_execution(first, "FAILED", error="LoadFailed", input=json.dumps(document)))
    runs.redrive(states, first)
    with pytest.raises(RunConflict, match=f"{first}-2"):
        runs.redrive(states, first)


@pytest.mark.parametrize(
    ("status", "error"), [("SUCCEEDED", None), ("RUNNING", None), ("FAILED", "FileRejected")]
)
def test_what_cannot_be_redriven_says_why(status: str, error: str | None) -> None:
    states = FakeStepFunctions()
    name = str(RunName.of("orders", a_file()))
    states.add(an_execution(name, status, error=error))
    with pytest.raises(RunConflict):
        runs.redrive(states, name)


@pytest.mark.parametrize(
    "name", ["", "orders", "orders-xyz", "../orders", "orders-" + "0" * 23, "O-" + "0" * 24]
)
def test_a_name_that_no_run_can_have_is_unknown(name: str) -> None:
    with pytest.raises(UnknownRun):
        runs.describe(FakeStepFunctions(), name)


def test_reconcile_starts_what_has_no_run_and_leaves_the_young_and_the_old_alone() -> None:
    states, s3 = FakeStepFunctions(), FakeS3()
    states.made = datetime.now(UTC)  # the schedules' ticks are all from before
    lost = s3.put("landing", "incoming/orders/lost.csv", b"lost", timedelta(minutes=30))
    known = s3.put("landing", "incoming/orders/known.csv", b"known", timedelta(minutes=30))
    s3.put("landing", "incoming/orders/young.csv", b"young", timedelta(minutes=1))
    s3.put("landing", "incoming/orders/old.csv", b"old", timedelta(days=40))
    runs.start_for_file(states, known)
    states.made = datetime.now(UTC)  # no schedule of it has missed a tick
    assert [file for file, _ in runs.missing(states, s3, datetime.now(UTC))] == [lost]
    runs.start_for_file(states, lost)
    assert not list(runs.missing(states, s3, datetime.now(UTC)))
