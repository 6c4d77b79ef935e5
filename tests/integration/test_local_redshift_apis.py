"""Redshift's control plane, its Data API and awswrangler against the local warehouse."""

from __future__ import annotations

import json
import time
import uuid

import pandas as pd
import pytest
import redshift_connector
from botocore.exceptions import ClientError

from tests.integration.test_local_redshift import ROLE, connect, password, rows


@pytest.fixture
def name():
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def cluster(local_aws):
    identity = f"cluster-{uuid.uuid4().hex[:8]}"
    local_aws.client("redshift").create_cluster(
        ClusterIdentifier=identity,
        NodeType="ra3.large",
        MasterUsername="owner",
        MasterUserPassword="Owner1Password",
        DBName="sales",
    )
    return identity


def finished(client, identity):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        described = client.describe_statement(Id=identity)
        if described["Status"] in ("FINISHED", "FAILED", "ABORTED"):
            return described
    raise AssertionError(f"{identity} is still {described['Status']}")


def test_a_clusters_endpoint_user_and_database_are_the_warehouses(local_aws, cluster):
    (described,) = local_aws.client("redshift").describe_clusters(ClusterIdentifier=cluster)["Clusters"]
    assert described["Endpoint"] == {"Address": "127.0.0.1", "Port": local_aws.warehouse_port}
    connection = connect(local_aws, user="owner", password="Owner1Password", database="sales")
    assert rows(connection.cursor(), "SELECT current_user, current_database()") == [("owner", "sales")]
    connection.close()


def test_temporary_credentials_sign_in_as_the_user_they_name(local_aws, cluster):
    given = local_aws.client("redshift").get_cluster_credentials(
        ClusterIdentifier=cluster, DbUser="visitor", AutoCreate=True
    )
    assert given["DbUser"] == "IAMA:visitor"
    connection = connect(local_aws, user=given["DbUser"], password=given["DbPassword"], database="sales")
    assert rows(connection.cursor(), "SELECT current_user") == [("visitor",)]
    connection.close()
    with pytest.raises(redshift_connector.ProgrammingError, match="password authentication failed"):
        connect(local_aws, user="owner", password=given["DbPassword"], database="sales")


def test_a_statement_of_the_data_api_runs_with_its_parameters(local_aws, cluster):
    client = local_aws.client("redshift-data")
    identity = client.execute_statement(
        ClusterIdentifier=cluster,
        Sql="SELECT :n::int AS n, 'a:b %' AS t, 2.5::float8 AS f, true AS b, NULL AS z",
        Parameters=[{"name": "n", "value": "7"}],
    )["Id"]
    assert finished(client, identity)["ResultRows"] == 1
    assert client.get_statement_result(Id=identity)["Records"] == [
        [
            {"longValue": 7},
            {"stringValue": "a:b %"},
            {"doubleValue": 2.5},
            {"booleanValue": True},
            {"isNull": True},
        ]
    ]


def test_a_batch_of_the_data_api_is_one_transaction(local_aws, cluster, name):
    client = local_aws.client("redshift-data")
    good = client.batch_execute_statement(
        ClusterIdentifier=cluster, Sqls=[f"CREATE TABLE {name} (a INT)", f"INSERT INTO {name} VALUES (1)"]
    )
    assert finished(client, good["Id"])["Status"] == "FINISHED"
    bad = client.batch_execute_statement(ClusterIdentifier=cluster, Sqls=[f"DELETE FROM {name}", "SELEC 1"])
    described = finished(client, bad["Id"])
    assert described["Status"] == "FAILED"
    assert "syntax error" in described["Error"]
    counted = client.execute_statement(ClusterIdentifier=cluster, Sql=f"SELECT count(*) FROM {name}")["Id"]
    finished(client, counted)
    assert client.get_statement_result(Id=counted)["Records"] == [[{"longValue": 1}]]


def test_a_statement_of_the_data_api_can_be_cancelled(local_aws, cluster):
    client = local_aws.client("redshift-data")
    identity = client.execute_statement(ClusterIdentifier=cluster, Sql="SELECT pg_sleep(60)")["Id"]
    client.cancel_statement(Id=identity)
    assert finished(client, identity)["Status"] == "ABORTED"


def test_a_statement_for_an_unknown_cluster_is_refused(local_aws):
    with pytest.raises(ClientError, match="Redshift endpoint doesn't exist"):
        local_aws.client("redshift-data").execute_statement(ClusterIdentifier="none", Sql="SELECT 1")


def test_a_serverless_workgroup_is_the_same_warehouse(local_aws):
    client = local_aws.client("redshift-serverless")
    name = f"wg-{uuid.uuid4().hex[:8]}"
    client.create_namespace(namespaceName=name, dbName="serverless_sales")
    made = client.create_workgroup(workgroupName=name, namespaceName=name)["workgroup"]
    assert made["endpoint"]["port"] == local_aws.warehouse_port
    given = client.get_credentials(workgroupName=name)
    connection = connect(
        local_aws, user=given["dbUser"], password=given["dbPassword"], database="serverless_sales"
    )
    connection.close()
    with pytest.raises(ClientError, match="NotImplemented"):
        client.list_snapshots()


@pytest.fixture
def wrangler(local_aws, monkeypatch, name):
    for variable, value in local_aws.environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("SSL_CERT_FILE", str(local_aws.directory / "ca.pem"))
    secret = {
        "engine": "redshift",
        "host": "127.0.0.1",
        "port": local_aws.warehouse_port,
        "username": "awsuser",
        "password": password(local_aws),
        "dbname": "dev",
    }
    local_aws.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(secret))
    local_aws.client("s3").create_bucket(Bucket=f"bucket-{name}")
    awswrangler = pytest.importorskip("awswrangler")
    connection = awswrangler.redshift.connect(secret_id=name)
    yield awswrangler, connection, f"s3://bucket-{name}"
    connection.close()


def test_awswrangler_appends_overwrites_upserts_and_unloads(wrangler, name):
    awswrangler, connection, bucket = wrangler
    target = {"con": connection, "table": name, "schema": "public", "iam_role": ROLE}

    def table():
        query = f"SELECT * FROM public.{name} ORDER BY id"
        return awswrangler.redshift.read_sql_query(query, con=connection).to_numpy().tolist()

    frame = pd.DataFrame({"id": [1, 2], "name": ["a", "ç"]})
    awswrangler.redshift.copy(frame, path=f"{bucket}/stage/", mode="overwrite", primary_keys=["id"], **target)
    awswrangler.redshift.copy(frame, path=f"{bucket}/stage/", mode="append", **target)
    assert len(table()) == 4
    for method in ("drop", "cascade", "truncate", "delete"):
        awswrangler.redshift.copy(
            frame,
            path=f"{bucket}/stage/",
            mode="overwrite",
            overwrite_method=method,
            primary_keys=["id"],
            **target,
        )
        assert table() == [[1, "a"], [2, "ç"]]
    changed = pd.DataFrame({"id": [2, 3], "name": ["b", "c"]})
    awswrangler.redshift.copy(changed, path=f"{bucket}/stage/", mode="upsert", lock=True, **target)
    assert table() == [[1, "a"], [2, "b"], [3, "c"]]
    awswrangler.s3.to_parquet(changed, f"{bucket}/files/x.parquet", index=False)
    awswrangler.redshift.copy_from_files(path=f"{bucket}/files/", mode="append", **target)
    assert len(table()) == 5
    unloaded = awswrangler.redshift.unload(
        f"SELECT * FROM public.{name} ORDER BY id", path=f"{bucket}/out/", con=connection, iam_role=ROLE
    )
    assert unloaded["id"].tolist() == [1, 2, 2, 3, 3]


def test_awswrangler_writes_and_reads_by_sql(wrangler, name):
    awswrangler, connection, _ = wrangler
    frame = pd.DataFrame({"id": [1, 2], "v": [1.5, None]})
    awswrangler.redshift.to_sql(
        frame, con=connection, table=name, schema="public", mode="overwrite", index=False
    )
    read = awswrangler.redshift.read_sql_table(name, con=connection, schema="public")
    assert read["id"].tolist() == [1, 2]
    assert read["v"].isna().tolist() == [False, True]
