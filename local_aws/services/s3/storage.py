"""Where this process keeps its objects: moto's classes look it up, because moto constructs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.services.s3.content import Vault
from local_aws.services.s3.metadata import Metadata

if TYPE_CHECKING:
    from pathlib import Path


class Storage:
    """The bytes and the metadata of every object in one directory."""

    def __init__(self, directory: Path) -> None:
        self.vault = Vault(directory / "objects")
        self.metadata = Metadata(directory / "metadata.sqlite")


_chosen: list[Storage] = []


def use(storage: Storage) -> None:
    """Keep every object in `storage` from now on."""
    _chosen[:] = [storage]


def current() -> Storage:
    """Return the storage in use."""
    return _chosen[0]
