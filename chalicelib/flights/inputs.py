"""A day's two files: which date, which content of each, and the token of both together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from chalicelib.errors import FileReplaced, MissingInput, UnknownFile
from chalicelib.pipeline import is_date
from chalicelib.run import RunName

if TYPE_CHECKING:
    from chalicelib.aws.s3 import S3
    from chalicelib.files import File

NAMES = ("flights.csv", "feedback.csv")
"""What the folder of a date holds."""

RULES = "1"
"""Raise this when cleaning or a metric changes: what was loaded by other rules is then loaded anew."""

LATEST = "latest"

_KEY = re.compile(r"(?P<date>\d{4}-\d{2}-\d{2})/(?P<name>[^/]+)")


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What one run works on.

    Attributes:
        date: the day that the flights were due to leave, in UTC.
        flights, feedback: the files' contents, as they were when the run began.
        token: the same for the same date, contents and rules, whatever run asks.
    """

    date: date
    flights: File
    feedback: File
    token: str

    def to_document(self) -> dict[str, Any]:
        """Return the inputs as the workflow carries them."""
        return {
            "date": self.date.isoformat(),
            "flights": self.flights.to_document(),
            "feedback": self.feedback.to_document(),
            "token": self.token,
        }


def find(s3: S3, bucket: str, prefix: str, asked: str, pipeline: str) -> Inputs:
    """Find the files of a date, or of the newest date that has both.

    Args:
        s3: S3.
        bucket: where files land.
        prefix: what the folders of the dates are in.
        asked: an ISO date, or `latest`.
        pipeline: the pipeline's name, which begins the token.

    Raises:
        MissingInput: a file of the date is not there, or no date has both.
    """
    found: dict[str, dict[str, File]] = {}
    for file, _ in s3.listing(bucket, prefix if asked == LATEST else f"{prefix}{asked}/"):
        place = _KEY.fullmatch(file.key.removeprefix(prefix))
        if place and place["name"] in NAMES and is_date(place["date"]):
            found.setdefault(place["date"], {})[place["name"]] = file
    chosen = _newest(found, f"s3://{bucket}/{prefix}") if asked == LATEST else asked
    files = found.get(chosen, {})
    if missing := [name for name in NAMES if name not in files]:
        raise MissingInput(
            f"{chosen}: s3://{bucket}/{prefix}{chosen}/ holds no {' and no '.join(missing)}: "
            "put it there, then run the date again"
        )
    flights, feedback = (files[name] for name in NAMES)
    identity = (RULES, chosen, flights.etag, feedback.etag)
    return Inputs(
        date=date.fromisoformat(chosen),
        flights=flights,
        feedback=feedback,
        token=RunName.of_identity(pipeline, *identity).token,
    )


def check_current(s3: S3, *files: File) -> None:
    """Make sure that newer content has not taken the place of what a run worked on.

    Raises:
        FileReplaced: it has.
    """
    for file in files:
        try:
            same = s3.find(file.bucket, file.key).etag == file.etag
        except UnknownFile:
            same = False
        if not same:
            raise FileReplaced(
                f"{file.uri} was replaced or deleted while the run worked on it; nothing was loaded: "
                "run the date again"
            )


def _newest(found: dict[str, dict[str, File]], place: str) -> str:
    complete = [day for day, files in found.items() if set(files) == set(NAMES)]
    if not complete:
        incomplete = f" ({', '.join(sorted(found)[-5:])}: one of the two is missing)" if found else ""
        raise MissingInput(
            f"{place} holds no date with both {' and '.join(NAMES)}{incomplete}: drop them there"
        )
    return max(complete)
