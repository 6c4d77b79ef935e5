"""Put a file where its pipeline picks it up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.errors import Failure
from cli.output import console, json_option, print_json
from cli.service import service
from cli.stage_client import stage_client, stage_name

_NEXT = {"file": "see its run", "batch": "it waits for the next run; start one"}


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--pipeline", required=True, help="The pipeline that is to take it.")
@click.option("--name", help="Its name in the bucket; the file's own by default.")
@json_option
def drop(file: Path, pipeline: str, name: str | None, *, as_json: bool) -> None:
    """Put a file where its pipeline picks it up."""
    found = service().get(f"/pipelines/{pipeline}")
    folder = found["landing_prefix"] or found["reads"]
    if folder is None:
        raise Failure(f"pipeline {pipeline}: it takes no files; start it with: decant runs start {pipeline}")
    key = folder + (name or file.name)
    put = upload(file, landing_bucket(), key)
    if as_json:
        print_json(put)
        return
    console.print(f"s3://{put['bucket']}/{key} landed", markup=False, soft_wrap=True)
    what = f"list --pipeline {pipeline}" if found["kind"] == "file" else f"start {pipeline}"
    console.print(f"{_NEXT[found['kind']]}: decant runs {what}", markup=False, soft_wrap=True)


def landing_bucket() -> str:
    """Return the landing bucket of the stage that the command talks to."""
    account = stage_client("sts").get_caller_identity()["Account"]
    return f"decant-{stage_name()}-landing-{account}"


def upload(file: Path, bucket: str, key: str) -> dict[str, Any]:
    """Upload a file and return what S3 knows it by."""
    from boto3.exceptions import S3UploadFailedError  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - botocore takes 0.2 s

    s3 = stage_client("s3")
    try:
        s3.upload_file(str(file), bucket, key)
        head = s3.head_object(Bucket=bucket, Key=key)
    except (BotoCoreError, ClientError, S3UploadFailedError) as error:
        raise Failure(f"{file}: {error}") from error
    return {"bucket": bucket, "key": key, "etag": head["ETag"].strip('"'), "version": head.get("VersionId")}
