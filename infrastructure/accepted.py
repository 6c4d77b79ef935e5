"""The findings of linters that are accepted, each with its reason."""

from __future__ import annotations

import fnmatch
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infrastructure.workflow_lint import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FILE = "accepted_findings.toml"


@dataclass(frozen=True)
class Accepted:
    """A finding that stays as it is.

    Attributes:
        tool: whose finding: cfn-lint, checkov or parliament.
        rule: the tool's name of the rule.
        where: the place in the rendered template; `*` stands for any part of it.
        reason: why nothing is done about it.
        says: a part of what the finding says, when one rule finds several things in one place.
    """

    tool: str
    rule: str
    where: str
    reason: str
    says: str = ""

    def covers(self, finding: Finding) -> bool:
        """Return whether the finding is the one that is accepted."""
        here = finding.rule == self.rule and fnmatch.fnmatchcase(finding.state, self.where)
        return here and self.says in finding.remedy


def accepted_of(path: Path, *tools: str) -> list[Accepted]:
    """Return what is accepted of these tools by the file; without the file, nothing is."""
    if not path.exists():
        return []
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("accepted", [])
    return [Accepted(**entry) for entry in entries if entry["tool"] in tools]


def to_mend(findings: Iterable[Finding], accepted: Iterable[Accepted], path: Path) -> Iterator[Finding]:
    """Yield the findings that nothing accepts, and the accepted ones that were not found."""
    findings = list(findings)
    entries = list(accepted)
    yield from (found for found in findings if not any(entry.covers(found) for entry in entries))
    for entry in entries:
        if not any(entry.covers(found) for found in findings):
            yield Finding(
                path=path,
                state=entry.where,
                rule="accepted-for-nothing",
                remedy=f"{entry.tool} does not find {entry.rule} here any more: take the entry out",
            )
