"""What AWS accepts as names and inputs of executions and state machines."""

from __future__ import annotations

import json
from typing import Any

from local_aws.services.step_functions.errors import InvalidExecutionInput, InvalidName, ValidationException

NAME_LIMIT = 80  # characters
PAYLOAD_LIMIT = 262_144  # bytes of UTF-8, for every input and output
FORBIDDEN = frozenset(' \t\n\r<>{}[]?*"#%\\^|~`$&,;:/') | {
    chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF)
}


def check_name(name: str) -> None:
    """Raise InvalidName unless AWS would accept `name`."""
    if not 1 <= len(name) <= NAME_LIMIT or not FORBIDDEN.isdisjoint(name):
        raise InvalidName(f"Invalid Name: '{name}'")


def checked_input(document: str) -> Any:
    """Return the parsed execution input.

    Raises:
        ValidationException: it is larger than 262,144 bytes.
        InvalidExecutionInput: it is not JSON.

    """
    size = len(document.encode())
    if size > PAYLOAD_LIMIT:
        raise ValidationException(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: "
            f"Member must have length less than or equal to {PAYLOAD_LIMIT}; got {size} bytes"
        )
    try:
        return json.loads(document, parse_constant=_refuse)
    except ValueError as error:
        raise InvalidExecutionInput(f"Invalid State Machine Execution Input: '{error}'") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
