"""Lint, draw and price workflows."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chalicelib.unknown_names import unknown
from cli.errors import Failure
from cli.output import console, json_option, print_json
from cli.project import root
from cli.quantities import Named, Size
from cli.workflow_diagram import mermaid
from cli.workflow_svg import svg
from infrastructure.definition import NotAWorkflow, read

if TYPE_CHECKING:
    from cli.workflow_svg import Errors
    from infrastructure.workflow_lint import Finding

WORKER_TYPES = ["G.025X", "G.1X", "G.2X", "G.4X", "G.8X", "G.12X", "G.16X"]

FILES = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def workflows() -> None:
    """Lint, draw and price workflows."""


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
@click.argument("workflow", required=False)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write the picture to this file; without WORKFLOW a folder for all of them.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["svg", "mermaid"]),
    default="svg",
    show_default=True,
    help="A picture, or text that GitHub draws.",
)
@click.option(
    "--errors",
    type=click.Choice(["summary", "all", "none"]),
    default="summary",
    show_default=True,
    help="How much is drawn of where caught errors lead.",
)
def draw(workflow: str | None, output: Path | None, kind: str, errors: Errors) -> None:
    """Draw a workflow of the project, or an .asl.json file, as the console shows it.

    Prints it, or writes it to --output. Without WORKFLOW every one of the project is drawn.
    """
    if workflow is None and output is None:
        raise click.UsageError("name a WORKFLOW, or a folder for all of them with --output")
    chosen = [workflow] if workflow else [_name(path) for path in _project_files()]
    for each in chosen:
        definition = _definition(each)
        made = (
            svg(_name(Path(each)), definition, errors=errors)
            if kind == "svg"
            else mermaid(definition, errors=errors != "none")
        )
        if output is None:
            click.echo(made, nl=False)
        elif workflow:
            output.write_text(made, encoding="utf-8")
        else:
            output.mkdir(parents=True, exist_ok=True)
            (output / f"{each}.{'svg' if kind == 'svg' else 'mmd'}").write_text(made, encoding="utf-8")


@workflows.command()
@click.argument("workflow")
@click.option("--runs", type=click.IntRange(min=1), default=1, show_default=True, help="Runs a month.")
@click.option(
    "--size", type=Size(), default="1MB", show_default=True, help="Of the file or the data queried."
)
@click.option("--items", type=click.IntRange(min=0), default=10, show_default=True, help="Of each Map.")
@click.option("--region", default="us-east-1", show_default=True, help="Whose prices.")
@click.option("--pipeline", help="Take route, format, waits and Glue job from this pipeline.")
@click.option("--route", type=click.Choice(["lambda", "glue"]), help="Short for --assume route=...")
@click.option("--path", "through", multiple=True, help="Only ways through this state; may be repeated.")
@click.option(
    "--assume", multiple=True, type=Named(), help="What Choices see, as in load=true; may be repeated."
)
@click.option("--duration", multiple=True, type=Named(), help="Seconds of a state, as in Check=2.5.")
@click.option("--scan", multiple=True, type=Named(), help="What a state's query scans, as in Count=20MB.")
@click.option("--job-seconds", type=click.FloatRange(min=0), help="How long a job or an answer takes.")
@click.option("--workers", type=click.IntRange(min=1), help="Of Glue jobs that the template does not hold.")
@click.option("--worker-type", type=click.Choice(WORKER_TYPES), default="G.1X", show_default=True)
@json_option
def cost(workflow: str, *, as_json: bool, **asked: Any) -> None:
    """Price runs of a workflow of the project, or of an .asl.json file.

    Every way through it without errors is walked, its loops and items counted; docs/tutorials/cost.md
    shows how.
    """
    from cli import workflow_cost as costs  # noqa: PLC0415 - rendering the template takes 0.5 s

    question = costs.question(**asked)
    definition = _definition(workflow)
    found = costs.answer(definition, question)
    if as_json:
        print_json(costs.document(workflow, question, found))
    else:
        costs.show(workflow, question, found)


def _definition(workflow: str) -> dict[str, Any]:
    path = Path(workflow)
    if not path.is_file():
        path = root() / "workflows" / f"{workflow}.asl.json"
    if not path.is_file():
        known = [found.name.removesuffix(".asl.json") for found in _project_files()]
        raise Failure(unknown("workflow", workflow, known))
    try:
        return read(path)[1]
    except NotAWorkflow as error:
        raise Failure(str(error)) from error


def _print_findings(findings: list[Finding]) -> None:
    """Print one line for each finding, which tools that follow `file: ...` can read too."""
    for found in findings:
        where = click.style(found.state or "the workflow", bold=True)
        click.echo(f"{found.path}: {where}: {click.style(found.rule, fg='yellow')}: {found.remedy}")
    files = len({found.path for found in findings})
    click.echo(f"{len(findings)} to mend in {files} file(s); docs/workflow-lint.md explains each rule")


def _name(path: Path) -> str:
    return path.name.removesuffix(".asl.json")


def _project_files() -> tuple[Path, ...]:
    return tuple(sorted((root() / "workflows").glob("*.asl.json")))
