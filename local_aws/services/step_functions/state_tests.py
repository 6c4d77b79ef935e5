"""TestState: one state, run with an input, outside any state machine."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from local_aws.services.step_functions import definitions
from local_aws.services.step_functions.errors import InvalidDefinition
from local_aws.services.step_functions.graph import targets
from local_aws.services.step_functions.names import checked_input
from local_aws.services.step_functions.record import STANDARD, Record

if TYPE_CHECKING:
    from local_aws.services.step_functions.engine import Engine

LONGEST = 300.0  # seconds that a tested state may take, as on AWS
TESTED = "TestedState"
NOT_TESTED = frozenset({"Map", "Parallel"})


def outcome(
    engine: Engine,
    *,
    account: str,
    region: str,
    definition: str,
    document: str,
    role_arn: str | None,
    level: str,
    variables: str | None,
) -> dict[str, Any]:
    """Run a state once and return how it ends, as the TestState API shows it.

    Raises:
        InvalidDefinition: the state could not run, or is a Map or Parallel state.

    """
    checked_input(document)
    try:
        state = json.loads(definition)
    except ValueError as error:
        raise InvalidDefinition(f"Invalid State Machine Definition: '{error}'") from error
    if not isinstance(state, dict) or state.get("Type") in NOT_TESTED:
        raise InvalidDefinition(f"TestState: a state of type {sorted(NOT_TESTED)} cannot be tested here")
    retriers = state.pop("Retry", [])
    record = _record(account, region, _machine(state), document, role_arn)
    definitions.check(record.definition)
    checkpoint = {"state": TESTED, "input": document, "variables": json.loads(variables or "{}"), "event": 0}
    running = engine.launch(record, checkpoint=checkpoint)
    if not running.done.wait(LONGEST):
        running.stop("States.Timeout", f"The state took longer than {LONGEST:.0f} s")
    events = engine.journal.history(record.id, 1000)
    engine.journal.erase(record.id)
    return _shown(running.record, state, retriers, events, level)


def _machine(state: dict[str, Any]) -> str:
    """Return a definition that holds the state, and an end for each of its arrows."""
    ends = {name: {"Type": "Succeed"} for name, _ in targets(state, "") if isinstance(name, str)}
    language = {"QueryLanguage": state["QueryLanguage"]} if "QueryLanguage" in state else {}
    return json.dumps({"StartAt": TESTED, "States": {TESTED: state, **ends}, **language})


def _record(account: str, region: str, definition: str, document: str, role_arn: str | None) -> Record:
    name = str(uuid.uuid4())
    return Record(
        arn=f"arn:aws:states:{region}:{account}:execution:TestState:{name}",
        account=account,
        region=region,
        machine_arn=f"arn:aws:states:{region}:{account}:stateMachine:TestState",
        machine_name="TestState",
        name=name,
        kind=STANDARD,
        role_arn=role_arn or f"arn:aws:iam::{account}:role/TestState",
        definition=definition,
        input=document,
    )


def _shown(
    record: Record, state: dict[str, Any], retriers: list[Any], events: list[dict[str, Any]], level: str
) -> dict[str, Any]:
    entered = [
        event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event
    ]
    shown: dict[str, Any] = {"status": record.status}
    if len(entered) > 1:
        shown["nextState"] = entered[1]
        caught = {rule.get("Next") for rule in state.get("Catch", [])}
        normal = {state.get("Next"), state.get("Default")} | {
            rule.get("Next") for rule in state.get("Choices", [])
        }
        if entered[1] in caught - normal:
            shown["status"] = "CAUGHT_ERROR"
    elif record.status != "SUCCEEDED":
        shown["status"] = "RETRIABLE" if _retried(retriers, record.error) else "FAILED"
    optional = {"output": record.output, "error": record.error, "cause": record.cause}
    shown |= {key: value for key, value in optional.items() if value is not None}
    if level != "INFO":
        shown["inspectionData"] = {"input": record.input}
    return shown


def _retried(retriers: list[Any], error: str | None) -> bool:
    return any({error, "States.ALL"} & set(rule.get("ErrorEquals", [])) for rule in retriers)
