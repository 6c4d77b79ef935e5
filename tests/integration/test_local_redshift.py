"""The local warehouse as unmodified clients see it."""

from __future__ import annotations

import bz2
import contextlib
import datetime as dt
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from decimal import Decimal

import psutil
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redshift_connector

from tests.integration.conftest import running_aws

ROLE = "arn:aws:iam::123456789012:role/copy"
LOAD_ERRORS = """
SELECT filename, line_number, colname, raw_field_value, err_code, err_reason FROM stl_load_errors
WHERE filename = %s
"""


def password(aws) -> str:
    return (aws.directory / "warehouse" / "password").read_text()


def connect(aws, **changed):
    wanted = {
        "host": "127.0.0.1",
        "port": aws.warehouse_port,
        "user": "awsuser",
        "password": password(aws),
        "database": "dev",
        "ssl": False,
    }
    return redshift_connector.connect(**wanted | changed)


def naive(*parts) -> dt.datetime:
    return dt.datetime(*parts)  # noqa: DTZ001 - a TIMESTAMP has no time zone


def rows(cursor, statement, *values):
    cursor.execute(statement, values or None)
    return [tuple(row) for row in cursor.fetchall()]


def parquet(**columns) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


@pytest.fixture
def connection(local_aws):
    connection = connect(local_aws)
    yield connection
    connection.close()


@pytest.fixture
def cursor(connection):
    return connection.cursor()


@pytest.fixture
def name():
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def put(local_aws, name):
    client = local_aws.client("s3")
    client.create_bucket(Bucket=f"bucket-{name}")

    def stored(key: str, body: bytes | str) -> str:
        client.put_object(Bucket=f"bucket-{name}", Key=key, Body=body)
        return f"s3://bucket-{name}/{key}"

    return stored


# Connections


def test_a_client_signs_in_over_tls_with_the_local_authority(local_aws, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(local_aws.directory / "ca.pem"))
    connection = connect(local_aws, ssl=True)
    assert rows(connection.cursor(), "SELECT current_user") == [("awsuser",)]
    connection.close()


def test_a_wrong_password_is_refused(local_aws):
    with pytest.raises(redshift_connector.ProgrammingError, match="password authentication failed"):
        connect(local_aws, password="guess")


def test_the_administrator_of_postgresql_is_not_let_in(local_aws):
    with pytest.raises(redshift_connector.ProgrammingError, match="password authentication failed"):
        connect(local_aws, user="rdsdb")


def test_the_master_password_is_readable_by_its_owner_only(local_aws):
    assert (local_aws.directory / "warehouse" / "password").stat().st_mode & 0o077 == 0


def test_psycopg_connects_and_copies_its_own_way(local_aws, name):
    with psycopg.connect(
        host="127.0.0.1",
        port=local_aws.warehouse_port,
        user="awsuser",
        password=password(local_aws),
        dbname="dev",
    ) as connection:
        connection.execute(f"CREATE TABLE {name} (a int)")
        with connection.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
            copy.write_row((7,))
        assert connection.execute(f"SELECT a FROM {name} WHERE a = %s", [7]).fetchall() == [(7,)]


# Dialect


def test_storage_words_of_a_table_are_accepted_and_quoted_names_folded(cursor, name):
    cursor.execute(
        f'CREATE TABLE {name} (id INTEGER IDENTITY(5,2), "Name" VARCHAR(20) ENCODE zstd, v SUPER, '
        "PRIMARY KEY (id)) DISTSTYLE KEY DISTKEY(id) COMPOUND SORTKEY(id)"
    )
    cursor.execute(f"INSERT INTO {name} (\"NAME\") VALUES ('a'), ('b')")
    assert rows(cursor, f"SELECT id, name FROM {name} ORDER BY id") == [(5, "a"), (7, "b")]


def test_a_primary_key_is_not_enforced(cursor, name):
    cursor.execute(f"CREATE TABLE {name} (id INT NOT NULL PRIMARY KEY)")
    cursor.execute(f"INSERT INTO {name} VALUES (1), (1)")
    assert rows(cursor, f"SELECT count(*) FROM {name}") == [(2,)]
    ((definition,),) = rows(cursor, "SELECT indexdef FROM pg_indexes WHERE tablename = %s", name)
    assert definition.endswith("(id)")


def test_the_length_of_a_varchar_counts_bytes(cursor, name):
    cursor.execute(f"CREATE TABLE {name} (a VARCHAR(4))")
    cursor.execute(f"INSERT INTO {name} VALUES ('éé')")
    with pytest.raises(redshift_connector.ProgrammingError, match=r"value too long .*varying\(4\)"):
        cursor.execute(f"INSERT INTO {name} VALUES ('ééé')")


def test_a_varchar_without_a_length_holds_256_bytes(cursor, name):
    cursor.execute(f"CREATE TABLE {name} (a VARCHAR)")
    assert rows(cursor, "SELECT character_maximum_length FROM svv_columns WHERE table_name = %s", name) == [
        (256,)
    ]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT DATEADD(month, 1, '2024-01-31'::date)", naive(2024, 2, 29)),
        ("SELECT DATEDIFF(day, '2024-01-01'::timestamp, '2024-03-01'::timestamp)", 60),
        ("SELECT DATEDIFF(week, '2024-01-06'::timestamp, '2024-01-07'::timestamp)", 1),
        ("SELECT NVL2(1, 'set', 'null')", "set"),
        ("SELECT LEN('naïve')", 5),
        ("SELECT ROUND(72.368::float8, 1), ROUND(1.005, 2)", (72.4, Decimal("1.01"))),
        ("SELECT TRUNC(-72.368::float8, 1)", -72.3),
        ("SELECT JSON_EXTRACT_PATH_TEXT('{\"a\":{\"b\":\"c\"}}', 'a', 'b')", "c"),
        ("SELECT a + 1 AS b, b * 2 AS c FROM (SELECT 3 AS a) AS s WHERE b = 4", (4, 8)),
        (
            "SELECT LISTAGG(x, '-') WITHIN GROUP (ORDER BY x) FROM (SELECT 'b' AS x UNION SELECT 'a') AS s",
            "a-b",
        ),
        ("SELECT 'it\\'s'", "it's"),
    ],
)
def test_redshift_words_are_understood(cursor, statement, expected):
    assert rows(cursor, statement) == [expected if isinstance(expected, tuple) else (expected,)]


def test_truncate_commits(connection, cursor, name):
    cursor.execute(f"CREATE TABLE {name} (a INT)")
    cursor.execute(f"INSERT INTO {name} VALUES (1)")
    connection.commit()
    cursor.execute(f"TRUNCATE TABLE {name}")
    connection.rollback()
    assert rows(cursor, f"SELECT count(*) FROM {name}") == [(0,)]


# Transactions


def test_conflicting_transactions_end_with_error_1023(local_aws, name):
    first, second = connect(local_aws), connect(local_aws)
    one, two = first.cursor(), second.cursor()
    one.execute(f"CREATE TABLE {name} (a INT)")
    first.commit()
    for cursor in (one, two):
        cursor.execute(f"SELECT count(*) FROM {name}")
        cursor.fetchall()
    one.execute(f"INSERT INTO {name} VALUES (1)")
    two.execute(f"INSERT INTO {name} VALUES (2)")
    first.commit()
    with pytest.raises(redshift_connector.ProgrammingError) as refused:
        second.commit()
    assert refused.value.args[0]["M"] == "1023"
    assert refused.value.args[0]["C"] == "XX000"
    assert "Serializable isolation violation" in refused.value.args[0]["D"]
    second.rollback()
    assert rows(two, f"SELECT a FROM {name}") == [(1,)]
    first.close()
    second.close()


def test_a_lock_makes_another_transaction_wait(local_aws, name):
    first, second = connect(local_aws), connect(local_aws)
    first.cursor().execute(f"CREATE TABLE {name} (a INT)")
    first.commit()
    first.cursor().execute(f"LOCK {name}")
    first.cursor().execute(f"INSERT INTO {name} VALUES (1)")
    seen = []

    def wait():
        cursor = second.cursor()
        cursor.execute(f"LOCK TABLE {name}")
        seen.extend(rows(cursor, f"SELECT a FROM {name}"))
        second.commit()

    waiting = threading.Thread(target=wait)
    waiting.start()
    locks = connect(local_aws)
    asked = locks.cursor()
    deadline = time.monotonic() + 10
    while not rows(asked, "SELECT 1 FROM pg_locks WHERE NOT granted") and time.monotonic() < deadline:
        locks.rollback()
    assert seen == []
    first.commit()
    waiting.join(10)
    assert seen == [(1,)]
    for connection in (first, second, locks):
        connection.close()


# COPY


def test_parquet_is_copied_by_position_inside_the_transaction(connection, cursor, name, put):
    address = put(
        "in/part.parquet",
        parquet(
            a=pa.array([1, 2], pa.int32()),
            n=pa.array([Decimal("1.50"), None], pa.decimal128(9, 2)),
            d=[dt.date(2024, 2, 29), None],
            s=["", None],
            t=pa.array([naive(2024, 1, 1, 12), None], pa.timestamp("us")),
            b=[True, None],
        ),
    )
    cursor.execute(
        f"CREATE TEMP TABLE {name} (a INT, n NUMERIC(9,2), d DATE, s VARCHAR(9), t TIMESTAMP, b BOOLEAN)"
    )
    cursor.execute(f"COPY {name} FROM '{address}' IAM_ROLE '{ROLE}' FORMAT AS PARQUET")
    assert rows(cursor, f"SELECT * FROM {name} ORDER BY a") == [
        (1, Decimal("1.50"), dt.date(2024, 2, 29), "", naive(2024, 1, 1, 12), True),
        (2, None, None, None, None, None),
    ]
    assert rows(cursor, "SELECT pg_last_copy_count()") == [(2,)]
    connection.rollback()
    with pytest.raises(redshift_connector.ProgrammingError, match="does not exist"):
        cursor.execute(f"SELECT * FROM {name}")


def test_a_manifest_names_the_files_to_load(cursor, name, put):
    body = parquet(a=pa.array([1], pa.int32()))
    first, second = put("in/1.parquet", body), put("in/2.parquet", body)
    put("in/3.parquet", body)
    entries = [
        {"url": url, "mandatory": True, "meta": {"content_length": len(body)}} for url in (first, second)
    ]
    manifest = put("m.json", json.dumps({"entries": entries}))
    cursor.execute(f"CREATE TABLE {name} (a INT)")
    cursor.execute(f"COPY {name} FROM '{manifest}' IAM_ROLE '{ROLE}' PARQUET MANIFEST")
    assert rows(cursor, f"SELECT count(*) FROM {name}") == [(2,)]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"mandatory": True, "meta": {"content_length": 9}}, "NoSuchKey"),
        ({"mandatory": True}, "content_length"),
    ],
)
def test_a_manifest_that_is_wrong_fails_the_load(cursor, name, put, entry, words):
    manifest = put("m.json", json.dumps({"entries": [{"url": f"s3://bucket-{name}/none", **entry}]}))
    cursor.execute(f"CREATE TABLE {name} (a INT)")
    with pytest.raises(redshift_connector.ProgrammingError, match=words):
        cursor.execute(f"COPY {name} FROM '{manifest}' IAM_ROLE '{ROLE}' PARQUET MANIFEST")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"a": pa.array([1], pa.int32()), "b": ["x"]}, "Unmatched number of columns"),
        ({"a": ["x"]}, "incompatible Parquet schema"),
        ({"a": pa.array([1], pa.int64())}, "incompatible Parquet schema"),
    ],
)
def test_parquet_that_does_not_fit_the_table_is_refused(connection, cursor, name, put, columns, words):
    address = put("in/x.parquet", parquet(**columns))
    cursor.execute(f"CREATE TABLE {name} (a INT)")
    with pytest.raises(redshift_connector.ProgrammingError, match=words):
        cursor.execute(f"COPY {name} FROM '{address}' IAM_ROLE '{ROLE}' PARQUET")
    connection.rollback()


def test_a_refused_row_is_written_to_stl_load_errors_and_the_load_undone(connection, cursor, name, put):
    cursor.execute(f"CREATE TABLE {name} (a INT, b VARCHAR(3))")
    connection.commit()
    address = put("in/x.csv", 'a,b\n1,ok\n2,"q,"\nzwei,no\n')
    with pytest.raises(redshift_connector.ProgrammingError, match="Check 'stl_load_errors'"):
        cursor.execute(f"COPY {name} FROM '{address}' IAM_ROLE '{ROLE}' CSV IGNOREHEADER 1")
    connection.rollback()
    assert rows(cursor, f"SELECT count(*) FROM {name}") == [(0,)]
    ((_, line, column, value, code, reason),) = rows(cursor, LOAD_ERRORS, address)
    assert (line, column, value, code) == (4, "a", "zwei", 1207)
    assert reason == "Invalid digit, Value 'z', Pos 0, Type: Integer"


def test_a_text_that_is_too_long_is_refused_with_its_line(connection, cursor, name, put):
    cursor.execute(f"CREATE TABLE {name} (a INT, b VARCHAR(3))")
    connection.commit()
    address = put("in/x.parquet", parquet(a=pa.array([1, 2], pa.int32()), b=["abc", "éé"]))
    with pytest.raises(redshift_connector.ProgrammingError, match="stl_load_errors"):
        cursor.execute(f"COPY {name} FROM '{address}' IAM_ROLE '{ROLE}' PARQUET")
    connection.rollback()
    assert rows(cursor, LOAD_ERRORS, address) == [
        (address, 2, "b", "éé", 1204, "String length exceeds DDL length")
    ]


@pytest.mark.parametrize(
    ("body", "options", "expected"),
    [
        ('1,""\n,x\n', "CSV", [(1, ""), (None, "x")]),
        ("1,\n2,x\n", "CSV EMPTYASNULL", [(1, None), (2, "x")]),
        ("1|\\N\n2|x\n", "", [(1, None), (2, "x")]),
        ("1;x\n", "DELIMITER ';'", [(1, "x")]),
        ("1,abcdéf\n", "CSV TRUNCATECOLUMNS", [(1, "abcd")]),
        ("1\n", "CSV FILLRECORD", [(1, None)]),
        ('{"a": 1, "b": "x"}\n{"b": "y"}', "FORMAT JSON 'auto'", [(1, "x"), (None, "y")]),
        ('{"A": 12345678, "B": {"c": [1]}}', "JSON 'auto ignorecase' TRUNCATECOLUMNS", [(12345678, '{"c":')]),
    ],
)
def test_text_formats_are_copied_by_redshifts_rules(cursor, name, put, body, options, expected):
    cursor.execute(f"CREATE TABLE {name} (a INT, b VARCHAR(5))")
    cursor.execute(f"COPY {name} FROM '{put('in/x', body)}' IAM_ROLE '{ROLE}' {options}")
    assert sorted(rows(cursor, f"SELECT a, b FROM {name}"), key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("option", ["GZIP", "ZSTD", "BZIP2"])
def test_compressed_files_are_copied(cursor, name, put, option):
    compress = {"GZIP": gzip.compress, "ZSTD": pa.Codec("zstd").compress, "BZIP2": bz2.compress}[option]
    body = bytes(compress(b"1,x\n2,y\n"))
    cursor.execute(f"CREATE TABLE {name} (a INT, b VARCHAR(5))")
    cursor.execute(f"COPY {name} FROM '{put('in/x', body)}' IAM_ROLE '{ROLE}' CSV {option}")
    assert rows(cursor, f"SELECT count(*) FROM {name}") == [(2,)]


@pytest.mark.parametrize(
    ("options", "words"),
    [("AVRO 'auto'", "not supported"), ("CSV WHATEVER", "WHATEVER is not supported")],
)
def test_an_option_that_is_not_supported_fails_clearly(cursor, name, options, words):
    cursor.execute(f"CREATE TABLE {name} (a INT)")
    with pytest.raises(redshift_connector.ProgrammingError, match=words):
        cursor.execute(f"COPY {name} FROM 's3://x/y' IAM_ROLE '{ROLE}' {options}")


def test_copy_from_a_missing_prefix_fails_the_transaction(connection, cursor, name, put):
    put("other", "1")
    cursor.execute(f"CREATE TABLE {name} (a INT)")
    with pytest.raises(redshift_connector.ProgrammingError, match="NoSuchKey"):
        cursor.execute(f"COPY {name} FROM 's3://bucket-{name}/none' IAM_ROLE '{ROLE}' CSV")
    with pytest.raises(redshift_connector.ProgrammingError, match="current transaction is aborted"):
        cursor.execute("SELECT 1")
    connection.rollback()


# UNLOAD


def test_unload_writes_parquet_that_keeps_its_types(local_aws, cursor, name, put):
    put("other", "1")
    cursor.execute(f"CREATE TABLE {name} (a INT, n NUMERIC(9,2), s VARCHAR(9), d DATE, b BOOLEAN)")
    cursor.execute(
        f"INSERT INTO {name} VALUES (1, 1.5, 'x', '2024-01-01', true), (2, NULL, NULL, NULL, NULL)"
    )
    target = f"TO 's3://bucket-{name}/out/' IAM_ROLE '{ROLE}' PARQUET"
    cursor.execute(f"UNLOAD ('SELECT * FROM {name} ORDER BY a') {target}")
    client = local_aws.client("s3")
    body = client.get_object(Bucket=f"bucket-{name}", Key="out/0000_part_00.parquet")["Body"].read()
    table = pq.read_table(io.BytesIO(body))
    assert table.schema.field("n").type == pa.decimal128(9, 2)
    assert table.to_pylist()[0] == {
        "a": 1, "n": Decimal("1.50"), "s": "x", "d": dt.date(2024, 1, 1), "b": True,
    }  # fmt: skip
    with pytest.raises(redshift_connector.ProgrammingError, match="not empty"):
        cursor.execute(f"UNLOAD ('SELECT 1') {target}")


def test_unload_writes_partitions_and_a_manifest(local_aws, cursor, name, put):
    put("other", "1")
    cursor.execute(
        f"UNLOAD ('SELECT 1 AS a, ''x'' AS p UNION SELECT 2, ''y''') TO 's3://bucket-{name}/out/' "
        f"IAM_ROLE '{ROLE}' CSV HEADER PARTITION BY (p) MANIFEST"
    )
    client = local_aws.client("s3")
    keys = [one["Key"] for one in client.list_objects_v2(Bucket=f"bucket-{name}", Prefix="out/")["Contents"]]
    assert keys == ["out/manifest", "out/p=x/0000_part_00", "out/p=y/0000_part_00"]
    assert client.get_object(Bucket=f"bucket-{name}", Key=keys[1])["Body"].read() == b"a\n1\n"


def test_an_unload_whose_query_is_wrong_fails_as_the_query_does(cursor):
    with pytest.raises(redshift_connector.ProgrammingError, match='relation "nowhere" does not exist'):
        cursor.execute(f"UNLOAD ('SELECT * FROM nowhere') TO 's3://x/y' IAM_ROLE '{ROLE}' PARQUET")


# Durability


def test_committed_rows_survive_the_kill_of_everything(tmp_path):
    with running_aws(tmp_path / "state") as aws:
        connection = connect(aws)
        connection.cursor().execute("CREATE TABLE kept (a INT)")
        connection.cursor().execute("INSERT INTO kept VALUES (1)")
        connection.commit()
        connection.cursor().execute("INSERT INTO kept VALUES (2)")
        family = [psutil.Process(aws.pid), *psutil.Process(aws.pid).children(recursive=True)]
        assert any(process.name() == "postgres" for process in family)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):  # those that end with their parent
                process.kill()
        psutil.wait_procs(family, timeout=15)
        connection.close()
    with running_aws(tmp_path / "state") as aws:
        connection = connect(aws)
        assert rows(connection.cursor(), "SELECT a FROM kept") == [(1,)]
        connection.close()


@pytest.mark.parametrize("victim", ["the embedded AWS", "the warehouse"])
def test_no_postgres_outlives_a_killed_parent(tmp_path, victim):
    with running_aws(tmp_path / "state") as aws:
        children = psutil.Process(aws.pid).children(recursive=True)
        server = next(process for process in children if process.name() == "postgres")
        parent = psutil.Process(aws.pid) if victim == "the embedded AWS" else server.parent()
        parent.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs([server], timeout=15)
        assert not alive


def test_a_server_that_was_left_behind_is_ended_by_the_next_start(tmp_path):
    code = (
        "import sys; from pathlib import Path; import local_aws.services.redshift.postgres as p; "
        "p._as_owner_was = p._as_owner; "
        "p._as_owner = lambda c: [w for w in p._as_owner_was(c) if w not in ('--pdeathsig', 'QUIT')]; "
        "s = p.PostgresServer(Path(sys.argv[1])); s.start(); print(s._process.pid, flush=True); "
        "import os; os._exit(0)"
    )
    state = tmp_path / "state"
    (state / "warehouse").mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", code, str(state / "warehouse")], capture_output=True, text=True, check=True
    )
    left = psutil.Process(int(done.stdout))
    assert left.is_running()
    with running_aws(state) as aws:
        connection = connect(aws)
        connection.close()
        assert not psutil.pid_exists(left.pid) or left.status() == psutil.STATUS_ZOMBIE
    if left.is_running():
        os.kill(left.pid, signal.SIGKILL)
