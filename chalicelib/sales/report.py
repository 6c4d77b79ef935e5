"""The business report: one HTML page that opens without a server and without a request to another host."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any

from chalicelib.sales.charts import Point, bars, columns, element, markup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from xml.etree.ElementTree import Element

    from chalicelib.aws.athena import Row

MOST_MONTHS = 24

MOST_BATCHES = 30

LONG = Decimal(100_000_000)
"""An amount that is written short to fit in its box."""

WORDS = {
    "already_loaded": "Came in an earlier batch",
    "bad_date": "Date cannot be read",
    "bad_price": "Price cannot be read",
    "bad_quantity": "Quantity cannot be read",
    "broken_accents": "Broken accents mended",
    "duplicate": "Repeated in the same batch",
    "no_sale_id": "Sale without an id",
    "other_date_format": "Date rewritten",
    "other_number_format": "Number rewritten",
    "other_spelling": "Spelling mended",
    "stray_whitespace": "Stray spaces removed",
    "unknown_category": "Unknown category, kept as Unknown",
    "unknown_region": "Unknown region, kept as Unknown",
    "wrong_number_of_cells": "Wrong number of cells",
}
"""The job's reasons, for people."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, kw_only=True)
class Sold:
    """What was sold under a name: a month, a category, a region or a product."""

    name: str
    revenue: Decimal
    sales: int


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Everything that was sold."""

    sales: int
    customers: int
    revenue: Decimal
    first_day: str
    last_day: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the page tells.

    Attributes:
        run: the run that made it.
        made: when.
        summary: what the job told of the batch.
        checks: what the checks found in the batch.
        results: the rows of each query of sql/nightly_batch/analysis.sql.
    """

    run: str
    made: datetime
    summary: Mapping[str, Any]
    checks: Sequence[Mapping[str, Any]]
    results: Mapping[str, Sequence[Row]]

    @property
    def totals(self) -> Totals:
        """The one row of `totals`."""
        (row,) = self.results["totals"]
        return Totals(
            sales=int(row["sales"] or 0),
            customers=int(row["customers"] or 0),
            revenue=Decimal(row["revenue"] or 0),
            first_day=row["first_day"] or "",
            last_day=row["last_day"] or "",
        )

    def points(self, query: str) -> list[Sold]:
        """Return the rows of a query that groups sales by a name."""
        return [
            Sold(
                name=row["name"] or "not given",
                revenue=Decimal(row["revenue"] or 0),
                sales=int(row["sales"] or 0),
            )
            for row in self.results[query]
        ]

    def reasons(self, kind: str) -> list[tuple[str, int]]:
        """Return how often each reason came, most often first: `cleaned` or `rejected`, `read` or `kept`."""
        rows = [row for row in self.results["quality"] if row["kind"] == kind]
        return [(row["reason"] or "", int(row["row_count"] or 0)) for row in rows]


def money(amount: Decimal) -> str:
    """Return an amount as people read it: €1,234,567."""
    return f"{'-' if amount < 0 else ''}€{abs(amount):,.0f}"


def plain_money(amount: Decimal) -> str:
    """Return an amount in ASCII, which a notice's subject must be: EUR 1,234,567."""
    return f"EUR {amount:,.0f}"


def short_money(amount: Decimal) -> str:
    """Return an amount in few characters: €1.2M."""
    for unit, letter in ((Decimal(1_000_000_000), "B"), (Decimal(1_000_000), "M"), (Decimal(1000), "k")):
        if abs(amount) >= unit:
            return f"€{(amount / unit).quantize(Decimal('0.1')):f}".replace(".0", "") + letter
    return f"€{amount:.0f}"


def page(report: Report) -> str:
    """Return the page. Every value in it was escaped by ElementTree."""
    totals = report.totals
    facts = {
        "period": f"{totals.first_day} to {totals.last_day}" if totals.sales else "no sales yet",
        "made": f"{report.made:%Y-%m-%d %H:%M} UTC",
        "run": report.run,
    }
    return _skeleton().substitute(
        {name: markup(element("span", None, value)) for name, value in facts.items()},
        cards=markup(*_cards(report)),
        months=_months(report),
        categories=_ranking("categories", "Revenue by category", report, "by_category"),
        regions=_ranking("regions", "Revenue by region", report, "by_region"),
        products=_ranking("products", "Ten products that sell best", report, "by_product"),
        checks=markup(_checks(report)),
        nights=_nights(report),
        rejected=_reasons("rejected", "Rows refused", report.reasons("rejected")),
        cleaned=_reasons("cleaned", "Rows mended", report.reasons("cleaned")),
        examples=markup(*_examples(report)),
    )


@functools.cache
def _skeleton() -> Template:
    return Template(resources.files("chalicelib.sales").joinpath("page.html").read_text(encoding="utf-8"))


def _cards(report: Report) -> list[Element]:
    totals = report.totals
    read = sum(rows for _, rows in report.reasons("read"))
    refused = sum(rows for _, rows in report.reasons("rejected"))
    average = totals.revenue / totals.sales if totals.sales else Decimal(0)
    cards = (
        ("Revenue", money(totals.revenue) if totals.revenue < LONG else short_money(totals.revenue)),
        ("Sales", f"{totals.sales:,}"),
        ("Customers", f"{totals.customers:,}"),
        ("Average sale", f"€{average:,.2f}"),
        ("Rows refused", f"{refused / read:.1%}" if read else "0%"),
    )
    return [
        element("div", {"class": "card"}, element("dt", None, name), element("dd", None, value))
        for name, value in cards
    ]


def _months(report: Report) -> str:
    sold = report.points("by_month")[-MOST_MONTHS:]
    points = [
        Point(
            label=MONTHS[int(each.name[5:]) - 1],
            note=each.name[:4] if place == 0 or each.name.endswith("-01") else "",
            parts=(each.revenue,),
            words=short_money(each.revenue),
        )
        for place, each in enumerate(sold)
    ]
    chart = columns("months", "Revenue by month", _extremes(sold), points, short_money)
    return markup(chart, _sold_table("Month", sold))


def _ranking(name: str, title: str, report: Report, query: str) -> str:
    sold, whole = report.points(query), report.totals.revenue
    points = [
        Point(label=each.name, parts=(each.revenue,), words=_with_share(each.revenue, whole)) for each in sold
    ]
    return markup(bars(name, title, _extremes(sold), points), _sold_table("Name", sold))


def _with_share(revenue: Decimal, whole: Decimal) -> str:
    return f"{money(revenue)} · {revenue / whole:.0%}" if whole else money(revenue)


def _extremes(sold: list[Sold]) -> str:
    """Return what the chart shows at a glance, for those who do not see it."""
    if not sold:
        return "There are no sales."
    most, least = max(sold, key=lambda each: each.revenue), min(sold, key=lambda each: each.revenue)
    return (
        f"{len(sold)} values: the most is {most.name} with {money(most.revenue)}, "
        f"the least {least.name} with {money(least.revenue)}. The table below has all of them."
    )


def _sold_table(first: str, sold: list[Sold]) -> Element:
    rows = [(each.name, f"€{each.revenue:,.2f}", f"{each.sales:,}") for each in sold]
    return _folded((first, "Revenue", "Sales"), rows)


def _checks(report: Report) -> Element:
    rows = [
        (
            "passed" if each["passed"] else "failed",
            str(each["name"]).replace("_", " "),
            f"{each['bad']:,} of {each['total']:,} {each['words']}",
            f"{each['percent']}%" if each["percent"] else "none",
        )
        for each in report.checks
    ]
    return _table(("", "Check", "Found", "Allowed"), rows, numbers=0)


def _nights(report: Report) -> str:
    nights = [
        (row["published_at"] or "", int(row["kept"] or 0), int(row["rejected"] or 0))
        for row in report.results["batches"]
    ][-MOST_BATCHES:]
    points = [
        Point(
            label=published[5:10],
            parts=(Decimal(kept), Decimal(refused)),
            words=f"{kept:,} kept, {refused:,} refused",
            short=f"{kept:,}",
        )
        for published, kept, refused in nights
    ]
    told = f"{len(nights)} published batches; the upper part of a column is the rows refused."
    chart = columns("nights", "Rows by batch", told, points, lambda rows: f"{rows:,.0f}")
    rows = [
        (published[:16].replace("T", " "), f"{kept:,}", f"{refused:,}") for published, kept, refused in nights
    ]
    return markup(chart, _folded(("Published (UTC)", "Kept", "Refused"), rows))


def _reasons(name: str, title: str, reasons: list[tuple[str, int]]) -> str:
    if not reasons:
        return markup(element("p", {"class": "quiet"}, "None."))
    named = [(WORDS.get(reason, reason.replace("_", " ")), rows) for reason, rows in reasons]
    points = [Point(label=words, parts=(Decimal(rows),), words=f"{rows:,}") for words, rows in named]
    told = "; ".join(f"{words}: {rows:,} rows" for words, rows in named)
    return markup(bars(name, title, told, points))


def _examples(report: Report) -> list[Element]:
    examples = report.summary["examples"]
    if not examples:
        return [element("p", {"class": "quiet"}, "No row of this batch was refused.")]
    rows = [
        (
            f"{str(each['source_file']).rsplit('/', 1)[-1]}, line {each['source_line']}",
            WORDS.get(each["reason"], each["reason"]),
            " ".join(part for part in (each["column_name"], repr(each["value"])) if part),
        )
        for each in examples
    ]
    return [_table(("Where", "Why", "Value"), rows, numbers=0)]


def _folded(names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Element:
    return element(
        "details", None, element("summary", None, "As a table"), _table(names, rows, numbers=len(names) - 1)
    )


def _table(names: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, numbers: int) -> Element:
    """Return a table whose last so many columns are numbers."""
    first_number = len(names) - numbers
    body = [
        element(
            "tr",
            {"class": row[0]} if row[0] in {"passed", "failed"} else None,
            *(
                element("td", {"class": "number"} if place >= first_number else None, value)
                for place, value in enumerate(row)
            ),
        )
        for row in rows
    ]
    head = element("tr", None, *(element("th", {"scope": "col"}, name) for name in names))
    table = element("table", None, element("thead", None, head), element("tbody", None, *body))
    return element("div", {"class": "scroll"}, table)
