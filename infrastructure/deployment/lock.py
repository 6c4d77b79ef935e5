"""An object in the artifacts bucket that keeps two people from changing a stage at once."""

from __future__ import annotations

import getpass
import json
import platform
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infrastructure.deployment.failures import DeploymentFailedError, code_of

if TYPE_CHECKING:
    from infrastructure.deployment.target import Target

KEY = "deployment/lock.json"
TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


class Lock:
    """The stage's lock; whoever writes the object first has it.

    Args:
        target: the stage.
        what: what it is taken for: deploy or destroy.
        take_over: take it from whoever has it, once that one is known to be dead.
    """

    def __init__(self, target: Target, what: str, *, take_over: bool = False) -> None:
        self._s3 = target.client("s3")
        self._bucket = target.artifacts_bucket
        self._stage = target.stage
        self._what = what
        self._take_over = take_over
        self._id = uuid.uuid4().hex
        self._held = False

    def take(self) -> str:
        """Take the lock, unless it is held here or there is no bucket yet, and say so.

        Raises:
            DeploymentFailedError: somebody else has it.
        """
        if self._held:
            return "held"
        condition: dict[str, str] = {"IfNoneMatch": "*"}
        found = self._read()
        if found and self._take_over:
            condition = {"IfMatch": found[0]}
        note = {
            "id": self._id,
            "who": f"{getpass.getuser()}@{platform.node()}",
            "what": self._what,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            self._s3.put_object(Bucket=self._bucket, Key=KEY, Body=json.dumps(note).encode(), **condition)
        except ClientError as error:
            if code_of(error) == "NoSuchBucket":
                return "there is no artifacts bucket yet"
            if code_of(error) in TAKEN:
                raise self._taken(self._read()) from error
            raise
        self._held = True
        return f"taken over from {found[1]['who']}" if found else "taken"

    def release(self) -> None:
        """Give the lock back, if it is still ours."""
        if not self._held:
            return
        self._held = False
        found = self._read()
        if found and found[1].get("id") == self._id:
            self._s3.delete_object(Bucket=self._bucket, Key=KEY)

    def _read(self) -> tuple[str, dict[str, Any]] | None:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=KEY)
        except ClientError as error:
            if code_of(error) in {"NoSuchKey", "NoSuchBucket", "404"}:
                return None
            raise
        with answer["Body"] as body:
            return str(answer["ETag"]), json.loads(body.read())

    def _taken(self, found: tuple[str, dict[str, Any]] | None) -> DeploymentFailedError:
        if found is None:
            return DeploymentFailedError("somebody else has just changed this stage", "try again")
        note = found[1]
        minutes = (datetime.now(UTC) - datetime.fromisoformat(note["since"])).total_seconds() / 60
        doing = {"deploy": "deploys", "destroy": "destroys"}.get(note["what"], note["what"])
        return DeploymentFailedError(
            f"{note['who']} {doing} stage {self._stage} since {note['since']} ({minutes:.0f} min ago)",
            "wait until that has ended; if it is dead: "
            f"decant {self._what} --stage {self._stage} --take-over",
        )
