"""What each service of the embedded AWS really executes, and where it differs from AWS.

`python -m local_aws.reality` prints docs/local-aws.md; with `--write` it writes the page.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = Path(__file__).parents[1] / "docs" / "local-aws.md"

INTRODUCTION = """\
# The embedded AWS, service by service

What really happens on a laptop, and where that differs from AWS. Each service's module in
`local_aws/services/` holds its row; `python -m local_aws.reality --write` generates this page from them. What
is not supported fails with an AWS error: nothing here reports success for work that was not done.

| service | what it really executes | where it differs from AWS |
| --- | --- | --- |
"""


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


def markdown(realities: Iterable[Reality]) -> str:
    """Return the page about `realities`."""
    rows = ((each.service, each.executes, "<br>".join(each.differs)) for each in realities)
    return INTRODUCTION + "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows
    )


def main(arguments: list[str]) -> None:
    """Print the page, or write it."""
    from local_aws.server import realities  # noqa: PLC0415 - the services import this module

    page = markdown(realities())
    if arguments == ["--write"]:
        PAGE.write_text(page)
    else:
        sys.stdout.write(page)


if __name__ == "__main__":
    main(sys.argv[1:])
