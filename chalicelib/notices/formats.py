"""A notice in the formats of those who subscribe: text for mail, JSON for machines, a card for chat."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chalicelib.notices.notice import aligned
from chalicelib.redaction import redacted

if TYPE_CHECKING:
    from chalicelib.notices.notice import Notice

MACHINES = ("sqs", "lambda", "firehose", "http")
"""SNS's protocols whose subscribers get the document."""

LONGEST_CARD = 6000
"""Characters of a card's description; the chat applications take 8,000."""

LONGEST_STEP = 300

MARKS = {"info": "✅", "warning": "⚠️", "error": "🔴", "action": "✋"}
"""What begins a card's title, by severity."""


def texts(notice: Notice) -> dict[str, str]:
    """Return a notice's text by SNS's protocol; `default` and `email` are for people."""
    document = json.dumps(notice.document, ensure_ascii=False)
    return {
        "default": notice.body,
        "email": notice.body,
        **dict.fromkeys(MACHINES, document),
        "https": json.dumps(card(notice), ensure_ascii=False),
    }


def card(notice: Notice) -> dict[str, Any]:
    """Return the notice as a custom notification of Amazon Q Developer in chat applications.

    It subscribes to the topic by HTTPS and shows the card in Slack or Microsoft Teams; notices of one run
    are one thread. What came from a file can neither mention anybody nor become a link.
    """
    parts = ["\n".join(part) for part in (aligned(notice.facts), list(notice.lines)) if part]
    told = "\n\n".join(parts)[:LONGEST_CARD]
    block = f"\n```\n{_plain(told)}\n```" if told else ""
    return {
        "version": "1.0",
        "source": "custom",
        "id": f"{notice.name}/{notice.outcome}",
        "content": {
            "textType": "client-markdown",
            "title": f"{MARKS[notice.severity]} {_plain(notice.subject)}",
            "description": f"*{_plain(notice.document['headline'])}*{block}",
            "nextSteps": [step[:LONGEST_STEP] for step in _steps(notice)],
            "keywords": [notice.pipeline, notice.outcome, notice.severity],
        },
        "metadata": {
            "threadId": notice.name,
            "summary": _plain(notice.subject),
            "eventType": f"decant.{notice.outcome}",
            "additionalContext": {
                "pipeline": notice.pipeline,
                "outcome": notice.outcome,
                "severity": notice.severity,
                "name": notice.name,
            },
        },
    }


def _steps(notice: Notice) -> list[str]:
    steps = [_plain(f"{notice.next[:1].upper()}{notice.next[1:]}")] if notice.next else []
    steps += [f"{what}: `{_plain(command)}`" for what, command in notice.commands]
    return [*steps, f"Console: {_plain(notice.link)}"] if notice.link else steps


def _plain(text: str) -> str:
    """Return a text in which chat sees no mention, link or end of a code block; secrets are hidden."""
    hidden: str = redacted(text)
    escaped = hidden.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("`", "'")
