"""The lines that functions log."""

from __future__ import annotations

import io
import json
import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib import logs
from chalicelib.errors import InvalidFile, Throttled

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = "orders-0123456789abcdef01234567"
EVENT = {
    "run": RUN,
    "token": "secret-of-the-load",
    "pipeline": "orders",
    "file": {"bucket": "landing", "key": "incoming/orders/a.csv"},
}
VALUE = "jane@example.com"


class Event:
    """An event as Chalice gives it to a middleware."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def to_dict(self) -> dict[str, Any]:
        return self._document


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Log as a function of the stage does; call what is given to read the lines."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "decant-test-validate_file")
    sink = io.StringIO()
    handler, own = logging.StreamHandler(sink), logging.getLogger("chalicelib")
    handler.addFilter(lambda record: setattr(record, "aws_request_id", "request-1") or True)
    root, level = logging.getLogger(), own.level
    others, root.handlers = root.handlers, [handler]
    logs.configure()
    yield lambda: [json.loads(line) for line in sink.getvalue().splitlines()]
    root.handlers = others
    own.setLevel(level)


def test_every_line_says_what_it_is_about(written: Any) -> None:
    def respond(_event: Any) -> dict[str, Any]:
        logging.getLogger("chalicelib.anything").warning("half way")
        return {"rows": 5, "valid": True, "reason": VALUE}

    logs.around(Event(EVENT), respond)
    for line in written():
        assert {
            "run": RUN,
            "pipeline": "orders",
            "file": "incoming/orders/a.csv",
            "step": "validate_file",
            "service": "decant",
            "stage": "test",
            "request_id": "request-1",
        }.items() <= line.items()
        assert line["timestamp"].endswith("+00:00")
    assert [line["level"] for line in written()] == ["WARNING", "INFO"]
    assert "rows=5" in written()[-1]["message"]
    assert VALUE not in json.dumps(written())


def test_the_next_event_of_the_same_process_has_its_own_keys(written: Any) -> None:
    logs.around(Event(EVENT), lambda _event: None)
    logs.around(Event({"run": "people-1"}), lambda _event: None)
    logging.getLogger("chalicelib").info("between two events")
    first, second, third = written()
    assert (first["run"], second["run"], second.get("file"), third.get("run")) == (
        RUN,
        "people-1",
        None,
        None,
    )
    assert second["pipeline"] == "people"


def test_an_error_is_logged_with_its_places_and_goes_on_to_the_workflow(written: Any) -> None:
    def respond(_event: Any) -> None:
        raise Throttled("StartExecution: slow down")

    with pytest.raises(Throttled):
        logs.around(Event(EVENT), respond)
    (line,) = written()
    assert line["level"] == "ERROR"
    assert "Throttled: StartExecution: slow down" in line["message"]
    assert "test_logs.py" in line["exception"]


@pytest.mark.parametrize("kind", [InvalidFile, ValueError, KeyError])
def test_the_message_of_an_error_that_may_quote_a_row_is_not_logged(written: Any, kind: type) -> None:
    def respond(_event: Any) -> None:
        cause = kind(f"row 3, column mail: {VALUE!r} is no number")
        raise InvalidFile(f"row 3: {VALUE}") from cause

    with pytest.raises(InvalidFile):
        logs.around(Event(EVENT), respond)
    assert VALUE not in json.dumps(written())
    assert kind.__name__ in written()[0]["exception"]


def test_secrets_that_are_logged_by_mistake_are_left_out(written: Any) -> None:
    secret = "s3cr3t-v4lue"
    document = {**EVENT, "task_token": secret, "nested": {"password": secret}}
    logging.getLogger("chalicelib").warning("event %s", document)
    logging.getLogger("chalicelib").warning({"event": document})
    logging.getLogger("anything.else").error("said", extra={"authorization": f"Bearer {secret}"})
    assert len(written()) == 3
    assert secret not in json.dumps(written())
    assert "secret-of-the-load" not in json.dumps(written())


def test_a_request_that_only_looks_is_no_line_and_one_that_acts_is(written: Any) -> None:
    for method, path in [("GET", "/runs/{run}"), ("POST", "/runs/{run}/stop")]:
        request = SimpleNamespace(raw_body=b"", uri_params={"run": RUN}, method=method, path=path)
        logs.around(request, lambda _event: SimpleNamespace(status_code=200))
    (line,) = written()
    assert line["run"] == RUN
    assert "POST /runs/{run}/stop 200" in line["message"]


def test_logging_stays_as_it_is_outside_of_a_function() -> None:
    before = [handler.formatter for handler in logging.getLogger().handlers]
    logs.configure()
    assert [handler.formatter for handler in logging.getLogger().handlers] == before
