"""Write the sample files into a folder."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import json_option, print_json, print_table
from cli.systems import SYSTEMS, write_samples


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--system", type=click.Choice(list(SYSTEMS)), default="load_file", show_default=True, help="Whose."
)
@json_option
def samples(folder: Path, system: str, *, as_json: bool) -> None:
    """Write the sample files into a folder, to drop and to change."""
    found = write_samples(system, folder)
    if as_json:
        print_json([{"path": str(each.path), "pipeline": each.pipeline, "rows": each.rows} for each in found])
        return
    print_table(
        ("file", "pipeline", "rows", "bytes"),
        [(str(each.path), each.pipeline, each.rows, each.path.stat().st_size) for each in found],
    )
