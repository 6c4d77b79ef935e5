"""Named, described queries: the only SQL of the service lives beside this module in .sql files."""

from __future__ import annotations

import functools
import re
from importlib import resources
from string import Template

from chalicelib.pipeline import IDENTIFIER

_HEADING = re.compile(r"^-- name: (?P<name>\w+)\n", re.MULTILINE)


@functools.cache
def queries(file: str) -> dict[str, Template]:
    """Return a file's queries by name; `$word` stands for an identifier or a list of them."""
    text = resources.files(__name__).joinpath(f"{file}.sql").read_text(encoding="utf-8")
    parts = _HEADING.split(text)[1:]
    return {name: Template(_statement(body)) for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _statement(body: str) -> str:
    """Leave out the description, which is for readers of the file."""
    return "\n".join(line for line in body.strip().splitlines() if not line.startswith("--"))


def identifier(name: str) -> str:
    """Return a name, quoted for SQL.

    Raises:
        ValueError: it is not on the allow-list of identifiers.
    """
    if not IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a table or column name")
    return f'"{name}"'


def identifiers(names: list[str] | tuple[str, ...]) -> str:
    """Return names, quoted and separated by commas."""
    return ", ".join(identifier(name) for name in names)
