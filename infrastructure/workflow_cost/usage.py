"""What a way through a workflow uses: quantities that can be added and multiplied."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Quantities of one run.

    Attributes:
        transitions: states entered, of this run and of the Standard child runs of Distributed Maps.
        events: events in this run's own history.
        seconds: from the first state to the last, as far as it waits.
        lambda_requests, lambda_gb_seconds: calls of functions, and their memory times their duration.
        glue_dpu_minutes: of Glue jobs and crawlers, with their minimum.
        athena_bytes: scanned, with the minimum per query.
        s3_puts, s3_gets: requests that write or list; requests that read.
        child_requests, child_gb_seconds: Express child runs of Distributed Maps.
        unpriced: calls that cost something the price file does not hold, by integration.
    """

    transitions: int = 0
    events: int = 0
    seconds: float = 0.0
    lambda_requests: int = 0
    lambda_gb_seconds: float = 0.0
    glue_dpu_minutes: float = 0.0
    athena_bytes: float = 0.0
    s3_puts: int = 0
    s3_gets: int = 0
    child_requests: int = 0
    child_gb_seconds: float = 0.0
    unpriced: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            **{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        )

    def times(self, number: int) -> Usage:
        """Return the usage of so many, one after another."""
        counted = Counter({name: count * number for name, count in self.unpriced.items()})
        rest = {
            each.name: getattr(self, each.name) * number for each in fields(self) if each.name != "unpriced"
        }
        return Usage(**rest, unpriced=counted)
