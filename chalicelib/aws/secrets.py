"""Secrets Manager in our verbs: read."""

from __future__ import annotations

import json
import time
from typing import Any

from chalicelib.aws.client import call, client

KEPT_SECONDS = 60.0
"""How long a secret is kept in memory: a revoked token is refused after at most this long."""


class Secrets:
    """The secrets of this stage, each kept for `KEPT_SECONDS`."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def read(self, secret: str) -> dict[str, Any]:
        """Return a secret's JSON document."""
        kept = self._kept.get(secret)
        if kept and kept[0] > time.monotonic():
            return kept[1]
        text = call(client("secretsmanager").get_secret_value, SecretId=secret)["SecretString"]
        document: dict[str, Any] = json.loads(text)
        self._kept[secret] = (time.monotonic() + KEPT_SECONDS, document)
        return document
