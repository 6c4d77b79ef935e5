"""IAM and STS: accounts, and roles of one that callers of another may assume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import moto.sts.urls

from local_aws.reality import Reality
from local_aws.services.identity.door import Door
from local_aws.services.identity.responses import LocalTokenResponse

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="IAM and STS",
    executes=(
        "Roles, policies and users are stored. AssumeRole asks the role's trust policy (principal, external "
        "id and other conditions) and, across accounts, the caller's own policies, and gives out an "
        "expiring session of the role's account."
    ),
    differs=(
        "Signatures are not checked: whoever knows an account's number has all of that account.",
        "An access key that is a twelve-digit number is that account's own key; any other is 123456789012's.",
        "Only AssumeRole and S3 across accounts need a permission: others are not missed here.",
        "A function's role is known by its trace header, which boto3 sends; other clients are the account's.",
        "A policy with an element or condition operator that is not known here allows nothing.",
        "Session policies and tags, MFA and web identities are not worked out.",
    ),
)


def install(runtime: Runtime) -> None:
    """Have every request's caller found out, and roles assumed only by whom they trust."""
    runtime.wrap(Door)
    paths = moto.sts.urls.url_paths
    paths.update(dict.fromkeys(paths, LocalTokenResponse.dispatch))
