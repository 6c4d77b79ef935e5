"""The Step Functions API: state machines as moto has them, executions as the engine runs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions.models import stepfunctions_backends
from moto.stepfunctions.responses import StepFunctionResponse

from local_aws.services.step_functions import definitions, paging, state_tests
from local_aws.services.step_functions.errors import (
    InvalidArn,
    InvalidOutput,
    ResourceNotFound,
    StateMachineTypeNotSupported,
    ValidationException,
)
from local_aws.services.step_functions.names import PAYLOAD_LIMIT
from local_aws.services.step_functions.record import EXPRESS, STANDARD, Record, moment
from local_aws.services.step_functions.state_machines import LocalStepFunctionsBackend

if TYPE_CHECKING:
    from local_aws.services.step_functions.engine import Engine

STATUSES = frozenset({"RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"})
REDRIVE_FILTERS = {"REDRIVEN": "redrive_count > 0", "NOT_REDRIVEN": "redrive_count = 0"}
SYNC_SECONDS = 300.0  # AWS ends a synchronous Express execution after five minutes
CHANGING = (
    "create_state_machine_alias",
    "update_state_machine_alias",
    "delete_state_machine_alias",
    "tag_resource",
    "untag_resource",
)

Plain = tuple[int, dict[str, str], bytes]
"""A status, headers and a body."""


class LocalStepFunctionsResponse(StepFunctionResponse):
    """Answers the requests of the Step Functions API."""

    @property
    def stepfunction_backend(self) -> LocalStepFunctionsBackend:
        """The state machines of the request's account and region."""
        backend: Any = stepfunctions_backends[self.current_account][self.region]
        return backend

    @property
    def engine(self) -> Engine:
        """Where executions run."""
        return LocalStepFunctionsBackend.engine

    def start_execution(self) -> ActionResult:
        """Start an execution; it is stored before this returns."""
        record = self._begun()
        return ActionResult({"executionArn": record.arn, "startDate": moment(record.start)})

    def start_sync_execution(self) -> Plain:
        """Run an Express execution to its end."""
        if self.stepfunction_backend.startable(self._given("stateMachineArn"))[0].type != EXPRESS:
            raise StateMachineTypeNotSupported(
                "This operation is not supported by this type of state machine"
            )
        record = self.engine.wait(self._begun().arn, SYNC_SECONDS)
        if record.status == "RUNNING":
            record = self.engine.stop_execution(record.arn, "States.Timeout", None)
        shown = record.described()
        if shown["status"] == "ABORTED":
            shown["status"] = "TIMED_OUT"
        return _plain(shown | {"billingDetails": {"billedMemoryUsedInMB": 64}})

    def _begun(self) -> Record:
        machine, alias = self.stepfunction_backend.startable(self._given("stateMachineArn"))
        origin = {"alias_arn": alias, "trace_header": self._get_param("traceHeader")}
        return self.engine.begin(machine, self._get_param("name"), self._get_param("input") or "{}", **origin)

    def describe_execution(self) -> Plain:
        """Describe an execution, running or closed."""
        return _plain(self._standard(self._given("executionArn")).described())

    def stop_execution(self) -> ActionResult:
        """End a running execution as ABORTED, at once."""
        record = self._standard(self._given("executionArn"))
        record = self.engine.stop_execution(record.arn, self._get_param("error"), self._get_param("cause"))
        return ActionResult({"stopDate": moment(record.stop or record.start)})

    def redrive_execution(self) -> ActionResult:
        """Restart an execution that failed from the state that it failed in."""
        record = self.engine.redrive(self._standard(self._given("executionArn")).arn)
        return ActionResult({"redriveDate": moment(record.redrive_date or 0.0)})

    def describe_state_machine_for_execution(self) -> ActionResult:
        """Describe the state machine as it was when the execution started."""
        record = self._standard(self._given("executionArn"))
        shown = {
            "stateMachineArn": record.machine_arn,
            "name": record.machine_name,
            "definition": record.definition,
            "roleArn": record.role_arn,
            "updateDate": moment(record.start),
            "loggingConfiguration": record.logging,
        }
        return ActionResult(shown | ({"mapRunArn": record.map_run_arn} if record.map_run_arn else {}))

    def get_execution_history(self) -> ActionResult:
        """Return a page of an execution's history."""
        record = self._standard(self._given("executionArn"))
        page = paging.Page.of(self._get_param("nextToken"), self._get_param("maxResults"), record.arn)
        events = self.engine.journal.history(
            record.id, page.limit + 1, page.offset, reverse=self._get_param("reverseOrder") or False
        )
        with_data = self._get_param("includeExecutionData") is not False
        shown = [_shown(event, with_data=with_data) for event in events[: page.limit]]
        return ActionResult({"events": shown} | page.next_token(len(events)))

    def list_executions(self) -> Plain:
        """List executions of a state machine or of a Map Run, newest first."""
        machine_arn, map_run_arn = self._get_param("stateMachineArn"), self._get_param("mapRunArn")
        if bool(machine_arn) == bool(map_run_arn):
            raise ValidationException("Exactly one of 'stateMachineArn' and 'mapRunArn' is required")
        conditions = ["map_run_arn = ?"] if map_run_arn else [*self._of_machine(machine_arn)]
        values = [map_run_arn or machine_arn]
        status = self._get_param("statusFilter")
        if status:
            _one_of("statusFilter", status, STATUSES)
            conditions.append("status = ?")
            values.append(status)
        redriven = self._get_param("redriveFilter")
        if redriven:
            _one_of("redriveFilter", redriven, frozenset(REDRIVE_FILTERS))
            conditions.append(REDRIVE_FILTERS[redriven])
        page = paging.Page.of(
            self._get_param("nextToken"), self._get_param("maxResults"), str([*values, redriven])
        )
        found, last = self.engine.journal.listed(
            " AND ".join(conditions), tuple(values), page.limit, page.after
        )
        return _plain({"executions": found} | page.token_after(last))

    def _of_machine(self, arn: str) -> list[str]:
        machine, alias = self.stepfunction_backend.startable(arn)
        if machine.type == EXPRESS:
            raise StateMachineTypeNotSupported(
                "This operation is not supported by this type of state machine"
            )
        if alias:
            return ["alias_arn = ?"]
        column = "version_arn" if hasattr(machine, "source_arn") else "machine_arn"
        return [f"{column} = ?", "map_run_arn IS NULL"]

    def send_task_success(self) -> ActionResult:
        """End the task of a token with an output."""
        output = self._given("output")
        if len(output.encode()) > PAYLOAD_LIMIT:
            raise InvalidOutput(f"Invalid Output: it exceeds {PAYLOAD_LIMIT} bytes")
        try:
            json.loads(output)
        except ValueError as error:
            raise InvalidOutput(f"Invalid Output: '{error}'") from error
        self.engine.tokens.waiting(self._given("taskToken")).end({"output": output})
        return EmptyResult()

    def send_task_failure(self) -> ActionResult:
        """End the task of a token with an error."""
        failure = {"error": self._get_param("error"), "cause": self._get_param("cause")}
        self.engine.tokens.waiting(self._given("taskToken")).end(failure)
        return EmptyResult()

    def send_task_heartbeat(self) -> ActionResult:
        """Say that the task of a token is alive."""
        self.engine.tokens.waiting(self._given("taskToken")).heartbeat()
        return EmptyResult()

    def describe_map_run(self) -> ActionResult:
        """Describe a Map Run."""
        arn = self._given("mapRunArn")
        live = self.engine.map_runs.get(arn)
        runs = [live.described()] if live else self.engine.journal.map_runs("arn", arn)
        if not runs:
            raise ResourceNotFound(f"Resource not found: '{arn}'")
        return ActionResult(_dated(runs[0]))

    def list_map_runs(self) -> ActionResult:
        """List the Map Runs of an execution."""
        record = self._standard(self._given("executionArn"))
        names = ("executionArn", "mapRunArn", "stateMachineArn", "startDate", "stopDate")
        runs = self.engine.journal.map_runs("execution_arn", record.arn)
        return ActionResult(
            {"mapRuns": [{k: v for k, v in _dated(run).items() if k in names} for run in runs]}
        )

    def update_map_run(self) -> ActionResult:
        """Refuse: a Map Run's limits are read when it starts."""
        raise ValidationException("UpdateMapRun: this embedded AWS reads a Map Run's limits when it starts")

    def validate_state_machine_definition(self) -> ActionResult:
        """Say what is wrong with a definition."""
        found = definitions.diagnose(self._given("definition"), self._get_param("type") or STANDARD)
        limit = self._get_int_param("maxResults") or 100
        diagnostics = [
            {"severity": "ERROR", "code": fault.code, "message": fault.message, "location": fault.location}
            for fault in found
        ]
        result = {"result": "FAIL" if found else "OK", "diagnostics": diagnostics[:limit]}
        return ActionResult(result | {"truncated": len(found) > limit})

    def test_state(self) -> ActionResult:
        """Run one state with an input, outside any state machine."""
        return ActionResult(
            state_tests.outcome(
                self.engine,
                account=self.current_account,
                region=self.region,
                definition=self._given("definition"),
                document=self._get_param("input") or "{}",
                role_arn=self._get_param("roleArn"),
                level=self._get_param("inspectionLevel") or "INFO",
                variables=self._get_param("variables"),
            )
        )

    def publish_state_machine_version(self) -> ActionResult:
        """Publish a state machine as its next version."""
        version = self.stepfunction_backend.published(
            self._given("stateMachineArn"), self._get_param("description")
        )
        return ActionResult({"creationDate": version.creation_date, "stateMachineVersionArn": version.arn})

    def list_state_machine_versions(self) -> ActionResult:
        """List the versions of a state machine, newest first."""
        machine = self.stepfunction_backend.describe_state_machine(self._given("stateMachineArn"))
        page = paging.Page.of(self._get_param("nextToken"), self._get_param("maxResults"), machine.arn)
        newest_first = sorted(machine.versions.values(), key=lambda version: -version.version)[page.offset :]
        shown = [
            {"stateMachineVersionArn": version.arn, "creationDate": version.creation_date}
            for version in newest_first[: page.limit]
        ]
        return ActionResult({"stateMachineVersions": shown} | page.next_token(len(newest_first)))

    def delete_state_machine_version(self) -> ActionResult:
        """Delete one version of a state machine."""
        arn = self._given("stateMachineVersionArn")
        source, _, number = arn.rpartition(":")
        machine = self.stepfunction_backend.describe_state_machine(source)
        machine.versions.pop(int(number) if number.isnumeric() else 0, None)
        self.stepfunction_backend.save()
        return EmptyResult()

    def get_activity_task(self) -> ActionResult:
        """Refuse: activities don't run here."""
        raise ValidationException("GetActivityTask: this embedded AWS does not run activities")

    def create_activity(self) -> ActionResult:
        """Refuse: activities don't run here."""
        raise ValidationException("CreateActivity: this embedded AWS does not run activities")

    def _standard(self, arn: str) -> Record:
        if ":express:" in arn:
            raise InvalidArn(f"Invalid Arn: 'Resource type not valid in this context: {arn}'")
        self.stepfunction_backend._validate_execution_arn(arn)  # noqa: SLF001 - moto's rule for ARNs
        return self.engine.find(arn)

    def _given(self, name: str) -> str:
        value = self._get_param(name)
        if not isinstance(value, str) or not value:
            wrong = f"1 validation error detected: Value at '{name}' failed to satisfy constraint"
            raise ValidationException(f"{wrong}: Member must not be null")
        return value


def _then_save(name: str) -> Any:
    """Return moto's answer to `name`, given once the change is stored."""

    def answer(self: LocalStepFunctionsResponse) -> ActionResult:
        result: ActionResult = getattr(StepFunctionResponse, name)(self)
        self.stepfunction_backend.save()
        return result

    answer.__name__ = name
    answer.__doc__ = f"Answer {name} once the change is stored."
    return answer


for _name in CHANGING:
    setattr(LocalStepFunctionsResponse, _name, _then_save(_name))


def _plain(document: dict[str, Any]) -> Plain:
    """Return an answer that is written already: moto's serialiser takes 0.2 s for a page of a thousand."""
    return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(document).encode()


def _one_of(name: str, value: str, allowed: frozenset[str]) -> None:
    if value not in allowed:
        raise ValidationException(
            f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(sorted(allowed))}]"
        )


def _shown(event: dict[str, Any], *, with_data: bool) -> dict[str, Any]:
    event["timestamp"] = moment(event["timestamp"])
    if with_data:
        return event
    hidden = {"input", "output", "parameters"}
    for key, details in event.items():
        if key.endswith("EventDetails"):
            event[key] = {name: value for name, value in details.items() if name not in hidden}
    return event


def _dated(run: dict[str, Any]) -> dict[str, Any]:
    dates = {key: moment(run[key]) for key in ("startDate", "stopDate", "redriveDate") if run.get(key)}
    return run | dates
