"""The clients that tasks call other services with: in this process, cached, in the role's account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ParamValidationError
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import StateCredentials
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask

from local_aws.services.identity.principal import ROLE
from local_aws.services.step_functions.mending import mend, mend_everywhere

if TYPE_CHECKING:
    from local_aws.runtime import Runtime
    from local_aws.services.step_functions.environment import LocalEnvironment


LONGEST_SESSION_NAME = 64
SESSION = "states"


def install(runtime: Runtime) -> None:
    """Let tasks reach other services without a socket, and in another account through STS."""

    def boto_client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        if state_credentials is None:
            return runtime.client(service, region)
        return client_of(runtime, service, region, state_credentials)

    def credentials(self: StateTask, env: LocalEnvironment) -> StateCredentials:
        if not self.credentials:
            return StateCredentials(role_arn=env.aws_execution_details.role_arn)
        self.credentials.eval(env=env)
        assumed: StateCredentials = env.stack.pop()
        record = env.running.record
        sts = client_of(runtime, "sts", record.region, StateCredentials(role_arn=record.role_arn))
        try:
            # Step Functions gives the state machine's ARN as the external id.
            sts.assume_role(
                RoleArn=assumed.role_arn,
                RoleSessionName=record.name[:LONGEST_SESSION_NAME],
                ExternalId=record.machine_arn,
            )
        except (ClientError, ParamValidationError) as error:
            cause = (
                f"The role {record.role_arn} is not authorized to assume the task state's role, "
                f"{assumed.role_arn}."
            )
            raise FailureEventException(_not_assumed(env, cause)) from error
        return assumed

    mend_everywhere("boto_client_for", boto_client_for)
    mend(StateTask, "_eval_state_credentials", credentials)


def client_of(runtime: Runtime, service: str, region: str, credentials: StateCredentials) -> Any:
    """Return the client that a task calls a service with: as its role, in the role's account."""
    role = credentials.role_arn
    session = SESSION if ROLE.fullmatch(role) else ""
    return runtime.client(service, region, account_of(role), role if session else "", session)


def _not_assumed(env: LocalEnvironment, cause: str) -> FailureEvent:
    error = StatesErrorNameType.StatesTaskFailed
    details = {"error": error.to_name(), "cause": cause}
    return FailureEvent(
        env=env,
        error_name=StatesErrorName(typ=error),
        event_type=HistoryEventType.TaskFailed,
        event_details={"taskFailedEventDetails": details},
    )


def account_of(arn: str) -> str:
    """Return the account in an ARN."""
    return arn.split(":")[4]
