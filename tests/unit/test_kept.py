"""What an earlier deployment kept: what of it is taken up, and what is refused with a remedy."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from infrastructure.chalice_config import tags_of
from infrastructure.deployment import inventory, parameters
from infrastructure.deployment.kept import Kept, Legacy, legacy, take_up
from infrastructure.deployment.target import Target
from infrastructure.importing import import_template
from infrastructure.render import render

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT, HERE = "123456789012", "eu-west-1"
OURS = tags_of("decant", "dev")
ARTIFACTS = f"decant-dev-artifacts-{ACCOUNT}"
LANDING = f"decant-dev-landing-{ACCOUNT}"
KEY = "11111111-1111-1111-1111-111111111111"


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{code} does not exist"}}, "Operation")


@dataclass
class Bucket:
    region: str = HERE
    tags: dict[str, str] = field(default_factory=lambda: dict(OURS))
    key: str = ""
    owner: str = ACCOUNT


@dataclass
class Account:
    """Answers as S3, KMS, STS, CloudFormation and Redshift Serverless do of what was left in an account."""

    buckets: dict[str, Bucket] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    key_tags: dict[str, str] = field(default_factory=lambda: dict(OURS))
    namespace: dict[str, str] | None = None
    stack: str | None = None
    remembered: dict[str, str] = field(default_factory=dict)
    change_sets: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, _service: str) -> Account:
        return self

    @property
    def meta(self) -> Any:
        return type("Meta", (), {"region_name": HERE})

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": ACCOUNT}

    def head_bucket(self, Bucket: str, ExpectedBucketOwner: str) -> None:  # noqa: N803 - boto3's names
        if Bucket not in self.buckets:
            raise refusal("404")
        if self.buckets[Bucket].owner != ExpectedBucketOwner:
            raise refusal("403")

    def list_buckets(self) -> dict[str, Any]:
        return {"Buckets": [{"Name": name} for name in self.buckets]}

    def get_bucket_location(self, Bucket: str) -> dict[str, str]:  # noqa: N803
        return {"LocationConstraint": self.buckets[Bucket].region}

    def get_bucket_tagging(self, Bucket: str) -> dict[str, Any]:  # noqa: N803
        if not self.buckets[Bucket].tags:
            raise refusal("NoSuchTagSet")
        return {"TagSet": [{"Key": k, "Value": v} for k, v in self.buckets[Bucket].tags.items()]}

    def get_bucket_encryption(self, Bucket: str) -> dict[str, Any]:  # noqa: N803
        key = self.buckets[Bucket].key
        rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if key else {"SSEAlgorithm": "AES256"}
        return {
            "ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]}
        }

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert (Bucket, Key) == (ARTIFACTS, parameters.KEY)
        if not self.remembered:
            raise refusal("NoSuchKey")
        return {"Body": io.BytesIO(json.dumps(self.remembered).encode())}

    def get_paginator(self, operation: str) -> Account:
        assert operation in {"list_keys", "list_stack_resources"}
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"Keys": [{"KeyId": key} for key in self.keys], "StackResourceSummaries": []}

    def list_resource_tags(self, KeyId: str) -> dict[str, Any]:  # noqa: N803
        assert KeyId in self.keys
        return {"Tags": [{"TagKey": k, "TagValue": v} for k, v in self.key_tags.items()]}

    def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803
        return {"KeyMetadata": {"KeyState": self.keys[KeyId]}}

    def get_namespace(self, namespaceName: str) -> dict[str, Any]:  # noqa: N803
        if self.namespace is None:
            raise refusal("ResourceNotFoundException")
        return {"namespace": {"namespaceArn": namespaceName}}

    def list_tags_for_resource(self, resourceArn: str) -> dict[str, Any]:  # noqa: N803
        assert resourceArn == "decant-dev"
        return {"tags": [{"key": k, "value": v} for k, v in (self.namespace or {}).items()]}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        assert StackName == "decant-dev-infra"
        if self.stack is None:
            raise refusal("ValidationError")
        return {"Stacks": [{"StackName": StackName, "StackStatus": self.stack}]}

    def create_change_set(self, **request: Any) -> None:
        self.change_sets.append(request)

    def get_waiter(self, _name: str) -> Account:
        return self

    def wait(self, **_: Any) -> None:
        """Nothing takes time here."""

    def execute_change_set(self, **request: Any) -> None:
        assert request["ChangeSetName"] == self.change_sets[-1]["ChangeSetName"]


def look(account: Account, **given: str) -> Legacy:
    return legacy(target(account, **given))


def target(account: Account, **given: str) -> Target:
    return Target(stage="dev", client=account, environment={}, parameters=given)


def only(found: Legacy) -> Kept:
    (thing,) = found.things
    return thing


def test_nothing_is_kept_where_nothing_was() -> None:
    found = look(Account(), LandingDays="3")
    assert (found.things, found.parameters) == ([], {"LandingDays": "3"})


def test_buckets_of_the_stage_and_the_key_that_they_name_are_taken_up() -> None:
    key = f"arn:aws:kms:{HERE}:{ACCOUNT}:key/{KEY}"
    account = Account({ARTIFACTS: Bucket(key=key), LANDING: Bucket()}, keys={KEY: "Enabled", "2": "Enabled"})
    found = look(account)
    assert found.taken_up == {"LandingBucket": LANDING, "ArtifactsBucket": ARTIFACTS, "Key": KEY}
    assert found.parameters == {"EncryptionKey": "own"}
    assert not found.refused


def test_buckets_that_name_no_key_stay_without_one_unless_it_is_asked_for() -> None:
    account = Account({LANDING: Bucket()}, keys={KEY: "Enabled"})
    assert look(account).taken_up == {"LandingBucket": LANDING}
    assert look(account).parameters == {"EncryptionKey": "aws"}
    assert look(account, EncryptionKey="own").taken_up == {"LandingBucket": LANDING, "Key": KEY}
    account.keys["2"] = "Enabled"  # which one it was is not known: a new one is made
    assert look(account, EncryptionKey="own").taken_up == {"LandingBucket": LANDING}


@pytest.mark.parametrize(
    ("bucket", "why", "remedy"),
    [
        (Bucket(owner="999999999999"), "somebody has it", "choose another --stage"),
        (Bucket(region="us-east-2"), "it is in us-east-2", "choose another --stage"),
        (Bucket(tags={}), "it has no tag decant:app=decant", "aws s3api put-bucket-tagging"),
        (
            Bucket(tags={**OURS, "decant:stage": "prod"}),
            "it has no tag decant:stage=dev",
            "put-bucket-tagging",
        ),
        (
            Bucket(tags={**OURS, "aws:cloudformation:stack-name": "lake"}),
            "stack lake made it",
            "choose another",
        ),
    ],
)
def test_a_bucket_that_may_be_anothers_is_refused(bucket: Bucket, why: str, remedy: str) -> None:
    found = look(Account({LANDING: bucket}))
    assert found.taken_up == {}
    assert (why in only(found).why, remedy in only(found).remedy) == (True, True), only(found)
    assert found.refused == found.things


def test_a_bucket_with_the_name_of_a_stage_is_deleted_with_it_only_if_its_tags_say_whose_it_is() -> None:
    account = Account(buckets={LANDING: Bucket(), ARTIFACTS: Bucket(tags={}), "decant-dev-mine": Bucket()})
    assert inventory.buckets(target(account)) == [LANDING]


def test_a_bucket_beside_a_stack_that_stands_is_refused_with_the_way_back() -> None:
    found = look(Account({LANDING: Bucket()}, stack="UPDATE_COMPLETE"))
    assert only(found).why == "yours, in no stack"
    assert "decant destroy --stage dev" in only(found).remedy


@pytest.mark.parametrize("status", ["REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"])
def test_a_stack_that_never_came_to_be_is_no_stack(status: str) -> None:
    assert look(Account({LANDING: Bucket()}, stack=status)).taken_up == {"LandingBucket": LANDING}


@pytest.mark.parametrize(
    ("keys", "given", "why", "remedy"),
    [
        ({}, {}, "it is gone, or has other tags", "--delete-data"),
        ({KEY: "PendingDeletion"}, {}, "it is PendingDeletion", f"cancel-key-deletion --key-id {KEY} && "),
        ({KEY: "Disabled"}, {}, "it is Disabled", f"aws kms enable-key --key-id {KEY}"),
        ({KEY: "Enabled"}, {"EncryptionKey": "aws"}, "EncryptionKey=aws leaves", "EncryptionKey=own"),
    ],
)
def test_a_deployment_that_could_not_read_the_kept_files_is_refused(
    keys: dict[str, str], given: dict[str, str], why: str, remedy: str
) -> None:
    (thing,) = look(Account({LANDING: Bucket(key=KEY)}, keys=keys), **given).refused
    assert (thing.kind, thing.name) == ("KMS key", KEY)
    assert why in thing.why
    assert remedy in thing.remedy


def test_what_the_stage_was_told_before_holds_until_it_is_told_otherwise() -> None:
    told = {"LandingDays": "7", "QuarantineDays": "30", "GoneSince": "1"}
    account = Account({ARTIFACTS: Bucket()}, remembered={**told, "EncryptionKey": "own"})
    found = look(account, QuarantineDays="60")
    assert found.parameters == {"LandingDays": "7", "QuarantineDays": "60", "EncryptionKey": "own"}


def test_a_serverless_warehouse_is_taken_up_if_it_is_wanted_and_the_stages() -> None:
    ours, wanted = Account(namespace=dict(OURS)), {"Warehouse": "serverless", "Network": "own"}
    assert look(ours, **wanted).taken_up == {"WarehouseNamespace": "decant-dev"}
    told = only(look(ours))
    assert "--parameter Warehouse=serverless" in told.remedy
    assert not told.blocks
    other = Account(namespace={})
    assert not only(look(other)).blocks
    assert only(look(other, **wanted)).blocks


def test_what_is_imported_needs_nothing_else_and_tells_whose_it_is() -> None:
    names = ["Key", "LandingBucket", "WarehouseNamespace"]
    template = import_template(render("dev"), names, OURS)
    assert "Outputs" not in template
    assert list(template["Resources"]) == names
    for resource in template["Resources"].values():
        assert resource["DeletionPolicy"] == "Retain"
        assert {each["Key"]: each["Value"] for each in resource["Properties"]["Tags"]} == OURS
    assert "Secret" not in json.dumps(template["Resources"])
    assert "Role" not in json.dumps(template["Resources"]["WarehouseNamespace"])


def test_an_import_names_each_resource_by_what_identifies_its_type_and_carries_no_tags() -> None:
    account = Account({LANDING: Bucket(key=KEY)}, keys={KEY: "Enabled"})
    take_up(target(account), look(account))
    (request,) = account.change_sets
    assert request["ChangeSetType"] == "IMPORT"
    assert request["ResourcesToImport"] == [
        {
            "LogicalResourceId": "LandingBucket",
            "ResourceType": "AWS::S3::Bucket",
            "ResourceIdentifier": {"BucketName": LANDING},
        },
        {
            "LogicalResourceId": "Key",
            "ResourceType": "AWS::KMS::Key",
            "ResourceIdentifier": {"KeyId": KEY},
        },
    ]
    assert "Tags" not in request
    assert {"ParameterKey": "EncryptionKey", "ParameterValue": "own"} in request["Parameters"]


def test_an_import_without_the_key_leaves_the_key_to_the_next_update() -> None:
    account = Account({LANDING: Bucket()})
    take_up(target(account, EncryptionKey="own"), look(account, EncryptionKey="own"))
    (request,) = account.change_sets
    assert {"ParameterKey": "EncryptionKey", "ParameterValue": "aws"} in request["Parameters"]
