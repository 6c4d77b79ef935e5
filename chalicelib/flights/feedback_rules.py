"""Which rows of feedback.csv can be used, and what they become."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.flights.cleaning import Recipe, any_of, missing, unlike

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.flights.cleaning import Columns

COLUMNS = ("feedback_id", "flight_id", "score")

LOWEST, HIGHEST = 1, 5

SCHEMA = pa.schema([("flight_id", pa.string()), ("score", pa.int64())])


def recipe() -> Recipe:
    """Return how feedback is cleaned; whether its flight is known shows when the files are combined."""
    return Recipe(columns=COLUMNS, key="feedback_id", reasons=_reasons, typed=_typed, schema=SCHEMA)


def _reasons(columns: Columns) -> Iterator[tuple[str, pa.Array]]:
    yield "a value is missing", missing(columns, COLUMNS)
    wrong = unlike(columns["score"], r"-?[0-9]{1,9}")
    yield (
        "unreadable value",
        any_of(
            [
                wrong,
                unlike(columns["feedback_id"], "[A-Za-z0-9_-]{1,40}"),
                unlike(columns["flight_id"], "[A-Za-z0-9_-]{1,40}"),
            ]
        ),
    )
    score = pc.cast(pc.if_else(wrong, None, columns["score"]), pa.int64())
    yield "score out of range", pc.or_(pc.less(score, LOWEST), pc.greater(score, HIGHEST))


def _typed(columns: Columns) -> list[pa.Array]:
    return [columns["flight_id"], pc.cast(columns["score"], pa.int64())]
