"""CloudFormation stacks against the embedded AWS, through boto3 as a client would."""

from __future__ import annotations

import io
import json
import threading
import time
import uuid
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.integration.conftest import running_aws

ROLE = "arn:aws:iam::123456789012:role/any"
DEFINITION = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "Result": "${Greeting}", "End": True}}}


@pytest.fixture
def word():
    """A word that no other test uses in its names."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def cloudformation(local_aws):
    return local_aws.client("cloudformation")


@contextmanager
def stack(cloudformation, name, resources, parameters=None, **template):
    """Make a stack, give its description, and delete it."""
    body = json.dumps({"Resources": resources, **template})
    cloudformation.create_stack(StackName=name, TemplateBody=body, Parameters=listed(parameters or {}))
    try:
        yield describe(cloudformation, name)
    finally:
        cloudformation.delete_stack(StackName=name)


def listed(parameters):
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]


def describe(cloudformation, name):
    return cloudformation.describe_stacks(StackName=name)["Stacks"][0]


def outputs(described):
    return {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}


def update(cloudformation, name, resources, parameters=None, **template):
    body = json.dumps({"Resources": resources, **template})
    cloudformation.update_stack(StackName=name, TemplateBody=body, Parameters=listed(parameters or {}))
    return describe(cloudformation, name)


def topic(name, **properties):
    return {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name, **properties}}


def topics(local_aws):
    pages = local_aws.client("sns").get_paginator("list_topics").paginate()
    return {each["TopicArn"].rpartition(":")[2] for page in pages for each in page["Topics"]}


def refused(call, **arguments):
    with pytest.raises(ClientError) as refusal:
        call(**arguments)
    return refusal.value.response["Error"]


def test_a_buckets_properties_are_really_applied(local_aws, cloudformation, word):
    properties = {
        "BucketName": word,
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
            ]
        },
        "LifecycleConfiguration": {"Rules": [{"Id": "old", "Status": "Enabled", "ExpirationInDays": 3}]},
        "Tags": [{"Key": "who", "Value": "me"}],
    }
    policy = {
        "Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{word}/*"}
            | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
        ]
    }
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": policy},
        },
    }
    s3 = local_aws.client("s3")
    with stack(cloudformation, word, resources) as made:
        assert made["StackStatus"] == "CREATE_COMPLETE"
        assert s3.get_bucket_versioning(Bucket=word)["Status"] == "Enabled"
        assert s3.get_public_access_block(Bucket=word)["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
        assert s3.get_bucket_encryption(Bucket=word)["ServerSideEncryptionConfiguration"]["Rules"]
        (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=word)["Rules"]
        assert rule["Expiration"] == {"Days": 3}
        assert json.loads(s3.get_bucket_policy(Bucket=word)["Policy"]) == policy
        assert s3.get_bucket_tagging(Bucket=word)["TagSet"] == [{"Key": "who", "Value": "me"}]
        s3.put_object(Bucket=word, Key="a", Body=b"a condition that is not met refuses nothing")
        s3.delete_object(Bucket=word, Key="a")
        for each in s3.list_object_versions(Bucket=word).get("Versions", []):
            s3.delete_object(Bucket=word, Key="a", VersionId=each["VersionId"])
        for each in s3.list_object_versions(Bucket=word).get("DeleteMarkers", []):
            s3.delete_object(Bucket=word, Key="a", VersionId=each["VersionId"])
    assert refused(s3.head_bucket, Bucket=word)["Code"] == "404"


def test_parameters_conditions_and_functions_reach_resources_and_outputs(local_aws, cloudformation, word):
    template = {
        "Parameters": {"Name": {"Type": "String"}, "Loud": {"Type": "String", "Default": "no"}},
        "Mappings": {"Words": {"hello": {"en": "hi"}}},
        "Conditions": {
            "IsLoud": {"Fn::Equals": [{"Ref": "Loud"}, "yes"]},
            "IsQuiet": {"Fn::Not": [{"Condition": "IsLoud"}]},
        },
        "Outputs": {
            "Arn": {"Value": {"Ref": "Topic"}},
            "Name": {"Value": {"Fn::GetAtt": ["Topic", "TopicName"]}, "Export": {"Name": word}},
            "Loud": {"Condition": "IsLoud", "Value": "never"},
            "Text": {
                "Value": {
                    "Fn::Sub": [
                        "${Word} ${AWS::Region} ${!Kept} $$.x",
                        {"Word": {"Fn::FindInMap": ["Words", "hello", "en"]}},
                    ]
                }
            },
            "Parts": {
                "Value": {
                    "Fn::Join": [
                        "+",
                        [{"Fn::Select": [1, {"Fn::Split": ["-", "a-b"]}]}, {"Fn::If": ["IsQuiet", "q", "l"]}],
                    ]
                }
            },
        },
    }
    resources = {
        "Topic": topic({"Fn::Sub": "${Name}-topic"}),
        "Never": {**topic(f"{word}-never"), "Condition": "IsLoud"},
    }
    with stack(cloudformation, word, resources, {"Name": word}, **template) as made:
        assert outputs(made) == {
            "Arn": f"arn:aws:sns:us-east-1:123456789012:{word}-topic",
            "Name": f"{word}-topic",
            "Text": "hi us-east-1 ${Kept} $$.x",
            "Parts": "b+q",
        }
        assert f"{word}-never" not in topics(local_aws)
        assert word in {each["Name"] for each in cloudformation.list_exports()["Exports"]}
        user = {"Topic": topic({"Fn::Join": ["-", [{"Fn::ImportValue": word}, "again"]]})}
        with stack(cloudformation, f"{word}-user", user):
            assert f"{word}-topic-again" in topics(local_aws)


def test_resources_are_made_after_what_they_refer_to(local_aws, cloudformation, word):
    resources = {
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "sqs",
                "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]},
                "FilterPolicy": {"outcome": ["failed"]},
            },
        },
        "Topic": topic(word),
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": word, "VisibilityTimeout": "7"}},
    }
    with stack(cloudformation, word, resources) as made:
        assert made["StackStatus"] == "CREATE_COMPLETE"
        sns = local_aws.client("sns")
        arn = f"arn:aws:sns:us-east-1:123456789012:{word}"
        (subscription,) = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        attributes = sns.get_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"])
        assert json.loads(attributes["Attributes"]["FilterPolicy"]) == {"outcome": ["failed"]}


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ({"Type": "AWS::EC2::Instance", "Properties": {}}, "AWS::EC2::Instance"),
        ({"Type": "AWS::SNS::Topic", "Properties": {"TracingConfig": "Active"}}, "TracingConfig"),
        ({"Type": "AWS::SNS::Subscription", "Properties": {"Protocol": "sqs"}}, "TopicArn"),
        ({"Type": "AWS::Glue::Crawler", "Properties": {"Name": "x", "Role": "r"}}, "Crawler"),
    ],
)
def test_what_cannot_be_made_rolls_the_stack_back_and_says_why(
    local_aws, cloudformation, word, resource, reason
):
    resources = {
        "First": {**topic(word), "DeletionPolicy": "RetainExceptOnCreate"},
        "Kept": {**topic(f"{word}-kept"), "DeletionPolicy": "Retain"},
        "Second": {**resource, "DependsOn": ["First", "Kept"]},
    }
    with stack(cloudformation, word, resources) as made:
        assert made["StackStatus"] == "ROLLBACK_COMPLETE"
        assert "Second" in made["StackStatusReason"]
        assert reason in made["StackStatusReason"]
        assert word not in topics(local_aws)
        assert f"{word}-kept" in topics(local_aws)
        events = cloudformation.describe_stack_events(StackName=word)["StackEvents"]
        failed = [each for each in events if each["ResourceStatus"] == "CREATE_FAILED"]
        assert [each["LogicalResourceId"] for each in failed] == ["Second"]
        error = refused(
            cloudformation.update_stack,
            StackName=word,
            TemplateBody=json.dumps({"Resources": {"A": topic(word)}}),
        )
        assert "ROLLBACK_COMPLETE" in error["Message"]
    assert "does not exist" in refused(cloudformation.describe_stacks, StackName=word)["Message"]


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{", "Template format error"),
        ("just text", "Resources"),
        (json.dumps({"Resources": {"A": {"Properties": {}}}}), "Type"),
        (json.dumps({"Resources": {"A": topic({"Ref": "Nowhere"})}}), "Nowhere"),
        (
            json.dumps({"Resources": {"A": topic({"Fn::GetAtt": ["B", "X"]}), "B": topic({"Ref": "A"})}}),
            "Circular",
        ),
        (json.dumps({"Resources": {"A": topic("a")}, "Outputs": {"O": {"Value": {"Ref": "Gone"}}}}), "Gone"),
        (json.dumps({"Resources": {"A": topic("a")}, "Parameters": {"P": {"Type": "String"}}}), "P"),
        (
            json.dumps({"Resources": {"A": topic("a")}, "Transform": "AWS::Serverless-2016-10-31"}),
            "Transform",
        ),
    ],
)
def test_a_template_that_makes_no_sense_makes_no_stack(cloudformation, word, template, reason):
    error = refused(cloudformation.create_stack, StackName=word, TemplateBody=template)
    assert error["Code"] == "ValidationError"
    assert reason in error["Message"]
    assert "does not exist" in refused(cloudformation.describe_stacks, StackName=word)["Message"]


def test_parameters_are_held_to_their_rules(cloudformation, word):
    template = {
        "Resources": {"A": topic(word)},
        "Parameters": {
            "Days": {"Type": "Number", "MinValue": 1},
            "Stage": {"Type": "String", "AllowedPattern": "[a-z]+"},
        },
    }
    for wrong in (
        {"Days": "0", "Stage": "a"},
        {"Days": "x", "Stage": "a"},
        {"Days": "1", "Stage": "A"},
        {"Days": "1", "Stage": "a", "More": "1"},
    ):
        error = refused(
            cloudformation.create_stack,
            StackName=word,
            TemplateBody=json.dumps(template),
            Parameters=listed(wrong),
        )
        assert error["Code"] == "ValidationError", wrong


def test_an_update_changes_adds_and_removes_and_leaves_the_rest(local_aws, cloudformation, word):
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": word, "RetentionInDays": 7}}
    logs = local_aws.client("logs")
    with stack(cloudformation, word, {"Group": group, "Old": topic(f"{word}-old")}):
        logs.create_log_stream(logGroupName=word, logStreamName="kept")
        changed = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": word, "RetentionInDays": 30}}
        made = update(cloudformation, word, {"Group": changed, "New": topic(f"{word}-new")})
        assert made["StackStatus"] == "UPDATE_COMPLETE"
        (found,) = logs.describe_log_groups(logGroupNamePrefix=word)["logGroups"]
        assert found["retentionInDays"] == 30
        assert logs.describe_log_streams(logGroupName=word)["logStreams"]
        assert {name for name in topics(local_aws) if name.startswith(word)} == {f"{word}-new"}


def test_an_update_without_a_change_is_refused_as_on_aws(cloudformation, word):
    template = {"Parameters": {"Name": {"Type": "String"}}}
    resources = {"A": topic({"Ref": "Name"})}
    with stack(cloudformation, word, resources, {"Name": word}, **template):
        body = json.dumps({"Resources": resources, **template}, indent=2)
        previous = [{"ParameterKey": "Name", "UsePreviousValue": True}]
        error = refused(cloudformation.update_stack, StackName=word, TemplateBody=body, Parameters=previous)
        assert error["Message"] == "No updates are to be performed."


def test_an_update_that_fails_goes_back_to_what_was_there(local_aws, cloudformation, word):
    with stack(cloudformation, word, {"A": topic(word, DisplayName="before")}):
        resources = {"A": topic(word, DisplayName="after"), "B": {"Type": "AWS::No::Such", "DependsOn": "A"}}
        made = update(cloudformation, word, resources)
        assert made["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        assert "AWS::No::Such" in made["StackStatusReason"]
        arn = f"arn:aws:sns:us-east-1:123456789012:{word}"
        attributes = local_aws.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
        assert attributes["DisplayName"] == "before"
        again = update(cloudformation, word, {"A": topic(word, DisplayName="after")})
        assert again["StackStatus"] == "UPDATE_COMPLETE"


def test_a_new_name_replaces_the_resource_after_the_new_one_is_there(local_aws, cloudformation, word):
    with stack(cloudformation, word, {"A": topic(f"{word}-1")}):
        update(cloudformation, word, {"A": topic(f"{word}-2")})
        assert {name for name in topics(local_aws) if name.startswith(word)} == {f"{word}-2"}
    assert not {name for name in topics(local_aws) if name.startswith(word)}


def test_a_replaced_resource_stays_when_its_policy_says_so(local_aws, cloudformation, word):
    kept = {"UpdateReplacePolicy": "Retain"}
    with stack(cloudformation, word, {"A": {**topic(f"{word}-1"), **kept}}):
        update(cloudformation, word, {"A": {**topic(f"{word}-2"), **kept}})
        assert {name for name in topics(local_aws) if name.startswith(word)} == {f"{word}-1", f"{word}-2"}


def test_a_change_that_would_need_a_new_name_is_refused(cloudformation, word):
    group = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": word, "AssumeRolePolicyDocument": {}}}
    with stack(cloudformation, word, {"Role": group}):
        moved = {**group, "Properties": {**group["Properties"], "Path": "/moved/"}}
        made = update(cloudformation, word, {"Role": moved})
        assert made["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        assert f"Rename {word}" in made["StackStatusReason"]


def test_jobs_crawlers_and_workgroups_change_in_place(local_aws, cloudformation, word):
    def resources(runs, prefix, place):
        command = {"Name": "glueetl", "ScriptLocation": "s3://b/script.py"}
        results = {"ResultConfiguration": {"OutputLocation": place}}
        return {
            "Job": {
                "Type": "AWS::Glue::Job",
                "Properties": {
                    "Name": word,
                    "Role": ROLE,
                    "Command": command,
                    "ExecutionProperty": {"MaxConcurrentRuns": runs},
                },
            },
            "Crawler": {
                "Type": "AWS::Glue::Crawler",
                "Properties": {
                    "Name": word,
                    "Role": ROLE,
                    "TablePrefix": prefix,
                    "Targets": {"S3Targets": [{"Path": "s3://b/p/"}]},
                },
            },
            "WorkGroup": {
                "Type": "AWS::Athena::WorkGroup",
                "Properties": {"Name": word, "WorkGroupConfiguration": results},
            },
        }

    with stack(cloudformation, word, resources(1, "a_", "s3://b/one/")):
        made = update(cloudformation, word, resources(2, "b_", "s3://b/two/"))
        assert made["StackStatus"] == "UPDATE_COMPLETE"
        glue = local_aws.client("glue")
        assert glue.get_job(JobName=word)["Job"]["ExecutionProperty"] == {"MaxConcurrentRuns": 2}
        assert glue.get_crawler(Name=word)["Crawler"]["TablePrefix"] == "b_"
        group = local_aws.client("athena").get_work_group(WorkGroup=word)["WorkGroup"]
        assert group["Configuration"]["ResultConfiguration"]["OutputLocation"] == "s3://b/two/"


def test_deleting_keeps_what_is_retained_and_takes_the_rest(local_aws, cloudformation, word):
    resources = {"Kept": {**topic(f"{word}-kept"), "DeletionPolicy": "Retain"}, "Gone": topic(f"{word}-gone")}
    with stack(cloudformation, word, resources):
        pass
    assert {name for name in topics(local_aws) if name.startswith(word)} == {f"{word}-kept"}
    cloudformation.delete_stack(StackName=word)  # once more is no error


def test_a_resource_that_somebody_else_deleted_does_not_stop_the_deletion(local_aws, cloudformation, word):
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": word}}
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": word}}
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": word}}
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": word, "SecretString": "x"}}
    resources = {"Queue": queue, "Group": group, "Bucket": bucket, "Secret": secret}
    with stack(cloudformation, word, resources) as made:
        sqs = local_aws.client("sqs")
        sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=word)["QueueUrl"])
        local_aws.client("logs").delete_log_group(logGroupName=word)
        local_aws.client("s3").delete_bucket(Bucket=word)
        local_aws.client("secretsmanager").delete_secret(SecretId=word, ForceDeleteWithoutRecovery=True)
    assert describe(cloudformation, made["StackId"])["StackStatus"] == "DELETE_COMPLETE"


def test_a_bucket_that_is_not_empty_stays_and_says_so(local_aws, cloudformation, word):
    s3 = local_aws.client("s3")
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": word}}
    with stack(cloudformation, word, {"Bucket": bucket}):
        s3.put_object(Bucket=word, Key="a", Body=b"a")
        cloudformation.delete_stack(StackName=word)
        described = describe(cloudformation, word)
        assert described["StackStatus"] == "DELETE_FAILED"
        assert "Bucket" in described["StackStatusReason"]
        s3.delete_object(Bucket=word, Key="a")
    assert refused(s3.head_bucket, Bucket=word)["Code"] == "404"


@pytest.mark.parametrize("way", ["DefinitionString", "Definition", "DefinitionS3Location"])
def test_a_state_machine_may_be_given_in_three_ways_and_really_runs(local_aws, cloudformation, word, way):
    s3, states = local_aws.client("s3"), local_aws.client("stepfunctions")
    s3.create_bucket(Bucket=word)
    s3.put_object(Bucket=word, Key="d.json", Body=json.dumps(DEFINITION).encode())
    given = {
        "DefinitionString": json.dumps(DEFINITION),
        "Definition": DEFINITION,
        "DefinitionS3Location": {"Bucket": word, "Key": "d.json"},
    }
    properties = {
        "StateMachineName": word,
        "RoleArn": ROLE,
        "DefinitionSubstitutions": {"Greeting": 'say "hi"'},
        "Tags": [{"Key": "who", "Value": "me"}],
        way: given[way],
    }
    resources = {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}
    output = {"Arn": {"Value": {"Ref": "Machine"}}, "Name": {"Value": {"Fn::GetAtt": "Machine.Name"}}}
    with stack(cloudformation, word, resources, Outputs=output) as made:
        arn = outputs(made)["Arn"]
        assert outputs(made)["Name"] == word
        described = states.describe_state_machine(stateMachineArn=arn)
        assert json.loads(described["definition"])["States"]["Done"]["Result"] == 'say "hi"'
        assert states.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "who", "value": "me"}]
        properties["DefinitionSubstitutions"]["Greeting"] = "bye"
        update(cloudformation, word, resources)
        described = states.describe_state_machine(stateMachineArn=arn)
        assert json.loads(described["definition"])["States"]["Done"]["Result"] == "bye"
    s3.delete_object(Bucket=word, Key="d.json")
    s3.delete_bucket(Bucket=word)


def test_a_broken_definition_fails_the_stack(cloudformation, word):
    broken = json.dumps({"StartAt": "Nowhere", "States": {"Done": {"Type": "Pass", "End": True}}})
    properties = {"StateMachineName": word, "RoleArn": ROLE, "DefinitionString": broken}
    resources = {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}
    with stack(cloudformation, word, resources) as made:
        assert made["StackStatus"] == "ROLLBACK_COMPLETE"
        assert "InvalidDefinition" in made["StackStatusReason"]


def test_every_other_type_is_really_made_and_deleted(local_aws, cloudformation, word):
    text = (Path(__file__).parents[1] / "files" / "every_resource_type.yaml").read_text()
    with function(local_aws, word):
        cloudformation.create_stack(StackName=word, TemplateBody=text, Parameters=listed({"Word": word}))
        assert describe(cloudformation, word).get("StackStatusReason") is None
        found = cloudformation.describe_stack_resources(StackName=word)["StackResources"]
        assert len(found) == text.count("    Type: AWS::")
        assert all(each["PhysicalResourceId"] for each in found)
        existing = existence(local_aws, word)
        assert [name for name, exists in existing.items() if not exists()] == []
        config = local_aws.client("lambda").get_function_event_invoke_config(FunctionName=word)
        assert config["DestinationConfig"]["OnFailure"]["Destination"].endswith(word)
        secret = local_aws.client("secretsmanager").get_secret_value(SecretId=word)["SecretString"]
        assert set(json.loads(secret)) == {"user", "password"}
        cloudformation.delete_stack(StackName=word)
        assert [name for name, exists in existing.items() if exists()] == []


@contextmanager
def function(local_aws, name):
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return event")
    iam, functions = local_aws.client("iam"), local_aws.client("lambda")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=f"{name}-function", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
    )
    functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role["Role"]["Arn"],
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
    )
    yield
    functions.delete_function(FunctionName=name)
    iam.delete_role(RoleName=f"{name}-function")


def existence(local_aws, word):
    """Return, by type, a question that its own service answers."""

    def asks(service, operation, **arguments):
        def exists():
            try:
                answer = getattr(local_aws.client(service), operation)(**arguments)
            except ClientError:
                return False
            return any(value for key, value in answer.items() if key != "ResponseMetadata")

        return exists

    return {
        "Role": asks("iam", "get_role", RoleName=word),
        "Secret": asks("secretsmanager", "describe_secret", SecretId=word),
        "Parameter": asks("ssm", "get_parameter", Name=f"/{word}"),
        "Database": asks("glue", "get_database", Name=word),
        "Job": asks("glue", "get_job", JobName=word),
        "Crawler": asks("glue", "get_crawler", Name=word),
        "Alias": asks("kms", "describe_key", KeyId=f"alias/{word}"),
        "SecurityConfiguration": asks("glue", "get_security_configuration", Name=word),
        "Group": asks("ec2", "describe_security_groups", Filters=[{"Name": "group-name", "Values": [word]}]),
        "Workgroup": asks("redshift-serverless", "get_workgroup", workgroupName=word),
        "Namespace": asks("redshift-serverless", "get_namespace", namespaceName=word),
        "WorkGroup": asks("athena", "get_work_group", WorkGroup=word),
        "Alarm": asks("cloudwatch", "describe_alarms", AlarmNames=[word]),
        "Rule": asks("events", "describe_rule", Name=word),
        "Schedule": asks("scheduler", "get_schedule", Name=word, GroupName=word),
        "EventInvokeConfig": asks("lambda", "get_function_event_invoke_config", FunctionName=word),
    }


def test_a_change_set_makes_and_changes_a_stack_with_outputs(cloudformation, word):
    template = {"Resources": {"A": topic(word)}, "Outputs": {"Arn": {"Value": {"Ref": "A"}}}}

    def change(number, kind, **more):
        cloudformation.create_change_set(
            StackName=word,
            ChangeSetName=f"c{number}",
            ChangeSetType=kind,
            TemplateBody=json.dumps({**template, **more}),
        )
        return cloudformation.describe_change_set(StackName=word, ChangeSetName=f"c{number}")

    first = change(1, "CREATE")
    assert [each["ResourceChange"]["Action"] for each in first["Changes"]] == ["Add"]
    cloudformation.execute_change_set(StackName=word, ChangeSetName="c1")
    made = describe(cloudformation, word)
    assert made["StackStatus"] == "CREATE_COMPLETE"
    assert outputs(made)["Arn"].endswith(word)
    same = change(2, "UPDATE")
    assert same["Status"] == "FAILED"
    assert "didn't contain changes" in same["StatusReason"]
    change(3, "UPDATE", Outputs={"Again": {"Value": {"Fn::GetAtt": "A.TopicName"}}})
    cloudformation.execute_change_set(StackName=word, ChangeSetName="c3")
    assert outputs(describe(cloudformation, word)) == {"Again": word}
    cloudformation.delete_stack(StackName=word)


def test_yaml_with_short_tags_is_read_from_s3_too(local_aws, cloudformation, word):
    text = "Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub '${AWS::StackName}-x'}}}"
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket=word)
    s3.put_object(Bucket=word, Key="t.yaml", Body=text.encode())
    cloudformation.create_stack(StackName=word, TemplateURL=f"https://{word}.s3.amazonaws.com/t.yaml")
    assert f"{word}-x" in topics(local_aws)
    cloudformation.delete_stack(StackName=word)


def test_a_topic_or_queue_that_somebody_has_is_not_taken_over(local_aws, cloudformation, word):
    local_aws.client("sns").create_topic(Name=word)
    local_aws.client("sqs").create_queue(QueueName=word)
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": word}}
    for number, resource in enumerate((topic(word), queue)):
        with stack(cloudformation, f"{word}-{number}", {"Mine": resource}) as made:
            assert made["StackStatus"] == "ROLLBACK_COMPLETE"
            assert f"{word} already exists" in made["StackStatusReason"]
    assert word in topics(local_aws)
    assert local_aws.client("sqs").get_queue_url(QueueName=word)


def test_a_resource_that_is_made_and_then_fails_leaves_nothing_behind(local_aws, cloudformation, word):
    rules = {"Rules": [{"Status": "Enabled", "NoSuchProperty": 1}]}
    properties = {"BucketName": word, "LifecycleConfiguration": rules}
    with stack(
        cloudformation, word, {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}
    ) as made:
        assert "NoSuchProperty" in made["StackStatusReason"]
        assert refused(local_aws.client("s3").head_bucket, Bucket=word)["Code"] == "404"


def test_a_stack_whose_making_was_cut_short_is_rolled_back_at_the_next_start(tmp_path):
    resources = {f"T{number}": topic(f"t{number}") for number in range(200)}
    with running_aws(tmp_path / "aws") as first:
        cloudformation = first.client("cloudformation")
        body = json.dumps({"Resources": resources})
        maker = threading.Thread(target=cut_short, args=(cloudformation, body))
        maker.start()
        deadline = time.monotonic() + 30
        while len(topics(first)) < 5:
            assert time.monotonic() < deadline
        first.kill()
        maker.join(30)
    with running_aws(tmp_path / "aws") as second:
        cloudformation = second.client("cloudformation")
        assert describe(cloudformation, "cut")["StackStatus"] == "ROLLBACK_COMPLETE"
        assert topics(second) == set()
        cloudformation.delete_stack(StackName="cut")
        with stack(cloudformation, "cut", {"T0": resources["T0"]}) as made:
            assert made["StackStatus"] == "CREATE_COMPLETE"


def cut_short(cloudformation, body):
    with pytest.raises(BotoCoreError):
        cloudformation.create_stack(StackName="cut", TemplateBody=body)


def test_a_key_rotates_follows_its_policy_and_is_kept_until_its_deletion(local_aws, cloudformation, word):
    kms = local_aws.client("kms")
    root = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "kms:*", "Resource": "*"}
    properties = {"EnableKeyRotation": True, "PendingWindowInDays": 7, "KeyPolicy": {"Statement": [root]}}
    resources = {"Key": {"Type": "AWS::KMS::Key", "Properties": properties}}
    with stack(cloudformation, word, resources):
        (key,) = cloudformation.describe_stack_resources(StackName=word)["StackResources"]
        name = {"KeyId": key["PhysicalResourceId"]}
        assert kms.get_key_rotation_status(**name)["KeyRotationEnabled"] is True
        properties["KeyPolicy"]["Statement"].append({**root, "Sid": "Second"})
        properties["EnableKeyRotation"] = False
        cloudformation.update_stack(
            StackName=word,
            TemplateBody=json.dumps({"Resources": resources}),
            Tags=[{"Key": "k", "Value": "v"}],
        )
        assert kms.get_key_rotation_status(**name)["KeyRotationEnabled"] is False
        assert "Second" in kms.get_key_policy(**name, PolicyName="default")["Policy"]
        assert kms.list_resource_tags(**name)["Tags"] == [{"TagKey": "k", "TagValue": "v"}]
    assert kms.describe_key(**name)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_a_log_group_takes_another_key_and_none(local_aws, cloudformation, word):
    logs = local_aws.client("logs")
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": word}}

    def key_now():
        (found,) = logs.describe_log_groups(logGroupNamePrefix=word)["logGroups"]
        return found.get("kmsKeyId")

    with stack(cloudformation, word, {"Group": group}):
        assert key_now() is None
        for arn in (
            "arn:aws:kms:us-east-1:123456789012:key/one",
            "arn:aws:kms:us-east-1:123456789012:key/two",
        ):
            group["Properties"]["KmsKeyId"] = arn
            cloudformation.update_stack(
                StackName=word, TemplateBody=json.dumps({"Resources": {"Group": group}})
            )
            assert key_now() == arn
        del group["Properties"]["KmsKeyId"]
        cloudformation.update_stack(StackName=word, TemplateBody=json.dumps({"Resources": {"Group": group}}))
        assert key_now() is None


def test_a_stacks_tags_are_on_what_it_makes_and_an_own_tag_wins(local_aws, cloudformation, word):
    queue = {
        "Type": "AWS::SQS::Queue",
        "Properties": {"QueueName": word, "Tags": [{"Key": "a", "Value": "own"}]},
    }
    body = json.dumps({"Resources": {"Queue": queue}})
    sqs = local_aws.client("sqs")
    cloudformation.create_stack(StackName=word, TemplateBody=body, Tags=[{"Key": "a", "Value": "stack"}])
    url = sqs.get_queue_url(QueueName=word)["QueueUrl"]
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "own"}
    cloudformation.update_stack(
        StackName=word, TemplateBody=body, Tags=[{"Key": "a", "Value": "stack"}, {"Key": "b", "Value": "2"}]
    )
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "own", "b": "2"}
    cloudformation.delete_stack(StackName=word)


def test_rules_are_kept_and_a_broken_one_makes_nothing(cloudformation, word):
    document = {
        "Parameters": {"Kind": {"Type": "String"}, "Places": {"Type": "CommaDelimitedList", "Default": ""}},
        "Rules": {
            "Rule": {
                "RuleCondition": {"Fn::Equals": [{"Ref": "Kind"}, "strict"]},
                "Assertions": [
                    {
                        "Assert": {"Fn::Not": [{"Fn::Contains": [{"Ref": "Places"}, ""]}]},
                        "AssertDescription": "strict needs Places",
                    }
                ],
            }
        },
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": word}}},
    }
    body = json.dumps(document)
    with pytest.raises(ClientError, match="strict needs Places"):
        cloudformation.create_stack(StackName=word, TemplateBody=body, Parameters=listed({"Kind": "strict"}))
    given = listed({"Kind": "strict", "Places": "here"})
    cloudformation.create_stack(StackName=word, TemplateBody=body, Parameters=given)
    assert describe(cloudformation, word)["StackStatus"] == "CREATE_COMPLETE"
    cloudformation.delete_stack(StackName=word)


def test_a_dynamic_reference_is_looked_up_and_not_kept_in_the_stack(local_aws, cloudformation, word):
    secrets, ssm = local_aws.client("secretsmanager"), local_aws.client("ssm")
    secrets.create_secret(Name=word, SecretString='{"password": "hush"}')
    reference = f"{{{{resolve:secretsmanager:{word}:SecretString:password}}}}"
    properties = {"Name": f"/{word}", "Type": "String", "Value": reference}
    resources = {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": properties}}
    with stack(cloudformation, word, resources):
        assert ssm.get_parameter(Name=f"/{word}")["Parameter"]["Value"] == "hush"
        events = cloudformation.describe_stack_events(StackName=word)["StackEvents"]
        assert "hush" not in json.dumps(events, default=str)
    properties["Value"] = "{{resolve:ssm:other:1}}"
    with stack(cloudformation, f"{word}-2", resources) as made:
        assert "resolve:ssm:other:1" in made["StackStatusReason"]
    secrets.delete_secret(SecretId=word, ForceDeleteWithoutRecovery=True)
