"""Whether a caller may assume a role: its trust policy and, across accounts, the caller's own policies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from moto.core.exceptions import ServiceException
from moto.iam.models import iam_backends

from local_aws.services.identity.policy import (
    Request,
    UnknownPolicyElementError,
    decide,
    decide_for_identity,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_aws.services.identity.principal import Principal

ASSUME = "sts:AssumeRole"


class NotAuthorizedError(Exception):
    """The caller may not assume the role; the message is AWS's."""


def check(caller: Principal, role_arn: str, *, session: str, external_id: str | None) -> Any:
    """Return moto's role when the caller may assume it.

    Raises:
        NotAuthorizedError: there is no such role, it does not trust the caller, or the caller's role lacks
            the permission; AWS tells these apart no more than this.
    """
    role = _role(role_arn)
    request = Request(
        caller=caller,
        action=ASSUME,
        resource=role_arn,
        context=_context(caller, session, external_id),
    )
    if role is None or not _trusts(role, request) or not _is_permitted(caller, role_arn, request):
        raise NotAuthorizedError(
            f"User: {caller.arn} is not authorized to perform: {ASSUME} on resource: {role_arn}"
        )
    return role


def _context(caller: Principal, session: str, external_id: str | None) -> dict[str, str]:
    context = {
        "aws:principalaccount": caller.account,
        "aws:principalarn": caller.role or caller.arn,
        "sts:rolesessionname": session,
    }
    return context if external_id is None else {**context, "sts:externalid": external_id}


def _role(arn: str) -> Any:
    _, partition, _, _, account, _ = arn.split(":", 5)
    try:
        return iam_backends[account][partition].get_role_by_arn(arn)
    except (ServiceException, KeyError):
        return None


def _trusts(role: Any, request: Request) -> bool:
    policy = role.assume_role_policy_document
    try:
        return bool(policy) and decide(unquote(policy), request) == "allow"
    except UnknownPolicyElementError as error:
        raise NotAuthorizedError(f"the embedded AWS cannot work out the trust policy: {error}") from error


def _is_permitted(caller: Principal, role_arn: str, request: Request) -> bool:
    """Tell whether the caller's own policies allow it; asked across accounts only."""
    if not caller.role or caller.account == role_arn.split(":")[4]:
        return True
    found = [decide_for_identity(policy, request) for policy in _policies(caller.role)]
    return "allow" in found and "deny" not in found


def _policies(role_arn: str) -> Iterator[Any]:
    role = _role(role_arn)
    if role is None:
        return
    for document in role.policies.values():
        yield unquote(document) if isinstance(document, str) else document
    for policy in role.managed_policies.values():
        document = policy.document
        yield json.loads(document) if isinstance(document, str) else document
