"""The campaign's private qualifications: who has taken part as often as one may, who is trained,
and who is not invited again.

They are kept at the platform, so that it shows the task only to those who can do it. A worker who
is not invited again is not blocked there: a block counts against a worker's account.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.campaign import Campaign
from collection.money import ledger
from collection.money.calls import qualify
from collection.recruiting.recruiter import Requirement
from collection.tables import participants

DONE = "done"
TRAINED = "trained"
NOT_AGAIN = "not-again"
Given = Literal["trained", "not-again"]  # by people; `done` follows from the database
_COUNTED = ("complete", "incomplete", "abandoned")  # as collection/entrance.py counts


def requirements(campaign: Campaign) -> tuple[Requirement, ...]:
    """Return who may see a chat posting, by the campaign file."""
    terms = campaign.recruiting
    asked = [Requirement(DONE, "DoesNotExist"), Requirement(NOT_AGAIN, "DoesNotExist")]
    if terms.trained:
        asked.append(Requirement(TRAINED, "Exists"))
    if terms.locales:
        asked.append(Requirement("locale", "In", terms.locales))
    for name, least in (
        ("percent approved", terms.percent_approved),
        ("number approved", terms.number_approved),
    ):
        if least is not None:
            asked.append(Requirement(name, "GreaterThanOrEqualTo", (str(least),)))
    if terms.adult:
        asked.append(Requirement("adult", "EqualTo", ("1",)))
    if terms.masters:
        asked.append(Requirement("masters", "Exists"))
    return tuple(asked)


def intend(
    connection: Connection,
    campaign: Campaign,
    name: str,
    worker: str,
    value: int | None,
    now: float,
) -> bool:
    """Intend to give a worker a qualification, or (None) to take it away; say whether it is new.

    What stands already is not intended again; given, taken and given again are three calls.
    """
    rows = [
        row
        for row in ledger.calls(connection, campaign, kinds=("qualify",))
        if row.worker == worker
        and row.payload["qualification"] == name
        and row.key.startswith(f"{name}/")
        and row.state != "failed-final"
    ]
    stands = rows[-1].payload["value"] if rows else None
    if stands == value:
        return False
    key = f"{name}/{worker}/{len(rows) + 1}"
    ledger.intend(connection, campaign, qualify(key, name, worker, value), now=now)
    return True


def intend_done(connection: Connection, campaign: Campaign, now: float) -> list[str]:
    """Intend `done` for everybody who has taken part as often as one may; return who is new."""
    counted = (
        sa.select(participants.c.worker)
        .where(participants.c.campaign == campaign.name, participants.c.outcome.in_(_COUNTED))
        .group_by(participants.c.worker)
        .having(sa.func.count() >= campaign.rules.conversations_per_worker)
        .order_by(participants.c.worker)
    )
    workers: Iterable[str] = connection.execute(counted).scalars().all()
    return [worker for worker in workers if intend(connection, campaign, DONE, worker, 1, now)]
