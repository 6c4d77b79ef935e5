"""What a target gets for an event: all of it, a part, a constant, or a filled-in template."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from jsonpath_ng.parser import parse as parse_path

_PLACEHOLDER = re.compile(r"<([\w.-]+)>")


def input_for(target: dict[str, Any], event: dict[str, Any], rule_arn: str) -> str:
    """Return the text that the target's Input, InputPath or InputTransformer makes of the event."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_at_path(target["InputPath"], event))
    if transformer := target.get("InputTransformer"):
        values = {name: _at_path(path, event) for name, path in transformer.get("InputPathsMap", {}).items()}
        return _fill(transformer["InputTemplate"], values | _reserved(event, rule_arn))
    return json.dumps(event)


def _reserved(event: dict[str, Any], rule_arn: str) -> dict[str, Any]:
    return {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rpartition("/")[2],
        "aws.events.event.ingestion-time": datetime.now(UTC)
        .isoformat(timespec="seconds")
        .replace("+00:00", "Z"),
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }


def _at_path(path: str, event: dict[str, Any]) -> Any:
    """Return the first value at a JSONPath, or None."""
    # A dash needs quoting in a full JSONPath; EventBridge's own dialect takes detail-type as it is.
    quoted = re.sub(r"\.([A-Za-z_]\w*-[\w-]*)", r'."\1"', path)
    found = parse_path(quoted).find(event)
    return found[0].value if found else None


def _fill(template: str, values: dict[str, Any]) -> str:
    """Replace the placeholders; inside a JSON string a value loses its own quotes."""
    filled, position = [], 0
    in_string = False
    for placeholder in _PLACEHOLDER.finditer(template):
        between = template[position : placeholder.start()]
        in_string ^= len(re.findall(r'(?<!\\)"', between)) % 2 == 1
        filled.append(between)
        name = placeholder[1]
        if name in values:
            filled.append(_in_string(values[name]) if in_string else json.dumps(values[name]))
        else:
            filled.append(placeholder[0])
        position = placeholder.end()
    return "".join(filled) + template[position:]


def _in_string(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]
