"""Redshift's SQL in PostgreSQL's words, by small rewritings of the text."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from local_aws.services.redshift.masking import Masked

if TYPE_CHECKING:
    from collections.abc import Callable

I = re.IGNORECASE  # noqa: E741 - the re module's own name for it
NAME = r"(?:\x01i\d+\x02|[A-Za-z_#][\w$]*)(?:\s*\.\s*(?:\x01i\d+\x02|[A-Za-z_#][\w$]*))*"
_BRACKETS = r"\([^()]*(?:\([^()]*\)[^()]*)*\)"

# Words of a CREATE or ALTER TABLE that describe storage. They change no answer, so they are dropped.
_STORAGE = [
    (re.compile(r"\s+ENCODE\s+\w+", I), ""),
    (re.compile(r"\s+DISTSTYLE\s+\w+", I), ""),
    (re.compile(rf"\s+DISTKEY(?:\s*{_BRACKETS})?", I), ""),
    (re.compile(rf"\s+(?:COMPOUND\s+|INTERLEAVED\s+)?SORTKEY(?:\s+AUTO\b|\s*{_BRACKETS})?", I), ""),
    (re.compile(r"\s+BACKUP\s+(?:YES|NO)\b", I), ""),
]
# Foreign keys are not enforced in Redshift, and PostgreSQL wants a unique index for each.
_FOREIGN = [
    (
        re.compile(
            rf",\s*(?:CONSTRAINT\s+{NAME}\s+)?FOREIGN\s+KEY\s*{_BRACKETS}\s*REFERENCES\s+{NAME}(?:\s*{_BRACKETS})?",
            I,
        ),
        "",
    ),
    (re.compile(rf"\s+REFERENCES\s+{NAME}(?:\s*{_BRACKETS})?", I), ""),
]


def _identity(when: str, found: re.Match[str]) -> str:
    """Return PostgreSQL's identity; the two blanks keep the other pattern from matching it again."""
    first, step = found[1], found[2]
    bound = "MAXVALUE" if step.startswith("-") else "MINVALUE"
    return f"GENERATED {when} AS  IDENTITY (START WITH {first} INCREMENT BY {step} {bound} {first})"


_TYPES: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (re.compile(r"\b(?:GENERATED\s+BY\s+DEFAULT\s+AS\s+)IDENTITY\s*\(\s*(-?\d+)\s*,\s*(-?\d+)\s*\)", I),
     lambda found: _identity("BY DEFAULT", found)),
    (re.compile(r"(?<!AS  )\bIDENTITY\s*\(\s*(-?\d+)\s*,\s*(-?\d+)\s*\)", I),
     lambda found: _identity("ALWAYS", found)),
    (re.compile(r"\bSUPER\b(?!\s*\()", I), "jsonb"),
    (re.compile(r"\b(?:VARBYTE|VARBINARY|BINARY\s+VARYING)\b(?:\s*\(\s*\w+\s*\))?", I), "bytea"),
    (re.compile(r"\b(VARCHAR|CHARACTER\s+VARYING|NVARCHAR)\s*\(\s*MAX\s*\)", I), "varchar(65535)"),
    (re.compile(r"\bNVARCHAR\b", I), "varchar"),
    (re.compile(r"\bNCHAR\b", I), "char"),
    (re.compile(r"\bFLOAT4\b", I), "real"),
    (re.compile(r"\bFLOAT8\b", I), "double precision"),
]  # fmt: skip
_DATE_PARTS = (
    "year|years|yr|y|quarter|quarters|qtr|qtrs|month|months|mon|mons|week|weeks|w|day|days|d|hour|hours|h|hr|"
    "minute|minutes|min|mins|m|second|seconds|sec|secs|s|millisecond|milliseconds|ms|msec|microsecond|"
    "microseconds|us|usec|dayofyear|doy|dw|dow|epoch|decade|century"
)
_LISTAGG = re.compile(rf"\bLISTAGG\s*({_BRACKETS})(?:\s*WITHIN\s+GROUP\s*({_BRACKETS}))?", I)
_LAST_STRING = re.compile(r"^(.*),\s*(\x01s\d+\x02)\s*$", re.DOTALL)


def _listagg(found: re.Match[str]) -> str:
    """Return PostgreSQL's STRING_AGG; without a separator LISTAGG joins with nothing."""
    inside, order = found[1][1:-1], found[2][1:-1] if found[2] else ""
    split = _LAST_STRING.match(inside)
    value, separator = (split[1], split[2]) if split else (inside, "''")
    if not re.match(
        r"\s*DISTINCT\b", value, I
    ):  # with DISTINCT the order must be by the very same expression
        value = f"({value})::text"
    return f"STRING_AGG({value}, {separator} {order})"


_EXPRESSIONS: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (re.compile(r"\bSYSDATE\b(?!\s*\()", I), "pg_catalog.getsysdate()"),
    (re.compile(r"\bISNULL\s*\(", I), "COALESCE("),
    (
        re.compile(rf"\b(DATEADD|DATE_ADD|DATEDIFF|DATE_DIFF|DATE_PART_YEAR)\s*\(\s*({_DATE_PARTS})\s*,", I),
        r"\1('\2',",
    ),
    (re.compile(rf"\bDATE_PART\s*\(\s*({_DATE_PARTS})\s*,", I), r"DATE_PART('\1',"),
    (re.compile(r"\bCONVERT\s*\(\s*(\w+(?:\s*\([\d\s,]+\))?)\s*,\s*([^(),]+)\)", I), r"CAST(\2 AS \1)"),
    # The driver itself writes `THEN 4WHEN`; PostgreSQL since 15 refuses a word that touches a number.
    (re.compile(r"\b(\d+)(?=(?:WHEN|THEN|ELSE|END)\b)", I), r"\1 "),
    (_LISTAGG, _listagg),
    (re.compile(r"\bAPPROXIMATE\s+(?=COUNT\b)", I), ""),
]
_NO_BINDING = re.compile(r"\s+WITH\s+NO\s+SCHEMA\s+BINDING\s*$", I)
_HASH_NAME = re.compile(r"(?<![\w$])#(\w+)")

_CREATE_HASH = re.compile(r"^(\s*CREATE\s+)TABLE(\s+(?:IF\s+NOT\s+EXISTS\s+)?#)", I)
_INTO_HASH = re.compile(r"\bINTO\s+(?=#\w)", I)
_VACUUM = re.compile(
    rf"^\s*VACUUM\b(?:\s+(?:FULL|SORT\s+ONLY|DELETE\s+ONLY|REINDEX|RECLUSTER)\b)?(\s+{NAME})?.*$",
    I | re.DOTALL,
)
_ANALYZE = re.compile(rf"^\s*ANALYZE\b(?:\s+(?:VERBOSE|COMPRESSION)\b)?(\s+{NAME})?.*$", I | re.DOTALL)
_ALTER_STORAGE = re.compile(
    rf"^\s*ALTER\s+TABLE\s+{NAME}\s+ALTER\s+(?:(?:DISTSTYLE|DISTKEY|SORTKEY|COMPOUND|INTERLEAVED|ENCODE)\b"
    rf"|COLUMN\s+{NAME}\s+ENCODE\b).*$",
    I | re.DOTALL,
)
_APPEND = re.compile(rf"^\s*ALTER\s+TABLE\s+({NAME})\s+APPEND\s+FROM\s+({NAME}).*$", I | re.DOTALL)
_ADD_FOREIGN = re.compile(
    rf"^\s*ALTER\s+TABLE\s+{NAME}\s+ADD\s+(?:CONSTRAINT\s+{NAME}\s+)?FOREIGN\s+KEY.*$", I | re.DOTALL
)
_SETTING = re.compile(r"^\s*(SET|RESET|SHOW)\s+(?:SESSION\s+|LOCAL\s+)?([a-z_]\w*)\b(.*)$", I | re.DOTALL)
_REDSHIFT_SETTINGS = frozenset(
    {
        "enable_case_sensitive_identifier", "enable_result_cache_for_session", "query_group",
        "wlm_query_slot_count", "analyze_threshold_percent", "autocommit",
        "describe_field_name_in_uppercase", "downcase_delimited_identifier", "enable_numeric_rounding",
        "enable_vacuum_boost", "json_serialization_enable", "json_serialization_parse_nested_strings",
        "max_concurrency_scaling_clusters", "max_cursor_result_set_size", "mv_enable_aqmv_for_session",
        "navigate_super_null_on_error", "parse_super_null_on_error", "spectrum_enable_pseudo_columns",
        "stored_proc_log_min_messages", "use_fips_ssl", "user_activity_logging", "wlm_json_configuration",
        "enable_user_activity_logging", "error_on_nondeterministic_update", "default_identity_namespace",
        "cast_super_null_on_error", "enable_case_sensitive_super_attribute", "activate_aq",
    }
)  # fmt: skip

_TREE_WORDS = re.compile(r"\b(QUALIFY|MEDIAN|DECODE\s*\(|PIVOT|TOP\s+\d+|RATIO_TO_REPORT)\b", I)
_DDL = re.compile(
    r"^\s*(?:CREATE\s+(?!OR\s+REPLACE\s+PROC|PROC|OR\s+REPLACE\s+FUNC|FUNC)|ALTER\s+TABLE\b)", I
)
_PROCEDURE = re.compile(r"^\s*CREATE\s+(?:OR\s+REPLACE\s+)?PROCEDURE\b", I)
NOTHING = "DO 'BEGIN END'"


@functools.lru_cache(maxsize=4096)
def translated(sql: str, *, case_sensitive: bool = False) -> str:
    """Return one statement of Redshift's as PostgreSQL understands it.

    Args:
        sql: one statement.
        case_sensitive: keep the case of quoted identifiers (enable_case_sensitive_identifier).
    """
    masked = Masked(sql)
    if not case_sensitive:
        masked.fold()
    whole = _whole(masked)
    if whole is not None:
        return whole
    text = masked.text
    if "#" in text:
        text = _CREATE_HASH.sub(r"\1TEMP TABLE\2", text)
        text = _INTO_HASH.sub("INTO TEMP ", text)
        text = _HASH_NAME.sub(r'"#\1"', text)
    if _DDL.match(text):
        for pattern, words in (*_STORAGE, *_FOREIGN, (_NO_BINDING, "")):
            text = pattern.sub(words, text)
    for pattern, replacement in (*_TYPES, *_EXPRESSIONS):
        text = pattern.sub(replacement, text)
    restored = masked.restored(text)
    return by_tree(restored) if _TREE_WORDS.search(text) else restored


def _whole(masked: Masked) -> str | None:
    for pattern, build in _WHOLE:
        found = pattern.match(masked.text)
        if found:
            built = build(found)
            if built is not None:
                return masked.restored(built)
    return None


def _setting(found: re.Match[str]) -> str | None:
    verb, name, rest = found[1].upper(), found[2].lower(), found[3]
    if name not in _REDSHIFT_SETTINGS:
        return None
    if verb == "SHOW":
        return f"SELECT coalesce(nullif(current_setting('rs.{name}', true), ''), 'off')::varchar AS {name}"
    if verb == "RESET":
        return f"RESET rs.{name}"
    value = re.sub(r"^\s*(=|TO\b)", "", rest, flags=I)
    return f"SET rs.{name} TO {value}"


_WHOLE: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]]] = [
    (_SETTING, _setting),
    (_VACUUM, lambda found: f"ANALYZE{found[1] or ''}"),  # PostgreSQL frees space by itself
    (_ANALYZE, lambda found: f"ANALYZE{found[1] or ''}"),
    (_ALTER_STORAGE, lambda _: NOTHING),
    (_ADD_FOREIGN, lambda _: NOTHING),
    (
        _APPEND,
        lambda found: (
            f"WITH moved AS (DELETE FROM {found[2]} RETURNING *) "  # nosec B608  # noqa: S608 - the client's own SQL
            f"INSERT INTO {found[1]} SELECT * FROM moved"
        ),
    ),
]


def by_tree(sql: str) -> str:
    """Translate by syntax tree the functions that a pattern can't: QUALIFY, LISTAGG, MEDIAN, TOP n, DECODE.

    The text comes back unchanged when it can't be parsed: PostgreSQL's own error says more.
    """
    import sqlglot  # noqa: PLC0415 - 0.3 s that most sessions never need

    try:
        return sqlglot.transpile(sql, read="redshift", write="postgres")[0]
    except sqlglot.errors.SqlglotError:
        return sql
