"""Whatever is sent to the REST API, it answers as its OpenAPI document says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.acceptance.conftest import own
from tests.acceptance.test_approvals import dropped
from tests.acceptance.test_quarantine import HEADER, readings

if TYPE_CHECKING:
    from schemathesis import APIOperation, Case

    from tests.acceptance.conftest import Stage

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

EXAMPLES = {None: 1, "viewer": 3, "operator": 3, "approver": 8}
"""Requests for each operation and mode (as documented, and wrong); an approver's reach the furthest."""


@dataclass
class Known:
    """Names that exist in the stage, so that requests get past "not found"."""

    runs: list[str]
    pipelines: list[str]


@pytest.fixture(scope="module")
def known(stage: Stage) -> Known:
    """A run that succeeded with rows set aside, one that was rejected, and one that waits."""
    keys = [f"incoming/readings/{own('contract')}.csv" for _ in range(2)]
    stage.put(keys[0], HEADER + readings(1, 97, own("s")) + readings(98, 3, own("s"), "n/a"))
    stage.put(keys[1], HEADER + readings(1, 4, own("s"), "n/a"))
    waits = dropped(stage)[1]
    return Known([stage.ended(key)[0]["name"] for key in keys] + [waits], ["readings", "orders"])


@pytest.fixture(scope="module")
def served(stage: Stage) -> dict[str, Any]:
    document: dict[str, Any] = requests.get(f"{stage.running.api_url}/openapi.json", timeout=30).json()
    return document


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value
)
@pytest.mark.parametrize("role", EXAMPLES)
def test_no_request_gets_an_undocumented_answer(
    stage: Stage, served: dict[str, Any], known: Known, role: str | None, mode: GenerationMode
) -> None:
    wrong = []
    for found in schemathesis.openapi.from_dict(served).get_all_operations():
        operation = found.ok()
        try:
            exercise(operation, mode, stage, known, role)
        except hypothesis.errors.Unsatisfiable:
            continue  # nothing can be wrong about an operation without parameters and body
        except BaseExceptionGroup as group:
            wrong += [f"{operation.label}: {error}" for error in group.exceptions]
        except AssertionError as error:
            wrong.append(f"{operation.label}: {error}")
    assert not wrong, "\n\n".join(wrong)


def exercise(
    operation: APIOperation, mode: GenerationMode, stage: Stage, known: Known, role: str | None
) -> None:
    """Send one operation's requests, and check each answer."""
    headers = {"Authorization": f"Bearer {stage.tokens[role]}"} if role else {}

    @hypothesis.seed(20261122)
    @hypothesis.settings(
        max_examples=EXAMPLES[role],
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(operation.as_strategy(generation_mode=mode), st.data())
    def send(case: Case, data: st.DataObject) -> None:
        for name, names in (("run", known.runs), ("pipeline", known.pipelines)):
            if name in case.path_parameters and data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(names))
        answer = case.call(base_url=stage.running.api_url, headers=headers, timeout=30)
        case.validate_response(answer, checks=CHECKS)

    send()
