"""What a local stage knows of its partner's account, whether it has been made or not."""

from __future__ import annotations

ACCOUNT = "210987654321"
BUCKET = f"partner-orders-{ACCOUNT}"
EXTERNAL_ID = "decant-local-7f3a"


def _role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


PARAMETERS = {
    "TrustedSourceRoles": _role("decant-reader"),
    "TrustedGlueRoles": _role("decant-job-runner"),
    "TrustedReceiptRoles": _role("decant-receipts"),
    "CuratedWriters": _role("decant-partner-job"),
    "ExternalIds": f"{ACCOUNT}={EXTERNAL_ID}",
}
"""The local stage's parameters: roles that do not exist until the partner makes them harm nobody."""
