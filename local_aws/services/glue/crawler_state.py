"""What GetCrawler and ListCrawls say about a crawler and its crawls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from moto.glue.models import FakeCrawler

LAST_CRAWL = {"COMPLETED": "SUCCEEDED", "STOPPED": "CANCELLED", "FAILED": "FAILED"}
LOST = "Internal Service Exception: the embedded AWS ended during the crawl; start it again."


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class LocalCrawl:
    """One crawl: RUNNING, STOPPING, then COMPLETED, STOPPED or FAILED."""

    def __init__(self, crawler: str) -> None:
        self.crawl_id = str(uuid4())
        self.log_group = "/aws-glue/crawlers"
        self.log_stream = crawler
        self.message_prefix = self.crawl_id
        self.start_time = _now()
        self.end_time: datetime | None = None
        self.status = "RUNNING"
        self.error: str | None = None
        self.counts = {"TablesCreated": 0, "TablesUpdated": 0, "TablesDeleted": 0}

    def advance(self) -> None:
        """Do nothing: only the crawl itself moves on. moto calls this when it lists crawls."""

    def end(self, status: str, error: str | None = None) -> None:
        """Enter a final status."""
        self.end_time, self.error = _now(), error
        self.status = status

    @property
    def seconds(self) -> float:
        """How long the crawl took, or has taken so far."""
        return ((self.end_time or _now()) - self.start_time).total_seconds()

    def as_dict(self) -> dict[str, Any]:
        """Return the crawl as ListCrawls does."""
        document: dict[str, Any] = {
            "CrawlId": self.crawl_id,
            "State": "RUNNING" if self.status == "STOPPING" else self.status,
            "StartTime": self.start_time,
            "DPUHour": 0.0,
            "LogGroup": self.log_group,
            "LogStream": self.log_stream,
            "MessagePrefix": self.message_prefix,
        }
        if self.end_time:
            document["EndTime"] = self.end_time
        if self.error:
            document["ErrorMessage"] = self.error
        return document


class LocalCrawler(FakeCrawler):
    """A crawler whose LastCrawl is the last crawl that ended."""

    crawls: list[Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the crawler as GetCrawler does."""
        document: dict[str, Any] = super().as_dict()
        document.pop("LastCrawl", None)
        if self.crawls and self.crawls[-1].end_time is None:
            document["CrawlElapsedTime"] = int(self.crawls[-1].seconds * 1000)
        if ended := [crawl for crawl in self.crawls if crawl.end_time]:
            last = ended[-1]
            document["LastCrawl"] = {
                "Status": LAST_CRAWL[last.status],
                "StartTime": last.start_time,
                "LogGroup": last.log_group,
                "LogStream": last.log_stream,
                "MessagePrefix": last.message_prefix,
            } | ({"ErrorMessage": last.error} if last.error else {})
        return document

    def metrics(self) -> dict[str, Any]:
        """Return the crawler's part of GetCrawlerMetrics."""
        ended = [crawl for crawl in self.crawls if crawl.end_time]
        seconds = sorted(crawl.seconds for crawl in ended)
        counts = ended[-1].counts if ended else LocalCrawl("").counts
        return {
            "CrawlerName": self.name,
            "StillEstimating": self.status == "RUNNING" and not ended,
            "TimeLeftSeconds": 0.0,
            "LastRuntimeSeconds": ended[-1].seconds if ended else 0.0,
            "MedianRuntimeSeconds": seconds[len(seconds) // 2] if seconds else 0.0,
        } | counts

    def recover(self) -> None:
        """Fail the crawl that was under way when the process ended."""
        for crawl in self.crawls:
            if crawl.end_time is None:
                crawl.end("FAILED", LOST)
