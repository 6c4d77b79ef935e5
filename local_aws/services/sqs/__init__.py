"""SQS: every message on disk before SendMessage is answered, and no message lost between threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import moto.sqs.models

from local_aws.reality import Reality
from local_aws.services.sqs.journal import Journal, use
from local_aws.services.sqs.queue import LocalQueue, LocalSQSBackend

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="SQS",
    executes="Messages are on disk until they are deleted; visibility timeouts, delays, FIFO groups and "
    "dead-letter queues work as on AWS.",
    differs=(
        "After a restart every message that was not deleted is visible again, and its receive count is 0.",
        "Messages are delivered in order and once per visibility timeout; AWS may repeat or reorder them.",
        "A message older than the retention period is not handed out, but stays on disk until a purge.",
    ),
)


def install(runtime: Runtime) -> None:
    """Keep messages in `<directory>/sqs`."""
    journal = Journal(runtime.path("sqs", "messages.sqlite"))
    use(journal)
    moto.sqs.models.sqs_backends.backend = LocalSQSBackend
    moto.sqs.models.Queue = LocalQueue  # the class that SQSBackend constructs
    runtime.on_stop(journal.close)
