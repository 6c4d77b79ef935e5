"""What carriers report of their deliveries: crawled, cleaned and published as one table."""

from chalicelib.pipeline import BatchPipeline

pipeline = BatchPipeline(
    name="deliveries",
    description="Carriers' delivery reports, crawled for their schema and cleaned by a Glue job.",
    workflow="crawl_and_transform",
    reads="batch/deliveries/",
)
