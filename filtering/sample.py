"""`photochat sample`: photos drawn at random from a pool (section 3.1, last sentence).

A photo's draw is a hash of the seed and its id, so that the sample is the same whatever the order
of the pool's rows, and a larger sample with the same seed begins with the smaller one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from photochat.atomic import atomic_file
from photochat.errors import DataError
from photochat.themes import THEMES

Balance = Literal["none", "themes"]
BALANCES: tuple[Balance, ...] = get_args(Balance)


class SampleReport(msgspec.Struct, frozen=True):
    """What was drawn: photos in the pool, photos drawn, and of these, how many have each theme."""

    pool: int
    drawn: int
    seed: int
    balance: Balance
    themes: dict[str, int]


def sample_pool(
    pool: str | Path, out: str | Path, *, n: int, seed: int = 0, balance: Balance = "none"
) -> SampleReport:
    """Draw `n` photos of the pool into a pool of their own, in the order drawn.

    Raises:
        DataError: the pool is no pool, names a photo twice, or holds fewer photos than asked for.
    """
    try:
        source = pq.ParquetFile(pool)
        listed = source.read(columns=["photo_id", "themes"])
        photo_ids = listed.column("photo_id").to_pylist()
        themes = listed.column("themes").to_pylist()
    except FileNotFoundError as error:
        raise DataError("no such file", file=pool) from error
    except (OSError, KeyError, pa.ArrowException) as error:
        raise DataError(f"cannot be read as a photo pool ({error})", file=pool) from error
    if len(set(photo_ids)) != len(photo_ids):
        raise DataError("a photo_id stands twice", file=pool)
    if not 0 < n <= len(photo_ids):
        raise DataError(f"{n:,} asked for, but the pool has {len(photo_ids):,} photos", field="--n")
    themes_of = {photo: tuple(of or ()) for photo, of in zip(photo_ids, themes, strict=True)}
    drawn = draw(themes_of, n=n, seed=seed, balance=balance)
    place = {photo: number for number, photo in enumerate(photo_ids)}
    rows = _rows(source, np.array([place[photo] for photo in drawn]))
    with atomic_file(out) as part:
        pq.write_table(rows, part, compression="zstd")
    counts: dict[str, int] = {
        theme: sum(theme in themes_of[photo] for photo in drawn) for theme in THEMES
    }
    return SampleReport(len(photo_ids), len(drawn), seed, balance, counts)


def draw(
    themes_of: Mapping[str, Sequence[str]], *, n: int, seed: int, balance: Balance = "none"
) -> list[str]:
    """Return the ids of `n` photos, the keys of `themes_of`, in the order drawn.

    With `balance="themes"` the themes take turns; each takes its next photo that no other took. A
    theme without photos left is passed over; photos without a theme come last. A photo of two
    themes is drawn once, so common companions may still be more than a quarter.
    """
    order = sorted(themes_of, key=lambda photo: (_ticket(seed, photo), photo))
    if balance == "none":
        return order[:n]
    queues = [iter([p for p in order if theme in themes_of[p]]) for theme in THEMES]
    drawn: dict[str, None] = {}
    while queues and len(drawn) < n:
        for queue in list(queues):
            photo = next((photo for photo in queue if photo not in drawn), None)
            if photo is None:
                queues.remove(queue)
            elif len(drawn) < n:
                drawn[photo] = None
    rest = (photo for photo in order if photo not in drawn)
    return [*drawn, *(photo for photo, _ in zip(rest, range(n - len(drawn)), strict=False))]


def _ticket(seed: int, photo_id: str) -> bytes:
    return hashlib.sha256(f"{seed}:{photo_id}".encode()).digest()


def _rows(source: pq.ParquetFile, places: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Table:
    """Return the rows at `places`, in that order, holding one batch of the file at a time."""
    ascending = np.sort(places)
    found, start = [], 0
    for batch in source.iter_batches():
        low, high = np.searchsorted(ascending, [start, start + batch.num_rows])
        found.append(pa.Table.from_batches([batch]).take(pa.array(ascending[low:high] - start)))
        start += batch.num_rows
    return pa.concat_tables(found).take(pa.array(np.searchsorted(ascending, places)))
