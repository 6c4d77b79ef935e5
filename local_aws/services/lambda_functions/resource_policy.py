"""Whether a function's own policy lets another service invoke it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from local_aws.services.identity.enforcement import current
from local_aws.services.identity.policy import Request, decide_for_identity
from local_aws.services.identity.principal import Principal

if TYPE_CHECKING:
    from local_aws.services.lambda_functions.backend import Function

INVOKE = "lambda:InvokeFunction"

log = logging.getLogger(__name__)


def lets_in(function: Function, service: str, source_arn: str, source_account: str) -> bool:
    """Tell whether a service may invoke a function for a resource; a refusal is logged.

    Args:
        function: what is invoked.
        service: such as `s3.amazonaws.com`.
        source_arn: the ARN of the bucket or rule for which it does.
        source_account: the account that owns that.
    """
    if not current.on:
        return True
    request = Request(
        caller=Principal(account=source_account),
        action=INVOKE,
        resource=str(function.function_arn),
        context={"aws:sourcearn": source_arn, "aws:sourceaccount": source_account},
    )
    statements = [each for each in function.policy.statements if _names(each.get("Principal"), service)]
    if decide_for_identity({"Statement": statements}, request) == "allow":
        return True
    log.warning(
        "denied: service %s for %s, action %s, resource %s: the function's own policy does not let it in",
        service, source_arn, INVOKE, function.function_arn,
    )  # fmt: skip
    return False


def _names(principal: Any, service: str) -> bool:
    named = principal.get("Service") if isinstance(principal, dict) else principal
    return principal == "*" or service in (named if isinstance(named, list) else [named])
