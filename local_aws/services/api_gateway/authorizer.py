"""Lambda authorizers: who may call a route, remembered per token as API Gateway does."""

from __future__ import annotations

import fnmatch
import json
import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local_aws.services import lambda_functions
from local_aws.services.api_gateway import answer
from local_aws.services.api_gateway.answer import RefusedError
from local_aws.services.api_gateway.backend import function_arn

if TYPE_CHECKING:
    from local_aws.services.api_gateway.request import ApiRequest

_DEFAULT_TTL = 300  # seconds
_CACHED_TOKENS = 10_000  # the cache starts afresh beyond that


@dataclass(frozen=True)
class _Verdict:
    policy: dict[str, Any]
    context: dict[str, str]
    expires: float


class Authorizers:
    """Asks an API's authorizer, and remembers its policy for the ttl."""

    def __init__(self) -> None:
        self._verdicts: dict[tuple[str, str], _Verdict] = {}
        self._lock = threading.Lock()

    def authorize(self, request: ApiRequest) -> dict[str, str]:
        """Return the authorizer's context for the integration.

        Raises:
            RefusedError: the caller has no token, or its policy does not allow this route.
        """
        method = request.route.method
        kind = method.authorization_type
        if kind in {None, "NONE"}:
            return {}
        if kind != "CUSTOM":
            raise RefusedError(answer.not_executed(f"{kind} authorization"))
        authorizer = request.api.authorizers[method.authorizer_id]
        if authorizer.type != "TOKEN":
            raise RefusedError(answer.not_executed(f"{authorizer.type} authorizers"))
        verdict = self._verdict(authorizer, _token(authorizer, request), request)
        _check(verdict.policy, request.method_arn)
        return verdict.context

    def _verdict(self, authorizer: Any, token: str, request: ApiRequest) -> _Verdict:
        key = (authorizer.id, token)
        with self._lock:
            known = self._verdicts.get(key)
        if known and known.expires > time.monotonic():
            return known
        ttl = _DEFAULT_TTL if authorizer.authorizer_result_ttl is None else authorizer.authorizer_result_ttl
        verdict = _ask(authorizer, token, request, int(ttl))
        if int(ttl):
            with self._lock:
                if len(self._verdicts) >= _CACHED_TOKENS:
                    self._verdicts.clear()
                self._verdicts[key] = verdict
        return verdict


def _token(authorizer: Any, request: ApiRequest) -> str:
    header = authorizer.identity_source.rpartition(".")[2]
    token = request.header(header)
    expression = authorizer.identity_validation_expression
    if not token or (expression and not re.fullmatch(expression, token)):
        raise RefusedError(answer.UNAUTHORIZED)
    return token


def _ask(authorizer: Any, token: str, request: ApiRequest, ttl: int) -> _Verdict:
    event = {"type": "TOKEN", "methodArn": request.method_arn, "authorizationToken": token}
    outcome = lambda_functions.invoke(function_arn(authorizer.authorizer_uri), json.dumps(event))
    result = json.loads(outcome.payload)
    if outcome.error:
        if result.get("errorMessage") == "Unauthorized":
            raise RefusedError(answer.UNAUTHORIZED)
        raise RefusedError(answer.AUTHORIZER_FAILED)
    if not isinstance(result, dict) or not {"principalId", "policyDocument"} <= result.keys():
        raise RefusedError(answer.AUTHORIZER_FAILED)
    context = {name: _text(value) for name, value in (result.get("context") or {}).items()}
    context |= {"principalId": str(result["principalId"])}
    return _Verdict(result["policyDocument"], context, time.monotonic() + ttl)


def _text(value: Any) -> str:
    """Return a context value as integrations get it; only plain values are allowed."""
    if isinstance(value, dict | list):
        raise RefusedError(answer.AUTHORIZER_FAILED)
    return value if isinstance(value, str) else json.dumps(value)


def _check(policy: dict[str, Any], method_arn: str) -> None:
    """Refuse unless a statement allows the method and none denies it."""
    effects = {
        statement["Effect"]
        for statement in _list(policy.get("Statement", []))
        if _covers(statement.get("Action"), "execute-api:Invoke")
        and _covers(statement.get("Resource"), method_arn)
    }
    if "Deny" in effects:
        raise RefusedError(answer.EXPLICIT_DENY)
    if "Allow" not in effects:
        raise RefusedError(answer.IMPLICIT_DENY)


def _covers(patterns: Any, value: str) -> bool:
    # IAM knows * and ? only: a bracket stands for itself.
    return any(
        fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))
        for pattern in _list(patterns)
        if isinstance(pattern, str)
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
