"""The layout of the books: one SQLite file. Money in whole cents, times in seconds since 1970."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.schema import SchemaItem

metadata = sa.MetaData()


def _table(name: str, *columns: SchemaItem) -> sa.Table:
    """Return a table whose rows are numbered in the order in which they came."""
    return sa.Table(name, metadata, sa.Column("seq", sa.Integer, primary_key=True), *columns)


def _text(name: str, *, null: bool = True, unique: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null, unique=unique)


def _number(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=null)


def _time(name: str, *, null: bool = True) -> sa.Column[float]:
    return sa.Column(name, sa.Float, nullable=null)


# One row: where all the money is. deposited = available + held + paid + fees, always.
account = _table(
    "account",
    _number("deposited"), _number("available"), _number("held"), _number("paid"), _number("fees"),
)  # fmt: skip
# Each movement of money, never changed; the columns are what it adds to those of `account`.
entries = _table(
    "entries",
    _time("at"), _text("kind", null=False), _text("hit"), _text("assignment"), _text("worker"),
    _number("deposited"), _number("available"), _number("held"), _number("paid"), _number("fees"),
)  # fmt: skip
# One row: seconds to add to the real time, or the time at which the clock stands.
clock = _table("clock", _time("ahead", null=False), _time("stands_at"))

hit_types = _table(
    "hit_types",
    _text("id", null=False, unique=True), _number("reward"), _text("properties", null=False),
)  # fmt: skip
hits = _table(
    "hits",
    _text("id", null=False, unique=True), _text("hit_type", null=False), _text("question"),
    _text("annotation"), _number("assignments"), _time("created_at"), _time("expires_at"),
    sa.Column("open", sa.Boolean, nullable=False),  # its expiry has not been booked yet
    sa.Column("reviewing", sa.Boolean, nullable=False, default=False),
    sa.Column("disposed", sa.Boolean, nullable=False, default=False),
    _number("fee"),  # on each assignment
    _number("held"),
)  # fmt: skip
# status: Accepted, Returned, Abandoned, Submitted, Approved, Rejected
assignments = _table(
    "assignments",
    _text("id", null=False, unique=True), _text("hit", null=False), _text("worker", null=False),
    _text("status", null=False), _time("accepted_at"), _time("deadline"), _time("submitted_at"),
    _time("auto_approval_at"), _time("approved_at"), _time("rejected_at"), _text("answer"),
    _text("feedback"),
    sa.Index("assignments_of_hit", "hit", "status"),
    sa.Index("assignments_by_status", "status"),
)  # fmt: skip
bonuses = _table(
    "bonuses",
    _text("assignment", null=False), _text("hit", null=False), _text("worker", null=False),
    _number("amount"), _number("fee"), _text("reason"), _time("at"),
)  # fmt: skip
tokens = _table(
    "tokens",
    _text("scope", null=False), _text("token", null=False), _time("at"), _text("result"),
    sa.UniqueConstraint("scope", "token"),
)  # fmt: skip

qualification_types = _table(
    "qualification_types",
    _text("id", null=False, unique=True), _text("name", null=False),
    _text("properties", null=False), _time("created_at"),
    sa.Column("deleted", sa.Boolean, nullable=False, default=False),
)  # fmt: skip
qualifications = _table(
    "qualifications",
    _text("type", null=False), _text("worker", null=False), _number("value", null=True),
    _text("status", null=False), _time("granted_at"),
    sa.UniqueConstraint("type", "worker"),
)  # fmt: skip
qualification_requests = _table(
    "qualification_requests",
    _text("id", null=False, unique=True), _text("type", null=False), _text("worker", null=False),
    _text("status", null=False), _text("test"), _text("answer"), _time("submitted_at"),
    _text("reason"),
)  # fmt: skip

workers = _table(
    "workers",
    _text("id", null=False, unique=True), _text("country", null=False), _text("subdivision"),
    _number("percent_approved"), _number("number_approved"),
    sa.Column("adult", sa.Boolean, nullable=False),
    sa.Column("masters", sa.Boolean, nullable=False),
)  # fmt: skip
blocks = _table("blocks", _text("worker", null=False, unique=True), _text("reason"), _time("at"))
messages = _table(
    "messages", _text("worker", null=False), _text("subject"), _text("text"), _time("at")
)
calls = _table(
    "calls",
    _text("id", null=False), _time("at"), _text("operation", null=False), _text("request"),
    _text("outcome", null=False),
)  # fmt: skip
