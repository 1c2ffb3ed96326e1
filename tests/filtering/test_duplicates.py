"""Near-duplicates: the grouping rule, and what thumbnails can and cannot see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from filtering import duplicates
from filtering.duplicates import THUMBNAILS, near_duplicates, thumbnail_vectors
from tests.filtering.pictures import BROKEN, REAL, encoded, made_picture, real_picture

vectors = hnp.arrays(
    np.float32,
    st.tuples(st.integers(0, 12), st.just(3)),
    elements=st.sampled_from([-1.0, 0.0, 0.5, 1.0, float("nan")]),
)


def naive(rows: np.ndarray, max_distance: float) -> list[list[int]]:
    """Every pair compared in float64, groups by spreading."""

    def same(a: np.ndarray, b: np.ndarray) -> bool:
        if np.isnan(a).any() or np.isnan(b).any():
            return False
        long_a, long_b = np.linalg.norm(a), np.linalg.norm(b)
        if long_a == 0 or long_b == 0:
            return bool(long_a == long_b)
        return bool(1 - a @ b / (long_a * long_b) <= max_distance)

    groups, seen = [], set()
    for start in range(len(rows)):
        if start in seen:
            continue
        group, open_rows = {start}, [start]
        while open_rows:
            row = open_rows.pop()
            for other in range(len(rows)):
                if other not in group and same(rows[row], rows[other]):
                    group.add(other)
                    open_rows.append(other)
        seen |= group
        if len(group) > 1:
            groups.append(sorted(group))
    return groups


@settings(deadline=None)
@given(vectors, st.sampled_from([0.013, 0.11, 0.37]))
def test_groups_equal_the_naive_ones(rows: np.ndarray, max_distance: float) -> None:
    """The blockwise grouping equals comparing every pair, NaN and zero rows included."""
    assert near_duplicates(rows, max_distance) == naive(rows.astype(float), max_distance)


def test_blocks_change_nothing(monkeypatch: object) -> None:
    """Groups that reach across blocks are found."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(1500, 8)).astype(np.float32)
    rows = np.concatenate([base, base[:700] * 3])
    groups = near_duplicates(rows, 1e-4)
    assert len(rows) > 2 * duplicates._BLOCK
    assert groups == [[row, row + 1500] for row in range(700)]


def test_copies_of_real_photographs_are_found(tmp_path: Path) -> None:
    """The same photograph in half the size and poor quality is a duplicate; others are not."""
    paths = []
    for name in REAL:
        picture = real_picture(name)
        for kind, copy, quality in (
            ("original", picture, 95),
            ("small", picture.resize((picture.width // 2, picture.height // 2)), 40),
        ):
            path = tmp_path / f"{name}-{kind}.jpg"
            path.write_bytes(encoded(copy, quality=quality))
            paths.append(path)
    groups = near_duplicates(THUMBNAILS.embed(paths), THUMBNAILS.max_distance)
    assert groups == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_unreadable_pictures_have_no_vector(tmp_path: Path) -> None:
    """A broken or missing picture gets a row of NaN, and is nobody's duplicate."""
    paths = [tmp_path / "good.jpg", tmp_path / "none.jpg"]
    paths[0].write_bytes(encoded(made_picture()))
    for name in ("html", "empty", "bomb", "header only"):
        paths.append(tmp_path / f"{name}.jpg")
        paths[-1].write_bytes(BROKEN[name])
    rows = thumbnail_vectors(paths)
    assert np.isfinite(rows[0]).all()
    assert np.isnan(rows[1:]).all()
    assert near_duplicates(rows, 2.0) == []
