"""COPY and UNLOAD as values, read from their SQL text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from local_aws.services.redshift.masking import Masked, string_value

_NAME = r"(?:\x01i\d+\x02|[A-Za-z_#][\w$]*)"
_COPY = re.compile(
    rf"^\s*COPY\s+({_NAME}(?:\s*\.\s*{_NAME})*)\s*(\([^()]*\))?\s*FROM\s*(\x01s\d+\x02)(.*?);?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_UNLOAD = re.compile(
    r"^\s*UNLOAD\s*\(\s*(\x01s\d+\x02)\s*\)\s*TO\s*(\x01s\d+\x02)(.*?);?\s*$", re.IGNORECASE | re.DOTALL
)
_STRING = r"(?:\s+AS)?\s*(\x01s\d+\x02)"
_WORD = re.compile(r"\s*(\x01s\d+\x02|\w+|\S)", re.DOTALL)

_ROLE = re.compile(rf"\bIAM_ROLE{_STRING}", re.IGNORECASE)
# Keys are taken and not checked: the objects are on this machine.
_CREDENTIALS = re.compile(
    rf"\b(?:IAM_ROLE\s+DEFAULT\b|(?:WITH\s+)?(?:IAM_ROLE|CREDENTIALS|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN){_STRING})",
    re.IGNORECASE,
)
_COPY_VALUES = {
    name: re.compile(rf"\b{pattern}{_STRING}", re.IGNORECASE)
    for name, pattern in {
        "region": "REGION",
        "delimiter": "DELIMITER",
        "quote": "QUOTE",
        "null": "NULL",
        "date_format": "DATEFORMAT",
        "time_format": "TIMEFORMAT",
        "invalid_character": "ACCEPTINVCHARS",
    }.items()
}
_COPY_NUMBERS = {
    name: re.compile(rf"\b{pattern}(?:\s+AS)?\s+(\d+)", re.IGNORECASE)
    for name, pattern in {
        "skip": "IGNOREHEADER",
        "max_errors": "MAXERROR",
    }.items()
}
_JSON = re.compile(r"\b(?:FORMAT\s+(?:AS\s+)?)?JSON(?:\s+AS)?(?:\s*(\x01s\d+\x02))?", re.IGNORECASE)
_FORMAT = re.compile(
    r"\b(?:FORMAT(?:\s+AS)?\s+)?(PARQUET|CSV|ORC|AVRO|SHAPEFILE|FIXEDWIDTH)\b", re.IGNORECASE
)
_SWITCHES = frozenset(
    {
        "MANIFEST", "GZIP", "ZSTD", "BZIP2", "EMPTYASNULL", "BLANKSASNULL", "TRUNCATECOLUMNS", "FILLRECORD",
        "TRIMBLANKS", "IGNOREBLANKLINES", "ESCAPE", "REMOVEQUOTES", "EXPLICIT_IDS", "SERIALIZETOJSON",
        "ROUNDEC", "ACCEPTINVCHARS",
    }
)  # fmt: skip
_NO_EFFECT = re.compile(
    r"\b(?:COMPUPDATE|STATUPDATE)(?:\s+(?:PRESET|ON|OFF|TRUE|FALSE))?\b|\bCOMPROWS\s+\d+|\bENCODING(?:\s+AS)?\s+UTF8\b",
    re.IGNORECASE,
)


class UnsupportedOptionError(ValueError):
    """The statement asks for something that this warehouse doesn't do."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """One COPY from S3.

    Attributes:
        table: the target as written, quoting included.
        columns: the column list as written, or None.
        source: the s3:// address of a prefix, an object or a manifest.
        format: "parquet", "csv", "json" or "text".
        json: "auto", "auto ignorecase", "noshred" or the address of a JSONPaths file.
        switches: options without a value, in upper case.
        values: options with a text value.
        role: the ARN of IAM_ROLE's last role, which reaches the objects; "" without one.
    """

    table: str
    columns: tuple[str, ...] | None
    source: str
    format: str
    json: str = ""
    switches: frozenset[str] = frozenset()
    values: dict[str, str] = field(default_factory=dict)
    skip: int = 0
    max_errors: int = 0
    role: str = ""

    @property
    def statement(self) -> str:
        """The COPY that PostgreSQL runs; the rows are sent to it as CSV."""
        return f"COPY {self.table} FROM STDIN (FORMAT csv)"


@dataclass(frozen=True, kw_only=True)
class Unload:
    """One UNLOAD to S3."""

    query: str
    target: str
    format: str
    switches: frozenset[str]
    values: dict[str, str]
    partition_by: tuple[str, ...] = ()
    role: str = ""
    maximum_bytes: int = 6_200_000_000  # Redshift's default MAXFILESIZE

    @property
    def statement(self) -> str:
        """The COPY that PostgreSQL runs for the rows."""
        return f"COPY ({self.query}) TO STDOUT (FORMAT csv)"


class Options:
    """The options behind a statement, taken one by one; what is left is unknown."""

    def __init__(self, masked: Masked, text: str) -> None:
        self._masked = masked
        self._text = _CREDENTIALS.sub(" ", text)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Remove what the pattern finds and return it."""
        found = pattern.search(self._text)
        if found:
            self._text = f"{self._text[: found.start()]} {self._text[found.end() :]}"
        return found

    def value(self, mark: str) -> str:
        """Return the text of a quoted string."""
        return string_value(self._masked.restored(mark))

    def switches(self, known: frozenset[str]) -> frozenset[str]:
        """Return the words that are left.

        Raises:
            UnsupportedOptionError: one of them is not known here.
        """
        words = [match[1] for match in _WORD.finditer(self._text)]
        unknown = [word for word in words if word.upper() not in known]
        if unknown:
            raise UnsupportedOptionError(
                f"the option {self._masked.restored(unknown[0])} is not supported by the local warehouse"
            )
        return frozenset(word.upper() for word in words)


def copy_command(masked: Masked) -> Copy | None:
    """Return the COPY that a statement is, or None.

    Raises:
        UnsupportedOptionError: it has an option that this warehouse doesn't know.
    """
    found = _COPY.match(masked.text)
    if not found:
        return None
    options = Options(masked, found[4])
    while options.take(_NO_EFFECT):
        pass
    values = {}
    for name, pattern in _COPY_VALUES.items():
        taken = options.take(pattern)
        if taken:
            values[name] = options.value(taken[1])
    numbers = {name: int(taken[1]) for name, p in _COPY_NUMBERS.items() if (taken := options.take(p))}
    json = options.take(_JSON)
    written = options.take(_FORMAT)
    kind = "json" if json else written[1].lower() if written else "text"
    if kind in {"orc", "avro", "shapefile", "fixedwidth"}:
        raise UnsupportedOptionError(f"COPY of {kind.upper()} is not supported by the local warehouse")
    columns = None
    if found[2]:
        columns = tuple(masked.restored(name).strip() for name in found[2][1:-1].split(","))
    source = string_value(masked.restored(found[3]))
    if not source.startswith("s3://"):
        raise UnsupportedOptionError(f"COPY reads from s3:// here, not from {source}")
    return Copy(
        table=masked.restored(_hash_quoted(found[1])),
        columns=columns,
        source=source,
        format=kind,
        json=(options.value(json[1]) if json[1] else "auto") if json else "",
        switches=options.switches(_SWITCHES),
        values=values,
        skip=numbers.get("skip", 0),
        max_errors=numbers.get("max_errors", 0),
        role=_role(masked, found[4]),
    )


def _role(masked: Masked, options: str) -> str:
    """Return the last role of a chain: each of those before it only assumes the next."""
    found = _ROLE.search(options)
    return string_value(masked.restored(found[1])).rpartition(",")[2].strip() if found else ""


_PARTITION = re.compile(r"\bPARTITION\s+BY\s*\(([^()]*)\)(?:\s*(INCLUDE))?", re.IGNORECASE)
_SIZE = re.compile(r"\b(?:MAXFILESIZE|ROWGROUPSIZE)(?:\s+AS)?\s+([\d.]+)\s*(MB|GB)?", re.IGNORECASE)
_UNLOAD_VALUES = {
    name: re.compile(rf"\b{pattern}{_STRING}", re.IGNORECASE)
    for name, pattern in {
        "region": "REGION",
        "delimiter": "DELIMITER",
        "null": "NULL",
        "extension": "EXTENSION",
        "kms_key": "KMS_KEY_ID",
    }.items()
}
_UNLOAD_FORMAT = re.compile(r"\b(?:FORMAT(?:\s+AS)?\s+)?(PARQUET|CSV|JSON)\b", re.IGNORECASE)
_PARALLEL = re.compile(r"\bPARALLEL\s+(?:ON|OFF|TRUE|FALSE)\b", re.IGNORECASE)
_UNLOAD_SWITCHES = frozenset(
    {
        "HEADER", "MANIFEST", "VERBOSE", "GZIP", "ZSTD", "BZIP2", "ALLOWOVERWRITE", "CLEANPATH", "ADDQUOTES",
        "ESCAPE", "INCLUDE", "ENCRYPTED",
    }
)  # fmt: skip


def unload_command(masked: Masked) -> Unload | None:
    """Return the UNLOAD that a statement is, or None.

    Raises:
        UnsupportedOptionError: it has an option that this warehouse doesn't know.
    """
    found = _UNLOAD.match(masked.text)
    if not found:
        return None
    options = Options(masked, found[3])
    values = {}
    for name, pattern in _UNLOAD_VALUES.items():
        taken = options.take(pattern)
        if taken:
            values[name] = options.value(taken[1])
    size = None
    while taken := options.take(_SIZE):
        if taken[0].upper().startswith("MAXFILESIZE"):
            size = float(taken[1]) * (1 << (30 if (taken[2] or "MB").upper() == "GB" else 20))
    options.take(_PARALLEL)
    partition = options.take(_PARTITION)
    written = options.take(_UNLOAD_FORMAT)
    switches = options.switches(_UNLOAD_SWITCHES)
    if partition and partition[2]:
        switches |= {"INCLUDE"}
    return Unload(
        query=string_value(masked.restored(found[1])).rstrip().rstrip(";"),
        target=string_value(masked.restored(found[2])),
        format=written[1].lower() if written else "text",
        switches=switches,
        values=values,
        partition_by=tuple(masked.restored(n).strip().strip('"') for n in partition[1].split(","))
        if partition
        else (),
        maximum_bytes=int(size) if size else Unload.maximum_bytes,
        role=_role(masked, found[3]),
    )


def _hash_quoted(name: str) -> str:
    return re.sub(r"(?<![\w$])#(\w+)", r'"#\1"', name)
