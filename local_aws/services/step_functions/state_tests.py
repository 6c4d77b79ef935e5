"""TestState: one state, run with an input, outside any state machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws.services.step_functions.errors import ValidationException

if TYPE_CHECKING:
    from local_aws.services.step_functions.engine import Engine


def outcome(engine: Engine, **request: Any) -> dict[str, Any]:
    """Return how a state ends with an input."""
    raise ValidationException(f"TestState: this embedded AWS does not run it ({sorted(request)}, {engine})")
