"""Who calls: an account's own keys, or a role's session, read from a request's credentials."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from wsgiref.types import WSGIEnvironment

ACCOUNT_HEADER = "x-moto-account-id"
"""moto keeps the accounts apart by this header."""

CALLER_HEADER = "x-local-caller"
"""Carries the caller from the door to the service that checks it; what a client sends in it is dropped."""

OWN_KEY = "local"
"""The access key id that clients of the default account are given."""

_TOKEN_MARK = "LocalSession."  # nosec B105  # noqa: S105 - how the session tokens given out here begin, no secret
_CREDENTIAL = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/")
_ACCOUNT = re.compile(r"\d{12}")
ROLE = re.compile(r"arn:[a-z-]+:iam::(\d{12}):role/(?:[^/]+/)*([^/]+)")
_CALLER_OF_TRACE = re.compile(r"(?:^|;)Caller=([^;]+)")


class ExpiredSessionError(Exception):
    """The session token's time is over, or it belongs to another access key."""


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A caller.

    Attributes:
        account: twelve digits.
        role: the ARN of the role whose session this is, or "" for the account's own keys, which may do all.
        session: the session's name, or "".
    """

    account: str
    role: str = ""
    session: str = ""

    @property
    def arn(self) -> str:
        """The ARN that AWS's messages name: the session's, or the account's root."""
        partition = self.role.split(":")[1] if self.role else "aws"
        if not self.role:
            return f"arn:{partition}:iam::{self.account}:root"
        name = self.role.rpartition("/")[2]
        return f"arn:{partition}:sts::{self.account}:assumed-role/{name}/{self.session}"

    def headers(self) -> dict[str, str]:
        """Return the headers that carry the caller to a service."""
        caller = json.dumps([self.account, self.role, self.session])
        return {ACCOUNT_HEADER: self.account, CALLER_HEADER: caller}


def role_session(role: str, session: str) -> Principal:
    """Return the session of a role.

    Raises:
        ValueError: that is no role's ARN.
    """
    found = ROLE.fullmatch(role)
    if not found:
        raise ValueError(f"{role!r} is not the ARN of a role")
    return Principal(account=found[1], role=role, session=session)


def of_headers(headers: Mapping[str, str], account: str) -> Principal:
    """Return the caller of a request that came through the door, or else the account's own keys."""
    caller = headers.get(CALLER_HEADER)
    if not caller:
        return Principal(account=account)
    account, role, session = json.loads(caller)
    return Principal(account=account, role=role, session=session)


def session_credentials(principal: Principal, expires: float) -> dict[str, Any]:
    """Return keys that make a client call as this session until `expires`, in seconds since 1970.

    The token holds the session, so it stays valid when the embedded AWS is started again.
    """
    key = "ASIA" + base64.b32encode(secrets.token_bytes(10)).decode()
    document = {
        "key": key,
        "account": principal.account,
        "role": principal.role,
        "session": principal.session,
        "expires": expires,
    }
    token = base64.urlsafe_b64encode(json.dumps(document).encode()).decode()
    return {
        "AccessKeyId": key,
        "SecretAccessKey": secrets.token_urlsafe(30),
        "SessionToken": _TOKEN_MARK + token,
    }


def of_request(environ: WSGIEnvironment) -> Principal | None:
    """Return who signed a request, or None for moto's own rules: no signature, or a key that IAM made.

    Raises:
        ExpiredSessionError: its session token cannot be used any more.
    """
    query = parse_qs(environ.get("QUERY_STRING", "")) if "X-Amz-Credential" in _query(environ) else {}
    signed = _CREDENTIAL.match(environ.get("HTTP_AUTHORIZATION", ""))
    key = signed[1] if signed else query.get("X-Amz-Credential", [""])[0].partition("/")[0]
    token = environ.get("HTTP_X_AMZ_SECURITY_TOKEN") or query.get("X-Amz-Security-Token", [""])[0]
    if token.startswith(_TOKEN_MARK):
        return _of_token(token.removeprefix(_TOKEN_MARK), key)
    if key != OWN_KEY and not _ACCOUNT.fullmatch(key):
        return None
    return _of_trace(environ, key) or (None if key == OWN_KEY else Principal(account=key))


def trace_of(role: str, session: str) -> str:
    """Return what a function's trace header says of its role; nothing of one that is no role."""
    return f"Caller={role}/{session}" if ROLE.fullmatch(role) else ""


def _of_trace(environ: WSGIEnvironment, key: str) -> Principal | None:
    """Return the role of the function that calls, as Lambda's trace header tells it."""
    found = _CALLER_OF_TRACE.search(unquote(environ.get("HTTP_X_AMZN_TRACE_ID", "")))
    if not found:
        return None
    role, _, session = found[1].rpartition("/")
    caller = role_session(role, session)
    return caller if key in {OWN_KEY, caller.account} else None


def _query(environ: WSGIEnvironment) -> str:
    return str(environ.get("QUERY_STRING", ""))


def _of_token(token: str, key: str) -> Principal:
    try:
        document = json.loads(base64.urlsafe_b64decode(token))
    except ValueError as error:
        raise ExpiredSessionError("The security token included in the request is invalid") from error
    if document["key"] != key:
        raise ExpiredSessionError("The security token included in the request is invalid")
    if document["expires"] < time.time():
        raise ExpiredSessionError("The security token included in the request is expired")
    return Principal(account=document["account"], role=document["role"], session=document["session"])
