"""Sessions of roles in other accounts: assumed once a run, renewed before they expire."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from chalicelib import settings
from chalicelib.errors import AccessRefused, Throttled

if TYPE_CHECKING:
    from chalicelib.access import Access

LONGEST_NAME = 64
"""Characters that AWS allows in a session's name; CloudTrail of the other account shows it."""

SESSIONS_KEPT = 16
"""Sessions that one warm Lambda keeps; each serves one run."""

THROTTLES = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "ServiceUnavailable"})


@functools.lru_cache(maxsize=SESSIONS_KEPT)
def session(access: Access, name: str) -> Any:
    """Return a boto3 session that acts as the role. It is assumed at the first call, not now.

    botocore renews the credentials 15 minutes before they expire, in memory only.

    Args:
        access: the role.
        name: says who acts, such as a run's name; it appears in the other account's CloudTrail.

    Raises:
        AccessRefused: the stage does not trust the role.
    """
    import boto3  # noqa: PLC0415 - as in client()
    from botocore.credentials import (  # noqa: PLC0415 - as above
        AssumeRoleCredentialFetcher,
        DeferredRefreshableCredentials,
    )
    from botocore.session import get_session  # noqa: PLC0415 - as above

    if access.role not in settings.trusted_roles():
        raise AccessRefused(
            f"role {access.role}: this stage does not trust it: add it to the parameter TrustedSourceRoles, "
            "TrustedGlueRoles or TrustedWarehouseRoles of the stack, and deploy"
        )
    external_id = settings.external_id(access.account)
    own = get_session()
    fetcher = AssumeRoleCredentialFetcher(
        own.create_client,
        own.get_credentials(),
        access.role,
        extra_args={
            "RoleSessionName": session_name(name),
            **({"ExternalId": external_id} if external_id else {}),
        },
    )
    assumed = get_session()
    assumed._credentials = DeferredRefreshableCredentials(  # noqa: SLF001 - botocore has no other way in
        refresh_using=lambda: _fetched(fetcher, access, external_id), method="assume-role"
    )
    return boto3.Session(botocore_session=assumed)


def session_name(name: str) -> str:
    """Return the name as AWS takes it: its end, which tells runs apart, when it is too long."""
    return re.sub(r"[^\w+=,.@-]", "-", name, flags=re.ASCII)[-LONGEST_NAME:]


def _fetched(fetcher: Any, access: Access, external_id: str | None) -> Any:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - as in session()

    try:
        return fetcher.fetch_credentials()
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in THROTTLES:
            raise Throttled(f"AssumeRole: {error}") from error
        raise AccessRefused(_refusal(access, external_id, error)) from error


def _refusal(access: Access, external_id: str | None, error: Exception) -> str:
    given = f"the external id {external_id!r}" if external_id else "no external id"
    return (
        f"role {access.role} of account {access.account} was not assumed with {given}: {error}. "
        "Compare the role's trust policy: it must name this stage's account or roles as Principal, and "
        f"exactly this value of sts:ExternalId; here it is the parameter ExternalIds ({access.account}=...): "
        "docs/cross-account.md has both sides."
    )
