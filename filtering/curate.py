"""`photochat curate`: photos that somebody tagged `exclude` in FiftyOne leave the pool."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from filtering.browse import EXCLUDE, existing_dataset, load_fiftyone
from photochat.photo import Photo


class CurateReport(msgspec.Struct, frozen=True):
    """What a curation did, in photos.

    `only_in_pool` are photos that the dataset does not have: nobody can have looked at them there,
    and they stay. `only_in_dataset` are samples whose photo the pool does not have; those of them
    that are tagged change nothing.
    """

    dataset: str
    read: int
    excluded: int
    kept: int
    only_in_pool: tuple[str, ...] = ()
    only_in_dataset: tuple[str, ...] = ()


def without(
    photos: Sequence[Photo], excluded: Collection[str], seen: Collection[str], *, dataset: str
) -> tuple[list[Photo], CurateReport]:
    """Return the photos whose id is not in `excluded`, in their order, and a report.

    `seen` are the ids of all samples of the dataset.
    """
    kept = [photo for photo in photos if photo.photo_id not in excluded]
    ids = {photo.photo_id for photo in photos}
    report = CurateReport(
        dataset=dataset,
        read=len(photos),
        excluded=len(photos) - len(kept),
        kept=len(kept),
        only_in_pool=tuple(sorted(ids - set(seen))),
        only_in_dataset=tuple(sorted(set(seen) - ids)),
    )
    return kept, report


def curate(photos: Sequence[Photo], name: str) -> tuple[list[Photo], CurateReport]:
    """Return the photos that nobody tagged `exclude` in the FiftyOne dataset `name`, and a report.

    Raises:
        DataError: FiftyOne is not to be had, has no such dataset, or it has no photo ids.
    """
    dataset = existing_dataset(load_fiftyone(), name)
    excluded = set(dataset.match_tags(EXCLUDE).values("photo_id"))
    seen = {photo_id for photo_id in dataset.values("photo_id") if photo_id is not None}
    return without(photos, excluded, seen, dataset=name)
