"""Resource types of Glue and Athena."""

from __future__ import annotations

from typing import Any

from local_aws.services.cloudformation.resource_type import (
    Clients,
    Properties,
    ResourceType,
    UnsupportedError,
    picked,
    tag_map,
    tags,
)


class Database(ResourceType):
    """A database of the Glue Data Catalog; its name is a part of DatabaseInput."""

    type = "AWS::Glue::Database"
    accepts = frozenset({"CatalogId", "DatabaseInput"})

    def needs_replacement(self, before: Properties, after: Properties) -> bool:
        """Return whether the name inside DatabaseInput changed."""
        return bool(before["DatabaseInput"].get("Name") != after["DatabaseInput"].get("Name"))

    def identifier(self, aws: Clients, name: str, properties: Properties) -> str:
        """Return the name inside DatabaseInput, or the generated one."""
        return str(properties["DatabaseInput"].get("Name", name.lower()))

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the database."""
        wanted = {"Name": self.identifier(aws, name, properties), **properties["DatabaseInput"]}
        aws("glue").create_database(DatabaseInput=wanted)
        return str(wanted["Name"])

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Write the database again."""
        wanted = {"Name": identifier, **properties["DatabaseInput"]}
        aws("glue").update_database(Name=identifier, DatabaseInput=wanted)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the database with its tables."""
        aws("glue").delete_database(Name=identifier)


class Table(ResourceType):
    """A table of the Glue Data Catalog."""

    type = "AWS::Glue::Table"
    accepts = frozenset({"CatalogId", "DatabaseName", "TableInput"})
    replaces = frozenset({"DatabaseName"})

    def needs_replacement(self, before: Properties, after: Properties) -> bool:
        """Return whether the database, or the name inside TableInput, changed."""
        renamed = before["TableInput"].get("Name") != after["TableInput"].get("Name")
        return renamed or super().needs_replacement(before, after)

    def identifier(self, aws: Clients, name: str, properties: Properties) -> str:
        """Return the name inside TableInput, or the generated one."""
        return str(properties["TableInput"].get("Name", name.lower()))

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the table."""
        wanted = {"Name": self.identifier(aws, name, properties), **properties["TableInput"]}
        aws("glue").create_table(DatabaseName=properties["DatabaseName"], TableInput=wanted)
        return str(wanted["Name"])

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Write the table again."""
        wanted = {"Name": identifier, **properties["TableInput"]}
        aws("glue").update_table(DatabaseName=properties["DatabaseName"], TableInput=wanted)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the table."""
        aws("glue").delete_table(DatabaseName=properties["DatabaseName"], Name=identifier)


class Job(ResourceType):
    """A Glue job."""

    type = "AWS::Glue::Job"
    name_property = "Name"
    settings = (
        "AllocatedCapacity",
        "Command",
        "Connections",
        "DefaultArguments",
        "Description",
        "ExecutionClass",
        "ExecutionProperty",
        "GlueVersion",
        "JobRunQueuingEnabled",
        "LogUri",
        "MaxCapacity",
        "MaxRetries",
        "NonOverridableArguments",
        "NotificationProperty",
        "NumberOfWorkers",
        "Role",
        "SecurityConfiguration",
        "Timeout",
        "WorkerType",
    )
    accepts = frozenset({*settings, "Tags"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the job."""
        aws("glue").create_job(Name=name, Tags=tag_map(properties), **self._settings(properties))
        return name

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Write the job again."""
        aws("glue").update_job(JobName=identifier, JobUpdate=self._settings(properties))
        _tag_again(aws, f"job/{identifier}", properties, before)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the job; Glue does not mind one that is gone."""
        aws("glue").delete_job(JobName=identifier)

    def _settings(self, properties: Properties) -> dict[str, Any]:
        settings = picked(properties, *self.settings)
        # Parameters and numbers in YAML may come as text; Glue's API takes numbers.
        for name in ("AllocatedCapacity", "MaxRetries", "NumberOfWorkers", "Timeout"):
            if name in settings:
                settings[name] = int(settings[name])
        if "ExecutionProperty" in settings:
            settings["ExecutionProperty"] = {
                "MaxConcurrentRuns": int(settings["ExecutionProperty"]["MaxConcurrentRuns"])
            }
        return settings


class Crawler(ResourceType):
    """A Glue crawler."""

    type = "AWS::Glue::Crawler"
    name_property = "Name"
    settings = (
        "Classifiers",
        "Configuration",
        "CrawlerSecurityConfiguration",
        "DatabaseName",
        "Description",
        "LakeFormationConfiguration",
        "RecrawlPolicy",
        "Role",
        "SchemaChangePolicy",
        "TablePrefix",
        "Targets",
    )
    accepts = frozenset({*settings, "Schedule", "Tags"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the crawler."""
        aws("glue").create_crawler(Name=name, Tags=tag_map(properties), **self._settings(properties))
        return name

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Write the crawler again."""
        aws("glue").update_crawler(Name=identifier, **self._settings(properties))
        _tag_again(aws, f"crawler/{identifier}", properties, before)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the crawler."""
        aws("glue").delete_crawler(Name=identifier)

    def _settings(self, properties: Properties) -> dict[str, Any]:
        schedule = properties.get("Schedule", {}).get("ScheduleExpression")
        return picked(properties, *self.settings) | ({"Schedule": schedule} if schedule else {})


def _tag_again(aws: Clients, name: str, properties: Properties, before: Properties) -> None:
    """Bring the tags of something in Glue, such as `job/clean`, from those `before` to its own."""
    if tag_map(properties) == tag_map(before):
        return
    glue, account = aws("glue"), aws("sts").get_caller_identity()["Account"]
    arn = f"arn:aws:glue:{glue.meta.region_name}:{account}:{name}"
    if gone := sorted(set(tag_map(before)) - set(tag_map(properties))):
        glue.untag_resource(ResourceArn=arn, TagsToRemove=gone)
    glue.tag_resource(ResourceArn=arn, TagsToAdd=tag_map(properties))


class SecurityConfiguration(ResourceType):
    """How Glue jobs encrypt what they write. It is kept and shown; nothing is encrypted here."""

    type = "AWS::Glue::SecurityConfiguration"
    name_property = "Name"
    accepts = frozenset({"EncryptionConfiguration"})
    replaces = accepts

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the configuration; its API writes one word in another way than the template."""
        wanted = {
            "S3Encryption" if part == "S3Encryptions" else part: value
            for part, value in properties["EncryptionConfiguration"].items()
        }
        aws("glue").create_security_configuration(Name=name, EncryptionConfiguration=wanted)
        return name

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the configuration."""
        aws("glue").delete_security_configuration(Name=identifier)


class WorkGroup(ResourceType):
    """An Athena workgroup."""

    type = "AWS::Athena::WorkGroup"
    name_property = "Name"
    accepts = frozenset({"Description", "RecursiveDeleteOption", "State", "Tags", "WorkGroupConfiguration"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the workgroup."""
        if properties.get("State", "ENABLED") != "ENABLED":
            raise UnsupportedError("State: only an ENABLED workgroup is executed here")
        aws("athena").create_work_group(
            Name=name,
            Configuration=_configuration(properties),
            Tags=tags(properties),
            **picked(properties, "Description"),
        )
        return name

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Write the workgroup's description, state and configuration again."""
        aws("athena").update_work_group(
            WorkGroup=identifier,
            ConfigurationUpdates=_updates(_configuration(properties)),
            **picked(properties, "Description", "State"),
        )
        if properties.get("Tags") and properties["Tags"] != before.get("Tags"):
            athena, account = aws("athena"), aws("sts").get_caller_identity()["Account"]
            arn = f"arn:aws:athena:{athena.meta.region_name}:{account}:workgroup/{identifier}"
            athena.tag_resource(ResourceARN=arn, Tags=tags(properties))

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the workgroup."""
        recursive = properties.get("RecursiveDeleteOption") in (True, "true")
        aws("athena").delete_work_group(WorkGroup=identifier, RecursiveDeleteOption=recursive)


def _configuration(properties: Properties) -> dict[str, Any]:
    """Return a workgroup's configuration with its number as a number: a parameter comes as text."""
    configuration = dict(properties.get("WorkGroupConfiguration", {}))
    if "BytesScannedCutoffPerQuery" in configuration:
        configuration["BytesScannedCutoffPerQuery"] = int(configuration["BytesScannedCutoffPerQuery"])
    return configuration


def _updates(configuration: Properties) -> dict[str, Any]:
    """Return a workgroup's configuration in the form that an update takes."""
    return {
        "ResultConfigurationUpdates" if name == "ResultConfiguration" else name: value
        for name, value in configuration.items()
    }


class NamedQuery(ResourceType):
    """A saved Athena query."""

    type = "AWS::Athena::NamedQuery"
    settings = ("Database", "Description", "Name", "QueryString", "WorkGroup")
    accepts = frozenset(settings)
    replaces = accepts

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Save the query."""
        answer = aws("athena").create_named_query(**{"Name": name, **picked(properties, *self.settings)})
        return str(answer["NamedQueryId"])

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Forget the query."""
        aws("athena").delete_named_query(NamedQueryId=identifier)
