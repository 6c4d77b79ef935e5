"""Athena of the embedded AWS: real SQL over real objects, and failures in Athena's words."""

from __future__ import annotations

import gzip
import io
import time
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from tests.integration.conftest import running_aws

# 40 billion comparisons: it never ends by itself within a test.
ENDLESS = (
    "SELECT count(*) FROM UNNEST(sequence(1, 200000)) a(x), UNNEST(sequence(1, 200000)) b(y)"
    " WHERE a.x * b.y % 7 = 3"
)


def parquet(**columns):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


class Athena:
    """A database and two buckets of one test, and verbs to query them."""

    def __init__(self, aws) -> None:
        self.id = f"q{uuid.uuid4().hex[:10]}"
        self.client, self.s3, self.glue = (aws.client(each) for each in ("athena", "s3", "glue"))
        self.data, self.results = f"{self.id}-data", f"{self.id}-results"
        for bucket in (self.data, self.results):
            self.s3.create_bucket(Bucket=bucket)
        self.glue.create_database(DatabaseInput={"Name": self.id})

    def put(self, key, body):
        self.s3.put_object(Bucket=self.data, Key=key, Body=body)

    def keys(self, prefix="", bucket=None):
        found = self.s3.list_objects_v2(Bucket=bucket or self.data, Prefix=prefix).get("Contents", [])
        return [each["Key"] for each in found]

    def start(self, sql, **options):
        options.setdefault("ResultConfiguration", {"OutputLocation": f"s3://{self.results}/out/"})
        context = {"Database": self.id}
        started = self.client.start_query_execution(QueryString=sql, QueryExecutionContext=context, **options)
        return started["QueryExecutionId"]

    def ended(self, execution_id):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = self.client.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
            if found["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
                return found
        raise AssertionError(f"{execution_id} did not end")

    def run(self, sql, **options):
        return self.ended(self.start(sql, **options))

    def rows(self, sql, **options):
        """Return a query's rows as text, a SELECT's header left out."""
        execution = self.run(sql, **options)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        rows = self.results_of(execution)["ResultSet"]["Rows"]
        values = [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]
        return values[1:] if execution["StatementType"] == "DML" else values

    def results_of(self, execution, **options):
        return self.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"], **options)

    def failure(self, sql, **options):
        execution = self.run(sql, **options)
        assert execution["Status"]["State"] == "FAILED", execution["Status"]
        return execution["Status"]["StateChangeReason"]

    def orders(self):
        """Make a partitioned Parquet table `orders` with two registered days and one that is not."""
        self.put(
            "orders/dt=2026-01-01/run1/part-0.parquet", parquet(id=[1, 2], name=["ann", "bob"], old=[0, 0])
        )
        self.put("orders/dt=2026-01-02/run2/part-0.parquet", parquet(id=[3], amount=[2.5]))
        self.put("orders/dt=2026-01-03/run3/part-0.parquet", parquet(id=[4]))
        self.rows(
            "CREATE EXTERNAL TABLE orders (id bigint, name string, amount double) PARTITIONED BY (dt string)"
            f" STORED AS PARQUET LOCATION 's3://{self.data}/orders'"
        )
        self.rows("ALTER TABLE orders ADD PARTITION (dt = '2026-01-01') PARTITION (dt = '2026-01-02')")


@pytest.fixture
def athena(local_aws):
    return Athena(local_aws)


def test_a_csv_table_is_created_and_read(athena):
    athena.put("csv/a.csv", b"id,name,day\n1,ann,2026-01-02\n2,\\N,soon\nx,,2026-01-03,more\n")
    athena.rows(
        "CREATE EXTERNAL TABLE t (id int, name string, day date) ROW FORMAT DELIMITED"
        f" FIELDS TERMINATED BY ',' LOCATION 's3://{athena.data}/csv/'"
        " TBLPROPERTIES ('skip.header.line.count' = '1')"
    )
    assert athena.rows("SELECT * FROM t ORDER BY day, id") == [
        ["1", "ann", "2026-01-02"],
        [None, "", "2026-01-03"],
        ["2", None, None],
    ]


def test_a_result_is_in_s3_as_csv_and_its_columns_are_described(athena):
    execution = athena.run("SELECT 1 AS a, 'x\"y' AS b, NULL AS c, '' AS d, 1e10 AS e, DECIMAL '1.50' AS f")
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://{athena.results}/out/{execution['QueryExecutionId']}.csv"
    body = athena.s3.get_object(Bucket=athena.results, Key=location.split("/", 3)[3])["Body"].read()
    assert body == b'"a","b","c","d","e","f"\n"1","x""y",,"","1.0E10","1.50"\n'
    answer = athena.results_of(execution)["ResultSet"]
    assert answer["Rows"][0]["Data"][0] == {"VarCharValue": "a"}
    assert answer["Rows"][1]["Data"][2:4] == [{}, {"VarCharValue": ""}]
    columns = answer["ResultSetMetadata"]["ColumnInfo"]
    assert [each["Type"] for each in columns] == [
        "integer",
        "varchar",
        "unknown",
        "varchar",
        "double",
        "decimal",
    ]
    assert (columns[5]["Precision"], columns[5]["Scale"]) == (3, 2)
    assert f"{location}.metadata".split("/", 3)[3] in athena.keys(bucket=athena.results)


def test_only_registered_partitions_are_read_and_hidden_names_are_not(athena):
    athena.orders()
    athena.put("orders/dt=2026-01-01/_temporary/part-0.parquet", b"not parquet")
    athena.put("orders/dt=2026-01-01/.part-0.parquet.crc", b"not parquet")
    assert athena.rows("SELECT id, name, amount, dt FROM orders ORDER BY id") == [
        ["1", "ann", None, "2026-01-01"],
        ["2", "bob", None, "2026-01-01"],
        ["3", None, "2.5", "2026-01-02"],
    ]
    assert athena.rows("MSCK REPAIR TABLE orders")[-1] == [
        "Repair: Added partition to metastore orders:dt=2026-01-03"
    ]
    assert athena.rows("SELECT count(*) FROM orders") == [["4"]]
    assert athena.rows("SHOW PARTITIONS orders") == [["dt=2026-01-01"], ["dt=2026-01-02"], ["dt=2026-01-03"]]
    assert athena.rows('SELECT * FROM "orders$partitions" ORDER BY 1')[2] == ["2026-01-03"]


def test_a_partition_filter_scans_only_that_partition(athena):
    athena.orders()
    sizes = [
        athena.s3.head_object(Bucket=athena.data, Key=key)["ContentLength"] for key in athena.keys("orders/")
    ]
    execution = athena.run("SELECT sum(id) FROM orders WHERE dt = '2026-01-02'")
    assert execution["Statistics"]["DataScannedInBytes"] == sizes[1]
    execution = athena.run("SELECT sum(id) FROM orders")
    assert execution["Statistics"]["DataScannedInBytes"] == sizes[0] + sizes[1]


def test_the_path_of_a_row_is_a_column_for_those_who_ask(athena):
    athena.orders()
    assert athena.rows('SELECT *, "$path" FROM orders WHERE id = 3') == [
        ["3", None, "2.5", "2026-01-02", f"s3://{athena.data}/orders/dt=2026-01-02/run2/part-0.parquet"]
    ]
    assert len(athena.rows("SELECT * FROM orders WHERE id = 3")[0]) == 4


def test_create_table_as_insert_and_unload_write_files_and_partitions(athena):
    athena.orders()
    athena.rows(
        f"CREATE TABLE kept WITH (format = 'PARQUET', external_location = 's3://{athena.data}/kept/',"
        " partitioned_by = ARRAY['dt']) AS SELECT id, dt FROM orders"
    )
    assert len(athena.keys("kept/dt=2026-01-01/")) == 1
    inserted = athena.run("INSERT INTO kept VALUES (9, 'a b/c'), (10, NULL)")
    assert athena.results_of(inserted)["UpdateCount"] == 2
    assert athena.rows("SELECT id, dt FROM kept WHERE id > 2 ORDER BY id") == [
        ["3", "2026-01-02"],
        ["9", "a b/c"],
        ["10", None],
    ]
    unloaded = athena.run(
        f"UNLOAD (SELECT id FROM kept) TO 's3://{athena.data}/out/'"
        " WITH (format = 'JSON', compression = 'gzip')"
    )
    manifest = unloaded["Statistics"]["DataManifestLocation"].split("/", 3)[3]
    (file,) = athena.s3.get_object(Bucket=athena.results, Key=manifest)["Body"].read().decode().split()
    body = athena.s3.get_object(Bucket=athena.data, Key=file.split("/", 3)[3])["Body"].read()
    assert len(gzip.decompress(body).splitlines()) == 5


@pytest.mark.parametrize("format_", ["PARQUET", "TEXTFILE", "JSON", "ORC"])
def test_what_create_table_as_writes_is_read_back(athena, format_):
    athena.rows(
        f"CREATE TABLE copy WITH (format = '{format_}') AS SELECT * FROM"
        " (VALUES (1, 'a', DATE '2026-01-02', 1.5e0), (2, NULL, NULL, NULL)) AS t(id, name, day, amount)"
    )
    assert athena.rows("SELECT * FROM copy ORDER BY id") == [
        ["1", "a", "2026-01-02", "1.5"],
        ["2", None, None, None],
    ]


@pytest.mark.parametrize(
    ("serde", "body", "expected"),
    [
        (
            "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'",
            b'"1","x, ""y"""\n2,\n',
            [["1", 'x, "y"'], ["2", ""]],
        ),
        (
            "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'",
            b'{"A": 1, "b": "x", "more": 0}\n{"b": {"c": 1}}\n',
            [["1", "x"], [None, '{"c":1}']],
        ),
        (
            (
                "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'"
                " WITH SERDEPROPERTIES ('input.regex' = '(\\\\d+)-(.*)')"
            ),
            b"1-x\nnone\n",
            [["1", "x"], [None, None]],
        ),
        (
            "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' ESCAPED BY '\\\\'",
            b"1|x\\|y|z\nq|\n",
            [["1", "x|y"], [None, ""]],
        ),
    ],
)
def test_each_serde_reads_its_text(athena, serde, body, expected):
    athena.put("t/file.gz", gzip.compress(body))
    athena.rows(f"CREATE EXTERNAL TABLE t (a int, b string) {serde} LOCATION 's3://{athena.data}/t/'")
    assert athena.rows("SELECT a, b FROM t ORDER BY a NULLS LAST") == expected


def test_views_are_resolved_through_views(athena):
    athena.orders()
    athena.rows("CREATE VIEW doubled AS SELECT id * 2 AS twice, dt FROM orders")
    athena.rows("CREATE OR REPLACE VIEW total AS SELECT sum(twice) AS total FROM doubled")
    assert athena.rows("SELECT total FROM total") == [["12"]]
    assert athena.rows("SHOW VIEWS") == [["doubled"], ["total"]]
    athena.rows("DROP VIEW doubled")
    assert athena.failure("SELECT * FROM total").startswith("TABLE_NOT_FOUND: ")


def test_a_with_query_may_have_the_name_of_the_table_it_reads(athena):
    athena.orders()
    assert athena.rows("WITH orders AS (SELECT id FROM orders WHERE id > 1) SELECT count(*) FROM orders") == [
        ["2"]
    ]


FAILURES = {
    "SELECT * FROM nothing": "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.{db}.nothing' does not exist",
    "SELECT * FROM nowhere.t": "SCHEMA_NOT_FOUND: line 1:15: Schema 'nowhere' does not exist",
    "SELECT id,\n  nope FROM orders": (
        "COLUMN_NOT_FOUND: line 2:3: Column 'nope' cannot be resolved or requester is not authorized"
        " to access requested resources"
    ),
    "SELECT no_such(1)": "FUNCTION_NOT_FOUND: line 1:8: Function 'no_such' not registered",
    "SELECT 1 / 0": "DIVISION_BY_ZERO: Division by zero",
    "SELECT id, count(*) FROM orders": (
        "EXPRESSION_NOT_AGGREGATE: line 1:8: '\"id\"' must be an aggregate expression"
        " or appear in GROUP BY clause"
    ),
    "CREATE TABLE x AS SELECT count(*) FROM orders": (
        "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 1"
    ),
    "MERGE INTO orders USING x ON 1 = 1": "NOT_SUPPORTED: the embedded Athena does not support MERGE INTO",
    "SELECT * FROM read_csv('/etc/passwd')": (
        "FUNCTION_NOT_FOUND: line 1:1: Table function '/etc/passwd' not registered"
    ),
}


@pytest.mark.parametrize(("sql", "reason"), FAILURES.items(), ids=FAILURES)
def test_a_failure_is_worded_like_athenas(athena, sql, reason):
    athena.orders()
    execution = athena.run(sql)
    assert execution["Status"]["StateChangeReason"] == reason.format(db=athena.id)
    assert execution["Status"]["AthenaError"]["ErrorMessage"] == reason.format(db=athena.id)
    with pytest.raises(ClientError, match="Query did not finish successfully"):
        athena.results_of(execution)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELEC 1", "line 1:1: mismatched input 'SELEC'"),
        ("SELECT a FROM WHERE", "line 1:15: mismatched input 'WHERE'"),
    ],
)
def test_a_syntax_error_is_refused_before_there_is_a_query(athena, sql, reason):
    with pytest.raises(ClientError, match=reason) as refused:
        athena.start(sql)
    assert refused.value.response["Error"]["Code"] == "InvalidRequestException"


def test_a_parquet_file_of_another_type_is_an_error_that_names_the_column(athena):
    athena.put("t/a.parquet", parquet(id=["one"]))
    athena.rows(f"CREATE EXTERNAL TABLE t (id bigint) STORED AS PARQUET LOCATION 's3://{athena.data}/t/'")
    assert athena.failure("SELECT id FROM t").startswith(
        "HIVE_BAD_DATA: Field id's type BINARY in parquet file"
    )


def test_execution_parameters_fill_the_question_marks(athena):
    sql = "SELECT '?' AS mark, ? + 1 AS next, ? AS name"
    assert athena.rows(sql, ExecutionParameters=["41", "'it''s'"]) == [["?", "42", "it's"]]
    assert "expected 2 but found 1" in athena.failure(sql, ExecutionParameters=["41"])


def test_results_are_paged(athena):
    execution = athena.run("SELECT x FROM UNNEST(sequence(1, 2500)) AS t(x)")
    pages = athena.client.get_paginator("get_query_results").paginate(
        QueryExecutionId=execution["QueryExecutionId"]
    )
    rows = [row["Data"][0]["VarCharValue"] for page in pages for row in page["ResultSet"]["Rows"]]
    assert rows == ["x", *map(str, range(1, 2501))]


def test_a_workgroup_enforces_its_output_location(athena):
    own = f"s3://{athena.results}/enforced/"
    athena.client.create_work_group(
        Name=athena.id,
        Configuration={"ResultConfiguration": {"OutputLocation": own}, "EnforceWorkGroupConfiguration": True},
    )
    execution = athena.run("SELECT 1", WorkGroup=athena.id)
    assert execution["ResultConfiguration"]["OutputLocation"].startswith(own)
    assert athena.client.list_query_executions(WorkGroup=athena.id)["QueryExecutionIds"] == [
        execution["QueryExecutionId"]
    ]


def test_create_table_as_names_no_place_where_the_workgroup_enforces_its_own(athena):
    name = f"{athena.id}-enforcing"
    location = {"OutputLocation": f"s3://{athena.results}/enforced/"}
    athena.client.create_work_group(
        Name=name, Configuration={"EnforceWorkGroupConfiguration": True, "ResultConfiguration": location}
    )
    elsewhere = f"external_location = 's3://{athena.data}/elsewhere/'"
    with pytest.raises(ClientError, match=r"InvalidRequestException.*enforces a centralized output location"):
        athena.run(f"CREATE TABLE t WITH ({elsewhere}) AS SELECT 1 AS one", WorkGroup=name)
    made = [athena.run(f"CREATE TABLE t{each} AS SELECT 1 AS one", WorkGroup=name) for each in (1, 2)]
    for at, execution in enumerate(made, 1):
        table = athena.glue.get_table(DatabaseName=athena.id, Name=f"t{at}")["Table"]
        folder = f"s3://{athena.results}/enforced/tables/{execution['QueryExecutionId']}/"
        assert table["StorageDescriptor"]["Location"] == folder


def test_months_in_folders_become_partitions_of_one_table_wherever_they_lie(athena):
    for month in ("2025-01", "2025-02", "2025-03"):
        athena.put(
            f"raw/{month}/trips.csv", f"id,at\r\n1,{month}-02 03:04:05\r\n,{month}-02 03:04:06\r\n".encode()
        )
    athena.rows(
        "CREATE EXTERNAL TABLE raw (id string, at string) PARTITIONED BY (month string)"
        f" ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://{athena.data}/raw/'"
        " TBLPROPERTIES ('skip.header.line.count' = '1', 'projection.enabled' = 'true',"
        " 'projection.month.type' = 'date', 'projection.month.format' = 'yyyy-MM',"
        " 'projection.month.range' = '2024-01,NOW', 'projection.month.interval' = '1',"
        " 'projection.month.interval.unit' = 'MONTHS',"
        f" 'storage.location.template' = 's3://{athena.data}/raw/${{month}}/')"
    )
    typed = "SELECT CAST(nullif(id, '') AS integer) AS id, date_parse(at, '%Y-%m-%d %H:%i:%s') AS at"
    athena.rows(
        "CREATE TABLE trips WITH (format = 'PARQUET', partitioned_by = ARRAY['month'])"
        f" AS {typed}, month FROM raw WHERE month IN ('2025-01', '2025-02')"
    )
    athena.rows(f"CREATE TABLE loading AS {typed} FROM raw WHERE month IN ('2025-03')")
    where = athena.glue.get_table(DatabaseName=athena.id, Name="loading")["Table"]["StorageDescriptor"]
    add = "ALTER TABLE trips ADD IF NOT EXISTS PARTITION (month = '2025-03') LOCATION"
    athena.rows(f"{add} '{where['Location']}'")
    athena.rows(f"{add} 's3://{athena.data}/nowhere/'")  # whoever comes second changes nothing
    athena.rows("DROP TABLE IF EXISTS loading")
    assert athena.rows("SHOW TABLES 'trips|loading'") == [["trips"]]
    assert sorted(athena.rows("SHOW PARTITIONS trips")) == [[f"month=2025-0{n}"] for n in (1, 2, 3)]
    assert athena.rows(
        "SELECT month, count(*), max(id), max(at) FROM trips GROUP BY month ORDER BY month"
    ) == [[f"2025-0{n}", "2", "1", f"2025-0{n}-02 03:04:06.000"] for n in (1, 2, 3)]


def test_a_query_over_the_workgroups_limit_is_cancelled(athena):
    athena.put("big/a.csv", b"0123456789\n" * 1_000_000)
    athena.rows(f"CREATE EXTERNAL TABLE big (line string) LOCATION 's3://{athena.data}/big/'")
    limit = {"BytesScannedCutoffPerQuery": 10_000_000, "EnforceWorkGroupConfiguration": False}
    athena.client.create_work_group(Name=athena.id, Configuration=limit)
    status = athena.run("SELECT count(line) FROM big", WorkGroup=athena.id)["Status"]
    assert status["State"] == "CANCELLED"
    assert "Bytes scanned limit was exceeded" in status["StateChangeReason"]
    assert athena.rows("SELECT count(line) FROM big") == [["1000000"]]


def test_a_query_without_an_output_location_or_bucket_is_refused(athena):
    with pytest.raises(ClientError, match="No output location provided"):
        athena.start("SELECT 1", ResultConfiguration={})
    with pytest.raises(ClientError, match="Unable to verify/create output bucket"):
        athena.start("SELECT 1", ResultConfiguration={"OutputLocation": f"s3://{athena.id}-nowhere/"})


def test_a_running_query_can_be_stopped(athena):
    execution_id = athena.start(ENDLESS)
    athena.client.stop_query_execution(QueryExecutionId=execution_id)
    assert athena.ended(execution_id)["Status"]["State"] == "CANCELLED"


def test_the_same_request_token_starts_one_query(athena):
    token = uuid.uuid4().hex
    assert athena.start("SELECT 1", ClientRequestToken=token) == athena.start(
        "SELECT 1", ClientRequestToken=token
    )
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        athena.start("SELECT 2", ClientRequestToken=token)


def test_named_queries_and_batches_are_answered(athena):
    named = athena.client.create_named_query(Name="n", Database=athena.id, QueryString="SELECT 1")[
        "NamedQueryId"
    ]
    answer = athena.client.batch_get_named_query(NamedQueryIds=[named, "missing"])
    assert [each["QueryString"] for each in answer["NamedQueries"]] == ["SELECT 1"]
    assert [each["NamedQueryId"] for each in answer["UnprocessedNamedQueryIds"]] == ["missing"]
    execution = athena.run("SELECT 1")["QueryExecutionId"]
    answer = athena.client.batch_get_query_execution(QueryExecutionIds=[execution, "missing"])
    assert [each["QueryExecutionId"] for each in answer["QueryExecutions"]] == [execution]


def test_partition_projection_needs_no_registered_partition(athena):
    athena.put("logs/2026/01/31/a.csv", b"1\n")
    athena.put("logs/2026/02/01/a.csv", b"2\n")
    athena.put("logs/2026/03/01/a.csv", b"3\n")
    athena.rows(
        f"CREATE EXTERNAL TABLE logs (id int) PARTITIONED BY (day string) LOCATION 's3://{athena.data}/logs/'"
        " TBLPROPERTIES ('projection.enabled' = 'true', 'projection.day.type' = 'date',"
        " 'projection.day.range' = '2026/01/30,2026/02/02', 'projection.day.format' = 'yyyy/MM/dd',"
        f" 'storage.location.template' = 's3://{athena.data}/logs/${{day}}')"
    )
    assert athena.rows("SELECT id, day FROM logs ORDER BY id") == [["1", "2026/01/31"], ["2", "2026/02/01"]]


def test_a_table_is_altered(athena):
    athena.orders()
    athena.rows("ALTER TABLE orders ADD COLUMNS (more int, tags array<string>)")
    assert athena.rows("SELECT more, tags FROM orders WHERE id = 1") == [[None, None]]
    athena.rows("ALTER TABLE orders DROP PARTITION (dt = '2026-01-01')")
    assert athena.rows("SELECT id FROM orders") == [["3"]]
    athena.rows("ALTER TABLE orders SET TBLPROPERTIES ('owner' = 'me')")
    assert ["owner", "me"] in athena.rows("SHOW TBLPROPERTIES orders")
    assert athena.rows("DESCRIBE orders")[3][0].split() == ["more"]
    assert athena.rows("SHOW CREATE TABLE orders")[0] == [f"CREATE EXTERNAL TABLE `{athena.id}.orders`("]


def test_queries_survive_kill_9_and_a_running_one_ends_failed(tmp_path):
    with running_aws(tmp_path) as aws:
        athena = Athena(aws)
        done = athena.run("SELECT 42 AS answer")["QueryExecutionId"]
        running = athena.start(ENDLESS)
        aws.kill()
    with running_aws(tmp_path) as aws:
        client = aws.client("athena")
        status = client.get_query_execution(QueryExecutionId=running)["QueryExecution"]["Status"]
        assert status["State"] == "FAILED"
        assert "The embedded AWS ended while this query was" in status["StateChangeReason"]
        rows = client.get_query_results(QueryExecutionId=done)["ResultSet"]["Rows"]
        assert rows[1]["Data"] == [{"VarCharValue": "42"}]
