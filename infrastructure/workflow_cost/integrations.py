"""What a Task calls, read from its Resource."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infrastructure.definition import is_callback

if TYPE_CHECKING:
    from infrastructure.definition import State

PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")


@dataclass(frozen=True)
class Call:
    """What a Task calls.

    Attributes:
        service: in small letters, such as `glue`; `lambda` for a function.
        action: as the service names it, such as `startJobRun`, or the function's name in snake case.
        waits: the state goes on when the work is done: `.sync`, or a function.
        callback: somebody else reports the end.
    """

    service: str
    action: str
    waits: bool
    callback: bool

    @property
    def name(self) -> str:
        """The call as people write it."""
        return f"{self.service}:{self.action}"


def called(state: State) -> Call:
    """Return what a Task calls."""
    resource = str(state.get("Resource", ""))
    callback = is_callback(state)
    if ":activity:" in resource:
        return Call("activity", resource.rpartition(":")[2], waits=False, callback=True)
    words = re.sub(r"^arn:[^:]*:states:[^:]*:[^:]*:", "", resource)
    if words == resource:  # a function by its own ARN, or a placeholder for one
        return Call("lambda", function_name(resource), waits=True, callback=False)
    service, _, action = words.removeprefix("aws-sdk:").partition(":")
    action, _, pattern = action.partition(".")
    if service == "lambda" and action == "invoke":
        name = function_name(str(arguments(state).get("FunctionName", "")))
        return Call("lambda", name, waits=not callback, callback=callback)
    return Call(service.lower(), action, waits=pattern.startswith("sync"), callback=callback)


def arguments(state: State) -> dict[str, Any]:
    """Return what a Task hands over: its Parameters, or its Arguments in JSONata."""
    given = state.get("Parameters", state.get("Arguments"))
    return given if isinstance(given, dict) else {}


def argument(state: State, name: str) -> str:
    """Return one of a Task's arguments as written; "" when it is a path, an expression or missing."""
    value = arguments(state).get(name)
    return value if isinstance(value, str) and not value.startswith("{%") else ""


def function_name(text: str) -> str:
    """Return a function's name in snake case, from its ARN, its name or a placeholder."""
    placeholder = PLACEHOLDER.fullmatch(text)
    name = (
        placeholder.group(1).removesuffix("Arn") if placeholder else text.partition(":function:")[2] or text
    )
    name = name.partition(":")[0]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()
