"""Where this stage's AWS resources are, read from the environment."""

from __future__ import annotations

import os

from chalicelib.errors import InvalidSettings

ACCOUNT_DIGITS = 12


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise InvalidSettings(
            f"environment variable {name} is not set; .chalice/config.json sets it per stage"
        )
    return value


def app() -> str:
    """Return the application's name, the first part of every name in the stage."""
    return _required("DECANT_APP")


def functions() -> str:
    """Return what the name of every function but the REST handler begins with."""
    return f"{app()}-{stage()}-"


def log_groups() -> str:
    """Return what the name of every function's log group begins with."""
    return f"/aws/lambda/{app()}-{stage()}"


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


def trusted_roles() -> frozenset[str]:
    """Return the ARNs of the roles in other accounts that steps may assume."""
    return frozenset(_listed("DECANT_TRUSTED_ROLES"))


def external_id(account: str) -> str | None:
    """Return the external id that an account's roles ask for, or None.

    Raises:
        InvalidSettings: the setting is not `account=id,account=id`.
    """
    pairs = [entry.partition("=") for entry in _listed("DECANT_EXTERNAL_IDS")]
    for number, sign, value in pairs:
        if not (sign and value and len(number) == ACCOUNT_DIGITS and number.isdigit()):
            raise InvalidSettings(
                "environment variable DECANT_EXTERNAL_IDS: write <12 digits>=<external id>, ..."
            )
    return next((value for number, _, value in pairs if number == account), None)


def _listed(name: str) -> list[str]:
    """Return a list's entries; a stack writes `none` for an empty one."""
    entries = [entry.strip() for entry in os.environ.get(name, "").split(",")]
    return [entry for entry in entries if entry and entry != "none"]


def state_machine(workflow: str) -> str:
    """Return the ARN of a workflow's state machine."""
    return _required("DECANT_STATE_MACHINES") + workflow


def glue_job(name: str) -> str:
    """Return the full name of a Glue job in this stage."""
    return _required("DECANT_GLUE_JOBS") + name
