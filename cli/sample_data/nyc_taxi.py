"""Yellow-taxi trips and the zone lookup, as TLC publishes them; a month is always the same bytes."""

from __future__ import annotations

import random
from bisect import bisect_left
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS = (
    "VendorID",
    "tpep_pickup_datetime",
    "tpep_dropoff_datetime",
    "passenger_count",
    "trip_distance",
    "RatecodeID",
    "store_and_fwd_flag",
    "PULocationID",
    "DOLocationID",
    "payment_type",
    "fare_amount",
    "extra",
    "mta_tax",
    "tip_amount",
    "tolls_amount",
    "improvement_surcharge",
    "total_amount",
    "congestion_surcharge",
    "Airport_fee",
    "cbd_congestion_fee",
)

ZONES = (
    (1, "EWR", "Newark Airport", "EWR", 2),
    (2, "Queens", "Jamaica Bay", "Boro Zone", 0),
    (3, "Bronx", "Allerton/Pelham Gardens", "Boro Zone", 1),
    (7, "Queens", "Astoria", "Boro Zone", 6),
    (25, "Brooklyn", "Boerum Hill", "Boro Zone", 4),
    (43, "Manhattan", "Central Park", "Yellow Zone", 30),
    (48, "Manhattan", "Clinton East", "Yellow Zone", 35),
    (79, "Manhattan", "East Village", "Yellow Zone", 50),
    (97, "Brooklyn", "Fort Greene", "Boro Zone", 4),
    (100, "Manhattan", "Garment District", "Yellow Zone", 40),
    (107, "Manhattan", "Gramercy", "Yellow Zone", 40),
    (132, "Queens", "JFK Airport", "Airports", 110),
    (138, "Queens", "LaGuardia Airport", "Airports", 80),
    (142, "Manhattan", "Lincoln Square East", "Yellow Zone", 70),
    (161, "Manhattan", "Midtown Center", "Yellow Zone", 100),
    (162, "Manhattan", "Midtown East", "Yellow Zone", 75),
    (170, "Manhattan", "Murray Hill", "Yellow Zone", 60),
    (181, "Brooklyn", "Park Slope", "Boro Zone", 4),
    (186, "Manhattan", "Penn Station/Madison Sq West", "Yellow Zone", 80),
    (206, "Staten Island", "Saint George/New Brighton", "Boro Zone", 1),
    (230, "Manhattan", "Times Sq/Theatre District", "Yellow Zone", 85),
    (236, "Manhattan", "Upper East Side North", "Yellow Zone", 100),
    (237, "Manhattan", "Upper East Side South", "Yellow Zone", 105),
    (239, "Manhattan", "Upper West Side South", "Yellow Zone", 60),
    (249, "Manhattan", "West Village", "Yellow Zone", 50),
    (264, "Unknown", "N/A", "N/A", 8),
    (265, "N/A", "Outside of NYC", "N/A", 3),
)
"""Some of TLC's 265 zones: LocationID, Borough, Zone, service_zone, and how often trips touch it."""

HOURS = (25, 16, 11, 7, 5, 6, 14, 27, 38, 42, 45, 49, 54, 56, 60, 62, 63, 69, 75, 70, 62, 60, 54, 40)
"""How often a trip begins in each hour of the day."""

MONTHS = {"2025-01": 1200, "2025-02": 1100, "2025-03": 1300}
"""The sample months and their trips."""

JFK, NEWARK, AIRPORTS = 132, 1, (132, 138)
VENDORS, PAYMENTS = (1, 2, 2, 2, 2, 6, 7), (1, 1, 1, 1, 1, 1, 2, 2, 0, 3, 4)
_PLACES = tuple(zone[0] for zone in ZONES)
_PLACE_SUMS = tuple(accumulate(zone[4] for zone in ZONES))
_HOUR_SUMS = tuple(accumulate(HOURS))


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One sample file.

    Attributes:
        path: where it was written.
        pipeline: the pipeline that takes it.
        rows: how many rows it holds.
        key: where it belongs in the landing bucket.
    """

    path: Path
    pipeline: str
    rows: int
    key: str


def write_all(folder: Path) -> list[Sample]:
    """Write the zone lookup and three months of trips."""
    return [write_zones(folder), *(write_month(folder, month, rows) for month, rows in MONTHS.items())]


def write_zones(folder: Path) -> Sample:
    """Write the zone lookup."""
    lines = ['"LocationID","Borough","Zone","service_zone"']
    lines += [
        f'{number},"{borough}","{zone}","{service}"' for number, borough, zone, service, _weight in ZONES
    ]
    return _written(folder, "zones/taxi_zone_lookup.csv", lines)


def write_month(folder: Path, month: str, rows: int) -> Sample:
    """Write one month of trips, `month` as 2025-01."""
    lines = [",".join(COLUMNS), *trips(month, rows)]
    return _written(folder, f"yellow/{month}/yellow_tripdata_{month}.csv", lines)


def trips(month: str, rows: int) -> Iterator[str]:
    """Yield the lines of a month's trips, without the header."""
    chance = random.Random(month)  # nosec B311  # noqa: S311 - sample data must repeat, not surprise
    first = datetime.fromisoformat(f"{month}-01")
    days = monthrange(first.year, first.month)[1]
    for _ in range(rows):
        hour = bisect_left(_HOUR_SUMS, chance.randrange(_HOUR_SUMS[-1]) + 1)
        begin = first + timedelta(days=chance.randrange(days), hours=hour, seconds=chance.randrange(3600))
        yield _trip(chance, begin)


def _trip(chance: random.Random, begin: datetime) -> str:
    """Write one trip; money is reckoned in cents."""
    start, end = _place(chance), _place(chance)
    rate = 2 if JFK in (start, end) else 3 if NEWARK in (start, end) else 1
    miles = chance.uniform(9, 19) if rate > 1 else min(chance.expovariate(0.45) + 0.4, 40.0)
    minutes = miles * chance.uniform(2.6, 7.5) + 2
    fare = 7000 if rate == 2 else 300 + round(miles * 350 + minutes * 35)  # noqa: PLR2004 - JFK is a flat fare
    extra = (
        250 if begin.hour in range(16, 20) else 100 if begin.hour in (20, 21, 22, 23, 0, 1, 2, 3, 4, 5) else 0
    )
    payment = chance.choice(PAYMENTS)
    tolls = 694 if rate > 1 and chance.random() < 0.7 else 0  # noqa: PLR2004 - a share
    fee = 175 if start in AIRPORTS else 0
    bare = fare + extra + 50 + 100 + tolls + 250 + fee + 75
    tip = round(bare * chance.choice((0, 0.15, 0.2, 0.2, 0.25, 0.3))) if payment == 1 else 0
    # Flex fare trips come without a passenger count, a rate, a flag and the surcharges.
    told = payment != 0
    return ",".join(
        (
            str(chance.choice(VENDORS)),
            begin.isoformat(" "),
            (begin + timedelta(seconds=round(minutes * 60))).isoformat(" "),
            f"{chance.choice((1, 1, 1, 1, 2, 2, 3, 4))}.0" if told else "",
            f"{miles:.2f}",
            f"{rate}.0" if told else "",
            ("Y" if chance.random() < 0.01 else "N") if told else "",  # noqa: PLR2004 - a share
            str(start),
            str(end),
            str(payment),
            _dollars(fare),
            _dollars(extra),
            "0.50",
            _dollars(tip),
            _dollars(tolls),
            "1.00",
            _dollars(bare + tip),
            "2.50" if told else "",
            _dollars(fee) if told else "",
            "0.75",
        )
    )


def _place(chance: random.Random) -> int:
    return _PLACES[bisect_left(_PLACE_SUMS, chance.randrange(_PLACE_SUMS[-1]) + 1)]


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _written(folder: Path, name: str, lines: list[str]) -> Sample:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Sample(path=path, pipeline="nyc_taxi", rows=len(lines) - 1, key=f"batch/nyc_taxi/{name}")
