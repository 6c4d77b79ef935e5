"""What lint and the price list say of every workflow, kept where the console finds it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from infrastructure.definition import read
from infrastructure.render import ROOT
from infrastructure.workflow_cost import NoWay, Question, TooManyWays, UnknownRegion, estimate
from infrastructure.workflow_cost import project as known
from infrastructure.workflow_lint import lint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from infrastructure.provision import Clients
    from infrastructure.workflow_cost import PricedWay

KEY = "workflows/report.json"

SMALL, LARGE = 1_000_000, 101_000_000
"""Bytes of the two files whose prices tell what a byte adds."""

GB = 1_000_000_000

OTHER_REGION = "us-east-1"
"""Whose prices are told where the price file has none of the stage's region."""

MOST_WAYS = 24

ERRORS_OF_STEPS = {
    "$.check_glue_job.error": "GlueJobFailed",
    "$.judge_sales.error": "ChecksFailed",
    "$.summarise_batch.error.Error": "BatchIncomplete",
}
"""What a step calls the failure that it found, by where a workflow reads it."""


def upload_workflow_report(client: Clients, bucket: str, root: Path = ROOT) -> None:
    """Put the report where the API reads it, unless it is there for the same workflows and prices."""
    region, s3 = client("s3").meta.region_name, client("s3")
    digest = _digest(root, region)
    try:
        if s3.head_object(Bucket=bucket, Key=KEY)["Metadata"].get("made-of") == digest:
            return
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchKey"}:
            raise
    body = json.dumps(report(root, region)).encode()
    s3.put_object(
        Bucket=bucket, Key=KEY, Body=body, ContentType="application/json", Metadata={"made-of": digest}
    )


def report(root: Path, region: str) -> dict[str, Any]:
    """Return `{"workflows": {name: {"findings", "cost"}}}`.

    A cost has the ways through the workflow without errors, each with the price of one run with a file of
    1 MB (or such queries) and what each further GB adds, in US dollars.
    """
    paths = sorted((root / "workflows").glob("*.asl.json"))
    glue = known.glue_capacities(root)
    return {
        "workflows": {
            path.name.removesuffix(".asl.json"): {
                "findings": [
                    {"state": found.state, "rule": found.rule, "remedy": found.remedy} for found in lint(path)
                ],
                "cost": _cost(read(path)[1], region, glue),
            }
            for path in paths
        }
    }


def _cost(definition: dict[str, Any], region: str, glue: Mapping[str, Any]) -> dict[str, Any]:
    question = Question(runs=1, size=SMALL, region=region, memory=known.memory(), glue=glue)
    try:
        found = estimate(definition, question)
    except UnknownRegion:
        return _cost(definition, OTHER_REGION, glue)
    except (NoWay, TooManyWays) as error:
        return {"region": region, "ways": [], "left_out": 0, "why": str(error)}
    larger = estimate(definition, replace(question, size=LARGE)).ways
    pairs = list(zip(found.ways, larger, strict=True))
    return {
        "region": region,
        "currency": "USD",
        "prices_as_of": found.prices.as_of,
        "prices_from": found.prices.sources,
        "bytes": SMALL,
        "items": question.items,
        "ways": [_way(definition, small, large) for small, large in pairs[:MOST_WAYS]],
        "left_out": max(0, len(pairs) - MOST_WAYS),
        "assumed": found.sources,
    }


def _way(definition: dict[str, Any], small: PricedWay, large: PricedWay) -> dict[str, Any]:
    usd = small.bill.standard_usd
    return {
        "states": list(small.walked.way.states),
        "results": _results(definition, small.walked.way.states),
        "inside": {name: list(states) for name, states in small.walked.inside.items()},
        "fails": small.walked.fails,
        "error": _error(definition, small.walked.way.states),
        "usd": round(usd, 8),
        "usd_per_gb": round((large.bill.standard_usd - usd) / (LARGE - SMALL) * GB, 8),
        "seconds": round(small.walked.usage.seconds, 1),
        "transitions": small.walked.usage.transitions,
        "lines": [
            {"what": line.what, "quantity": line.quantity, "unit": line.unit, "usd": line.usd}
            for line in (small.bill.transitions, *small.bill.rest)
        ],
        "warnings": small.warnings,
    }


def _results(definition: dict[str, Any], states: tuple[str, ...]) -> list[str]:
    """Return the names under which these states leave results in a run's output."""
    paths = [str(definition["States"][name].get("ResultPath", "")) for name in states]
    return sorted(
        {path.removeprefix("$.") for path in paths if path.startswith("$.") and path.count(".") == 1}
    )


def _error(definition: dict[str, Any], names: tuple[str, ...]) -> str | None:
    """Return the error that a run ends with which goes this way; None where it ends well."""
    end = definition["States"][names[-1]]
    if end["Type"] != "Fail" or "Error" in end:
        return str(end["Error"]) if "Error" in end else None
    path = str(end["ErrorPath"])
    for state in (definition["States"][name] for name in reversed(names)):
        if state["Type"] == "Pass" and f"{state.get('ResultPath')}.Error" == path:
            given = state["Parameters"]
            return str(given["Error"]) if "Error" in given else ERRORS_OF_STEPS.get(given["Error.$"])
    return ERRORS_OF_STEPS.get(path)


def _digest(root: Path, region: str) -> str:
    """Return what changes when a report would: its workflows, this package, and the region."""
    paths = [
        *(root / "workflows").glob("*.asl.json"),
        *(root / "infrastructure").rglob("*.py"),
        *(root / "infrastructure").rglob("*.yaml"),
        root / "infrastructure" / "prices.json",
    ]
    found = hashlib.sha256(region.encode())
    for path in sorted(paths):
        found.update(path.read_bytes())
    return found.hexdigest()
