"""The error names that something can raise."""

from __future__ import annotations

import builtins
import difflib
import re
from functools import cache

from botocore.session import Session

STATES_ERRORS = frozenset(
    f"States.{name}"
    for name in (
        "ALL",
        "BranchFailed",
        "DataLimitExceeded",
        "ExceedToleratedFailureThreshold",
        "HeartbeatTimeout",
        "Http.Socket",
        "IntrinsicFailure",
        "ItemReaderFailed",
        "NoChoiceMatched",
        "ParameterPathFailure",
        "Permissions",
        "QueryEvaluationError",
        "ResultPathMatchFailure",
        "ResultWriterFailed",
        "Runtime",
        "TaskFailed",
        "Timeout",
    )
)
"""Step Functions' own: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"""

HTTP_STATUS = re.compile(r"States\.Http\.StatusCode\.[1-5][0-9]{2}")

LAMBDA_ERRORS = frozenset(
    f"Lambda.{name}"
    for name in (
        "AWSLambdaException",
        "ClientExecutionTimeoutException",
        "Exception",
        "SdkClientException",
        "ServiceException",
        "Unknown",
    )
)
"""What Step Functions itself adds to the exceptions of Lambda's API."""

OTHER_PREFIXES = frozenset(
    {
        "dynamodb",
        "stepfunctions",
        "sfn",
        "elasticmapreduce",
        "events",
        "eventbridge",
        "sandbox",
        "runtime",
        "extension",
        "function",
    }
)
"""Beginnings of error names besides the services' own: older names, and those of Lambda's runtime."""

PYTHON_ERRORS = frozenset(
    name
    for name, found in vars(builtins).items()
    if isinstance(found, type) and issubclass(found, BaseException)
)


def doubt(name: str, own: frozenset[str] | None) -> str:
    """Return why nothing raises an error of this name, or "".

    Args:
        name: as written in ErrorEquals.
        own: every error that the steps and Fail states raise, or None when that is not known.
    """
    prefix, dot, rest = name.partition(".")
    if prefix == "States":
        known = name in STATES_ERRORS or bool(HTTP_STATUS.fullmatch(name))
        return "" if known else "Step Functions has no such error" + _nearest(name, STATES_ERRORS)
    if not dot:
        known = own is None or name in own or name in PYTHON_ERRORS
        return "" if known else "no step raises it" + _nearest(name, own or frozenset())
    if prefix[:1].islower():
        return ""  # a Java class with its package
    if prefix == "Lambda":
        lambda_errors = LAMBDA_ERRORS | _exceptions_of_lambda()
        return (
            ""
            if rest and name in lambda_errors
            else "Lambda has no such error" + _nearest(name, lambda_errors)
        )
    if re.sub(r"[^a-z0-9]", "", prefix.lower()) not in services():
        return f"no service's errors begin with {prefix}."
    return "" if rest else f"name one of {prefix}'s errors after the dot"


def lacks_suffix(name: str, resource: str) -> bool:
    """Say whether an SDK integration cannot raise this error: all of its errors end in `Exception`."""
    service = resource.partition(":aws-sdk:")[2].partition(":")[0].lower()
    prefix, _, rest = name.partition(".")
    return bool(service) and prefix.lower() == service and not rest.endswith("Exception")


@cache
def services() -> frozenset[str]:
    """Return the beginning of every service's error names, in small letters and digits only."""
    session = Session()
    names = set(session.get_available_services())
    return OTHER_PREFIXES | {re.sub(r"[^a-z0-9]", "", name.lower()) for name in names}


@cache
def _exceptions_of_lambda() -> frozenset[str]:
    model = Session().get_service_model("lambda")
    return frozenset(f"Lambda.{shape.name}" for shape in model.error_shapes)


def _nearest(name: str, known: frozenset[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
