"""The campaign file: what is asked of the workers, as values; the paper's numbers the defaults.

Each section of the TOML file is one class below. A key that no class knows is refused, so that a
mistyped rule is never a rule that silently does not hold.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from collection import wording
from collection.money.pay import Pay, floats, problems
from collection.recruiting import terms
from photochat.dialogue import MAX_MESSAGE_CHARS, MIN_TURNS_BEFORE_SHARE
from photochat.errors import DataError
from photochat.toml import as_struct, read_toml

Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=7 * 86400)]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
LongText = Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]

NAME_LETTERS = 40
_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{NAME_LETTERS - 1}}}")


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes a conversation; turns are messages of both sides together.

    `min_turns_before_share` is the paper's (section 3.2). The rest is ours: the paper sets no
    length, no minimum for each side, and says "randomly assigned" of pairs.
    """

    min_turns_before_share: Count = MIN_TURNS_BEFORE_SHARE
    min_turns_each: Count = 0
    max_message_chars: Annotated[int, msgspec.Meta(ge=1, le=MAX_MESSAGE_CHARS)] = 500
    refuse_repeated: bool = True
    conversations_per_photo: Positive = 1
    conversations_per_worker: Positive = 10
    same_pair_again: bool = False


class Timeouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long people are waited for, in seconds.

    Good workers look away: nobody is dropped in seconds, and every end is announced before.
    """

    waiting: Seconds = 600.0  # for a partner; then out, paid
    left_waiting: Seconds = 60.0  # out of touch in the waiting room, before the place is given up
    away: Seconds = 120.0  # the grace window of somebody who lost the connection
    choice: Seconds = 300.0  # for the one left behind to choose how to go on
    idle_nudge: Seconds = 120.0  # nothing said by the one whose turn it seems to be
    idle_end: Seconds = 300.0
    conversation: Seconds = 3600.0
    submit: Seconds = 900.0  # for the survey, once the conversation has ended


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may come in. With `signed_invitations` a link is good only with its signature."""

    signed_invitations: bool = False
    check_attempts: Positive = 3
    max_waiting: Positive = 2000


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Token buckets: sustained rate per second, and how much may come at once."""

    events_per_second: Annotated[float, msgspec.Meta(gt=0)] = 5.0
    events_burst: Positive = 30
    requests_per_second: Annotated[float, msgspec.Meta(gt=0)] = 20.0
    requests_burst: Positive = 1000
    connections_per_second: Annotated[float, msgspec.Meta(gt=0)] = 20.0
    connections_burst: Positive = 1000


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question of the comprehension check; `answer` is the place of the right option, from 1.

    `because` is shown to those who chose another.
    """

    question: Line
    options: Annotated[tuple[Line, ...], msgspec.Meta(min_length=2, max_length=6)]
    answer: Positive
    because: Line = "Please read the instructions once more."


class SurveyItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of the survey after the conversation: a scale from 1 to 5, or free text."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]
    question: Line
    kind: Literal["scale", "text"] = "scale"
    low: str = "not at all"
    high: str = "very much"
    required: bool = False


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What workers read. Blank lines make paragraphs; nothing in here is HTML."""

    title: Line = "Chat with a friend about a photo"
    requester: Line = "the research team that runs this study"
    contact: Line = "the address in the invitation you received"
    consent: LongText = wording.CONSENT
    instructions: LongText = wording.INSTRUCTIONS
    photo_warning: str = ""


class Campaign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One collection campaign."""

    name: str = "photochat"
    seed: int = 0
    rules: Rules = Rules()
    timeouts: Timeouts = Timeouts()
    entry: Entry = Entry()
    limits: Limits = Limits()
    pay: Pay = Pay()
    recruiting: terms.Recruiting = terms.Recruiting()
    review: terms.Review = terms.Review()
    texts: Texts = Texts()
    check: tuple[Question, ...] = msgspec.field(
        default_factory=lambda: msgspec.convert(wording.CHECK, tuple[Question, ...])
    )
    survey: tuple[SurveyItem, ...] = msgspec.field(
        default_factory=lambda: msgspec.convert(wording.SURVEY, tuple[SurveyItem, ...])
    )


def load_campaign(path: str | Path) -> Campaign:
    """Read a campaign file.

    Raises:
        DataError: no such file, no TOML, or a key that is unknown or out of its bounds; the field
            of the error is the key's full name ("rules.min_turns_before_share").
    """
    return parse_campaign(read_toml(path), file=path)


def parse_campaign(content: dict[str, Any], *, file: str | Path | None = None) -> Campaign:
    """Turn the tables of a campaign file into a checked campaign.

    Raises:
        DataError: as `load_campaign`.
    """
    for key in floats(content.get("pay")):
        raise DataError('write an amount as text: "1.50"', file=file, field=key)
    campaign = as_struct(content, Campaign, file=file)
    for key, problem in _contradictions(campaign):
        raise DataError(problem, file=file, field=key)
    return campaign


def _contradictions(campaign: Campaign) -> list[tuple[str, str]]:
    """What each value alone may be, but not beside the others."""
    found = []
    if not _NAME.fullmatch(campaign.name):
        found.append(("name", "must be 1 to 40 of a-z, 0-9, - and _: it stands in the links"))
    if campaign.timeouts.idle_nudge >= campaign.timeouts.idle_end:
        found.append(("timeouts.idle_nudge", "must be below timeouts.idle_end"))
    found += problems(campaign.pay)
    found += terms.problems(campaign.recruiting, campaign.timeouts)
    if campaign.recruiting.recruiter == "prolific" and campaign.pay.fee_rate is None:
        found.append(
            ("pay.fee_rate", 'is missing: write the share that your contract names: "0.333"')
        )
    for number, question in enumerate(campaign.check):
        if question.answer > len(question.options):
            found.append((f"check[{number}].answer", "must be the number of one of the options"))
    names = [item.name for item in campaign.survey]
    for number, name in enumerate(names):
        if name in names[:number]:
            found.append((f"survey[{number}].name", f"{name!r} stands twice"))
    return found
