"""Quantities on the command line: sizes, and names with a value."""

from __future__ import annotations

import re
from typing import Any

import click

SIZES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
SIZES |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def size(text: str) -> int:
    """Return the bytes that a text such as 5MB, 1.5GiB or 1000 means.

    Raises:
        ValueError: it means none.
    """
    read = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", text)
    if not read or read.group(2).upper() not in SIZES:
        raise ValueError(f"{text!r} is no size: write 5MB, 1.5GiB or a number of bytes")
    return int(float(read.group(1)) * SIZES[read.group(2).upper()])


class Size(click.ParamType[int]):
    """A number of bytes, such as 5MB, 1.5GiB or 1000."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes."""
        if isinstance(value, int):
            return value
        try:
            return size(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Named(click.ParamType[tuple[str, str]]):
    """A name and a value, such as route=lambda."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return the name and the value."""
        if isinstance(value, tuple):
            return value
        name, sign, given = value.partition("=")
        if not (name and sign and given):
            self.fail(f"{value!r}: write NAME=VALUE", param, ctx)
        return name, given
