"""Between a task's parameters and results and what a boto3 client takes and gives."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from moto.stepfunctions.parser.utils import camel_to_snake_case, snake_to_camel_case

if TYPE_CHECKING:
    from collections.abc import Callable


def request(parameters: dict[str, Any], operation: OperationModel) -> dict[str, Any]:
    """Return the parameters under the operation's own names, JSON values as text where it wants text.

    Step Functions writes every name in PascalCase and lets a string or a blob be any JSON value.
    """
    shape = operation.input_shape
    return _request(parameters, shape) if shape is not None else parameters


def _request(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        members = {_folded(name): (name, member) for name, member in shape.members.items()}
        named = ((members.get(_folded(key), (key, None)), item) for key, item in value.items())
        return {name: item if member is None else _request(item, member) for (name, member), item in named}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_request(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _request(item, shape.value) for key, item in value.items()}
    if shape.type_name == "string" and not isinstance(value, str) and value is not None:
        return json.dumps(value, separators=(",", ":"))
    if shape.type_name == "blob" and not isinstance(value, bytes):
        return (value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))).encode()
    return value


def response(value: Any, shape: Shape | None, dated: Callable[[datetime], Any]) -> Any:
    """Return a result as JSON with AWS's PascalCase names.

    Args:
        value: what the client returned.
        shape: its shape, or None when the operation's model says nothing about it.
        dated: how timestamps are written.

    """
    if isinstance(value, dict):
        members = shape.members if isinstance(shape, StructureShape) else {}
        inner = shape.value if isinstance(shape, MapShape) else None
        return {
            _cased(key) if key in members else key: response(item, members.get(key, inner), dated)
            for key, item in value.items()
        }
    if isinstance(value, list):
        member = shape.member if isinstance(shape, ListShape) else None
        return [response(item, member, dated) for item in value]
    if isinstance(value, datetime):
        return dated(value)
    if hasattr(value, "read"):
        value = value.read()
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def iso_dated(value: datetime) -> str:
    """Return a timestamp as SDK integrations write it."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def millisecond_dated(value: datetime) -> int:
    """Return a timestamp as optimized integrations write it: epoch milliseconds."""
    return int(value.timestamp() * 1000)


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


def _cased(name: str) -> str:
    cased: str = snake_to_camel_case(camel_to_snake_case(name))
    return cased
