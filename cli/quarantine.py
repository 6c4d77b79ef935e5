"""List and show rejected files and rows, and put them back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cli.drop import landing_bucket, upload
from cli.errors import Failure
from cli.output import console, json_option, print_json, print_table
from cli.runs import watch_run
from cli.service import service
from cli.stage_client import stage_client


@click.group()
def quarantine() -> None:
    """List and show rejected files and rows, and put them back."""


@quarantine.command("list")
@click.option("--pipeline", help="Only of this pipeline.")
@click.option("--all", "everything", is_flag=True, help="Also what was put back.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="Entries per page.")
@click.option("--next", "cursor", help="The cursor that the page before printed.")
@json_option
def list_quarantine(
    pipeline: str | None, limit: int, cursor: str | None, *, everything: bool, as_json: bool
) -> None:
    """List what waits in quarantine, newest first."""
    asked = {"pipeline": pipeline, "all": "true" if everything else None, "limit": limit, "next": cursor}
    page = service().get("/quarantine", **asked)
    if as_json:
        print_json(page)
        return
    now = datetime.now(UTC)
    rows = [
        (held["run"], held["kind"], _age(held["since"], now), _standing(held), held["reason"])
        for held in page["quarantine"]
    ]
    print_table(("run", "what", "age", "", "reason"), rows)
    if not rows:
        console.print("nothing waits in quarantine")
    if page["next"]:
        console.print(f"older entries: --next '{page['next']}'", markup=False, soft_wrap=True)


@quarantine.command()
@click.argument("run")
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the rejected file, or every row that was set aside, to this file.",
)
@json_option
def show(run: str, save: Path | None, *, as_json: bool) -> None:
    """Show what a run put into quarantine, with the first offending rows."""
    held = service().get(f"/quarantine/{run}")
    if save:
        _download(held["held"], save)
    if as_json:
        print_json(held)
        return
    _print(held, save)


@quarantine.command()
@click.argument("run")
@click.argument("correction", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--watch", "watching", is_flag=True, help="Show the run until it ends; exit code 1 unless it succeeds."
)
@json_option
def requeue(run: str, correction: Path | None, *, watching: bool, as_json: bool) -> None:
    """Put back a corrected file or corrected rows; without CORRECTION all is tried again as it is."""
    api = service()
    body = {}
    if correction:
        pipeline = api.get(f"/quarantine/{run}")["pipeline"]
        body["key"] = f"corrections/{pipeline}/{run}/{correction.name}"
        upload(correction, landing_bucket(), body["key"])
    started = api.post(f"/quarantine/{run}/requeue", body)
    if watching:
        watch_run(started["run"], as_json=as_json)
    if as_json:
        print_json(started)
        return
    what = "started" if started["new"] else "has this content already"
    words = f"{started['run']}: {what}; follow it with: decant runs watch {started['run']}"
    console.print(words, markup=False, soft_wrap=True)


def _print(held: dict[str, Any], saved: Path | None) -> None:
    what = "the file" if held["kind"] == "file" else f"{held['bad_rows']:,} of {held['rows']:,} rows"
    facts = {
        "Run": held["run"],
        "File": held["file"],
        "Reason": held["reason"],
        "Since": held["since"],
        "Here": f"{what}, {held['held']}",
        "Report": held["report"],
        "Put back": ", ".join(held["requeued"]) or "no",
    }
    for name, value in facts.items():
        console.print(f"{name + ':':<9} {value}", markup=False, soft_wrap=True)
    console.print()
    numbered = "line" if held["offending"] and held["offending"][0]["line"] else "row"
    columns = (numbered, "column", "rule", "what is wrong", "as it is in the file")
    rows = [
        (row["line"] or row["row"], row["column"], row["rule"], row["message"], row["raw"])
        for row in held["offending"]
    ]
    kept = len(columns) if any(row["raw"] for row in held["offending"]) else -1
    print_table(columns[:kept], [row[:kept] for row in rows], title="First offending rows")
    name = str(saved) if saved else held["held"].rpartition("/")[2]
    first = "" if saved else f"decant quarantine show {held['run']} --save {name}, "
    words = f"\nTo correct: {first}edit it, decant quarantine requeue {held['run']} {name}"
    console.print(words, markup=False, soft_wrap=True)


def _download(address: str, path: Path) -> None:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - botocore takes 0.2 s

    bucket, _, key = address.removeprefix("s3://").partition("/")
    try:
        stage_client("s3").download_file(bucket, key, str(path))
    except (BotoCoreError, ClientError, OSError) as error:
        raise Failure(f"{address} to {path}: {error}") from error


def _standing(held: dict[str, Any]) -> str:
    return "put back" if held["requeued"] else "waits"


def _age(since: str, now: datetime) -> str:
    seconds = (now - datetime.fromisoformat(since)).total_seconds()
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {word}"
    return f"{max(seconds, 0):.0f} s"
