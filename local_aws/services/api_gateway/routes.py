"""Which resource and method of a REST API a request is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Route:
    """A matched request.

    Attributes:
        resource_path: the path as defined, such as /runs/{name}.
        resource_id: moto's id of the resource.
        method: moto's method, with its integration and authorization.
        parameters: the values of the path's placeholders, as the client encoded them.
    """

    resource_path: str
    resource_id: str
    method: Any
    parameters: dict[str, str] = field(default_factory=dict)


def find_route(api: Any, http_method: str, path: str) -> Route | None:
    """Return the route of a path; a literal part wins over {one}, and that over {all+}."""
    parts = [part for part in path.split("/") if part]
    matches = []
    for resource in api.resources.values():
        resource_path = resource.get_path()
        method = resource.resource_methods.get(http_method) or resource.resource_methods.get("ANY")
        match = _match([part for part in resource_path.split("/") if part], parts)
        if match and method:
            rank, parameters = match
            matches.append((rank, Route(resource_path, resource.id, method, parameters)))
    return min(matches, key=lambda match: match[0])[1] if matches else None


def _match(pattern: list[str], parts: list[str]) -> tuple[tuple[int, ...], dict[str, str]] | None:
    """Return how exact the match is, the smaller the better, and the placeholders' values."""
    rank: list[int] = []
    parameters: dict[str, str] = {}
    for index, wanted in enumerate(pattern):
        if wanted.endswith("+}"):
            if index >= len(parts):
                return None
            parameters[wanted[1:-2]] = "/".join(parts[index:])
            return (*rank, 2), parameters
        if index >= len(parts):
            return None
        if wanted.startswith("{"):
            parameters[wanted[1:-1]] = parts[index]
            rank.append(1)
        elif wanted == parts[index]:
            rank.append(0)
        else:
            return None
    return (tuple(rank), parameters) if len(parts) == len(pattern) else None
