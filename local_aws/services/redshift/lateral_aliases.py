"""Redshift lets a SELECT use an alias beside its definition; PostgreSQL wants the expression again."""

from __future__ import annotations

import re

_ALIAS = re.compile(r"\bAS\s+\"?(\w+)\"?", re.IGNORECASE)


def may_have(sql: str) -> bool:
    """Tell cheaply whether an alias's name occurs a second time."""
    lowered = sql.lower()
    return any(
        len(re.findall(rf"\b{re.escape(name)}\b", lowered)) > 1
        for name in {m.lower() for m in _ALIAS.findall(sql)}
    )


def expanded(sql: str, missing: str) -> str | None:
    """Return the statement with the alias `missing` replaced by its expression, or None when there is none.

    PostgreSQL has said that no source has a column of that name, so it can only mean the alias.
    """
    import sqlglot  # noqa: PLC0415 - 0.3 s that most sessions never need
    from sqlglot import exp  # noqa: PLC0415

    try:
        tree = sqlglot.parse_one(sql, read="postgres")
    except sqlglot.errors.SqlglotError:
        return None
    changed = False
    for select in list(tree.find_all(exp.Select)):
        defined = {e.alias.lower(): e.this for e in select.expressions if isinstance(e, exp.Alias)}
        if missing.lower() not in defined:
            continue
        expression = defined[missing.lower()]
        for column in list(select.find_all(exp.Column)):
            if (
                column.table
                or column.name.lower() != missing.lower()
                or column.find_ancestor(exp.Select) is not select
            ):
                continue
            if column is expression or _inside(column, expression):
                continue
            column.replace(exp.paren(expression.copy()))
            changed = True
    return tree.sql(dialect="postgres") if changed else None


def _inside(node: object, outer: object) -> bool:
    while node is not None:
        if node is outer:
            return True
        node = getattr(node, "parent", None)
    return False
