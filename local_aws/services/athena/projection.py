"""Partition projection: partitions computed from table properties instead of the catalogue."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dateutil.relativedelta import relativedelta

from local_aws.services.athena.catalogue import Partition
from local_aws.services.athena.failure import QueryFailedError, unsupported
from local_aws.services.athena.objects import as_folder

if TYPE_CHECKING:
    from local_aws.services.athena.catalogue import Table

_UNITS = ("YEARS", "MONTHS", "WEEKS", "DAYS", "HOURS", "MINUTES", "SECONDS")
# Java's date letters, longest first, as Python's.
_LETTERS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_NOW = re.compile(r"NOW\s*(?:([+-])\s*(\d+)\s*(\w+?)S?)?$", re.IGNORECASE)
# Athena would plan for minutes; here it is a mistake in the range more often than a wish.
_MOST = 1_000_000


def is_enabled(table: Table) -> bool:
    """Tell whether the table's partitions are projected."""
    return table.properties.get("projection.enabled", "").lower() == "true"


def partitions(table: Table) -> list[Partition]:
    """Return every partition of the configured ranges.

    Raises:
        QueryFailedError: the configuration is incomplete or of a type that is not supported.
    """
    names = [key["Name"] for key in table.keys]
    values = [_values(table, name) for name in names]
    template = table.properties.get("storage.location.template")
    if template is None:
        template = as_folder(table.location) + "/".join(f"{name}=${{{name}}}" for name in names)
    projected = []
    for combination in itertools.islice(itertools.product(*values), _MOST + 1):
        location = template
        for name, value in zip(names, combination, strict=True):
            location = location.replace(f"${{{name}}}", value)
        projected.append(Partition(combination, location))
    if len(projected) > _MOST:
        raise unsupported(f"a partition projection of more than {_MOST:,} partitions")
    return projected


def _values(table: Table, name: str) -> list[str]:
    kind = _property(table, name, "type").lower()
    if kind == "enum":
        return [value.strip() for value in _property(table, name, "values").split(",")]
    if kind == "integer":
        first, last = (int(end) for end in _property(table, name, "range").split(","))
        step = int(table.properties.get(f"projection.{name}.interval", "1"))
        digits = int(table.properties.get(f"projection.{name}.digits", "0"))
        return [str(value).zfill(digits) for value in range(first, last + 1, step)]
    if kind == "date":
        return _dates(table, name)
    raise unsupported(f"projection.{name}.type = {kind}")


def _dates(table: Table, name: str) -> list[str]:
    java = _property(table, name, "format")
    python = re.sub("|".join(_LETTERS), lambda found: _LETTERS[found.group()], java).replace("'", "")
    first, last = (_moment(end.strip(), python) for end in _property(table, name, "range").split(","))
    default = "HOURS" if "HH" in java else "DAYS" if "dd" in java else "MONTHS" if "MM" in java else "YEARS"
    unit = table.properties.get(f"projection.{name}.interval.unit", default).upper()
    if unit not in _UNITS:
        raise _wrong(name, "interval.unit")
    count = int(table.properties.get(f"projection.{name}.interval", "1"))
    step = relativedelta(**{unit.lower(): count})
    values: list[str] = []
    while first <= last and len(values) <= _MOST:
        values.append(first.strftime(python))
        first += step
    return values


def _moment(text: str, python: str) -> datetime:
    now = _NOW.match(text)
    if now is None:
        return datetime.strptime(text, python).replace(tzinfo=UTC)
    moment = datetime.now(UTC)
    if now[1]:
        distance = relativedelta(**{now[3].lower() + "s": int(now[2])})
        moment = moment + distance if now[1] == "+" else moment - distance
    # Cut to the format's precision, so that the steps meet the range's other end.
    return datetime.strptime(moment.strftime(python), python).replace(tzinfo=UTC)


def _property(table: Table, name: str, what: str) -> str:
    value = table.properties.get(f"projection.{name}.{what}")
    if value is None:
        raise _wrong(name, what)
    return value


def _wrong(name: str, what: str) -> QueryFailedError:
    return QueryFailedError(
        "INVALID_TABLE_PROPERTY", f"The table property projection.{name}.{what} is missing or invalid"
    )
