"""The lab's five people, as CSV."""

from chalicelib.pipeline import CSV, Column, GlueJob, Pipeline, Table

pipeline = Pipeline(
    name="people_csv",
    description="People with age and city, as CSV; each file replaces the one before.",
    landing_prefix="incoming/people_csv/",
    source=CSV(),
    columns=(
        Column(name="id", type="integer", required=True, minimum=1, unique=True),
        Column(name="name", type="text", required=True, longest=80),
        Column(name="age", type="integer", minimum=0, maximum=150),
        Column(name="city", type="text", longest=80),
    ),
    glue_job=GlueJob(name="process_csv"),
    table=Table(name="people", mode="overwrite"),
)
