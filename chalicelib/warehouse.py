"""The warehouse as the steps hold it: one connection for each warm Lambda."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from chalicelib import settings
from chalicelib.aws.redshift import Redshift
from chalicelib.aws.secrets import Secrets
from chalicelib.loading import prepare

if TYPE_CHECKING:
    from chalicelib.access import Access
    from chalicelib.pipeline import Table

SESSION = "decant-load"
"""Names the session that reads the secret of another account's warehouse: a connection outlives a run."""


def warehouse_of(table: Table, tokens: str) -> Redshift:
    """Return the warehouse that holds a table: this stage's, or another account's."""
    if table.warehouse is None:
        return warehouse(settings.warehouse_secret(), tokens)
    return warehouse(table.warehouse.secret, tokens, table.warehouse.access)


def copy_role(table: Table) -> str:
    """Return the role that COPY reads with; of another account's warehouse it is a chain of them."""
    return ",".join(table.warehouse.copy_roles) if table.warehouse else settings.warehouse_role()


@functools.cache
def warehouse(secret: str, tokens: str, access: Access | None = None) -> Redshift:
    """Return the warehouse behind a secret, once its token table is there.

    Args:
        secret: the Secrets Manager id of its credentials.
        tokens: the token table, quoted.
        access: the role to read another account's secret with, or None.
    """
    found = Redshift(secret, Secrets(access, SESSION))
    prepare(found, tokens)
    return found
