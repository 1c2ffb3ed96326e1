"""What is wrong with an input is said in one line, with file and row; no half pool is left."""

from __future__ import annotations

import gzip
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from filtering.filter import Inputs, filter_photos
from photochat.errors import DataError
from photochat.pool import read_pool
from tests.conftest import REPOSITORY
from tests.filtering.files import (
    BOX_HEADER,
    DOG,
    LABEL_HEADER,
    METADATA_HEADER,
    box_row,
    write,
    write_boxes,
    write_classes,
    write_hierarchy,
)

GOOD = [box_row(f"{i:04d}", DOG) for i in range(6)]
BOXES = "validation-annotations-bbox.csv"


def run(folder: Path, boxes: Path) -> list[str]:
    """Filter; return the warnings."""
    inputs = Inputs((boxes,), (write_classes(folder),), write_hierarchy(folder))
    said: list[str] = []
    report = filter_photos(inputs, folder / "out" / "pool.parquet", say=said.append)
    assert said == report.warnings
    return said


def assert_refused(folder: Path, boxes: Path, *parts: str) -> None:
    """Filtering fails with one line that has all parts, and leaves nothing behind."""
    with pytest.raises(DataError) as caught:
        run(folder, boxes)
    line = str(caught.value)
    assert "\n" not in line
    for part in (boxes.name, *parts):
        assert part in line, line
    left = list((folder / "out").rglob("*")) if (folder / "out").exists() else []
    assert left == []


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        (box_row("x", DOG, "0.2,wide,0.2,0.8"), ("row 5 (line 6)", "XMax", "not a number: 'wide'")),
        (box_row("x", DOG, "0.2,,0.2,0.8"), ("row 5 (line 6)", "XMax", "is empty")),
        (box_row("x", DOG, "0.2,nan,0.2,0.8"), ("row 5 (line 6)", "XMax", "not a finite number")),
        (box_row("x", DOG, flags="0,0,2,0,0"), ("row 5", "IsGroupOf", "not -1, 0 or 1")),
        (box_row("x", DOG, flags="0,0,yes,0,0"), ("row 5", "IsGroupOf", "'yes'")),
        (box_row("", DOG), ("row 5", "ImageID", "is empty")),
        ("x,xclick,/m/0bt9lr", ("row 5 (line 6)", "3 cells, but the header names 13")),
        (GOOD[0] + ",extra", ("row 5 (line 6)", "14 cells, but the header names 13")),
    ],
)
def test_malformed_row_is_named(tmp_path: Path, row: str, parts: tuple[str, ...]) -> None:
    """A row that cannot be read stops the run; the line names file, row, column and value."""
    assert_refused(tmp_path, write_boxes(tmp_path, *GOOD[:4], row, *GOOD[4:]), *parts)


def test_metadata_without_an_image_id_is_named(tmp_path: Path) -> None:
    """The row is named, also where its place in the order would never be found."""
    metadata = write(tmp_path / "images.csv", METADATA_HEADER, ["0000" + "," * 11, "," * 11])
    inputs = Inputs(
        (write_boxes(tmp_path, *GOOD),),
        (write_classes(tmp_path),),
        write_hierarchy(tmp_path),
        (metadata,),
    )
    with pytest.raises(DataError, match=r"images\.csv: row 2 \(line 3\): ImageID: is empty"):
        filter_photos(inputs, tmp_path / "pool.parquet")


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (box_row("0004", DOG, "0.2,1.2,0.2,0.8"), "1 boxes out of frame"),
        (box_row("0004", DOG, "-0.1,0.5,0.2,0.8"), "1 boxes out of frame"),
        (box_row("0004", DOG, "0.8,0.2,0.2,0.8"), "1 boxes out of frame"),
        (box_row("0004", "/m/0unknown"), "1 boxes of unknown class"),
        (GOOD[3], "1 boxes repeated"),
    ],
)
def test_unusable_box_is_left_out_counted_and_shown(tmp_path: Path, row: str, what: str) -> None:
    """The file is still usable: the box is left out, the warning says how many and where."""
    warnings = run(tmp_path, write_boxes(tmp_path, *GOOD[:4], row, *GOOD[4:]))
    assert len(warnings) == 1
    assert what in warnings[0]
    assert f"first: {BOXES}: row 5 (line 6)" in warnings[0]
    pool = read_pool(tmp_path / "out" / "pool.parquet")
    assert [len(photo.boxes) for photo in pool] == [1] * 6


def test_rounding_at_the_border_is_no_fault(tmp_path: Path) -> None:
    """A coordinate a ten-millionth outside the image is rounding."""
    assert run(tmp_path, write_boxes(tmp_path, box_row("a", DOG, "-1e-7,1.0000001,0,1"))) == []


def test_classes_of_another_release_are_refused(tmp_path: Path) -> None:
    """When no box's class is known, the class file is the wrong one."""
    boxes = write_boxes(tmp_path, box_row("a", "/m/0unknown"), box_row("b", "/m/0other"))
    with pytest.raises(DataError, match="names none of the boxes' classes"):
        run(tmp_path, boxes)


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        (BOX_HEADER.replace("XMin,", ""), ("no column XMin",)),
        (BOX_HEADER.replace("IsGroupOf", "GroupOf"), ("header", "no column IsGroupOf")),
        (BOX_HEADER.replace("XMin", "XMax"), ("no column XMin",)),
        (BOX_HEADER.replace("Source", "XMin"), ("column XMin stands twice",)),
        (METADATA_HEADER, ("holds metadata, not boxes: give it with --metadata",)),
        (LABEL_HEADER, ("holds image labels, not boxes: give it with --image-labels",)),
        ("/m/0bt9lr,Dog", ("holds classes, not boxes: give it with --classes",)),
        ("LabelName,DisplayName", ("give it with --classes",)),
    ],
)
def test_wrong_header_is_recognised(tmp_path: Path, header: str, parts: tuple[str, ...]) -> None:
    """A missing or renamed column is named, another of Open Images' files is told apart."""
    assert_refused(tmp_path, write(tmp_path / BOXES, header, []), *parts)


def test_empty_file_is_named(tmp_path: Path) -> None:
    """An empty file is said to be empty, whichever input it is."""
    boxes = tmp_path / BOXES
    boxes.write_text("")
    assert_refused(tmp_path, boxes, "is empty")
    good = write_boxes(tmp_path, *GOOD)
    empty = tmp_path / "empty"
    empty.write_text("")
    classes, hierarchy = write_classes(tmp_path), write_hierarchy(tmp_path)
    for inputs in (
        Inputs((good,), (empty,), hierarchy),
        Inputs((good,), (classes,), empty),
        Inputs((good,), (classes,), hierarchy, (empty,)),
        Inputs((good,), (classes,), hierarchy, (), (empty,)),
    ):
        with pytest.raises(DataError, match=r"empty: .*is empty"):
            filter_photos(inputs, tmp_path / "pool.parquet")


def test_boxes_without_rows_make_an_empty_pool(tmp_path: Path) -> None:
    """A header alone is a file of no boxes, not a fault."""
    assert run(tmp_path, write_boxes(tmp_path)) == []
    assert read_pool(tmp_path / "out" / "pool.parquet") == []


def test_truncated_gzip_is_named(tmp_path: Path) -> None:
    """A download that broke off is told from a short file, also within its first bytes."""
    rows = [box_row(f"{i:05d}", DOG) for i in range(5000)]
    packed = gzip.compress(write_boxes(tmp_path, *rows).read_bytes())
    cut = tmp_path / f"{BOXES}.gz"
    for length in (len(packed) // 2, 12):
        cut.write_bytes(packed[:length])
        assert_refused(tmp_path, cut, "the gzip file is truncated: fetch it again")


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there."""
    assert_refused(tmp_path, tmp_path / "train-none.csv", "No such file")


@pytest.mark.parametrize("content", ["{", "[]", '{"LabelName": "/m/0jbk"}', "/m/0bt9lr,Dog\n"])
def test_file_that_is_no_hierarchy_is_named(tmp_path: Path, content: str) -> None:
    """The hierarchy is JSON, and its root is Entity."""
    wrong = tmp_path / "hierarchy.json"
    wrong.write_text(content)
    inputs = Inputs((write_boxes(tmp_path, *GOOD),), (write_classes(tmp_path),), wrong)
    with pytest.raises(DataError, match=r"hierarchy\.json: .*hierarchy"):
        filter_photos(inputs, tmp_path / "pool.parquet")


def test_wrong_classes_file_is_named(tmp_path: Path) -> None:
    """Boxes given as classes are recognised; another list than Open Images' is refused."""
    boxes = write_boxes(tmp_path, *GOOD)
    with pytest.raises(DataError, match="holds boxes, not classes: give it with --boxes"):
        filter_photos(Inputs((boxes,), (boxes,)), tmp_path / "pool.parquet")
    for content, message in (
        ("dog,Dog\n", "line 1: not a class id and a name"),
        ("/m/0bt9lr,Dog\n/m/0bt9lr,Hound\n", "line 2: /m/0bt9lr has a second name"),
        ("/m/0bt9lr,Dog\n", "no label of Table 5"),
    ):
        wrong = tmp_path / "classes.csv"
        wrong.write_text(content)
        with pytest.raises(DataError, match=message):
            filter_photos(Inputs((boxes,), (wrong,)), tmp_path / "pool.parquet")


def test_memory_limit_that_is_none_is_refused(tmp_path: Path) -> None:
    """`--memory-limit` takes an amount."""
    inputs = Inputs((write_boxes(tmp_path, *GOOD),), (write_classes(tmp_path),))
    with pytest.raises(DataError, match="not an amount of memory"):
        filter_photos(inputs, tmp_path / "pool.parquet", memory_limit="much")


def test_full_disk_leaves_the_pool_that_was_there(tmp_path: Path) -> None:
    """When writing fails, one line says so and the earlier pool and report still stand."""
    rows = [box_row(f"{i:06d}", DOG) for i in range(20_000)]
    write_boxes(tmp_path, *rows), write_classes(tmp_path), write_hierarchy(tmp_path)
    out = tmp_path / "out" / "pool.parquet"
    out.parent.mkdir()
    out.write_bytes(b"before")

    def limit() -> None:

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing fails instead of killing
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(
        [sys.executable, "-m", "photochat", "filter", "--boxes", tmp_path / BOXES, "--classes",
         tmp_path / "class-descriptions-boxable.csv", "--hierarchy",
         tmp_path / "bbox_labels_600_hierarchy.json", "--out", out],
        capture_output=True, text=True, preexec_fn=limit, check=False,
        cwd=REPOSITORY, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "cannot be written" in done.stderr
    assert out.read_bytes() == b"before"
    assert [path.name for path in out.parent.iterdir()] == ["pool.parquet"]


def test_command_prints_the_line_and_exits_2(
    tmp_path: Path, run_photochat: Callable[..., tuple[int, str, str]]
) -> None:
    """The command line says what the exception says, on stderr."""
    boxes = write_boxes(tmp_path, box_row("a", DOG, "0.2,wide,0.2,0.8"))
    status, out, err = run_photochat(
        "filter", "--boxes", boxes, "--classes", write_classes(tmp_path), "--out", tmp_path / "p"
    )
    assert (status, out) == (2, "")
    assert err == f"photochat: {boxes}: row 1 (line 2): XMax: not a number: 'wide'\n"


def test_interrupt_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while boxes are read: status 130, one line, and no file beside the inputs."""
    rows = (box_row(f"{i:07d}", DOG) for i in range(1_500_000))
    write_boxes(tmp_path, *rows), write_classes(tmp_path)
    out = tmp_path / "out" / "pool.parquet"
    process = subprocess.Popen(
        [sys.executable, "-m", "photochat", "filter", "--boxes", tmp_path / BOXES, "--classes",
         tmp_path / "class-descriptions-boxable.csv", "--out", out],
        cwd=REPOSITORY, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not list(tmp_path.glob("out/.pool.parquet.*.part")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "photochat: interrupted\n")
    assert list(out.parent.iterdir()) == []
