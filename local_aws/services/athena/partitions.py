"""Which objects are a table's data, and to which partition each belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws.services.athena import projection
from local_aws.services.athena.file_system import NULL_PARTITION
from local_aws.services.athena.objects import as_folder, objects_below
from local_aws.services.athena.scan import partition_values
from local_aws.services.athena.sql_text import name, string
from local_aws.services.athena.types import duckdb_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local_aws.services.athena.catalogue import Catalogue, Partition, Table
    from local_aws.services.athena.objects import S3Object


def registered(catalogue: Catalogue, table: Table) -> list[Partition]:
    """Return the partitions of the catalogue, or those that the table's projection computes."""
    if projection.is_enabled(table):
        return projection.partitions(table)
    return list(catalogue.partitions(table))


def contents(s3: Any, catalogue: Catalogue, table: Table) -> list[tuple[dict[str, str], S3Object]]:
    """Return every object of a table with its partition's values.

    What is below the table's location is listed once; a partition elsewhere is listed by itself.
    """
    if not table.keys:
        return [({}, found) for found in objects_below(s3, table.location)]
    by_location: dict[str, list[Partition]] = {}
    for partition in registered(catalogue, table):
        by_location.setdefault(as_folder(partition.location), []).append(partition)
    home = as_folder(table.location)
    listed = [*objects_below(s3, home)] if any(at.startswith(home) for at in by_location) else []
    found = _assigned(listed, by_location)
    for location, partitions in by_location.items():
        if not location.startswith(home):
            found += [(p, o) for o in objects_below(s3, location) for p in partitions]
    return [(partition_values(table, partition.values), each) for partition, each in found]


def _assigned(
    listed: Iterable[S3Object], by_location: dict[str, list[Partition]]
) -> list[tuple[Partition, S3Object]]:
    found = []
    for each in listed:
        folder = each.uri
        while (cut := folder.rfind("/", 0, -1)) > len("s3://"):
            folder = folder[: cut + 1]
            found += [(partition, each) for partition in by_location.get(folder, ())]
    return found


def listing(catalogue: Catalogue, table: Table) -> str:
    """Return the SELECT behind "table$partitions"."""
    types = [duckdb_type(key["Type"]) for key in table.keys]
    names = ", ".join(name(key["Name"]) for key in table.keys)
    rows = [
        "(" + ", ".join(f"CAST({_literal(v)} AS {t})" for v, t in zip(p.values, types, strict=True)) + ")"
        for p in registered(catalogue, table)
    ]
    if not rows:
        nulls = ", ".join(
            f"CAST(NULL AS {t}) AS {name(k['Name'])}" for k, t in zip(table.keys, types, strict=True)
        )
        return f"SELECT {nulls or 'NULL'} WHERE false"
    return f"SELECT * FROM (VALUES {', '.join(rows)}) AS p({names})"  # nosec B608  # see sql_text


def _literal(value: str) -> str:
    return "NULL" if value in ("", NULL_PARTITION) else string(value)
