"""What is kept out of log lines."""

from __future__ import annotations

import json

import pytest

from chalicelib.secret_keys import without_secrets

SECRET = "s3cr3t-v4lue"


@pytest.mark.parametrize(
    "key",
    [
        "token",
        "task_token",
        "taskToken",
        "api-token",
        "tokens",
        "password",
        "PASSWORD",
        "warehouse_password",
        "client_secret",
        "Authorization",
        "aws_secret_access_key",
        "AccessKeyId",
        "X-Amz-Signature",
        "external_id",
        "Set-Cookie",
    ],
)
def test_the_value_of_a_key_that_names_a_secret_is_left_out_at_every_depth(key: str) -> None:
    document = {"run": "orders-1", "details": [{"deep": {key: SECRET}}], key: {"inner": SECRET}}
    assert SECRET not in json.dumps(without_secrets(document))
    assert without_secrets(document)["run"] == "orders-1"


@pytest.mark.parametrize(
    "text", [f"password={SECRET}", f"called with Bearer {SECRET}", f"x://a:{SECRET}@host"]
)
def test_so_is_a_secret_within_a_text_at_every_depth(text: str) -> None:
    assert SECRET not in json.dumps(without_secrets({"message": text, "more": [{"text": text}]}))


def test_what_is_no_secret_stays_as_it_is() -> None:
    document = {"run": "orders-0123456789abcdef01234567-2", "message": "rows=5 table=public.orders", "n": 5}
    assert without_secrets(document) == document
