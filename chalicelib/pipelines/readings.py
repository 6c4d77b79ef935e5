"""Readings of cellar sensors, one CSV file per hour; broken readings go to quarantine, the rest is loaded."""

from chalicelib.pipeline import CSV, Column, GlueJob, Pipeline, Table, Tolerance

pipeline = Pipeline(
    name="readings",
    description="Readings of cellar sensors; up to 5 % of broken ones are set aside, the others are loaded.",
    landing_prefix="incoming/readings/",
    source=CSV(delimiter=";"),
    columns=(
        Column(name="reading_id", type="integer", required=True, minimum=1, unique=True),
        Column(name="sensor", type="text", required=True, longest=20),
        Column(name="measured_at", type="timestamp", required=True),
        Column(name="celsius", type="decimal", precision=5, scale=2, required=True, minimum=-40, maximum=60),
        Column(name="humidity", type="integer", minimum=0, maximum=100),
    ),
    usual_rows=(100, 5_000),
    tolerate=Tolerance(rows=500, share=0.05),
    largest_for_lambda=8 * 1024 * 1024,
    glue_job=GlueJob(name="process_csv", first_wait=5),
    table=Table(name="readings"),
)
