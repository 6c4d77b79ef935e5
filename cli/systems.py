"""The systems that Decant holds: each has a demonstration, sample data and a tutorial of its name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.demos.stage import DemoStage

SYSTEMS = {
    "load_file": "Files that land become tables: validated, converted, catalogued, loaded exactly once.",
    "load_batch": "A prefix full of files, loaded in parallel: small ones share a load.",
    "approve": "A run that asks a person before it writes anything, and goes on, or not.",
    "crawl_and_transform": "A crawler finds out what files hold; a Glue job makes a clean table of them.",
    "nyc_taxi": "Yellow-taxi trips become one Parquet table by Athena alone, each month exactly once.",
    "flight_metrics": "How punctual flights are, and what passengers say of it, by carrier, route and month.",
    "nightly_batch": "Sales exports become checked, published rows and a business report every night.",
    "cross_account": "Files of another account, read through its role, each answered with a receipt there.",
}
"""Each has cli/demos/<name>.py and cli/sample_data/<name>.py; all but the first docs/tutorials/<name>.md."""


def demonstration(name: str) -> Callable[[DemoStage], dict[str, Any]]:
    """Return the function that shows a system on a fresh stage; its report's `ok` says how it went."""
    found: Callable[[DemoStage], dict[str, Any]] = importlib.import_module(f"cli.demos.{name}").demonstrate
    return found


def write_samples(name: str, folder: Path) -> list[Any]:
    """Write a system's sample files into a folder; each has a path, a pipeline and rows."""
    found: list[Any] = importlib.import_module(f"cli.sample_data.{name}").write_all(folder)
    return found
