"""Sets of imports; what each one imports stands inside it."""

from __future__ import annotations

import os

os.environ.setdefault("DECANT_LANDING_BUCKET", "landing")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")


def app() -> None:
    """Import app.py, as every function does."""
    import app  # noqa: F401


def app_with_client() -> None:
    """Import app.py and make the client that file_landed needs."""
    import app  # noqa: F401
    from chalicelib.aws.client import client

    client("stepfunctions")


def chalice_and_boto3() -> None:
    """Import the two libraries that every tutorial imports."""
    import boto3  # noqa: F401
    import chalice  # noqa: F401


def everything() -> None:
    """Import what a tutorial's app.py has at its top."""
    import awswrangler  # noqa: F401
    import boto3  # noqa: F401
    import chalice  # noqa: F401
    import pandas as pd  # noqa: F401
    import redshift_connector  # noqa: F401
