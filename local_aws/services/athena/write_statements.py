"""CREATE TABLE AS, INSERT INTO and UNLOAD."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from local_aws.services.athena.catalogue import Partition, Table
from local_aws.services.athena.create_table import FORMATS, JSON, LAZY, ORC, PARQUET, storage
from local_aws.services.athena.data_files import Layout, write
from local_aws.services.athena.failure import QueryFailedError, unsupported
from local_aws.services.athena.hive_text import STRING, unquoted
from local_aws.services.athena.objects import as_folder, is_empty
from local_aws.services.athena.results import write_manifest
from local_aws.services.athena.sql_text import name
from local_aws.services.athena.statement import parsed
from local_aws.services.athena.translate import has_unnamed_column
from local_aws.services.athena.types import duckdb_type, hive_type, presto_type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local_aws.services.athena.data_files import Written
    from local_aws.services.athena.execution import Execution
    from local_aws.services.athena.session import Planned, Session

_RESULT = "$result"
_UNLOAD = re.compile(
    rf"unload\s*\((?P<query>.*)\)\s*to\s*(?P<to>{STRING})(?:\s*with\s*(?P<with>\(.*\)))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_NUMBERS = ("tinyint", "smallint", "integer", "bigint", "real", "double", "decimal")
_FORMAT_OF = {PARQUET.lower(): "PARQUET", LAZY.lower(): "TEXTFILE", JSON.lower(): "JSON", ORC.lower(): "ORC",
              "org.apache.hive.hcatalog.data.jsonserde": "JSON"}  # fmt: skip


def create_table_as(session: Session, execution: Execution, sql: str) -> None:
    """CREATE TABLE ... WITH (...) AS query."""
    statement = parsed(sql)
    assert isinstance(statement, exp.Create), "kind_of saw CREATE TABLE AS"
    target = statement.find(exp.Table)
    assert target is not None, "the grammar asks for a name"
    database, held = (target.db or session.database).lower(), target.name.lower()
    properties = _properties(statement)
    if session.catalogue.database(database) is None:
        raise QueryFailedError("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{database}' does not exist")
    if session.catalogue.table(database, held) is not None:
        if statement.args.get("exists"):
            write_manifest(session.s3, execution, [])
            return
        raise QueryFailedError(
            "TABLE_ALREADY_EXISTS",
            f"line 1:1: Destination table 'awsdatacatalog.{database}.{held}' already exists",
        )
    home = execution.output.rpartition("/")[0]
    location = as_folder(properties.pop("external_location", f"{home}/{execution.id}"))
    _refuse_used(session, location, f"{database}.{held}")
    layout = _layout(properties)
    planned = _planned(session, statement.expression, sql)
    columns = _columns(planned)
    _check_keys(columns, layout.keys)
    written = write(session, _typed(planned, without_rows=_has_no_data(statement)), location, layout)
    _note(execution, written)
    data = columns[: len(columns) - len(layout.keys)]
    document = {
        "Name": held,
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": storage(data, location, FORMATS[layout.format], _serde_parameters(layout)),
        "PartitionKeys": columns[len(data) :],
        "Parameters": {"EXTERNAL": "TRUE", "has_encrypted_data": "false"},
    }
    session.catalogue.create_table(database, document)
    _register(session, Table(database, document), written)
    write_manifest(session.s3, execution, written.files)


def named_location(sql: str) -> str | None:
    """Return where a CREATE TABLE AS asks to be written, or None.

    Raises:
        QueryFailedError: it cannot be parsed.
    """
    found: str | None = _properties(parsed(sql)).get("external_location")
    return found


def insert_into(session: Session, execution: Execution, sql: str) -> None:
    """INSERT INTO t [(columns)] query."""
    statement = parsed(sql)
    assert isinstance(statement, exp.Insert), "kind_of saw INSERT INTO"
    target = statement.find(exp.Table)
    assert target is not None, "the grammar asks for a name"
    database, held = (target.db or session.database).lower(), target.name.lower()
    table = session.catalogue.table(database, held)
    if table is None:
        raise QueryFailedError(
            "TABLE_NOT_FOUND", f"line 1:1: Table 'awsdatacatalog.{database}.{held}' does not exist"
        )
    if table.is_view:
        raise QueryFailedError("NOT_SUPPORTED", "line 1:1: Inserting into views is not supported")
    layout = _layout_of(table)
    given = statement.this.expressions if isinstance(statement.this, exp.Schema) else []
    planned = _planned(session, statement.expression, sql, named=False)
    select = _for_table(planned, table, [each.name.lower() for each in given])
    written = write(session, select, table.location, layout)
    _note(execution, written)
    execution.update_count = written.rows
    _register(session, table, written)
    write_manifest(session.s3, execution, written.files)


def unload(session: Session, execution: Execution, sql: str) -> None:
    """UNLOAD (query) TO 's3://...' WITH (format = ...)."""
    found = _UNLOAD.fullmatch(sql)
    if found is None:
        raise QueryFailedError(
            "", "line 1:1: mismatched input. Expecting: UNLOAD (query) TO 'location' WITH (...)"
        )
    location = as_folder(unquoted(found["to"]))
    options = f"WITH {found['with']}" if found["with"] else ""
    properties = _properties(parsed(f"CREATE TABLE t {options} AS SELECT 1 AS a"))
    if "format" not in properties:
        raise QueryFailedError("SYNTAX_ERROR", "line 1:1: UNLOAD needs the property format")
    _refuse_used(session, location, "unload")
    layout = _layout(properties)
    # Blanks in place of UNLOAD ( keep the places of an error.
    query = " " * found.start("query") + found["query"]
    planned = _planned(session, parsed(query), query, named=False)
    _check_keys(_columns(planned), layout.keys)
    written = write(session, _typed(planned), location, layout)
    _note(execution, written)
    write_manifest(session.s3, execution, written.files)


WRITES: dict[str, Callable[[Session, Execution, str], None]] = {
    "CREATE_TABLE_AS_SELECT": create_table_as,
    "INSERT": insert_into,
    "UNLOAD": unload,
}


def _note(execution: Execution, written: Written) -> None:
    execution.output_rows = written.rows


def _planned(session: Session, query: exp.Expression, sql: str, *, named: bool = True) -> Planned:
    if named and has_unnamed_column(query):
        raise QueryFailedError("MISSING_COLUMN_NAME", "line 1:1: Column name not specified at position 1")
    planned = session.planned(query, sql)
    names = ", ".join(map(name, _distinct(planned.names)))
    session.connection.execute(f"CREATE VIEW {name(_RESULT)}({names}) AS {planned.text}")
    return planned


def _distinct(names: list[str]) -> list[str]:
    """Return the names with a number behind those that came before."""
    return [each if each not in names[:at] else f"{each}:{at}" for at, each in enumerate(names)]


def _columns(planned: Planned) -> list[dict[str, str]]:
    pairs = zip(planned.names, planned.types, strict=True)
    return [{"Name": column.lower(), "Type": hive_type(type_)} for column, type_ in pairs]


def _typed(planned: Planned, *, without_rows: bool = False) -> str:
    """Return the SELECT of the result's columns in catalogue types, by lower-case names."""
    columns = zip(planned.names, _columns(planned), strict=True)
    casts = [f"CAST({name(held)} AS {duckdb_type(c['Type'])}) AS {name(c['Name'])}" for held, c in columns]
    return f"SELECT {', '.join(casts)} FROM {name(_RESULT)}" + (" WHERE false" if without_rows else "")  # nosec B608  # see sql_text


def _for_table(planned: Planned, table: Table, given: list[str]) -> str:
    every = [*table.columns, *table.keys]
    order = given or [column["Name"] for column in every]
    unknown = [column for column in order if column not in {each["Name"] for each in every}]
    if unknown:
        raise QueryFailedError(
            "COLUMN_NOT_FOUND", f"line 1:1: Insert column name does not exist in target table: {unknown[0]}"
        )
    types = {each["Name"]: each["Type"] for each in every}
    if len(order) != len(planned.names) or not all(
        _fits(presto_type(held), types[column]) for held, column in zip(planned.types, order, strict=True)
    ):
        wanted, held = ", ".join(types[c] for c in order), ", ".join(map(presto_type, planned.types))
        raise QueryFailedError(
            "TYPE_MISMATCH",
            f"line 1:1: Insert query has mismatched column types: Table: [{wanted}], Query: [{held}]",
        )
    sources = dict(zip(order, planned.names, strict=True))
    casts = []
    for each in every:
        value = name(sources[each["Name"]]) if each["Name"] in sources else "NULL"
        casts.append(f"CAST({value} AS {duckdb_type(each['Type'])}) AS {name(each['Name'])}")
    return f"SELECT {', '.join(casts)} FROM {name(_RESULT)}"  # nosec B608  # see sql_text


def _fits(held: str, wanted: str) -> bool:
    """Tell whether Presto would coerce one type into the other on INSERT."""
    held, wanted = held.partition("(")[0], wanted.lower().partition("(")[0].partition("<")[0]
    wanted = {"int": "integer", "string": "varchar", "char": "varchar", "float": "real",
              "binary": "varbinary", "struct": "row"}.get(wanted, wanted)  # fmt: skip
    if held in _NUMBERS and wanted in _NUMBERS:
        return True
    return held in (wanted, "unknown") or (held, wanted) == ("date", "timestamp")


def _properties(statement: exp.Expression) -> dict[str, Any]:
    clause = statement.args.get("properties")
    found: dict[str, Any] = {}
    for each in clause.expressions if clause else ():
        if isinstance(each, exp.FileFormatProperty):
            found["format"] = each.this.name
        elif isinstance(each, exp.PartitionedByProperty):
            found["partitioned_by"] = [key.name.lower() for key in each.this.expressions]
        elif type(each) is exp.Property:
            found[each.this.name.lower()] = each.args["value"].name
    return found


def _has_no_data(statement: exp.Expression) -> bool:
    return any(each.args.get("no") for each in statement.find_all(exp.WithDataProperty))


def _layout(properties: dict[str, Any]) -> Layout:
    compressions = ("write_compression", "compression", "parquet_compression", "orc_compression")
    compression = next((properties.pop(each) for each in compressions if each in properties), "")
    layout = Layout(
        format={"TEXT": "TEXTFILE"}.get(str(properties.get("format", "PARQUET")).upper())
        or str(properties.get("format", "PARQUET")).upper(),
        compression=compression,
        delimiter=unquoted(properties.pop("field_delimiter", "\x01")),
        keys=properties.pop("partitioned_by", ()),
    )
    properties.pop("format", None)
    if properties:
        raise unsupported(f"the property {min(properties)}")
    layout.codec()
    return layout


def _layout_of(table: Table) -> Layout:
    library, parameters = table.serde
    written = _FORMAT_OF.get(library.lower())
    if written is None:
        raise unsupported(f"INSERT INTO a table of the SerDe {library}")
    properties = table.properties
    compression = (
        properties.get("write.compression")
        or properties.get("parquet.compression")
        or properties.get("orc.compress")
    )
    default = "NONE" if written in ("TEXTFILE", "JSON") else ""
    keys = [key["Name"] for key in table.keys]
    return Layout(written, compression or default, parameters.get("field.delim") or "\x01", keys)


def _serde_parameters(layout: Layout) -> dict[str, str]:
    if layout.format == "TEXTFILE":
        return {"field.delim": layout.delimiter, "serialization.format": layout.delimiter}
    return {"serialization.format": "1"}


def _check_keys(columns: list[dict[str, str]], keys: Sequence[str]) -> None:
    names = [column["Name"] for column in columns]
    doubled = next((each for each in names if names.count(each) > 1), None)
    if doubled:
        raise QueryFailedError(
            "DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{doubled}' specified more than once"
        )
    if list(keys) != names[len(names) - len(keys) :]:
        raise QueryFailedError(
            "HIVE_COLUMN_ORDER_MISMATCH",
            "Partition keys must be the last columns in the table and in the same order"
            f" as the table properties: [{', '.join(keys)}]",
        )


def _refuse_used(session: Session, location: str, what: str) -> None:
    if not is_empty(session.s3, location):
        raise QueryFailedError(
            "HIVE_PATH_ALREADY_EXISTS",
            f"Target directory for table '{what}' already exists: {location}."
            " You may need to manually clean the data at location before retrying.",
        )


def _register(session: Session, table: Table, written: Written) -> None:
    fresh = [Partition(values, at) for values, at in written.partitions.items()]
    known = {each.values for each in session.catalogue.partitions(table)} if fresh else set()
    session.catalogue.add_partitions(table, [each for each in fresh if each.values not in known])
