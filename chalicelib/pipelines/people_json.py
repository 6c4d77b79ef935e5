"""The lab's five people, as a JSON array; catalogued, not loaded."""

from chalicelib.pipeline import JSON, Column, GlueJob, Pipeline

pipeline = Pipeline(
    name="people_json",
    description="People with age and city, as JSON; for Athena only.",
    landing_prefix="incoming/people_json/",
    source=JSON(),
    columns=(
        Column(name="id", type="integer", required=True, minimum=1, unique=True),
        Column(name="name", type="text", required=True, longest=80),
        Column(name="age", type="integer", minimum=0, maximum=150),
        Column(name="city", type="text", longest=80),
    ),
    glue_job=GlueJob(name="process_json"),
)
