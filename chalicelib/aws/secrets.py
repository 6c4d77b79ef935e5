"""Secrets Manager in our verbs: read."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from chalicelib.aws.client import call, client

if TYPE_CHECKING:
    from chalicelib.access import Access

KEPT_SECONDS = 60.0
"""How long a secret is kept in memory: a revoked token is refused after at most this long."""


class Secrets:
    """The secrets of this stage or of another account, each kept for `KEPT_SECONDS`.

    Args:
        access: the role of the other account, or None.
        session: who assumes it, such as a run's name.
    """

    def __init__(self, access: Access | None = None, session: str = "") -> None:
        self._who = (access, session) if access else ()
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def read(self, secret: str) -> dict[str, Any]:
        """Return a secret's JSON document."""
        kept = self._kept.get(secret)
        if kept and kept[0] > time.monotonic():
            return kept[1]
        text = call(client("secretsmanager", *self._who).get_secret_value, SecretId=secret)["SecretString"]
        document: dict[str, Any] = json.loads(text)
        self._kept[secret] = (time.monotonic() + KEPT_SECONDS, document)
        return document
