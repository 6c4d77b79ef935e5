"""Resource types of Step Functions, EventBridge, Scheduler and Lambda."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from local_aws.services.cloudformation.resource_type import (
    Clients,
    Properties,
    ResourceType,
    UnsupportedError,
    picked,
    tag_map,
    tags,
)

PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


class StateMachine(ResourceType):
    """A state machine, its definition given as text, as an object or as an S3 location."""

    type = "AWS::StepFunctions::StateMachine"
    name_property = "StateMachineName"
    accepts = frozenset(
        {
            "Definition",
            "DefinitionS3Location",
            "DefinitionString",
            "DefinitionSubstitutions",
            "LoggingConfiguration",
            "RoleArn",
            "StateMachineType",
            "Tags",
            "TracingConfiguration",
        }
    )
    replaces = frozenset({"StateMachineType"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the state machine."""
        answer = aws("stepfunctions").create_state_machine(
            name=name,
            definition=definition(aws, properties),
            roleArn=properties["RoleArn"],
            type=properties.get("StateMachineType", "STANDARD"),
            tags=tags(properties, "key", "value"),
            **_configuration(properties),
        )
        return str(answer["stateMachineArn"])

    def identifier(self, aws: Clients, name: str, properties: Properties) -> str:
        """Return the state machine's ARN."""
        account = aws("sts").get_caller_identity()["Account"]
        return f"arn:aws:states:{aws('stepfunctions').meta.region_name}:{account}:stateMachine:{name}"

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Bring the definition, role, logging, tracing and tags up to date."""
        client = aws("stepfunctions")
        client.update_state_machine(
            stateMachineArn=identifier,
            definition=definition(aws, properties),
            roleArn=properties["RoleArn"],
            **_configuration(properties),
        )
        if gone := sorted(set(tag_map(before)) - set(tag_map(properties))):
            client.untag_resource(resourceArn=identifier, tagKeys=gone)
        if properties.get("Tags"):
            client.tag_resource(resourceArn=identifier, tags=tags(properties, "key", "value"))

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the state machine; its runs stay readable."""
        aws("stepfunctions").delete_state_machine(stateMachineArn=identifier)

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the state machine's ARN and name."""
        return {"Arn": identifier, "Name": identifier.rpartition(":")[2]}


def definition(aws: Clients, properties: Properties) -> str:
    """Return the definition as text, its substitutions made."""
    given = [
        name for name in ("DefinitionString", "Definition", "DefinitionS3Location") if name in properties
    ]
    if len(given) != 1:
        raise UnsupportedError("give exactly one of DefinitionString, Definition and DefinitionS3Location")
    if given == ["DefinitionString"]:
        text = properties["DefinitionString"]
    elif given == ["Definition"]:
        text = json.dumps(properties["Definition"])
    else:
        place = properties["DefinitionS3Location"]
        where = {"Bucket": place["Bucket"], "Key": place["Key"]}
        if "Version" in place:
            where["VersionId"] = place["Version"]
        text = aws("s3").get_object(**where)["Body"].read().decode()
        if place["Key"].endswith((".yaml", ".yml")):
            text = json.dumps(yaml.safe_load(text))
    values = properties.get("DefinitionSubstitutions", {})
    # A value lands inside a JSON string, so it is escaped as one.
    return PLACEHOLDER.sub(
        lambda found: json.dumps(str(values[found[1]]))[1:-1] if found[1] in values else found[0], text
    )


def _configuration(properties: Properties) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if tracing := properties.get("TracingConfiguration"):
        result["tracingConfiguration"] = {"enabled": bool(tracing.get("Enabled"))}
    if logging := properties.get("LoggingConfiguration"):
        result["loggingConfiguration"] = {
            "level": logging.get("Level", "OFF"),
            "includeExecutionData": bool(logging.get("IncludeExecutionData", False)),
            "destinations": [
                {"cloudWatchLogsLogGroup": {"logGroupArn": each["CloudWatchLogsLogGroup"]["LogGroupArn"]}}
                for each in logging.get("Destinations", [])
            ],
        }
    return result


class Rule(ResourceType):
    """An EventBridge rule with its targets."""

    type = "AWS::Events::Rule"
    name_property = "Name"
    accepts = frozenset(
        {"Description", "EventBusName", "EventPattern", "RoleArn", "ScheduleExpression", "State", "Targets"}
    )
    replaces = frozenset({"EventBusName"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the rule and its targets."""
        self._put(aws, name, properties, {})
        return name

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Write the rule again and take away the targets that went."""
        self._put(aws, identifier, properties, before)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Take the targets from the rule, then delete it."""
        bus = picked(properties, "EventBusName")
        ids = [each["Id"] for each in aws("events").list_targets_by_rule(Rule=identifier, **bus)["Targets"]]
        if ids:
            aws("events").remove_targets(Rule=identifier, Ids=ids, **bus)
        aws("events").delete_rule(Name=identifier, **bus)

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the rule's ARN."""
        bus = picked(properties, "EventBusName")
        return picked(aws("events").describe_rule(Name=identifier, **bus), "Arn")

    def _put(self, aws: Clients, name: str, properties: Properties, before: Properties) -> None:
        events, bus = aws("events"), picked(properties, "EventBusName")
        pattern = properties.get("EventPattern")
        events.put_rule(
            Name=name,
            **bus,
            **picked(properties, "Description", "RoleArn", "ScheduleExpression", "State"),
            **({"EventPattern": json.dumps(pattern)} if pattern else {}),
        )
        wanted = properties.get("Targets", [])
        kept = {each["Id"] for each in wanted}
        if gone := sorted({each["Id"] for each in before.get("Targets", [])} - kept):
            events.remove_targets(Rule=name, Ids=gone, **bus)
        if wanted:
            events.put_targets(Rule=name, Targets=wanted, **bus)


class ScheduleGroup(ResourceType):
    """A group of EventBridge schedules."""

    type = "AWS::Scheduler::ScheduleGroup"
    name_property = "Name"
    accepts = frozenset({"Tags"})
    replaces = frozenset({"Tags"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the group."""
        aws("scheduler").create_schedule_group(Name=name, Tags=tags(properties))
        return name

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the group with its schedules."""
        aws("scheduler").delete_schedule_group(Name=identifier)

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the group's ARN."""
        return picked(aws("scheduler").get_schedule_group(Name=identifier), "Arn")


class Schedule(ResourceType):
    """An EventBridge schedule."""

    type = "AWS::Scheduler::Schedule"
    name_property = "Name"
    settings = (
        "Description",
        "EndDate",
        "FlexibleTimeWindow",
        "GroupName",
        "KmsKeyArn",
        "ScheduleExpression",
        "ScheduleExpressionTimezone",
        "StartDate",
        "State",
        "Target",
    )
    accepts = frozenset(settings)
    replaces = frozenset({"GroupName"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the schedule."""
        aws("scheduler").create_schedule(Name=name, **picked(properties, *self.settings))
        return name

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Write the schedule again."""
        aws("scheduler").update_schedule(Name=identifier, **picked(properties, *self.settings))

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the schedule."""
        aws("scheduler").delete_schedule(Name=identifier, **picked(properties, "GroupName"))

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the schedule's ARN."""
        group = picked(properties, "GroupName")
        return picked(aws("scheduler").get_schedule(Name=identifier, **group), "Arn")


class EventInvokeConfig(ResourceType):
    """How a function's asynchronous calls are retried, and where they end when given up."""

    type = "AWS::Lambda::EventInvokeConfig"
    settings = ("DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts")
    accepts = frozenset({*settings, "FunctionName", "Qualifier"})
    replaces = frozenset({"FunctionName", "Qualifier"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Write the configuration of the function."""
        self.update(aws, name, properties, {})
        return f"{properties['FunctionName']}|{properties.get('Qualifier', '$LATEST')}"

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Write the configuration again."""
        aws("lambda").put_function_event_invoke_config(
            **self._function(properties), **picked(properties, *self.settings)
        )

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Take the configuration from the function."""
        aws("lambda").delete_function_event_invoke_config(**self._function(properties))

    def _function(self, properties: Properties) -> dict[str, Any]:
        if properties.get("Qualifier", "$LATEST") != "$LATEST":
            raise UnsupportedError("Qualifier: only $LATEST is executed here")
        return picked(properties, "FunctionName")


class Permission(ResourceType):
    """Who may invoke a function. It is kept and shown, not enforced."""

    type = "AWS::Lambda::Permission"
    settings = ("Action", "EventSourceToken", "Principal", "SourceAccount", "SourceArn")
    accepts = frozenset({*settings, "FunctionName"})
    replaces = accepts

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Add the statement to the function's policy."""
        function = picked(properties, "FunctionName")
        aws("lambda").add_permission(StatementId=name, **function, **picked(properties, *self.settings))
        return name

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Take the statement from the function's policy."""
        aws("lambda").remove_permission(StatementId=identifier, **picked(properties, "FunctionName"))
