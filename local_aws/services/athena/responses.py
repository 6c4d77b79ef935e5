"""Athena's API over the backend: what moto lacks or answers with constants."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from moto.athena.responses import AthenaResponse

from local_aws.services.athena.failure import InvalidRequestException, MetadataException
from local_aws.services.identity.principal import of_headers

if TYPE_CHECKING:
    from local_aws.services.athena.backend import LocalAthenaBackend
    from local_aws.services.athena.catalogue import Table
    from local_aws.services.identity.principal import Principal

_MOST_ROWS = 1000
_MOST_IDS = 50


class LocalAthenaResponse(AthenaResponse):
    """Every action here answers JSON; the rest is moto's."""

    @property
    def backend(self) -> LocalAthenaBackend:
        """The backend of the request's account and region."""
        return cast("LocalAthenaBackend", self.athena_backend)

    @property
    def request(self) -> dict[str, Any]:
        """The request's body."""
        return cast("dict[str, Any]", json.loads(self.body or "{}"))

    @property
    def _caller(self) -> Principal:
        return of_headers(self.headers, self.current_account)

    def start_query_execution(self) -> str:
        """StartQueryExecution."""
        return json.dumps({"QueryExecutionId": self.backend.start_query(self.request, self._caller)})

    def get_query_execution(self) -> str:
        """GetQueryExecution."""
        execution = self.backend.execution(self.request["QueryExecutionId"])
        return json.dumps({"QueryExecution": execution.described()})

    def batch_get_query_execution(self) -> str:
        """BatchGetQueryExecution."""
        found, missing = [], []
        for each in self.request["QueryExecutionIds"]:
            try:
                found.append(self.backend.execution(each).described())
            except InvalidRequestException as error:
                missing.append(_unprocessed("QueryExecutionId", each, error.message))
        return json.dumps({"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing})

    def list_query_executions(self) -> str:
        """ListQueryExecutions, newest first."""
        offset, limit = self._page(_MOST_IDS)
        workgroup = self.request.get("WorkGroup") or "primary"
        ids = self.backend.executions_of(workgroup, offset, limit + 1)
        return json.dumps({"QueryExecutionIds": ids[:limit]} | _next(offset, limit, len(ids) > limit))

    def stop_query_execution(self) -> str:
        """StopQueryExecution."""
        self.backend.stop_query_execution(self.request["QueryExecutionId"])
        return "{}"

    def get_query_results(self) -> str:
        """GetQueryResults: the first page of a SELECT begins with the column names."""
        execution = self.backend.execution(self.request["QueryExecutionId"])
        rows = self.backend.rows(execution, self._caller)
        offset, limit = self._page(_MOST_ROWS)
        page = [
            {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
            for row in rows[offset : offset + limit]
        ]
        answer: dict[str, Any] = {
            "ResultSet": {"Rows": page, "ResultSetMetadata": {"ColumnInfo": execution.columns}},
        }
        if execution.update_count is not None:
            answer["UpdateCount"] = execution.update_count
        elif execution.kind != "rows":
            answer["UpdateCount"] = 0
        return json.dumps(answer | _next(offset, limit, len(rows) > offset + limit))

    def get_query_runtime_statistics(self) -> str:
        """GetQueryRuntimeStatistics, without the stages of a distributed plan."""
        execution = self.backend.execution(self.request["QueryExecutionId"])
        rows = {
            "InputBytes": execution.scanned,
            "OutputRows": execution.output_rows,
            "OutputBytes": execution.output_bytes,
        }
        return json.dumps({"QueryRuntimeStatistics": {"Timeline": execution.timeline(), "Rows": rows}})

    def get_work_group(self) -> str:
        """GetWorkGroup."""
        name = self.request["WorkGroup"]
        found = self.backend.get_work_group(name)
        if found is None:
            raise InvalidRequestException(f"WorkGroup {name} is not found.")
        return json.dumps({"WorkGroup": found})

    def update_work_group(self) -> str:
        """UpdateWorkGroup."""
        given = self.request
        self.backend.update_work_group(
            given["WorkGroup"],
            given.get("Description"),
            given.get("State"),
            given.get("ConfigurationUpdates") or {},
        )
        return "{}"

    def get_named_query(self) -> str:
        """GetNamedQuery."""
        return json.dumps({"NamedQuery": self._named_query(self.request["NamedQueryId"])})

    def batch_get_named_query(self) -> str:
        """BatchGetNamedQuery."""
        found, missing = [], []
        for each in self.request["NamedQueryIds"]:
            try:
                found.append(self._named_query(each))
            except InvalidRequestException as error:
                missing.append(_unprocessed("NamedQueryId", each, error.message))
        return json.dumps({"NamedQueries": found, "UnprocessedNamedQueryIds": missing})

    def delete_named_query(self) -> str:
        """DeleteNamedQuery."""
        self._named_query(self.request["NamedQueryId"])
        del self.backend.named_queries[self.request["NamedQueryId"]]
        return "{}"

    def get_prepared_statement(self) -> str:
        """GetPreparedStatement."""
        name, workgroup = self.request["StatementName"], self.request["WorkGroup"]
        if self.backend.get_prepared_statement(name, workgroup) is None:
            raise InvalidRequestException(f"PreparedStatement {name} was not found in workGroup {workgroup}")
        answer: str = super().get_prepared_statement()
        return answer

    def get_database(self) -> str:
        """GetDatabase, from the Data Catalog."""
        name = self.request["DatabaseName"]
        found = self.backend.catalogue(self.request["CatalogName"]).database(name.lower())
        if found is None:
            raise MetadataException(f"Database {name} not found. (Error Code: EntityNotFoundException)")
        return json.dumps({"Database": _database(found)})

    def list_databases(self) -> str:
        """ListDatabases, from the Data Catalog."""
        found = self.backend.catalogue(self.request["CatalogName"]).databases()
        offset, limit = self._page(_MOST_IDS)
        page = [_database(each) for each in found[offset : offset + limit]]
        return json.dumps({"DatabaseList": page} | _next(offset, limit, len(found) > offset + limit))

    def get_table_metadata(self) -> str:
        """GetTableMetadata, from the Data Catalog."""
        given = self.request
        table = self.backend.table_metadata(given["CatalogName"], given["DatabaseName"], given["TableName"])
        return json.dumps({"TableMetadata": _table(table)})

    def list_table_metadata(self) -> str:
        """ListTableMetadata, from the Data Catalog."""
        given = self.request
        found = self.backend.catalogue(given["CatalogName"]).tables(given["DatabaseName"].lower())
        offset, limit = self._page(_MOST_IDS)
        page = [_table(each) for each in found[offset : offset + limit]]
        return json.dumps({"TableMetadataList": page} | _next(offset, limit, len(found) > offset + limit))

    def _named_query(self, query_id: str) -> dict[str, Any]:
        found = self.backend.get_named_query(query_id)
        if found is None:
            raise InvalidRequestException(f"NamedQuery {query_id} was not found")
        return {
            "Name": found.name,
            "Description": found.description or "",
            "Database": found.database,
            "QueryString": found.query_string,
            "NamedQueryId": found.id,
            "WorkGroup": found.workgroup.name,
        }

    def _page(self, most: int) -> tuple[int, int]:
        token = self.request.get("NextToken") or "0"
        if not token.isdigit():
            raise InvalidRequestException("NextToken is malformed")
        return int(token), min(int(self.request.get("MaxResults") or most), most)


def _next(offset: int, limit: int, more: bool) -> dict[str, str]:
    return {"NextToken": str(offset + limit)} if more else {}


def _unprocessed(field: str, value: str, message: str) -> dict[str, str]:
    return {field: value, "ErrorCode": "INVALID_INPUT", "ErrorMessage": message}


def _database(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "Name": found["Name"],
        "Description": found.get("Description", ""),
        "Parameters": found.get("Parameters") or {},
    }


def _table(table: Table) -> dict[str, Any]:
    library, parameters = table.serde
    serde = {f"serde.param.{name}": value for name, value in parameters.items()}
    storage = {
        "location": table.location,
        "inputformat": table.storage.get("InputFormat", ""),
        "outputformat": table.storage.get("OutputFormat", ""),
        "serde.serialization.lib": library,
    }
    return {
        "Name": table.name,
        "TableType": table.document.get("TableType", ""),
        "Columns": [_column(each) for each in table.columns],
        "PartitionKeys": [_column(each) for each in table.keys],
        "Parameters": dict(table.properties) | storage | serde,
    }


def _column(column: dict[str, str]) -> dict[str, str]:
    return {key: column[key] for key in ("Name", "Type", "Comment") if column.get(key)}
