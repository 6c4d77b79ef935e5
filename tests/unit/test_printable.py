"""Nothing that comes from outside can make a terminal or a reader obey."""

from __future__ import annotations

import io
import json

import click.testing
import pytest
from rich.table import Table

from chalicelib.printable import in_one_line, printable
from cli.output import PlainConsole, print_json

OBEYED = ["\x1b[2J", "\x07", "\r", "\t", "\x7f", "\x9b", "\u202e", "\u2066", "\u2028", "\x00"]


@pytest.mark.parametrize("text", OBEYED)
def test_what_a_terminal_would_obey_is_written_out(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(f"a{text}b")[0] == "a"


@pytest.mark.parametrize("text", ["", "orders.csv", "äöü 文件 \U0001f4a5", "two\nlines", "100% <b>'\"\\"])
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_a_name_with_the_end_of_a_line_stays_in_one_line() -> None:
    assert in_one_line("a\nSubject: forged") == "a\\nSubject: forged"


@pytest.mark.parametrize("text", OBEYED)
def test_the_console_shows_it_in_text_and_in_tables_without_obeying(text: str) -> None:
    shown = io.StringIO()
    console = PlainConsole(file=shown, width=80, force_terminal=False)
    table = Table("name")
    table.add_row(f"x{text}y")
    console.print(f"x{text}y", markup=False)
    console.print(table)
    assert not set(text) & set(shown.getvalue()) - set("[2J")


@pytest.mark.parametrize("text", OBEYED)
def test_json_for_programs_keeps_the_value_in_escapes(text: str) -> None:
    runner = click.testing.CliRunner()
    command = click.command()(lambda: print_json({"name": text}))
    output = runner.invoke(command).output
    assert json.loads(output) == {"name": text}
    assert output.replace("\n", "").isprintable()
