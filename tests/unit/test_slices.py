"""The transaction that replaces the rows of one date, statement by statement."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from chalicelib.errors import FileReplaced
from chalicelib.flights import months
from chalicelib.flights.tables import OF_A_DATE
from chalicelib.loading import Load
from chalicelib.slices import Slice, replace_once
from chalicelib.steps.load_metrics import slice_of
from tests.factories import a_file
from tests.fakes import FakeRedshift

DAY = date(2026, 12, 31)


def a_slice() -> Slice:
    found = {
        "date": DAY.isoformat(),
        "token": "flight_metrics-1",
        "flights": a_file(bucket="landing", key="batch/flights/2026-12-31/flights.csv").to_document(),
    }
    tables = [{"name": table.name, "rows": 3, "manifest": "s3://curated/m.json"} for table in OF_A_DATE]
    return slice_of({"run": "flight_metrics-1-2", "found": found, "tables": tables})


def statements(warehouse: FakeRedshift) -> list[str]:
    return [text.split("\n")[0] for text, _ in warehouse.committed[0].statements]


def replace(warehouse: FakeRedshift, check: Any = lambda: None, derive: Any = lambda _: None) -> Any:
    return replace_once(warehouse, a_slice(), check=check, derive=derive)  # type: ignore[arg-type]


def test_every_table_of_a_date_is_replaced_in_one_transaction_with_one_token() -> None:
    warehouse = FakeRedshift({"SELECT COUNT(*)": [[3]]})
    loaded = replace(warehouse)
    said = statements(warehouse)
    assert len(warehouse.committed) == 1
    assert said[0].startswith("LOCK TABLE")
    for table in OF_A_DATE:
        deleted = said.index(f'DELETE FROM "public"."{table.name}" WHERE "flight_date" = %s')
        assert said[deleted + 1].startswith(f'INSERT INTO "public"."{table.name}" ("flight_date", ')
    assert said[-2].startswith('DELETE FROM "public"."decant_loads" WHERE target = %s AND source = %s')
    assert said[-1].startswith('INSERT INTO "public"."decant_loads"')
    assert (loaded.rows, loaded.already) == (9, False)


def test_each_table_has_a_temporary_table_of_its_own_that_goes_with_the_load() -> None:
    warehouse = FakeRedshift({"SELECT COUNT(*)": [[3]]})
    replace(warehouse)
    made = [text.split('"')[1] for text in statements(warehouse) if text.startswith("CREATE TEMP TABLE")]
    dropped = [text.split('"')[1] for text in statements(warehouse) if text.startswith("DROP TABLE")]
    assert made == dropped
    assert len(set(made)) == len(OF_A_DATE)


def test_content_that_the_warehouse_holds_is_not_loaded_again() -> None:
    warehouse = FakeRedshift({"SELECT loaded_rows": [[450]]})
    loaded = replace(warehouse, check=lambda: pytest.fail("nothing is to be loaded"))
    assert (loaded.rows, loaded.already) == (450, True)
    assert len(statements(warehouse)) == 2


def test_content_that_was_replaced_meanwhile_is_not_loaded() -> None:
    def check() -> None:
        raise FileReplaced

    warehouse = FakeRedshift({"SELECT COUNT(*)": [[3]]})
    with pytest.raises(FileReplaced):
        replace(warehouse, check=check)
    assert warehouse.committed == []


def test_the_token_belongs_to_the_folder_of_the_date() -> None:
    new = a_slice()
    assert new.source == "s3://landing/batch/flights/2026-12-31/"
    assert [isinstance(part, Load) and part.source for part in new.parts] == [new.source] * 3
    assert new.column == "flight_date"


def test_a_month_is_computed_from_its_first_day_to_the_next_month_s() -> None:
    warehouse = FakeRedshift()
    with warehouse.transaction() as transaction:
        months.recompute(transaction, DAY)  # type: ignore[arg-type]
    bounds = [values for text, values in warehouse.committed[0].statements if text.startswith("INSERT")]
    assert bounds == [(date(2026, 12, 1), date(2027, 1, 1))] * 2
