"""CloudWatch Logs: filter patterns that select, in terms and in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import moto.logs.models

from local_aws.reality import Reality
from local_aws.services.logs.backend import LocalLogsBackend
from local_aws.services.logs.pattern import matcher

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="CloudWatch Logs",
    executes="Functions, jobs and executions write their lines to the groups that AWS uses; FilterLogEvents "
    "understands terms (all of them, `?` any, `-` none) and JSON patterns.",
    differs=(
        "A line can be read at once; on AWS that takes seconds.",
        "All lines of one invocation bear the time at which it ended.",
        "Events are saved every 2 seconds and at the end: a killed process loses the newest lines.",
        "Patterns by columns, [a, b], and by regular expressions, %x%, are refused.",
        "Logs Insights knows what moto knows: fields, sort and limit.",
        "Retention settings delete nothing; a function's newest 20 streams are kept, with 5,000 lines each.",
    ),
)


def install(_runtime: Runtime) -> None:
    """Have moto's streams select by the pattern; its own class takes every JSON pattern for a match."""
    moto.logs.models.logs_backends.backend = LocalLogsBackend
    moto.logs.models.EventMessageFilter = matcher
