"""One thing measured with several engines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Case:
    """Engines that do the same work.

    Attributes:
        suite: the suite's name.
        name: what is measured, such as `csv 100 MB`.
        engines: each engine's name and its function, written `package.module:function`; the function takes
            the arguments, and what it needs is imported inside it, so that imports are part of the time.
        arguments: strings given to each function; an engine may have its own in `own_arguments`.
        compared_to: for each engine the one that its time is divided by; none by default.
        rounds: how often each engine runs, one after another in turn.
    """

    suite: str
    name: str
    engines: dict[str, str]
    arguments: tuple[str, ...] = ()
    own_arguments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    compared_to: dict[str, str] = field(default_factory=dict)
    rounds: int = 5

    def arguments_of(self, engine: str) -> tuple[str, ...]:
        """Return the arguments of one engine."""
        return self.own_arguments.get(engine, self.arguments)


@dataclass(frozen=True, kw_only=True)
class Computed:
    """Something that is worked out rather than measured.

    Attributes:
        suite: the suite's name.
        name: what is worked out.
        rows: returns the rows of the results, with `usd` and `usd_ratio` beside the usual fields.
    """

    suite: str
    name: str
    rows: Callable[[], list[dict[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Many waits on one stage that is made once.

    Attributes:
        suite: the suite's name.
        name: what is measured.
        rows: measures, told what to report as it goes on, and returns the rows of the results.
    """

    suite: str
    name: str
    rows: Callable[[Callable[[str], None]], list[dict[str, Any]]]


@dataclass(frozen=True)
class Sizes:
    """Which file sizes to measure, in megabytes."""

    megabytes: tuple[int, ...] = (1, 100)
