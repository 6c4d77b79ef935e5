"""What is missing in the roles of the functions, what is unused, and what is too wide."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infrastructure.permissions import call_graph
from infrastructure.permissions.actions import EVERYWHERE, KEYS, NETWORK, TRACING, Needed
from infrastructure.permissions.finding import Finding
from infrastructure.permissions.operations import (
    ASSUMERS,
    Operation,
    entries,
    operations,
    reached,
    triggered,
)
from infrastructure.permissions.policies import statements, written
from infrastructure.render import ROOT, camel_case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

RUNTIME = Needed(
    always=frozenset({"logs:CreateLogStream", "logs:PutLogEvents"}), sometimes=NETWORK | TRACING | KEYS
)
"""What Lambda itself does with a function's role."""

DEAD_LETTERS = Needed(always=frozenset({"sqs:SendMessage"}))
"""How Lambda hands a queued event that failed to the dead letters."""

REASONS: dict[str, frozenset[str]] = {
    "LandingBucket": frozenset(
        {
            "chalicelib.settings.landing_bucket",
            "chalicelib.sources.storage",
            "chalicelib.files.File.from_document",
        }
    ),
    "CuratedBucket": frozenset({"chalicelib.settings.curated_bucket"}),
    "QuarantineBucket": frozenset({"chalicelib.settings.quarantine_bucket"}),
    "ArtifactsBucket": frozenset({"chalicelib.settings.artifacts_bucket"}),
    "NoticesTopic": frozenset({"chalicelib.settings.notices_topic"}),
    "ApiTokensSecret": frozenset({"chalicelib.settings.api_tokens_secret"}),
    "WarehouseSecret": frozenset({"chalicelib.settings.warehouse_secret"}),
}
"""Resources by their logical ids, each with the definitions that a function needs to come to know it."""


FROM_ELSEWHERE = {
    ("keep_good_rows", "QuarantineBucket"): "the step before names the file of bad rows that it reads",
    ("summarise_batch", "ArtifactsBucket"): "the batch's plan names the file of groups that it reads",
    ("judge_sales", "ArtifactsBucket"): "Athena reads a query's result as who asks for it",
    ("report_sales", "ArtifactsBucket"): "Athena reads a query's result as who asks for it",
}
"""Functions that come to know a resource in another way, by function and resource, with the way."""

ONLY_NAMED = {
    ("start_glue_job", "CuratedBucket"): "it only tells the job where to write",
    ("file_landed", "LandingBucket"): "the event tells all about the file",
}
"""Functions that know a resource and never touch it, with what they do with its name."""


@dataclass(frozen=True, kw_only=True)
class FunctionNeeds:
    """What a function's code calls."""

    operations: tuple[Operation, ...]
    reached: frozenset[str]
    needed: Needed
    assumes: frozenset[str]


def role_of(function: str) -> str:
    """Return the logical id of a function's role."""
    return "ApiRole" if function == "api_handler" else f"{camel_case(function)}Role"


@functools.cache
def needs(root: Path = ROOT) -> dict[str, FunctionNeeds]:
    """Return what each function of app.py needs."""
    graph = call_graph.read(root)
    queued = triggered(graph)
    found = {}
    for function in entries(graph):
        called = operations(graph, function, root)
        seen = frozenset(reached(graph, function))
        needed = functools.reduce(Needed.__or__, (each.needed for each in called), RUNTIME)
        found[function] = FunctionNeeds(
            operations=tuple(called),
            reached=seen,
            needed=needed | DEAD_LETTERS if function in queued else needed,
            assumes=frozenset(name for name, assumers in ASSUMERS.items() if assumers & seen),
        )
    return found


def findings(template: Mapping[str, Any], root: Path = ROOT) -> list[Finding]:
    """Return everything to mend in the functions' roles."""
    return [
        Finding(role=role_of(function), remedy=remedy)
        for function, need in sorted(needs(root).items())
        for remedy in _remedies(template, function, need)
    ]


def _remedies(template: Mapping[str, Any], function: str, need: FunctionNeeds) -> Iterator[str]:
    granted = statements(template, role_of(function))
    granted = [each for each in granted if each.effect == "Allow"]
    own = [each for each in granted if not ASSUMERS.keys() & each.names]
    actions = {action for each in own for action in each.actions}
    for action in sorted(need.needed.always - actions):
        yield f"allow {action}: {_why(action, need)}"
    for action in sorted(actions - need.needed.always - need.needed.sometimes):
        yield f"take {action} out: nothing that {function} reaches calls it"
    for each in granted:
        for resource in each.resources:
            if resource == "*" and (wide := sorted(set(each.actions) - EVERYWHERE.keys())):
                yield f"name the resource of {', '.join(wide)} in the place of *"
    if template["Resources"][role_of(function)]["Properties"].get("ManagedPolicyArns"):
        yield "write the statements that it needs in the place of ManagedPolicyArns, whose content changes"
    yield from _resources(function, need, own)
    has = {name for each in granted for name in ASSUMERS.keys() & each.names}
    for name in sorted(need.assumes - has):
        yield f"let it assume {name}, as other_accounts.yaml does: {function} calls as such a role"
    for name in sorted(has - need.assumes):
        yield f"take sts:AssumeRole on {name} out: {function} never calls as such a role"


def _resources(function: str, need: FunctionNeeds, own: list[Any]) -> Iterator[str]:
    named = {name for each in own if each.effect == "Allow" for name in each.names}
    for name, reasons in REASONS.items():
        known = reasons & need.reached
        if name in named and not known and (function, name) not in FROM_ELSEWHERE:
            where = sorted({written(each) for one in own for each in one.resources if name in one.names})
            yield f"take {', '.join(where)} out: {function} reaches none of {', '.join(sorted(reasons))}"
        told = {reason for reason in known if reason.startswith("chalicelib.settings.")}
        if name not in named and told and (function, name) not in ONLY_NAMED:
            yield f"allow what it does with {name}: {function} reaches {', '.join(sorted(told))}"


def _why(action: str, need: FunctionNeeds) -> str:
    for operation in need.operations:
        if action in operation.needed.always:
            return f"{' -> '.join(operation.way)} calls {operation.service}.{operation.method}"
    return "Lambda itself does so"
