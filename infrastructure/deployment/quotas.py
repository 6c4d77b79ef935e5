"""The account's quotas that a stage can meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from infrastructure.deployment.failures import DENIED, code_of
from infrastructure.deployment.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infrastructure.deployment.target import Target

ENOUGH_CONCURRENCY = 100
"""Functions at work at once; a new account may have 10, which one burst of files uses up."""

SPARE_CODE = 2_000_000_000
"""Bytes of code storage that a deployment should find free; Lambda's quota is 75 GB a region."""


def examine(target: Target) -> Iterator[Finding]:
    """Compare what is used with what is allowed; a quota that may not be read is told as such."""
    for what, look in (
        ("Lambda concurrency", _concurrency),
        ("Lambda code storage", _code),
        ("IAM roles", _roles),
    ):
        try:
            yield look(target, what)
        except ClientError as error:
            if code_of(error) not in DENIED:
                raise
            yield Finding(what=what, found="these credentials may not read it: not checked", ok=True)


def _concurrency(target: Target, what: str) -> Finding:
    limit = target.client("lambda").get_account_settings()["AccountLimit"]
    free = int(limit["UnreservedConcurrentExecutions"])
    remedy = (
        ""
        if free >= ENOUGH_CONCURRENCY
        else "files will queue: ask for more in Service Quotas, Lambda, Concurrent executions"
    )
    return Finding(
        what=what, found=f"{free:,} of {limit['ConcurrentExecutions']:,} unreserved", ok=True, remedy=remedy
    )


def _code(target: Target, what: str) -> Finding:
    settings = target.client("lambda").get_account_settings()
    limit, used = settings["AccountLimit"]["TotalCodeSize"], settings["AccountUsage"]["TotalCodeSize"]
    good = limit - used >= SPARE_CODE
    remedy = "" if good else "delete old versions of functions, or ask for more in Service Quotas"
    return Finding(
        what=what, found=f"{used / 1e9:,.1f} of {limit / 1e9:,.1f} GB used", ok=good, remedy=remedy
    )


def _roles(target: Target, what: str) -> Finding:
    summary = target.client("iam").get_account_summary()["SummaryMap"]
    used, limit = summary["Roles"], summary["RolesQuota"]
    stands = f"{target.prefix}-api" in target.named("AWS::IAM::Role", "RoleName").values() and _has_role(
        target
    )
    needed = 0 if stands else len(target.named("AWS::IAM::Role", "RoleName"))
    good = used + needed <= limit
    remedy = (
        ""
        if good
        else f"{needed} more are needed: delete unused ones, or ask for more in Service Quotas, IAM"
    )
    return Finding(what=what, found=f"{used:,} of {limit:,} used", ok=good, remedy=remedy)


def _has_role(target: Target) -> bool:
    try:
        target.client("iam").get_role(RoleName=f"{target.prefix}-api")
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return False
        raise
    return True
