"""Glue Python Shell job: a batch of ERP sales exports (CSV) to clean Parquet, partitioned by month.

Arguments: --manifest s3://... (JSON: batch, files, published) and --target s3://bucket/prefix/.

Reads each file as a stream, writes below the target
  sales_rows/batch=B/month=YYYY-MM/part-0.parquet   the rows that were kept
  sales_rejected/batch=B/part-0.parquet             the others: file, line, reason, column, value
  sales_quality/batch=B/part-0.parquet              how many rows were read, kept, cleaned, rejected, and why
  _batches/B/summary.json                           the same for people; written last
The same files give the same objects, so a repeated run replaces its own output and nothing else. It needs
Python 3.9, boto3 and pyarrow 7, which Glue's analytics library set holds. Files, ids and rows wait on disk.
"""

from __future__ import annotations

import argparse
import codecs
import csv
import datetime as dt
import functools
import itertools
import json
import re
import sqlite3
import sys
import tempfile
import unicodedata
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

COLUMNS = ("sale_id", "sold_on", "region", "customer", "category", "product", "quantity", "unit_price")
CATEGORIES = ("Alimentación", "Bebé y niños", "Electrónica", "Hogar", "Jardín", "Moda")
REGIONS = ("Andalucía", "Aragón", "Cataluña", "Galicia", "Madrid", "País Vasco")
UNKNOWN = "Unknown"

FIRST_YEAR, LAST_YEAR = 2000, 2099  # a year outside is a slip of the keyboard
LARGEST_PRICE = Decimal("9999999999.99")  # decimal(12,2)
LARGEST_QUANTITY = 1_000_000
ROWS_IN_MEMORY = 50_000  # about 50 MB; then every month's rows go to disk
EXAMPLES = 20
LONGEST_VALUE = 200
BLOCK = 1024 * 1024

ROWS = pa.schema(
    [
        ("sale_id", pa.string()),
        ("sold_on", pa.date32()),
        ("region", pa.string()),
        ("customer", pa.string()),
        ("category", pa.string()),
        ("product", pa.string()),
        ("quantity", pa.int64()),
        ("unit_price", pa.decimal128(12, 2)),
        ("amount", pa.decimal128(18, 2)),
        ("source_file", pa.string()),
        ("source_line", pa.int64()),
    ]
)
REJECTED = pa.schema(
    [
        ("source_file", pa.string()),
        ("source_line", pa.int64()),
        ("reason", pa.string()),
        ("column_name", pa.string()),
        ("value", pa.string()),
    ]
)
QUALITY = pa.schema(
    [("source_file", pa.string()), ("kind", pa.string()), ("reason", pa.string()), ("row_count", pa.int64())]
)


class WrongFileError(ValueError):
    """The file is no sales export; the message names the file and what to do."""


class RejectedRowError(ValueError):
    """The row cannot be kept: `reason` by name, the column and its value."""

    def __init__(self, reason: str, column: str, value: str) -> None:
        super().__init__(reason)
        self.reason, self.column, self.value = reason, column, value[:LONGEST_VALUE]


# Values. Each function returns the value and the names of what had to be mended in it.


def tidy(text: str) -> tuple[str, list[str]]:
    """Return a text without stray whitespace, in composed letters, its broken accents mended."""
    mended = []
    plain = " ".join(text.split())  # every kind of space, the one that does not break too
    if plain != text:
        mended.append("stray_whitespace")
    if "Ã" in plain or "Â" in plain:
        try:
            plain = plain.encode("cp1252").decode("utf-8")
            mended.append("broken_accents")
        except UnicodeError:
            pass  # these letters are meant
    return unicodedata.normalize("NFC", plain), mended


def read_date(text: str) -> tuple[dt.date, list[str]]:
    """Read YYYY-MM-DD, and what ERP systems write instead: the day comes before the month."""
    found = re.fullmatch(r"(\d{4})([-/.]?)(\d{2})\2(\d{2})([T ][0-9:.Z]+)?", text)
    if found:
        year, month, day = found[1], found[3], found[4]
    else:
        found = re.fullmatch(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})", text)
        if not found:
            raise RejectedRowError("bad_date", "sold_on", text)
        year, month, day = found[4], found[3], found[1]
    try:
        value = dt.date(int(year), int(month), int(day))
    except ValueError:
        raise RejectedRowError("bad_date", "sold_on", text) from None
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise RejectedRowError("bad_date", "sold_on", text)
    return value, [] if text == value.isoformat() else ["other_date_format"]


def read_price(text: str) -> tuple[Decimal, list[str]]:
    """Read an amount of money in either notation: 1.234,56 or 1,234.56, with a currency or a minus behind.

    The last separator is the decimal one when one or two digits follow it; three digits are a group.
    """
    body = re.sub(r"[\s€$]|EUR", "", text)
    negative = body.startswith("-") or body.endswith("-")
    digits = body.strip("+-")
    plain = _plain_digits(digits)
    if plain is None:
        raise RejectedRowError("bad_price", "unit_price", text)
    value = Decimal(plain).quantize(Decimal("0.01")) * (-1 if negative else 1)
    if abs(value) > LARGEST_PRICE:
        raise RejectedRowError("bad_price", "unit_price", text)
    return value, [] if re.fullmatch(r"-?\d+(\.\d{1,2})?", text) else ["other_number_format"]


def _plain_digits(digits: str) -> str | None:
    """Return the digits as Python writes a number, or None."""
    for point, group in ((".", ","), (",", ".")):
        number = rf"(\d+|\d{{1,3}}(?:{re.escape(group)}\d{{3}})+)(?:{re.escape(point)}(\d{{1,2}}))?"
        found = re.fullmatch(number, digits)
        if found:
            return found[1].replace(group, "") + "." + (found[2] or "0")
    return None


def read_quantity(text: str) -> tuple[int, list[str]]:
    """Read a whole number above zero; `3,00` and `3.0` are whole too."""
    found = re.fullmatch(r"(\d{1,7})([.,]0{1,3})?", text)
    if not found or not 0 < int(found[1]) <= LARGEST_QUANTITY:
        raise RejectedRowError("bad_quantity", "quantity", text)
    return int(found[1]), ["other_number_format"] if found[2] else []


def folded(text: str) -> str:
    """Return a text as it is compared: no accents, no case, no punctuation."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


KNOWN = {
    "category": {folded(name): name for name in CATEGORIES},
    "region": {folded(name): name for name in REGIONS},
}


def match(column: str, text: str) -> tuple[str | None, list[str]]:
    """Return the name that a spelling means; a region may be missing, a category is then unknown."""
    if not text:
        return (None, []) if column == "region" else (UNKNOWN, ["unknown_category"])
    name = KNOWN[column].get(folded(text))
    if name is None:
        return UNKNOWN, [f"unknown_{column}"]
    return name, [] if name == text else ["other_spelling"]


@functools.lru_cache(maxsize=10_000)
def _read(column: str, text: str) -> tuple[Any, list[str]]:
    """Read one value; few texts of an export are new, so most are read once."""
    plain, mended = tidy(text)
    if column == "sale_id":
        if not plain:
            raise RejectedRowError("no_sale_id", column, text)
        return plain, mended
    if column in KNOWN:
        value, more = match(column, plain)
    elif column in READERS:
        value, more = READERS[column](plain)
    else:
        value, more = plain or None, []
    return value, mended + more


READERS = {"sold_on": read_date, "quantity": read_quantity, "unit_price": read_price}


def clean_row(cells: list[str]) -> tuple[dict[str, Any], set[str]]:
    """Return the clean values of a row's eight cells, by name, and the names of what was mended in them.

    Raises:
        RejectedRowError: a value is missing or cannot be read.
    """
    row: dict[str, Any] = {}
    mended: set[str] = set()
    for column, text in zip(COLUMNS, cells):
        row[column], more = _read(column, text)
        mended.update(more)
    row["amount"] = row["unit_price"] * row["quantity"]
    return row, mended


# Files.


def encoding_of(path: Path) -> str:
    """Return utf-8-sig, or cp1252 (Latin-1 with its Windows letters) for a file that is no UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    with path.open("rb") as file:
        try:
            for block in iter(functools.partial(file.read, BLOCK), b""):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def rows_of(path: Path, name: str) -> Iterator[tuple[int, list[str] | None]]:
    """Yield the line number and the eight cells, in our order, of each row; None for a row of another width.

    Raises:
        WrongFileError: the header lacks a column.
    """
    with path.open(newline="", encoding=encoding_of(path), errors="replace") as file:
        header = file.readline()
        delimiter = max(";,\t|", key=header.count)
        names = [folded(cell) for cell in next(csv.reader([header], delimiter=delimiter), [])]
        missing = [column for column in COLUMNS if folded(column) not in names]
        if missing:
            raise WrongFileError(
                f"{name} lacks the column {', '.join(missing)}; its header is {header.strip()[:300]!r}. "
                "Correct the file and put it there again, or delete it."
            )
        places = [names.index(folded(column)) for column in COLUMNS]
        reader = csv.reader(file, delimiter=delimiter)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            line = reader.line_num + 1
            yield line, [cells[place] for place in places] if len(cells) == len(names) else None


class Ids:
    """The ids that were seen, on disk."""

    def __init__(self, folder: Path, published: Callable[[str], Iterable[str]]) -> None:
        """`published(month)` yields the ids that earlier batches brought for a month."""
        self._published = published
        self._months: set[str] = set()
        self._database = sqlite3.connect(str(folder / "ids.sqlite"), isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF"):  # it is thrown away at the end
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute("CREATE TABLE ids (id TEXT PRIMARY KEY, batch TEXT) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def refusal(self, sale_id: str, month: str) -> str | None:
        """Note an id; return why its row is refused, or None for a new one."""
        if month not in self._months:
            self._months.add(month)
            known = ((each, "earlier") for each in self._published(month))
            self._database.executemany("INSERT OR IGNORE INTO ids VALUES (?, ?)", known)
        added = self._database.execute("INSERT OR IGNORE INTO ids VALUES (?, 'this')", (sale_id,))
        if added.rowcount == 1:
            return None
        found = self._database.execute("SELECT batch FROM ids WHERE id = ?", (sale_id,)).fetchone()
        return "already_loaded" if found[0] == "earlier" else "duplicate"

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


class Table:
    """Parquet files in a local folder, one for each partition, filled in turns."""

    def __init__(self, folder: Path, name: str, schema: pa.Schema) -> None:
        self._folder, self._name, self._schema = folder, name, schema
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting = 0

    def add(self, partition: str, row: dict[str, Any]) -> None:
        """Add a row to a partition such as `batch=B/`."""
        self._rows.setdefault(partition, []).append(row)
        self._waiting += 1
        if self._waiting >= ROWS_IN_MEMORY:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait in memory."""
        for partition, rows in self._rows.items():
            columns = [pa.array([row[field.name] for row in rows], field.type) for field in self._schema]
            self._writer(partition).write_table(pa.Table.from_arrays(columns, schema=self._schema))
        self._rows, self._waiting = {}, 0

    def close(self) -> dict[str, Path]:
        """Finish the files; return each one's key below the target and its path."""
        self.flush()
        for writer in self._writers.values():
            writer.close()
        return {self._key(partition): self._path(partition) for partition in self._writers}

    def _writer(self, partition: str) -> pq.ParquetWriter:
        if partition not in self._writers:
            path = self._path(partition)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writers[partition] = pq.ParquetWriter(str(path), self._schema, compression="snappy")
        return self._writers[partition]

    def _key(self, partition: str) -> str:
        return f"{self._name}/{partition}part-0.parquet"

    def _path(self, partition: str) -> Path:
        return self._folder / self._key(partition)


class Cleaning:
    """One batch: its tables, its counts and its examples of rejected rows."""

    def __init__(self, batch: str, folder: Path, ids: Ids) -> None:
        self.batch, self._ids = batch, ids
        self.rows = Table(folder, "sales_rows", ROWS)
        self.rejected = Table(folder, "sales_rejected", REJECTED)
        self.quality = Table(folder, "sales_quality", QUALITY)
        self.counts: Counter[tuple[str, str, str]] = Counter()  # by file, kind and reason
        self.months: Counter[str] = Counter()
        self.examples: list[dict[str, Any]] = []

    def clean_file(self, path: Path, name: str) -> None:
        """Clean every row of a local file that people know as `name`."""
        self.counts[name, "read", ""] = 0  # a file without rows is told of too
        for line, cells in rows_of(path, name):
            self.counts[name, "read", ""] += 1
            try:
                self._keep(name, line, cells)
            except RejectedRowError as error:
                self._reject(name, line, error)

    def _keep(self, name: str, line: int, cells: list[str] | None) -> None:
        if cells is None:
            raise RejectedRowError("wrong_number_of_cells", "", "")
        row, mended = clean_row(cells)
        month = row["sold_on"].isoformat()[:7]
        refusal = self._ids.refusal(row["sale_id"], month)
        if refusal:
            raise RejectedRowError(refusal, "sale_id", row["sale_id"])
        partition = f"batch={self.batch}/month={month}/"
        self.rows.add(partition, {**row, "source_file": name, "source_line": line})
        self.months[month] += 1
        self.counts[name, "kept", ""] += 1
        for reason in mended:
            self.counts[name, "cleaned", reason] += 1

    def _reject(self, name: str, line: int, error: RejectedRowError) -> None:
        self.counts[name, "rejected", error.reason] += 1
        row = {
            "source_file": name,
            "source_line": line,
            "reason": error.reason,
            "column_name": error.column,
            "value": error.value,
        }
        self.rejected.add(f"batch={self.batch}/", row)
        if len(self.examples) < EXAMPLES:
            self.examples.append(row)

    def close(self) -> dict[str, Path]:
        """Finish the files; return each one's key below the target and its path."""
        for (name, kind, reason), rows in sorted(self.counts.items()):
            row = {"source_file": name, "kind": kind, "reason": reason, "row_count": rows}
            self.quality.add(f"batch={self.batch}/", row)
        return {**self.rows.close(), **self.rejected.close(), **self.quality.close()}

    def total(self, kind: str) -> dict[str, int]:
        """Return how many rows each reason of a kind counts."""
        found: Counter[str] = Counter()
        for (_, each, reason), rows in self.counts.items():
            if each == kind:
                found[reason] += rows
        return dict(sorted(found.items()))

    def summary(self) -> dict[str, Any]:
        """Return what was read, kept, cleaned and rejected, and why."""
        return {
            "batch": self.batch,
            "files": sorted({name for name, _, _ in self.counts}),
            "read": sum(self.total("read").values()),
            "kept": sum(self.total("kept").values()),
            "rejected": self.total("rejected"),
            "cleaned": self.total("cleaned"),
            "months": dict(sorted(self.months.items())),
            "examples": self.examples,
        }


# S3.


class Target:
    """Where the output goes: `s3://bucket/prefix/`."""

    def __init__(self, s3: Any, address: str) -> None:
        self._s3 = s3
        self.bucket, _, self.prefix = address[len("s3://") :].partition("/")

    def upload(self, files: dict[str, Path], batch: str) -> None:
        """Put the files there, then delete what an earlier attempt of this batch left beside them."""
        for key, path in sorted(files.items()):
            self._s3.upload_file(str(path), self.bucket, self.prefix + key)
        for table in ("sales_rows", "sales_rejected", "sales_quality"):
            for key in list(self.keys(f"{table}/batch={batch}/")):
                if key not in files:
                    self._s3.delete_object(Bucket=self.bucket, Key=self.prefix + key)

    def put_json(self, key: str, document: dict[str, Any]) -> None:
        """Write a JSON document."""
        body = json.dumps(document, indent=2, ensure_ascii=False).encode()
        self._s3.put_object(
            Bucket=self.bucket, Key=self.prefix + key, Body=body, ContentType="application/json"
        )

    def keys(self, below: str) -> Iterator[str]:
        """Yield the keys that begin so, below the target."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self.prefix + below
        )
        for found in itertools.chain.from_iterable(page.get("Contents", ()) for page in pages):
            yield found["Key"][len(self.prefix) :]

    def published_ids(self, batches: set[str], folder: Path) -> Callable[[str], Iterator[str]]:
        """Return a function that yields the ids which these batches brought for a month."""
        of_month: dict[str, list[str]] = {}
        for key in self.keys("sales_rows/"):
            found = re.match(r"sales_rows/batch=([^/]+)/month=([^/]+)/", key)
            if found and found[1] in batches:
                of_month.setdefault(found[2], []).append(key)

        def ids(month: str) -> Iterator[str]:
            path = folder / "earlier.parquet"
            for key in of_month.get(month, ()):
                self._s3.download_file(self.bucket, self.prefix + key, str(path))
                with path.open("rb") as file:
                    for batch in pq.ParquetFile(file).iter_batches(columns=["sale_id"]):
                        yield from batch.column(0).to_pylist()

        return ids


def download(s3: Any, file: dict[str, Any], path: Path) -> None:
    """Write a file's content, exactly the version that the manifest names, to a local path."""
    version = {"VersionId": file["version"]} if file.get("version") else {}
    answer = s3.get_object(Bucket=file["bucket"], Key=file["key"], IfMatch=file["etag"], **version)
    with path.open("wb") as local:
        for block in answer["Body"].iter_chunks(BLOCK):
            local.write(block)


def clean(s3: Any, manifest: dict[str, Any], target: Target, folder: Path) -> dict[str, Any]:
    """Clean a manifest's files into the target and return the summary."""
    batch = manifest["batch"]
    ids = Ids(folder, target.published_ids(set(manifest["published"]), folder))
    cleaning = Cleaning(batch, folder, ids)
    try:
        for file in manifest["files"]:
            path = folder / "source.csv"
            download(s3, file, path)
            cleaning.clean_file(path, file["key"])
        files, summary = cleaning.close(), cleaning.summary()
    finally:
        ids.close()
    if not summary["kept"] and not manifest["published"]:
        reasons = ", ".join(f"{rows} {reason}" for reason, rows in summary["rejected"].items())
        names = ", ".join(summary["files"])
        raise WrongFileError(f"{names}: none of {summary['read']} rows can be kept ({reasons or 'no rows'})")
    target.upload(files, batch)
    target.put_json(f"_batches/{batch}/summary.json", summary)
    return summary


def main() -> None:
    """Run the job."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--manifest", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--run", default="")
    options, _ = parser.parse_known_args()  # Glue adds arguments of its own
    s3 = boto3.client("s3")
    bucket, _, key = options.manifest[len("s3://") :].partition("/")
    manifest = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    with tempfile.TemporaryDirectory() as folder:
        summary = clean(s3, manifest, Target(s3, options.target), Path(folder))
    told = {"level": "INFO", "run": options.run, "message": f"cleaned {summary['read']:,} rows"}
    print(json.dumps({**told, **summary}, ensure_ascii=False))


if __name__ == "__main__":
    try:
        main()
    except WrongFileError as error:
        sys.exit(f"WrongFile: {error}")  # Glue shows this line as the run's error
