"""Tables on screens of any width."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cli.output import table

NAME = "orders-0f2b6c8d9e4a1b3c5d7e9f01"
ADDRESS = "s3://decant-local-landing-123456789012/incoming/orders/orders_small.csv"
REASON = "7 of 200 rows are bad; the first: line 7, column quantity: 'three' is not an integer"

COLUMNS = ("run", "rows", "file", "reason")
ROWS = [(NAME, 1200, ADDRESS, REASON), (NAME.replace("0f", "1f"), 7, "s3://b/k", "")]


def drawn(width: int, *, soft_wrap: bool = True) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(table(COLUMNS, ROWS, title="Runs"), soft_wrap=soft_wrap)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [300, 200, 160, 120, 100, 80, 60, 40, 20, 1])
def test_names_and_addresses_stay_whole_at_any_width(width: int) -> None:
    text = drawn(width)
    for value in (NAME, ADDRESS, "1,200", "s3://b/k", "Runs"):
        assert value in text
    assert " ".join(REASON.split()) in " ".join(text.split()) or width in {160, 120}
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_with_room_each_row_is_one_line_and_numbers_stand_to_the_right() -> None:
    title, heading, first, second = drawn(300).splitlines()
    assert (title, heading.split()) == ("Runs", list(COLUMNS))
    assert first.index("1,200") + len("1,200") == second.index("7  s3") + 1
    assert first.endswith(REASON)


def test_words_are_wrapped_before_anything_else_gives_way() -> None:
    lines = drawn(160).splitlines()
    assert max(map(len, lines)) <= 160
    assert ADDRESS in lines[2]
    assert lines[3].strip() in REASON


def test_where_words_do_not_fit_either_they_go_below_their_row() -> None:
    _, heading, below, first, reason, second = drawn(125).splitlines()
    assert heading.split() == ["run", "rows", "file"]
    assert (below, reason) == ("    reason", f"    {REASON}")
    assert NAME in first
    assert second.endswith("s3://b/k")


def test_on_a_narrow_screen_a_row_is_a_block_that_leaves_out_what_says_nothing() -> None:
    assert drawn(40).splitlines() == [
        "Runs",
        f"run:    {NAME}",
        "rows:   1,200",
        f"file:   {ADDRESS}",
        f"reason: {REASON}",
        "",
        f"run:    {NAME.replace('0f', '1f')}",
        "rows:   7",
        "file:   s3://b/k",
    ]


@pytest.mark.parametrize("width", [160, 80, 40])
def test_a_live_view_is_as_high_as_what_is_drawn(width: int) -> None:
    assert max(map(len, drawn(width, soft_wrap=False).splitlines())) <= width
