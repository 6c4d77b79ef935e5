"""Charts as inline SVG: no script, no font, no picture from elsewhere.

Lengths across are percentages and lengths down are pixels, so a chart is as wide as its column while its
texts keep their size: it can be read at 360 pixels and at 1,600. Colours are the page's CSS variables, light
or dark. Elements are built with the standard library's ElementTree, which escapes every text and attribute.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HEIGHT, TOP, BOTTOM = 270, 26, 44
"""Pixels of a column chart: in all, above the highest column, and below the axis."""

STEPS = 4
"""Lines above the axis of a column chart."""

FEWEST_SLOTS = 6
"""Fewer columns are not drawn wider than these would be."""

BAR_ROW, BAR = 46, 12
"""Pixels of one row of a bar chart, and of its bar."""

LABELS_WIDTH = 32
"""Letters of labels that fit side by side at 360 pixels; of more, every second or third is drawn."""

MOST_VALUES = 24
"""Columns with a value above each; of more the values are in the table only."""

LONGEST_ROW = 38
"""Letters of a bar's name and value that fit side by side at 360 pixels; the table has the whole name."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One column or bar: what it stands for, a number for each part of it, and the words for a reader.

    Attributes:
        label: below the column, or above the bar.
        note: below the label of a column.
        short: above the column, or an empty text for `words`.
        parts: the numbers, the lowest part of the column first; most charts have one.
        words: the value as people read it.
    """

    label: str
    parts: tuple[Decimal, ...]
    words: str
    note: str = ""
    short: str = ""

    @property
    def total(self) -> Decimal:
        """The height of the whole column."""
        return sum(self.parts, Decimal(0))


def element(tag: str, attributes: dict[str, str] | None = None, *children: ET.Element | str) -> ET.Element:
    """Return an element with its children; a text may only be the first of them."""
    made = ET.Element(tag, attributes or {})
    for child in children:
        if isinstance(child, str):
            made.text = child
        else:
            made.append(child)
    return made


def markup(*elements: ET.Element) -> str:
    """Return the elements as HTML, escaped."""
    return "".join(ET.tostring(each, encoding="unicode", method="html") for each in elements)


def columns(
    name: str, title: str, description: str, points: Sequence[Point], scale_words: Callable[[Decimal], str]
) -> ET.Element:
    """Return a column chart.

    Args:
        name: unique in the page.
        title: what the chart shows.
        description: what is to be seen at a glance, for those who do not see it.
        points: the columns, from left to right.
        scale_words: writes an amount beside the axis.
    """
    drawing = _drawing(name, title, description, HEIGHT)
    drawing.set("class", "chart columns")  # the style sheet leaves room at its left for the scale
    top = _round_up(max((point.total for point in points), default=Decimal(0)))
    for step in range(STEPS + 1):
        y = _px(_height(top * step / STEPS, top))
        drawing.append(element("line", {"class": "grid", "x1": "0", "x2": "100%", "y1": y, "y2": y}))
        at = {"class": "scale", "x": "-8", "y": y, "dy": "4", "text-anchor": "end"}
        drawing.append(element("text", at, scale_words(top * step / STEPS)))
    slot = 100 / max(len(points), FEWEST_SLOTS)
    letters = sum(len(point.label) for point in points)
    every = math.ceil(letters / LABELS_WIDTH) if points else 1
    for number, point in enumerate(points):
        column = _column(point, slot * number, slot, top)
        if number % every == 0:
            column.extend(_below(point, slot * (number + 0.5)))
        if len(points) <= MOST_VALUES:
            column.append(_above(point, slot * (number + 0.5), top))
        drawing.append(column)
    return drawing


def _column(point: Point, left: float, slot: float, top: Decimal) -> ET.Element:
    group = element("g", {"class": "column"}, element("title", None, f"{point.label}: {point.words}"))
    below = Decimal(0)
    for part, amount in enumerate(point.parts):
        y, height = _height(below + amount, top), _height(below, top) - _height(below + amount, top)
        size = {"x": _pc(left + slot * 0.15), "width": _pc(slot * 0.7), "y": _px(y), "height": _px(height)}
        group.append(element("rect", {"class": f"part{part}", "rx": "2", **size}))
        below += amount
    return group


def _below(point: Point, middle: float) -> list[ET.Element]:
    at = {"class": "label", "x": _pc(middle), "text-anchor": "middle"}
    first = HEIGHT - BOTTOM + 18
    return [
        element("text", {**at, "y": _px(first)}, point.label),
        element("text", {**at, "y": _px(first + 15)}, point.note),
    ]


def _above(point: Point, middle: float, top: Decimal) -> ET.Element:
    y = _px(_height(max(point.total, Decimal(0)), top) - 6)
    at = {"class": "value", "x": _pc(middle), "y": y, "text-anchor": "middle"}
    return element("text", at, point.short or point.words)


def _height(amount: Decimal, top: Decimal) -> float:
    """Return where an amount lies in a column chart, in pixels from its upper edge."""
    return HEIGHT - BOTTOM - float(amount / top) * (HEIGHT - TOP - BOTTOM)


def bars(chart: str, title: str, description: str, points: Sequence[Point]) -> ET.Element:
    """Return a bar chart with one row for each point: its label and value, and the bar below them."""
    drawing = _drawing(chart, title, description, BAR_ROW * max(len(points), 1))
    top = max((point.total for point in points), default=Decimal(0)) or Decimal(1)
    for number, point in enumerate(points):
        y = BAR_ROW * number
        width = max(float(point.total / top) * 100, 0.0)
        size = {"x": "0", "y": _px(y + 24), "height": _px(BAR), "rx": "3"}
        longest = max(LONGEST_ROW - len(point.words), 8)
        name = point.label if len(point.label) <= longest else f"{point.label[: longest - 1]}…"
        drawing.append(element("text", {"class": "name", "x": "0", "y": _px(y + 16)}, name))
        at = {"class": "amount", "x": "100%", "y": _px(y + 16), "text-anchor": "end"}
        drawing.append(element("text", at, point.words))
        drawing.append(element("rect", {"class": "track", "width": "100%", **size}))
        drawing.append(element("rect", {"class": "part0", "width": _pc(width), **size}))
    return drawing


def _drawing(name: str, title: str, description: str, height: int) -> ET.Element:
    return element(
        "svg",
        {
            "class": "chart",
            "width": "100%",
            "height": str(height),
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-description",
        },
        element("title", {"id": f"{name}-title"}, title),
        element("desc", {"id": f"{name}-description"}, description),
    )


def _round_up(amount: Decimal) -> Decimal:
    """Return the amount at the highest line: each of the steps up to it is a number of few digits."""
    if amount <= 0:
        return Decimal(STEPS)
    step = amount / STEPS
    power = Decimal(10) ** step.adjusted()
    round_steps = (Decimal(each) / 2 for each in (2, 3, 4, 5, 6, 8, 10, 12, 16, 20))
    return STEPS * next(power * each for each in round_steps if power * each >= step)


def _px(length: float) -> str:
    return f"{length:.1f}"


def _pc(length: float) -> str:
    return f"{length:.2f}%"
