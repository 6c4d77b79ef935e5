"""What the steps do in a run where all goes well."""

from __future__ import annotations

from typing import Any

VALID: dict[str, Any] = {
    "valid": True,
    "tolerated": False,
    "rows": 5,
    "good_rows": 5,
    "bad_rows": 0,
    "flags": [],
    "approval": {"needed": False, "why": [], "expires_seconds": 0, "heartbeat_seconds": 0},
    "reject_file": None,
    "route": "lambda",
    "reason": None,
    "source": {"bucket": "b", "key": "k"},
}
"""What ValidateFile says of a small file without a bad row."""

GOOD: dict[str, list[dict[str, Any]]] = {
    "validate_file": [VALID],
    "keep_good_rows": [{"file": {"bucket": "b", "key": "good_rows/k"}, "rows": 4}],
    "transform_file": [{"rows": 5}],
    "start_glue_job": [{"job": "j", "job_run": "jr", "started_at": 1.0}],
    "check_glue_job": [{"done": True, "succeeded": True, "wait_seconds": 5, "error": "", "cause": ""}],
    "catalogue": [{"load": True, "rows": 5}],
    "copy_to_redshift": [{"rows": 5, "already": False}],
}
"""What each step returns when all goes well; a test changes what it is about."""
