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
    executes="Real Amazon States Language executions, kept on disk and continued after a kill.",
    differs=(),
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
