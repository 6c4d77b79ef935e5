"""The figures of flights, worked out row by row from the CSV files, with nothing of ours but the airports."""

from __future__ import annotations

import csv
import math
import statistics
from collections import Counter, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.flights.airports import AIRPORTS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path


class Day:
    """One date's flights and answers that count, and why the others do not."""

    def __init__(self, folder: Path, day: date) -> None:
        self.dropped_flights: Counter[str] = Counter()
        self.dropped_feedback: Counter[str] = Counter()
        self.flights: dict[str, dict[str, Any]] = {}
        self.unknown = 0
        for row, width in rows(folder / "flights.csv"):
            reason = why_no_flight(row, width, day, self.flights)
            if reason:
                self.dropped_flights[reason] += 1
            else:
                self.flights[row["flight_id"]] = flight(row)
        seen: set[str] = set()
        for row, width in rows(folder / "feedback.csv"):
            reason = why_no_answer(row, width, seen)
            if reason:
                self.dropped_feedback[reason] += 1
                continue
            seen.add(row["feedback_id"])
            if row["flight_id"] in self.flights:
                self.flights[row["flight_id"]]["scores"].append(int(row["score"]))
            else:
                self.unknown += 1


def rows(path: Path) -> Iterable[tuple[dict[str, str], bool]]:
    """Yield each row with whether it has as many cells as the header."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = next(reader)
        for row in reader:
            yield dict(zip(header, row, strict=False)), len(row) == len(header)


def moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z") if text else None
    except ValueError:
        return None


TIMES = ("scheduled_departure", "scheduled_arrival", "actual_departure", "actual_arrival")


def why_no_flight(  # noqa: PLR0911 - one question after the other, as a person would ask them
    row: dict[str, str], width: bool, day: date, known: Iterable[str]
) -> str | None:
    if not width:
        return "wrong number of cells"
    required = ("flight_id", "carrier", "flight_number", "origin", "destination", *TIMES[:2], "cancelled")
    if not all(row[name] for name in required):
        return "a value is missing"
    times = {name: moment(row[name]) for name in TIMES}
    if row["cancelled"] not in {"true", "false"} or any(row[name] and not times[name] for name in TIMES):
        return "unreadable value"
    if not {row["origin"], row["destination"]} <= AIRPORTS:
        return "unknown airport"
    if row["origin"] == row["destination"]:
        return "origin is the destination"
    departs = times["scheduled_departure"]
    assert departs
    if departs.date() != day:
        return "scheduled for another date"
    if not possible(*times.values(), flies=row["cancelled"] == "false"):
        return "impossible times"
    return "came earlier in the file" if row["flight_id"] in known else None


def possible(departs: Any, arrives: Any, departed: Any, arrived: Any, *, flies: bool) -> bool:
    if not 0 < (arrives - departs).total_seconds() <= 24 * 3600 or flies != bool(arrived):
        return False
    if flies and not (departed and departed < arrived):
        return False
    pairs = ((departs, departed), (arrives, arrived))
    return all(-6 <= (real - planned).total_seconds() / 3600 <= 72 for planned, real in pairs if real)


def why_no_answer(row: dict[str, str], width: bool, seen: set[str]) -> str | None:
    if not width:
        return "wrong number of cells"
    if not (row["feedback_id"] and row["flight_id"] and row["score"]):
        return "a value is missing"
    if not row["score"].lstrip("-").isdigit():
        return "unreadable value"
    if not 1 <= int(row["score"]) <= 5:
        return "score out of range"
    return "came earlier in the file" if row["feedback_id"] in seen else None


def flight(row: dict[str, str]) -> dict[str, Any]:
    planned, real = moment(row["scheduled_arrival"]), moment(row["actual_arrival"])
    assert planned
    delay = (real - planned).total_seconds() / 60 if real else None
    return {
        "carrier": row["carrier"],
        "route": f"{row['origin']}-{row['destination']}",
        "delay": delay,
        "band": band(delay),
        "scores": [],
    }


def band(delay: float | None) -> str:
    if delay is None:
        return "cancelled"
    if delay < 15:
        return "on time"
    return "15 to 59 min" if delay < 60 else "60 to 179 min" if delay < 180 else "180 min or more"


def delays(flights: list[dict[str, Any]]) -> dict[tuple[str, str | None, str | None], tuple[Any, ...]]:
    """Return (flights, cancelled, on time, rate, mean, p95) by (grain, carrier, route)."""
    groups = defaultdict(list)
    for each in flights:
        carrier, route = each["carrier"], each["route"]
        groups["all", None, None].append(each)
        groups["carrier", carrier, None].append(each)
        groups["route", None, route].append(each)
        groups["carrier_route", carrier, route].append(each)
    return {key: figures(group) for key, group in groups.items()}


def figures(group: list[dict[str, Any]]) -> tuple[Any, ...]:
    late = sorted(each["delay"] for each in group if each["delay"] is not None)
    on_time = sum(delay < 15 for delay in late)
    mean = statistics.fmean(late) if late else None
    return len(group), len(group) - len(late), on_time, on_time / len(group), mean, p95(late)


def p95(late: list[float]) -> float | None:
    """Interpolate between the two values around 95 % of the way from the first to the last."""
    if not late:
        return None
    place = 0.95 * (len(late) - 1)
    low = math.floor(place)
    high = min(low + 1, len(late) - 1)
    return late[low] + (late[high] - late[low]) * (place - low)


def feedback(flights: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Return (flights, answers, mean score, correlation) by band."""
    found = {}
    for name in {each["band"] for each in flights} | {"all"}:
        group = [each for each in flights if name in {"all", each["band"]}]
        scores = [score for each in group for score in each["scores"]]
        pairs = [
            (each["delay"], statistics.fmean(each["scores"]))
            for each in group
            if each["scores"] and each["delay"] is not None
        ]
        related = correlation(pairs) if name == "all" else None
        found[name] = len(group), len(scores), statistics.fmean(scores) if scores else None, related
    return found


def correlation(pairs: list[tuple[float, float]]) -> float | None:
    try:
        return statistics.correlation(*zip(*pairs, strict=True))
    except (statistics.StatisticsError, TypeError):
        return None
