"""Plots are written as PNG and SVG, the same bytes for the same data."""

from pathlib import Path

from PIL import Image

from photochat.plots import write_plots
from photochat.release import Release, SourceFile, read_release
from photochat.statistics import stats
from tests.conftest import SAMPLE, make_dialogue

NAMES = {"turns_before_share", "tokens", "themes", "labels"}


def test_every_plot_comes_in_both_formats(tmp_path):
    written = write_plots(stats(read_release(SAMPLE)), tmp_path / "plots")
    assert {path.name for path in written} == {f"{n}{s}" for n in NAMES for s in (".png", ".svg")}
    for path in written:
        if path.suffix == ".png":
            with Image.open(path) as image:
                assert image.width > 600
                assert len(image.convert("RGB").getcolors(1 << 20) or []) > 2  # not blank
        else:
            assert "<svg" in path.read_text()


def test_the_same_data_gives_the_same_files(tmp_path):
    parts = stats(read_release(SAMPLE))
    for name in ("a", "b"):
        write_plots(parts, tmp_path / name)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_odd_labels_and_empty_splits_are_drawn(tmp_path):
    odd = make_dialogue(labels="$x$, 鳥, קט")
    release = Release((SourceFile(Path("a"), "train", [odd]), SourceFile(Path("b"), "dev", [])))
    assert len(write_plots(stats(release), tmp_path)) == 8
    assert len(write_plots(stats(Release((SourceFile(Path("b"), "dev", []),))), tmp_path)) == 8
