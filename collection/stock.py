"""Bringing a photo pool into the database: what there is to talk about."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.campaign import Campaign
from collection.database import Database
from collection.tables import campaigns, photos
from photochat.errors import DataError
from photochat.photo import Photo
from photochat.picture_copies import original_of

ROWS_AT_ONCE = 1000


class Stocked(msgspec.Struct, frozen=True):
    """How many photos a pool brought, and how many were left out because no picture is there."""

    photos: int
    without_picture: int


def stock(
    connection: Connection,
    database: Database,
    campaign: Campaign,
    pool: Sequence[Photo],
    images: Path,
    now: float,
) -> Stocked:
    """Add a pool's photos, those whose picture is there, in an order drawn by the seed.

    Photos that are in the database already keep their counts; how often each is wanted follows the
    campaign file.

    Raises:
        DataError: the campaign would have no photo at all, and send everybody away.
    """
    connection.execute(
        database.insert(campaigns).on_conflict_do_nothing(),
        {"name": campaign.name, "changed_at": now},
    )
    wanted = campaign.rules.conversations_per_photo
    rows = []
    for photo in pool:
        if not original_of(images, photo.photo_id).is_file():
            continue
        rows.append(
            {
                "campaign": campaign.name,
                "photo_id": photo.photo_id,
                "url": photo.url or "",
                "labels": msgspec.json.encode(photo.labels).decode(),
                "rank": random.Random(f"{campaign.seed}:{photo.photo_id}").random(),  # noqa: S311 - an order
                "wanted": wanted,
            }
        )
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        connection.execute(database.insert(photos).on_conflict_do_nothing(), part)
    connection.execute(
        sa.update(photos).where(photos.c.campaign == campaign.name).values(wanted=wanted)
    )
    if not rows and not connection.scalar(
        sa.select(photos.c.photo_id).where(photos.c.campaign == campaign.name).limit(1)
    ):
        raise DataError(
            f"holds the picture of none of the pool's {len(pool):,} photos (DIR/<photo_id>.jpg): "
            "name the folder that photochat download wrote for this pool",
            file=images,
        )
    return Stocked(len(rows), len(pool) - len(rows))
