"""Step Functions: moto's interpreter, mended, over executions that survive the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.stepfunctions import urls
from moto.stepfunctions.models import stepfunctions_backends

from local_aws.reality import Reality
from local_aws.services.step_functions import (
    callbacks,
    choices,
    clients,
    distributed_maps,
    intrinsics,
    iterations,
    lambda_tasks,
    paths,
    queries,
    quieting,
    service_tasks,
    waiting,
)
from local_aws.services.step_functions.engine import Engine
from local_aws.services.step_functions.responses import LocalStepFunctionsResponse
from local_aws.services.step_functions.state_machines import LocalStepFunctionsBackend, restore_all

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="Step Functions",
    executes=(
        "Executes Amazon States Language, JSONPath and JSONata, with real tasks, timers, callbacks "
        "and child executions; executions are on disk and go on after a kill."
    ),
    differs=(
        (
            "ItemBatcher, the item readers JSONL, MANIFEST and PARQUET, http:invoke and activities "
            "are refused with InvalidDefinition, and so are optimized integrations other than "
            "Lambda, SQS, SNS, DynamoDB, EventBridge, Glue, Athena, ECS, Batch, API Gateway and Step "
            "Functions itself."
        ),
        "Wait states and retry intervals pass faster by the time scale; timeouts never do.",
        (
            "After a kill, a task runs again that was in flight at the top level or had ended within the "
            "last 0.1 s; a .sync or .waitForTaskToken task goes on waiting, and its token stays valid."
        ),
        (
            "After a kill, a Map or Parallel state begins again: tokens handed out inside it are "
            "invalid, and the children of its Map Run are ABORTED and started anew."
        ),
        (
            "A redrive enters the failed top-level state again; of a Map or Parallel state it "
            "repeats every iteration and branch, where AWS repeats those that failed."
        ),
        (
            "A Distributed Map runs at most 40 children at once, all of them as STANDARD executions, "
            "and UpdateMapRun is refused."
        ),
        "History reaches its log group once a second; a kill loses the last 3 seconds of that log only.",
        "A Glue job run that was stopped fails its .sync task.",
        "Express executions are stored, so an asynchronous one goes on after a kill.",
        ("TestState refuses Map and Parallel states, and its inspection data holds the input only."),
        (
            "Without --enforce-iam a state machine may call everything, but a role that a task's Credentials "
            "name must trust the state machine's role (the external id is the state machine's ARN)."
        ),
        "X-Ray tracing and encryption configurations are stored and do nothing.",
    ),
)


def install(runtime: Runtime) -> None:
    """Let moto's Step Functions API run executions, durably."""
    callbacks.install(runtime)
    choices.install()
    clients.install(runtime)
    distributed_maps.install()
    intrinsics.install()
    iterations.install()
    lambda_tasks.install()
    paths.install()
    queries.install()
    service_tasks.install(runtime)
    quieting.install()
    waiting.install(runtime)
    LocalStepFunctionsBackend.engine = Engine(runtime)
    stepfunctions_backends.backend = LocalStepFunctionsBackend
    urls.url_paths["{0}/$"] = LocalStepFunctionsResponse.dispatch
    restore_all(LocalStepFunctionsBackend.engine)
    runtime.on_start(LocalStepFunctionsBackend.engine.start)
    runtime.on_stop(LocalStepFunctionsBackend.engine.stop)
