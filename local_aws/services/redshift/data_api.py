"""The Redshift Data API: statements that really run, in the background, and keep their result."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import moto.redshiftdata.urls
import psycopg
from moto.core.responses import ActionResult
from moto.redshift.models import redshift_backends
from moto.redshiftdata.exceptions import ResourceNotFoundException, ValidationException
from moto.redshiftdata.models import RedshiftDataAPIServiceBackend, redshiftdata_backends
from moto.redshiftdata.responses import RedshiftDataAPIServiceResponse
from psycopg.adapt import Loader

from local_aws.services.redshift import administration
from local_aws.services.redshift.defaults import DATABASE, MASTER_USER
from local_aws.services.redshift.masking import Masked
from local_aws.services.redshift.serverless import workgroup_database

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from local_aws.runtime import Runtime

RESULT_ROWS_PER_PAGE = 1000
MOST_STATEMENTS = 40  # of one batch, as in AWS
KEPT_STATEMENTS = 10_000  # the oldest results are forgotten beyond this
_PARAMETER = re.compile(r"(?<!:):([A-Za-z_]\w*)")
_AS_TEXT = (
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "numeric",
    "json",
    "jsonb",
    "uuid",
)
_LONG, _DOUBLE, _BOOLEAN = {20, 21, 23, 26}, {700, 701}, {16}
_TYPE_NAMES = {
    16: "bool", 20: "int8", 21: "int2", 23: "int4", 25: "text", 700: "float4", 701: "float8", 1042: "bpchar",
    1043: "varchar", 1082: "date", 1114: "timestamp", 1184: "timestamptz", 1700: "numeric", 3802: "super",
    17: "varbyte",
}  # fmt: skip
ENDED = frozenset({"FINISHED", "FAILED", "ABORTED"})


@dataclass
class Result:
    """The rows of one statement in the Data API's form."""

    columns: list[dict[str, Any]]
    records: list[list[dict[str, Any]]]
    size: int


@dataclass
class Run:
    """One statement or batch."""

    id: str
    statements: list[str]
    parameters: list[dict[str, str]]
    where: dict[str, str]  # the request's ClusterIdentifier, WorkgroupName, Database, DbUser, SecretArn
    name: str | None
    batch: bool
    token: str | None
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    status: str = "SUBMITTED"
    error: str | None = None
    process: int = 0
    duration: float = 0.0
    affected: list[int] = field(default_factory=list)
    results: list[Result | None] = field(default_factory=list)
    connection: psycopg.Connection | None = None

    def part(self, number: int) -> dict[str, Any]:
        """Return what DescribeStatement says about one statement of a batch."""
        done = number < len(self.affected)
        result = self.results[number] if done else None
        status = (
            "FINISHED" if done else "FAILED" if number == len(self.affected) and self.error else "SUBMITTED"
        )
        if self.status == "ABORTED" or (not done and number > len(self.affected) and self.error):
            status = "ABORTED"
        return {
            "Id": f"{self.id}:{number + 1}",
            "QueryString": self.statements[number],
            "Status": status,
            "HasResultSet": result is not None,
            "ResultRows": self.affected[number] if done else -1,
            "ResultSize": result.size if result else -1,
            "RedshiftQueryId": 0,
            "CreatedAt": self.created,
            "UpdatedAt": self.updated,
            "Duration": int(self.duration * 1e9),
            **({"Error": self.error} if status == "FAILED" else {}),
        }

    def described(self) -> dict[str, Any]:
        """Return what DescribeStatement says."""
        result = self.results[-1] if self.results else None
        told: dict[str, Any] = {
            **self.where,
            "Id": self.id,
            "Status": self.status,
            "CreatedAt": self.created,
            "UpdatedAt": self.updated,
            "Duration": int(self.duration * 1e9),
            "HasResultSet": any(one is not None for one in self.results),
            "RedshiftPid": self.process,
            "RedshiftQueryId": 0,
            "ResultRows": self.affected[-1] if self.affected else -1,
            "ResultSize": result.size if result else -1,
        }
        if self.error:
            told["Error"] = self.error
        if self.parameters:
            told["QueryParameters"] = self.parameters
        if self.batch:
            told["SubStatements"] = [self.part(number) for number in range(len(self.statements))]
        else:
            told["QueryString"] = self.statements[0]
        return told


class Runs:
    """Every statement of one account and region, in memory: AWS too keeps them for a day only."""

    def __init__(self) -> None:
        self._by_id: dict[str, Run] = {}
        self._by_token: dict[str, Run] = {}
        self._lock = threading.Lock()

    def submit(self, run: Run) -> Run:
        """Start a statement; the same client token gives the one that has been started."""
        with self._lock:
            if run.token and run.token in self._by_token:
                return self._by_token[run.token]
            self._by_id[run.id] = run
            if run.token:
                self._by_token[run.token] = run
            while len(self._by_id) > KEPT_STATEMENTS:
                self._by_id.pop(next(iter(self._by_id)))
        threading.Thread(target=_carry_out, args=(run,), name=f"statement {run.id}", daemon=True).start()
        return run

    def find(self, identity: str) -> tuple[Run, int | None]:
        """Return a statement, and which part of it a number behind a colon names."""
        whole, _, number = identity.partition(":")
        run = self._by_id.get(whole)
        if run is None or (number and not 0 < int(number) <= len(run.statements)):
            raise ResourceNotFoundException
        return run, int(number) - 1 if number else None

    def newest_first(self) -> Iterator[Run]:
        """Return every statement."""
        return reversed(list(self._by_id.values()))


_runs: dict[tuple[str, str], Runs] = {}  # outside moto's backend, which is pickled
_runs_lock = threading.Lock()


class LocalRedshiftDataBackend(RedshiftDataAPIServiceBackend):
    """moto's backend, whose statements are run."""

    @property
    def _url_module(self) -> ModuleType:
        return moto.redshiftdata.urls

    @property
    def runs(self) -> Runs:
        """The statements of this account and region."""
        with _runs_lock:
            return _runs.setdefault((self.account_id, self.region_name), Runs())


class LocalRedshiftDataResponse(RedshiftDataAPIServiceResponse):
    """The Data API's actions."""

    @property
    def _runs(self) -> Runs:
        backend: Any = redshiftdata_backends[self.current_account][self.region]
        return backend.runs

    def execute_statement(self) -> ActionResult:
        """Start one statement."""
        return self._submitted([self._required("Sql")], batch=False)

    def batch_execute_statement(self) -> ActionResult:
        """Start several statements in one transaction."""
        statements = self._required("Sqls")
        if not 0 < len(statements) <= MOST_STATEMENTS:
            raise ValidationException(f"Sqls must hold 1 to {MOST_STATEMENTS} statements")
        return self._submitted(statements, batch=True)

    def describe_statement(self) -> ActionResult:
        """Say how far a statement is."""
        run, part = self._runs.find(self._identity())
        return ActionResult(run.described() if part is None else run.part(part))

    def get_statement_result(self) -> ActionResult:
        """Return a page of a statement's rows."""
        run, part = self._runs.find(self._identity())
        result = run.results[part or 0] if len(run.results) > (part or 0) else None
        if run.status != "FINISHED" or result is None:
            raise ResourceNotFoundException
        first = int(self._get_param("NextToken") or 0)
        after = first + RESULT_ROWS_PER_PAGE
        answer: dict[str, Any] = {
            "ColumnMetadata": result.columns,
            "Records": result.records[first:after],
            "TotalNumRows": len(result.records),
        }
        if after < len(result.records):
            answer["NextToken"] = str(after)
        return ActionResult(answer)

    def cancel_statement(self) -> ActionResult:
        """Stop a statement that runs."""
        run, _ = self._runs.find(self._identity())
        if run.status in ENDED:
            raise ValidationException(
                f"Could not cancel a query that is already in {run.status} state with ID: {run.id}"
            )
        run.status = "ABORTED"
        if run.connection is not None:
            run.connection.cancel()
        return ActionResult({"Status": True})

    def list_statements(self) -> ActionResult:
        """List statements, newest first."""
        status, name = self._get_param("Status"), self._get_param("StatementName")
        found = [
            _summary(run)
            for run in self._runs.newest_first()
            if (not status or status in ("ALL", run.status))
            and (not name or (run.name or "").startswith(name))
        ]
        first = int(self._get_param("NextToken") or 0)
        after = first + int(self._get_param("MaxResults") or 100)
        answer: dict[str, Any] = {"Statements": found[first:after]}
        if after < len(found):
            answer["NextToken"] = str(after)
        return ActionResult(answer)

    def list_databases(self) -> ActionResult:
        """List the warehouse's databases."""
        rows = self._rows(
            "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1"
        )
        return ActionResult({"Databases": [name for (name,) in rows]})

    def list_schemas(self) -> ActionResult:
        """List a database's schemas."""
        pattern = self._get_param("SchemaPattern") or "%"
        rows = self._rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE %s ORDER BY 1", pattern)
        return ActionResult({"Schemas": [name for (name,) in rows]})

    def list_tables(self) -> ActionResult:
        """List a database's tables and views."""
        rows = self._rows(
            "SELECT table_schema, table_name, "
            "CASE table_type WHEN 'BASE TABLE' THEN 'TABLE' ELSE table_type END "
            "FROM information_schema.tables WHERE table_schema LIKE %s AND table_name LIKE %s ORDER BY 1, 2",
            self._get_param("SchemaPattern") or "%",
            self._get_param("TablePattern") or "%",
        )
        return ActionResult({"Tables": [{"schema": s, "name": n, "type": t} for s, n, t in rows]})

    def describe_table(self) -> ActionResult:
        """List a table's columns."""
        rows = self._rows(
            "SELECT column_name, udt_name, is_nullable, column_default, character_maximum_length, "
            "numeric_precision, numeric_scale, table_schema FROM information_schema.columns "
            "WHERE table_schema LIKE %s AND table_name = %s ORDER BY ordinal_position",
            self._get_param("Schema") or "%",
            self._required("Table"),
        )
        columns = [
            {
                "name": name, "label": name, "typeName": kind, "nullable": int(nullable == "YES"),
                "columnDefault": default, "length": length or 0, "precision": precision or length or 0,
                "scale": scale or 0, "schemaName": schema, "tableName": self._get_param("Table"),
            }
            for name, kind, nullable, default, length, precision, scale, schema in rows
        ]  # fmt: skip
        return ActionResult({"ColumnList": columns, "TableName": self._get_param("Table")})

    def _submitted(self, statements: list[str], *, batch: bool) -> ActionResult:
        run = Run(
            id=str(uuid.uuid4()),
            statements=statements,
            parameters=self._get_param("Parameters") or [],
            where=self._where(),
            name=self._get_param("StatementName"),
            batch=batch,
            token=self._get_param("ClientToken"),
        )
        run = self._runs.submit(run)
        return ActionResult({**run.where, "Id": run.id, "CreatedAt": run.created})

    def _where(self) -> dict[str, str]:
        """Return where the request wants to go.

        Raises:
            ValidationException: there is no such cluster or workgroup.
        """
        names = ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn")
        where = {name: value for name in names if (value := self._get_param(name))}
        cluster, workgroup = where.get("ClusterIdentifier"), where.get("WorkgroupName")
        if bool(cluster) == bool(workgroup):
            raise ValidationException("Exactly one of ClusterIdentifier and WorkgroupName is needed")
        if cluster:
            clusters = redshift_backends[self.current_account][self.region].clusters
            if cluster not in clusters:
                raise ValidationException("Redshift endpoint doesn't exist in this region.")
            where.setdefault("Database", clusters[cluster].db_name)
        else:
            where.setdefault("Database", workgroup_database(workgroup or "") or DATABASE)
            if workgroup_database(workgroup or "") is None:
                raise ValidationException("Redshift endpoint doesn't exist in this region.")
        return where

    def _rows(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        where = self._where()
        try:
            with _connected(where) as connection:
                return connection.execute(statement, values).fetchall()
        except psycopg.Error as error:
            raise ValidationException(f"FATAL: {error}") from error

    def _identity(self) -> str:
        identity = self._required("Id")
        if not re.fullmatch(r"[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\d+)?", identity):
            raise ValidationException(
                "id must satisfy regex pattern: ^[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\\d+)?$"
            )
        return str(identity)

    def _required(self, name: str) -> Any:
        value = self._get_param(name)
        if not value:
            raise ValidationException(f"{name} is missing")
        return value


def install(runtime: Runtime) -> None:
    """Have moto's Data API run statements."""
    _secrets[:] = [runtime]
    redshiftdata_backends.backend = LocalRedshiftDataBackend
    paths = moto.redshiftdata.urls.url_paths
    paths.update(dict.fromkeys(paths, LocalRedshiftDataResponse.dispatch))


_secrets: list[Runtime] = []


class _Text(Loader):
    """A value as PostgreSQL writes it."""

    def load(self, data: Any) -> str:
        return bytes(data).decode()


def _connected(where: dict[str, str]) -> psycopg.Connection:
    user, password = where.get("DbUser", MASTER_USER), None
    if "SecretArn" in where:
        answer = _secrets[0].client("secretsmanager").get_secret_value(SecretId=where["SecretArn"])
        secret = json.loads(answer["SecretString"])
        user, password = secret["username"], secret["password"]
    connection = administration.connected(user, where["Database"], password)
    for kind in _AS_TEXT:
        connection.adapters.register_loader(kind, _Text)
    return connection


def _carry_out(run: Run) -> None:
    began = time.monotonic()
    try:
        if run.status != "ABORTED":
            run.status = "STARTED"
            with _connected(run.where) as connection:
                run.connection, run.process = connection, connection.info.backend_pid
                _run_all(run, connection)
        ended = "ABORTED" if run.status == "ABORTED" else "FINISHED"
    except Exception as error:  # noqa: BLE001 - whatever went wrong is the statement's outcome
        ended = "ABORTED" if run.status == "ABORTED" else "FAILED"
        run.error = _words(error)
    run.connection = None
    run.duration, run.updated = time.monotonic() - began, time.time()
    run.status = ended


def _run_all(run: Run, connection: psycopg.Connection) -> None:
    if not run.batch:
        _run_one(run, connection, run.statements[0])
        return
    with connection.transaction():
        for statement in run.statements:
            _run_one(run, connection, statement)


def _run_one(run: Run, connection: psycopg.Connection, statement: str) -> None:
    text, values = _bound(statement, run.parameters)
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        result = _result(cursor) if cursor.description is not None else None
        run.results.append(result)
        run.affected.append(cursor.rowcount)


def _bound(statement: str, parameters: Sequence[dict[str, str]]) -> tuple[str, dict[str, str] | None]:
    """Return the statement with psycopg's placeholders for the Data API's :names."""
    if not parameters:
        return statement, None
    masked = Masked(statement)
    text = _PARAMETER.sub(lambda found: f"%({found[1]})s", masked.text.replace("%", "%%"))
    parts = Masked(statement.replace("%", "%%"))  # psycopg reads % inside strings too
    return parts.restored(text), {one["name"]: one["value"] for one in parameters}


def _result(cursor: psycopg.Cursor) -> Result:
    assert cursor.description is not None
    columns = [
        {
            "name": column.name,
            "label": column.name,
            "typeName": _TYPE_NAMES.get(column.type_code, "varchar"),
            "nullable": 1,
            "isSigned": column.type_code in _LONG | _DOUBLE | {1700},
            "isCaseSensitive": column.type_code in {25, 1042, 1043},
            "isCurrency": False,
            "precision": column.precision or column.display_size or 0,
            "scale": column.scale or 0,
            "length": column.display_size or 0,
        }
        for column in cursor.description
    ]
    types = [column.type_code for column in cursor.description]
    records = [[_field(value, kind) for value, kind in zip(row, types, strict=True)] for row in cursor]
    size = sum(len(str(value)) for record in records for one in record for value in one.values())
    return Result(columns, records, size)


def _field(value: Any, kind: int) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    if kind in _BOOLEAN:
        return {"booleanValue": value}
    if kind in _LONG:
        return {"longValue": value}
    if kind in _DOUBLE:
        return {"doubleValue": value}
    if isinstance(value, bytes):
        return {"stringValue": value.hex()}
    return {"stringValue": str(value)}


def _summary(run: Run) -> dict[str, Any]:
    told: dict[str, Any] = {
        "Id": run.id,
        "Status": run.status,
        "CreatedAt": run.created,
        "UpdatedAt": run.updated,
        "IsBatchStatement": run.batch,
        "QueryStrings": run.statements,
        "QueryString": run.statements[0],
    }
    if run.name:
        told["StatementName"] = run.name
    return told


def _words(error: Exception) -> str:
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        detail = f"\n  Detail: {error.diag.message_detail}" if error.diag.message_detail else ""
        return f"ERROR: {error.diag.message_primary}{detail}"
    return f"ERROR: {error}"
