"""Change sets of type IMPORT against the embedded AWS, through boto3 as a client would."""

from __future__ import annotations

import json
import uuid

import pytest
from botocore.exceptions import ClientError

from local_aws.services.cloudformation.importing import Import
from local_aws.services.cloudformation.stack import Resource, Stack

VERSIONED = {"VersioningConfiguration": {"Status": "Enabled"}}
GIVEN_TAGS = [{"Key": "whose", "Value": "ours"}]


@pytest.fixture
def word():
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def cloudformation(local_aws):
    return local_aws.client("cloudformation")


@pytest.fixture
def s3(local_aws):
    return local_aws.client("s3")


def bucket(name, policy="Retain", **properties):
    made = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, **properties}}
    return {**made, "DeletionPolicy": policy} if policy else made


def entry(name, value, kind="AWS::S3::Bucket", key="BucketName"):
    return {"LogicalResourceId": name, "ResourceType": kind, "ResourceIdentifier": {key: value}}


def propose(cloudformation, stack, resources, entries, request=None, **template):
    """Make the change set and return it as CloudFormation describes it."""
    made = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName="take-up",
        ChangeSetType="IMPORT",
        ResourcesToImport=entries,
        TemplateBody=json.dumps({"Resources": resources, **template}),
        **request or {},
    )
    return cloudformation.describe_change_set(ChangeSetName=made["Id"])


def run(cloudformation, change_set):
    cloudformation.execute_change_set(ChangeSetName=change_set["ChangeSetId"])
    return status_of(cloudformation, change_set["StackId"])


def status_of(cloudformation, stack):
    return cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]


def refusal(*arguments, **more):
    with pytest.raises(ClientError) as refused:
        propose(*arguments, **more)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    return refused.value.response["Error"]["Message"]


def test_what_a_deleted_stack_kept_belongs_to_the_next_with_all_that_is_in_it(cloudformation, s3, word):
    body = json.dumps({"Resources": {"Kept": bucket(word), "Other": bucket(f"{word}-other", policy=None)}})
    cloudformation.create_stack(StackName=word, TemplateBody=body)
    s3.put_object(Bucket=word, Key="a", Body=b"before")
    cloudformation.delete_stack(StackName=word)

    kept = {"Kept": bucket(word, **VERSIONED)}
    proposed = propose(cloudformation, word, kept, [entry("Kept", word)])
    assert (proposed["Status"], proposed["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert proposed["Changes"] == [
        {
            "Type": "Resource",
            "ResourceChange": {
                "Action": "Import",
                "LogicalResourceId": "Kept",
                "PhysicalResourceId": word,
                "ResourceType": "AWS::S3::Bucket",
                "Scope": [],
                "Details": [],
            },
        }
    ]
    assert status_of(cloudformation, word) == "REVIEW_IN_PROGRESS"
    assert run(cloudformation, proposed) == "IMPORT_COMPLETE"
    cloudformation.get_waiter("stack_import_complete").wait(StackName=word)
    (held,) = cloudformation.describe_stack_resources(StackName=word)["StackResources"]
    assert (held["PhysicalResourceId"], held["ResourceStatus"]) == (word, "UPDATE_COMPLETE")
    events = cloudformation.describe_stack_events(StackName=word)["StackEvents"]
    assert [each["ResourceStatus"] for each in reversed(events) if each["LogicalResourceId"] == "Kept"] == [
        "IMPORT_IN_PROGRESS",
        "IMPORT_COMPLETE",
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE",
    ]
    assert s3.get_bucket_versioning(Bucket=word)["Status"] == "Enabled"

    more = {**kept, "Other": bucket(f"{word}-other", policy=None)}
    outputs = {"Name": {"Value": {"Ref": "Kept"}}}
    cloudformation.update_stack(
        StackName=word, TemplateBody=json.dumps({"Resources": more, "Outputs": outputs}), Tags=GIVEN_TAGS
    )
    assert status_of(cloudformation, word) == "UPDATE_COMPLETE"
    assert s3.get_bucket_tagging(Bucket=word)["TagSet"] == GIVEN_TAGS
    with s3.get_object(Bucket=word, Key="a")["Body"] as found:
        assert found.read() == b"before"
    cloudformation.delete_stack(StackName=word)
    s3.head_bucket(Bucket=word)


def test_a_stack_that_stands_gains_a_resource_and_gives_it_its_tags(cloudformation, s3, word):
    first = {"First": bucket(f"{word}-first", policy=None)}
    cloudformation.create_stack(
        StackName=word, TemplateBody=json.dumps({"Resources": first}), Tags=GIVEN_TAGS
    )
    s3.create_bucket(Bucket=word)
    entries, second = [entry("Second", word)], {"Second": bucket(word)}
    modified = {"First": bucket(f"{word}-first", policy=None, **VERSIONED)}
    said = "You have modified resources [First] in your template that are not being imported."
    assert refusal(cloudformation, word, {**modified, **second}, entries).startswith(said)
    assert refusal(cloudformation, word, second, entries).startswith(said)
    assert (
        run(cloudformation, propose(cloudformation, word, {**first, **second}, entries)) == "IMPORT_COMPLETE"
    )
    assert s3.get_bucket_tagging(Bucket=word)["TagSet"] == GIVEN_TAGS
    assert (
        refusal(cloudformation, word, {**first, **second, "Third": bucket(f"{word}-third")}, entries)
        == "Resources [Second] passed in ResourceToImport are already in a stack and cannot be imported."
    )
    assert (
        refusal(cloudformation, word, {**first, **second}, entries)
        == "The template should contain at least one new resource to import."
    )
    cloudformation.delete_stack(StackName=word)


TOPIC = {"kind": "AWS::SNS::Topic", "key": "TopicArn"}


@pytest.mark.parametrize(
    ("resources", "entries", "more", "said"),
    [
        ({"A": bucket("a")}, [], {}, "Must Provide at least one resource to import"),
        (
            {"A": bucket("a", policy=None)},
            [entry("A", "a")],
            {},
            (
                "The following resources to import [A] must have DeletionPolicy attribute specified in the "
                "template."
            ),
        ),
        (
            {"A": bucket("a"), "B": bucket("b")},
            [entry("A", "a")],
            {},
            "Resources [B] is missing from ResourceToImport list",
        ),
        (
            {"A": bucket("a")},
            [entry("A", "a"), entry("A", "a")],
            {},
            "Every resource to import must have unique LogicalResourceId",
        ),
        (
            {"A": bucket("a")},
            [entry("B", "a")],
            {},
            "The logical resource ids [B] provided in ResourceToImport do not exist in the template.",
        ),
        (
            {"A": bucket("a")},
            [entry("A", "a", key="Name")],
            {},
            "Invalid resource identifier for resource type AWS::S3::Bucket. Expected [BucketName]",
        ),
        (
            {"A": bucket("a")},
            [entry("A", "arn:aws:sns:us-east-1:123456789012:a", **TOPIC)],
            {},
            (
                "Resource type of [A] passed in ResourceToImport does not match with resource type defined "
                "in the template. Resource type in ResourceToImport: AWS::SNS::Topic; Resource type in "
                "Template: AWS::S3::Bucket."
            ),
        ),
        (
            {"A": bucket("a")},
            [entry("A", "a", kind="AWS::S3::BucketPolicy", key="Bucket")],
            {},
            "ResourceTypes [AWS::S3::BucketPolicy] are not supported for Import",
        ),
        (
            {"A": bucket("a")},
            [entry("A", "a")],
            {"Outputs": {"A": {"Value": "a"}}},
            "As part of the import operation, you cannot modify or add [Outputs]",
        ),
        (
            {"A": bucket("a")},
            [entry("A", "a")],
            {"request": {"Tags": GIVEN_TAGS, "RoleARN": "arn:aws:iam::123456789012:role/any-role"}},
            "As part of the import operation, you cannot modify or add [RoleArn, Tags]",
        ),
    ],
)
def test_what_an_import_may_not_be_is_refused_and_makes_no_stack(
    cloudformation, word, resources, entries, more, said
):
    assert refusal(cloudformation, word, resources, entries, **more) == said
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName=word)


@pytest.mark.parametrize(
    ("kind", "key", "value", "said"),
    [
        ("AWS::S3::Bucket", "BucketName", "nowhere", "Bucket not found"),
        (
            "AWS::KMS::Key",
            "KeyId",
            "00000000-0000-0000-0000-000000000000",
            (
                "Resource of type 'AWS::KMS::Key' with identifier '00000000-0000-0000-0000-000000000000' "
                "was not found."
            ),
        ),
        (
            "AWS::RedshiftServerless::Namespace",
            "NamespaceName",
            "nowhere",
            "Resource of type 'AWS::RedshiftServerless::Namespace' with identifier 'nowhere' was not found.",
        ),
        (
            "AWS::Logs::LogGroup",
            "LogGroupName",
            "nowhere",
            "Resource of type 'AWS::Logs::LogGroup' with identifier 'nowhere' was not found.",
        ),
        (
            "AWS::SQS::Queue",
            "QueueUrl",
            "https://sqs.us-east-1.amazonaws.com/123456789012/nowhere",
            (
                "Resource of type 'AWS::SQS::Queue' with identifier "
                "'https://sqs.us-east-1.amazonaws.com/123456789012/nowhere' was not found."
            ),
        ),
    ],
)
def test_what_does_not_exist_fails_the_change_set(cloudformation, word, kind, key, value, said):
    resources = {"A": {"Type": kind, "DeletionPolicy": "Retain", "Properties": {}}}
    proposed = propose(cloudformation, word, resources, [entry("A", value, kind, key)])
    assert (proposed["Status"], proposed["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert (proposed["StatusReason"], proposed["Changes"]) == (said, [])
    with pytest.raises(ClientError, match="cannot be executed in its current execution status"):
        cloudformation.execute_change_set(ChangeSetName=proposed["ChangeSetId"])
    assert status_of(cloudformation, word) == "REVIEW_IN_PROGRESS"
    cloudformation.delete_stack(StackName=word)


def test_what_another_stack_holds_stays_with_it(cloudformation, word):
    body = json.dumps({"Resources": {"A": bucket(word, policy="Delete")}})
    owner = cloudformation.create_stack(StackName=f"{word}-owner", TemplateBody=body)["StackId"]
    proposed = propose(cloudformation, word, {"A": bucket(word)}, [entry("A", word)])
    assert proposed["StatusReason"] == f"{word} already exists in stack {owner}"
    for stack in (word, f"{word}-owner"):
        cloudformation.delete_stack(StackName=stack)


def test_an_import_that_fails_leaves_everything_outside_and_untouched(cloudformation, s3, word):
    s3.create_bucket(Bucket=word)
    s3.create_bucket(Bucket=f"{word}-gone")
    resources = {"A": bucket(word), "B": bucket(f"{word}-gone")}
    entries = [entry("A", word), entry("B", f"{word}-gone")]
    proposed = propose(cloudformation, word, resources, entries)
    s3.delete_bucket(Bucket=f"{word}-gone")
    assert run(cloudformation, proposed) == "IMPORT_ROLLBACK_COMPLETE"
    assert cloudformation.describe_stack_resources(StackName=word)["StackResources"] == []
    failed = [
        each["ResourceStatusReason"]
        for each in cloudformation.describe_stack_events(StackName=word)["StackEvents"]
        if each["ResourceStatus"] == "IMPORT_FAILED"
    ]
    assert failed == ["Bucket not found"]
    cloudformation.delete_stack(StackName=word)
    s3.head_bucket(Bucket=word)


def test_a_name_that_is_not_the_identifiers_fails_the_import(cloudformation, s3, word):
    s3.create_bucket(Bucket=word)
    proposed = propose(cloudformation, word, {"A": bucket(f"{word}-other")}, [entry("A", word)])
    assert run(cloudformation, proposed) == "IMPORT_ROLLBACK_COMPLETE"
    described = cloudformation.describe_stacks(StackName=word)["Stacks"][0]
    assert "The Identifier [BucketName] for resource [A] does not match" in described["StackStatusReason"]
    cloudformation.delete_stack(StackName=word)


def test_an_import_that_was_cut_short_is_taken_back_at_the_next_start():
    held = Resource("A", "AWS::S3::Bucket", "a", "a", {}, {}, retained=True)
    cut = Stack(
        "arn", "cut", "123456789012", "us-east-1", "", {}, {}, resources={"A": held}, importing=("A",)
    )
    cut.tell("IMPORT_IN_PROGRESS")
    Import(cut, lambda _: None, {}, lambda: None).recover()
    assert (cut.status, cut.resources, cut.importing) == ("IMPORT_ROLLBACK_COMPLETE", {}, ())


def test_keys_queues_topics_and_groups_are_imported_too(local_aws, cloudformation, word):
    key = local_aws.client("kms").create_key()["KeyMetadata"]["KeyId"]
    queue = local_aws.client("sqs").create_queue(QueueName=word)["QueueUrl"]
    topic = local_aws.client("sns").create_topic(Name=word)["TopicArn"]
    logs = local_aws.client("logs")
    logs.create_log_group(logGroupName=word)
    redshift = local_aws.client("redshift-serverless")
    redshift.create_namespace(namespaceName=word)
    kinds = {
        "K": ("AWS::KMS::Key", "KeyId", key, {"Description": word, "EnableKeyRotation": True}),
        "Q": ("AWS::SQS::Queue", "QueueUrl", queue, {"QueueName": word}),
        "T": ("AWS::SNS::Topic", "TopicArn", topic, {"TopicName": word}),
        "L": ("AWS::Logs::LogGroup", "LogGroupName", word, {"LogGroupName": word, "RetentionInDays": 7}),
        "N": ("AWS::RedshiftServerless::Namespace", "NamespaceName", word, {"NamespaceName": word}),
    }
    resources = {
        name: {"Type": kind, "DeletionPolicy": "Delete", "Properties": properties}
        for name, (kind, _, _, properties) in kinds.items()
    }
    entries = [entry(name, value, kind, at) for name, (kind, at, value, _) in kinds.items()]
    assert run(cloudformation, propose(cloudformation, word, resources, entries)) == "IMPORT_COMPLETE"
    assert local_aws.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Description"] == word
    (group,) = logs.describe_log_groups(logGroupNamePrefix=word)["logGroups"]
    assert group["retentionInDays"] == 7
    cloudformation.delete_stack(StackName=word)
    state = local_aws.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    assert state == "PendingDeletion"
    assert logs.describe_log_groups(logGroupNamePrefix=word)["logGroups"] == []
