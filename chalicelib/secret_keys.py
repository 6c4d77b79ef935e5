"""A document without the values of the keys that name a secret."""

from __future__ import annotations

import re
from typing import Any

from chalicelib.redaction import BLOT, redacted

DENIED = re.compile(
    r"(token|tokens|password|passwd|secret|authorization|cookie|credential|credentials|apikey|accesskey"
    r"|accesskeyid|secretaccesskey|privatekey|externalid|signature)$"
)
"""A key that ends so, in lower case and without `_` and `-`, keeps its value out of the log."""


def without_secrets(value: Any, key: str = "") -> Any:
    """Return a document without what must not be logged; `key` is the name that it goes by."""
    if key and DENIED.search(key.lower().replace("_", "").replace("-", "")):
        return BLOT
    if isinstance(value, dict):
        return {name: without_secrets(each, str(name)) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(each) for each in value]
    return redacted(value)
