"""What a rule is, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from infrastructure.definition import Level


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to mend.

    Attributes:
        path: the file.
        state: the state's name after those of the states around it, or "" for the whole definition.
        rule: the rule's name, in words with hyphens.
        remedy: what to do.
    """

    path: Path
    state: str
    rule: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.state or 'the workflow'}: {self.rule}: {self.remedy}"


Problem = tuple[str, str]
"""The state's name within its level, and the remedy."""


@dataclass(frozen=True)
class Rule:
    """What every workflow must keep to.

    Attributes:
        name: in words with hyphens; docs/workflow-lint.md has a section of this name.
        demand: what the rule asks for, in one sentence.
        problems: yields what breaks it in one level.
    """

    name: str
    demand: str
    problems: Callable[[Level], Iterator[Problem]]
