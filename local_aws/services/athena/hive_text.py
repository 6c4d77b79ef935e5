"""The pieces of Hive DDL that sqlglot has no grammar for: names, partition specs, property lists."""

from __future__ import annotations

import re

from local_aws.services.athena.failure import QueryFailedError

NAME = r"(?:`[^`]+`|\"[^\"]+\"|[\w$]+)"
QUALIFIED = rf"(?P<name>{NAME}(?:\s*\.\s*{NAME}){{0,2}})"
SPEC = r"\(\s*(?:[^()'\"]|'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\")*\)"
STRING = r"(?:'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\")"
_PAIR = re.compile(rf"\s*({NAME}|{STRING})\s*(<=|>=|<>|!=|=|<|>)\s*({STRING}|[-\w.]+)\s*(?:,|$)")


def match(pattern: str, sql: str) -> re.Match[str]:
    """Match a whole statement; a blank in the pattern is any white space.

    Raises:
        QueryFailedError: it does not match.
    """
    found = re.fullmatch(pattern.replace(" ", r"\s+"), sql, re.IGNORECASE | re.DOTALL)
    if found is None:
        words = " ".join(repr(word) for word in sql.split()[:3])
        raise QueryFailedError("", f"FAILED: ParseException line 1:0 cannot recognize input near {words}")
    return found


def table_name(text: str, database: str) -> tuple[str, str]:
    """Return the database and the table of a name such as `db`.t, in lower case."""
    parts = [unquoted(part).lower() for part in re.findall(NAME, text)]
    return (parts[-2], parts[-1]) if len(parts) > 1 else (database.lower(), parts[0])


def unquoted(text: str) -> str:
    """Return a name or string without its quotes."""
    if text[:1] in "'\"`" and text[-1:] == text[:1]:
        inner = text[1:-1].replace(text[0] * 2, text[0])
        return re.sub(r"\\(.)", r"\1", inner) if text[0] != "`" else inner
    return text


def pairs(spec: str) -> list[tuple[str, str, str]]:
    """Return (name, operator, value) of a list in brackets such as (dt = 'x', n > 3).

    Raises:
        QueryFailedError: it is no such list.
    """
    text, at, found = spec.strip()[1:-1].strip(), 0, []
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            raise QueryFailedError(
                "", f"FAILED: ParseException line 1:0 cannot recognize input near '{text[at:]}'"
            )
        found.append((unquoted(pair[1]), pair[2], unquoted(pair[3])))
        at = pair.end()
    return found
