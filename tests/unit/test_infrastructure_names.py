"""The names of a stage: its own, and within AWS's limits however long App and Stage are."""

from __future__ import annotations

import pytest

import app
from infrastructure.chalice_config import FUNCTIONS
from infrastructure.render import render
from infrastructure.resolved import Names

TEMPLATE = render("local")
LONGEST = {"App": "a" * 20, "Stage": "s" * 16}
MOST = {
    "AWS::Athena::WorkGroup": 128,
    "AWS::CloudWatch::Alarm": 255,
    "AWS::CloudWatch::Dashboard": 255,
    "AWS::EC2::SecurityGroup": 255,
    "AWS::Events::Rule": 64,
    "AWS::Glue::Crawler": 255,
    "AWS::Glue::Database": 255,
    "AWS::Glue::Job": 255,
    "AWS::Glue::SecurityConfiguration": 255,
    "AWS::IAM::Role": 64,
    "AWS::KMS::Alias": 256,
    "AWS::Logs::LogGroup": 512,
    "AWS::RedshiftServerless::Namespace": 64,
    "AWS::RedshiftServerless::Workgroup": 64,
    "AWS::S3::Bucket": 63,
    "AWS::SNS::Topic": 256,
    "AWS::SQS::Queue": 80,
    "AWS::SecretsManager::Secret": 512,
    "AWS::StepFunctions::StateMachine": 80,
}
"""AWS's most characters of a name, by type."""

INSIDE = {"AWS::Glue::Table", "AWS::IAM::Policy", "AWS::QuickSight::Dashboard", "AWS::QuickSight::DataSet"}
"""Named inside something that is the stage's own, or by an id besides."""


def named(values):
    names = Names(TEMPLATE, values)
    return {
        (each["Type"], logical): names.name(logical)
        for logical, each in TEMPLATE["Resources"].items()
        if names.name(logical) and each["Type"] not in INSIDE | {"AWS::QuickSight::DataSource"}
    }


def test_every_name_fits_for_the_longest_app_and_stage():
    for (kind, logical), name in named(LONGEST).items():
        assert len(name) <= MOST[kind], (logical, name)


def test_every_type_that_takes_a_name_gets_one_of_the_stages_own():
    kinds = {kind for kind, _ in named(LONGEST)}
    assert kinds == set(MOST) & {each["Type"] for each in TEMPLATE["Resources"].values()}
    prefixes = ("decant-local", "decant_local", "alias/decant-local", "/aws/", "/decant/")
    for name in named({}).values():
        assert name.startswith(prefixes), name
        assert "decant" in name
        assert "local" in name


@pytest.mark.parametrize("other", [{"Stage": "prod"}, {"App": "pour"}], ids=["stage", "app"])
def test_two_stages_of_one_account_share_no_name(other):
    one, two = named({"App": "decant", "Stage": "dev"}), named({"App": "decant", "Stage": "dev", **other})
    assert not set(one.values()) & set(two.values())


def test_functions_and_their_schedules_fit_as_chalice_names_them():
    prefix = f"{LONGEST['App']}-{LONGEST['Stage']}"
    schedules = {each.name for each in app.app.event_sources if type(each).__name__ == "ScheduledEventConfig"}
    assert schedules
    for name in set(FUNCTIONS) - {"api_handler"}:
        assert len(f"{prefix}-{name}") <= 64, name
    for name in schedules:
        assert len(f"{prefix}-{name}-event") <= 64, name
