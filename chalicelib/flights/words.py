"""What people are told of a date's flights."""

from __future__ import annotations

from typing import Any

from chalicelib.flights.bands import EVERY


def told(done: dict[str, Any]) -> dict[str, Any]:
    """Return the headline, facts and lines of the notice.

    Args:
        done: what each step returned, as publish_metrics is given it.
    """
    day = done["found"]["date"]
    every = next(row for row in done["compute"]["delays"] if row["grain"] == "all")
    combined, load = done["combine"], done["load"]
    again = ", loaded before" if load["already"] else ""
    on_time = _percent(every["on_time_rate"])
    return {
        "headline": f"{every['flights']:,} flights of {day}, {on_time} on time{again}",
        "facts": {
            "Day": day,
            "Flights": every["flights"],
            "Cancelled": every["cancelled"],
            "On time": f"{every['on_time']:,} ({on_time})",
            "Mean delay": _minutes(every["mean_delay"]),
            "95th percentile": _minutes(every["p95_delay"]),
            "Answers": combined["answers"],
            "Warehouse": f"{load['rows']:,} rows{again}",
            "Flights dropped": _dropped(done["clean_flights"]["dropped"]),
            "Feedback dropped": _dropped(
                done["clean_feedback"]["dropped"]
                | ({"unknown flight": combined["unknown"]} if combined["unknown"] else {})
            ),
        },
        "lines": [*_carriers(done["compute"]["delays"]), "", *_scores(done["compute"]["feedback"])],
    }


def _carriers(delays: list[dict[str, Any]]) -> list[str]:
    rows = [row for row in delays if row["grain"] == "carrier"]
    return ["carrier  flights  cancelled  on time  mean delay  p95 delay"] + [
        f"{row['carrier']:<7}  {row['flights']:>7,}  {row['cancelled']:>9,}  "
        f"{_percent(row['on_time_rate']):>7}  {_minutes(row['mean_delay']):>10}  "
        f"{_minutes(row['p95_delay']):>9}"
        for row in rows
    ]


def _scores(feedback: list[dict[str, Any]]) -> list[str]:
    lines = ["delay            flights  answers  mean score"] + [
        f"{row['delay_band']:<15}  {row['flights']:>7,}  {row['answers']:>7,}  "
        f"{_number(row['mean_score']):>10}"
        for row in feedback
    ]
    every = next(row for row in feedback if row["delay_band"] == EVERY)
    return [*lines, f"Correlation of delay and score: {_number(every['correlation'])}"]


def _dropped(reasons: dict[str, int]) -> str:
    named = ", ".join(f"{reason}: {rows:,}" for reason, rows in sorted(reasons.items()))
    return f"{sum(reasons.values()):,} ({named})" if reasons else "0"


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _minutes(minutes: float | None) -> str:
    return "-" if minutes is None else f"{minutes:.1f} min"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
