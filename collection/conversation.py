"""The rules of one conversation (section 3.2): a command and a time in, events or a refusal out.

A command is taken first against the table of transitions (collection/events.py), then against its
own rule here. There is no clock and no database: the time is an argument, the log is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Union

import msgspec

from collection.campaign import Rules, Timeouts
from collection.events import (
    ROLES,
    TALKING,
    TRANSITIONS,
    Event,
    Kind,
    Role,
    State,
    clean,
    other,
    same_text_key,
)
from photochat.personal_information import personal_information

Choice = Literal["wait", "again", "leave"]


class Say(msgspec.Struct, frozen=True, tag="say"):
    """Send a message; `confirmed` says that a warning about personal information was seen, `pasted`
    that text was pasted into it: a hint for reviewers, and nothing is refused for it."""

    client_id: str
    text: str
    confirmed: bool = False
    pasted: bool = False


class Share(msgspec.Struct, frozen=True, tag="share"):
    """Share the photo."""

    client_id: str


class Finish(msgspec.Struct, frozen=True, tag="finish"):
    """End the conversation."""

    client_id: str


class Submit(msgspec.Struct, frozen=True, tag="submit"):
    """Hand in, with the answers to the survey."""

    survey: dict[str, Any] = {}


class Choose(msgspec.Struct, frozen=True, tag="choose"):
    """Go on waiting for a partner who is gone, ask for another one, or leave."""

    choice: Choice


class Away(msgspec.Struct, frozen=True, tag="away"):
    """The connection was lost."""


class Back(msgspec.Struct, frozen=True, tag="back"):
    """The connection is there again."""


class Tick(msgspec.Struct, frozen=True, tag="tick"):
    """Time has passed. The only command that no participant gives."""


Command = Union[Say, Share, Finish, Submit, Choose, Away, Back, Tick]  # noqa: UP007


class Refusal(msgspec.Struct, frozen=True):
    """Why a command changes nothing: a code for the client, a sentence for the worker."""

    error: str
    message: str


class Repeat(msgspec.Struct, frozen=True):
    """The command has been carried out before, as event `seq`: nothing to do, and no error."""

    seq: int


def decide(
    state: State, by: Role | None, command: Command, now: float, rules: Rules, timeouts: Timeouts
) -> list[Event] | Refusal | Repeat:
    """Return what follows from a command: events to append (perhaps none), or why not."""
    rule = _RULES[type(command)]
    steps = rule(state, by, command, now, rules, timeouts)
    if isinstance(steps, Refusal | Repeat):
        return steps
    return [
        Event(state.seq + 1 + number, now, kind, role, client_id, data)
        for number, (kind, role, client_id, data) in enumerate(steps)
    ]


def deadline(state: State, timeouts: Timeouts) -> float | None:
    """Return when the next `Tick` is due; None when time alone changes nothing more."""
    if state.phase == "ended" and state.ended_at is not None:
        return state.ended_at + timeouts.submit
    if state.phase not in TALKING:
        return None
    due = [state.started + timeouts.conversation]
    due += [until for role, until in state.away_until.items() if role not in state.gone]
    if state.choice_until is not None:
        due.append(state.choice_until)
    if not state.away_until:
        if _silent(state) - state.nudged or state.idle_until is None:
            due.append(state.last_turn_at + timeouts.idle_nudge)
        else:
            due.append(state.idle_until)
    return min(due)


def complete(state: State) -> bool:
    """Say whether the dialogue is whole: shared, and properly ended."""
    return state.ended_at is not None


def missing_turns(state: State, rules: Rules) -> int:
    """Return how many more messages there must be before the photo may be shared."""
    return max(0, rules.min_turns_before_share - sum(state.turns.values()))


_Step = tuple[Kind, "Role | None", "str | None", dict[str, Any]]
_Steps = Union[list[_Step], Refusal, Repeat]  # noqa: UP007


def _over(state: State) -> Refusal:
    if state.phase == "ended":
        return Refusal("ended", "The conversation has ended. Please answer the survey and submit.")
    return Refusal("over", "This conversation is over.")


def _done_before(
    state: State, by: Role, client_id: str, kind: Kind, text: str = ""
) -> Repeat | Refusal | None:
    before = state.done.get((by, client_id))
    if before is None:
        return None
    seq, kind_before, text_before = before
    if (kind_before, text_before) != (kind, text):
        return Refusal("client-id-used", "This client id was used for something else.")
    return Repeat(seq)


def _say(
    state: State, by: Role, command: Say, now: float, rules: Rules, timeouts: Timeouts
) -> _Steps:
    text = clean(command.text)
    if before := _done_before(state, by, command.client_id, "say", text):
        return before
    if (state.phase, "say") not in TRANSITIONS:
        return _over(state)
    if not text:
        return Refusal("empty", "Please write something first.")
    if len(text) > rules.max_message_chars:
        return Refusal(
            "too-long", f"Please keep a message within {rules.max_message_chars} characters."
        )
    if rules.refuse_repeated and state.last_text.get(by) == same_text_key(text):
        return Refusal("repeated", "You have just written the same. Please write something new.")
    kinds = personal_information(text)
    if kinds and not command.confirmed:
        return Refusal(
            "personal-information",
            f"This looks like it holds {_listed(kinds)}. Please write nothing that tells who "
            "you are. Change it, or send it if it is made up.",
        )
    data: dict[str, Any] = {"text": text}
    if kinds:
        data["personal"] = list(kinds)
    if command.pasted:
        data["pasted"] = True
    return [("say", by, command.client_id, data)]


def _share(
    state: State, by: Role, command: Share, now: float, rules: Rules, timeouts: Timeouts
) -> _Steps:
    if before := _done_before(state, by, command.client_id, "share"):
        return before
    if by != "sharer":
        return Refusal("not-the-sharer", "Your partner has the photo: you cannot share it.")
    if state.phase == "shared":
        return Refusal("shared-already", "You have shared the photo already.")
    if state.phase not in TALKING:
        return _over(state)
    missing = missing_turns(state, rules)
    # With a limit of no turns at all the photo may still not come before the first word.
    if missing or (state.phase, "share") not in TRANSITIONS:
        missing = max(missing, 1)
        messages = "one more message" if missing == 1 else f"{missing} more messages"
        return Refusal("too-early", f"You can share the photo after {messages} in all.")
    return [("share", by, command.client_id, {})]


def _finish(
    state: State, by: Role, command: Finish, now: float, rules: Rules, timeouts: Timeouts
) -> _Steps:
    if before := _done_before(state, by, command.client_id, "finish"):
        return before
    if state.phase in ("paired", "chatting"):
        return Refusal("not-shared", "You can end the conversation once the photo is shared.")
    if state.phase != "shared":
        return _over(state)
    if not state.gone and min(state.turns.values()) < rules.min_turns_each:
        return Refusal(
            "too-few-messages",
            f"Each of you writes at least {rules.min_turns_each} messages before the end.",
        )
    return [("finish", by, command.client_id, {})]


def _submit(
    state: State, by: Role, command: Submit, now: float, rules: Rules, timeouts: Timeouts
) -> _Steps:
    if by in state.submitted:
        return []
    if state.phase in TALKING:
        return Refusal("not-ended", "You can submit once the conversation has ended.")
    if (state.phase, "submit") not in TRANSITIONS:
        return _over(state)
    steps: list[_Step] = [("submit", by, None, {"survey": command.survey})]
    if other(by) in state.submitted:
        steps.append(("close", None, None, {"cause": "submitted"}))
    return steps


def _choose(
    state: State, by: Role, command: Choose, now: float, rules: Rules, timeouts: Timeouts
) -> _Steps:
    if state.phase == "ended":
        return _over(state)
    if state.phase not in TALKING:
        return []
    partner = other(by)
    if partner in state.gone:
        if command.choice == "wait":
            return [("wait", by, None, {"until": now + timeouts.away})]
        return _give_up(state, [("abandon", partner, None, {"cause": "gone"})])
    if command.choice == "leave":
        return _give_up(state, [("abandon", by, None, {"cause": "left"})])
    if command.choice == "wait":
        return []
    return Refusal("partner-there", "Your partner is still in the conversation.")


def _away(
    state: State, by: Role, command: Away, now: float, rules: Rules, timeouts: Timeouts
) -> _Steps:
    if (state.phase, "away") not in TRANSITIONS or by in state.away_until:
        return []
    return [("away", by, None, {"until": now + timeouts.away})]


def _back(
    state: State, by: Role, command: Back, now: float, rules: Rules, timeouts: Timeouts
) -> _Steps:
    if (state.phase, "back") not in TRANSITIONS or by not in state.away_until:
        return []
    return [("back", by, None, {})]


def _tick(
    state: State, by: Role | None, command: Tick, now: float, rules: Rules, timeouts: Timeouts
) -> _Steps:
    due = deadline(state, timeouts)
    if due is None or now < due:
        return []
    if state.phase == "ended":
        return [("close", None, None, {"cause": "time"})]
    late = {role for role, until in state.away_until.items() if until <= now} - state.gone
    gone = state.gone | late
    if len(gone) == len(ROLES):
        return _give_up(state, [("expire", None, None, {"cause": "both-gone"})])
    if late:
        until = now + timeouts.choice
        return [("gone", role, None, {"choice_until": until}) for role in sorted(late)]
    if state.choice_until is not None and state.choice_until <= now:
        (absent,) = state.gone
        return _give_up(state, [("abandon", absent, None, {"cause": "gone"})])
    if state.started + timeouts.conversation <= now:
        return _give_up(state, [("expire", None, None, {"cause": "time"})])
    return _idle(state, now, timeouts)


def _idle(state: State, now: float, timeouts: Timeouts) -> list[_Step]:
    silent = _silent(state)
    if unwarned := sorted(silent - state.nudged):
        end = now + timeouts.idle_end - timeouts.idle_nudge
        return [("nudge", role, None, {"until": end}) for role in unwarned]
    if len(silent) == len(ROLES):
        return _give_up(state, [("expire", None, None, {"cause": "idle"})])
    (absent,) = silent
    return _give_up(state, [("abandon", absent, None, {"cause": "idle"})])


def _give_up(state: State, otherwise: list[_Step]) -> list[_Step]:
    """End what cannot go on. Once the photo is shared, the dialogue is kept as whole."""
    if state.phase == "shared":
        return [("finish", None, None, {"cause": otherwise[0][3]["cause"]})]
    return otherwise


def _silent(state: State) -> frozenset[Role]:
    """Who could speak next: both at the start, afterwards the one who did not speak last."""
    return (
        frozenset(ROLES) if state.last_speaker is None else frozenset({other(state.last_speaker)})
    )


def _listed(kinds: tuple[str, ...]) -> str:
    return " and ".join(("an " if kind[0] in "aeiou" else "a ") + kind for kind in kinds)


_RULES: dict[type, Callable[..., _Steps]] = {
    Say: _say,
    Share: _share,
    Finish: _finish,
    Submit: _submit,
    Choose: _choose,
    Away: _away,
    Back: _back,
    Tick: _tick,
}
