"""How far a review is, and how fast a reviewer goes."""

from __future__ import annotations

from statistics import median

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from verification.review.tables import SKIPPED, VOTED, assignments, items

PACE_OVER = 20  # the latest votes


class Progress(msgspec.Struct, frozen=True):
    """`mine`: votes of this reviewer, `skipped` by them; `pace`: their seconds for a dialogue.

    `given` of the `wanted` votes of all reviewers on all dialogues. Of gold ones, which nobody is
    to tell from the others by what moves here, this reviewer's own votes count.
    """

    mine: int
    skipped: int
    pace: float | None
    given: int
    wanted: int


def progress(connection: Connection, reviewer: str) -> Progress:
    """Return how far the review and the reviewer are."""
    a = assignments.c
    by_state = connection.execute(
        sa.select(a.state, sa.func.count()).where(a.reviewer == reviewer).group_by(a.state)
    )
    counts: dict[str, int] = {row[0]: row[1] for row in by_state}
    latest = connection.scalars(
        sa.select(a.seconds)
        .where(a.reviewer == reviewer, a.state == VOTED, a.seconds.is_not(None))
        .order_by(a.at.desc())
        .limit(PACE_OVER)
    ).all()
    # A dialogue that was wanted more often before counts as full, not as more.
    full = sa.case((items.c.votes < items.c.wanted, items.c.votes), else_=items.c.wanted)
    given, wanted = connection.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(full), 0), sa.func.coalesce(sa.func.sum(items.c.wanted), 0)
        ).where(~items.c.gold)
    ).one()
    mine = sa.and_(a.dialogue_id == items.c.dialogue_id, a.reviewer == reviewer, a.state == VOTED)
    gold, gold_given = connection.execute(
        sa.select(sa.func.count(), sa.func.count(a.dialogue_id))
        .select_from(items)
        .outerjoin(assignments, mine)
        .where(items.c.gold, items.c.wanted > 0)
    ).one()
    if given == wanted:  # what is left of gold is given to nobody
        gold = gold_given
    return Progress(
        mine=counts.get(VOTED, 0),
        skipped=counts.get(SKIPPED, 0),
        pace=median(latest) if latest else None,
        given=int(given + gold_given),
        wanted=int(wanted + gold),
    )
