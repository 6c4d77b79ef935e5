"""One small file after each deployment, to see that the stage works."""

from chalicelib.pipeline import CSV, Column, Pipeline

pipeline = Pipeline(
    name="smoke",
    description="What `decant deploy` sends through a stage to see that it works; no warehouse table.",
    landing_prefix="incoming/smoke/",
    source=CSV(),
    columns=(
        Column(name="id", type="integer", required=True),
        Column(name="said_at", type="timestamp", required=True),
    ),
)
