"""What a campaign has left to do, has shown and has committed, from its database."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from collection.campaign import Campaign
from collection.database import Database
from collection.money import ledger
from collection.money.estimate import Measured, measure
from collection.money.people import finished
from collection.tables import photos
from photochat.errors import DataError


def progress(db: str, campaign: Campaign) -> tuple[int, Measured, Decimal]:
    """Return conversations left, what was measured, and what is committed.

    Raises:
        DataError: there is no such database.
    """
    database = Database(db)
    file = database.url.database
    if database.is_sqlite and file and not Path(file).is_file():
        raise DataError("no such database", file=file, field="--db")
    database.migrate()
    try:
        with database.read() as reader:
            left = reader.execute(
                sa.select(sa.func.sum(photos.c.wanted - photos.c.completed)).where(
                    photos.c.campaign == campaign.name, photos.c.completed < photos.c.wanted
                )
            ).scalar_one()
            people = finished(reader, campaign.name)
            return int(left or 0), measure(people), ledger.committed(reader, campaign)
    finally:
        database.close()
