"""Text files: LazySimpleSerDe, OpenCSVSerde and RegexSerDe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.services.athena.failure import QueryFailedError, unsupported
from local_aws.services.athena.sql_text import name, string
from local_aws.services.athena.types import duckdb_type

if TYPE_CHECKING:
    from local_aws.services.athena.scan import Scan

_LINE, _FIELDS = "$line", "$fields"
_LONGEST_LINE = 64 * 2**20
# No file holds this, so DuckDB's CSV reader gives whole lines, and several threads read one file.
_NO_DELIMITER = "\x1c\x1d\x1e\x1f"
# Private-use characters that stand for an escaped escape and an escaped delimiter while a line is split.
_ESCAPE, _DELIMITER = "\ue000", "\ue001"
_INTEGERS = ("TINYINT", "SMALLINT", "INT", "BIGINT")


def delimited(scan: Scan) -> tuple[list[str], str]:
    """LazySimpleSerDe: fields by position; no quotes; what cannot be read as its type is NULL."""
    _, parameters = scan.table.serde
    delimiter = _character(parameters.get("field.delim") or parameters.get("serialization.format"), "\x01")
    escape = parameters.get("escape.delim", "")
    null = parameters.get("serialization.null.format", "\\N")
    line = f"coalesce({name(_LINE)}, '')"
    if escape:
        line = f"replace({line}, {string(escape * 2)}, {string(_ESCAPE)})"
        line = f"replace({line}, {string(escape + delimiter)}, {string(_DELIMITER)})"
    split = f"string_split({line}, {string(delimiter)}) AS {name(_FIELDS)}"
    source = f"(SELECT {split}, * EXCLUDE ({name(_LINE)}) FROM {_lines(scan)})"  # nosec B608  # see sql_text
    expressions = []
    for at, column in enumerate(scan.table.columns, 1):
        value = f"nullif({name(_FIELDS)}[{at}], {string(null)})"
        if escape:
            value = f"replace({value}, {string(_DELIMITER)}, {string(delimiter)})"
            value = f"replace(replace({value}, {string(escape)}, ''), {string(_ESCAPE)}, {string(escape)})"
        expressions.append(_lenient(value, column["Type"], parameters))
    return expressions, source


def quoted(scan: Scan) -> tuple[list[str], str]:
    """OpenCSVSerde: quoted fields by position; an empty string stays one; a bad number is an error."""
    _, parameters = scan.table.serde
    fields = [f"$c{at}" for at in range(len(scan.table.columns))]
    typed = ", ".join(f"{string(field)}: 'VARCHAR'" for field in fields)
    quote = _character(parameters.get("quoteChar"), '"')
    escape = _character(parameters.get("escapeChar"), quote)
    source = (
        f"read_csv({scan.list()}, columns = {{{typed}}}, auto_detect = false, header = false,"
        f" skip = {_header_lines(scan)}, delim = {string(_character(parameters.get('separatorChar'), ','))},"
        f" quote = {string(quote)}, escape = {string(escape)}, nullstr = {string(_NO_DELIMITER)},"
        f" null_padding = true, strict_mode = false, parallel = false, max_line_size = {_LONGEST_LINE},"
        f" {scan.options()})"
    )
    pairs = zip(fields, scan.table.columns, strict=True)
    return [_strict(name(field), column["Type"]) for field, column in pairs], source


def matched(scan: Scan) -> tuple[list[str], str]:
    """RegexSerDe: the groups of a pattern, by position; a line that does not match is all NULL."""
    _, parameters = scan.table.serde
    pattern = parameters.get("input.regex")
    if not pattern:
        raise QueryFailedError("HIVE_INVALID_METADATA", "RegexSerDe needs the property input.regex")
    if parameters.get("input.regex.case.insensitive", "").lower() == "true":
        pattern = f"(?i){pattern}"
    line, whole = name(_LINE), string(f"^(?:{pattern})$")
    expressions = [
        _lenient(
            f"CASE WHEN regexp_matches({line}, {whole}) THEN regexp_extract({line}, {whole}, {at}) END",
            column["Type"],
            parameters,
        )
        for at, column in enumerate(scan.table.columns, 1)
    ]
    return expressions, _lines(scan)


def _lines(scan: Scan) -> str:
    return (
        f"read_csv({scan.list()}, columns = {{{string(_LINE)}: 'VARCHAR'}}, auto_detect = false,"
        f" header = false, skip = {_header_lines(scan)}, delim = {string(_NO_DELIMITER)},"
        f" quote = '', escape = '', max_line_size = {_LONGEST_LINE}, {scan.options()})"
    )


def _header_lines(scan: Scan) -> int:
    _, parameters = scan.table.serde
    count = scan.table.properties.get("skip.header.line.count", parameters.get("skip.header.line.count", "0"))
    return int(count)


def _character(text: str | None, default: str) -> str:
    """Return a delimiter of the catalogue: itself, an escape of Java, or a number as LazySimpleSerDe has."""
    if not text:
        return default
    escaped = {"\\t": "\t", "\\n": "\n", "\\\\": "\\", "\\001": "\x01", "\\u0001": "\x01"}
    if text in escaped:
        return escaped[text]
    return chr(int(text)) if text.isdigit() and default == "\x01" else text


def _lenient(value: str, hive: str, parameters: dict[str, str]) -> str:  # noqa: PLR0911 - one line a type
    wanted = duckdb_type(hive)
    if wanted == "TEXT":
        return value
    if wanted in _INTEGERS:
        return f"CASE WHEN regexp_full_match({value}, '[+-]?[0-9]+') THEN TRY_CAST({value} AS {wanted}) END"
    if wanted == "BOOLEAN":
        return f"CASE lower({value}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if wanted in ("DATE", "TIMESTAMP"):
        return f"CASE WHEN regexp_full_match({value}, '[-0-9:. ]+') THEN TRY_CAST({value} AS {wanted}) END"
    if wanted == "BLOB":
        return f"TRY(from_base64({value}))"
    if wanted.startswith("MAP"):
        return _map(value, wanted, parameters)
    if wanted.endswith("[]") and wanted.count("[]") == 1:
        return f"TRY_CAST({_split(value, _items(parameters))} AS {wanted})"
    if wanted.startswith("STRUCT") or "[]" in wanted:
        raise unsupported(f"the type {hive} in delimited text; keep it in Parquet or JSON")
    return f"TRY_CAST({value} AS {wanted})"


def _items(parameters: dict[str, str]) -> str:
    # "colelction" is how Hive has always spelled it.
    given = parameters.get("collection.delim") or parameters.get("colelction.delim")
    return _character(given, "\x02")


def _split(value: str, delimiter: str) -> str:
    empty = f"{value} IS NULL OR {value} = ''"
    return f"CASE WHEN {empty} THEN NULL ELSE string_split({value}, {string(delimiter)}) END"


def _map(value: str, wanted: str, parameters: dict[str, str]) -> str:
    between = string(_character(parameters.get("mapkey.delim"), "\x03"))
    entries = (
        f"list_transform({_split(value, _items(parameters))},"
        f" lambda e: struct_pack(k := split_part(e, {between}, 1), v := split_part(e, {between}, 2)))"
    )
    return f"TRY_CAST(map_from_entries({entries}) AS {wanted})"


def _strict(value: str, hive: str) -> str:
    wanted = duckdb_type(hive)
    if wanted == "TEXT":
        return value
    if wanted == "BOOLEAN":
        return f"lower({value}) = 'true'"
    if wanted == "DATE":  # OpenCSVSerde's dates are days and its timestamps milliseconds since 1970
        return f"CAST(DATE '1970-01-01' + CAST({value} AS INTEGER) AS DATE)"
    if wanted == "TIMESTAMP":
        return f"make_timestamp(CAST({value} AS BIGINT) * 1000)"
    if "[]" in wanted or wanted.startswith(("STRUCT", "MAP", "BLOB")):
        raise unsupported(f"the type {hive} in OpenCSVSerde")
    return f"CAST({value} AS {wanted})"
