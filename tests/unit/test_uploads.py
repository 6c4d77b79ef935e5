"""Signed forms for files that a person drops in the console."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from chalicelib import pipelines, uploading
from chalicelib.aws import uploads
from chalicelib.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "unit")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unit")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # an earlier test may have made it
    uploads._client.cache_clear()
    yield
    uploads._client.cache_clear()


def conditions(form: uploading.Upload) -> list[Any]:
    found: list[Any] = json.loads(base64.b64decode(form.fields["policy"]))["conditions"]
    return found


def test_a_form_is_for_one_key_under_the_landing_prefix_and_for_no_more_bytes_than_told() -> None:
    form = uploading.form(pipelines.named("orders"), "März (2).csv", 1234)
    assert form.key == "incoming/orders/März (2).csv"
    assert form.url == "https://landing.s3.eu-west-1.amazonaws.com/"
    assert ["content-length-range", 1, 1234] in conditions(form)
    assert {"key": form.key} in conditions(form)
    assert {"bucket": "landing"} in conditions(form)


@pytest.mark.parametrize(
    "name",
    ["", "../x.csv", "a/b.csv", ".hidden", "a\\b", "<script>.csv", "a\n.csv", "${filename}", "x" * 201],
)
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="name"):
        uploading.form(pipelines.named("orders"), name, 1)


@pytest.mark.parametrize("size", [0, -1, uploading.MOST_BYTES + 1])
def test_a_size_that_s3_would_not_take_is_refused(size: int) -> None:
    with pytest.raises(InvalidRequest, match="size"):
        uploading.form(pipelines.named("orders"), "a.csv", size)


def test_a_batch_pipeline_takes_files_only_when_it_reads_a_folder() -> None:
    batches = list(pipelines.of_batches())
    reading = next(found for found in batches if found.reads)
    assert uploading.form(reading, "a.csv", 1).key == f"{reading.reads}a.csv"
    with pytest.raises(InvalidRequest, match="no files"):
        uploading.form(next(found for found in batches if not found.reads), "a.csv", 1)


def test_files_of_another_account_are_put_there() -> None:
    partners = next(found for found in pipelines.of_files() if found.source_bucket)
    with pytest.raises(InvalidRequest, match="put them there"):
        uploading.form(partners, "a.csv", 1)
