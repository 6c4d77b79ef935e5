"""Show which pipelines' data is late."""

from __future__ import annotations

import click
from rich.text import Text

from cli.output import console, json_option, print_json, print_table
from cli.service import service

WORDS = {"met": "green", "late": "red", "arrived": "yellow", "not_yet": ""}


@click.command()
@json_option
def late(*, as_json: bool) -> None:
    """Show which pipelines' data is late, and why."""
    found = service().get("/service-levels")["service_levels"]
    if as_json:
        print_json(found)
    elif not found:
        console.print("no pipeline declares expected_by")
    else:
        rows = [
            (
                each["pipeline"],
                Text(each["standing"].replace("_", " "), style=WORDS[each["standing"]]),
                each["expected_by"],
                each["deadline"][:16].replace("T", " "),
                each["why"] or each["run"] or "",
            )
            for each in found
        ]
        print_table(("pipeline", "stands", "expected by", "deadline (UTC)", "why, or the run"), rows)
