"""A pool becomes what there is to talk about: photos with a picture, and never none at all."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from collection.campaign import parse_campaign
from collection.stock import Stocked, stock
from collection.tables import photos
from photochat.errors import DataError
from photochat.images import image_path
from tests.collection.conftest import make_photos


def stocked(database, pool, images, **sections):
    with database.writing.begin() as connection:
        return stock(connection, database, parse_campaign(sections), pool, images, 0.0)


def test_photos_without_a_picture_are_left_out_and_counted(database, tmp_path):
    pool = make_photos(tmp_path, 5)
    image_path(tmp_path, pool[2].photo_id).unlink()
    assert stocked(database, pool, tmp_path) == Stocked(4, 1)
    with database.read() as reader:
        assert pool[2].photo_id not in set(reader.scalars(sa.select(photos.c.photo_id)))


def test_a_campaign_without_any_picture_does_not_begin(database, tmp_path):
    pool = make_photos(tmp_path / "pictures", 3)
    with pytest.raises(DataError, match="picture of none of the pool's 3 photos"):
        stocked(database, pool, tmp_path / "elsewhere")
    with database.read() as reader:
        assert not reader.scalar(sa.select(sa.func.count()).select_from(photos))


def test_one_that_has_begun_goes_on_with_what_it_has(database, tmp_path):
    pool = make_photos(tmp_path, 3)
    stocked(database, pool, tmp_path)
    assert stocked(database, pool, tmp_path / "moved") == Stocked(0, 3)
