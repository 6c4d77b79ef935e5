"""Tells EventBridge how a job run ended."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from moto.events.models import events_backends

if TYPE_CHECKING:
    from local_aws.services.glue.job_run import LocalJobRun

log = logging.getLogger(__name__)


def tell_event_bus(run: LocalJobRun, state: str) -> None:
    """Put `Glue Job State Change` on the default bus, if it has a rule."""
    backend = events_backends[run.account][run.region]
    bus = backend.event_buses.get("default")
    if not (bus and bus.rules):
        return
    message = str(run.document.get("ErrorMessage") or "Job run succeeded")
    detail = {
        "jobName": run.job_name,
        "severity": "INFO" if state == "SUCCEEDED" else "ERROR",
        "state": state,
        "jobRunId": run.job_run_id,
        "message": message,
    }
    event = {"Source": "aws.glue", "DetailType": "Glue Job State Change", "Detail": json.dumps(detail)}
    try:
        backend.put_events([event])
    except Exception:
        log.exception("EventBridge did not take %s", event)
