"""Loads into the embedded warehouse: every mode, both contracts, once each."""

from __future__ import annotations

import io
import json
import uuid
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from chalicelib.aws import client as clients
from chalicelib.aws.redshift import Redshift
from chalicelib.errors import ContractBroken, LoadFailed
from chalicelib.loading import Load, load_once, prepare
from chalicelib.pipeline import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import RunningAWS

COLUMNS = (("id", "BIGINT"), ("label", "VARCHAR(80)"))


class Loader:
    """Writes rows as Parquet with a manifest and loads them into tables of its own schema."""

    def __init__(self, warehouse: Redshift, s3: Any, schema: str) -> None:
        self.warehouse, self.s3, self.schema = warehouse, s3, schema
        self.bucket = f"loads-{uuid.uuid4().hex[:12]}"
        s3.create_bucket(Bucket=self.bucket)

    def load(self, rows: list[dict[str, Any]], token: str | None = None, **table: Any) -> Any:
        names = list(rows[0])
        sink = io.BytesIO()
        parquet.write_table(pa.Table.from_pylist(rows), sink)
        token = token or f"things-{uuid.uuid4().hex[:24]}"
        self.s3.put_object(Bucket=self.bucket, Key=f"{token}.parquet", Body=sink.getvalue())
        entry = {
            "url": f"s3://{self.bucket}/{token}.parquet",
            "mandatory": True,
            "meta": {"content_length": len(sink.getvalue())},
        }
        self.s3.put_object(Bucket=self.bucket, Key=f"{token}.json", Body=json.dumps({"entries": [entry]}))
        kinds = dict(COLUMNS)
        load = Load(
            token=token,
            run=token,
            source=entry["url"],
            table=Table(schema=self.schema, name="things", **table),
            columns=tuple((name, kinds.get(name, "VARCHAR(80)")) for name in names),
            rows=len(rows),
            manifest=f"s3://{self.bucket}/{token}.json",
            role="arn:aws:iam::123456789012:role/copy",
        )
        prepare(self.warehouse, load.tokens)
        return load_once(self.warehouse, load)

    def rows(self, columns: str = "id, label") -> list[list[Any]]:
        with self.warehouse.transaction() as transaction:
            return transaction.rows(f"SELECT {columns} FROM {self.schema}.things ORDER BY 1, 2")


@pytest.fixture
def loader(local_aws: RunningAWS, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loader]:
    for name, value in local_aws.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SSL_CERT_FILE", local_aws.ready["environment"]["SSL_CERT_FILE"])
    clients.client.cache_clear()
    name, schema = f"warehouse-{uuid.uuid4().hex[:8]}", f"s{uuid.uuid4().hex[:8]}"
    access = {"engine": "redshift", **local_aws.ready["warehouse"]}
    clients.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(access))
    warehouse = Redshift(name)
    with warehouse.transaction() as transaction:
        transaction.run(f"CREATE SCHEMA {schema}")
    yield Loader(warehouse, clients.client("s3"), schema)
    warehouse._abandon(broken=True)
    clients.client.cache_clear()


def thing(number: int, label: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "label": label, **more}


def test_an_append_keeps_what_was_there(loader: Loader) -> None:
    loader.load([thing(1, "a")])
    loader.load([thing(1, "b"), thing(2, "c")])
    assert loader.rows() == [[1, "a"], [1, "b"], [2, "c"]]


def test_an_upsert_replaces_by_key_and_takes_one_row_for_each_key(loader: Loader) -> None:
    upsert = {"mode": "upsert", "keys": ("id",)}
    loader.load([thing(1, "a"), thing(2, "b")], **upsert)
    loaded = loader.load([thing(2, "new"), thing(3, "d"), thing(3, "c")], **upsert)
    assert loader.rows() == [[1, "a"], [2, "new"], [3, "c"]]
    assert loaded.rows == 2


def test_an_overwrite_leaves_only_the_new_rows(loader: Loader) -> None:
    loader.load([thing(1, "a"), thing(2, "b")], mode="overwrite")
    loader.load([thing(3, "c")], mode="overwrite")
    assert loader.rows() == [[3, "c"]]


def test_a_token_that_is_there_loads_nothing_again(loader: Loader) -> None:
    first = loader.load([thing(1, "a")], token="things-1")
    again = loader.load([thing(1, "a")], token="things-1")
    assert (first.already, again.already, again.rows) == (False, True, 1)
    assert loader.rows() == [[1, "a"]]


def test_a_new_column_breaks_a_frozen_contract_and_changes_nothing(loader: Loader) -> None:
    loader.load([thing(1, "a")])
    with pytest.raises(ContractBroken, match="colour"):
        loader.load([thing(2, "b", colour="red")])
    assert loader.rows() == [[1, "a"]]


def test_a_new_column_is_added_when_the_contract_evolves(loader: Loader) -> None:
    loader.load([thing(1, "a")], contract="evolve")
    loader.load([thing(2, "b", colour="red")], contract="evolve")
    loader.load([thing(3, "c")], contract="evolve")
    assert loader.rows("id, label, colour") == [[1, "a", None], [2, "b", "red"], [3, "c", None]]


def test_a_load_that_the_warehouse_refuses_leaves_neither_rows_nor_token(loader: Loader) -> None:
    loader.load([thing(1, "a")])
    with pytest.raises(LoadFailed):
        loader.load([thing(2, "x" * 200)], token="things-2")
    assert loader.rows() == [[1, "a"]]
    assert loader.load([thing(2, "short")], token="things-2").already is False
