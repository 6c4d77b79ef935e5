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

MASTER_USER = "awsuser"
_PREFIX = "temporary"


def password_file(directory: Path) -> Path:
    """Return the file in the state directory that holds the master password."""
    return directory / "warehouse" / "password"


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
        """Tell whether this is a password of the user's that hasn't ended."""
        prefix, _, rest = password.partition(":")
        ends, _, signature = rest.partition(":")
        if prefix != _PREFIX or not ends.isdigit() or int(ends) < time.time():
            return False
        return hmac.compare_digest(signature, self._signature(user, int(ends)))

    def _signature(self, user: str, ends: int) -> str:
        return hmac.new(self._secret, f"{user}\n{ends}".encode(), hashlib.sha256).hexdigest()
