"""The tables of a review, and the triggers that keep its trail as it was written."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

metadata = sa.MetaData()

HELD: Final = "held"  # shown to the reviewer, takes a place until `until`
VOTED: Final = "voted"
SKIPPED: Final = "skipped"  # the place is free again; not shown again unless asked for
EXPIRED: Final = "expired"  # held for too long: the place is free, the reviewer may still vote

# `places` = `wanted` - assignments held or voted: how many reviewers more the dialogue can go to.
items = sa.Table(
    "review_items",
    metadata,
    sa.Column("dialogue_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("gold", sa.Boolean, nullable=False),
    sa.Column("wanted", sa.Integer, nullable=False),
    sa.Column("votes", sa.Integer, nullable=False, default=0),
    sa.Column("places", sa.Integer, nullable=False),
)
sa.Index("review_items_order", items.c.votes.desc(), items.c.position)

assignments = sa.Table(
    "review_assignments",
    metadata,
    sa.Column("dialogue_id", sa.ForeignKey(items.c.dialogue_id), primary_key=True),
    sa.Column("reviewer", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("since", sa.Double, nullable=False),  # Unix time it was shown
    sa.Column("until", sa.Double),
    sa.Column("verdict", sa.Text),
    sa.Column("reasons", sa.Text, nullable=False, default=""),  # joined with commas
    sa.Column("comment", sa.Text, nullable=False, default=""),
    sa.Column("seconds", sa.Double),
    sa.Column("at", sa.Double),  # Unix time of the vote
)
sa.Index("review_assignments_reviewer", assignments.c.reviewer, assignments.c.state)
sa.Index("review_assignments_until", assignments.c.state, assignments.c.until)

trail = sa.Table(
    "review_trail",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("reviewer", sa.Text, nullable=False),
    sa.Column("dialogue_id", sa.BigInteger),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

_SQLITE_GUARDS = (
    "CREATE TRIGGER IF NOT EXISTS review_trail_{verb} BEFORE {verb} ON review_trail "
    "BEGIN SELECT RAISE(ABORT, 'the trail is only added to'); END",
)
_POSTGRES_GUARDS = (
    "CREATE OR REPLACE FUNCTION review_trail_guard() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the trail is only added to'; END $$",
    "DROP TRIGGER IF EXISTS review_trail_{verb} ON review_trail",
    "CREATE TRIGGER review_trail_{verb} BEFORE {verb} ON review_trail "
    "FOR EACH STATEMENT EXECUTE FUNCTION review_trail_guard()",
)


def create(connection: Connection) -> None:
    """Make the tables that are missing; rows of the trail can be added, never changed or taken."""
    metadata.create_all(connection)
    sqlite = connection.dialect.name == "sqlite"
    for verb in ("UPDATE", "DELETE"):
        for guard in _SQLITE_GUARDS if sqlite else _POSTGRES_GUARDS:
            connection.exec_driver_sql(guard.format(verb=verb))
