"""What every part of a pipeline is checked for when it is declared."""

from __future__ import annotations

import re
from datetime import date
from typing import get_args

from chalicelib.errors import InvalidPipeline

RESERVED = "processing_date"
"""The column that Decant adds to every table."""

IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,126}")
"""What a column, table or schema may be called: Redshift allows 127 bytes; quotes are never needed."""

PIPELINE_NAME = re.compile(r"[a-z][a-z0-9_]{0,46}")
"""A pipeline's name: with 24 digits and an attempt it makes a run's name of at most 80 characters."""

SHORTEST_LIMIT = 60
"""Seconds below which `longest_run` says nothing."""


def check_pipeline_name(name: str) -> None:
    """Raise InvalidPipeline unless a pipeline may be called so."""
    if not PIPELINE_NAME.fullmatch(name):
        raise InvalidPipeline(f"pipeline name {name!r}: use [a-z][a-z0-9_]*, at most 47 characters")


def check_identifier(what: str, name: str) -> None:
    """Raise InvalidPipeline unless SQL takes the name without quotes."""
    if not IDENTIFIER.fullmatch(name):
        raise InvalidPipeline(f"{what} {name!r}: use lower-case letters, digits and _ only")


def check_word(what: str, value: str, words: object) -> None:
    """Raise InvalidPipeline unless the value is one of the words of a Literal type."""
    if value not in get_args(words):
        raise InvalidPipeline(f"{what} {value!r}: write one of {', '.join(get_args(words))}")


def check_longest_run(pipeline: str, seconds: int | None) -> None:
    """Raise InvalidPipeline when so short a limit could not be looked after."""
    if seconds is not None and seconds < SHORTEST_LIMIT:
        raise InvalidPipeline(
            f"{pipeline}: longest_run={seconds}: write at least {SHORTEST_LIMIT} seconds; "
            "runs are looked at every 15 minutes"
        )


def is_date(text: str) -> bool:
    """Tell whether a text is an ISO date that the calendar has."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
