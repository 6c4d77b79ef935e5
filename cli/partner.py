"""The second account of a local stage: a partner with a bucket, a Glue job and roles that trust the stage."""

from __future__ import annotations

import functools
from typing import Any

from cli.local_stage import STAGE
from cli.partner_names import ACCOUNT, BUCKET, EXTERNAL_ID
from cli.project import root
from cli.stage_client import client


def environment(stage: dict[str, str]) -> dict[str, str]:
    """Return the variables that lead AWS clients to the partner's account of the same embedded AWS."""
    return {**stage, "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": ACCOUNT}


def clients(stage: dict[str, str]) -> Any:
    """Return what gives boto3 clients of the partner's account."""
    return functools.cache(functools.partial(client, environment(stage)))


def connect(stage: dict[str, str], *, external_id: str = EXTERNAL_ID) -> dict[str, str]:
    """Make both sides; with another external id than the stage's, the roles refuse the stage."""
    from infrastructure.partner import let_in, set_up  # noqa: PLC0415 - imports boto3

    ours = functools.cache(functools.partial(client, stage))
    name = f"decant-{STAGE}"
    let_in(ours, stage=name, bucket=BUCKET, account=ACCOUNT)
    return set_up(
        clients(stage),
        stage=name,
        decant_account=ours("sts").get_caller_identity()["Account"],
        bucket=BUCKET,
        external_id=external_id,
        root=root(),
    )
