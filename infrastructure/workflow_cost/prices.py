"""The public prices, from the one file that says when they were read and where."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PRICES = Path(__file__).parents[1] / "prices.json"


class UnknownRegion(ValueError):
    """The price file has no such region."""


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What a unit costs in one region, in US dollars.

    Attributes:
        region: its code, such as `eu-west-1`.
        units: the region's entry of prices.json; its keys name the unit.
        minimums: what is billed at least.
        free: what costs nothing each month, by the quantity's name.
        as_of: the day the pages were read.
        sources: the pages by service.
    """

    region: str
    units: dict[str, Any]
    minimums: dict[str, float]
    free: dict[str, float]
    as_of: str
    sources: dict[str, str]

    def express_hours(self, gb_hours: float) -> float:
        """Return the price of so many GB-hours of Express runs in a month, whose tiers get cheaper."""
        total, left = 0.0, gb_hours
        for width, price in self.units["express_gb_hour_tiers"]:
            taken = left if width is None else min(left, width)
            total, left = total + taken * price, left - taken
        return total


def regions() -> list[str]:
    """Return the regions that have prices."""
    return sorted(_document()["regions"])


def prices(region: str) -> Prices:
    """Return a region's prices.

    Raises:
        UnknownRegion: there are none.
    """
    document = _document()
    if region not in document["regions"]:
        raise UnknownRegion(f"region {region!r}: no prices; there are prices of {', '.join(regions())}")
    return Prices(
        region=region,
        units=document["regions"][region],
        minimums=document["minimums"],
        free=document["free_tier_per_month"],
        as_of=document["as_of"],
        sources=document["sources"],
    )


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(PRICES.read_text(encoding="utf-8"))
    return document
