"""The newest executions of each workflow, read once for everything that looks back over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib import pipelines, settings

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.aws.step_functions import StepFunctions

PAGE = 1000
"""Executions that one request returns, by AWS's limit."""

MOST_PAGES = 10
"""Requests for one workflow: 10,000 executions. What is older than those is left to the next look."""


class RecentRuns:
    """Executions as Step Functions lists them, newest first; those that a run started as a part are left out.

    Args:
        states: Step Functions.
        since: executions that began before are left out.
    """

    def __init__(self, states: StepFunctions, since: datetime) -> None:
        self._states, self._since = states, since
        self._read: dict[str, list[dict[str, Any]]] = {}

    def of_workflow(self, workflow: str) -> list[dict[str, Any]]:
        """Return the executions of a workflow."""
        if workflow not in self._read:
            self._read[workflow] = list(self._rows(workflow))
        return self._read[workflow]

    def of_pipeline(self, name: str) -> list[dict[str, Any]]:
        """Return the executions of a pipeline."""
        workflow = pipelines.named(name).workflow
        return [row for row in self.of_workflow(workflow) if row["name"].partition("-")[0] == name]

    def _rows(self, workflow: str) -> list[dict[str, Any]]:
        machine, token = settings.state_machine(workflow), None
        rows: list[dict[str, Any]] = []
        for _ in range(MOST_PAGES):
            page, token = self._states.page(machine, status=None, limit=PAGE, token=token)
            rows += [row for row in page if row["startDate"] >= self._since and is_own(row["name"], workflow)]
            if not token or not page or page[-1]["startDate"] < self._since:
                break
        return rows


def is_own(run: str, workflow: str) -> bool:
    """Tell whether a workflow's execution is a run, and no part that a run of another workflow started."""
    pipeline = pipelines.every().get(run.partition("-")[0])
    return pipeline is not None and pipeline.workflow == workflow


def workflows() -> list[str]:
    """Return the workflows that pipelines name."""
    return sorted({pipeline.workflow for pipeline in pipelines.every().values()})
