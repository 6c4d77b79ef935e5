"""Start, list, show, watch, stop and redrive runs."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any, NoReturn

import click

from chalicelib.notices import commands
from cli.output import console, json_option, outcome, print_json, print_table, table
from cli.run_tree import work
from cli.service import Service, service
from cli.watching import POLL_SECONDS, watch_states

OFFENDING = 3
"""Offending rows that are shown with a run; `decant quarantine show` has more."""

AFTER = {"failed": commands.failed, "timed_out": commands.failed, "rejected": commands.rejected}
"""What may be typed when a run has ended otherwise than it should, by its outcome."""

OUTCOMES = ("running", "succeeded", "rejected", "failed", "expired", "stopped", "timed_out")


@click.group()
def runs() -> None:
    """Start, list, show, watch, stop and redrive runs."""


@runs.command()
@click.argument("pipeline")
@click.option(
    "--parameter",
    "-p",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="What the run is told; `decant pipelines show` lists what there is.",
)
@click.option("--key", help="The file of the landing bucket to work on, for a pipeline that works on files.")
@click.option("--request", help="The same request and parameters always mean the same run.")
@click.option(
    "--watch", "watching", is_flag=True, help="Show the run until it ends; exit code 1 unless it succeeds."
)
@json_option
def start(
    pipeline: str,
    given: tuple[str, ...],
    key: str | None,
    request: str | None,
    *,
    watching: bool,
    as_json: bool,
) -> None:
    """Start a run by hand."""
    body: dict[str, Any] = {"key": key, "request": request} if key else {"request": request}
    if given or not key:
        body["parameters"] = _parameters(given)
    started = service().post(
        f"/pipelines/{pipeline}/runs", {name: value for name, value in body.items() if value is not None}
    )
    if watching:
        watch_run(started["run"], as_json=as_json)
    if as_json:
        print_json(started)
        return
    what = "started" if started["new"] else "exists already"
    console.print(
        f"{started['run']}: {what}; follow it with: decant runs watch {started['run']}",
        markup=False,
        soft_wrap=True,
    )


@runs.command("list")
@click.option("--pipeline", help="Only this pipeline's runs.")
@click.option("--outcome", "wanted", type=click.Choice(OUTCOMES), help="Only runs that stand so.")
@click.option("--since", help="Only runs started since this time (2026-01-31T06:00:00Z).")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="Runs per page.")
@click.option("--next", "cursor", help="The cursor that the page before printed.")
@json_option
def list_runs(
    pipeline: str | None,
    wanted: str | None,
    since: str | None,
    limit: int,
    cursor: str | None,
    *,
    as_json: bool,
) -> None:
    """List runs, newest first."""
    page = service().get("/runs", pipeline=pipeline, outcome=wanted, since=since, limit=limit, next=cursor)
    if as_json:
        print_json(page)
        return
    rows = [
        (
            run["name"],
            outcome(run["outcome"]),
            run["started"][:19].replace("T", " "),
            run["seconds"],
            run["error"],
        )
        for run in page["runs"]
    ]
    print_table(("run", "outcome", "started (UTC)", "seconds", "error"), rows)
    if page["next"]:
        console.print(f"older runs: --next {page['next']}", markup=False, soft_wrap=True)


@runs.command()
@click.argument("run")
@json_option
def show(run: str, *, as_json: bool) -> None:
    """Show a run's file, steps and error."""
    found = service().get(f"/runs/{run}")
    if as_json:
        print_json(found)
        return
    console.print(view(found), soft_wrap=True)
    _print_error(found)


@runs.command()
@click.argument("run")
@json_option
def watch(run: str, *, as_json: bool) -> None:
    """Show a run's states as they pass until it ends; exit code 1 unless it succeeds."""
    watch_run(run, as_json=as_json)


def _parameters(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    if wrong := [name for name, sign, _ in pairs if not sign]:
        raise click.BadParameter(f"{', '.join(wrong)}: write NAME=VALUE", param_hint="--parameter")
    return {name: value for name, _, value in pairs}


def watch_run(run: str, *, as_json: bool) -> NoReturn:
    """Show a run until it ends, then leave: exit code 1 unless it succeeded."""
    found = follow(service(), run, live=False) if as_json else watch_states(service(), run)
    if as_json:
        print_json(found)
    else:
        for told in _rows(found):
            console.print(told, soft_wrap=True)
        _print_error(found)
        for what, command in AFTER.get(found["outcome"], lambda _: ())(run):
            console.print(f"{what}: {command}", markup=False, soft_wrap=True)
    raise SystemExit(0 if found["outcome"] == "succeeded" else 1)


@runs.command()
@click.argument("run")
@click.option(
    "--reason", default="stopped from the command line", show_default=True, help="Kept with the run."
)
@json_option
def stop(run: str, reason: str, *, as_json: bool) -> None:
    """Stop a run that is under way."""
    found = service().post(f"/runs/{run}/stop", {"reason": reason})
    if as_json:
        print_json(found)
    else:
        console.print(f"{run}: {found['outcome']}", markup=False, soft_wrap=True)


@runs.command()
@click.argument("run")
@json_option
def redrive(run: str, *, as_json: bool) -> None:
    """Let a run that did not succeed go on, or start it again."""
    started = service().post(f"/runs/{run}/redrive")
    if as_json:
        print_json(started)
        return
    what = "started as a new attempt" if started["new"] else "goes on"
    console.print(
        f"{started['run']}: {what}; follow it with: decant runs watch {started['run']}", markup=False
    )


def follow(api: Service, run: str, *, live: bool) -> dict[str, Any]:
    """Ask for a run until it has ended, and return it; draw it meanwhile when a terminal is attached."""
    from rich.live import Live  # noqa: PLC0415 - only for a terminal

    found: dict[str, Any] = api.get(f"/runs/{run}")
    draws = live and console.is_terminal
    with Live(console=console, auto_refresh=False, transient=True) if draws else nullcontext() as screen:
        while found["outcome"] == "running":
            if screen:
                screen.update(view(found), refresh=True)
            time.sleep(POLL_SECONDS)
            found = api.get(f"/runs/{run}")
    if live:
        console.print(view(found), soft_wrap=True)
    return found


def view(run: dict[str, Any]) -> Any:
    """Return a run as it is drawn: a heading and its steps."""
    from rich.console import Group  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415

    heading = Text.assemble((run["name"], "bold"), "  ", outcome(run["outcome"]), f"  {work(run)}")
    rows = [
        (step["state"], _standing(step), step["seconds"], step["attempts"], step["error"])
        for step in run["steps"] or []
    ]
    return Group(heading, table(("step", "", "seconds", "attempts", "error"), rows), *_rows(run))


def _rows(run: dict[str, Any]) -> list[Any]:
    """Return what became of the file's rows, once they are loaded."""
    from rich.text import Text  # noqa: PLC0415 - as above

    report = (run["output"] or {}).get("validate_file")
    if not report:
        return []
    lines = [f"{report['good_rows']:,} rows loaded, {report['bad_rows']:,} quarantined"]
    if report["bad_rows"]:
        lines += [f"  {_defect(defect)}" for defect in report["defects"][:OFFENDING]]
        lines += [f"  all of them: {report['reject_file']}", f"  decant quarantine show {run['name']}"]
    flags = [flag.replace("_", " ") for flag in report["flags"] if flag != "rows_quarantined"]
    lines += [f"flagged: {flag}" for flag in flags]
    return [Text("\n".join(lines), no_wrap=True, overflow="ignore")]  # addresses are copied


def _defect(defect: dict[str, Any]) -> str:
    where = f"line {defect['line']}" if defect["line"] else f"row {defect['row']}"
    return f"{where}{', column ' + defect['column'] if defect['column'] else ''}: {defect['message']}"


def _standing(step: dict[str, Any]) -> Any:
    if step["error"]:
        return outcome("failed")
    return outcome("succeeded" if step["ended"] else "running")


def _print_error(run: dict[str, Any]) -> None:
    if run["error"]:
        console.print(f"{run['error']}: {run['cause'] or ''}", markup=False, soft_wrap=True, style="red")
