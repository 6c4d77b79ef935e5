"""What goes wrong in the warehouse, in Redshift's words."""

from __future__ import annotations

import re
from dataclasses import dataclass

INTERNAL_ERROR = "XX000"  # Redshift's code for nearly everything its own
SERIALIZATION_FAILURE = "40001"
CHECK_VIOLATION = "23514"
TOO_LONG = "22001"

_BYTES = re.compile(r"^rs_bytes_(\d+)_")


class WarehouseError(Exception):
    """A statement that can't be done; the session reports it as its own failure."""

    def __init__(self, message: str, *, detail: str = "", code: str = INTERNAL_ERROR) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.code = code

    def fields(self) -> dict[str, str]:
        """Return the fields of an ErrorResponse."""
        named = {"S": "ERROR", "V": "ERROR", "C": self.code, "M": self.message}
        return named | {"D": self.detail} if self.detail else named


def in_redshift_words(named: dict[str, str], process: int) -> dict[str, str]:
    """Return an error's fields as Redshift would have them.

    Args:
        named: the fields that PostgreSQL sent.
        process: the number of the server process, which Redshift names in a serialization error.
    """
    code = named.get("C", "")
    if code == SERIALIZATION_FAILURE:
        return named | {
            "C": INTERNAL_ERROR,
            "M": "1023",
            "D": f"Serializable isolation violation on table - {named.get('t', 'unknown')}, "
            f"transactions forming the cycle are: unknown (pid:{process}): {named.get('M', '')}",
        }
    limit = _BYTES.match(named.get("n", ""))
    if code == CHECK_VIOLATION and limit:
        return {
            "S": named.get("S", "ERROR"),
            "V": named.get("V", "ERROR"),
            "C": TOO_LONG,
            "M": f"value too long for type character varying({limit[1]})",
            "D": "The length of a VARCHAR is in bytes of UTF-8, not in characters.",
        }
    return named


@dataclass(frozen=True)
class LoadError:
    """One row of stl_load_errors."""

    file: str
    line: int
    column: str
    type: str
    length: str
    raw_line: str
    raw_value: str
    code: int
    reason: str


_TYPE_NAMES = {"integer": "Integer", "bigint": "Long", "smallint": "Short", "double precision": "Double"}


def reason(  # noqa: PLR0911 - a table of cases, first match wins
    named: dict[str, str], value: str, type_name: str
) -> tuple[int, str]:
    """Return Redshift's code and words for the row that PostgreSQL refused."""
    code = named.get("C", "")
    if code == TOO_LONG or (code == CHECK_VIOLATION and _BYTES.match(named.get("n", ""))):
        return 1204, "String length exceeds DDL length"
    if code == "23502":
        return 1213, "Missing data for not-null field"
    if code in {"22007", "22008"}:
        if type_name.startswith("timestamp"):
            return 1206, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"
        return 1205, "Invalid Date Format - length must be 10 or more"
    if type_name == "boolean":
        return 1210, "Unknown boolean format"
    if code == "22003":
        return 1216, f"Overflow for {type_name}: value {value!r}"
    if code == "22P02":
        shown = _TYPE_NAMES.get(type_name, type_name)
        at = next((i for i, letter in enumerate(value) if not (letter.isdigit() or letter in "+-.")), 0)
        return 1207, f"Invalid digit, Value '{value[at : at + 1]}', Pos {at}, Type: {shown}"
    return 1201, named.get("M", "")
