"""The formats of a notice, what is kept of it, and what none of them may hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import sent_notices, settings
from chalicelib.notices import console, notice
from chalicelib.notices.formats import texts
from chalicelib.notices.sending import tell_of_folds
from chalicelib.redaction import redacted
from chalicelib.steps.notify import tell
from chalicelib.upstream import decoded, last_useful_line
from tests.factories import STARTED, a_file
from tests.fakes import FakeS3, FakeSNS

RUN = "orders-0123456789abcdef01234567"
NOW = datetime(2026, 11, 21, 0, 3, 12, tzinfo=UTC)

SECRETS = {
    "presigned URL": "https://b.s3.amazonaws.com/k?X-Amz-Algorithm=A&X-Amz-Credential=C&X-Amz-Signature=5ec4e7",
    "access key": "AKIAIOSFODNN75EC4E7X",
    "secret key": "aws_secret_access_key=5ec4e7/wJalrXUtnFEMI",
    "password": '{"password": "5ec4e7 x"}',
    "task token": "AQCEAAAAKgAAAAMAAAAAAAAAAX" + "9b5EC4e7" * 60,
    "bearer token": "Authorization: Bearer 5ec4e7",
    "database address": "postgres://decant:5ec4e7@warehouse:5439/dev",
    "web hook": "https://hooks.slack.com/services/T0/B0/5ec4e7",
}


def an_event(outcome: str, details: dict[str, Any], **changes: Any) -> dict[str, Any]:
    event = {"outcome": outcome, "run": RUN, "pipeline": "orders", "started": STARTED, "details": details}
    return {**event, "file": a_file(key="incoming/orders/november.csv").to_document(), **changes}


def failed(cause: str, error: str = "LoadFailed") -> dict[str, Any]:
    return an_event("failed", {"error": {"Error": error, "Cause": cause}})


def test_machines_get_the_same_facts_as_people() -> None:
    report = {
        "rows": 200,
        "bad_rows": 37,
        "reason": "37 rows are bad",
        "defects": [
            {"row": 7, "line": 8, "column": "gift", "rule": "type", "message": "'maybe' is no boolean"}
        ],
    }
    places = {"file": "s3://quarantine/f", "report": "s3://quarantine/r"}
    sent = notice(an_event("rejected", {"validate_file": report, "quarantine_file": places}), NOW)
    by_protocol = texts(sent)
    assert by_protocol["email"] == by_protocol["default"] == sent.body
    for protocol in ("sqs", "lambda", "firehose", "http"):
        document = json.loads(by_protocol[protocol])
    assert (document["run"], document["outcome"], document["severity"]) == (RUN, "rejected", "warning")
    assert document["rows"] == {"read": 200, "loaded": 0, "rejected": 37}
    assert document["offending"][0]["message"] == "'maybe' is no boolean"
    assert document["seconds"] == 193.0
    assert document["commands"]["Put it back"].startswith("decant quarantine requeue")
    assert sent.attributes == {"pipeline": "orders", "outcome": "rejected", "severity": "warning"}
    assert "Took:     3 min 13 s" in sent.body


def test_chat_gets_a_card_in_which_a_file_name_mentions_nobody() -> None:
    file = a_file(key="incoming/orders/<!channel>```<http:x|y>.csv").to_document()
    card = json.loads(texts(notice({**failed("no <@U1> such role"), "file": file}, NOW))["https"])
    assert (card["version"], card["source"], card["content"]["textType"]) == (
        "1.0",
        "custom",
        "client-markdown",
    )
    assert card["metadata"]["threadId"] == RUN
    text = json.dumps(card, ensure_ascii=False)
    assert "<" not in text
    assert card["content"]["description"].count("```") == 2
    assert any("decant runs redrive" in step for step in card["content"]["nextSteps"])


@pytest.mark.parametrize("what", SECRETS)
def test_no_format_and_nothing_kept_holds_a_secret(what: str) -> None:
    s3, sns = FakeS3(), FakeSNS()
    event = failed(
        json.dumps({"errorMessage": f"refused: {SECRETS[what]} was wrong", "stackTrace": ["5ec4e7"]})
    )
    event["details"]["task_token"] = "5ec4e7"
    tell(s3, sns, event, NOW)
    everything = json.dumps([sns.published, sns.texts]) + str(s3.objects)
    assert "refused: " in everything
    assert "5ec4e7" not in everything.lower()


@pytest.mark.parametrize(
    "text",
    [
        "s3://decant-prod-landing-123456789012/incoming/orders/2026/11/22/a_long_but_harmless_name_of_a_file.csv",
        "arn:aws:states:us-east-1:123456789012:execution:decant-local-load_file:orders-0123456789abcdef01234567",
        f"decant runs show {RUN}",
        "line 8, column order_id: 'x8' is no integer",
        "x" * 300,
    ],
)
def test_what_is_not_secret_stays_readable(text: str) -> None:
    assert redacted(text) == text


def test_a_notice_is_kept_as_it_was_sent_and_found_by_its_run() -> None:
    s3, sns = FakeS3(), FakeSNS()
    sent = tell(s3, sns, failed("no such role"), NOW)
    assert sent_notices.of_run(s3, RUN) == [sent]
    assert (sent.sent, sent.folded, sent.message) == ("2026-11-21T00:03:12.000Z", False, "message-1")
    assert (sent.subject, sent.body) == sns.published[0][1:3]
    assert sent.facts == json.loads(sns.texts[0]["sqs"])
    assert sent_notices.exists(s3, RUN, "failed")
    assert not sent_notices.exists(s3, RUN, "succeeded")


def test_every_format_links_to_the_run_once_the_address_is_written_down() -> None:
    s3, sns = FakeS3(), FakeSNS()
    before = tell(s3, sns, failed("x"), NOW)
    assert "Console" not in before.body + sns.texts[0]["https"]
    assert before.facts["console"] is None
    s3.put_json(settings.artifacts_bucket(), console.KEY, {"url": "https://api.example.com/api"})
    sent = tell(s3, sns, failed("x"), NOW)
    link = f"https://api.example.com/api/console#/runs/{RUN}"
    assert f"Console:     {link}\n" in sent.body
    assert sent.facts["console"] == json.loads(sns.texts[1]["sqs"])["console"] == link
    assert json.loads(sns.texts[1]["https"])["content"]["nextSteps"][-1] == f"Console: {link}"


def test_the_summary_of_a_fold_links_to_the_runs_that_it_counts() -> None:
    s3, sns = FakeS3(), FakeSNS()
    s3.clock = lambda: NOW
    s3.put_json(settings.artifacts_bucket(), console.KEY, {"url": "https://api.example.com/api"})
    for number in range(2):
        tell(s3, sns, {**failed("x"), "run": f"orders-{number:024}"}, NOW)
    (subject,) = tell_of_folds(s3, sns, NOW + timedelta(hours=2))
    assert subject.startswith("[orders] folded: 1 more run failed")
    link = "https://api.example.com/api/console#/runs?pipeline=orders&outcome=failed"
    assert json.loads(sns.texts[-1]["sqs"])["console"] == link


def test_however_much_is_said_a_message_fits_sns() -> None:
    defects = [
        {"row": n, "line": n, "column": "c", "rule": "r", "message": "é<" * 4000} for n in range(1, 50)
    ]
    report = {"rows": 99, "bad_rows": 99, "reason": "x" * 9000, "defects": defects}
    places = {"file": "s3://q/f", "report": "s3://q/r"}
    sent = notice(an_event("rejected", {"validate_file": report, "quarantine_file": places}))
    assert len(json.dumps(texts(sent), ensure_ascii=False).encode()) < 262_144


@pytest.mark.parametrize(
    ("error", "service", "words"),
    [
        ({"Error": "GlueJobFailed", "Cause": "Glue job j, run jr_1: FAILED. heap"}, "Glue", "heap"),
        (
            {"Error": "States.TaskFailed", "Cause": '{"JobName": "j", "Id": "jr_1", "ErrorMessage": "heap"}'},
            "Glue",
            "heap",
        ),
        (
            {"Error": "LoadFailed", "Cause": '{"errorMessage": "the warehouse refused: no"}'},
            "Redshift",
            "refused",
        ),
        ({"Error": "KeyError", "Cause": '{"errorMessage": "x", "stackTrace": ["a"]}'}, "Lambda", "x"),
        ({"Error": "States.Timeout"}, "Step Functions", "longer than its limit"),
        (
            {
                "Error": "Athena.Failed",
                "Cause": '{"QueryExecution": {"Query": "Q", "Status": {"StateChangeReason": "no column"}}}',
            },
            "Athena",
            "no column",
        ),
    ],
)
def test_an_upstream_error_is_decoded(error: dict[str, str], service: str, words: str) -> None:
    found = decoded(error)
    assert found.service == service
    assert words in found.message
    assert "stackTrace" not in "".join(found.lines)
    assert found.job_run in {None, "jr_1"}


def test_the_last_useful_line_of_a_log_is_the_error_and_no_frame() -> None:
    lines = [
        "26/11/20 INFO SparkContext: started",
        "Traceback (most recent call last):",
        '  File "/tmp/process_csv.py", line 9, in <module>',
        "ValueError: row 7: 'x' is no integer",
        "\tat org.apache.spark.Driver.run(Driver.scala:12)",
        "26/11/20 INFO ShutdownHookManager: gone",
        "",
    ]
    assert last_useful_line(lines) == "ValueError: row 7: 'x' is no integer"
    assert last_useful_line([]) is None
