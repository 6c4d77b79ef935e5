"""From a running stage back to nothing, in steps that may be taken again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infrastructure.deployment import inventory, parameters, state
from infrastructure.deployment.chalice_command import chalice
from infrastructure.deployment.failures import DeploymentFailedError, code_of
from infrastructure.deployment.rest_api import rest_apis
from infrastructure.deployment.steps import Step
from infrastructure.provision import Stack

if TYPE_CHECKING:
    from infrastructure.deployment.lock import Lock
    from infrastructure.deployment.target import Target

DAYS_OF_GRACE = 7
"""Until a KMS key is gone for good: AWS's least."""

PAGE = 1000
"""Objects that S3 deletes in one request."""


@dataclass
class Removal:
    """The removal of a stage.

    Attributes:
        target: the stage.
        lock: keeps others away; the caller releases it.
        delete_data: whether the buckets go too, with every version of every object, and a warehouse's tables.
    """

    target: Target
    lock: Lock
    delete_data: bool

    def steps(self) -> list[Step]:
        """Return what is to be done: the reverse of a deployment."""
        look = "its events say more: aws cloudformation describe-stack-events "
        look += f"--stack-name {self.target.stack}"
        network = "look at the message and at the network"
        steps = [
            Step(name="lock", do=self.lock.take, remedy=network),
            Step(name="chalice delete", do=self._chalice, remedy=network),
            Step(name="what no record names", do=self._sweep, remedy=network),
            Step(name="runs at work", do=self._runs, remedy=network),
            Step(name="infrastructure stack", do=self._stack, remedy=look),
            Step(name="log groups", do=self._log_groups, remedy=network),
        ]
        if self.delete_data:
            steps.append(Step(name="buckets", do=self._buckets, remedy=network))
            steps.append(Step(name="warehouse", do=self._warehouse, remedy=network))
            steps.append(Step(name="KMS key", do=self._keys, remedy=network))
        return steps

    def _chalice(self) -> str:
        """Have Chalice delete what it deployed; what it cannot is left to the next step."""
        target = self.target
        state.pull(target)
        if not target.state_path.exists():
            return "it has nothing on record"
        log = target.state_path.with_name(f"{target.stage}-delete.log")
        try:
            chalice("delete", target.stage, project=target.root, environment=target.environment, log=log)
        except DeploymentFailedError as error:
            return f"{error}; the next step does it"
        state.forget(target)
        return "functions, triggers and REST API"

    def _sweep(self) -> str:
        """Delete what Chalice would have made: a failed first attempt leaves it without a record."""
        target = self.target
        swept = []
        for rule in inventory.rules(target):
            _delete_rule(target.client("events"), rule)
            swept.append(rule)
        for function in inventory.functions(target):
            target.client("lambda").delete_function(FunctionName=function)
            swept.append(function)
        for api in rest_apis(target):
            target.client("apigateway").delete_rest_api(restApiId=api)
            swept.append(f"REST API {api}")
        state.forget(target)
        return ", ".join(swept) or "there is none"

    def _runs(self) -> str:
        """Stop every run: a state machine with runs at work is deleted only once they have ended."""
        steps, stopped = self.target.client("stepfunctions"), 0
        for page in steps.get_paginator("list_state_machines").paginate():
            for machine in page["stateMachines"]:
                if self.target.owns(machine["name"]):
                    stopped += _stop_runs(steps, machine["stateMachineArn"])
        return f"{stopped} stopped"

    def _stack(self) -> str:
        stack = Stack(self.target.stack, self.target.client("cloudformation"))
        if stack.status() is None:
            return "there is none"
        if not self.delete_data and not stack.is_new():
            parameters.remember(self.target)
        stack.delete()
        return f"{self.target.stack} deleted"

    def _log_groups(self) -> str:
        """Delete the log groups that AWS made again when something wrote after the stack's were gone."""
        groups = inventory.log_groups(self.target)
        for group in groups:
            self.target.client("logs").delete_log_group(logGroupName=group)
        return f"{len(groups)} deleted" if groups else "there are none left"

    def _buckets(self) -> str:
        s3, said = self.target.client("s3"), []
        for bucket in inventory.buckets(self.target):
            count = _empty(s3, bucket)
            s3.delete_bucket(Bucket=bucket)
            said.append(f"{bucket} ({count:,} objects and versions)")
        return ", ".join(said) or "there are none"

    def _warehouse(self) -> str:
        """Delete the tables of a serverless warehouse, which outlive the stack as the buckets do."""
        names = inventory.namespaces(self.target)
        for name in names:
            self.target.client("redshift-serverless").delete_namespace(namespaceName=name)
        return ", ".join(names) or "there is none"

    def _keys(self) -> str:
        """Schedule the deletion of the key, which outlives the stack as the buckets do."""
        kms, said = self.target.client("kms"), []
        for key, its_state in inventory.keys(self.target):
            if its_state != "PendingDeletion":
                answer = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=DAYS_OF_GRACE)
                said.append(f"{key} goes on {answer['DeletionDate']:%Y-%m-%d}")
        return ", ".join(said) or "there is none"


def _delete_rule(events: Any, rule: str) -> None:
    targets = [each["Id"] for each in events.list_targets_by_rule(Rule=rule)["Targets"]]
    if targets:
        events.remove_targets(Rule=rule, Ids=targets)
    events.delete_rule(Name=rule)


def _stop_runs(steps: Any, machine: str) -> int:
    stopped = 0
    pages = steps.get_paginator("list_executions").paginate(stateMachineArn=machine, statusFilter="RUNNING")
    for page in pages:
        for run in page["executions"]:
            try:
                steps.stop_execution(
                    executionArn=run["executionArn"], error="StageDestroyed", cause="decant destroy"
                )
                stopped += 1
            except ClientError as error:
                if code_of(error) != "ExecutionDoesNotExist":  # it has just ended
                    raise
    return stopped


def _empty(s3: Any, bucket: str) -> int:
    """Delete every version of every object, every delete marker and every unfinished upload."""
    count = 0
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
        for first in range(0, len(objects), PAGE):
            answer = s3.delete_objects(
                Bucket=bucket, Delete={"Objects": objects[first : first + PAGE], "Quiet": True}
            )
            if errors := answer.get("Errors"):
                each = errors[0]
                raise DeploymentFailedError(
                    f"{bucket}: {len(errors)} objects stay, first {each['Key']}: {each['Message']}"
                )
        count += len(objects)
    return count
