"""Metrics from log lines in CloudWatch's embedded metric format."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = '"_aws"'
"""What every such line has in it."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """One value of a metric; `moment` in seconds since 1970."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    value: float
    unit: str | None
    moment: float


def values(line: str) -> Iterator[Value]:
    """Yield the values that a line holds, each once for every set of its dimensions.

    A line that is no such document holds none, as on AWS, where it stays a log line.
    """
    try:
        document = json.loads(line)
        about = document["_aws"]
        moment, directives = about["Timestamp"] / 1000, about["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = tuple(sorted((name, str(document.get(name, ""))) for name in names))
            for metric in directive["Metrics"]:
                for value in _numbers(document.get(metric["Name"])):
                    yield Value(
                        namespace=directive["Namespace"],
                        name=metric["Name"],
                        dimensions=dimensions,
                        value=value,
                        unit=metric.get("Unit"),
                        moment=moment,
                    )


def _numbers(found: Any) -> list[float]:
    listed = found if isinstance(found, list) else [found]
    return [float(each) for each in listed if isinstance(each, int | float) and not isinstance(each, bool)]
