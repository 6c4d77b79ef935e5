"""List and show pipelines."""

from __future__ import annotations

from typing import Any

import click

from cli.output import console, json_option, print_json, print_table
from cli.service import service


@click.group()
def pipelines() -> None:
    """List and show pipelines."""


@pipelines.command("list")
@json_option
def list_pipelines(*, as_json: bool) -> None:
    """List the pipelines of the stage."""
    found = service().get("/pipelines")["pipelines"]
    if as_json:
        print_json(found)
        return
    rows = [
        (each["name"], each["workflow"], _starts(each), each["table"], each["description"]) for each in found
    ]
    print_table(("pipeline", "workflow", "starts", "table", ""), rows)


@pipelines.command()
@click.argument("name")
@json_option
def show(name: str, *, as_json: bool) -> None:
    """Show a pipeline: its columns and rules, or its parameters."""
    found = service().get(f"/pipelines/{name}")
    if as_json:
        print_json(found)
        return
    console.print(f"{found['name']}: {found['description']}", markup=False, soft_wrap=True)
    if found["kind"] == "batch":
        console.print(
            f"workflow: {found['workflow']}; starts: {_starts(found)}", markup=False, soft_wrap=True
        )
        rows = [
            (each["name"], each["type"], each["default"], each["description"]) for each in found["parameters"]
        ]
        print_table(("parameter", "type", "default", ""), rows)
        return
    console.print(
        f"files: {found['format']} under {found['landing_prefix']}; table: {found['table']}", markup=False
    )
    if limit := found["tolerate"]:
        words = f"bad rows: up to {limit['rows']:,} and {limit['share']:.0%} of a file are set aside"
        console.print(words, markup=False)
    print_table(
        ("column", "type", "required", "unique", "rules"),
        [
            (
                column["name"],
                column["type"],
                _tick(column["required"]),
                _tick(column["unique"]),
                _rules(column),
            )
            for column in found["columns"]
        ],
    )


def _starts(pipeline: dict[str, Any]) -> str:
    """Say what starts a pipeline."""
    if pipeline["kind"] == "file":
        return f"{pipeline['format']} lands in {pipeline['landing_prefix']}"
    return f"{pipeline['schedule']}, by hand" if pipeline["schedule"] else "by hand"


def _tick(value: bool) -> str:
    return "yes" if value else ""


def _rules(column: dict[str, object]) -> str:
    named = ("minimum", "maximum", "allowed", "longest")
    return ", ".join(f"{name} {column[name]}" for name in named if column.get(name) is not None)
