"""What a stage costs while nothing happens, from the resources of its template, and for each 1,000 files."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infrastructure.render import ROOT, render
from infrastructure.workflow_cost import Question, estimate, project
from infrastructure.workflow_cost.prices import PRICES, prices

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {
    "AWS::SecretsManager::Secret": "secret",
    "AWS::KMS::Key": "KMS key",
    "AWS::CloudWatch::Alarm": "CloudWatch alarm",
    "AWS::CloudWatch::Dashboard": "CloudWatch dashboard",
    "AWS::EC2::VPCEndpoint": "interface endpoint, in one zone",
}

RECONCILES = 30 * 24 * 4
"""Times a month that the schedule looks for what was missed: every 15 minutes."""

RECONCILE_GB_SECONDS = 0.5
"""Of one look, taken as 256 MB for two seconds: it lists buckets and runs."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Resources of one kind: their number, the option that they need or None, US dollars a month for each."""

    what: str
    number: int
    option: str | None
    each: float


def standing(template: dict[str, Any]) -> list[Standing]:
    """Return what a template's resources cost a month while nothing happens."""
    per_month = _document()["standing"]["per_month"]
    found = Counter(
        (resource["Type"], resource.get("Condition"))
        for resource in template["Resources"].values()
        if resource["Type"] in per_month
        and resource.get("Properties", {}).get("VpcEndpointType") != "Gateway"
    )
    rows = [
        Standing(what=KINDS[kind], number=number, option=option, each=per_month[kind])
        for (kind, option), number in found.items()
    ]
    return sorted(rows, key=lambda row: (row.option or "", row.what))


def reconcile_usd(region: str = "us-east-1") -> float:
    """Return what the schedule's looks cost a month."""
    units = prices(region).units
    gb_seconds = RECONCILES * RECONCILE_GB_SECONDS * units["lambda_gb_second"]
    return float(gb_seconds + RECONCILES * units["lambda_requests_per_million"] / 1e6)


def per_1000_files(size: int, *, glue: bool, region: str = "us-east-1") -> float:
    """Return what `load_file` takes to load 1,000 valid files of `size` bytes, without the warehouse."""
    definition = json.loads((ROOT / "workflows" / "load_file.asl.json").read_text(encoding="utf-8"))
    states = frozenset({"CopyToRedshift", "StartGlueJob" if glue else "TransformFile"})
    question = Question(
        runs=1000, size=size, region=region, memory=project.memory(), glue=project.glue_capacities()
    )
    ways = estimate(definition, question).ways
    usd = [
        way.bill.standard_usd
        for way in ways
        if states <= way.walked.passed and not {"RequestApproval", "KeepGoodRows"} & way.walked.passed
    ]
    return min(usd)


def lines() -> Iterator[str]:
    """Yield the tables of docs/deploy.md."""
    always, optional = 0.0, []
    yield "| Idle, for each month in us-east-1 | USD |"
    yield "|---|---:|"
    for row in standing(render("dev")):
        if row.option is None:
            always += row.number * row.each
            yield f"| {row.number} x {row.what} | {row.number * row.each:.2f} |"
        else:
            optional.append(
                f"| with `{row.option}`: {row.number} x {row.what} | + {row.number * row.each:.2f} |"
            )
    always += reconcile_usd()
    yield f"| `reconcile`, every 15 minutes | {reconcile_usd():.2f} |"
    yield f"| **always** | **{always:.2f}** |"
    yield from optional
    yield ""
    yield "| 1,000 files that are valid and loaded, us-east-1 | USD |"
    yield "|---|---:|"
    for name, size in (("100 KB", 100_000), ("5 MB", 5_000_000)):
        yield f"| {name} each, through Lambda | {per_1000_files(size, glue=False):.2f} |"
    yield f"| 500 MB each, through Glue | {per_1000_files(500_000_000, glue=True):.2f} |"


def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(PRICES.read_text(encoding="utf-8"))
    return document
