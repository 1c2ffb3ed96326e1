"""`photochat filter` and `photochat sample`: what they print and what they leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from photochat.pool import read_pool
from tests.filtering.files import (
    DOG,
    MAN,
    box_row,
    write_boxes,
    write_classes,
    write_hierarchy,
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def options(tmp_path: Path) -> list[object]:
    """The options that name a made-up set of files: twelve dogs, and a man who is too small."""
    rows = [box_row(f"{image:02d}", DOG) for image in range(12)]
    boxes = write_boxes(tmp_path, *rows, box_row("99", MAN, "0.4,0.6,0.4,0.6"))
    hierarchy = write_hierarchy(tmp_path)
    return ["--boxes", boxes, "--classes", write_classes(tmp_path), "--hierarchy", hierarchy]


def test_filter_prints_a_funnel(tmp_path: Path, options: list[object], run_photochat: Run) -> None:
    """Without --json, people read the funnel and the themes."""
    status, out, err = run_photochat("filter", *options, "--out", tmp_path / "pool.parquet")
    assert (status, err) == (0, "")
    counts = dict(line.rsplit(maxsplit=1) for line in out.splitlines() if line.strip())
    assert counts["boxes read"] == "13"
    assert counts["  dropped: people too small"] == "1"
    assert counts["photos kept"] == "12"
    assert counts["animal                  12"] == "12"


def test_filter_prints_its_report_as_json(
    tmp_path: Path, options: list[object], run_photochat: Run
) -> None:
    """With --json, stdout is the report that stands beside the pool; warnings go to stderr."""
    more = ["--out", tmp_path / "pool.parquet", "--json", "--size", "either"]
    status, out, err = run_photochat("filter", *options[:-2], *more)
    assert status == 0
    report = json.loads(out)
    assert report == json.loads((tmp_path / "pool.report.json").read_text())
    assert report["options"]["size"] == "either"
    assert err == f"photochat filter: {report['warnings'][0]}\n"


def test_sample_draws_from_the_pool(
    tmp_path: Path, options: list[object], run_photochat: Run
) -> None:
    """A sample is a pool, and the same command draws it again."""
    pool = tmp_path / "pool.parquet"
    run_photochat("filter", *options, "--out", pool)
    for name in ("a", "b"):
        command = ["sample", pool, "--n", 5, "--seed", 7, "--out", tmp_path / name, "--json"]
        status, out, _ = run_photochat(*command)
        assert status == 0
        assert json.loads(out)["themes"]["animal"] == 5
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert len(read_pool(tmp_path / "a")) == 5


def test_unknown_choice_is_a_usage_error(
    tmp_path: Path, options: list[object], run_photochat: Run
) -> None:
    """A value outside the choices is one line and status 2."""
    status, _, err = run_photochat("filter", *options, "--out", tmp_path / "p", "--size", "none")
    assert (status, err.count("\n")) == (2, 1)
