from __future__ import annotations

import gzip
import io
import json
import uuid
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from tests.integration.glue_jobs import GlueJobs, until

if TYPE_CHECKING:
    from tests.integration.conftest import RunningAWS


@pytest.fixture
def lake(local_aws: RunningAWS) -> Lake:
    return Lake(local_aws)


class Lake(GlueJobs):
    """A bucket, a database and a crawler of its own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.database = f"db_{uuid.uuid4().hex[:8]}"
        self.crawler = f"crawler-{uuid.uuid4().hex[:8]}"

    def create(self, path: str = "data/", **options: Any) -> None:
        target = {"Path": f"s3://{self.bucket}/{path}"} | options.pop("target", {})
        self.glue.create_crawler(
            Name=self.crawler,
            Role="glue",
            DatabaseName=self.database,
            Targets={"S3Targets": [target]},
            **options,
        )

    def crawl(self) -> dict[str, Any]:
        self.glue.start_crawler(Name=self.crawler)
        until(lambda: self.described()["State"] == "READY")
        return self.described()["LastCrawl"]

    def described(self) -> dict[str, Any]:
        return self.glue.get_crawler(Name=self.crawler)["Crawler"]

    def tables(self) -> dict[str, Any]:
        listed = self.glue.get_tables(DatabaseName=self.database)["TableList"]
        return {table["Name"]: table for table in listed}

    def columns(self, table: str) -> list[tuple[str, str]]:
        found = self.tables()[table]["StorageDescriptor"]["Columns"]
        return [(column["Name"], column["Type"]) for column in found]

    def partitions(self, table: str) -> list[list[str]]:
        found = self.glue.get_partitions(DatabaseName=self.database, TableName=table)["Partitions"]
        return sorted(partition["Values"] for partition in found)


def parquet(**columns: list[Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def test_each_folder_becomes_a_table_with_the_types_of_its_files(lake):
    lake.put("data/people/a.csv", "id,name,born,score\n1,Ann,2001-02-03,1.5\n2,Bob,,2\n")
    lake.put("data/bare/a.csv", "1|x|2.5\n2|y|3.5\n")
    lake.put("data/quoted/a.csv", 'id,name\n1,"Ann, B"\n2,"x"\n')
    lake.put("data/events/a.json", '{"a":1,"b":{"c":[1,2]}}\n{"a":2,"z":"q"}\n')
    lake.put("data/zipped/a.csv.gz", gzip.compress(b"u,v\n1,2\n3,4\n"))
    lake.put("data/columns/a.parquet", parquet(X=[1, 2], y=["a", None]))
    lake.create(TablePrefix="raw_")
    assert lake.crawl()["Status"] == "SUCCEEDED"
    assert sorted(lake.tables()) == [
        "raw_bare", "raw_columns", "raw_events", "raw_people", "raw_quoted", "raw_zipped",
    ]  # fmt: skip
    assert lake.columns("raw_people") == [
        ("id", "bigint"), ("name", "string"), ("born", "date"), ("score", "double"),
    ]  # fmt: skip
    assert lake.columns("raw_bare") == [("col0", "bigint"), ("col1", "string"), ("col2", "double")]
    assert lake.columns("raw_quoted") == [("id", "string"), ("name", "string")]
    assert lake.columns("raw_events") == [("a", "bigint"), ("b", "struct<c:array<bigint>>"), ("z", "string")]
    assert lake.columns("raw_zipped") == [("u", "bigint"), ("v", "bigint")]
    assert lake.columns("raw_columns") == [("x", "bigint"), ("y", "string")]
    metrics = lake.glue.get_crawler_metrics(CrawlerNameList=[lake.crawler])["CrawlerMetricsList"][0]
    assert metrics["TablesCreated"] == 6
    assert metrics["LastRuntimeSeconds"] > 0


def test_hive_folders_and_dates_are_partitions(lake):
    lake.put("data/hive/year=2025/month=12/a.parquet", parquet(x=[1]))
    lake.put("data/hive/year=2026/month=01/a.parquet", parquet(x=[1]))
    lake.put("data/days/2026/01/a.csv", "u,v\n1,2\n")
    lake.put("data/days/2026/02/a.csv", "u,v\n1,2\n")
    lake.create()
    lake.crawl()
    assert [key["Name"] for key in lake.tables()["hive"]["PartitionKeys"]] == ["year", "month"]
    assert lake.partitions("hive") == [["2025", "12"], ["2026", "01"]]
    assert [key["Name"] for key in lake.tables()["days"]["PartitionKeys"]] == ["partition_0", "partition_1"]
    assert lake.partitions("days") == [["2026", "01"], ["2026", "02"]]


def test_a_second_crawl_adds_columns_and_partitions_and_marks_what_is_gone(lake):
    lake.put("data/t/dt=2026-01-01/a.parquet", parquet(x=[1]))
    gone = lake.put("data/gone/a.csv", "u,v\n1,2\n")
    lake.create()
    lake.crawl()
    lake.put("data/t/dt=2026-01-02/a.parquet", parquet(x=[1.5], y=["new"]))
    lake.s3.delete_object(Bucket=lake.bucket, Key=gone.split("/", 3)[3])
    assert lake.crawl()["Status"] == "SUCCEEDED"
    assert lake.columns("t") == [("x", "double"), ("y", "string")]
    assert lake.partitions("t") == [["2026-01-01"], ["2026-01-02"]]
    assert lake.tables()["gone"]["Parameters"]["DEPRECATED_BY_CRAWLER"] == lake.crawler
    policy = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "DELETE_FROM_DATABASE"}
    lake.glue.update_crawler(Name=lake.crawler, SchemaChangePolicy=policy)
    lake.crawl()
    assert sorted(lake.tables()) == ["t"]


def test_a_policy_of_logging_changes_no_table(lake):
    lake.put("data/t/a.csv", "u,v\n1,2\n")
    lake.create(SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"})
    lake.crawl()
    lake.put("data/t/b.csv", "u,v,w\n1,2,3\n")
    lake.s3.delete_object(Bucket=lake.bucket, Key="data/t/a.csv")
    lake.crawl()
    assert lake.columns("t") == [("u", "bigint"), ("v", "bigint")]


def test_excluded_and_hidden_objects_are_not_read(lake):
    lake.put("data/t/a.csv", "u,v\n1,2\n")
    lake.put("data/t/skip/b.csv", "other,columns\n1,2\n")
    lake.put("data/t/_SUCCESS", "x")
    lake.put("data/u/c.tmp", "x,y\n1,2\n")
    lake.create(target={"Exclusions": ["t/skip/**", "**/*.{tmp,bak}"]})
    lake.crawl()
    assert sorted(lake.tables()) == ["t"]
    assert lake.columns("t") == [("u", "bigint"), ("v", "bigint")]


def test_a_large_json_array_is_read_by_its_first_objects(lake):
    body = "[" + ",".join(json.dumps({"id": number, "text": "x" * 90}) for number in range(15_000)) + "]"
    lake.put("data/array/a.json", body)
    lake.create()
    lake.crawl()
    assert lake.columns("array") == [("id", "bigint"), ("text", "string")]


def test_a_missing_bucket_fails_the_crawl_with_its_name(lake):
    lake.create()
    lake.glue.update_crawler(
        Name=lake.crawler, Targets={"S3Targets": [{"Path": "s3://no-such-bucket-here/data/"}]}
    )
    last = lake.crawl()
    assert last["Status"] == "FAILED"
    assert "no-such-bucket-here" in last["ErrorMessage"]


def test_a_crawler_runs_once_at_a_time(lake):
    for number in range(30):
        lake.put(f"data/t{number}/a.csv", "u,v\n1,2\n")
    lake.create()
    lake.glue.start_crawler(Name=lake.crawler)
    with pytest.raises(ClientError, match="CrawlerRunningException"):
        lake.glue.start_crawler(Name=lake.crawler)
    with pytest.raises(ClientError, match="CrawlerRunningException"):
        lake.glue.delete_crawler(Name=lake.crawler)
    lake.glue.stop_crawler(Name=lake.crawler)
    until(lambda: lake.described()["State"] == "READY")
    assert lake.described()["LastCrawl"]["Status"] == "CANCELLED"
    with pytest.raises(ClientError, match="CrawlerNotRunningException"):
        lake.glue.stop_crawler(Name=lake.crawler)
