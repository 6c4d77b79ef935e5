"""moto's Athena backend with queries that run; what it pickles holds neither threads nor connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.athena import urls
from moto.athena.models import AthenaBackend

from local_aws.services.athena.catalogue import Catalogue
from local_aws.services.athena.execution import Execution
from local_aws.services.athena.failure import InvalidRequestException, MetadataException
from local_aws.services.athena.objects import as_folder, split_uri
from local_aws.services.athena.results import read_rows
from local_aws.services.athena.statement import Kind, kind_of, parsed, without_comments_before

if TYPE_CHECKING:
    from types import ModuleType

    from local_aws.runtime import Runtime
    from local_aws.services.athena.catalogue import Table
    from local_aws.services.athena.runner import Runner
    from local_aws.services.identity.principal import Principal

_LONGEST_QUERY = 262_144  # bytes, AWS's limit
_CATALOGUE = "AwsDataCatalog"
_CACHED_RESULTS = 8  # a client that pages asks for the same result again and again


class Engine:
    """What backends share and must not pickle; set by install()."""

    runtime: Runtime
    runner: Runner
    pages: dict[str, list[list[str | None]]]


class LocalAthenaBackend(AthenaBackend):
    """Athena in one account and region."""

    @property
    def _url_module(self) -> ModuleType:
        # moto derives it from the class's module, which is not its own here.
        return urls

    @property
    def place(self) -> str:
        """Where its executions are kept."""
        return f"{self.account_id}/{self.region_name}"

    def start_query(self, request: dict[str, Any], caller: Principal) -> str:
        """Queue a query and return its id; it reads and writes as the caller.

        Raises:
            InvalidRequestException: no such workgroup, no output location, or no such statement.
        """
        query = request.get("QueryString") or ""
        token = request.get("ClientRequestToken")
        earlier = Engine.runner.store.with_token(self.place, token) if token else None
        if earlier is not None:
            if earlier.query != query:
                raise InvalidRequestException("Idempotent parameters do not match")
            return earlier.id
        if len(query.encode()) > _LONGEST_QUERY:
            raise InvalidRequestException(f"The query is longer than {_LONGEST_QUERY} bytes")
        workgroup = self._workgroup(request.get("WorkGroup") or "primary")
        result, cutoff = self._result_configuration(workgroup, request.get("ResultConfiguration") or {})
        kind = kind_of(query)
        if kind.name == "CREATE_TABLE_AS_SELECT" and workgroup.configuration.get(
            "EnforceWorkGroupConfiguration"
        ):
            _refuse_location(query)
        _check_syntax(query, kind, request.get("ExecutionParameters") or [])
        context = request.get("QueryExecutionContext") or {}
        execution = Execution(
            query=query,
            account=self.account_id,
            region=self.region_name,
            database=(context.get("Database") or "").strip('`"'),
            catalog=context.get("Catalog") or _CATALOGUE,
            workgroup=workgroup.name,
            statement_type=kind.type,
            substatement_type=kind.name,
            kind=kind.result,
            result=result,
            output="",
            role=caller.role,
            session=caller.session,
            parameters=request.get("ExecutionParameters") or [],
            token=token,
            cutoff=cutoff,
        )
        folder = as_folder(result["OutputLocation"])
        ending = {"rows": ".csv", "text": ".txt", "files": ""}[kind.result]
        below = "tables/" if kind.name == "CREATE_TABLE_AS_SELECT" else ""
        execution.output = f"{folder}{below}{execution.id}{ending}"
        Engine.runner.submit(execution)
        return execution.id

    def execution(self, execution_id: str) -> Execution:
        """Return one execution.

        Raises:
            InvalidRequestException: there is none.
        """
        found = Engine.runner.store.find(self.place, execution_id)
        if found is None:
            raise InvalidRequestException(f"QueryExecution {execution_id} was not found")
        return found

    def executions_of(self, workgroup: str, offset: int, limit: int) -> list[str]:
        """Return ids of a workgroup's executions, newest first."""
        return Engine.runner.store.newest(self.place, self._workgroup(workgroup).name, offset, limit)

    def stop_query_execution(self, exec_id: str) -> None:
        """Cancel a query."""
        self.execution(exec_id)
        Engine.runner.stop(exec_id)

    def rows(self, execution: Execution, caller: Principal) -> list[list[str | None]]:
        """Return all rows of a result as text.

        Raises:
            InvalidRequestException: the query has not succeeded, or its result is gone.
        """
        if execution.state in ("FAILED", "CANCELLED"):
            raise InvalidRequestException(
                f"Query did not finish successfully. Final query state: {execution.state}"
            )
        if execution.state != "SUCCEEDED":
            raise InvalidRequestException(f"Query has not yet finished. Current state: {execution.state}")
        page = f"{execution.id} {caller.role}"
        if page not in Engine.pages:
            while len(Engine.pages) >= _CACHED_RESULTS:
                Engine.pages.pop(next(iter(Engine.pages)))
            s3 = Engine.runtime.client("s3", self.region_name, self.account_id, caller.role, caller.session)
            Engine.pages[page] = read_rows(s3, execution)
        return Engine.pages[page]

    def catalogue(self, name: str) -> Catalogue:
        """Return the Data Catalog under its name in Athena.

        Raises:
            MetadataException: it is another catalogue.
        """
        if name.lower() != _CATALOGUE.lower():
            raise MetadataException(f"Catalog {name} is not supported: only {_CATALOGUE} is")
        return Catalogue(Engine.runtime.client("glue", self.region_name, self.account_id))

    def table_metadata(self, catalog: str, database: str, name: str) -> Table:
        """Return one table.

        Raises:
            MetadataException: there is none.
        """
        table = self.catalogue(catalog).table(database.lower(), name.lower())
        if table is None:
            raise MetadataException(f"Entity Not Found (Table {name} of database {database})")
        return table

    def update_work_group(
        self, name: str, description: str | None, state: str | None, updates: dict[str, Any]
    ) -> None:
        """Change a workgroup's configuration."""
        workgroup = self._workgroup(name)
        if description is not None:
            workgroup.description = description
        if state is not None:
            workgroup.state = state
        configuration = workgroup.configuration
        result = dict(configuration.get("ResultConfiguration") or {})
        result_updates = updates.pop("ResultConfigurationUpdates", {})
        if updates.pop("RemoveBytesScannedCutoffPerQuery", False):
            configuration.pop("BytesScannedCutoffPerQuery", None)
        for key, value in result_updates.items():
            if key.startswith("Remove"):
                if value:
                    result.pop(key.removeprefix("Remove"), None)
            else:
                result[key] = value
        configuration |= updates | {"ResultConfiguration": result}

    def _workgroup(self, name: str) -> Any:
        if name not in self.work_groups:
            raise InvalidRequestException(f"WorkGroup {name} is not found.")
        workgroup = self.work_groups[name]
        if workgroup.state == "DISABLED":
            raise InvalidRequestException(f"WorkGroup {name} is disabled.")
        return workgroup

    def _result_configuration(
        self, workgroup: Any, given: dict[str, Any]
    ) -> tuple[dict[str, Any], int | None]:
        configuration = workgroup.configuration
        own = configuration.get("ResultConfiguration") or {}
        if (configuration.get("ManagedQueryResultsConfiguration") or {}).get("Enabled"):
            raise InvalidRequestException("The embedded Athena does not support managed query results")
        result = own if configuration.get("EnforceWorkGroupConfiguration") else own | given
        location = result.get("OutputLocation")
        if not location:
            raise InvalidRequestException(
                "No output location provided. An output location is required either through the Workgroup"
                " result configuration setting or as an API input."
            )
        bucket = location.removeprefix("s3://").partition("/")[0]
        s3 = Engine.runtime.client("s3", self.region_name, self.account_id)
        if not location.startswith("s3://") or not _exists(s3, bucket):
            raise InvalidRequestException(f"Unable to verify/create output bucket {bucket}")
        split_uri(location)
        return dict(result), configuration.get("BytesScannedCutoffPerQuery")


def _exists(s3: Any, bucket: str) -> bool:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - beside its only use

    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:
        return False
    return True


def _refuse_location(query: str) -> None:
    """Refuse CREATE TABLE AS with a place of its own where the workgroup says where results go."""
    from local_aws.services.athena.failure import QueryFailedError  # noqa: PLC0415 - beside its only use
    from local_aws.services.athena.write_statements import named_location  # noqa: PLC0415 - as above

    try:
        location = named_location(without_comments_before(query))
    except QueryFailedError:
        return  # a statement that cannot be read fails as an execution, in other words
    if location is not None:
        raise InvalidRequestException(
            "The Create Table As Select query failed because it was submitted with an 'external_location'"
            " property to an Athena Workgroup that enforces a centralized output location for all queries."
            " Please remove the 'external_location' property and resubmit the query."
        )


def _check_syntax(query: str, kind: Kind, parameters: list[str]) -> None:
    """Refuse a query with a syntax error before it has an id, as Athena does; DDL fails as an execution."""
    from local_aws.services.athena.failure import QueryFailedError  # noqa: PLC0415 - beside its only use
    from local_aws.services.athena.statement import bound  # noqa: PLC0415 - as above

    if kind.name not in ("SELECT", "INSERT"):
        return
    sql = without_comments_before(query)
    try:
        if parameters:
            sql = bound(sql, parameters)
        parsed(sql)
    except QueryFailedError as error:
        if error.name:
            return  # a number of parameters that does not fit is found when the query runs
        raise InvalidRequestException(str(error), "MALFORMED_QUERY") from error
