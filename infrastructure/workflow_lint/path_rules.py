"""Paths begin as paths: what statelint does not look at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from infrastructure.workflow_lint.finding import Problem, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infrastructure.definition import Level, State

PATH = re.compile(r"\$(\$|[A-Za-z_][A-Za-z0-9_]*)?([.\[].*)?|\{%.*%\}|States\..+", re.DOTALL)
"""How every path, variable, context path, intrinsic function and JSONata expression begins."""

WHOLE_PATHS = ("InputPath", "OutputPath", "ResultPath", "ItemsPath", "SecondsPath", "TimestampPath")
TEMPLATES = ("Parameters", "ResultSelector", "ItemSelector", "Assign")


def not_a_path(level: Level) -> Iterator[Problem]:
    """Every path begins with `$`."""
    for name, state in level.states.items():
        for where, value in _paths(state):
            if not PATH.fullmatch(value):
                yield name, f'{where}: write a path such as "$.file", not "{value}"'


def template_paths(where: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield each `key.$` of a payload template: where it stands and its path."""
    if isinstance(value, list):
        for position, each in enumerate(value):
            yield from template_paths(f"{where}[{position}]", each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key.endswith(".$") and isinstance(each, str):
                yield f"{where}.{key}", each
            else:
                yield from template_paths(f"{where}.{key}", each)


def _paths(state: State) -> Iterator[tuple[str, str]]:
    for name in WHOLE_PATHS:
        if isinstance(state.get(name), str):
            yield name, state[name]
    for template in TEMPLATES:
        yield from template_paths(template, state.get(template))


RULES = (Rule("not-a-path", "Every path begins with `$`.", not_a_path),)
