"""A workflow's definition, walked: its states on every level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def levels(
    definition: dict[str, Any], inside: str | None = None
) -> Iterator[tuple[str, dict[str, Any], str | None]]:
    """Yield each state's name, the state, and the Map or Parallel state that it is inside, or None."""
    for name, state in definition["States"].items():
        yield name, state, inside
        parts = [*state.get("Branches", ()), state.get("ItemProcessor"), state.get("Iterator")]
        for part in filter(None, parts):
            yield from levels(part, name)
