"""One crawl: look at every target, write Data Catalog tables and partitions, count what changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from local_aws.services.glue.crawled_table import CrawledTable, table_input, with_known_columns
from local_aws.services.glue.folders import DataFile, Folder, folders
from local_aws.services.glue.schema_inference import NotData, Schema, infer, merged

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

SAMPLES = 5  # files of each table whose schema is read; Glue reads more, and all of them are merged alike


class CrawlStoppedError(Exception):
    """StopCrawler was called."""


class CrawlFailedError(Exception):
    """The crawl cannot go on; the message is LastCrawl.ErrorMessage."""


@dataclass
class Counts:
    """What the crawl did to the Data Catalog."""

    created: int = 0
    updated: int = 0
    deleted: int = 0


@dataclass
class Crawl:
    """A crawl of one crawler's targets.

    Attributes:
        crawler: the crawler's settings: Name, DatabaseName, TablePrefix, Targets, SchemaChangePolicy.
        stopped: set by StopCrawler; looked at between files.
    """

    s3: Any
    glue: Any
    crawler: Mapping[str, Any]
    stopped: threading.Event
    counts: Counts = field(default_factory=Counts)

    def run(self) -> None:
        """Crawl everything.

        Raises:
            CrawlFailedError, CrawlStoppedError: it did not end well.
        """
        targets = self.crawler["Targets"]
        if others := sorted(kind for kind, listed in targets.items() if listed and kind != "S3Targets"):
            raise CrawlFailedError(
                f"targets of the kind {', '.join(others)} are not crawled here: S3Targets are"
            )
        if self.crawler.get("Classifiers"):
            raise CrawlFailedError(
                "custom classifiers are not supported here: CSV, JSON and Parquet are known"
            )
        self._ensure_database()
        for target in targets.get("S3Targets", []):
            self._crawl(target)

    def _ensure_database(self) -> None:
        name = self.crawler["DatabaseName"]
        try:
            self.glue.get_database(Name=name)
        except self.glue.exceptions.EntityNotFoundException:
            self.glue.create_database(DatabaseInput={"Name": name})

    def _crawl(self, target: Mapping[str, Any]) -> None:
        address = urlsplit(target["Path"] if "://" in target["Path"] else f"s3://{target['Path']}")
        bucket, prefix = address.netloc, address.path.lstrip("/")
        try:
            found = folders(self.s3, bucket, prefix, target.get("Exclusions", []))
        except self.s3.exceptions.NoSuchBucket as error:
            raise CrawlFailedError(
                f"The bucket {bucket} of target {target['Path']} does not exist"
            ) from error
        known = self._tables_of(f"s3://{bucket}/{prefix}")
        for folder in found:
            table = self._table(bucket, folder)
            if table is not None:
                known.pop(self._write(table), None)
        for name, definition in known.items():
            self._gone(name, definition)

    def _table(self, bucket: str, folder: Folder) -> CrawledTable | None:
        """Return what the folder holds as a table, or None when no file is data that we know."""
        schemas: list[Schema] = []
        for file in folder.sample(SAMPLES):
            schema = self._schema(bucket, file)
            if schema:
                schemas.append(schema)
        if not schemas:
            return None
        prefix = (self.crawler.get("TablePrefix") or "").lower()
        return CrawledTable(
            name=prefix + folder.table_name,
            location=folder.location(bucket),
            schema=merged(schemas),
            keys=folder.partition_keys,
            partitions={values: f"s3://{bucket}/{path}" for values, path in folder.partitions.items()},
            files=len(folder.files),
            size=sum(file.size for file in folder.files),
            compressed=any(file.key.endswith(".gz") for file in folder.files),
        )

    def _schema(self, bucket: str, file: DataFile) -> Schema | None:
        if self.stopped.is_set():
            raise CrawlStoppedError
        try:
            return infer(self.s3, bucket, file)
        except NotData:
            return None

    def _tables_of(self, target: str) -> dict[str, dict[str, Any]]:
        """Return the tables that this crawler made below the target, by name."""
        pages = self.glue.get_tables(DatabaseName=self.crawler["DatabaseName"])["TableList"]
        return {
            table["Name"]: table
            for table in pages
            if table.get("Parameters", {}).get("UPDATED_BY_CRAWLER") == self.crawler["Name"]
            and table.get("StorageDescriptor", {}).get("Location", "").startswith(target)
        }

    def _write(self, table: CrawledTable) -> str:
        """Create or update the table; return its name."""
        database = self.crawler["DatabaseName"]
        given = table_input(table, self.crawler["Name"])
        try:
            known = self.glue.get_table(DatabaseName=database, Name=table.name)["Table"]
        except self.glue.exceptions.EntityNotFoundException:
            self.glue.create_table(DatabaseName=database, TableInput=given)
            self.counts.created += 1
        else:
            self._update(known, given)
        self._write_partitions(table, given)
        return table.name

    def _update(self, known: dict[str, Any], given: dict[str, Any]) -> None:
        if known.get("Parameters", {}).get("UPDATED_BY_CRAWLER") != self.crawler["Name"]:
            raise CrawlFailedError(
                f"The table {known['Name']} was not made by this crawler; give the crawler a TablePrefix"
            )
        given = with_known_columns(known, given)
        columns = known["StorageDescriptor"]["Columns"]
        if self._policy("UpdateBehavior", "UPDATE_IN_DATABASE") == "LOG":
            return
        changed = (
            columns != given["StorageDescriptor"]["Columns"]
            or known.get("PartitionKeys", []) != given["PartitionKeys"]
        )
        if changed or known.get("Parameters") != given["Parameters"]:
            self.glue.update_table(DatabaseName=self.crawler["DatabaseName"], TableInput=given)
            self.counts.updated += changed

    def _write_partitions(self, table: CrawledTable, given: dict[str, Any]) -> None:
        names = {"DatabaseName": self.crawler["DatabaseName"], "TableName": table.name}
        pages = self.glue.get_partitions(**names)["Partitions"] if table.keys else []
        known = {tuple(partition["Values"]) for partition in pages}
        new = [
            {"Values": list(values), "StorageDescriptor": given["StorageDescriptor"] | {"Location": location}}
            for values, location in table.partitions.items()
            if values not in known
        ]
        for start in range(0, len(new), 100):  # BatchCreatePartition takes 100
            self.glue.batch_create_partition(**names, PartitionInputList=new[start : start + 100])
        if self._policy("DeleteBehavior", "DEPRECATE_IN_DATABASE") == "DELETE_FROM_DATABASE":
            for values in known - set(table.partitions):
                self.glue.delete_partition(**names, PartitionValues=list(values))

    def _gone(self, name: str, definition: dict[str, Any]) -> None:
        """Do what DeleteBehavior says to a table whose data is gone."""
        behaviour = self._policy("DeleteBehavior", "DEPRECATE_IN_DATABASE")
        database = self.crawler["DatabaseName"]
        if behaviour == "DELETE_FROM_DATABASE":
            self.glue.delete_table(DatabaseName=database, Name=name)
            self.counts.deleted += 1
        elif behaviour == "DEPRECATE_IN_DATABASE" and "DEPRECATED_BY_CRAWLER" not in definition["Parameters"]:
            kept = {
                key: definition[key] for key in ("Name", "TableType", "PartitionKeys", "StorageDescriptor")
            }
            marked = definition["Parameters"] | {"DEPRECATED_BY_CRAWLER": self.crawler["Name"]}
            self.glue.update_table(DatabaseName=database, TableInput=kept | {"Parameters": marked})
            self.counts.updated += 1

    def _policy(self, name: str, default: str) -> str:
        return str((self.crawler.get("SchemaChangePolicy") or {}).get(name) or default)
