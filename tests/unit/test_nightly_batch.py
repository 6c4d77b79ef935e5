"""The nightly batch: what is new, what is published, what the checks decide, and the report."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from chalicelib import settings
from chalicelib.errors import AlreadyPublished, LedgerChanged
from chalicelib.notices import notice
from chalicelib.sales import ledger
from chalicelib.sales.batch import Batch, document_key, report_key
from chalicelib.sales.charts import Point, bars, columns, markup
from chalicelib.sales.checks import CHECKS, judge
from chalicelib.sales.report import Report, page, short_money
from chalicelib.steps.find_new_sales import look
from chalicelib.steps.judge_sales import judge_batch
from chalicelib.steps.plan_sales_queries import plan
from chalicelib.steps.publish_sales import publish
from chalicelib.steps.report_sales import write
from infrastructure.render import render
from tests.factories import a_file
from tests.fakes import FakeAthena, FakeS3

if TYPE_CHECKING:
    from chalicelib.files import File

NOW = datetime(2026, 11, 20, 2, 31, tzinfo=UTC)
PREFIX = "batch/sales/"
EVIL = '<img src="https://elsewhere.example/x" onerror=alert(1)> & "quoted"'
SUMMARY: dict[str, Any] = {
    "batch": "b",
    "files": ["batch/sales/a.csv"],
    "read": 100,
    "kept": 96,
    "rejected": {"bad_date": 3, "duplicate": 1},
    "cleaned": {"other_spelling": 7},
    "months": {"2025-03": 96},
    "examples": [
        {
            "source_file": "batch/sales/a.csv",
            "source_line": 7,
            "reason": "bad_date",
            "column_name": "sold_on",
            "value": EVIL,
        }
    ],
}
RESULTS: dict[str, list[dict[str, str | None]]] = {
    "totals": [
        {
            "sales": "96",
            "customers": "40",
            "revenue": "1234567.89",
            "first_day": "2025-03-01",
            "last_day": "2025-04-02",
        }
    ],
    "by_month": [
        {"name": "2025-03", "revenue": "1000000.00", "sales": "90"},
        {"name": "2025-04", "revenue": "234567.89", "sales": "6"},
    ],
    "by_category": [{"name": EVIL, "revenue": "1234567.89", "sales": "96"}],
    "by_region": [{"name": None, "revenue": "1234567.89", "sales": "96"}],
    "by_product": [{"name": "Abrigo", "revenue": "1234567.89", "sales": "96"}],
    "quality": [
        {"kind": "cleaned", "reason": "other_spelling", "row_count": "7"},
        {"kind": "read", "reason": "", "row_count": "100"},
        {"kind": "rejected", "reason": "bad_date", "row_count": "3"},
        {"kind": "rejected", "reason": "a_reason_of_tomorrow", "row_count": "1"},
    ],
    "batches": [{"published_at": "2026-11-20T02:31:00.000Z", "kept": "96", "rejected": "4"}],
}
COUNTED = {check.name: (0, 100) for check in CHECKS}
LIMITS = {"most_rejected": "10", "most_missing": "5"}


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


def land(s3: FakeS3, *names: str, body: bytes = b"x") -> None:
    for name in names:
        s3.put(settings.landing_bucket(), PREFIX + name, body + name.encode())


def finish(s3: FakeS3, found: dict[str, Any]) -> None:
    """Do what a run does after it found new files: write the summary, publish, report."""
    s3.put_json(settings.curated_bucket(), document_key(found["batch"], "summary"), SUMMARY)
    publish(s3, "run", found["batch"], NOW)
    s3.put(settings.curated_bucket(), report_key(found["batch"]), b"<html>")


def test_an_empty_folder_is_nothing_to_do(s3: FakeS3) -> None:
    land(s3, "")  # the folder's own marker
    s3.put(settings.landing_bucket(), PREFIX, b"")
    found = look(s3, PREFIX)
    assert found["work"] == "nothing"
    assert "there is no file" in found["headline"]


def test_new_files_make_a_batch_and_published_ones_none(s3: FakeS3) -> None:
    land(s3, "a.csv", "b.csv")
    first = look(s3, PREFIX)
    assert (first["work"], look(s3, PREFIX)["batch"]) == ("clean", first["batch"])
    manifest = s3.read_json(settings.curated_bucket(), document_key(first["batch"], "files"))
    assert [file["key"] for file in manifest["files"]] == [f"{PREFIX}a.csv", f"{PREFIX}b.csv"]
    finish(s3, first)
    again = look(s3, PREFIX)
    assert (again["work"], again["facts"]["Files there"]) == ("nothing", 2)


def test_only_what_came_since_and_what_changed_is_new(s3: FakeS3) -> None:
    land(s3, "a.csv", "b.csv")
    first = look(s3, PREFIX)
    finish(s3, first)
    land(s3, "c.csv")
    land(s3, "a.csv", body=b"corrected")
    second = look(s3, PREFIX)
    manifest = s3.read_json(settings.curated_bucket(), document_key(second["batch"], "files"))
    assert [file["key"] for file in manifest["files"]] == [f"{PREFIX}a.csv", f"{PREFIX}c.csv"]
    assert manifest["published"] == [first["batch"]]


def test_a_batch_that_was_published_and_not_reported_is_reported(s3: FakeS3) -> None:
    land(s3, "a.csv")
    found = look(s3, PREFIX)
    finish(s3, found)
    del s3.objects[settings.curated_bucket(), report_key(found["batch"])]
    again = look(s3, PREFIX)
    assert (again["work"], again["batch"]) == ("report", found["batch"])


def test_the_name_of_a_batch_depends_on_the_content_of_its_files_alone() -> None:
    one, other = a_file(), a_file()
    assert Batch.of([one, other]).name == Batch.of([other, one]).name
    assert Batch.of([one]).name != Batch.of([other]).name != Batch.of([one, other]).name


def entry(batch: str, *files: File) -> dict[str, Any]:
    told = [{"key": file.key, "identity": ledger.identity(file)} for file in files]
    return {"batch": batch, "run": f"run of {batch}", "files": told}


def test_a_batch_is_entered_once_and_the_earlier_ones_stay(s3: FakeS3) -> None:
    one, other = entry("one", a_file()), entry("other", a_file())
    assert [ledger.publish(s3, each) for each in (one, other, one)] == [True, True, False]
    assert ledger.read(s3)[0] == [one, other]


def test_a_file_is_published_by_one_batch_only(s3: FakeS3) -> None:
    shared = a_file()
    ledger.publish(s3, entry("one", shared))
    with pytest.raises(AlreadyPublished, match=rf"{shared.key}: batch one of run run of one"):
        ledger.publish(s3, entry("two", shared, a_file()))
    assert len(ledger.read(s3)[0]) == 1


def test_of_two_that_publish_at_once_one_has_to_try_again() -> None:
    class Raced(FakeS3):
        def replace(self, bucket: str, key: str, body: bytes, etag: str | None) -> None:
            if not self.objects:  # the other run is faster, once
                super().replace(bucket, key, b'{"batch": "faster", "files": []}\n', None)
            super().replace(bucket, key, body, etag)

    s3, mine = Raced(), entry("mine", a_file())
    with pytest.raises(LedgerChanged):
        ledger.publish(s3, mine)
    assert ledger.publish(s3, mine)
    assert [each["batch"] for each in ledger.read(s3)[0]] == ["faster", "mine"]


@pytest.mark.parametrize(
    ("name", "bad", "passed"),
    [
        ("no_negative_amounts", 0, True),
        ("no_negative_amounts", 1, False),
        ("few_rejected", 10, True),
        ("few_rejected", 11, False),
        ("few_missing", 5, True),
        ("few_missing", 6, False),
    ],
)
def test_a_check_fails_above_its_limit(name: str, bad: int, passed: bool) -> None:
    findings = judge({**COUNTED, name: (bad, 100)}, LIMITS)
    assert {each.name for each in findings if not each.passed} == (set() if passed else {name})


def test_nothing_of_nothing_is_no_failure() -> None:
    assert all(each.passed for each in judge(dict.fromkeys(COUNTED, (0, 0)), LIMITS))


def test_failed_checks_are_told_with_every_number(s3: FakeS3) -> None:
    s3.put_json(settings.curated_bucket(), document_key("b", "summary"), SUMMARY)
    rows = {name: [{"bad": "0", "total": "96"}] for name in COUNTED}
    athena = FakeAthena({**rows, "no_negative_amounts": [{"bad": "12", "total": "96"}]})
    checks = [{"name": name, "query": name} for name in COUNTED]
    judged = judge_batch(s3, athena, "b", LIMITS, checks)
    assert (judged["passed"], judged["error"]) == (False, "ChecksFailed")
    told = notice(
        {
            "outcome": "failed",
            "pipeline": "nightly_batch",
            "run": "r",
            "started": "2026-11-20T02:30:00Z",
            "parameters": LIMITS,
            "details": {"error": {"Error": judged["error"], "Cause": judged["cause"]}},
        }
    ).body
    for words in (
        "FAILED  no_negative_amounts: 12 of 96",
        "100 read, 96 kept, 4 rejected (3 bad_date",
        "a.csv",
    ):
        assert words in told
    kept = s3.read_json(settings.curated_bucket(), document_key("b", "checks"))
    assert [each["name"] for each in kept if not each["passed"]] == ["no_negative_amounts"]


def test_every_check_has_a_query_and_every_placeholder_a_value() -> None:
    planned = plan("0123456789abcdef")
    assert [each["name"] for each in planned["checks"]] == [check.name for check in CHECKS]
    for check in planned["checks"]:
        assert len(check["values"]) == check["sql"].count("?") > 0
        assert set(check["values"]) == {"'0123456789abcdef'"}
    assert {each["name"] for each in planned["analysis"]} == set(RESULTS)
    assert "CREATE OR REPLACE VIEW sales" in planned["view"]
    with pytest.raises(ValueError, match="is no batch"):
        plan("' OR 1=1")


def test_quicksight_is_made_on_demand_only_and_shows_columns_of_the_view() -> None:
    template = render("local")
    assert template["Parameters"]["QuickSightPrincipalArn"]["Default"] == ""
    found = [each for each in template["Resources"].values() if each["Type"].startswith("AWS::QuickSight")]
    assert {each["Type"].rpartition("::")[2] for each in found} == {"DataSource", "DataSet", "Dashboard"}
    assert {each["Condition"] for each in found} == {"ShowsInQuickSight"}
    tables = next(each for each in found if each["Type"].endswith("DataSet"))["Properties"][
        "PhysicalTableMap"
    ]
    shown = {column["Name"] for column in tables["sales"]["RelationalTable"]["InputColumns"]}
    selected = re.findall(
        r"\w+", plan("0123456789abcdef")["view"].partition("SELECT")[2].partition("FROM")[0]
    )
    assert shown <= set(selected)


@pytest.fixture
def report() -> Report:
    checks = [
        {
            "name": "few_missing",
            "words": "rows lack a region",
            "bad": 3,
            "total": 96,
            "percent": 5,
            "passed": True,
        }
    ]
    return Report(run="r", made=NOW, summary=SUMMARY, checks=checks, results=RESULTS)


def test_no_value_of_an_export_becomes_markup(report: Report) -> None:
    html = page(report)
    assert "<img" not in html
    assert "&lt;img src=" in html


def test_the_page_asks_nothing_of_any_host(report: Report) -> None:
    html = page(report)
    assert "default-src 'none'" in html
    assert not re.search(r"<(script|link|img|iframe|object|embed|base)\b|url\(|@import|<a ", html)
    assert not re.search(r"""\s(src|href)\s*=""", html.replace("&lt;img src=", ""))


def test_every_chart_is_named_described_and_has_a_table_or_says_all(report: Report) -> None:
    drawings = re.findall(r"<svg.*?</svg>", page(report), re.DOTALL)
    ids: list[str] = []
    for drawing in map(ET.fromstring, drawings):
        assert drawing.get("role") == "img"
        named = (drawing.get("aria-labelledby") or "").split()
        assert [drawing.find(tag).get("id") for tag in ("title", "desc")] == named
        assert all(drawing.findtext(tag) for tag in ("title", "desc"))
        ids += named
    assert len(ids) == len(set(ids)) == 2 * 7
    assert page(report).count("<details>") == 5


def test_an_unknown_reason_and_a_missing_region_are_told_all_the_same(report: Report) -> None:
    html = page(report)
    assert "a reason of tomorrow" in html
    assert "not given" in html


@pytest.mark.parametrize("count", [0, 1, 12, 40])
def test_columns_stay_inside_their_drawing(count: int) -> None:
    points = [
        Point(label=f"{number}", parts=(Decimal(number), Decimal(1)), words=str(number))
        for number in range(count)
    ]
    drawing = columns("c", "t", "d", points, str)
    for rect in drawing.iter("rect"):
        left, width = (float(rect.get(name, "").rstrip("%")) for name in ("x", "width"))
        top, height = (float(rect.get(name, "")) for name in ("y", "height"))
        assert 0 <= left <= left + width <= 100
        assert 0 <= top <= top + height <= float(drawing.get("height", ""))
    assert len(list(drawing.iter("rect"))) == 2 * count


def test_a_bar_is_as_long_as_its_share_of_the_longest() -> None:
    points = [Point(label=name, parts=(Decimal(value),), words=name) for name, value in (("a", 8), ("b", 2))]
    drawing = bars("b", "t", "d", points)
    widths = [rect.get("width") for rect in drawing.iter("rect") if rect.get("class") == "part0"]
    assert widths == ["100.00%", "25.00%"]
    assert 'class="track"' in markup(drawing)


@pytest.mark.parametrize(
    ("amount", "words"), [("0", "€0"), ("999", "€999"), ("1000", "€1k"), ("1250000", "€1.2M"), ("3e9", "€3B")]
)
def test_an_amount_beside_an_axis_is_short(amount: str, words: str) -> None:
    assert short_money(Decimal(amount)) == words


def test_the_report_lies_beside_the_data_and_the_notice_has_its_numbers(s3: FakeS3) -> None:
    bucket = settings.curated_bucket()
    s3.put_json(bucket, document_key("b", "summary"), SUMMARY)
    s3.put_json(bucket, document_key("b", "checks"), [])
    told = write(s3, FakeAthena(RESULTS), "r", "b", {name: name for name in RESULTS})
    assert told["report"] == f"s3://{bucket}/{report_key('b')}"
    assert s3.objects[bucket, report_key("b")] == s3.objects[bucket, "nightly_batch/reports/latest.html"]
    assert told["headline"] == "96 sales were added; EUR 1,234,568 in all."
    assert told["facts"]["Rows rejected"] == 4
    assert any("2025-03" in line and "1,000,000" in line for line in told["lines"])
    sent = notice(
        {
            "outcome": "succeeded",
            "pipeline": "nightly_batch",
            "run": "r",
            "started": "2026-11-20T02:30:00Z",
            "parameters": LIMITS,
            "details": told,
        }
    )
    assert sent.subject == "[nightly_batch] succeeded: 96 sales were added; EUR 1,234,568 in all."
    assert "Rejected, bad_date: 3" in sent.body
