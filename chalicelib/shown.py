"""What may be shown of a document of a run: no task token, and no more than people read."""

from __future__ import annotations

import json
from typing import Any

TOKENS = frozenset({"tasktoken", "task_token"})
"""The names under which a document carries a task token, in lower case."""

MOST_BYTES = 16 * 1024
"""Of one document: 40 states with two each stay below API Gateway's 6 MB by far."""


def shown(text: str | None) -> Any:
    """Return a JSON document without task tokens; a long one as `{"cut": ..., "bytes": ...}`."""
    if text is None:
        return None
    try:
        document = without_tokens(json.loads(text))
    except ValueError:
        return text[:MOST_BYTES]  # Step Functions itself cuts what is too long for an event
    clean = json.dumps(document, ensure_ascii=False)
    if len(clean) > MOST_BYTES:
        return {"cut": clean[:MOST_BYTES], "bytes": len(text.encode())}
    return document


def without_tokens(value: Any) -> Any:
    """Return a document with everything left out that is called a task token, at any depth."""
    if isinstance(value, dict):
        return {name: without_tokens(inner) for name, inner in value.items() if name.lower() not in TOKENS}
    if isinstance(value, list):
        return [without_tokens(inner) for inner in value]
    return value
