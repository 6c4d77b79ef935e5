"""What checkov and parliament find in the rendered template; they have an environment of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from infrastructure.accepted import FILE, accepted_of, to_mend
from infrastructure.render import ROOT, render
from infrastructure.resolved import Names
from infrastructure.workflow_lint import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STAGE = "dev"
EXAMPLE = "arn:aws:iam::210987654321:role/decant-partner"
LISTS = {"TrustedSourceRoles", "TrustedGlueRoles", "TrustedWarehouseRoles", "TrustedReceiptRoles"}
"""Parameters whose default is an empty list: a policy that uses one is judged with a role in it."""


class AuditFailedError(Exception):
    """A linter could not do its work; the message is its own."""


def audit(programs: Path, root: Path = ROOT) -> list[Finding]:
    """Return what is to be mended in the template of the source tree at `root`.

    Args:
        programs: the folder with the audit's `python` and `checkov`, such as .venv-audit/bin.
        root: the source tree.

    Raises:
        AuditFailedError: checkov or parliament did not work.
    """
    template = render(STAGE, root)
    excuses = root / "infrastructure" / FILE
    found = [*_checkov(programs, template), *_parliament(programs, template)]
    return list(to_mend(found, accepted_of(excuses, "checkov", "parliament"), excuses))


def _checkov(programs: Path, template: Mapping[str, Any]) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.json"
        path.write_text(json.dumps(template), encoding="utf-8")
        command = [str(programs / "checkov"), "--file", str(path), "--framework", "cloudformation"]
        # Its guidance and its own updates come from the network, which a check must not need.
        command += ["--compact", "--quiet", "--skip-download", "--output", "json"]
        answer = _said(command, "", accepted={0, 1})
    for each in answer["results"]["failed_checks"]:
        yield _finding(each["resource"].rpartition(".")[2], each["check_id"], each["check_name"])


def _parliament(programs: Path, template: Mapping[str, Any]) -> Iterator[Finding]:
    script = Path(__file__).with_name("audit_policies.py")
    policies = json.dumps(dict(_policies(template)))
    for each in _said([str(programs / "python"), "-W", "ignore", str(script)], policies, accepted={0}):
        yield _finding(each["where"], each["rule"], each["detail"])


def _policies(template: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield every policy of a role with its name: the role's, and the policy's resource."""
    names = Names(template, dict.fromkeys(LISTS, EXAMPLE))
    for logical, resource in template["Resources"].items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::IAM::Role":
            for policy in properties.get("Policies", []):
                yield f"{logical}/{policy['PolicyName']}", names.of(policy["PolicyDocument"])
        if resource["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}:
            yield logical, names.of(properties["PolicyDocument"])


def _finding(where: str, rule: str, remedy: str) -> Finding:
    return Finding(path=ROOT / "infrastructure" / "template.yaml", state=where, rule=rule, remedy=remedy)


def _said(command: list[str], given: str, accepted: set[int]) -> Any:
    done = subprocess.run(  # nosec B603  # noqa: S603 - a linter of our own environment
        command,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", "LOG_LEVEL": "ERROR"},
    )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = None
    if done.returncode not in accepted or answer is None:
        raise AuditFailedError(f"{Path(command[0]).name}: {(done.stderr or done.stdout).strip()[-500:]}")
    return answer


@click.command()
@click.option(
    "--programs",
    default=ROOT / ".venv-audit" / "bin",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder with checkov and the Python that has parliament.",
)
def main(programs: Path) -> None:
    """Check the rendered template with checkov and its policies with parliament."""
    if not (programs / "checkov").exists():
        raise click.ClickException(f"{programs} has no checkov: make check sets it up")
    try:
        findings = audit(programs)
    except AuditFailedError as error:
        raise click.ClickException(str(error)) from error
    for finding in findings:
        click.echo(str(finding))
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
