"""How punctual flights are, and what passengers say of them, by carrier, route and month."""

from chalicelib.pipeline import BatchPipeline, Parameter, Schedule

pipeline = BatchPipeline(
    name="flight_metrics",
    description="On-time rate, delays and passenger scores of a date's flights, and of its month.",
    workflow="flight_metrics",
    reads="batch/flights/",
    parameters=(
        Parameter(
            name="date",
            type="date",
            default="latest",
            description="The UTC date of departure; latest is the newest with both files.",
        ),
    ),
    schedule=Schedule(hour=5, minute=30),
)
