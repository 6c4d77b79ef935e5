"""Show the notices that were sent."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.rule import Rule
from rich.text import Text

from cli.errors import NoStage
from cli.output import READABLE, console, json_option, print_json
from cli.project import chosen_stage, running_stage
from cli.stage_client import stage_client, stage_name


@click.command()
@click.option("--limit", type=click.IntRange(min=1), default=5, show_default=True, help="The newest so many.")
@json_option
def notices(limit: int, *, as_json: bool) -> None:
    """Show the notices that were sent, newest last."""
    found = (_of_this_machine() if chosen_stage() == "local" else _of_aws())[-limit:]
    if as_json:
        print_json(found)
        return
    for notice in found:
        heading = Rule(Text(notice["subject"] or ""), align="left")  # its brackets are no markup
        console.print(heading, width=min(console.width, READABLE))
        console.print(words(notice["message"]), markup=False, soft_wrap=True)


def words(message: str) -> str:
    """Return a message as people read it: of a CloudWatch alarm what to do and why it rang."""
    try:
        document = json.loads(message)
    except ValueError:
        return message
    if not isinstance(document, dict) or "AlarmName" not in document:
        return message
    return f"{document['AlarmDescription']}\n\n{document['NewStateReason']}\n"


def _of_this_machine() -> list[dict[str, Any]]:
    stage = running_stage()
    if stage is None:
        raise NoStage
    return outbox(stage["endpoint_url"])


def _of_aws() -> list[dict[str, Any]]:
    """Return what the stage on AWS keeps of its notices."""
    account = stage_client("sts").get_caller_identity()["Account"]
    found = kept(stage_client("s3"), f"decant-{stage_name()}-artifacts-{account}")
    return [{**notice, "message": notice["body"]} for notice in found if not notice["folded"]]


def kept(s3: Any, bucket: str) -> list[dict[str, Any]]:
    """Return every notice that the stage wrote, oldest first: those that were sent and those folded into one.

    Args:
        s3: a client of the stage's S3.
        bucket: the artifacts bucket.
    """
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="notices/")
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    found = [json.load(s3.get_object(Bucket=bucket, Key=key)["Body"]) for key in keys]
    return sorted(found, key=lambda notice: str(notice["sent"]))


def outbox(endpoint_url: str) -> list[dict[str, Any]]:
    """Return what SNS delivered on the embedded AWS, oldest first."""
    import requests  # noqa: PLC0415 - 0.1 s that `decant --help` need not pay

    answer = requests.get(f"{endpoint_url}/_aws/sns/outbox", timeout=30).json()
    deliveries: list[dict[str, Any]] = answer["deliveries"] if isinstance(answer, dict) else answer
    return deliveries
