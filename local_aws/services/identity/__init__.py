"""IAM and STS: accounts, and roles of one that callers of another may assume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import moto.sts.urls

from local_aws.reality import Reality
from local_aws.services.identity import guard
from local_aws.services.identity.door import Door
from local_aws.services.identity.enforcement import current
from local_aws.services.identity.responses import LocalTokenResponse

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="IAM and STS",
    executes=(
        "Roles, policies and users are stored. AssumeRole asks the role's trust policy (principal, external "
        "id and other conditions) and, across accounts, the caller's own policies, and gives out an "
        "expiring session of the role's account. With --enforce-iam a function, state machine, Glue job, "
        "crawler, Athena query, COPY or UNLOAD works with its own role's session: the role's inline and "
        "managed policies (effect, action, resource, conditions) decide on every request and, where a bucket "
        "has a KMS key, on the use of the key. A request that nobody mapped to a permission is refused."
    ),
    differs=(
        "Signatures are not checked: whoever knows an account's number has all of that account.",
        "An access key that is a twelve-digit number is that account's own key; any other is 123456789012's.",
        "Without --enforce-iam only AssumeRole and S3 across accounts need a permission.",
        "Of resource policies those of buckets, roles, and of functions that S3 invokes are asked.",
        "What EventBridge, SNS, API Gateway and Lambda itself (logs, dead letters) send needs no permission.",
        "Key policies, permission boundaries and service control policies are not asked.",
        "A function's role is known by its trace header, which boto3 sends; other clients are the account's.",
        "A policy with an element or condition operator that is not known here allows nothing.",
        "Session policies and tags, MFA and web identities are not worked out.",
    ),
)


def install(runtime: Runtime) -> None:
    """Have every request's caller found out, and roles assumed only by whom they trust."""
    runtime.wrap(Door)
    current.on = runtime.configuration.enforce_iam
    guard.install()
    paths = moto.sts.urls.url_paths
    paths.update(dict.fromkeys(paths, LocalTokenResponse.dispatch))
