"""Which folders of a crawled prefix are tables, and how their files are partitioned."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

HIVE = re.compile(r"([^=/]+)=([^=/]*)")


@dataclass(frozen=True)
class DataFile:
    """A non-empty object: its key and its size in bytes."""

    key: str
    size: int


@dataclass
class Folder:
    """A folder whose files make one table.

    Attributes:
        path: the folder's key prefix, ending in a slash, or the key of the one file that is the table.
        partition_keys: names of the partition columns, outermost first.
        partitions: the folder of each partition, by its values.
    """

    path: str
    files: list[DataFile] = field(default_factory=list)
    partition_keys: tuple[str, ...] = ()
    partitions: dict[tuple[str, ...], str] = field(default_factory=dict)

    @property
    def table_name(self) -> str:
        """The folder's name as Glue writes it: lower-case letters, digits and `_`."""
        return re.sub(r"[^a-z0-9_]", "_", self.path.rstrip("/").rsplit("/", 1)[-1].lower())

    def location(self, bucket: str) -> str:
        """Return the table's address."""
        return f"s3://{bucket}/{self.path}"

    def sample(self, most: int) -> list[DataFile]:
        """Return files from the beginning, the middle and the end."""
        step = max(1, (len(self.files) - 1) // max(1, most - 1))
        picked = self.files[::step][: most - 1] + self.files[-1:]
        return list(dict.fromkeys(picked))


def folders(s3: Any, bucket: str, prefix: str, exclusions: Iterable[str]) -> list[Folder]:
    """Return the tables below a crawled path.

    A folder with files of its own, or with folders that look alike (all `key=value`, or equally deep with
    no files between), is one table; otherwise each folder below is looked at by itself.
    """
    prefix = prefix if not prefix or prefix.endswith("/") else _as_folder(s3, bucket, prefix)
    patterns = [_pattern(exclusion) for exclusion in exclusions]
    files = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", ()):
            relative = found["Key"][len(prefix) :]
            hidden = any(part.startswith(("_", ".")) for part in relative.split("/"))
            if found["Size"] and not hidden and not any(pattern.fullmatch(relative) for pattern in patterns):
                files.append(DataFile(found["Key"], found["Size"]))
    if prefix and not prefix.endswith("/"):
        return [Folder(prefix, files)] if files else []
    return _tables(prefix, files)


def _as_folder(s3: Any, bucket: str, prefix: str) -> str:
    """Return the path as a folder, unless it is the key of a file."""
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents", [])
    return prefix if found and found[0]["Key"] == prefix else f"{prefix}/"


def _tables(path: str, files: list[DataFile]) -> list[Folder]:
    if not files:
        return []
    children: dict[str, list[DataFile]] = {}
    own = []
    for file in files:
        child, slash, _ = file.key[len(path) :].partition("/")
        if slash:
            children.setdefault(child, []).append(file)
        else:
            own.append(file)
    if path and (own or all(HIVE.fullmatch(child) for child in children) or _alike(path, files)):
        return [_partitioned(path, files)]
    tables = [table for child in sorted(children) for table in _tables(f"{path}{child}/", children[child])]
    if not path:
        tables += [Folder(file.key, [file]) for file in own]  # at the top of a bucket each file is a table
    return tables


def _alike(path: str, files: list[DataFile]) -> bool:
    """Say whether plain folders are partitions: named by digits, all equally deep, files of one kind."""
    places = [file.key[len(path) :].split("/") for file in files]
    names = {part for place in places for part in place[:-1]}
    kinds = {"".join(PurePosixPath(place[-1]).suffixes[-2:]) for place in places}
    depths = {len(place) for place in places}
    return len(depths) == 1 and len(kinds) == 1 and all(re.fullmatch(r"[0-9][0-9-]*", name) for name in names)


def _partitioned(path: str, files: list[DataFile]) -> Folder:
    places = {file.key: tuple(file.key[len(path) :].split("/")[:-1]) for file in files}
    depth = min(len(place) for place in places.values())
    if not depth:
        return Folder(path, files)
    named = [HIVE.fullmatch(part) for part in next(iter(places.values()))[:depth]]
    keys = tuple(
        match[1].lower() if match else f"partition_{position}" for position, match in enumerate(named)
    )
    partitions = {}
    for place in sorted(set(places.values())):
        matches = [HIVE.fullmatch(part) for part in place[:depth]]
        values = tuple(match[2] if match else part for match, part in zip(matches, place, strict=False))
        partitions[values] = path + "".join(f"{part}/" for part in place[:depth])
    return Folder(path, files, keys, partitions)


def _pattern(glob: str) -> re.Pattern[str]:
    """Translate a Glue exclusion: `*` stays in its folder, `**` does not, `{a,b}` and `[...]` are choices."""
    expression, position = "", 0
    while position < len(glob):
        character = glob[position]
        if glob.startswith("**", position):
            expression += ".*"
            position += 1
        elif character == "*":
            expression += "[^/]*"
        elif character == "?":
            expression += "[^/]"
        elif character in "[]":
            expression += character
        elif character in "{},":
            expression += {"{": "(?:", "}": ")", ",": "|"}[character]
        else:
            expression += re.escape(character)
        position += 1
    return re.compile(expression.replace("[!", "[^"))
