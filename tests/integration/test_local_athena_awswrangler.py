"""The AWS SDK for pandas, unmodified, against the embedded Athena."""

from __future__ import annotations

import datetime as dt
import uuid

import awswrangler as wr
import pandas as pd
import pytest

# awswrangler 3.17 passes keywords that pandas 3.1 has begun to deprecate (inplace, copy).
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

MOMENT = "2026-01-01 01:02:03.456"


@pytest.fixture
def database(local_aws, monkeypatch):
    """A database with a partitioned table `orders` of three rows; its name is also the results' bucket."""
    for name, value in local_aws.environment.items():
        monkeypatch.setenv(name, value)
    name = f"w{uuid.uuid4().hex[:10]}"
    local_aws.client("s3").create_bucket(Bucket=name)
    wr.catalog.create_database(name)
    frame = pd.DataFrame(
        {
            "id": [1, 2, 3],
            "name": ["a", None, ""],
            "amount": [1.5, None, 2.0],
            "day": [dt.date(2026, 1, 1)] * 3,
            "at": pd.to_datetime([MOMENT] * 3),
            "dt": ["x", "x", "y"],
        }
    )
    wr.s3.to_parquet(
        frame, path=f"s3://{name}/orders/", dataset=True, database=name, table="orders", partition_cols=["dt"]
    )
    return name


def output(database):
    return f"s3://{database}/results/"


@pytest.mark.parametrize(
    "approach",
    [
        {"ctas_approach": True},
        {"ctas_approach": False},
        {"ctas_approach": False, "unload_approach": True},
    ],
    ids=["ctas", "csv", "unload"],
)
def test_a_query_gives_the_frame_that_was_written(database, approach):
    frame = wr.athena.read_sql_query(
        "SELECT * FROM orders", database=database, s3_output=output(database), **approach
    ).sort_values("id")
    assert frame["id"].tolist() == [1, 2, 3]
    assert frame["amount"].iloc[2] == 2.0
    assert frame["name"].isna().tolist()[:2] == [False, True]
    assert frame["day"].iloc[0] == dt.date(2026, 1, 1)
    assert frame["at"].iloc[0] == pd.Timestamp(MOMENT)
    assert frame["dt"].tolist() == ["x", "x", "y"]


def test_parameters_are_bound_by_name_and_by_place(database):
    options = {"database": database, "ctas_approach": False, "s3_output": output(database)}
    named = wr.athena.read_sql_query("SELECT id FROM orders WHERE id = :id", params={"id": 2}, **options)
    placed = wr.athena.read_sql_query(
        "SELECT id FROM orders WHERE name = ?", params=["'a'"], paramstyle="qmark", **options
    )
    assert (named["id"].tolist(), placed["id"].tolist()) == ([2], [1])


def test_an_empty_result_keeps_its_columns(database):
    for approach in (True, False):
        frame = wr.athena.read_sql_query(
            "SELECT id, name FROM orders WHERE id > 99",
            database=database,
            ctas_approach=approach,
            s3_output=output(database),
        )
        assert (list(frame.columns), len(frame)) == (["id", "name"], 0)


def test_tables_are_made_repaired_and_described(database):
    made = wr.athena.create_ctas_table(
        "SELECT id, dt FROM orders",
        database=database,
        ctas_table="copy",
        s3_output=f"s3://{database}/copy/",
        storage_format="parquet",
        write_compression="snappy",
        partitioning_info=["dt"],
        wait=True,
    )
    assert made["ctas_table"] == "copy"
    assert sorted(wr.catalog.get_partitions(database, "copy").values()) == [["x"], ["y"]]
    assert wr.athena.repair_table("copy", database=database, s3_output=output(database)) == "SUCCEEDED"
    described = wr.athena.describe_table("copy", database=database, s3_output=output(database))
    assert described["Column Name"].tolist() == ["id", "dt"]
    assert "CREATE EXTERNAL TABLE" in wr.athena.show_create_table(
        "copy", database=database, s3_output=output(database)
    )


def test_a_failed_query_raises_with_athenas_reason(database):
    with pytest.raises(wr.exceptions.QueryFailed, match="COLUMN_NOT_FOUND: line 1:8: Column 'nope'"):
        wr.athena.read_sql_query(
            "SELECT nope FROM orders", database=database, ctas_approach=False, s3_output=output(database)
        )
