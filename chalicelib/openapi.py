"""The OpenAPI document, made from the endpoints and the types of their bodies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.answers import Problem
from chalicelib.endpoints import STATUS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.endpoints import Endpoint

VERSION = "0.1.0"

GATEWAY = {
    "401": "The token is missing or unknown",
    "403": "The token's role does not allow this, or there is no such path",
    "429": "Too many requests; try again",
    "502": "A fault of the service",
    "504": "The service took longer than 29 seconds",
}
"""What API Gateway itself answers; the service's own code is not asked."""

RUN_NAME = "^[a-z][a-z0-9_]{0,46}-[0-9a-f]{24}(-[1-9][0-9]{0,3})?$"


_GATEWAY_PROBLEM = {
    "title": "GatewayProblem",
    "description": "What went wrong, in API Gateway's words; a refused role comes with a capital M.",
    "type": "object",
    "properties": {"message": {"type": ["string", "null"]}, "Message": {"type": ["string", "null"]}},
    "anyOf": [{"required": ["message"]}, {"required": ["Message"]}],
}


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the endpoints."""
    structs = [struct for found in endpoints for struct in (found.answer, found.body) if struct]
    unique = list(dict.fromkeys([*structs, Problem]))
    schemas, components = msgspec.json.schema_components(unique, ref_template="#/components/schemas/{name}")
    refs = dict(zip(unique, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for found in endpoints:
        paths.setdefault(found.path, {})[found.method.lower()] = _operation(found, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Decant",
            "version": VERSION,
            "description": "Pipelines and their runs. A path needs a bearer token unless it says otherwise.",
        },
        "paths": paths,
        "components": {
            "schemas": components | {"GatewayProblem": _GATEWAY_PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(found: Endpoint, refs: dict[type, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": found.summary,
        "operationId": _operation_id(found),
        "parameters": [*_path_parameters(found.path), *_query_parameters(found)],
        "responses": _responses(found, refs),
    }
    if found.open:
        operation["security"] = []
    if found.body:
        operation["requestBody"] = {"required": False, "content": _json(refs[found.body])}
    return operation


def _responses(found: Endpoint, refs: dict[type, Any]) -> dict[str, Any]:
    content = _content(found, refs)
    answers = {str(status): {"description": "Done", "content": content} for status in found.status}
    for status, words in sorted(_problems(found).items()):
        answers[str(status)] = {"description": words, "content": _json(refs[Problem])}
    gateway = _json({"$ref": "#/components/schemas/GatewayProblem"})
    for code, meaning in GATEWAY.items():
        if not (found.open and code == "401"):
            answers[code] = {"description": f"{meaning} (API Gateway's own answer)", "content": gateway}
    return dict(sorted(answers.items()))


def _problems(found: Endpoint) -> dict[int, str]:
    words = {500: "A fault of the service", 503: "AWS throttles; try again"}
    if found.body:
        words |= {400: "The body is wrong", 413: "The body is too long", 415: "The body is not JSON"}
    for kind in found.raises:
        words[STATUS[kind]] = (kind.__doc__ or kind.__name__).rstrip(".")
    return words


def _path_parameters(path: str) -> list[dict[str, Any]]:
    patterns = {
        "run": RUN_NAME,
        "pipeline": "^[a-z][a-z0-9_]{0,46}$",
        "workflow": "^[a-z][a-z0-9_]{0,46}$",
        "asset": "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)+$",
    }
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": patterns[name]},
        }
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(found: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": parameter.name,
            "in": "query",
            "schema": parameter.schema,
            "description": parameter.description,
        }
        for parameter in found.parameters
    ]


def _operation_id(found: Endpoint) -> str:
    return "_".join([found.method.lower(), *re.findall(r"\w+", found.path)])


def _content(found: Endpoint, refs: dict[type, Any]) -> dict[str, Any]:
    if found.media != ("application/json",):
        return {media: {"schema": {"type": "string"}} for media in found.media}
    return _json(refs[found.answer] if found.answer else {"type": "object"})


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
