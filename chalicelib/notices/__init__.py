"""What people are told: how a run ended, what is late, what happened in a day."""

from __future__ import annotations

from chalicelib.notices.notice import Notice, Rows, Severity
from chalicelib.notices.of_run import notice

__all__ = ["Notice", "Rows", "Severity", "notice"]
