"""NAME=VALUE on a command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


def assignments(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> dict[str, str]:
    """Return the values of a repeatable option by their names.

    Raises:
        click.BadParameter: a value has no sign of equality.
    """
    pairs = [value.partition("=") for value in values]
    if wrong := [name for name, sign, _ in pairs if not sign]:
        raise click.BadParameter(f"{', '.join(wrong)}: write NAME=VALUE")
    return {name: value for name, _, value in pairs}
