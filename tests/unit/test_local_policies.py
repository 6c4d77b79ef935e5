"""Policy documents as the embedded AWS works them out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.services.identity.policy import (
    Request,
    UnknownPolicyElementError,
    decide,
    decide_for_identity,
)
from local_aws.services.identity.principal import Principal, role_session

OURS = "123456789012"
ROLE = f"arn:aws:iam::{OURS}:role/decant-dev-validate_file"
ASKED: dict[str, Any] = {
    "caller": role_session(ROLE, "run-1"),
    "action": "s3:GetObject",
    "resource": "arn:aws:s3:::bucket/in/a.csv",
    "context": {"sts:externalid": "x1", "aws:principalarn": ROLE},
}


def policy(**changes: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*", **changes}
    return {"Version": "2012-10-17", "Statement": statement}


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({}, "allow"),
        ({"Principal": {"AWS": f"arn:aws:iam::{OURS}:root"}}, "allow"),
        ({"Principal": {"AWS": OURS}}, "allow"),
        ({"Principal": {"AWS": [ROLE, "arn:aws:iam::999999999999:root"]}}, "allow"),
        (
            {"Principal": {"AWS": f"arn:aws:sts::{OURS}:assumed-role/decant-dev-validate_file/run-1"}},
            "allow",
        ),
        ({"Principal": {"AWS": ROLE + "2"}}, "nothing"),
        ({"Principal": {"Service": "lambda.amazonaws.com"}}, "nothing"),
        ({"Action": ["s3:put*", "S3:GET*"]}, "allow"),
        ({"Action": "s3:GetObjectVersion"}, "nothing"),
        ({"Resource": "arn:aws:s3:::bucket/in/*"}, "allow"),
        ({"Resource": "arn:aws:s3:::bucket/in/?.csv"}, "allow"),
        ({"Resource": "arn:aws:s3:::bucket/in/[a].csv"}, "nothing"),
        ({"Resource": "arn:aws:s3:::bucket"}, "nothing"),
        ({"Condition": {"StringEquals": {"sts:ExternalId": ["x0", "x1"]}}}, "allow"),
        ({"Condition": {"StringEquals": {"sts:ExternalId": "X1"}}}, "nothing"),
        ({"Condition": {"StringNotEquals": {"sts:ExternalId": ["x0", "x1"]}}}, "nothing"),
        ({"Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OURS}:role/decant-dev-*"}}}, "allow"),
        ({"Condition": {"StringEquals": {"aws:Missing": "x"}}}, "nothing"),
        ({"Condition": {"StringEqualsIfExists": {"aws:Missing": "x"}}}, "allow"),
        ({"Condition": {"Null": {"aws:Missing": "true"}}}, "allow"),
        ({"Condition": {"Null": {"sts:ExternalId": "true"}}}, "nothing"),
        ({"Effect": "Deny"}, "deny"),
    ],
)
def test_a_statement_is_worked_out_as_iam_does(changes: dict[str, Any], decision: str) -> None:
    assert decide(policy(**changes), Request(**ASKED)) == decision
    assert decide(json.dumps(policy(**changes)).encode(), Request(**ASKED)) == decision


def test_opposites_fit_what_they_do_not_name() -> None:
    document = policy()
    del document["Statement"]["Action"], document["Statement"]["Resource"]
    document["Statement"] |= {"NotAction": "s3:Delete*", "NotResource": "arn:aws:s3:::secret/*"}
    assert decide(document, Request(**ASKED)) == "allow"
    assert decide(document, Request(**ASKED | {"action": "s3:DeleteObject"})) == "nothing"
    assert decide(document, Request(**ASKED | {"resource": "arn:aws:s3:::secret/a"})) == "nothing"


def test_a_deny_counts_more_than_any_allow() -> None:
    both = {"Statement": [policy()["Statement"], policy(Effect="Deny", Action="s3:GetObject")["Statement"]]}
    assert decide(both, Request(**ASKED)) == "deny"


def test_a_policy_of_the_caller_s_own_role_names_no_principal() -> None:
    document = policy()
    del document["Statement"]["Principal"]
    assert decide_for_identity(document, Request(**ASKED)) == "allow"
    assert decide(document, Request(**ASKED)) == "nothing"


def test_an_account_s_own_keys_are_no_role() -> None:
    document = policy(Principal={"AWS": ROLE})
    assert decide(document, Request(**ASKED | {"caller": Principal(account=OURS)})) == "nothing"


@pytest.mark.parametrize(
    "changes",
    [{"NotPrincipal": "*"}, {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}],
)
def test_what_is_not_known_allows_nothing_and_is_named(changes: dict[str, Any]) -> None:
    with pytest.raises(UnknownPolicyElementError, match=r"NotPrincipal|IpAddress"):
        decide(policy(**changes), Request(**ASKED))
