"""Where this stage's AWS resources are, read from the environment."""

from __future__ import annotations

import os

from chalicelib.errors import InvalidSettings


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise InvalidSettings(
            f"environment variable {name} is not set; .chalice/config.json sets it per stage"
        )
    return value


def stage() -> str:
    """Return the stage's name, such as `local` or `dev`."""
    return _required("DECANT_STAGE")


def landing_bucket() -> str:
    """Return the bucket that files land in."""
    return _required("DECANT_LANDING_BUCKET")


def curated_bucket() -> str:
    """Return the bucket that holds the Parquet files."""
    return _required("DECANT_CURATED_BUCKET")


def quarantine_bucket() -> str:
    """Return the bucket that rejected files are moved to."""
    return _required("DECANT_QUARANTINE_BUCKET")


def artifacts_bucket() -> str:
    """Return the bucket that holds plans, results and scripts."""
    return _required("DECANT_ARTIFACTS_BUCKET")


def catalog_database() -> str:
    """Return the Glue Data Catalog database of this stage."""
    return _required("DECANT_CATALOG_DATABASE")


def notices_topic() -> str:
    """Return the ARN of the SNS topic that notices go to."""
    return _required("DECANT_NOTICES_TOPIC")


def warehouse_secret() -> str:
    """Return the Secrets Manager id of the warehouse's credentials."""
    return _required("DECANT_WAREHOUSE_SECRET")


def warehouse_role() -> str:
    """Return the ARN of the role that Redshift assumes to COPY."""
    return _required("DECANT_WAREHOUSE_ROLE")


def api_tokens_secret() -> str:
    """Return the Secrets Manager id of the hashed API tokens."""
    return _required("DECANT_API_TOKENS_SECRET")


def state_machine(workflow: str) -> str:
    """Return the ARN of a workflow's state machine."""
    return _required("DECANT_STATE_MACHINES") + workflow


def glue_job(name: str) -> str:
    """Return the full name of a Glue job in this stage."""
    return _required("DECANT_GLUE_JOBS") + name
