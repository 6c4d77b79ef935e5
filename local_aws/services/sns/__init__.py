"""SNS: every delivery in a readable outbox; queues, functions and loopback HTTP really get it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import moto.sns.models
import moto.sns.urls

from local_aws.reality import Reality
from local_aws.services.sns.backend import LocalSNSBackend, LocalTopic, use
from local_aws.services.sns.outbox import Outbox
from local_aws.services.sns.sender import Sender

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="SNS",
    executes="Each delivery is written to the outbox (GET /_aws/sns/outbox) before Publish is answered; "
    "SQS and Lambda get it through their queues, HTTP endpoints on this machine by POST with retries.",
    differs=(
        "Email, SMS, mobile push and HTTP endpoints elsewhere get nothing: the outbox is their inbox.",
        "An HTTP endpoint is confirmed at once; it still gets the SubscriptionConfirmation message.",
        "Messages are not signed: Signature is the word unsigned.",
        (
            "An HTTP delivery is tried 4 times, 20 seconds apart (sooner with a time scale); the "
            "subscription's delivery policy is stored but not followed."
        ),
        "FIFO topics keep order but don't drop duplicates; the FIFO queue behind one does.",
    ),
)


def install(runtime: Runtime) -> None:
    """Deliver through the outbox in `<directory>/sns`."""
    outbox = Outbox(runtime.path("sns", "outbox.sqlite"))
    sender = Sender(runtime, outbox)
    use(sender)
    moto.sns.models.sns_backends.backend = LocalSNSBackend
    moto.sns.models.Topic = LocalTopic  # the class that SNSBackend constructs
    runtime.serve("/_aws/sns/outbox", outbox.deliveries)
    runtime.on_start(sender.start)
    runtime.on_stop(sender.stop)
