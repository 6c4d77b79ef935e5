"""A pipeline that is filled in wrongly is refused with the field and the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import pipelines
from chalicelib.errors import InvalidPipeline, UnknownPipeline
from chalicelib.pipeline import Column, GlueJob, Table
from tests.factories import a_pipeline


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "Orders"}, "pipeline name 'Orders'"),
        ({"name": "x" * 48}, "47 characters"),
        ({"landing_prefix": "orders/"}, "incoming/<folder>/"),
        ({"landing_prefix": "incoming/a b/"}, "landing_prefix"),
        ({"columns": ()}, "at least one"),
        ({"columns": (Column(name="a", type="text"),) * 2, "table": None}, "each name once"),
        ({"columns": (Column(name="processing_date", type="date"),), "table": None}, "processing_date"),
        ({"extra_columns": "ignore"}, "reject, keep"),
        ({"fewest_rows": 5, "most_rows": 4}, "fewest_rows <= most_rows"),
        ({"table": Table(name="t", mode="upsert", keys=("nope",))}, "table key 'nope'"),
        ({"table": Table(name="t", mode="upsert", keys=("label",))}, "required=True"),
    ],
)
def test_a_field_that_cannot_be_is_named(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidPipeline) as refused:
        a_pipeline(**fields)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Column(name="a b", type="text"), "'a b'"),
        (lambda: Column(name="a", type="int"), "integer, decimal"),  # type: ignore[arg-type]
        (lambda: Column(name="a", type="decimal", precision=40, scale=2), "<= 38"),
        (lambda: Column(name="a", type="text", allowed=()), "accepts no value"),
        (lambda: Column(name="a", type="integer", longest=3), "for texts"),
        (lambda: Table(name="t", mode="merge"), "append, upsert, overwrite"),  # type: ignore[arg-type]
        (lambda: Table(name="t", contract="thaw"), "evolve, freeze"),  # type: ignore[arg-type]
        (lambda: Table(name="t", mode="upsert"), "keys"),
        (lambda: Table(name="t; drop"), "'t; drop'"),
        (lambda: GlueJob(name="j", growth=1.0), "growth > 1"),
        (lambda: GlueJob(name="j", first_wait=0), "0 < first_wait"),
    ],
)
def test_a_part_that_cannot_be_is_named(make: Any, words: str) -> None:
    with pytest.raises(InvalidPipeline) as refused:
        make()
    assert words in str(refused.value)


def test_every_pipeline_of_the_project_is_filled_in() -> None:
    assert {"orders", "events", "people_csv", "people_json"} <= set(pipelines.every())


def test_a_key_belongs_to_the_pipeline_of_its_prefix() -> None:
    assert pipelines.of_key("incoming/orders/2026/a.csv").name == "orders"
    with pytest.raises(UnknownPipeline, match="incoming/orders/"):
        pipelines.of_key("incoming/nothing/a.csv")


def test_an_unknown_name_tells_the_known_ones() -> None:
    with pytest.raises(UnknownPipeline, match="orders"):
        pipelines.named("order")
