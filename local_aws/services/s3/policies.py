"""Bucket policies: a statement with a condition is set aside, since no condition is worked out here."""

from __future__ import annotations

from typing import Any

from moto.iam.access_control import IAMPolicy


class UnconditionalPolicy(IAMPolicy):
    """A policy's statements but for those with a condition.

    moto answers an unmet condition with a refusal, so that a bucket that refuses plain HTTP would refuse
    every request; on AWS such a statement does not apply.
    """

    def __init__(self, policy: Any) -> None:
        super().__init__(policy)
        statements = self._policy_json["Statement"]
        statements = statements if isinstance(statements, list) else [statements]
        self._policy_json["Statement"] = [each for each in statements if "Condition" not in each]
