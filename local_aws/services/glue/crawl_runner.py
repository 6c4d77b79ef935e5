"""Runs crawls: a thread each."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local_aws.services.glue.crawler import Crawl, CrawlFailedError, CrawlStoppedError
from local_aws.services.identity.principal import ROLE

if TYPE_CHECKING:
    from local_aws.runtime import Runtime
    from local_aws.services.glue.crawler_state import LocalCrawl, LocalCrawler


SESSION = "AWS-Crawler"


class CrawlRunner:
    """Starts crawls, and tells them to stop."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stops: dict[str, threading.Event] = {}

    def start(self, crawler: LocalCrawler, crawl: LocalCrawl, account: str, region: str) -> None:
        """Crawl in a thread of its own."""
        stopped = self._stops[crawl.crawl_id] = threading.Event()
        role = crawler.role if ROLE.fullmatch(crawler.role) else ""
        caller = (region, account, role, SESSION if role else "")
        work = Crawl(
            self._runtime.client("s3", *caller),
            self._runtime.client("glue", *caller),
            crawler.as_dict(),
            stopped,
        )
        logs = self._runtime.client("logs", *caller)
        threading.Thread(
            target=self._run, args=(work, crawl, logs), name=f"crawler {crawler.name}", daemon=True
        ).start()

    def stop(self, crawl: LocalCrawl) -> None:
        """Ask a crawl to stop; it does between two files."""
        self._stops[crawl.crawl_id].set()

    def close(self) -> None:
        """Ask every crawl to stop."""
        for stopped in list(self._stops.values()):
            stopped.set()

    def _run(self, work: Crawl, crawl: LocalCrawl, logs: Any) -> None:
        status, error = "COMPLETED", None
        try:
            work.run()
        except CrawlStoppedError:
            status = "STOPPED"
        except CrawlFailedError as failure:
            status, error = "FAILED", str(failure)
        except ClientError as failure:
            status, error = "FAILED", f"Internal Service Exception: {failure}"
        except Exception as failure:
            status, error = "FAILED", f"Internal Service Exception: {failure!r}"
            raise
        finally:
            del self._stops[crawl.crawl_id]
            counts = work.counts
            crawl.counts = {
                "TablesCreated": counts.created,
                "TablesUpdated": counts.updated,
                "TablesDeleted": counts.deleted,
            }
            _log(logs, crawl, f"{status}: {crawl.counts}" + (f" {error}" if error else ""))
            crawl.end(status, error)


def _log(logs: Any, crawl: LocalCrawl, message: str) -> None:
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=crawl.log_group)
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=crawl.log_group, logStreamName=crawl.log_stream)
    event = {"timestamp": int(time.time() * 1000), "message": f"[{crawl.crawl_id}] {message}"}
    logs.put_log_events(logGroupName=crawl.log_group, logStreamName=crawl.log_stream, logEvents=[event])
