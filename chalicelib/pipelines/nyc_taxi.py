"""Yellow-taxi trips of New York, a folder of CSV files a month, as a table that Athena queries."""

from chalicelib.pipeline import BatchPipeline, Parameter, Schedule

pipeline = BatchPipeline(
    name="nyc_taxi",
    description="Trips of New York's yellow taxis, converted to Parquet month by month, each exactly once.",
    workflow="nyc_taxi",
    parameters=(
        Parameter(
            name="months",
            type="text",
            description="new for every month that the table lacks, or months such as 2025-01,2025-02: "
            "one that is there already is replaced.",
            default="new",
            pattern=r"\d{4}-(0[1-9]|1[0-2])(,\d{4}-(0[1-9]|1[0-2])){0,99}",
        ),
    ),
    schedule=Schedule(hour=4, minute=10),
    reads="batch/nyc_taxi/",
)
