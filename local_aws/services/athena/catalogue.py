"""The Data Catalog as Athena uses it: databases, tables and partitions of the Glue API."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARTITIONS_PER_CALL = 100
_VIEW_OPENS, _VIEW_CLOSES = "/* Presto View: ", " */"


@dataclass(frozen=True)
class Partition:
    """A registered partition: its values as text, in the order of the table's keys, and its location."""

    values: tuple[str, ...]
    location: str


class Table:
    """One table or view of the catalogue."""

    def __init__(self, database: str, document: dict[str, Any]) -> None:
        self.database = database
        self.document = document
        self.name: str = document["Name"]

    @property
    def storage(self) -> dict[str, Any]:
        """Its storage descriptor; empty when it has none."""
        return self.document.get("StorageDescriptor") or {}

    @property
    def columns(self) -> list[dict[str, str]]:
        """Its columns without the partition keys: Name, Type, perhaps Comment."""
        return self.storage.get("Columns") or []

    @property
    def keys(self) -> list[dict[str, str]]:
        """Its partition keys."""
        return self.document.get("PartitionKeys") or []

    @property
    def location(self) -> str:
        """Where its data is."""
        return self.storage.get("Location") or ""

    @property
    def properties(self) -> dict[str, str]:
        """TBLPROPERTIES."""
        return self.document.get("Parameters") or {}

    @property
    def serde(self) -> tuple[str, dict[str, str]]:
        """The serialisation library's class and parameters."""
        info = self.storage.get("SerdeInfo") or {}
        return info.get("SerializationLibrary") or "", info.get("Parameters") or {}

    @property
    def is_view(self) -> bool:
        """Whether it is a view."""
        return self.document.get("TableType") == "VIRTUAL_VIEW"

    @property
    def view_definition(self) -> dict[str, Any]:
        """What the catalogue keeps of a view: originalSql, catalog, schema, columns."""
        text = self.document["ViewOriginalText"].removeprefix(_VIEW_OPENS).removesuffix(_VIEW_CLOSES)
        definition: dict[str, Any] = json.loads(base64.b64decode(text))
        return definition


def view_text(sql: str, database: str, columns: list[tuple[str, str]]) -> str:
    """Return a view's ViewOriginalText, in Presto's form."""
    definition = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": [{"name": name, "type": type_} for name, type_ in columns],
    }
    return f"{_VIEW_OPENS}{base64.b64encode(json.dumps(definition).encode()).decode()}{_VIEW_CLOSES}"


class Catalogue:
    """One account's Data Catalog in one region."""

    def __init__(self, glue: Any) -> None:
        self._glue = glue

    def databases(self) -> list[dict[str, Any]]:
        """Return all databases, by name."""
        pages = self._glue.get_paginator("get_databases").paginate()
        return sorted((d for page in pages for d in page["DatabaseList"]), key=lambda d: str(d["Name"]))

    def database(self, name: str) -> dict[str, Any] | None:
        """Return one database; "default" exists even before anyone made it, as in Athena."""
        try:
            found: dict[str, Any] = self._glue.get_database(Name=name)["Database"]
        except ClientError as error:
            if _missing(error):
                return {"Name": name} if name == "default" else None
            raise
        return found

    def create_database(self, document: dict[str, Any]) -> None:
        """Create a database."""
        self._glue.create_database(DatabaseInput=document)

    def drop_database(self, name: str) -> None:
        """Delete a database."""
        self._glue.delete_database(Name=name)

    def tables(self, database: str) -> list[Table]:
        """Return a database's tables and views, by name."""
        pages = self._glue.get_paginator("get_tables").paginate(DatabaseName=database)
        tables = [Table(database, document) for page in pages for document in page["TableList"]]
        return sorted(tables, key=lambda table: table.name)

    def table(self, database: str, name: str) -> Table | None:
        """Return one table or view."""
        try:
            return Table(database, self._glue.get_table(DatabaseName=database, Name=name)["Table"])
        except ClientError as error:
            if _missing(error):
                return None
            raise

    def create_table(self, database: str, document: dict[str, Any]) -> None:
        """Create a table or view; `default` comes into being with its first table."""
        if database == "default" and not self._default_exists():
            self.create_database({"Name": "default"})
        self._glue.create_table(DatabaseName=database, TableInput=document)

    def update_table(self, table: Table) -> None:
        """Write a changed table back."""
        kept = ("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys",
                "TableType",
                "ViewOriginalText", "ViewExpandedText", "Parameters")  # fmt: skip
        document = {name: table.document[name] for name in kept if name in table.document}
        self._glue.update_table(DatabaseName=table.database, TableInput=document)

    def drop_table(self, database: str, name: str) -> None:
        """Delete a table or view; its data stays."""
        self._glue.delete_table(DatabaseName=database, Name=name)

    def partitions(self, table: Table) -> Iterator[Partition]:
        """Return the registered partitions of a table."""
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=table.database, TableName=table.name
        )
        for page in pages:
            for found in page["Partitions"]:
                yield Partition(tuple(found["Values"]), found["StorageDescriptor"].get("Location", ""))

    def add_partitions(self, table: Table, partitions: list[Partition]) -> None:
        """Register partitions that are not registered yet."""
        inputs = [
            {
                "Values": list(partition.values),
                "StorageDescriptor": table.storage | {"Location": partition.location},
            }
            for partition in partitions
        ]
        for start in range(0, len(inputs), _PARTITIONS_PER_CALL):
            answer = self._glue.batch_create_partition(
                DatabaseName=table.database,
                TableName=table.name,
                PartitionInputList=inputs[start : start + _PARTITIONS_PER_CALL],
            )
            errors = [error for error in answer.get("Errors", ()) if not _already(error)]
            if errors:
                raise RuntimeError(f"Glue refused partitions of {table.name}: {errors}")

    def update_partition(self, table: Table, partition: Partition) -> None:
        """Lead a registered partition to another place."""
        self._glue.update_partition(
            DatabaseName=table.database,
            TableName=table.name,
            PartitionValueList=list(partition.values),
            PartitionInput={
                "Values": list(partition.values),
                "StorageDescriptor": table.storage | {"Location": partition.location},
            },
        )

    def replace_view(self, database: str, document: dict[str, Any]) -> None:
        """Give a view another query."""
        self._glue.update_table(DatabaseName=database, TableInput=document)

    def drop_partition(self, table: Table, values: tuple[str, ...]) -> None:
        """Unregister one partition."""
        self._glue.delete_partition(
            DatabaseName=table.database, TableName=table.name, PartitionValues=list(values)
        )

    def _default_exists(self) -> bool:
        return any(found["Name"] == "default" for found in self.databases())


def _missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "EntityNotFoundException"


def _already(error: dict[str, Any]) -> bool:
    # Two queries may register one partition at the same time; the first wins.
    return bool(error["ErrorDetail"]["ErrorCode"] == "AlreadyExistsException")
