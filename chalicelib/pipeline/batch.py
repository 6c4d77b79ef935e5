"""A pipeline that works on what has gathered, and what its runs are told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from chalicelib.errors import InvalidPipeline, InvalidRequest
from chalicelib.pipeline.checks import (
    check_identifier,
    check_longest_run,
    check_pipeline_name,
    check_word,
    is_date,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.expected_by import ExpectedBy
    from chalicelib.pipeline.schedule import Schedule

ParameterType = Literal["date", "integer", "text"]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What a run of a `BatchPipeline` is told.

    Attributes:
        name: lower-case identifier.
        type: `date` (ISO 8601), `integer` or `text`.
        description: what it means, for people.
        default: used when it is not given, and accepted whatever the type (such as `latest`); None makes it
            required.
        pattern: what a text must match as a whole; the default holds nothing that SQL or a path misreads.
    """

    name: str
    type: ParameterType
    description: str
    default: str | None = None
    pattern: str = r"[A-Za-z0-9][A-Za-z0-9_.=/-]{0,199}"

    def __post_init__(self) -> None:
        check_identifier("parameter", self.name)
        check_word(f"parameter {self.name}: type", self.type, ParameterType)

    def read(self, given: str | None) -> str:
        """Return the value to use.

        Raises:
            InvalidRequest: it is missing or not of its type.
        """
        value = self.default if given is None else given
        if value is None:
            raise InvalidRequest(f"parameter {self.name}: a value is required: {self.description}")
        if value != self.default and not self._fits(value):
            raise InvalidRequest(f"parameter {self.name} {value[:100]!r}: {self._remedy}")
        return value

    def _fits(self, value: str) -> bool:
        if self.type == "date":
            return re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) is not None and is_date(value)
        if self.type == "integer":
            return re.fullmatch(r"-?[0-9]{1,18}", value) is not None
        return re.fullmatch(self.pattern, value) is not None

    @property
    def _remedy(self) -> str:
        kinds = {"date": "write a date as 2026-01-31", "integer": "write a whole number"}
        other = f", or {self.default}" if self.default and not self._fits(self.default) else ""
        return kinds.get(self.type, f"it must match {self.pattern}") + other


@dataclass(frozen=True, kw_only=True)
class BatchPipeline:
    """A workflow with the names filled in, which works on what has gathered rather than on one file.

    Attributes:
        name: lower-case identifier of at most 47 characters.
        description: one sentence for people.
        workflow: the definition in workflows/ that runs it.
        parameters: what a run may be told; every one is in the run's input, given or default.
        schedule: when it starts by itself, or None. The app's function `<name>_due` has the same schedule.
        reads: the landing prefix that it gathers from, or None. No file pipeline may claim it.
        expected_by: when a run should have succeeded every day, or None; people are told when it is late.
        longest_run: seconds after which people are told that a run is stuck, or None.
    """

    name: str
    description: str
    workflow: str
    parameters: tuple[Parameter, ...] = ()
    schedule: Schedule | None = None
    reads: str | None = None
    expected_by: ExpectedBy | None = None
    longest_run: int | None = None

    def __post_init__(self) -> None:
        check_pipeline_name(self.name)
        if self.reads is not None and not re.fullmatch(r"batch/([A-Za-z0-9_.-]+/)+", self.reads):
            raise InvalidPipeline(f"{self.name}: reads {self.reads!r}: write 'batch/<folder>/'")
        names = [parameter.name for parameter in self.parameters]
        if len(set(names)) != len(names):
            raise InvalidPipeline(f"{self.name}: parameters: declare each name once")
        check_longest_run(self.name, self.longest_run)

    def read_parameters(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return a value for every declared parameter.

        Raises:
            InvalidRequest: one is unknown, missing or not of its type.
        """
        known = [parameter.name for parameter in self.parameters]
        if unknown := sorted(set(given) - set(known)):
            there = f"there is only {', '.join(known)}" if known else "it takes none"
            raise InvalidRequest(f"parameter {unknown[0][:40]!r} of {self.name}: {there}")
        return {parameter.name: parameter.read(given.get(parameter.name)) for parameter in self.parameters}
