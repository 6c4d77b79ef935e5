"""Clicks and views of a web shop, one JSON object per line."""

from chalicelib.pipeline import NDJSON, Column, GlueJob, Pipeline, Table

pipeline = Pipeline(
    name="events",
    description="What visitors of a web shop did; every event is kept.",
    landing_prefix="incoming/events/",
    source=NDJSON(),
    columns=(
        Column(name="event_id", type="text", required=True, longest=36, unique=True),
        Column(name="happened_at", type="timestamp", required=True),
        Column(name="kind", type="text", required=True, allowed=("view", "search", "cart", "checkout")),
        Column(name="visitor", type="integer", required=True, minimum=1),
        Column(name="page", type="text", required=True, longest=200),
        Column(name="seconds", type="float", minimum=0),
    ),
    glue_job=GlueJob(name="process_json"),
    table=Table(name="events", contract="evolve"),
)
