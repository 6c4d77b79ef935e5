"""Checks of a workflow: statelint's, and what a run must keep to here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infrastructure.definition import NotAWorkflow, levels, read
from infrastructure.workflow_lint import (
    error_rules,
    flow_rules,
    outcome_rules,
    path_rules,
    payload_rules,
    states_language,
    task_rules,
)
from infrastructure.workflow_lint.configuration import InvalidLintConfiguration, step_errors
from infrastructure.workflow_lint.finding import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Finding", "InvalidLintConfiguration", "lint", "rules"]

READING = {
    "not-json": "The file is JSON text in UTF-8, with each name once in an object.",
    "not-a-workflow": "The file holds one state machine.",
    states_language.RULE: "statelint finds nothing.",
}
"""The rules that come before ours, by name, with what they ask for."""


def lint(path: Path) -> list[Finding]:
    """Return everything to mend in the definition at `path`, or an empty list.

    Raises:
        InvalidLintConfiguration: the project's pyproject.toml names errors that cannot be read.
    """
    return [
        Finding(path=path, state=state, rule=rule, remedy=remedy)
        for state, rule, remedy in dict.fromkeys(_problems(path))
    ]


def rules(steps: frozenset[str] | None = None) -> tuple[Rule, ...]:
    """Return our rules, for steps that raise the errors `steps`, or any when it is None."""
    return (
        *task_rules.RULES,
        *outcome_rules.RULES,
        *error_rules.RULES,
        error_rules.unknown_error_rule(steps),
        *flow_rules.RULES,
        *payload_rules.RULES,
        *path_rules.RULES,
    )


def _problems(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield state, rule and remedy."""
    try:
        text, definition = read(path)
    except NotAWorkflow as error:
        yield "", error.rule, error.remedy
        return
    for state, said in states_language.problems(text):
        yield state, states_language.RULE, said
    checked = rules(step_errors(path))
    for level in levels(definition):
        found = [(state, rule.name, remedy) for rule in checked for state, remedy in rule.problems(level)]
        order = list(level.states)
        for state, rule_name, remedy in sorted(found, key=lambda each: order.index(each[0])):
            yield level.path(state), rule_name, remedy
