"""CloudWatch Logs in our verbs: the events of a log group that match a pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.aws.client import call, client

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Logs:
    """The log groups of this stage."""

    def matching(
        self, group: str, since: int, until: int, *, pattern: str = "", streams: Sequence[str] = ()
    ) -> Iterator[dict[str, Any]]:
        """Yield a group's events: `eventId`, `timestamp`, `message`, `logStreamName`; none without the group.

        Args:
            group: the group's name.
            since: milliseconds since 1970 of the first event.
            until: and of the last one.
            pattern: a filter pattern; it must match.
            streams: only these streams; one that is missing has no events.
        """
        logs = client("logs")
        asked: dict[str, Any] = {"logGroupName": group, "startTime": since, "endTime": until}
        asked |= {"filterPattern": pattern} if pattern else {}
        asked |= {"logStreamNames": list(streams)} if streams else {}
        while True:
            try:
                page = call(logs.filter_log_events, **asked)
            except logs.exceptions.ResourceNotFoundException:
                return
            yield from page["events"]
            if not page.get("nextToken"):
                return
            asked["nextToken"] = page["nextToken"]
