"""Write the feedback of a date that can be used as Parquet, and say why the rest cannot."""

from __future__ import annotations

from typing import Any

from chalicelib.aws.s3 import S3
from chalicelib.files import File
from chalicelib.flights.folders import CLEAN_FEEDBACK, FILE, folder
from chalicelib.steps.clean_flights import clean_file


def clean_feedback(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"pipeline": ..., "found": {"date", "feedback", "token"}}`: what find_flight_files returned.

    A day on which nobody answered is a day like others.

    Returns:
        `{"key": ..., "read": 300, "kept": 290, "dropped": {"score out of range": 4, ...}}`.

    Raises:
        WrongColumns, InvalidFile, TooFewRows: the file is not what it should be.
    """
    from chalicelib.flights.feedback_rules import recipe  # noqa: PLC0415 - pyarrow, which only this step needs

    found = event["found"]
    key = folder(event["pipeline"], CLEAN_FEEDBACK, found["date"], found["token"]) + FILE
    return clean_file(S3(), File.from_document(found["feedback"]), recipe(), key, fewest=0)
