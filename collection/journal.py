"""The conversations' logs: read, decided upon and appended to, many at once.

`Journal.write` is the only place that adds events. It works inside a transaction that the caller
commits: it locks the conversations concerned, reads what other processes have added since, decides
each command against the state, and inserts all that follows in one statement.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.campaign import Campaign
from collection.conversation import Command, Refusal, Repeat, complete, deadline, decide
from collection.events import Event, Role, State, fold, replay
from collection.settlement import settle
from collection.tables import conversations, events

CACHED_LOGS = 4096  # conversations whose log stays in memory
NOT_YOURS = Refusal("not-in-conversation", "You are not in this conversation.")
BROKEN = Refusal("unavailable", "Something went wrong on our side. Please try again.")

_INSERT = sa.insert(events)
_UPDATE = (
    sa.update(conversations)
    .where(conversations.c.id == sa.bindparam("conversation_id"))
    .values(
        {
            name: sa.bindparam(f"new_{name}")
            for name in ("seq", "phase", "deadline", "ended_at", "cause", "complete")
        }
    )
)
_LOCK = (
    sa.select(conversations.c.id, conversations.c.seq)
    .where(conversations.c.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(conversations.c.id)
    .with_for_update()
)
_NEWER = (
    sa.select(events)
    .where(events.c.conversation == sa.bindparam("id"), events.c.seq > sa.bindparam("seq"))
    .order_by(events.c.seq)
)


class Log(msgspec.Struct, frozen=True):
    """A conversation's events and the state they add up to."""

    state: State
    events: tuple[Event, ...]

    def role_of(self, participant: int) -> Role | None:
        """Return the role of a participant, None for a stranger."""
        if self.state.facts.get("sharer") == participant:
            return "sharer"
        return "receiver" if self.state.facts.get("receiver") == participant else None


class Act(msgspec.Struct):
    """One command of a participant (None: of the clock), and what came of it."""

    conversation: int
    participant: int | None
    command: Command
    result: list[Event] | Refusal | Repeat = BROKEN


class Journal:
    """The logs in memory. The database is the truth; a log here may be older, never other."""

    def __init__(self, campaign: Campaign, on_error: Callable[[], None]) -> None:
        self._campaign = campaign
        self._on_error = on_error  # called inside an except block, so that it can be logged
        self._logs: OrderedDict[int, Log] = OrderedDict()

    def known(self, conversation: int) -> Log | None:
        """Return a conversation's log as this process knows it."""
        return self._logs.get(conversation)

    def read(self, connection: Connection, conversation: int) -> Log | None:
        """Return a conversation's log, with what other processes have added; None if unknown."""
        log = self._refreshed(connection, conversation, self._logs.get(conversation))
        if log is not None:
            self.keep({conversation: log})
        return log

    def write(self, connection: Connection, acts: Sequence[Act], now: float) -> dict[int, Log]:
        """Decide commands in their order and append what follows; each act gets its result.

        Returns the logs as they are if the transaction is committed: hand them to `keep` then.
        """
        ids = sorted({act.conversation for act in acts})
        stored = {row.id: row.seq for row in connection.execute(_LOCK, {"ids": ids})}
        before: dict[int, Log] = {}
        for conversation, seq in stored.items():
            log = self._logs.get(conversation)
            if log is None or log.state.seq != seq:
                log = self._refreshed(connection, conversation, log)
            if log is not None:
                before[conversation] = log
        after = dict(before)
        for act in acts:
            log = after.get(act.conversation)
            if log is None:
                act.result = NOT_YOURS
                continue
            try:
                after[act.conversation] = self._decided(log, act, now)
            except Exception:
                act.result = BROKEN
                self._on_error()
        changed = {i: log for i, log in after.items() if log is not before[i]}
        if changed:
            self._append(connection, before, changed)
        return changed

    def keep(self, logs: dict[int, Log]) -> None:
        """Remember logs whose events are committed."""
        for conversation, log in logs.items():
            known = self._logs.get(conversation)
            if known is None or known.state.seq <= log.state.seq:
                self._logs[conversation] = log
            self._logs.move_to_end(conversation)
        while len(self._logs) > CACHED_LOGS:
            self._logs.popitem(last=False)

    def forget(self, ids: Sequence[int]) -> None:
        """Drop logs, so that they are read again: their last transaction's end is not known."""
        for conversation in ids:
            self._logs.pop(conversation, None)

    def _decided(self, log: Log, act: Act, now: float) -> Log:
        by = None if act.participant is None else log.role_of(act.participant)
        if by is None and act.participant is not None:
            act.result = NOT_YOURS
            return log
        rules, timeouts = self._campaign.rules, self._campaign.timeouts
        act.result = decide(log.state, by, act.command, now, rules, timeouts)
        if not isinstance(act.result, list) or not act.result:
            return log
        state = log.state
        for event in act.result:
            state = fold(state, event)
        return Log(state, (*log.events, *act.result))

    def _append(
        self, connection: Connection, before: dict[int, Log], changed: dict[int, Log]
    ) -> None:
        new_events: list[dict[str, Any]] = []
        rows: list[dict[str, Any]] = []
        for conversation, log in changed.items():
            new = log.events[len(before[conversation].events) :]
            new_events += [event_row(conversation, event) for event in new]
            rows.append(self._row(conversation, log))
        connection.execute(_INSERT, new_events)
        connection.execute(_UPDATE, rows)
        for conversation, log in changed.items():
            new = log.events[len(before[conversation].events) :]
            settle(connection, self._campaign, conversation, log.state, new)

    def _row(self, conversation: int, log: Log) -> dict[str, Any]:
        causes = [event.data["cause"] for event in log.events[-2:] if "cause" in event.data]
        return {
            "conversation_id": conversation,
            "new_seq": log.state.seq,
            "new_phase": log.state.phase,
            "new_deadline": deadline(log.state, self._campaign.timeouts),
            "new_ended_at": log.state.ended_at,
            "new_cause": causes[0] if causes else None,
            "new_complete": complete(log.state),
        }

    def _refreshed(self, connection: Connection, conversation: int, log: Log | None) -> Log | None:
        seq = log.state.seq if log else 0
        rows = connection.execute(_NEWER, {"id": conversation, "seq": seq}).all()
        new = tuple(_event(row) for row in rows)
        if log is None:
            return Log(replay(new), new) if new else None
        return Log(replay(new, log.state), (*log.events, *new)) if new else log


def read_events(connection: Connection, ids: Sequence[int]) -> dict[int, list[Event]]:
    """Return the whole logs of conversations."""
    logs: dict[int, list[Event]] = {}
    query = sa.select(events).where(events.c.conversation.in_(ids))
    for row in connection.execute(query.order_by(events.c.conversation, events.c.seq)):
        logs.setdefault(row.conversation, []).append(_event(row))
    return logs


def event_row(conversation: int, event: Event) -> dict[str, Any]:
    """Return an event as a row of the table `events`."""
    return {
        "conversation": conversation,
        "seq": event.seq,
        "at": event.at,
        "kind": event.kind,
        "by": event.by,
        "client_id": event.client_id,
        "data": msgspec.json.encode(event.data).decode(),
    }


def _event(row: Any) -> Event:
    data = msgspec.json.decode(row.data)
    return Event(row.seq, row.at, row.kind, row.by, row.client_id, data)
