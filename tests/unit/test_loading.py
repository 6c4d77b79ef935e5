"""The transaction of one load, statement by statement."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.aws.redshift import _translated
from chalicelib.errors import ContractBroken, LoadFailed, WarehouseIsBusy, WarehouseIsUnreachable
from chalicelib.loading import Load, load_once, prepare
from chalicelib.pipeline import Table
from chalicelib.sql import identifier, queries
from tests.fakes import FakeRedshift, FakeTransaction

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = (("id", "BIGINT"), ("label", "VARCHAR(80)"))


def a_load(**changes: Any) -> Load:
    given = {
        "token": "things-1",
        "run": "things-1",
        "source": "s3://landing/a.csv",
        "table": Table(name="things", mode="upsert", keys=("id",)),
        "columns": COLUMNS,
        "rows": 3,
        "manifest": "s3://curated/m.json",
        "role": "arn:aws:iam::1:role/r",
    }
    return Load(**{**given, **changes})


def a_warehouse(columns: tuple[str, ...] = ("id", "label"), **more: Any) -> FakeRedshift:
    answers = {
        "information_schema": [[name] for name in columns],
        "COUNT(*) FROM (SELECT DISTINCT": [[2]],
        "COUNT(*)": [[3]],
        **more,
    }
    return FakeRedshift(answers)


def statements(warehouse: FakeRedshift) -> list[str]:
    return [text.split("\n")[0] for text, _ in warehouse.committed[0].statements]


def test_the_token_table_is_locked_first_and_the_token_written_last() -> None:
    warehouse = a_warehouse()
    loaded = load_once(warehouse, a_load())
    said = statements(warehouse)
    assert said[0] == 'LOCK TABLE "public"."decant_loads"'
    assert said[-1].startswith('INSERT INTO "public"."decant_loads"')
    assert (loaded.rows, loaded.already) == (2, False)


def test_a_file_whose_token_is_there_is_not_loaded_again() -> None:
    warehouse = a_warehouse()
    warehouse.answers = {"SELECT loaded_rows": [[3, "load_batch-1"]], **warehouse.answers}
    loaded = load_once(warehouse, a_load())
    assert (loaded.rows, loaded.already, loaded.owner) == (3, True, "load_batch-1")
    assert len(warehouse.committed[0].statements) == 2


def test_a_missing_table_is_made_and_a_frozen_one_is_not_changed() -> None:
    warehouse = a_warehouse(columns=())
    load_once(warehouse, a_load())
    assert 'CREATE TABLE "public"."things" ("id" BIGINT, "label" VARCHAR(80))' in statements(warehouse)
    with pytest.raises(ContractBroken, match=r"label.*evolve"):
        load_once(a_warehouse(columns=("id",)), a_load())


def test_a_table_that_evolves_gains_the_column() -> None:
    warehouse = a_warehouse(columns=("id",))
    load_once(warehouse, a_load(table=Table(name="things", contract="evolve")))
    assert 'ALTER TABLE "public"."things" ADD COLUMN "label" VARCHAR(80)' in statements(warehouse)


def test_nothing_is_committed_when_copy_takes_in_another_number_of_rows() -> None:
    warehouse = a_warehouse()
    with pytest.raises(LoadFailed, match="3 rows, but the files hold 4"):
        load_once(warehouse, a_load(rows=4))
    assert all(words.startswith("SELECT file_name") for words in statements(warehouse))


def test_an_overwrite_deletes_inside_the_transaction_and_never_truncates() -> None:
    warehouse = a_warehouse()
    load_once(warehouse, a_load(table=Table(name="things", mode="overwrite")))
    said = statements(warehouse)
    assert 'DELETE FROM "public"."things"' in said
    assert not any("TRUNCATE" in text for text in said)


def test_columns_are_always_named_on_insert() -> None:
    assert "*" not in queries("load")["insert_all"].template
    assert "SELECT *" not in queries("load")["insert_newest"].template


@pytest.mark.parametrize("name", ['a"b', "a b", "A", "", "1a", "a;drop", "ä", "x" * 200])
def test_a_name_that_is_not_on_the_allow_list_never_reaches_sql(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        identifier(name)


@pytest.mark.parametrize("place", ["s3://b/it's.json", "s3://b/a\\b", "s3://b/a\nb"])
def test_a_place_that_could_end_the_quoted_text_of_copy_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="COPY"):
        load_once(a_warehouse(), a_load(manifest=place))


def test_the_driver_s_errors_become_try_again_or_give_up() -> None:
    import redshift_connector  # noqa: PLC0415 - heavy, and only this test needs it

    busy = redshift_connector.ProgrammingError(
        {"M": "1023", "D": "Serializable isolation violation", "C": "XX000"}
    )
    assert isinstance(_translated(busy), WarehouseIsBusy)
    assert isinstance(_translated(redshift_connector.InterfaceError("closed")), WarehouseIsUnreachable)
    assert isinstance(_translated(ConnectionResetError("reset")), WarehouseIsUnreachable)
    refused = _translated(redshift_connector.ProgrammingError({"M": "no such role", "C": "42704"}))
    assert isinstance(refused, LoadFailed)
    assert "no such role" in str(refused)


class MadeMeanwhile(FakeRedshift):
    """A warehouse in which another load makes the token table between the look and the creation."""

    @contextlib.contextmanager
    def transaction(self) -> Iterator[FakeTransaction]:
        with super().transaction() as transaction:
            yield transaction
            if any("CREATE TABLE" in text for text, _ in transaction.statements):
                raise LoadFailed("relation decant_loads already exists")


def test_two_first_loads_may_make_the_token_table_at_the_same_moment() -> None:
    warehouse = MadeMeanwhile()
    prepare(warehouse, '"public"."decant_loads"')
    ((text, _),) = warehouse.committed[0].statements
    assert text.startswith("SELECT loaded_rows")


def test_a_refused_copy_names_the_rows_that_redshift_keeps() -> None:
    row = [
        "s3://curated/x/part-0.parquet   ",
        7,
        "label  ",
        "varchar   ",
        "String length exceeds DDL length  ",
    ]
    warehouse = a_warehouse(**{"sys_load_error_detail": [row], "count(*)": [[1]]})
    with pytest.raises(LoadFailed) as caught:
        load_once(warehouse, a_load(rows=5))
    assert str(caught.value).splitlines()[1:] == [
        "part-0.parquet, line 7, column label (varchar): String length exceeds DDL length"
    ]
