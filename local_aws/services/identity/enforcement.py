"""Whether a role's policies allow what its session asks for; nothing is refused until this is switched on."""

from __future__ import annotations

import functools
import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from moto.core.exceptions import ServiceException
from moto.iam.models import iam_backends

from local_aws.services.identity.policy import (
    Request,
    UnknownPolicyElementError,
    condition_keys,
    decide_for_identity,
    is_about,
    statements,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_aws.services.identity.policy import Decision
    from local_aws.services.identity.principal import Principal

KNOWN_KEYS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:securetransport",
        "aws:sourceaccount",
        "aws:sourcearn",
        "cloudwatch:namespace",
        "iam:passedtoservice",
        "kms:viaservice",
        "s3:prefix",
        "sts:externalid",
        "sts:rolesessionname",
    }
)
"""Condition keys whose values are worked out here; one of these that a request lacks is absent on AWS too."""

KEPT_DECISIONS = 20_000
"""Decisions remembered, each of a few hundred bytes."""

log = logging.getLogger(__name__)


class DeniedError(Exception):
    """A role may not do what its session asks for; the message is AWS's."""


class Enforcement:
    """What refuses requests of roles, for one embedded AWS."""

    def __init__(self) -> None:
        self.on = False

    def check(
        self, caller: Principal, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> None:
        """Pass when the caller is an account itself, or a role that may do this to the resource.

        Raises:
            DeniedError: the role may not, or its policies hold what is not known here.
        """
        if not self.on or not caller.role:
            return
        decision, why = self._decision(caller, action, resource, context)
        if decision != "allow":
            refuse(caller, action, resource, why)

    def allows(self, caller: Principal, action: str, resource: str) -> bool:
        """Tell whether `check` would pass; nothing is logged."""
        return not self.on or not caller.role or self._decision(caller, action, resource, None)[0] == "allow"

    def _decision(
        self, caller: Principal, action: str, resource: str, context: Mapping[str, str] | None
    ) -> tuple[Decision, str]:
        policies = _texts(caller.role)
        if policies is None:
            return "deny", f"because the role {caller.role} does not exist"
        given = frozenset((context or {}).items())
        try:
            decision = _decided(policies, caller, action, resource, given)
        except UnknownPolicyElementError as error:
            return "deny", f"because the embedded AWS cannot work out the role's policies: {error}"
        if decision == "deny":
            return decision, "with an explicit deny in an identity-based policy"
        return decision, f"because no identity-based policy allows the {action} action"


def refuse(caller: Principal, action: str, resource: str, why: str) -> None:
    """Log a refusal so that a policy can be mended from it, and refuse.

    Raises:
        DeniedError: always.
    """
    log.warning("denied: role %s, action %s, resource %s: %s", caller.role, action, resource, why)
    raise DeniedError(
        f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource} {why}"
    )


current = Enforcement()
"""moto's state is global, so one process holds one embedded AWS and one of these."""


def _texts(role_arn: str) -> tuple[str, ...] | None:
    """Return the documents of a role's inline and managed policies, or None without such a role."""
    _, partition, _, _, account, _ = role_arn.split(":", 5)
    try:
        role = iam_backends[account][partition].get_role_by_arn(role_arn)
    except (ServiceException, KeyError):
        return None
    inline = (_text(document) for document in role.policies.values())
    managed = (_text(policy.document) for policy in role.managed_policies.values())
    return (*inline, *managed)


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


@functools.lru_cache(maxsize=KEPT_DECISIONS)
def _decided(
    policies: tuple[str, ...],
    caller: Principal,
    action: str,
    resource: str,
    context: frozenset[tuple[str, str]],
) -> Decision:
    given = {
        "aws:principalaccount": caller.account,
        "aws:principalarn": caller.role,
        "aws:securetransport": "true",  # a laptop's loopback stands for TLS
        **dict(context),
    }
    request = Request(caller=caller, action=action, resource=resource, context=given)
    found = {decide_for_identity(_about(policy, action), request) for policy in policies}
    return "deny" if "deny" in found else "allow" if "allow" in found else "nothing"


@functools.lru_cache(maxsize=4096)
def _about(policy: str, action: str) -> dict[str, Any]:
    """Return the policy with only the statements about an action: most requests need one or two."""
    return {"Statement": [each for each in statements(_parsed(policy)) if is_about(each, action)]}


@functools.lru_cache(maxsize=512)
def _parsed(policy: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(unquote(policy) if policy.startswith("%") else policy)
    if unknown := condition_keys(document) - KNOWN_KEYS:
        raise UnknownPolicyElementError(f"condition key {', '.join(sorted(unknown))}")
    return document
