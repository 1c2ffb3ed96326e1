"""From the database to `raw.jsonl`: dialogues as the release has them, with what was measured.

Worker ids become keyed hashes: the same worker is the same pseudonym wherever the same key is used,
and without the key nobody can try out ids. `photochat.release` reads the file; everything beyond
the published keys stands in keys of its own ("collection" of the dialogue, "at" and so on of the
turns).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import DBAPIError

from collection.database import Database
from collection.events import LIVE, ROLES, Event
from collection.journal import read_events
from collection.tables import conversations, participants
from photochat.atomic import atomic_file
from photochat.errors import DataError

PSEUDONYM_CHARS = 16  # hexadecimal: 64 bits, no two of a million workers alike
READ_AT_ONCE = 500


class Exported(msgspec.Struct, frozen=True):
    """What was written, and what was left out and why.

    `left_out` is the sum of the three below it; a dialogue counts once.
    """

    dialogues: int
    complete: int
    incomplete: int
    left_out: int
    without_words: int
    not_complete: int
    live: int


def export(
    url: str, out: str | Path, *, key: str, campaign: str | None = None, only_complete: bool = False
) -> Exported:
    """Write the dialogues of a database as JSON lines, in the order in which they began.

    A dialogue is complete when the photo was shared and the conversation properly ended; with
    `only_complete` no other is written. Conversations still going on, and those in which nobody
    said a word, are left out and counted. The file is its owner's alone: nobody has looked yet at
    what people gave away.

    Raises:
        DataError: no such database, several campaigns and none named, or `out` cannot be written.
    """
    counts = dict.fromkeys(("complete", "incomplete", "without_words", "not_complete", "live"), 0)
    database = _opened(url)
    try:
        with (
            database.snapshot() as reader,
            atomic_file(out, private=True) as part,
            part.open("wb") as file,
        ):
            name = _campaign(reader, campaign, url)
            for row, log in _conversations(reader, name):
                kind = _kind(row, log, only_complete)
                counts[kind] += 1
                if kind in ("complete", "incomplete"):
                    record = _record(reader, row, log, key.encode())
                    file.write(msgspec.json.encode(record) + b"\n")
    except DBAPIError as error:
        raise DataError(f"cannot be read ({error.orig})", file=database.shown) from error
    finally:
        database.close()
    written = counts["complete"] + counts["incomplete"]
    return Exported(written, left_out=sum(counts.values()) - written, **counts)


def pseudonym(key: bytes, worker: str) -> str:
    """Return the name under which a worker stands in exports."""
    digest = hmac.new(key, worker.encode(), hashlib.sha256).hexdigest()
    return f"w-{digest[:PSEUDONYM_CHARS]}"


def _opened(url: str) -> Database:
    database = Database(url)
    if database.is_sqlite and not Path(database.url.database or "").is_file():
        raise DataError("no such database", file=database.url.database)
    return database


def _campaign(reader: Connection, wanted: str | None, url: str) -> str:
    names = list(
        reader.execute(
            sa.select(conversations.c.campaign).distinct().order_by("campaign")
        ).scalars()
    )
    if wanted is not None:
        if wanted not in names:
            raise DataError(
                f"has no conversations of {wanted!r} (it has: {', '.join(names) or 'none'})",
                file=url,
                field="campaign",
            )
        return wanted
    if len(names) != 1:
        raise DataError(
            "has no conversations yet"
            if not names
            else f"holds several campaigns ({', '.join(names)}): name one with --campaign",
            file=url,
        )
    return str(names[0])


def _conversations(reader: Connection, campaign: str) -> Iterator[tuple[Row[Any], list[Event]]]:
    last = 0
    while True:
        rows = reader.execute(
            sa.select(conversations)
            .where(conversations.c.campaign == campaign, conversations.c.id > last)
            .order_by(conversations.c.id)
            .limit(READ_AT_ONCE)
        ).all()
        if not rows:
            return
        logs = read_events(reader, [row.id for row in rows])
        for row in rows:
            yield row, logs.get(row.id, [])
        last = rows[-1].id


def _kind(row: Row[Any], log: list[Event], only_complete: bool) -> str:
    if row.phase in LIVE and row.phase != "ended":
        return "live"
    if not any(event.kind in ("say", "share") for event in log):
        return "without_words"
    if row.complete:
        return "complete"
    return "not_complete" if only_complete else "incomplete"


def _record(reader: Connection, row: Row[Any], log: list[Event], key: bytes) -> dict[str, Any]:
    facts = log[0].data
    people = {
        person.id: person
        for person in reader.execute(
            sa.select(participants).where(participants.c.id.in_((row.sharer, row.receiver)))
        )
    }
    # User 0 is whoever comes first in the dialogue, as in the published files.
    turns = [event for event in log if event.kind in ("say", "share")]
    first = turns[0].by or "sharer"
    user_of = {role: 0 if role == first else 1 for role in ROLES}
    surveys = {event.by: event.data["survey"] for event in log if event.kind == "submit"}
    return {
        "dialogue": [_turn(event, user_of[event.by or "sharer"]) for event in turns],
        "dialogue_id": row.id,
        "photo_description": facts["description"],
        "photo_url": facts["photo_url"],
        "photo_id": row.photo_id,
        "collection": {
            "campaign": row.campaign,
            "complete": bool(row.complete),
            "phase": row.phase,
            "cause": row.cause,
            "started_at": row.started_at,
            "ended_at": row.ended_at,
            "workers": [
                {
                    "user_id": user_of[role],
                    "role": role,
                    "worker": pseudonym(key, people[facts[role]].worker),
                    "assignment": pseudonym(key, f"assignment {people[facts[role]].assignment}"),
                    "outcome": people[facts[role]].outcome,
                    "reason": people[facts[role]].reason,
                    "waited": row.started_at
                    - (people[facts[role]].waiting_since or row.started_at),
                    "survey": surveys.get(role),
                }
                for role in sorted(ROLES, key=user_of.__getitem__)
            ],
            "interruptions": [
                {"at": e.at, "kind": e.kind, "user_id": None if e.by is None else user_of[e.by]}
                for e in log
                if e.kind in ("away", "back", "gone", "wait", "nudge", "abandon", "expire")
            ],
        },
    }


def _turn(event: Event, user: int) -> dict[str, Any]:
    turn: dict[str, Any] = {
        "message": event.data.get("text", ""),
        "share_photo": event.kind == "share",
        "user_id": user,
        "seq": event.seq,
        "at": event.at,
        "client_id": event.client_id,
    }
    if "personal" in event.data:
        turn["personal"] = event.data["personal"]
    if "pasted" in event.data:
        turn["pasted"] = True
    return turn
