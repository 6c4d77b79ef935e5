"""The REST endpoint for what is missing or late."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from chalicelib import service_levels
from chalicelib.aws.s3 import S3
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.rest.registration import endpoint


class ServiceLevel(Struct):
    """How a pipeline stands to its last deadline; times are ISO 8601 in UTC.

    `late`: its data is not there, and `why`. `arrived`: it came after the deadline, with `run`. `met`: in
    time. `not_yet`: the stage is younger than a day before the deadline.
    """

    pipeline: str
    expected_by: str
    deadline: str
    following: str
    standing: Literal["met", "late", "arrived", "not_yet"]
    run: str | None
    at: str | None
    why: str | None
    seconds_late: int


class ServiceLevels(Struct):
    """Every pipeline that declares when its data is expected."""

    service_levels: list[ServiceLevel]


@endpoint("GET", "/service-levels", "Show which pipelines' data is late", answer=ServiceLevels)
def show_service_levels() -> ServiceLevels:
    """Show which pipelines' data is late."""
    found = service_levels.standings(StepFunctions(), S3(), datetime.now(UTC))
    return ServiceLevels(service_levels=[ServiceLevel(**asdict(each)) for each in found])
