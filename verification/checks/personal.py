"""Personal information in the talk: e-mail addresses, phone numbers, addresses, accounts."""

from __future__ import annotations

import re

from photochat.personal_information import find_personal_information
from verification.finding import Finding
from verification.talk import Talk

_ACCOUNT = re.compile(
    r"(?<![\w.])@[A-Za-z_][\w.]{2,29}\b"
    r"|\b(?:my|our)\s+(?:insta(?:gram)?|ig|snap(?:chat)?|twitter|facebook|fb|tiktok|whatsapp|"
    r"telegram|discord|skype)\s+(?:is|id|name|handle|account is|number)\s+\S+"
    r"|\b(?:add|text|whatsapp|message|find|follow) me (?:on|at) "
    r"(?:insta(?:gram)?|ig|snap(?:chat)?|whatsapp|telegram|discord|skype|facebook)\b",
    re.IGNORECASE,
)


def personal_information(talk: Talk) -> list[Finding]:
    """Everything that tells who a worker is, each with its place."""
    found = []
    for index, message in enumerate(talk.messages):
        for kind, start, end in find_personal_information(message):
            severity = "review" if kind == "postal address" else "reject"
            text = f"This looks like a real {kind}: it must not be published."
            found.append(Finding("personal-information", severity, text, index, start, end))  # type: ignore[arg-type]
        for match in _ACCOUNT.finditer(message):
            text = "This looks like somebody's account on another platform."
            found.append(Finding("personal-information", "review", text, index, *match.span()))
    return found
