"""How a pipeline's files are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Format = Literal["csv", "json", "ndjson", "parquet"]


@dataclass(frozen=True, kw_only=True)
class CSV:
    """How a pipeline's CSV files are written. A `.gz` key is decompressed."""

    format: Literal["csv"] = "csv"
    delimiter: str = ","
    quote: str = '"'


@dataclass(frozen=True, kw_only=True)
class JSON:
    """A JSON file: one array of objects, or one object, which is one row."""

    format: Literal["json"] = "json"


@dataclass(frozen=True, kw_only=True)
class NDJSON:
    """One JSON object on each line."""

    format: Literal["ndjson"] = "ndjson"


@dataclass(frozen=True, kw_only=True)
class Parquet:
    """Parquet files."""

    format: Literal["parquet"] = "parquet"
