"""S3: objects on disk, ranged reads of the range only, event notifications through queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import moto.iam.access_control
import moto.s3.models
import moto.s3.notifications
import moto.s3.urls

from local_aws.reality import Reality
from local_aws.services.s3 import storage
from local_aws.services.s3.backend import LocalS3Backend
from local_aws.services.s3.notifications import Deliveries
from local_aws.services.s3.objects import StoredKey, StoredMultipart
from local_aws.services.s3.policies import UnconditionalPolicy
from local_aws.services.s3.responses import LocalS3Response

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="S3",
    executes="Objects, versions, uploads and bucket settings live on disk and outlive a killed process; "
    "each event is put into its destination's queue before the request is answered.",
    differs=(
        "Versioning cannot be suspended once enabled: NotImplemented.",
        "A notification's destination must exist; its permission for S3 is not checked when it is named.",
        "Events arrive within milliseconds and once, where AWS takes seconds and may repeat one.",
        "Lifecycle rules, replication and storage classes are stored but move nothing.",
        (
            "A caller of another account may do what the bucket's policy allows; its own policies count with "
            "--enforce-iam alone."
        ),
        "For callers of its own account, a bucket's policy counts only where it denies unconditionally.",
        "A browser's preflight is judged by its origin; the methods and headers are left to the browser.",
        "Encryption settings are stored and returned; the bytes on disk are not encrypted.",
        "A full-object checksum of an upload in parts is computed for CRC32 only: NotImplemented otherwise.",
        "A killed process loses nothing; a power cut may lose the last moments, as files are not synced.",
    ),
)


def install(runtime: Runtime) -> None:
    """Keep S3 in `<directory>/s3` and fill moto's memory from there."""
    directory = runtime.path("s3", "objects").parent
    directory.mkdir(exist_ok=True)
    chosen = storage.Storage(directory)
    storage.use(chosen)
    moto.s3.models.FakeKey = StoredKey  # the classes that S3Backend constructs
    moto.s3.models.FakeMultipart = StoredMultipart
    moto.s3.models.s3_backends.backend = LocalS3Backend
    moto.iam.access_control.IAMPolicy = UnconditionalPolicy  # what a bucket asks about its policy
    deliveries = Deliveries(runtime)
    LocalS3Response.deliveries = deliveries
    moto.s3.notifications.send_event = deliveries.send_event
    moto.s3.notifications.send_test_event = deliveries.send_test_event
    paths = moto.s3.urls.url_paths
    paths.update({path: getattr(LocalS3Response, view.__name__) for path, view in paths.items()})
    chosen.vault.sweep(chosen.metadata.restore())
    runtime.on_stop(chosen.metadata.close)
