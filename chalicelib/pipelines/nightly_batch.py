"""What the ERP system sold: cleaned, checked and reported every night."""

from chalicelib.expected_by import ExpectedBy
from chalicelib.pipeline import BatchPipeline, Parameter, Schedule

pipeline = BatchPipeline(
    name="nightly_batch",
    description="Sales exports, cleaned, checked and reported every night.",
    workflow="nightly_batch",
    parameters=(
        Parameter(
            name="most_rejected",
            type="integer",
            description="Percent of the rows read that may be rejected, repeated ones not counted.",
            default="10",
        ),
        Parameter(
            name="most_missing",
            type="integer",
            description="Percent of the rows kept that may lack their region or customer.",
            default="5",
        ),
    ),
    schedule=Schedule(hour=2, minute=30),
    reads="batch/sales/",
    expected_by=ExpectedBy(hour=6),
)
