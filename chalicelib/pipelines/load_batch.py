"""Every file under a prefix, loaded into one pipeline's table; small files together."""

from chalicelib.pipeline import BatchPipeline, Parameter

pipeline = BatchPipeline(
    name="load_batch",
    description="Loads what lies under a prefix of the landing bucket; small files share one load.",
    workflow="load_batch",
    parameters=(
        Parameter(
            name="prefix",
            type="text",
            description="Where the files are in the landing bucket, such as batch/orders/.",
            pattern=r"[^\x00-\x1f\x7f]{1,512}",
        ),
        Parameter(name="pipeline", type="text", description="The pipeline that says what a file looks like."),
        Parameter(name="concurrency", type="integer", description="Loads at once, 1 to 1,000.", default="10"),
        Parameter(
            name="most_files_together",
            type="integer",
            description="Files in one load, 1 to 400; with 1 every file has a load of its own.",
            default="100",
        ),
        Parameter(
            name="most_bytes_together",
            type="integer",
            description="Bytes in one load; a larger file has a load of its own.",
            default="8388608",
        ),
        Parameter(
            name="oldest_seconds",
            type="integer",
            description="A load that is not full waits for more files until its oldest is so old.",
            default="0",
        ),
    ),
)
