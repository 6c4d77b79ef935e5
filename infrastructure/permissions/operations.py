"""The API operations that a function of app.py can call, and the permissions that follow."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import botocore.session
from botocore import xform_name

from infrastructure.permissions.actions import EXCEPTIONS, OF_A_VERSION, Needed, needed

if TYPE_CHECKING:
    from pathlib import Path

    from infrastructure.permissions.call_graph import CallGraph, Definition

VERSION = "chalicelib.files.File.version"
"""A method that names it sends it: a file of a bucket with versions is always a version."""

WRAPPERS = "chalicelib.aws."

NOT_CALLED = frozenset(
    {
        # Every client passes here, but only one with a role of another account goes on: see ASSUMERS.
        ("chalicelib.aws.client.client", "chalicelib.aws.assumed.session"),
    }
)
"""Uses that are no calls, as (user, used)."""

ASSUMERS = {
    "TrustedSourceRoles": frozenset({"chalicelib.sources.storage"}),
    "TrustedGlueRoles": frozenset({"chalicelib.pipeline.glue_job.GlueJob.access"}),
    "TrustedWarehouseRoles": frozenset({"chalicelib.warehouse.warehouse_of"}),
}
"""Who calls with a role of another account, by the parameter that names the roles."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation that a function can call, and how it gets there.

    Attributes:
        service: boto3's name of the service.
        method: boto3's name of the operation.
        way: the definitions from the function to the one that calls it.
        of_a_version: whether it names the version of a file.
    """

    service: str
    method: str
    way: tuple[str, ...]
    of_a_version: bool = False

    @property
    def needed(self) -> Needed:
        """The actions that it needs."""
        found = needed(self.service, self.method, _api_names(self.service).get(self.method, self.method))
        more = OF_A_VERSION.get((self.service, self.method)) if self.of_a_version else None
        return found | more if more else found


def entries(graph: CallGraph) -> dict[str, list[str]]:
    """Return the definitions where each function of app.py begins, by the function's name in Chalice."""
    found: dict[str, list[str]] = {"api_handler": []}
    for definition in graph.definitions.values():
        name = definition.name.rpartition(".")[2]
        if "endpoint" in definition.decorators:
            found["api_handler"].append(definition.name)
        elif "authorizer" in definition.decorators or (definition.module == "app" and definition.decorators):
            found[name] = [definition.name]
    return found


def triggered(graph: CallGraph) -> set[str]:
    """Return the functions whose events Lambda queues, and hands to the dead letters when they fail."""
    kinds = {"on_s3_event", "schedule", "on_cw_event", "on_sns_message"}
    return {
        definition.name.rpartition(".")[2]
        for definition in graph.definitions.values()
        if definition.module == "app" and definition.decorators & kinds
    }


def reached(graph: CallGraph, function: str) -> dict[str, str]:
    """Return what a function of app.py can reach, each with the definition through which it does."""
    found: dict[str, str] = {}
    guards = {each.name for each in graph.definitions.values() if "authorizer" in each.decorators}
    # The authorizer of a route is a function of its own: naming it calls nothing.
    uncalled = NOT_CALLED | {(each.name, guard) for each in graph.definitions.values() for guard in guards}
    for entry in entries(graph)[function]:
        found = graph.reached(entry, uncalled) | found
    return found


def operations(graph: CallGraph, function: str, root: Path) -> list[Operation]:
    """Return the operations that a function of app.py can call."""
    through = reached(graph, function)
    return [
        Operation(
            service=service,
            method=method,
            way=_way(name, through),
            of_a_version=VERSION in graph.definitions[name].uses,
        )
        for name in sorted(through)
        if name.startswith(WRAPPERS)
        for service, method in called(graph.definitions[name], root)
    ]


def called(definition: Definition, root: Path) -> list[tuple[str, str]]:
    """Return the operations that the body of a wrapper's method names, as (service, method)."""
    return sorted(
        (service, method)
        for service in services(definition.module, root)
        for method in definition.untyped
        if method in _api_names(service) or (service, method) in EXCEPTIONS
    )


@functools.cache
def services(module: str, root: Path) -> frozenset[str]:
    """Return the services whose clients a module of chalicelib/aws makes: each has one."""
    tree = ast.parse(root.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8"))
    return frozenset(
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "client"
        for argument in node.args[:1]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    )


@functools.cache
def _api_names(service: str) -> dict[str, str]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


def _way(name: str, through: dict[str, str]) -> tuple[str, ...]:
    way = [name]
    while through[way[0]]:
        way.insert(0, through[way[0]])
    return tuple(way)
