"""Lint and draw workflows."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.errors import Failure
from cli.output import console, json_option, print_json
from cli.project import root
from cli.workflow_diagram import mermaid

if TYPE_CHECKING:
    from infrastructure.workflow_lint import Finding

FILES = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def workflows() -> None:
    """Lint and draw workflows."""


@workflows.command()
@click.argument("files", nargs=-1, type=FILES)
@json_option
def lint(files: tuple[Path, ...], *, as_json: bool) -> None:
    """Check definitions: the given .asl.json FILES, or every one of the project.

    Exit code 1 if there is anything to mend. docs/workflow-lint.md explains each rule.
    """
    # statelint takes 0.3 s to import
    from infrastructure.workflow_lint import InvalidLintConfiguration  # noqa: PLC0415
    from infrastructure.workflow_lint import lint as lint_file  # noqa: PLC0415

    chosen = files or _project_files()
    try:
        findings = [finding for path in chosen for finding in lint_file(path)]
    except InvalidLintConfiguration as error:
        raise Failure(str(error)) from error
    if as_json:
        print_json([{**asdict(finding), "path": str(finding.path)} for finding in findings])
    elif findings:
        _print_findings(findings)
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


def _print_findings(findings: list[Finding]) -> None:
    """Print one line for each finding, which tools that follow `file: ...` can read too."""
    for found in findings:
        where = click.style(found.state or "the workflow", bold=True)
        click.echo(f"{found.path}: {where}: {click.style(found.rule, fg='yellow')}: {found.remedy}")
    files = len({found.path for found in findings})
    click.echo(f"{len(findings)} to mend in {files} file(s); docs/workflow-lint.md explains each rule")


def _project_files() -> tuple[Path, ...]:
    return tuple(sorted((root() / "workflows").glob("*.asl.json")))
