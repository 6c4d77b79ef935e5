"""Checks everything that describes AWS: the rendered template, the workflows, Chalice's configuration."""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from cfnlint.api import lint as cfn_lint

from infrastructure.accepted import FILE, accepted_of, to_mend
from infrastructure.chalice_config import InvalidConfigError
from infrastructure.chalice_config import read as read_config
from infrastructure.render import ROOT, UnknownPlaceholderError, render
from infrastructure.workflow_lint import Finding, InvalidLintConfiguration
from infrastructure.workflow_lint import lint as lint_workflow

if TYPE_CHECKING:
    from collections.abc import Iterator


def lint(root: Path = ROOT) -> list[Finding]:
    """Return everything to mend in the source tree at `root`."""
    return [*_workflows(root), *_template(root), *_others(root), *_config(root)]


def _workflows(root: Path) -> Iterator[Finding]:
    for path in sorted((root / "workflows").glob("*.asl.json")):
        try:
            yield from lint_workflow(path)
        except InvalidLintConfiguration as error:
            yield Finding(path=path, state="", rule="lint-configuration", remedy=str(error))


def _template(root: Path) -> Iterator[Finding]:
    path = root / "infrastructure" / "template.yaml"
    try:
        text = json.dumps(render("local", root))
    except UnknownPlaceholderError as error:
        yield Finding(path=path, state="", rule="unknown-placeholder", remedy=str(error))
        return
    except ValueError:
        return  # a workflow that is not JSON: told above
    excuses = path.with_name(FILE)
    yield from to_mend(_cloudformation(path, text), accepted_of(excuses, "cfn-lint"), excuses)


def _others(root: Path) -> Iterator[Finding]:
    for name in ("partner.yaml", "github_deploy_role.yaml"):
        path = root / "infrastructure" / name
        if path.exists():
            yield from _cloudformation(path, path.read_text(encoding="utf-8"))


def _cloudformation(path: Path, text: str) -> Iterator[Finding]:
    for where, rule, remedy in _matches(text):
        yield Finding(path=path, state=where, rule=rule, remedy=remedy)


@functools.lru_cache(maxsize=4)
def _matches(text: str) -> list[tuple[str, str, str]]:
    """Return what cfn-lint says of a template: where, which rule, and the remedy; a stage's takes seconds."""
    return [
        (
            "/".join(map(str, getattr(match, "path", None) or ())),
            match.rule.id,
            f"{match.message} ({match.rule.source_url})",
        )
        for match in cfn_lint(text)
    ]


def _config(root: Path) -> Iterator[Finding]:
    path = root / ".chalice" / "config.json"
    try:
        read_config(path)
    except InvalidConfigError as error:
        for line in str(error).splitlines():
            yield Finding(path=path, state="", rule="chalice-configuration", remedy=line)


@click.command()
@click.argument("root", default=ROOT, type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(root: Path) -> None:
    """Check the template, the workflows and .chalice/config.json of a source tree."""
    findings = lint(root)
    for finding in findings:
        click.echo(str(finding))
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
