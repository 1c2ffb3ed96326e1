"""`sample_pool`: random, reproducible, balanced by option."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtering.sample import BALANCES, Balance, draw, sample_pool
from photochat.errors import DataError
from photochat.photo import Photo
from photochat.pool import read_pool, write_pool
from photochat.themes import THEMES

themed = st.dictionaries(
    st.text(st.characters(codec="ascii"), min_size=1, max_size=4),
    st.lists(st.sampled_from(THEMES), unique=True),
    min_size=1,
    max_size=30,
)


def photos(count: int) -> list[Photo]:
    """Return photos of which one in ten has each rare theme."""
    rare = {0: ("food",), 1: ("animal",), 2: ("product", "people")}
    return [
        Photo(f"train/{i:03d}", themes=rare.get(i % 10, ("people",)), labels=(f"L{i}",))
        for i in range(count)
    ]


@pytest.mark.parametrize("balance", BALANCES)
def test_sample_is_the_same_whatever_the_order_of_rows(tmp_path: Path, balance: Balance) -> None:
    """Shuffling the pool changes neither the sample nor its order; another seed does."""
    rows = photos(200)
    write_pool(tmp_path / "pool.parquet", rows)
    sample_pool(tmp_path / "pool.parquet", tmp_path / "a.parquet", n=50, seed=3, balance=balance)
    random.Random(0).shuffle(rows)
    write_pool(tmp_path / "pool.parquet", rows)
    for seed in (3, 4):
        out = tmp_path / f"{seed}.parquet"
        sample_pool(tmp_path / "pool.parquet", out, n=50, seed=seed, balance=balance)
    drawn = read_pool(tmp_path / "a.parquet")
    assert drawn == read_pool(tmp_path / "3.parquet")
    assert drawn != read_pool(tmp_path / "4.parquet")
    assert set(drawn) <= set(rows)
    assert len(set(drawn)) == 50


def test_balance_lets_themes_take_turns(tmp_path: Path) -> None:
    """One photo in ten is of food; of a balanced sample, one in four is."""
    write_pool(tmp_path / "pool.parquet", photos(200))
    report = sample_pool(
        tmp_path / "pool.parquet", tmp_path / "s.parquet", n=40, seed=1, balance="themes"
    )
    assert report.themes["food"] == report.themes["animal"] == 10
    counts = Counter(t for photo in read_pool(tmp_path / "s.parquet") for t in photo.themes)
    assert counts == report.themes


@given(themed, st.integers(), st.sampled_from(BALANCES), st.data())
def test_larger_sample_begins_with_the_smaller(
    pool: dict[str, list[str]], seed: int, balance: Balance, data: st.DataObject
) -> None:
    """For any pool and seed, samples nest, hold no photo twice and reach the whole pool."""
    n = data.draw(st.integers(0, len(pool)))
    everything = draw(pool, n=len(pool), seed=seed, balance=balance)
    assert sorted(everything) == sorted(pool)
    assert draw(pool, n=n, seed=seed, balance=balance) == everything[:n]


def test_more_than_the_pool_holds_is_refused(tmp_path: Path) -> None:
    """A sample larger than the pool is an error that says how many there are."""
    write_pool(tmp_path / "pool.parquet", photos(5))
    with pytest.raises(DataError, match="has 5 photos"):
        sample_pool(tmp_path / "pool.parquet", tmp_path / "s.parquet", n=6)
    assert not (tmp_path / "s.parquet").exists()


def test_photo_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """With an id twice, which of the two is drawn would depend on their order."""
    write_pool(tmp_path / "pool.parquet", [*photos(2), Photo("train/000")])
    with pytest.raises(DataError, match="stands twice"):
        sample_pool(tmp_path / "pool.parquet", tmp_path / "s.parquet", n=1)


def test_file_that_is_no_pool_is_refused(tmp_path: Path) -> None:
    """A CSV, a missing file: one line that says so."""
    (tmp_path / "pool.parquet").write_text("photo_id\n")
    for name in ("pool.parquet", "absent.parquet"):
        with pytest.raises(DataError, match=name):
            sample_pool(tmp_path / name, tmp_path / "s.parquet", n=1)
