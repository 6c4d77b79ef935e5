"""The warehouse as the steps hold it: one connection for each warm Lambda."""

from __future__ import annotations

import functools

from chalicelib.aws.redshift import Redshift
from chalicelib.loading import prepare


@functools.cache
def warehouse(secret: str, tokens: str) -> Redshift:
    """Return the warehouse behind a secret, once its token table is there.

    Args:
        secret: the Secrets Manager id of its credentials.
        tokens: the token table, quoted.
    """
    found = Redshift(secret)
    prepare(found, tokens)
    return found
