from __future__ import annotations

import datetime as dt
import functools
import gzip
import io
import json
import tempfile
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chalicelib import pipelines
from chalicelib.files import File
from chalicelib.pipeline import CSV, JSON, NDJSON, Column, Pipeline, Tolerance
from chalicelib.steps.keep_good_rows import keep
from chalicelib.steps.start_glue_job import job_arguments
from chalicelib.steps.validate_file import check
from chalicelib.transform import write_parquet
from cli.sample_data.load_file import write_all
from local_aws.runtime import Configuration, Runtime
from local_aws.services.glue.job_runner import JobRunner
from local_aws.services.glue.job_script import LaunchError
from tests.fakes import FakeS3
from tests.integration.conftest import SPARK_PYTHON, RunningAWS
from tests.integration.glue_jobs import GlueJobs, until

SCRIPTS = Path(__file__).parents[2] / "glue_scripts"
COLUMNS = [
    {"name": "id", "type": "integer"},
    {"name": "at", "type": "timestamp"},
    {"name": "name", "type": "text"},
    {"name": "price", "type": "decimal", "precision": 12, "scale": 2},
    {"name": "gift", "type": "boolean"},
    {"name": "day", "type": "date"},
    {"name": "ratio", "type": "float"},
]
HEADER = "name,id,at,price,gift,day,ratio\n"
ROWS = [
    {
        "id": 1, "at": dt.datetime.fromisoformat("2026-01-02T02:04:05"), "name": 'a "q",\nb',
        "price": Decimal("12.50"), "gift": True, "day": dt.date(2026, 2, 28), "ratio": 1500.0,
        "processing_date": dt.date(2026, 11, 20),
    },
    {
        "id": -2, "at": dt.datetime.fromisoformat("2026-01-02T00:00:00"), "name": None, "price": None,
        "gift": None, "day": None, "ratio": None, "processing_date": dt.date(2026, 11, 20),
    },
]  # fmt: skip

pytestmark = pytest.mark.skipif(
    not SPARK_PYTHON.exists(), reason="no Spark environment: run `make setup-spark`"
)


class Transformer(GlueJobs):
    def transform(self, script: str, key: str, body: str | bytes, **more: str) -> dict:
        self.put(key, body)
        job = self.job((SCRIPTS / f"{script}.py").read_text(), kind="glueetl", GlueVersion="5.0")
        return self.again(job, key, **more)

    def again(self, job: str, key: str, **more: str) -> dict:
        return self.ended(job, self.start(job, Arguments=self.arguments(key, "out/run/", **more)))

    def arguments(self, key: str, target: str, **more: str) -> dict[str, str]:
        return {
            "--source_bucket": self.bucket,
            "--source_key": key,
            "--target_path": f"s3://{self.bucket}/{target}",
            "--processing_date": "2026-11-20",
            "--columns": json.dumps(COLUMNS),
            "--run": "run",
        } | {f"--{name}": value for name, value in more.items()}

    def written(self, folder: str = "out/") -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=folder)
        return [each["Key"] for each in found.get("Contents", [])]

    def table(self, folder: str = "out/") -> pa.Table:
        keys = self.written(folder)
        parts = [self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys]
        return pa.concat_tables([pq.read_table(io.BytesIO(part)) for part in parts])


@pytest.fixture
def jobs(local_aws: RunningAWS) -> Transformer:
    return Transformer(local_aws)


def test_a_csv_becomes_typed_parquet_and_a_second_run_replaces_it(jobs):
    body = (
        HEADER
        + '"a ""q"",\nb",1,2026-01-02T03:04:05+01:00,12.5,TRUE,2026-02-28,1.5e3\n"",-2,2026-01-02,,,,\n'
    )
    run = jobs.transform("process_csv", "in/a b.csv.gz", gzip.compress(body.encode()))
    assert run["JobRunState"] == "SUCCEEDED", run
    table = jobs.table()
    assert table.schema.names == [column["name"] for column in COLUMNS] + ["processing_date"]
    assert table.schema.types == [
        pa.int64(), pa.timestamp("us"), pa.string(), pa.decimal128(12, 2),
        pa.bool_(), pa.date32(), pa.float64(), pa.date32(),
    ]  # fmt: skip
    assert table.to_pylist() == ROWS
    assert json.loads(jobs.printed(run))["rows"] == 2
    first = jobs.written()
    assert len(first) == 1
    assert first[0].startswith("out/run/part-")
    assert jobs.again(run["JobName"], "in/a b.csv.gz")["JobRunState"] == "SUCCEEDED"
    assert len(jobs.written()) == 1
    assert jobs.written() != first


CASES = {
    "12.505,decimal": "not a valid decimal(12,2)",
    "12345678901.00,decimal": "not a valid decimal(12,2)",
    "1.25e1,decimal": "12.50",
    "12.500,decimal": "12.50",
    "9223372036854775808,integer": "not a valid integer",
    "1.0,integer": "not a valid integer",
    "+7,integer": "7",
    "NaN,float": "not a valid float",
    "1e999,float": "not a valid float",
    "yes,boolean": "not a valid boolean",
    "2026-02-30,date": "not a valid date",
    "2026-2-3,date": "not a valid date",
    "2026-01-02t03:04+0130,timestamp": "2026-01-02 01:34:00",
    "2026-01-02 03:04z,timestamp": "2026-01-02 03:04:00",
    "2026-01-02 03:04:05.5-05,timestamp": "2026-01-02 08:04:05.500000",
    "2026-01-02 25:00,timestamp": "not a valid timestamp",
    "2026-01-02T03:04:05.1234567Z,timestamp": "2026-01-02 03:04:05.123456",
}
EACH_CASE = """
import json, sys
import process_csv
from pyspark.context import SparkContext
from pyspark.sql import SparkSession
spark = SparkSession(SparkContext())
process_csv.settings(spark)
for case in json.loads(sys.argv[sys.argv.index("--cases") + 1]):
    cell, kind = case.split(",")
    column = {"name": "cell", "type": kind, "precision": 12, "scale": 2}
    texts = spark.createDataFrame([(cell,)], "cell string")
    try:
        print(process_csv.typed(texts, [column], "a file", "reject").first()[0])
    except Exception as error:
        print(error.java_exception.getCause().getMessage())
"""


def test_a_cell_is_read_exactly_or_not_at_all(jobs):
    library = jobs.put("process_csv.py", (SCRIPTS / "process_csv.py").read_text())
    job = jobs.job(EACH_CASE, kind="glueetl", DefaultArguments={"--extra-py-files": library})
    run = jobs.ended(job, jobs.start(job, Arguments={"--cases": json.dumps(list(CASES))}))
    assert run["JobRunState"] == "SUCCEEDED", run
    said = jobs.printed(run).splitlines()
    wrong = {
        case: line for (case, expected), line in zip(CASES.items(), said, strict=True) if expected not in line
    }
    assert not wrong


def test_a_cell_that_does_not_fit_fails_the_run(jobs):
    run = jobs.transform("process_csv", "in/a.csv", HEADER + "x,1,2026-01-02,12.505,1,2026-02-28,1\n")
    assert run["JobRunState"] == "FAILED"
    assert "column price: 12.505 is not a valid decimal(12,2)" in run["ErrorMessage"]


@dataclass(frozen=True)
class Source:
    """A file, the script that reads it, and arguments of its own."""

    script: str
    body: str | bytes
    more: dict[str, str] = field(default_factory=dict)


EACH_FILE = """
import json, sys
import process_csv, process_json
scripts = {"process_csv": process_csv, "process_json": process_json}
for script, arguments in json.loads(sys.argv[sys.argv.index("--files") + 1]):
    sys.argv = [script, *arguments]
    try:
        scripts[script].main()
    except Exception as error:
        cause = getattr(error, "java_exception", None)
        while cause is not None and cause.getCause() is not None:
            cause = cause.getCause()
        print("FAILED", json.dumps(str(error) if cause is None else cause.toString()))
    else:
        print("SUCCEEDED", json.dumps(""))
"""


@dataclass(frozen=True)
class Transformed:
    """What one job made of many files, each written to a folder of its own."""

    jobs: Transformer
    ends: dict[str, tuple[str, str]]

    def failure(self, name: str) -> str:
        state, message = self.ends[name]
        assert state == "FAILED"
        return message

    def table(self, name: str) -> pa.Table:
        state, message = self.ends[name]
        assert state == "SUCCEEDED", message
        return self.jobs.table(f"out/{name}/")


@pytest.fixture(scope="module")
def transformed(local_aws: RunningAWS) -> Transformed:
    """Run every file of `sources` through its script, one after the other in one JVM."""
    jobs = Transformer(local_aws)
    libraries = [jobs.put(f"{name}.py", (SCRIPTS / f"{name}.py").read_text()) for name in GLUE_SCRIPTS]
    files, found = [], sources()
    for name, source in found.items():
        jobs.put(f"in/{name}", source.body)
        pairs = jobs.arguments(f"in/{name}", f"out/{name}/", JOB_NAME="each", **source.more)
        files.append([source.script, [part for pair in pairs.items() for part in pair]])
    job = jobs.job(EACH_FILE, kind="glueetl", DefaultArguments={"--extra-py-files": ",".join(libraries)})
    run = jobs.ended(job, jobs.start(job, Arguments={"--files": json.dumps(files)}))
    assert run["JobRunState"] == "SUCCEEDED", run
    ends = [line.split(" ", 1) for line in jobs.printed(run).splitlines() if not line.startswith("{")]
    told = [(state, json.loads(message)) for state, message in ends]
    return Transformed(jobs, dict(zip(found, told, strict=True)))


GLUE_SCRIPTS = ("process_csv", "process_json")
MISFITS = {
    "short row": (HEADER + "x,1,2026-01-02,1,1\n", "Malformed"),
    "missing columns": ("name,id\nx,1\n", "lacks the column at, price, gift, day, ratio"),
    "no rows": (HEADER, "has no rows"),
}
DOCUMENTS = [
    {
        "id": 1, "at": "2026-01-02T03:04:05+01:00", "name": 'a "q",\nb', "price": 12.5,
        "gift": True, "day": "2026-02-28", "ratio": 1500,
    },
    {"id": -2, "at": "2026-01-02", "name": None},
]  # fmt: skip
FORMS_OF_JSON = {"array": json.dumps(DOCUMENTS, indent=1), "lines": "\n".join(map(json.dumps, DOCUMENTS))}
WITH_A_CITY = [
    {"name": "id", "type": "integer", "required": True},
    {"name": "city", "type": "text", "required": False},
]


def sources() -> dict[str, Source]:
    """Return every file that is only looked at after its transformation."""
    return {
        **{name: Source("process_csv", body) for name, (body, _) in MISFITS.items()},
        **{name: Source("process_json", body) for name, body in FORMS_OF_JSON.items()},
        "a price too fine": Source("process_json", json.dumps([DOCUMENTS[0] | {"price": 1.005}])),
        "no city": Source("process_json", '[{"id": 1}, {"id": 2}]', {"columns": json.dumps(WITH_A_CITY)}),
        "orders": orders(),
        **{f"dirty {form}": dirty(form)[0] for form in DIRTY},
    }


@pytest.mark.parametrize("name", MISFITS)
def test_a_csv_that_does_not_fit_fails(transformed, name):
    assert MISFITS[name][1] in transformed.failure(name)


@pytest.mark.parametrize("form", FORMS_OF_JSON)
def test_json_becomes_the_same_parquet(transformed, form):
    assert transformed.table(form).to_pylist() == ROWS


def test_json_that_does_not_fit_fails(transformed):
    assert "column price" in transformed.failure("a price too fine")


def test_a_json_key_that_no_object_has_is_empty_unless_it_is_required(transformed):
    assert transformed.table("no city").select(["id", "city"]).to_pylist() == [
        {"id": 1, "city": None},
        {"id": 2, "city": None},
    ]


def arguments_of(pipeline: Pipeline, key: str) -> dict[str, str]:
    """Return what the workflow tells a job of a pipeline's columns and dialect."""
    source = File(bucket="landing", key=key, etag="e", size=1)
    described = job_arguments(pipeline, source, "out/run/", "2026-11-20T00:00:00Z", "run")
    names = ("columns", "extra_columns", "delimiter", "quote")
    return {name: described[f"--{name}"] for name in names if f"--{name}" in described}


@functools.cache
def orders() -> Source:
    with tempfile.TemporaryDirectory() as folder:
        sample = next(each for each in write_all(Path(folder)) if each.path.name == "orders_small.csv")
        body = sample.path.read_bytes()
    return Source("process_csv", body, arguments_of(pipelines.file_pipeline("orders"), "in/orders.csv"))


def test_lambda_and_glue_write_the_same_rows(transformed):
    by_lambda = io.BytesIO()
    write_parquet(
        io.BytesIO(orders().body),
        pipelines.file_pipeline("orders"),
        by_lambda,
        key="orders.csv",
        processing_date=dt.date(2026, 11, 20),
    )
    by_id = [("order_id", "ascending")]
    from_glue = transformed.table("orders").sort_by(by_id)
    from_lambda = pq.read_table(by_lambda).sort_by(by_id)
    assert from_glue.schema.names == from_lambda.schema.names
    assert from_glue.schema.types == from_lambda.schema.types
    for name in from_glue.schema.names:
        assert from_glue[name].to_pylist() == from_lambda[name].to_pylist(), name


DIRTY_CSV = '''id;name;price;at
1;"two
lines; one";1.50;2026-01-02T03:04:05

2;"quoted ""so""";2.5;2026-01-02
3;cut short
4;mis"placed;1;2026-01-02
5;;x;2026-01-02
1;again;1;2026-01-02
6;K\xf6ln;1;2026-01-02
7;"no end; of the month;1;2026-02-30
8;;-1;2026-01-02;more
9;"open;1;2026-01-02
'''
DIRTY_ROWS = [
    {"id": 1, "name": "two\nlines", "price": "1.50", "at": "2026-01-02T03:04:05"},
    {"id": 2, "name": "x", "price": 2.5, "at": "2026-01-02"},
    {"id": 5, "name": "x", "price": "x", "at": "2026-01-02"},
    {"id": 1, "name": "again", "price": 1, "at": "2026-01-02"},
    {"id": 7, "name": "x", "price": 1, "at": "2026-02-30"},
    {"id": "8", "name": "x", "price": 1, "at": None, "undeclared": 1},
]
DIRTY = {
    "csv": DIRTY_CSV.encode("latin-1"),
    "json": json.dumps(DIRTY_ROWS, indent=2).encode(),
    "ndjson": "\n".join([*map(json.dumps, DIRTY_ROWS), "", "[1]", '{"id": 9,', ""]).encode(),
}
GOOD_IDS = [1, 2]


@functools.cache
def dirty(form: str) -> tuple[Source, list[dict]]:
    """Return what stays of a dirty file after rows were set aside, and the rows that Lambda reads of it."""
    pipeline = Pipeline(
        name="things",
        description="Things.",
        landing_prefix="incoming/things/",
        source={"csv": CSV(delimiter=";"), "json": JSON(), "ndjson": NDJSON()}[form],
        columns=(
            Column(name="id", type="integer", required=True, unique=True),
            Column(name="name", type="text"),
            Column(name="price", type="decimal", precision=8, scale=2, minimum=0),
            Column(name="at", type="timestamp", required=True),
        ),
        tolerate=Tolerance(rows=20),
    )
    s3 = FakeS3()
    file = s3.put("landing", f"incoming/things/a.{form}", DIRTY[form])
    found = check(s3, pipeline, file, "things-1")
    assert found["good_rows"] == len(GOOD_IDS), found["defects"]
    kept = keep(s3, pipeline, file, "things-1", found)["file"]
    good = s3.objects[kept["bucket"], kept["key"]]
    by_lambda = io.BytesIO()
    write_parquet(io.BytesIO(good), pipeline, by_lambda, key="a", processing_date=dt.date(2026, 11, 20))
    script = "process_csv" if form == "csv" else "process_json"
    rows = pq.read_table(by_lambda).sort_by("id").to_pylist()
    return Source(script, good, arguments_of(pipeline, kept["key"])), rows


@pytest.mark.parametrize("form", DIRTY)
def test_lambda_and_glue_drop_exactly_the_rows_that_were_set_aside(transformed, form):
    from_glue = transformed.table(f"dirty {form}").sort_by("id")
    assert from_glue["id"].to_pylist() == GOOD_IDS
    assert from_glue.to_pylist() == dirty(form)[1]


TUTORIAL = """
import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.dynamicframe import DynamicFrame
from pyspark.sql import functions as F

args = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket", "database"])
glueContext = GlueContext(SparkContext())
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)
database, root = args["database"], "s3://" + args["bucket"]
both = f"{database}.people p JOIN {database}.visits v ON p.id = v.id"
print(spark.sql("SELECT count(*) FROM " + both).first()[0])
print(spark.table(f"{database}.visits").where("year = '2026'").count())
people = glueContext.create_dynamic_frame.from_catalog(database=database, table_name="people")
people = ApplyMapping.apply(
    frame=people, mappings=[("id", "long", "person", "int"), ("name", "string", "name", "string")])
people = ResolveChoice.apply(people, specs=[("person", "cast:long")])
people = Filter.apply(frame=people, f=lambda row: row["person"] > 1)
people = Map.apply(frame=people, f=lambda row: {**row, "loud": row["name"].upper()})
nested = glueContext.create_dynamic_frame.from_options(
    "s3", {"paths": [root + "/data/nested/"]}, format="json")
tables = Relationalize.apply(frame=nested, staging_path=root + "/tmp/", name="root")
print(sorted(tables.keys()), tables.select("root_tags").count())
visits = glueContext.create_dynamic_frame.from_catalog(database=database, table_name="visits")
joined = Join.apply(people, visits, "person", "id").toDF().withColumn("day", F.current_date())
glueContext.write_dynamic_frame.from_options(
    frame=DynamicFrame.fromDF(joined, glueContext, "joined"), connection_type="s3",
    connection_options={"path": root + "/out", "partitionKeys": ["year"]}, format="parquet")
print(spark.read.parquet("s3a://" + args["bucket"] + "/out").select("loud", "year").collect())
statement = f"CREATE TABLE {database}.t (a int)"
for unknown in (lambda: glueContext.no_such_method(), lambda: spark.sql(statement)):
    try:
        unknown()
    except NotImplementedError as error:
        print(error)
job.commit()
"""


def test_a_tutorial_script_reads_the_data_catalog_and_writes_partitions(jobs):
    jobs.put("data/people/a.csv", "id,name\n1,Ann\n2,Bob\n")
    jobs.put("data/nested/a.json", '{"id":1,"tags":["x","y"]}\n')
    for year in (2025, 2026):
        buffer = io.BytesIO()
        pq.write_table(pa.table({"id": [1, 2]}), buffer)
        jobs.put(f"data/visits/year={year}/a.parquet", buffer.getvalue())
    database = f"db_{jobs.bucket[-8:]}"
    target = {"S3Targets": [{"Path": f"s3://{jobs.bucket}/data/"}]}
    jobs.glue.create_crawler(Name=database, Role="glue", DatabaseName=database, Targets=target)
    jobs.glue.start_crawler(Name=database)
    until(lambda: jobs.glue.get_crawler(Name=database)["Crawler"]["State"] == "READY")
    arguments = {"--bucket": jobs.bucket, "--database": database, "--enable-glue-datacatalog": "true"}
    job = jobs.job(TUTORIAL, kind="glueetl", DefaultArguments=arguments)
    run = jobs.ended(job, jobs.start(job))
    assert run["JobRunState"] == "SUCCEEDED", run
    lines = jobs.printed(run).splitlines()
    assert lines[:3] == ["4", "2", "['root', 'root_tags'] 2"]
    assert lines[3] == "[Row(loud='BOB', year=2025), Row(loud='BOB', year=2026)]"
    assert "no_such_method" in lines[4]
    assert "create the table with the Glue API" in lines[5]
    folders = {key.rsplit("/", 1)[0] for key in jobs.written()}
    assert folders == {"out/year=2025", "out/year=2026"}


def test_a_missing_path_fails_with_sparks_own_words(jobs):
    script = "from pyspark.sql import SparkSession\n"
    script += f"SparkSession.builder.getOrCreate().read.parquet('s3://{jobs.bucket}/nothing/')\n"
    job = jobs.job(script, kind="glueetl")
    run = jobs.ended(job, jobs.start(job))
    assert run["JobRunState"] == "FAILED"
    assert (
        f"AnalysisException: [PATH_NOT_FOUND] Path does not exist: s3://{jobs.bucket}/nothing"
        in run["ErrorMessage"]
    )


def test_without_a_spark_environment_a_spark_job_says_how_to_get_one(tmp_path):
    runner = JobRunner(Runtime(Configuration(directory=tmp_path, project=tmp_path)))
    with pytest.raises(LaunchError, match=r"make setup-spark.*--spark-python"):
        runner._process({"Name": "glueetl"})
