"""Policy documents: whether one allows a request, denies it, or says nothing of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local_aws.services.identity.principal import Principal

Decision = Literal["allow", "deny", "nothing"]

_ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)


class UnknownPolicyElementError(ValueError):
    """A policy holds something that is not worked out here; nothing may be allowed by guessing."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for.

    Attributes:
        caller: who asks.
        action: such as `s3:GetObject`.
        resource: the resource's ARN.
        context: the condition keys' values, such as `sts:ExternalId`; keys in lower case.
    """

    caller: Principal
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def decide(document: str | bytes | Mapping[str, Any], request: Request) -> Decision:
    """Return what a resource's policy says: an explicit deny counts more than any allow.

    Raises:
        UnknownPolicyElementError: the policy uses an element or operator that is not known here.
    """
    return _decide(document, request, names_principals=True)


def decide_for_identity(document: str | bytes | Mapping[str, Any], request: Request) -> Decision:
    """Return what a policy of the caller's own role says.

    Raises:
        UnknownPolicyElementError: the policy uses an element or operator that is not known here.
    """
    return _decide(document, request, names_principals=False)


def condition_keys(document: Mapping[str, Any]) -> set[str]:
    """Return the keys that the conditions of a policy ask for, in lower case."""
    return {
        key.lower()
        for statement in statements(document)
        for keys in statement.get("Condition", {}).values()
        for key in keys
    }


def _decide(
    document: str | bytes | Mapping[str, Any], request: Request, *, names_principals: bool
) -> Decision:
    decision: Decision = "nothing"
    for statement in statements(document):
        if names_principals and not _is_named(statement.get("Principal"), request.caller):
            continue
        if not _applies(statement, request):
            continue
        if statement["Effect"] == "Deny":
            return "deny"
        decision = "allow"
    return decision


def statements(document: str | bytes | Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a policy's statements.

    Raises:
        UnknownPolicyElementError: one has an element that is not known here.
    """
    policy = json.loads(document) if isinstance(document, str | bytes) else document
    for statement in _listed(policy.get("Statement", [])):
        if unknown := set(statement) - _ELEMENTS:
            raise UnknownPolicyElementError(f"policy element {', '.join(sorted(unknown))}")
        yield statement


def is_about(statement: Mapping[str, Any], action: str) -> bool:
    """Tell whether a statement's Action or NotAction fits."""
    return _matches_one(statement, "Action", action.lower(), lower=True)


def _is_named(named: Any, caller: Principal) -> bool:
    if named == "*":
        return True
    for each in _listed((named or {}).get("AWS", [])):
        if each == "*" or each in {caller.account, caller.arn}:
            return True
        if re.fullmatch(rf"arn:[a-z-]+:iam::{caller.account}:root", each):
            return True
        if caller.role and each == caller.role:
            return True
    return False


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _matches_one(statement, "Action", request.action.lower(), lower=True)
        and _matches_one(statement, "Resource", request.resource, lower=False)
        and all(
            _holds(operator, key, _listed(values), request)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _matches_one(statement: Mapping[str, Any], element: str, value: str, *, lower: bool) -> bool:
    """Tell whether the element or its opposite fits; a trust policy has no Resource."""
    for name, wanted in ((element, True), (f"Not{element}", False)):
        if name in statement:
            patterns = [str(each).lower() if lower else str(each) for each in _listed(statement[name])]
            return any(_like(value, pattern) for pattern in patterns) is wanted
    return True


def _holds(operator: str, key: str, expected: list[Any], request: Request) -> bool:
    optional = operator.endswith("IfExists")
    name = operator.removesuffix("IfExists")
    actual = request.context.get(key.lower())
    if name == "Null":
        return (actual is None) is (str(expected[0]).lower() == "true")
    if name not in _OPERATORS:
        raise UnknownPolicyElementError(f"condition operator {operator}")
    compare, positive = _OPERATORS[name]
    if actual is None:
        return optional or not positive
    return any(compare(actual, str(each)) for each in expected) is positive


def _like(value: str, pattern: str) -> bool:
    return _compiled(pattern).fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # IAM has * and ? but no sets: a bracket stands for itself.
    return re.compile(translate(pattern.replace("[", "[[]")))


def _same(value: str, pattern: str) -> bool:
    return value == pattern


def _same_letters(value: str, pattern: str) -> bool:
    return value.lower() == pattern.lower()


_OPERATORS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (_same, True),
    "StringNotEquals": (_same, False),
    "StringEqualsIgnoreCase": (_same_letters, True),
    "StringNotEqualsIgnoreCase": (_same_letters, False),
    "StringLike": (_like, True),
    "StringNotLike": (_like, False),
    "ArnEquals": (_like, True),
    "ArnLike": (_like, True),
    "ArnNotEquals": (_like, False),
    "ArnNotLike": (_like, False),
    "Bool": (_same_letters, True),
}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
