"""What a new stack would get, by the values of its parameters."""

from __future__ import annotations

import pytest

from infrastructure.conditions import UnreadableConditionError, resources_of
from infrastructure.render import render


def kinds(**given: str) -> set[str]:
    return {resource["Type"] for resource in resources_of(render("dev"), given).values()}


def test_a_stage_gets_no_network_and_no_warehouse_unless_somebody_asks():
    made = kinds()
    assert {"AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret"} <= made
    assert not {each for each in made if each.startswith(("AWS::EC2::", "AWS::RedshiftServerless::"))}


def test_what_somebody_asks_for_is_made():
    asked = kinds(Warehouse="serverless", Network="own", AlarmEmail="you@example.com")
    assert {"AWS::RedshiftServerless::Workgroup", "AWS::EC2::VPC", "AWS::SNS::Subscription"} <= asked


def test_amazons_own_keys_need_no_key():
    assert "AWS::KMS::Key" not in kinds(EncryptionKey="aws")


def test_a_list_that_names_somebody_counts_as_given():
    template = render("dev")
    role = "arn:aws:iam::210987654321:role/reader"
    assert "AssumeSourceRoles" not in resources_of(template, {})
    assert "AssumeSourceRoles" in resources_of(template, {"TrustedSourceRoles": role})


def test_a_condition_that_cannot_be_read_is_refused():
    template = {
        "Parameters": {},
        "Conditions": {"Odd": {"Fn::Contains": [["a"], "a"]}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Condition": "Odd"}},
    }
    with pytest.raises(UnreadableConditionError, match="Fn::Contains"):
        resources_of(template, {})
