"""A way into another account: a role there, which trusts this stage."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chalicelib.errors import InvalidPipeline

ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/[\w+=,.@/-]{1,512}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Access:
    """A role of another account, which steps assume to reach what is there.

    The external id that the role asks for is a setting of the stage (DECANT_EXTERNAL_IDS, one for each
    account), and the stage must trust the role (the template's parameters): see docs/cross-account.md.

    Attributes:
        role: its ARN, such as `arn:aws:iam::210987654321:role/decant-reader`.
    """

    role: str

    def __post_init__(self) -> None:
        role_arn("role", self.role)

    @property
    def account(self) -> str:
        """The other account's twelve digits."""
        return self.role.split(":")[4]


@dataclass(frozen=True, kw_only=True)
class Warehouse:
    """A Redshift warehouse of another account.

    Attributes:
        secret: the ARN of the Secrets Manager secret with host, port, dbname, username and password.
        access: the role that may read the secret, or None when the secret's own policy lets this stage in.
        copy_roles: the roles of COPY: first the one attached to the warehouse, last the one that may read
            this stage's curated bucket; each must trust the one before it.
    """

    secret: str
    copy_roles: tuple[str, ...]
    access: Access | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S{1,512}", self.secret):
            raise InvalidPipeline(
                f"warehouse secret {self.secret!r}: write its ARN, arn:aws:secretsmanager:..."
            )
        if not self.copy_roles:
            raise InvalidPipeline("warehouse copy_roles: name at least the role attached to the warehouse")
        for role in self.copy_roles:
            role_arn("copy role", role)


def role_arn(what: str, arn: str) -> None:
    """Refuse what is no role's ARN.

    Raises:
        InvalidPipeline: it is not.
    """
    if not ROLE_ARN.fullmatch(arn):
        raise InvalidPipeline(f"{what} {arn!r}: write a role's ARN, arn:aws:iam::<12 digits>:role/<name>")
