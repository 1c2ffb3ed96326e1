"""The database of a review: what is to be reviewed goes in, votes and the trail come out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from photochat.database import Database
from photochat.dialogue import Dialogue, without_extra
from photochat.errors import DataError
from verification.review.tables import HELD, VOTED, assignments, create, items
from verification.review.trail import Entry, entries
from verification.votes import Vote

_LOCK = 0x726576696577  # any number: PostgreSQL's advisory lock of a review's changes


class Item(msgspec.Struct, frozen=True):
    """A dialogue to be reviewed by `wanted` reviewers; by everybody, now and then, if gold.

    Those of the reviewers `by` whose votes are not in the database have voted elsewhere.
    """

    dialogue: Dialogue
    wanted: int
    gold: bool = False
    by: tuple[str, ...] = ()


class Prepared(msgspec.Struct, frozen=True):
    """What a review has: dialogues with a place left, all dialogues, those no longer given."""

    open: int
    items: int
    gold: int
    gone: int


@contextmanager
def transaction(database: Database) -> Iterator[Connection]:
    """Yield a connection that nobody else changes anything beside; commit when the block ends."""
    with database.writing.begin() as connection:  # SQLite: BEGIN IMMEDIATE, on the disk at its end
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        yield connection


def open_review(url: str, wanted: Sequence[Item]) -> tuple[Database, Prepared]:
    """Open a review's database, made when missing, and put in what is to be reviewed.

    Opening it again keeps all votes. Dialogues that are no longer among `wanted` keep theirs too,
    and are given to nobody.

    Raises:
        DataError: the database cannot be used, or has votes on other dialogues of these ids.
    """
    database = Database(url)
    if database.is_sqlite and database.url.database:
        Path(database.url.database).parent.mkdir(parents=True, exist_ok=True)
    try:
        with transaction(database) as connection:
            create(connection)
            return database, _prepare(connection, wanted)
    except DBAPIError as error:
        raise DataError(
            f"the database cannot be used ({error.orig})", file=database.shown
        ) from error


def read_all_votes(url: str) -> list[Vote]:
    """Return every vote that counts in a review's database, in the order they were given.

    Raises:
        DataError: no such database, or no review in it.
    """
    a = assignments.c
    with _reading(url) as connection:
        rows = connection.execute(
            sa.select(assignments).where(a.state == VOTED).order_by(a.at, a.dialogue_id, a.reviewer)
        ).all()
    return [
        Vote(
            dialogue_id=row.dialogue_id,
            reviewer=row.reviewer,
            verdict=row.verdict,
            reasons=tuple(row.reasons.split(",")) if row.reasons else (),
            comment=row.comment,
            seconds=row.seconds,
            at=datetime.fromtimestamp(row.at, timezone.utc),
        )
        for row in rows
    ]


def read_trail(url: str) -> list[Entry]:
    """Return the trail of a review's database, oldest first.

    Raises:
        DataError: no such database, or no review in it.
    """
    with _reading(url) as connection:
        return entries(connection)


def fingerprint(dialogue: Dialogue) -> str:
    """Return what tells two dialogues of one id apart: a hash of the published keys."""
    data = msgspec.json.encode(without_extra(dialogue))
    return hashlib.sha256(data).hexdigest()[:16]


@contextmanager
def _reading(url: str) -> Iterator[Connection]:
    database = Database(url)
    if database.is_sqlite and not Path(database.url.database or "").is_file():
        raise DataError("no such database", file=database.url.database)
    try:
        with database.read() as connection:
            if not sa.inspect(connection).has_table(assignments.name):
                raise DataError("holds no review: photochat review makes one", file=database.shown)
            yield connection
    except DBAPIError as error:
        raise DataError(
            f"the database cannot be used ({error.orig})", file=database.shown
        ) from error
    finally:
        database.close()


def _prepare(connection: Connection, wanted: Sequence[Item]) -> Prepared:
    known = {
        row.dialogue_id: row.fingerprint
        for row in connection.execute(sa.select(items.c.dialogue_id, items.c.fingerprint))
    }
    a = assignments.c
    voted = connection.execute(sa.select(a.dialogue_id, a.reviewer).where(a.verdict.is_not(None)))
    here = {(row.dialogue_id, row.reviewer) for row in voted}
    rows = []
    for position, item in enumerate(wanted):
        number = item.dialogue.dialogue_id
        more = max(0, item.wanted - sum((number, name) not in here for name in item.by))
        rows.append(
            {
                "dialogue_id": number,
                "position": position,
                "fingerprint": fingerprint(item.dialogue),
                "gold": item.gold,
                "wanted": more,
                "votes": 0,
                "places": more,
            }
        )
    for row in rows:
        before = known.get(row["dialogue_id"])
        if before is not None and before != row["fingerprint"]:
            raise DataError(
                "is another dialogue than the one of this id in the database: name another --db",
                record=f"dialogue {row['dialogue_id']}",
            )
    new = [row for row in rows if row["dialogue_id"] not in known]
    if new:
        connection.execute(sa.insert(items), new)
    connection.execute(sa.update(items).values(wanted=0))
    if rows:
        connection.execute(
            sa.update(items)
            .where(items.c.dialogue_id == sa.bindparam("id"))
            .values(wanted=sa.bindparam("w"), gold=sa.bindparam("g"), position=sa.bindparam("p")),
            [
                {"id": r["dialogue_id"], "w": r["wanted"], "g": r["gold"], "p": r["position"]}
                for r in rows
            ],
        )
    taken = (
        sa.select(sa.func.count())
        .where(a.dialogue_id == items.c.dialogue_id, a.state.in_((HELD, VOTED)))
        .scalar_subquery()
    )
    connection.execute(sa.update(items).values(places=items.c.wanted - taken))
    # Who holds what is no longer given has held it for long enough: it expires at the next claim.
    connection.execute(
        sa.update(assignments)
        .where(
            a.state == HELD,
            a.dialogue_id.in_(sa.select(items.c.dialogue_id).where(items.c.wanted == 0)),
        )
        .values(until=0.0)
    )
    left = connection.scalar(
        sa.select(sa.func.count()).select_from(items).where(~items.c.gold, items.c.places > 0)
    )
    gold = sum(item.gold for item in wanted)
    return Prepared(
        left or 0, len(rows) - gold, gold, len(set(known) - {r["dialogue_id"] for r in rows})
    )
