"""List, approve and refuse runs that wait for a person."""

from __future__ import annotations

import click

from cli.output import console, json_option, print_json, print_table
from cli.service import service

reason_option = click.option("--reason", required=True, help="Why; it is kept with the run.")


@click.group()
def approvals() -> None:
    """List, approve and refuse runs that wait for a person."""


@approvals.command("list")
@json_option
def list_approvals(*, as_json: bool) -> None:
    """List the runs that wait for approval."""
    found = service().get("/approvals")["waiting"]
    if as_json:
        print_json(found)
    elif not found:
        console.print("no run waits for approval")
    else:
        rows = [
            (
                each["run"],
                each["file"]["key"],
                each["rows"],
                each["expires"][:16].replace("T", " "),
                _why(each),
            )
            for each in found
        ]
        print_table(("run", "file", "rows", "until (UTC)", "why it asks"), rows)


@approvals.command()
@click.argument("run")
@reason_option
@json_option
def approve(run: str, reason: str, *, as_json: bool) -> None:
    """Let a run go on."""
    _decide(run, "approve", reason, f"approved; follow it with: decant runs watch {run}", as_json=as_json)


@approvals.command()
@click.argument("run")
@reason_option
@json_option
def refuse(run: str, reason: str, *, as_json: bool) -> None:
    """End a run; its file goes to quarantine."""
    _decide(run, "refuse", reason, "refused; its file goes to quarantine", as_json=as_json)


def _decide(run: str, verb: str, reason: str, said: str, *, as_json: bool) -> None:
    found = service().post(f"/runs/{run}/{verb}", {"reason": reason})
    if as_json:
        print_json(found)
    else:
        console.print(f"{run}: {said}", markup=False, soft_wrap=True)


def _why(asked: dict[str, list[str]]) -> str:
    return "; ".join(asked["why"])
