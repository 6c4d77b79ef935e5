"""One notice: the same facts as a text for people and as a document for machines."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self

from chalicelib.printable import in_one_line, printable
from chalicelib.redaction import redacted

Severity = Literal["info", "warning", "error", "action"]
"""How urgent a notice is; `action` waits for a person's decision."""

LONGEST_SUBJECT = 99
"""SNS refuses a subject of 100 characters or more, and anything but printable ASCII."""

LONGEST_BODY = 8000
"""Characters of the text: a phone shows no more, and all formats together stay below SNS's 262,144 bytes."""

LONGEST_FACT = 1000
"""Characters of one text of the document."""

VERSION = 1
"""Of the document's shape; a field that goes or changes its meaning raises it."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows in and out: None is unknown."""

    read: int | None = None
    loaded: int | None = None
    rejected: int | None = None

    def __str__(self) -> str:
        parts = (("read", self.read), ("loaded", self.loaded), ("rejected", self.rejected))
        return ", ".join(f"{number:,} {what}" for what, number in parts if number is not None)


UNKNOWN = Rows()


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One message.

    Attributes:
        name: what it is about: a run's name, or a word and a date, such as `digest-2026-11-22`.
        pipeline: the pipeline's name, or `all`.
        outcome: how the run stands, or `late`, `arrived`, `stuck`, `folded`, `digest`.
        severity: how urgent it is.
        title: the subject without its beginning.
        headline: what happened, in one sentence.
        facts: what is shown by name, at most eight characters each.
        lines: what else is told.
        next: what happens now, in one sentence.
        commands: what to type, by what it is for.
        rows: rows in and out.
        details: what machines get beside all that.
        cause: what notices of one kind share; None is never folded.
        page: the console's page about it, such as `runs/orders-0f2b`.
        console: where the console is, or None while that is not known.
    """

    name: str
    pipeline: str
    outcome: str
    severity: Severity
    title: str
    headline: str
    facts: dict[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    next: str = ""
    commands: tuple[tuple[str, str], ...] = ()
    rows: Rows = UNKNOWN
    details: dict[str, Any] = field(default_factory=dict)
    cause: str | None = None
    page: str = ""
    console: str | None = None

    def at(self, console: str | None) -> Self:
        """Return the notice with a link to the console that is there."""
        return replace(self, console=console)

    @property
    def link(self) -> str | None:
        """The address of its page in the console; it opens after signing in, and holds no token."""
        return f"{self.console}#/{self.page}" if self.console else None

    @property
    def subject(self) -> str:
        """Pipeline, outcome and what it is about, as SNS takes it."""
        text = redacted(f"[{self.pipeline}] {self.outcome}: {self.title}")
        plain = "".join(character if " " <= character <= "~" else "?" for character in text)
        return plain if len(plain) <= LONGEST_SUBJECT else plain[: LONGEST_SUBJECT - 3] + "..."

    @property
    def body(self) -> str:
        """The text: what happened, the facts, what to do."""
        parts = [
            [self.headline],
            list(self.lines),
            aligned(self.facts),
            [f"Next: {self.next}"] if self.next else [],
            aligned(dict(self.commands) | ({"Console": self.link} if self.link else {})),
        ]
        text: str = printable(redacted("\n\n".join("\n".join(part) for part in parts if part))) + "\n"
        return text if len(text) <= LONGEST_BODY else text[: LONGEST_BODY - 5] + "\n...\n"

    @property
    def document(self) -> dict[str, Any]:
        """The same for machines."""
        document: dict[str, Any] = redacted(
            {
                "version": VERSION,
                "name": self.name,
                "pipeline": self.pipeline,
                "outcome": self.outcome,
                "severity": self.severity,
                "subject": self.subject,
                "headline": self.headline,
                "rows": asdict(self.rows),
                "next": self.next,
                "commands": dict(self.commands),
                "console": self.link,
                **self.details,
            }
        )
        short: dict[str, Any] = _shortened(document)
        return short

    @property
    def attributes(self) -> dict[str, str]:
        """What subscribers may filter by."""
        return {"pipeline": self.pipeline, "outcome": self.outcome, "severity": self.severity}


def aligned(facts: dict[str, str]) -> list[str]:
    """Return one line for each fact, the values below each other."""
    width = max(map(len, facts), default=0) + 1
    return [f"{name + ':':<{width}} {in_one_line(value)}" for name, value in facts.items()]


def took(seconds: float) -> str:
    """Return a duration as people say it."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - a clock
        return f"{max(seconds, 0.0):.1f} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _shortened(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= LONGEST_FACT else value[: LONGEST_FACT - 3] + "..."
    if isinstance(value, dict):
        return {name: _shortened(each) for name, each in value.items()}
    return [_shortened(each) for each in value] if isinstance(value, list) else value
