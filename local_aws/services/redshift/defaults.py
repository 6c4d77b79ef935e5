"""The names that the local warehouse has before anybody gives it others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = "127.0.0.1"
MASTER_USER = "awsuser"
DATABASE = "dev"


def password_file(directory: Path) -> Path:
    """Return the file in the state directory that holds the master password."""
    return directory / "warehouse" / "password"
