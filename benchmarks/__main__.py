"""Measure every suite, print a table and write benchmarks/results.json."""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.case import Computed, Sizes, Timed
from benchmarks.measure import COUNTED, measure

RESULTS = Path(__file__).with_name("results.json")
NOT_SUITES = {"case", "child", "measure", "files", "many_runs"}
KEPT = ("suite", "case", "engine", "seconds", "peak_rss_mb", "compared_to", "ratio")
KEPT_OF_COSTS = ("usd", "usd_ratio")
KEPT_OF_WAITS = ("longest_seconds",)


def suites() -> list[str]:
    """Return the name of each module here that has `cases(sizes)`."""
    found = (path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    return sorted(name for name in found if name not in NOT_SUITES and not name.endswith("_engines"))


def main() -> None:
    """Read the command line, measure and report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--suite", choices=suites(), action="append", help="measure this suite only; may be repeated"
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="files of 1 MB only")
    size.add_argument("--full", action="store_true", help="files of 1 GB too")
    asked = parser.parse_args()
    sizes = Sizes((1,) if asked.quick else (1, 100, 1000) if asked.full else (1, 100))
    console = Console(width=None if Console().is_terminal else 110)
    rows: list[dict[str, Any]] = []
    for name in asked.suite or suites():
        for case in importlib.import_module(f"benchmarks.{name}").cases(sizes):
            with console.status(case.name) as status:
                if isinstance(case, Computed):
                    measured, shown = case.rows(), cost_table
                elif isinstance(case, Timed):
                    measured, shown = case.rows(status.update), waits_table
                else:
                    measured, shown = measure(case, status.update), table
            console.print(shown(measured))
            rows += measured
            write(rows)
    console.print(
        "[dim]seconds: median inside the process, with imports; whole: with the interpreter's start"
    )
    console.print(f"[dim]written to {RESULTS.name}")


def table(rows: list[dict[str, Any]]) -> Table:
    """Show the rows of one case."""
    shown = Table(title=f"{rows[0]['suite']}: {rows[0]['case']}", title_justify="left")
    for heading in (
        "engine",
        "seconds",
        "whole process",
        "processor",
        "peak MB",
        "ratio",
        "of processor",
        "to",
    ):
        shown.add_column(heading, justify="left" if heading in {"engine", "to"} else "right")
    for name in (name for name in COUNTED if name in rows[0]):
        shown.add_column(name, justify="right")
    for row in rows:
        ratios = ("", "", "")
        if row["compared_to"]:
            ratios = (f"{row['ratio']:.2f}", f"{row['processor_ratio']:.2f}", row["compared_to"])
        times = (row["seconds"], row["whole_process_seconds"], row["processor_seconds"])
        counted = [f"{row[name]:,}" for name in COUNTED if name in rows[0]]
        shown.add_row(
            row["engine"], *(f"{time:.3f}" for time in times), f"{row['peak_rss_mb']:.0f}", *ratios, *counted
        )
    return shown


def cost_table(rows: list[dict[str, Any]]) -> Table:
    """Show the rows of a case that was worked out."""
    shown = Table(title=f"{rows[0]['suite']}: {rows[0]['case']}", title_justify="left")
    for heading in ("engine", "seconds", "times sooner", "USD", "times cheaper", "than"):
        shown.add_column(heading, justify="left" if heading in {"engine", "than"} else "right")
    for row in rows:
        usd = "" if row["usd"] is None else f"{row['usd']:,.2f}"
        times = [f"{1 / row[name]:.0f}" if row[name] else "" for name in ("ratio", "usd_ratio")]
        shown.add_row(row["engine"], f"{row['seconds']:.2f}", times[0], usd, times[1], row["compared_to"])
    return shown


def waits_table(rows: list[dict[str, Any]]) -> Table:
    """Show the rows of a case whose engines are waits on one stage."""
    shown = Table(title=f"{rows[0]['suite']}: {rows[0]['case']}", title_justify="left")
    for heading in ("wait", "median seconds", "longest", "MB"):
        shown.add_column(heading, justify="left" if heading == "wait" else "right")
    for row in rows:
        shown.add_row(
            row["engine"],
            f"{row['seconds']:.3f}",
            f"{row['longest_seconds']:.3f}",
            f"{row['peak_rss_mb']:.0f}",
        )
    return shown


def write(rows: list[dict[str, Any]]) -> None:
    """Write the rows to the results, in place of older ones of the same case."""
    measured = {(row["suite"], row["case"]) for row in rows}
    older = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    kept = [row for row in older if (row["suite"], row["case"]) not in measured]
    kept += [
        {key: row[key] for key in (*KEPT, *KEPT_OF_COSTS, *KEPT_OF_WAITS, *COUNTED) if key in row}
        for row in rows
    ]
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
