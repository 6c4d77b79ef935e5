"""Lint and draw workflows."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from cli.errors import Failure
from cli.output import console, json_option, print_json, print_table
from cli.project import root
from cli.workflow_diagram import mermaid

FILES = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def workflows() -> None:
    """Lint and draw workflows."""


@workflows.command()
@click.argument("files", nargs=-1, type=FILES)
@json_option
def lint(files: tuple[Path, ...], *, as_json: bool) -> None:
    """Check definitions: the given .asl.json FILES, or every one of the project."""
    from infrastructure.workflow_lint import lint as lint_file  # noqa: PLC0415 - statelint takes 0.3 s to import

    chosen = files or _project_files()
    findings = [finding for path in chosen for finding in lint_file(path)]
    if as_json:
        print_json([{**asdict(finding), "path": str(finding.path)} for finding in findings])
    elif findings:
        rows = [(str(found.path), found.state, found.rule, found.remedy) for found in findings]
        print_table(("file", "state", "rule", "what to do"), rows)
    else:
        console.print(f"{len(chosen)} workflow(s): nothing to mend")
    raise SystemExit(bool(findings))


@workflows.command()
@click.argument("workflow")
def draw(workflow: str) -> None:
    """Print a workflow of the project, or an .asl.json file, as a Mermaid diagram."""
    path = Path(workflow)
    if not path.is_file():
        path = root() / "workflows" / f"{workflow}.asl.json"
    if not path.is_file():
        known = ", ".join(found.name.removesuffix(".asl.json") for found in _project_files())
        raise Failure(f"workflow {workflow!r}: there is none of this name; there are {known}")
    try:
        definition = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Failure(f"{path}: not JSON: {error}") from error
    click.echo(mermaid(definition), nl=False)


def _project_files() -> tuple[Path, ...]:
    return tuple(sorted((root() / "workflows").glob("*.asl.json")))
