"""ALTER TABLE and MSCK REPAIR TABLE."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from local_aws.services.athena.catalogue import Partition
from local_aws.services.athena.create_table import column
from local_aws.services.athena.failure import QueryFailedError, unsupported
from local_aws.services.athena.hive_text import (
    NAME,
    QUALIFIED,
    SPEC,
    STRING,
    match,
    pairs,
    table_name,
    unquoted,
)
from local_aws.services.athena.objects import as_folder, objects_below, split_uri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_aws.services.athena.catalogue import Table
    from local_aws.services.athena.session import Session

_PARTITION = rf"partition\s*(?P<spec>{SPEC})(?: location (?P<location>{STRING}))?"


def alter(session: Session, sql: str) -> None:
    """Run one ALTER TABLE."""
    found = match(rf"alter table {QUALIFIED} (?P<rest>.*)", sql)
    table = existing(session, found["name"])
    rest = found["rest"].strip()
    for pattern, action in _ACTIONS:
        clause = re.fullmatch(pattern.replace(" ", r"\s+"), rest, re.IGNORECASE | re.DOTALL)
        if clause:
            action(session, table, clause)
            return
    raise unsupported(f"ALTER TABLE ... {' '.join(rest.split()[:2])}")


def existing(session: Session, name: str) -> Table:
    """Return the table of a name in a statement.

    Raises:
        QueryFailedError: there is none.
    """
    database, held = table_name(name, session.database)
    table = session.catalogue.table(database, held)
    if table is None:
        raise QueryFailedError(
            "", f"FAILED: SemanticException [Error 10001]: Table not found {database}.{held}"
        )
    return table


def repair(session: Session, sql: str) -> list[list[str]]:
    """MSCK REPAIR TABLE: register the key=value folders that are not registered yet; return its lines."""
    found = match(rf"msck repair table {QUALIFIED}\s*", sql)
    table = existing(session, found["name"])
    names = [key["Name"] for key in table.keys]
    if not names:
        return []
    known = {partition.values for partition in session.catalogue.partitions(table)}
    fresh: dict[tuple[str, ...], str] = {}
    home = as_folder(table.location)
    for each in objects_below(session.s3, home):
        folders = each.uri[len(home) :].split("/")[:-1][: len(names)]
        values = _folder_values(folders, names)
        if values is not None and values not in known:
            fresh.setdefault(values, home + "/".join(folders) + "/")
    session.catalogue.add_partitions(table, [Partition(values, at) for values, at in fresh.items()])
    if not fresh:
        return []
    specs = [
        f"{table.name}:" + "/".join(f"{n}={v}" for n, v in zip(names, values, strict=True))
        for values in fresh
    ]
    lines = [[f"Partitions not in metastore:\t{' '.join(specs)}"]]
    return lines + [[f"Repair: Added partition to metastore {spec}"] for spec in specs]


def _folder_values(folders: list[str], names: list[str]) -> tuple[str, ...] | None:
    if len(folders) != len(names):
        return None
    values = []
    for folder, name in zip(folders, names, strict=True):
        key, equals, value = folder.partition("=")
        if not equals or key.lower() != name.lower():
            return None
        values.append(unquote(value))
    return tuple(values)


def _add_partitions(session: Session, table: Table, clause: re.Match[str]) -> None:
    known = {partition.values for partition in session.catalogue.partitions(table)}
    fresh = []
    for spec, location in _partitions(clause["partitions"]):
        values = _spec_values(table, spec)
        if values in known:
            if clause["quiet"]:
                continue
            raise QueryFailedError("", f"FAILED: SemanticException Partition already exists: {list(values)}")
        folders = "/".join(f"{key['Name']}={value}" for key, value in zip(table.keys, values, strict=True))
        at = as_folder(location or as_folder(table.location) + folders)
        split_uri(at)
        fresh.append(Partition(values, at))
        known.add(values)
    session.catalogue.add_partitions(table, fresh)


def _drop_partitions(session: Session, table: Table, clause: re.Match[str]) -> None:
    for spec, _ in _partitions(clause["partitions"]):
        wanted = pairs(spec)
        dropped = [p for p in session.catalogue.partitions(table) if _matches(table, p, wanted)]
        if not dropped and not clause["quiet"]:
            raise QueryFailedError("", f"FAILED: SemanticException [Error 10006]: Partition not found {spec}")
        for partition in dropped:
            session.catalogue.drop_partition(table, partition.values)


def _partitions(text: str) -> Iterator[tuple[str, str | None]]:
    pattern = re.compile(_PARTITION.replace(" ", r"\s+") + r"\s*,?\s*", re.IGNORECASE)
    at = 0
    while at < len(text):
        found = pattern.match(text, at)
        if found is None:
            raise QueryFailedError("", f"FAILED: ParseException cannot recognize input near '{text[at:]}'")
        yield found["spec"], unquoted(found["location"]) if found["location"] else None
        at = found.end()


def _spec_values(table: Table, spec: str) -> tuple[str, ...]:
    given = {name.lower(): value for name, _, value in pairs(spec)}
    names = [key["Name"].lower() for key in table.keys]
    if set(given) != set(names):
        raise QueryFailedError(
            "", f"FAILED: SemanticException partition spec {sorted(given)} doesn't match the keys {names}"
        )
    return tuple(given[name] for name in names)


def _matches(table: Table, partition: Partition, wanted: list[tuple[str, str, str]]) -> bool:
    values = {k["Name"].lower(): (v, k["Type"]) for k, v in zip(table.keys, partition.values, strict=True)}
    return all(_compares(*values[name.lower()], operator, value) for name, operator, value in wanted)


def _compares(held: str, hive: str, operator: str, value: str) -> bool:
    left, right = (int(held), int(value)) if "int" in hive else (held, value)
    return {
        "=": left == right,
        "!=": left != right,
        "<>": left != right,
        "<": left < right,  # type: ignore[operator]  # both are of one type
        ">": left > right,  # type: ignore[operator]  # as above
        "<=": left <= right,  # type: ignore[operator]  # as above
        ">=": left >= right,  # type: ignore[operator]  # as above
    }[operator]


def _add_columns(session: Session, table: Table, clause: re.Match[str]) -> None:
    added = _columns(clause["columns"])
    held = {each["Name"] for each in [*table.columns, *table.keys]}
    for each in added:
        if each["Name"] in held:
            raise QueryFailedError("", f"FAILED: SemanticException Duplicate column name: {each['Name']}")
    table.storage["Columns"] = [*table.columns, *added]
    session.catalogue.update_table(table)


def _replace_columns(session: Session, table: Table, clause: re.Match[str]) -> None:
    table.storage["Columns"] = _columns(clause["columns"])
    session.catalogue.update_table(table)


def _change_column(session: Session, table: Table, clause: re.Match[str]) -> None:
    (changed,) = _columns(f"({clause['column']})")
    old = unquoted(clause["old"]).lower()
    if old not in [each["Name"] for each in table.columns]:
        raise QueryFailedError("", f"FAILED: SemanticException Invalid column reference {old}")
    table.storage["Columns"] = [changed if each["Name"] == old else each for each in table.columns]
    session.catalogue.update_table(table)


def _columns(text: str) -> list[dict[str, str]]:
    try:
        parsed = sqlglot.parse_one(f"CREATE EXTERNAL TABLE t {text} LOCATION 's3://x/'", read="athena")
    except SqlglotError as error:
        raise QueryFailedError("", f"FAILED: ParseException cannot recognize input near '{text}'") from error
    schema = parsed.find(exp.Schema)
    return [column(each) for each in schema.expressions] if schema else []


def _set_location(session: Session, table: Table, clause: re.Match[str]) -> None:
    location = as_folder(unquoted(clause["location"]))
    split_uri(location)
    if clause["spec"]:
        values = _spec_values(table, clause["spec"])
        session.catalogue.update_partition(table, Partition(values, location))
        return
    table.storage["Location"] = location
    session.catalogue.update_table(table)


def _set_properties(session: Session, table: Table, clause: re.Match[str]) -> None:
    table.document["Parameters"] = table.properties | {k: v for k, _, v in pairs(clause["properties"])}
    session.catalogue.update_table(table)


_ACTIONS = (
    (r"add (?P<quiet>if not exists )?(?P<partitions>partition\b.*)", _add_partitions),
    (r"drop (?P<quiet>if exists )?(?P<partitions>partition\b.*)", _drop_partitions),
    (r"add columns\s*(?P<columns>\(.*\))", _add_columns),
    (r"replace columns\s*(?P<columns>\(.*\))", _replace_columns),
    (rf"change (?:column )?(?P<old>{NAME}) (?P<column>.*)", _change_column),
    (rf"(?:partition\s*(?P<spec>{SPEC})\s*)?set location (?P<location>{STRING})", _set_location),
    (rf"set tblproperties\s*(?P<properties>{SPEC})", _set_properties),
)
