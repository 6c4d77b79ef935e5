"""Sales exports as ERP systems write them: three shops, three habits, and one broken file."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COLUMNS = ("sale_id", "sold_on", "region", "customer", "category", "product", "quantity", "unit_price")

PRODUCTS = {
    "Alimentación": (("Aceite de oliva, 5 l", 38.5), ("Jamón ibérico", 89.9), ("Café en grano", 14.2)),
    "Bebé y niños": (("Cochecito", 240.0), ("Pañales", 18.75)),
    "Electrónica": (("Cámara", 449.0), ("Portátil 14 pulgadas", 1129.0), ("Teléfono", 379.0)),
    "Hogar": (("Sábanas de algodón", 42.0), ("Lámpara de pie", 74.5), ("Cafetera", 129.0)),
    "Jardín": (("Cortacésped", 219.0), ("Maceta de barro", 12.3)),
    "Moda": (("Abrigo", 119.0), ("Zapatos de piel", 84.0), ("Pañuelo de seda", 35.0)),
}
CATEGORY_WEIGHTS = (30, 9, 18, 20, 8, 15)
REGIONS = ("Andalucía", "Aragón", "Cataluña", "Galicia", "Madrid", "País Vasco")
REGION_WEIGHTS = (17, 8, 26, 11, 28, 10)
MONTH_WEIGHTS = (78, 70, 84, 92, 100, 104, 121, 88, 97, 112)
"""January to October: a year with a summer and an autumn."""

GIVEN = ("Ángel", "Begoña", "Concepción", "Iñaki", "José", "Lucía", "Martí", "Núria", "Óscar", "Xoán")
FAMILY = ("Álvarez", "Echeverría", "Fernández", "García", "Ibáñez", "López", "Muñoz", "Peña", "Puig", "Sáez")

Row = list[str]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One export and what becomes of it.

    Attributes:
        path: where it was written.
        pipeline: the pipeline that takes it.
        rows: how many rows it holds.
        night: the night in whose batch it is shown.
        outcome: how that night's run ends.
    """

    path: Path
    pipeline: str
    rows: int
    night: int
    outcome: Literal["succeeded", "failed"]


def write_all(directory: Path, *, rows: int = 2_400) -> list[Sample]:
    """Write the exports into a directory; a good one has about so many rows. They are the same every time."""
    directory.mkdir(parents=True, exist_ok=True)
    spanish = _written(_export("N", rows, _spanish, messy=True), ";")
    english = _written(_export("S", rows, _english, messy=True), ",")
    broken = _written(_export("B", rows // 4, _spanish, messy=False, spoil=_spoil), ";")
    return [
        _sample(directory / "sales_north.csv", spanish.encode("utf-8-sig"), night=1),
        _sample(directory / "sales_south.csv", english.encode("cp1252", errors="replace"), night=1),
        _sample(directory / "sales_refunds.csv", broken.encode(), night=3, outcome="failed"),
    ]


def _sample(
    path: Path, content: bytes, *, night: int, outcome: Literal["succeeded", "failed"] = "succeeded"
) -> Sample:
    path.write_bytes(content)
    rows = content.count(b"\n") - 1
    return Sample(path=path, pipeline="nightly_batch", rows=rows, night=night, outcome=outcome)


def _export(
    shop: str,
    count: int,
    spelled: Callable[[random.Random, date, float], tuple[str, str]],
    *,
    messy: bool,
    spoil: Callable[[int, Row], None] | None = None,
) -> list[Row]:
    chance = random.Random(shop)  # nosec B311  # noqa: S311 - samples need the same numbers every time, not secret ones
    rows = [_sale(chance, f"{shop}{number:06}", spelled) for number in range(1, count + 1)]
    if messy:
        for row in rows:
            _mess_up(chance, row)
        rows += [list(chance.choice(rows)) for _ in range(count // 60)]  # sent twice
        chance.shuffle(rows)
    if spoil:
        for number, row in enumerate(rows):
            spoil(number, row)
    return rows


def _sale(
    chance: random.Random, sale_id: str, spelled: Callable[[random.Random, date, float], tuple[str, str]]
) -> Row:
    category = chance.choices(list(PRODUCTS), CATEGORY_WEIGHTS)[0]
    product, price = chance.choice(PRODUCTS[category])
    month = chance.choices(range(1, len(MONTH_WEIGHTS) + 1), MONTH_WEIGHTS)[0]
    sold_on = date(2025, month, 1) + timedelta(days=chance.randrange(28))
    day, amount = spelled(chance, sold_on, price * chance.uniform(0.85, 1.15))
    customer = f"{chance.choice(GIVEN)} {chance.choice(FAMILY)} {chance.choice(FAMILY)}"
    region = chance.choices(REGIONS, REGION_WEIGHTS)[0]
    quantity = chance.choices((1, 2, 3, 5, 10), (60, 22, 10, 6, 2))[0]
    return [sale_id, day, region, customer, category, product, str(quantity), amount]


def _spanish(chance: random.Random, day: date, price: float) -> tuple[str, str]:
    amount = f"{price:,.2f}".translate(str.maketrans(",.", ".,"))
    return chance.choice((f"{day:%d/%m/%Y}", f"{day:%d.%m.%Y}")), amount


def _english(chance: random.Random, day: date, price: float) -> tuple[str, str]:
    return chance.choice((day.isoformat(), f"{day:%Y/%m/%d}")), f"{price:,.2f}"


def _mess_up(chance: random.Random, row: Row) -> None:
    """Do to a row what people and programs do to some of them."""
    (mess,) = chance.choices([None, *MESSES], [82, *(share for _, share, _ in MESSES.values())])
    if mess is not None:
        column, _, spelled = MESSES[mess]
        place = COLUMNS.index(column)
        row[place] = spelled(chance, row[place])


def _one_of(*values: str) -> Callable[[random.Random, str], str]:
    return lambda chance, _: chance.choice(values)


MESSES: dict[str, tuple[str, float, Callable[[random.Random, str], str]]] = {
    "spelling": ("category", 5, lambda chance, text: chance.choice((text.upper(), text.lower()))),
    "spaces": ("category", 2, lambda _, text: f"  {text} "),
    "other spaces": ("customer", 4, lambda _, text: text.replace(" ", "  ", 1) + "\u00a0"),
    "broken accents": ("category", 1, lambda _, text: text.encode().decode("cp1252")),
    "shouting": ("region", 3, lambda _, text: text.upper()),
    "unknown": ("category", 1.5, _one_of("Varios", "???", "")),
    "nowhere": ("region", 1.5, _one_of("")),
    "bad date": ("sold_on", 1, _one_of("30/02/2025", "0000-00-00", "mañana", "")),
    "bad price": ("unit_price", 0.7, _one_of("n/d", "1.2.3", "")),
    "bad quantity": ("quantity", 0.6, _one_of("-1", "dos", "0")),
    "no id": ("sale_id", 0.3, _one_of(" ")),
}
"""What happens to how many percent of the rows: the column, the share, and the new text."""


def _spoil(number: int, row: Row) -> None:
    """Export refunds as sales, some of them without saying where."""
    if number % 3 == 0:
        row[COLUMNS.index("unit_price")] += "-"
    if number % 8 == 0:
        row[COLUMNS.index("region")] = ""


def _written(rows: list[Row], delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue()
