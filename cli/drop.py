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
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--pipeline", help="The pipeline that is to take them.")
@click.option("--under", metavar="PREFIX", help="Where a batch is to find them, such as batch/orders/.")
@click.option("--name", help="The name in the bucket of a single file; its own by default.")
@json_option
def drop(
    files: tuple[Path, ...], pipeline: str | None, under: str | None, name: str | None, *, as_json: bool
) -> None:
    """Put files where their pipeline, or a batch, picks them up."""
    if (pipeline is None) == (under is None):
        raise click.UsageError("write --pipeline, for the pipeline's own place, or --under PREFIX")
    if name and len(files) > 1:
        raise click.UsageError("--name is for a single file")
    folder, following = (_folder_of(pipeline)) if pipeline else (_folder(under or ""), "")
    bucket = landing_bucket()
    put = [upload(file, bucket, folder + (name or file.name)) for file in files]
    if as_json:
        print_json(put if len(put) > 1 else put[0])
        return
    for each in put:
        console.print(f"s3://{bucket}/{each['key']} landed", markup=False, soft_wrap=True)
    if following:
        console.print(following, markup=False, soft_wrap=True)


def _folder_of(pipeline: str) -> tuple[str, str]:
    """Return where a pipeline's files land, and what to do next."""
    found = service().get(f"/pipelines/{pipeline}")
    folder = found["landing_prefix"] or found["reads"]
    if folder is None:
        raise Failure(f"pipeline {pipeline}: it takes no files; start it with: decant runs start {pipeline}")
    what = f"list --pipeline {pipeline}" if found["kind"] == "file" else f"start {pipeline}"
    return folder, f"{_NEXT[found['kind']]}: decant runs {what}"


def _folder(under: str) -> str:
    """Return the folder of a batch's files."""
    if not under.startswith("batch/") or under == "batch/":
        raise Failure(
            f"--under {under!r}: files that a batch gathers lie in a folder of batch/: batch/orders/"
        )
    return under if under.endswith("/") else under + "/"


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
