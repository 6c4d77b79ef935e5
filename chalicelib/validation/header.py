"""A file's column names against the declared ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.validation.findings import Unreadable
from chalicelib.validation.rules import pipeline_rules, shown

if TYPE_CHECKING:
    from chalicelib.pipeline import Pipeline
    from chalicelib.validation.rules import ColumnRules

MOST_COLUMNS = 5_000
"""Columns that a file may have; a binary file's first line can look like more."""


@dataclass(frozen=True)
class Header:
    """The names found in a file, in its order, and the rules of those that are declared."""

    names: tuple[str, ...]
    rules: tuple[ColumnRules, ...]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.names)}

    def position(self, name: str) -> int:
        """Return the column's position in the file."""
        return self._positions[name]

    @cached_property
    def extra(self) -> tuple[str, ...]:
        """The undeclared names, in the file's order."""
        declared = {rules.name for rules in self.rules}
        return tuple(name for name in self.names if name not in declared)


def header_of(names: tuple[str, ...], pipeline: Pipeline) -> Header:
    """Return the header, if the pipeline takes it.

    Raises:
        Unreadable: at a missing, an extra or a repeated column.
    """
    found = Counter(names)
    if repeated := [name for name, times in found.items() if times > 1]:
        raise Unreadable(
            f"the header has {_listed(repeated)} more than once: give each column a name of its own"
        )
    declared = [column.name for column in pipeline.columns]
    extra = [name for name in names if name not in declared]
    if missing := [name for name in declared if name not in found]:
        hint = f"; it has {_listed(extra)} instead" if extra else ""
        raise Unreadable(f"the header lacks {_listed(missing)}{hint}: write the declared names exactly")
    if extra and pipeline.extra_columns == "reject":
        raise Unreadable(
            f"the header has {_listed(extra)}, which pipeline {pipeline.name} does not declare: remove it,"
            " declare it, or set extra_columns='keep'"
        )
    return Header(names, pipeline_rules(pipeline))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""  # noqa: PLR2004  a message stays one line
    return ", ".join(map(shown, names[:5])) + more
