"""Each pattern has a place in a workflow, and the workflows use all of the language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cli.workflow_diagram import arrows, inner_states, mermaid_of
from cli.workflow_patterns import PATTERNS, Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
STATE_TYPES = {"Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"}
INTEGRATIONS = {
    "arn:aws:states:::athena:startQueryExecution.sync",
    "arn:aws:states:::athena:getQueryResults",
    "arn:aws:states:::glue:startJobRun.sync",
    "arn:aws:states:::aws-sdk:glue:startCrawler",
    "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "arn:aws:states:::states:startExecution.sync:2",
    "arn:aws:states:::sqs:sendMessage",
}
"""What the workflows promise to call without code of ours between Step Functions and the service."""


def definitions() -> dict[str, dict[str, Any]]:
    paths = (ROOT / "workflows").glob("*.asl.json")
    return {path.name.removesuffix(".asl.json"): json.loads(path.read_text()) for path in paths}


def every_state() -> Iterator[dict[str, Any]]:
    for definition in definitions().values():
        for state in definition["States"].values():
            yield state
            yield from (inside for _, inside in inner_states(state))


def test_the_workflows_use_all_eight_types_of_states() -> None:
    assert {state["Type"] for state in every_state()} == STATE_TYPES


def test_the_workflows_use_every_integration() -> None:
    assert {state.get("Resource") for state in every_state()} >= INTEGRATIONS


def test_every_workflow_has_tests_that_walk_its_arrows() -> None:
    for name in definitions():
        text = (ROOT / "tests" / "workflows" / f"test_{name}.py").read_text()
        assert "arrows(" in text, name


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_a_pattern_is_drawn_with_the_arrows_between_its_states_and_no_others(pattern: Pattern) -> None:
    states = {name: definitions()[pattern.workflow]["States"][name] for name in pattern.states}
    drawn = mermaid_of(states).splitlines()
    for name, state in states.items():
        for arrow, target in arrows(state):
            assert (f"  {name} {arrow} {target}" in drawn) == (target in states), (name, target)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_a_pattern_s_states_hang_together(pattern: Pattern) -> None:
    states = definitions()[pattern.workflow]["States"]
    linked = {
        end
        for name in pattern.states
        for _, target in arrows(states[name])
        if target in pattern.states
        for end in (name, target)
    }
    assert linked == set(pattern.states)
