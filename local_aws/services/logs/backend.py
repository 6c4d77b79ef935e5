"""moto's log groups; lines in the embedded metric format become metrics as they come in."""

from __future__ import annotations

from typing import Any

import moto.logs.urls
from moto.logs.models import LogsBackend

from local_aws.services.cloudwatch import recorder as metrics


class LocalLogsBackend(LogsBackend):
    """All log groups of one account and region."""

    @property
    def _url_module(self) -> Any:
        return moto.logs.urls

    def put_log_events(
        self, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]
    ) -> tuple[str, dict[str, Any]]:
        """Keep the events, and take their metrics: parsing is left to another thread."""
        answer = super().put_log_events(log_group_name, log_stream_name, log_events)
        lines = [event["message"] for event in log_events]
        metrics.note_lines(self.account_id, self.region_name, lines)
        return answer
