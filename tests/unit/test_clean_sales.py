"""The cleaning of sales exports, as plain functions."""

from __future__ import annotations

import contextlib
import importlib.util
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyarrow import parquet

from cli.sample_data.nightly_batch import write_all

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

HEADER = "sale_id;sold_on;region;customer;category;product;quantity;unit_price\n"
MARCH = "sales_rows/batch=b/month=2025-03/part-0.parquet"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = Path(__file__).parents[2] / "glue_scripts" / "clean_sales.py"
    spec = importlib.util.spec_from_file_location("clean_sales", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(**changes: str) -> list[str]:
    given = {
        "sale_id": "1",
        "sold_on": "2025-03-04",
        "region": "Madrid",
        "customer": "José",
        "category": "Hogar",
        "product": "Cafetera",
        "quantity": "2",
        "unit_price": "10.50",
    }
    return list({**given, **changes}.values())


def cleaned(
    script: ModuleType, folder: Path, *contents: bytes | str, published: Iterable[str] = ()
) -> tuple[dict[str, Any], dict[str, Path]]:
    """Clean files of these contents as one batch; return its summary and its files."""
    folder.mkdir(exist_ok=True)
    with contextlib.closing(script.Ids(folder, lambda _month: published)) as ids:
        cleaning = script.Cleaning("b", folder, ids)
        for number, content in enumerate(contents):
            path = folder / f"{number}.csv"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            cleaning.clean_file(path, path.name)
        return cleaning.summary(), cleaning.close()


def rows_of(path: Path) -> list[dict[str, Any]]:
    with path.open("rb") as file:
        return list(parquet.ParquetFile(file).read().to_pylist())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", "10.00"),
        ("10.5", "10.50"),
        ("10,5", "10.50"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1.234", "1234.00"),
        ("1.234.567,8", "1234567.80"),
        ("€ 12,50", "12.50"),
        ("12,00-", "-12.00"),
        ("-4.00", "-4.00"),
    ],
)
def test_an_amount_is_read_in_either_notation(script: ModuleType, text: str, value: str) -> None:
    assert script.read_price(text)[0] == Decimal(value)


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("unit_price", "1.2.3", "bad_price"),
        ("unit_price", "1,234.567", "bad_price"),
        ("unit_price", "n/d", "bad_price"),
        ("unit_price", "99999999999.00", "bad_price"),
        ("quantity", "0", "bad_quantity"),
        ("quantity", "1,5", "bad_quantity"),
        ("quantity", "-1", "bad_quantity"),
        ("sold_on", "2025-02-30", "bad_date"),
        ("sold_on", "30/02/2025", "bad_date"),
        ("sold_on", "01/01/1925", "bad_date"),
        ("sold_on", "", "bad_date"),
        ("sale_id", "  ", "no_sale_id"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    script: ModuleType, column: str, text: str, reason: str
) -> None:
    with pytest.raises(script.RejectedRowError) as refused:
        script.clean_row(row(**{column: text}))
    assert (refused.value.reason, refused.value.column) == (reason, column)


@pytest.mark.parametrize(
    "text", ["2025-03-04", "04/03/2025", "4.3.2025", "20250304", "2025/03/04", "2025-03-04T10:00:00"]
)
def test_a_date_is_read_with_the_day_before_the_month(script: ModuleType, text: str) -> None:
    assert script.read_date(text)[0] == date(2025, 3, 4)


@pytest.mark.parametrize(
    ("changes", "clean", "mended"),
    [
        ({"category": "ELECTRONICA"}, {"category": "Electrónica"}, {"other_spelling"}),
        ({"category": " Hogar\u00a0"}, {"category": "Hogar"}, {"stray_whitespace"}),
        ({"category": "ElectrÃ³nica"}, {"category": "Electrónica"}, {"broken_accents"}),
        ({"category": "Varios"}, {"category": "Unknown"}, {"unknown_category"}),
        ({"category": ""}, {"category": "Unknown"}, {"unknown_category"}),
        ({"region": ""}, {"region": None}, set()),
        ({"region": "Atlantis"}, {"region": "Unknown"}, {"unknown_region"}),
        ({"customer": "José\u0301".replace("é\u0301", "e\u0301")}, {"customer": "José"}, set()),
        ({"unit_price": "1.000,00"}, {"amount": Decimal("2000.00")}, {"other_number_format"}),
        ({}, {"amount": Decimal("21.00"), "sold_on": date(2025, 3, 4)}, set()),
    ],
)
def test_a_value_is_mended_and_the_mend_counted(
    script: ModuleType, changes: dict[str, str], clean: dict[str, Any], mended: set[str]
) -> None:
    found, reasons = script.clean_row(row(**changes))
    assert {name: found[name] for name in clean} == clean
    assert reasons == mended


def test_latin_1_and_utf_8_give_the_same_rows(script: ModuleType, tmp_path: Path) -> None:
    text = HEADER + "1;2025-03-04;Aragón;Iñaki Muñoz;Jardín;Cortacésped;1;5\n"
    for encoding in ("utf-8", "utf-8-sig", "latin-1"):
        _, files = cleaned(script, tmp_path / encoding, text.encode(encoding))
        (found,) = rows_of(files[MARCH])
        assert (found["region"], found["customer"]) == ("Aragón", "Iñaki Muñoz")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_and_the_order_of_the_columns_are_the_export_s_own(
    script: ModuleType, tmp_path: Path, delimiter: str
) -> None:
    names = [
        "Unit Price",
        "SALE_ID",
        "sold_on",
        "region",
        "note",
        "customer",
        "category",
        "product",
        "quantity",
    ]
    cells = ['"1,50"', "7", "2025-03-04", "Madrid", "", "Eva", "Moda", '"Abrigo, azul"', "2"]
    text = f"{delimiter.join(names)}\n{delimiter.join(cells)}\n"
    _, files = cleaned(script, tmp_path, text)
    (found,) = rows_of(files[MARCH])
    assert (found["sale_id"], found["amount"], found["product"]) == ("7", Decimal("3.00"), "Abrigo, azul")


def test_every_refused_row_is_told_with_file_line_and_value(script: ModuleType, tmp_path: Path) -> None:
    lines = ["1;2025-03-04;;;;;1;5", "1;2025-03-04;;;;;1;5", "2;never;;;;;1;5", "3;2025-03-04;x", ""]
    summary, files = cleaned(script, tmp_path, HEADER + "\n".join(lines))
    told = [(each["source_line"], each["reason"], each["value"]) for each in summary["examples"]]
    assert told == [(3, "duplicate", "1"), (4, "bad_date", "never"), (5, "wrong_number_of_cells", "")]
    assert (summary["read"], summary["kept"]) == (4, 1)
    assert summary["rejected"] == {"bad_date": 1, "duplicate": 1, "wrong_number_of_cells": 1}
    assert len(rows_of(files["sales_rejected/batch=b/part-0.parquet"])) == 3
    counts = {
        (each["kind"], each["reason"]): each["row_count"]
        for each in rows_of(files["sales_quality/batch=b/part-0.parquet"])
    }
    assert (counts["read", ""], counts["kept", ""], counts["rejected", "bad_date"]) == (4, 1, 1)


def test_an_id_counts_once_over_files_and_over_batches(script: ModuleType, tmp_path: Path) -> None:
    line = "{};2025-03-04;Madrid;Eva;Moda;Abrigo;1;5\n"
    first = HEADER + line.format("old") + line.format("a")
    second = HEADER + line.format("a") + line.format("b")
    summary, files = cleaned(script, tmp_path, first, second, published=["old"])
    assert [each["sale_id"] for each in rows_of(files[MARCH])] == ["a", "b"]
    assert summary["rejected"] == {"already_loaded": 1, "duplicate": 1}


def test_a_file_without_a_column_is_named_with_it(script: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(script.WrongFileError, match=r"0\.csv lacks the column unit_price"):
        cleaned(script, tmp_path / "short", HEADER.replace(";unit_price", "") + "x\n")
    with pytest.raises(script.WrongFileError, match="lacks the column sale_id"):
        cleaned(script, tmp_path / "empty", b"")


def test_the_same_files_give_the_same_bytes(script: ModuleType, tmp_path: Path) -> None:
    contents = [sample.path.read_bytes() for sample in write_all(tmp_path, rows=300)]
    first, second = (cleaned(script, tmp_path / name, *contents) for name in ("first", "second"))
    assert first[0] == second[0]
    assert {key: path.read_bytes() for key, path in first[1].items()} == {
        key: path.read_bytes() for key, path in second[1].items()
    }


def test_the_samples_hold_every_kind_of_mess(script: ModuleType, tmp_path: Path) -> None:
    good = [sample for sample in write_all(tmp_path) if sample.outcome == "succeeded"]
    summary, _ = cleaned(script, tmp_path / "out", *(sample.path.read_bytes() for sample in good))
    assert summary["read"] == sum(sample.rows for sample in good)
    assert set(summary["rejected"]) == {"bad_date", "bad_price", "bad_quantity", "duplicate", "no_sale_id"}
    assert {"broken_accents", "other_spelling", "stray_whitespace", "unknown_category"} <= set(
        summary["cleaned"]
    )
    assert sum(summary["months"].values()) == summary["kept"] > 0.9 * summary["read"]


def test_rows_wait_on_disk_not_in_memory(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "ROWS_IN_MEMORY", 10)
    lines = "".join(f"{number};2025-03-04;Madrid;Eva;Moda;Abrigo;1;5\n" for number in range(95))
    _, files = cleaned(script, tmp_path, HEADER + lines)
    with files[MARCH].open("rb") as file:
        found = parquet.ParquetFile(file)
        groups = [found.metadata.row_group(number).num_rows for number in range(found.num_row_groups)]
    assert (max(groups), sum(groups)) == (10, 95)
