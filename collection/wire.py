"""What clients may send over the socket, checked before anything else sees it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from collection.campaign import SurveyItem
from collection.conversation import Choice, Choose, Command, Finish, Refusal, Say, Share, Submit
from photochat.dialogue import MAX_MESSAGE_CHARS

MAX_SURVEY_CHARS = 2000  # of one answer
SCALE = (1, 5)

_ClientId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
_Text = Annotated[str, msgspec.Meta(max_length=MAX_MESSAGE_CHARS)]
_Seq = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class _Resume(msgspec.Struct, forbid_unknown_fields=True):
    last_seq: _Seq = 0
    conversation: Annotated[int, msgspec.Meta(ge=0)] | None = None


class _Say(msgspec.Struct, forbid_unknown_fields=True):
    client_id: _ClientId
    text: _Text
    confirmed: bool = False
    pasted: bool = False


class _Once(msgspec.Struct, forbid_unknown_fields=True):
    client_id: _ClientId


class _Submit(msgspec.Struct, forbid_unknown_fields=True):
    survey: dict[str, Any] = {}


class _Choose(msgspec.Struct, forbid_unknown_fields=True):
    choice: Choice


class Resume(msgspec.Struct, frozen=True):
    """Send what happened after `last_seq` of `conversation` (None: the one now)."""

    last_seq: int
    conversation: int | None


BAD_REQUEST = "bad-request"


def read_resume(payload: object) -> Resume | Refusal:
    """Read the payload of `resume`."""
    asked = _read(payload, _Resume)
    return asked if isinstance(asked, Refusal) else Resume(asked.last_seq, asked.conversation)


def read_command(name: str, payload: object, survey: tuple[SurveyItem, ...]) -> Command | Refusal:
    """Read the payload of `say`, `share`, `finish`, `submit` or `choose`."""
    if name == "say":
        say = _read(payload, _Say)
        if isinstance(say, Refusal):
            return say
        return Say(say.client_id, say.text, say.confirmed, say.pasted)
    if name == "submit":
        submit = _read(payload, _Submit)
        if isinstance(submit, Refusal):
            return submit
        answers = read_survey(submit.survey, survey)
        return answers if isinstance(answers, Refusal) else Submit(answers)
    if name == "choose":
        choose = _read(payload, _Choose)
        return choose if isinstance(choose, Refusal) else Choose(choose.choice)
    once = _read(payload, _Once)
    if isinstance(once, Refusal):
        return once
    return Share(once.client_id) if name == "share" else Finish(once.client_id)


def read_survey(answers: dict[str, Any], items: tuple[SurveyItem, ...]) -> dict[str, Any] | Refusal:
    """Check the answers to the survey; empty ones are left out."""
    kinds = {item.name: item for item in items}
    kept: dict[str, Any] = {}
    for name, answer in answers.items():
        item = kinds.get(name)
        if item is None:
            return Refusal("bad-survey", "The survey has no such question.")
        if answer is None or answer == "":
            continue
        if item.kind == "scale":
            low, high = SCALE
            if isinstance(answer, str) and answer.isdecimal() and len(answer) == 1:
                answer = int(answer)
            if not isinstance(answer, int) or isinstance(answer, bool) or not low <= answer <= high:
                return Refusal("bad-survey", f"Please choose from {low} to {high}: {item.question}")
        elif not isinstance(answer, str) or len(answer) > MAX_SURVEY_CHARS or not _storable(answer):
            return Refusal(
                "bad-survey", f"Please answer within {MAX_SURVEY_CHARS} characters: {item.question}"
            )
        kept[name] = answer
    for item in items:
        if item.required and item.name not in kept:
            return Refusal("survey-missing", f"Please answer: {item.question}")
    return kept


def _read(payload: object, kind: type[Any]) -> Any:
    try:
        asked = msgspec.convert(payload, kind)
    except (msgspec.ValidationError, RecursionError, UnicodeError):  # or half a surrogate pair
        return Refusal(BAD_REQUEST, "The server did not understand this. Please reload the page.")
    return asked


def _storable(text: str) -> bool:
    """Whether a database takes it: no null, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
