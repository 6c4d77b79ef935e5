"""Resource types of CloudWatch and CloudWatch Logs."""

from __future__ import annotations

import json
from typing import Any

from local_aws.services.cloudformation.resource_type import (
    Clients,
    Properties,
    ResourceType,
    picked,
    tag_map,
    tags,
)


class LogGroup(ResourceType):
    """A log group with its retention."""

    type = "AWS::Logs::LogGroup"
    name_property = import_identifier = "LogGroupName"
    accepts = frozenset({"KmsKeyId", "RetentionInDays", "Tags"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the log group."""
        key = {"kmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}
        aws("logs").create_log_group(logGroupName=name, tags=tag_map(properties), **key)
        return name

    def settle(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Set the retention."""
        self._retain(aws, identifier, properties)

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Bring the key, the retention and the tags up to date."""
        logs = aws("logs")
        if "KmsKeyId" in properties:
            logs.associate_kms_key(logGroupName=identifier, kmsKeyId=properties["KmsKeyId"])
        elif "KmsKeyId" in before:
            logs.disassociate_kms_key(logGroupName=identifier)
        self._retain(aws, identifier, properties)
        if gone := sorted(set(tag_map(before)) - set(tag_map(properties))):
            logs.untag_log_group(logGroupName=identifier, tags=gone)
        if tag_map(properties):
            logs.tag_log_group(logGroupName=identifier, tags=tag_map(properties))

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the log group with its events."""
        aws("logs").delete_log_group(logGroupName=identifier)

    def exists(self, aws: Clients, identifier: str) -> bool:
        """Tell whether there is such a log group."""
        found = aws("logs").describe_log_groups(logGroupNamePrefix=identifier)["logGroups"]
        return any(each["logGroupName"] == identifier for each in found)

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the log group's ARN, which ends in `:*`."""
        found = aws("logs").describe_log_groups(logGroupNamePrefix=identifier)["logGroups"]
        arn = next(each["arn"] for each in found if each["logGroupName"] == identifier)
        return {"Arn": f"{arn.removesuffix(':*')}:*"}

    def _retain(self, aws: Clients, name: str, properties: Properties) -> None:
        if "RetentionInDays" in properties:
            days = int(properties["RetentionInDays"])
            aws("logs").put_retention_policy(logGroupName=name, retentionInDays=days)
        else:
            aws("logs").delete_retention_policy(logGroupName=name)


class Alarm(ResourceType):
    """A CloudWatch alarm."""

    type = "AWS::CloudWatch::Alarm"
    name_property = "AlarmName"
    settings = (
        "ActionsEnabled",
        "AlarmActions",
        "AlarmDescription",
        "ComparisonOperator",
        "DatapointsToAlarm",
        "Dimensions",
        "EvaluationPeriods",
        "ExtendedStatistic",
        "InsufficientDataActions",
        "MetricName",
        "Metrics",
        "Namespace",
        "OKActions",
        "Period",
        "Statistic",
        "Threshold",
        "TreatMissingData",
        "Unit",
    )
    accepts = frozenset({*settings, "Tags"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the alarm."""
        self._put(aws, name, properties)
        return name

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Write the alarm again."""
        self._put(aws, identifier, properties)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the alarm."""
        aws("cloudwatch").delete_alarms(AlarmNames=[identifier])

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the alarm's ARN."""
        found = aws("cloudwatch").describe_alarms(AlarmNames=[identifier])["MetricAlarms"]
        return {"Arn": found[0]["AlarmArn"]}

    def _put(self, aws: Clients, name: str, properties: Properties) -> None:
        settings = picked(properties, *self.settings)
        for number in ("DatapointsToAlarm", "EvaluationPeriods", "Period"):
            if number in settings:
                settings[number] = int(settings[number])
        if "Threshold" in settings:
            settings["Threshold"] = float(settings["Threshold"])
        aws("cloudwatch").put_metric_alarm(AlarmName=name, Tags=tags(properties), **settings)


class Dashboard(ResourceType):
    """A CloudWatch dashboard."""

    type = "AWS::CloudWatch::Dashboard"
    name_property = "DashboardName"
    accepts = frozenset({"DashboardBody"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the dashboard."""
        self.update(aws, name, properties, {})
        return name

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Write the dashboard again."""
        body = properties["DashboardBody"]
        text = body if isinstance(body, str) else json.dumps(body)
        aws("cloudwatch").put_dashboard(DashboardName=identifier, DashboardBody=text)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the dashboard."""
        aws("cloudwatch").delete_dashboards(DashboardNames=[identifier])
