"""Presto's SELECT in DuckDB's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError

from local_aws.services.athena.failure import QueryFailedError, unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "$path"


def duckdb_sql(query: exp.Expression) -> str:
    """Return DuckDB's text of a parsed query; the query is changed.

    Raises:
        QueryFailedError: a construct has no counterpart.
    """
    if isinstance(query, exp.Values):
        query = _named_rows(query)
    _name_columns(query)
    _hide_path(query)
    translated = query.transform(_translated, copy=False)
    try:
        return translated.sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise unsupported(str(error)) from error


def source_tables(query: exp.Expression) -> Iterator[exp.Table]:
    """Return the tables of the catalogue that a query names: not its WITH queries.

    Raises:
        QueryFailedError: it reads from a function other than UNNEST, such as the engine's own file readers.
    """
    for table in query.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            raise QueryFailedError(
                "FUNCTION_NOT_FOUND", f"line 1:1: Table function '{table.this.name}' not registered"
            )
        if table.db or not _names_with_query(table):
            yield table


def _names_with_query(table: exp.Table) -> bool:
    wanted = table.name.lower()
    inside: exp.Expr | None = None  # the WITH query on the way up
    node: exp.Expr | None = table.parent
    while node is not None:
        if isinstance(node, exp.CTE):
            inside = node
        elif isinstance(node, exp.With):
            for query in node.expressions:
                if query is inside and not node.args.get("recursive"):
                    break  # a query sees those before it, and itself only with RECURSIVE
                if query.alias.lower() == wanted:
                    return True
        elif _defines(node.args.get("with_"), wanted, inside):
            return True
        node = node.parent
    return False


def _defines(clause: exp.With | None, wanted: str, inside: exp.Expr | None) -> bool:
    """Tell whether a WITH beside a query, not around it, defines a name."""
    if clause is None or (inside is not None and inside.parent is clause):
        return False
    return any(query.alias.lower() == wanted for query in clause.expressions)


def _named_rows(query: exp.Values) -> exp.Select:
    width = len(query.expressions[0].expressions or [None])
    columns = [exp.to_identifier(f"_col{at}", quoted=True) for at in range(width)]
    alias = exp.TableAlias(this=exp.to_identifier("rows", quoted=True), columns=columns)
    named = query.copy()
    named.set("alias", alias)
    return exp.select("*").from_(named)


def _name_columns(query: exp.Expression) -> None:
    """Give an unnamed column Presto's name: _col0 for the first of its SELECT."""
    for select in query.find_all(exp.Select):
        for at, column in enumerate(select.expressions):
            if not _is_named(column):
                column.replace(exp.alias_(column.copy(), f"_col{at}", quoted=True))


def _is_named(column: exp.Expression) -> bool:
    return isinstance(column, exp.Alias | exp.Aliases | exp.Column | exp.Dot | exp.Star)


def _hide_path(query: exp.Expression) -> None:
    """Keep "$path" out of `*`: it is a column only for those who name it."""
    if not any(column.name == PATH for column in query.find_all(exp.Column)):
        return
    hidden = "c NOT LIKE '$%'"
    for select in query.find_all(exp.Select):
        for column in select.expressions:
            if isinstance(column, exp.Star):
                column.replace(
                    exp.Anonymous(this="COLUMNS", expressions=[exp.Var(this=f"lambda c: {hidden}")])
                )


def mentions_path(query: exp.Expression) -> bool:
    """Tell whether a query names "$path"."""
    return any(column.name == PATH for column in query.find_all(exp.Column))


def _translated(node: exp.Expression) -> exp.Expression:
    rule = _RULES.get(type(node))
    return rule(node) if rule else node


def _call(function: str, *arguments: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this=function, expressions=list(arguments))


def _divide(node: exp.Expression) -> exp.Expression:
    return _call("presto_divide", node.this, node.expression)


def _add(node: exp.Expression) -> exp.Expression:
    if isinstance(node.expression, exp.Interval):
        return _call("presto_plus", node.this, node.expression)
    if isinstance(node.this, exp.Interval):
        return _call("presto_plus", node.expression, node.this)
    return node


def _subtract(node: exp.Expression) -> exp.Expression:
    if isinstance(node.expression, exp.Interval):
        return _call("presto_plus", node.this, exp.Neg(this=node.expression))
    return node


def _shift(node: exp.Expression) -> exp.Expression:
    unit = node.args.get("unit") or exp.Var(this="DAY")
    one = exp.Interval(this=exp.Literal.string("1"), unit=exp.Var(this=unit.name.upper()))
    return _call("presto_plus", node.this, exp.Mul(this=exp.Paren(this=node.expression), expression=one))


def _truncate(node: exp.Expression) -> exp.Expression:
    unit = node.args["unit"]
    return _call("presto_trunc", exp.Literal.string(unit.name.lower()), node.this)


_TIMES = {exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPTZ, exp.DataType.Type.TIME}
_TEXTS = {exp.DataType.Type.VARCHAR, exp.DataType.Type.CHAR, exp.DataType.Type.TEXT}


def _cast(node: exp.Expression) -> exp.Expression:
    wanted = node.args["to"]
    for part in wanted.find_all(exp.DataType):
        if part.this in _TIMES:
            part.set("expressions", [])  # TIMESTAMP(3) of Presto would be DuckDB's type of whole milliseconds
    if wanted.this in _TEXTS and wanted.expressions:
        length = wanted.expressions[0].this
        wanted.set("expressions", [])
        return _call("left", node, length)  # Presto cuts, DuckDB ignores the length
    if wanted.this == exp.DataType.Type.DECIMAL and not wanted.expressions:
        precision, scale = _decimal_size(node.this)
        node.set("to", exp.DataType.build(f"DECIMAL({precision}, {scale})"))
    if wanted.this == exp.DataType.Type.JSON:
        return _call("to_json", node.this)
    return node


def _decimal_size(value: exp.Expression) -> tuple[int, int]:
    """Return the size of a DECIMAL that names none: that of a literal, else Presto's default."""
    if not isinstance(value, exp.Literal):
        return 38, 0
    whole, _, fraction = value.name.lstrip("+-").partition(".")
    return max(len(whole.lstrip("0")) + len(fraction), 1), len(fraction)


def _type_of(node: exp.Expression) -> exp.Expression:
    return _call("presto_typeof", node.this)


def _table(node: exp.Expression) -> exp.Expression:
    node.set("catalog", None)
    return node


def _format(node: exp.Expression) -> exp.Expression:
    return _call("printf", node.this, *node.expressions)


def _size(node: exp.Expression) -> exp.Expression:
    return _call("presto_size", node.this)


def _slice(node: exp.Expression) -> exp.Expression:
    return _call("presto_slice", node.this, node.args["start"], node.args["end"])


def _repeat(node: exp.Expression) -> exp.Expression:
    return _call("presto_repeat", node.this, node.args["times"])


def _replace_matches(node: exp.Expression) -> exp.Expression:
    replacement = node.args.get("replacement")
    if isinstance(replacement, exp.Lambda):
        raise unsupported("regexp_replace with a function")
    if isinstance(replacement, exp.Literal):
        text = re.sub(r"\$(\d)", r"\\\1", replacement.name)  # $1 of Java is \1 of the engine
        node.set("replacement", exp.Literal.string(text))
    return node


def _reduce(node: exp.Expression) -> exp.Expression:
    reduced = _call("list_reduce", node.this, node.args["merge"], node.args["initial"])
    finished = _call("list_transform", exp.Array(expressions=[reduced]), node.args["finish"])
    return _call("list_extract", finished, exp.Literal.number(1))


def _anonymous(node: exp.Expression) -> exp.Expression:
    function = node.name.lower()
    if function in _MATCHES:
        array, condition = node.expressions
        matching = _call("len", _call("list_filter", array, condition))
        wanted = _call("len", array.copy()) if function == "all_match" else exp.Literal.number(0)
        return exp.Paren(this=_MATCHES[function](this=matching, expression=wanted))
    if function in _RENAMED:
        node.set("this", _RENAMED[function])
    return node


_MATCHES = {"all_match": exp.EQ, "any_match": exp.GT, "none_match": exp.EQ}
_RENAMED = {"zip": "list_zip", "map_entries": "presto_entries"}
_RULES = {
    exp.Anonymous: _anonymous,
    exp.ArraySize: _size,
    exp.ArraySlice: _slice,
    exp.Format: _format,
    exp.Reduce: _reduce,
    exp.RegexpReplace: _replace_matches,
    exp.Repeat: _repeat,
    exp.Div: _divide,
    exp.Add: _add,
    exp.Sub: _subtract,
    exp.DateAdd: _shift,
    exp.TimestampAdd: _shift,
    exp.TimestampTrunc: _truncate,
    exp.DateTrunc: _truncate,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Typeof: _type_of,
    exp.Table: _table,
}


def has_unnamed_column(query: exp.Expression) -> bool:
    """Tell whether a query's result has a column without a name, which no table can keep."""
    select = query
    while isinstance(select, exp.SetOperation | exp.Subquery):
        select = select.this
    if not isinstance(select, exp.Select):
        return False
    return not all(_is_named(column) for column in select.expressions)
