"""What each service of the embedded AWS really executes, and where it differs from AWS."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reality:
    """One service's row in the start-up table and in docs/local-aws.md.

    Attributes:
        service: the AWS name of the service, such as "Step Functions".
        executes: what really happens here, in one sentence.
        differs: each difference from AWS, one sentence apiece; every one of them fails loudly.
    """

    service: str
    executes: str
    differs: tuple[str, ...] = ()
