"""The master password, and the temporary ones that get_cluster_credentials hands out."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX = "temporary"


def secret_of(path: Path) -> str:
    """Return the random secret kept in a file that only its owner reads; make it when it is missing."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        # Redshift wants upper case, lower case and a digit.
        file.write(f"Aa1{secrets.token_hex(16)}")
    unfinished.replace(path)
    return path.read_text().strip()


class TemporaryPasswords:
    """Passwords that carry their own end, signed with a secret of this warehouse."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def issue(self, user: str, seconds: int) -> tuple[str, float]:
        """Return a password for the user, and when it ends."""
        ends = int(time.time()) + seconds
        return f"{_PREFIX}:{ends}:{self._signature(user, ends)}", float(ends)

    def is_valid(self, user: str, password: str) -> bool:
        """Tell whether this opens the user's sessions: a temporary password in its time, or the master's.

        The master's opens every user's, so that a cluster may give a user of the same name its own password.
        """
        if hmac.compare_digest(password.encode(), self._secret):
            return True
        prefix, _, rest = password.partition(":")
        ends, _, signature = rest.partition(":")
        if prefix != _PREFIX or not ends.isdigit() or int(ends) < time.time():
            return False
        return hmac.compare_digest(signature, self._signature(user, int(ends)))

    def _signature(self, user: str, ends: int) -> str:
        return hmac.new(self._secret, f"{user}\n{ends}".encode(), hashlib.sha256).hexdigest()
