"""The clients that tasks call other services with: in this process, cached, in the role's account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import StateCredentials
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask

from local_aws.services.step_functions.mending import mend, mend_everywhere

if TYPE_CHECKING:
    from local_aws.runtime import Runtime
    from local_aws.services.step_functions.environment import LocalEnvironment


def install(runtime: Runtime) -> None:
    """Let tasks reach other services without a socket, and in another account through STS."""

    def boto_client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        if state_credentials is None:
            return runtime.client(service, region)
        return runtime.client(service, region, account_of(state_credentials.role_arn))

    def credentials(self: StateTask, env: LocalEnvironment) -> StateCredentials:
        if not self.credentials:
            return StateCredentials(role_arn=env.aws_execution_details.role_arn)
        self.credentials.eval(env=env)
        assumed: StateCredentials = env.stack.pop()
        details = env.aws_execution_details
        sts = runtime.client("sts", details.region, details.account)
        sts.assume_role(RoleArn=assumed.role_arn, RoleSessionName=env.running.record.name[:64])
        return assumed

    mend_everywhere("boto_client_for", boto_client_for)
    mend(StateTask, "_eval_state_credentials", credentials)


def account_of(arn: str) -> str:
    """Return the account in an ARN."""
    return arn.split(":")[4]
