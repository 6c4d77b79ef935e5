"""One JSON line for each thing that a function logs: which run, file and step it is about, nothing secret."""

from __future__ import annotations

import logging
import os
import time
import traceback
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from chalicelib import metrics, settings
from chalicelib.errors import DecantError
from chalicelib.secret_keys import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

TOLD = ("valid", "route", "rows", "good_rows", "bad_rows", "bytes", "table", "already", "job", "state", "new")
"""What of a step's result its last line tells: counts and names, never a row's value."""

SERVER_ERRORS = 500

ORDER = ["timestamp", "level", "message", "service", "stage", "step", "run", "pipeline", "file"]


class Lines(LambdaPowertoolsFormatter):
    """Writes a record as one JSON line.

    An exception is told by its type and its places in the code. Its message is told only where it cannot
    quote a row: those of AWS, and of our own errors that do not say `quotes_rows`.
    """

    def __init__(self) -> None:
        super().__init__(
            log_record_order=ORDER,
            utc=True,
            use_rfc3339=True,
            serialize_stacktrace=False,
            service=settings.app(),
            stage=settings.stage(),
        )

    def serialize(self, log: Any) -> str:
        """Return the line of a record's keys."""
        # The function's own filter puts the request id on each record, also outside of any event.
        log["request_id"] = log.pop("aws_request_id", None) or None
        log["step"] = log.get("step") or step_of(os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""))
        kept = {name: value for name, value in log.items() if value is not None}
        return str(super().serialize(without_secrets(kept)))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - overrides logging's name
        """Return the exception with its causes, each by `told`."""
        lines: list[str] = []
        error: BaseException | None = ei[1]
        while error is not None:
            lines = [*traceback.format_tb(error.__traceback__), told(error) + "\n", *lines]
            error = error.__cause__
        return "".join(lines)


def told(error: BaseException) -> str:
    """Return an error's type, with its message where that cannot quote a row."""
    kind = type(error)
    own = isinstance(error, DecantError) and not error.quotes_rows
    return f"{kind.__name__}: {error}" if own or kind.__module__.startswith("botocore") else kind.__name__


def step_of(function: str) -> str:
    """Return a function's name without the application and the stage; that of the REST handler is `api`."""
    return function.removeprefix(settings.functions()) if function.startswith(settings.functions()) else "api"


def configure() -> None:
    """Have every logger of a Lambda function write JSON lines; anywhere else logging stays as it is."""
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    for handler in logging.getLogger().handlers:  # the one that the runtime installed before this module
        handler.setFormatter(Lines())
    logging.getLogger("chalicelib").setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO").upper())


def around(event: Any, respond: Callable[[Any], Any]) -> Any:
    """Handle an event of any kind between a first and a last line; a Chalice middleware.

    Every line that is logged meanwhile carries what `keys` finds in the event.
    """
    lines = [each.formatter for each in logging.getLogger().handlers if isinstance(each.formatter, Lines)]
    for each in lines:
        each.clear_state()  # one process serves one event after the other
        each.append_keys(**keys(event))
    began = time.monotonic()
    try:
        result = respond(event)
    except BaseException as error:
        log.exception("failed after %s: %s", _seconds(began), told(error))  # noqa: TRY401 - `told` cuts it
        raise
    else:
        log.log(_level(event, result), "done in %s%s", _seconds(began), _summary(event, result))
        return result
    finally:
        if lines and hasattr(event, "to_dict") and not hasattr(event, "raw_body"):
            step = step_of(os.environ["AWS_LAMBDA_FUNCTION_NAME"])
            metrics.step_ended(step, time.monotonic() - began, keys(event))
        for each in lines:
            each.clear_state()


def keys(event: Any) -> dict[str, Any]:
    """Return what an event's lines carry: `run`, `pipeline` and `file`, as far as it has them."""
    if hasattr(event, "raw_body"):  # a request
        return {"run": (event.uri_params or {}).get("run")}
    document = event.to_dict()
    records = document.get("Records") or []
    if len(records) == 1 and "s3" in records[0]:
        return {"file": records[0]["s3"]["object"].get("key")}
    file = document.get("file")
    run = document.get("run")
    return {
        "run": run,
        "pipeline": document.get("pipeline") or (str(run).partition("-")[0] if run else None),
        "file": file.get("key") if isinstance(file, dict) else None,
    }


def _level(event: Any, result: Any) -> int:
    """Return how urgent the last line is: whoever looks at a run should not fill its log by that."""
    looks = hasattr(event, "raw_body") and event.method == "GET"
    return logging.DEBUG if looks and getattr(result, "status_code", 0) < SERVER_ERRORS else logging.INFO


def _summary(event: Any, result: Any) -> str:
    if hasattr(event, "raw_body"):
        return f": {event.method} {event.path} {getattr(result, 'status_code', '')}"
    if not isinstance(result, dict):
        return ""
    facts = [f"{name}={result[name]}" for name in TOLD if isinstance(result.get(name), str | int | float)]
    return f": {' '.join(facts)}" if facts else ""


def _seconds(began: float) -> str:
    return f"{time.monotonic() - began:.3f} s"
