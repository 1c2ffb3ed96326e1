"""`photochat browse` and `photochat curate` through FiftyOne's real database."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from filtering.browse import (
    BROKEN,
    EXCLUDE,
    MISSING,
    NEAR_DUPLICATES,
    NOT_IN_POOL,
    PEOPLE_WITHOUT_MAIN,
    browse,
)
from filtering.curate import curate
from photochat.errors import DataError
from photochat.images import image_path, open_picture
from photochat.photo import Box, Photo
from photochat.pool import read_pool, write_pool
from photochat.records import write_records
from tests.conftest import make_dialogue
from tests.filtering.pictures import encoded, photo, real_picture

Run = Callable[..., tuple[int, str, str]]

MAN = Box("Man", "/m/04yx4", 0.2, 0.8, 0.1, 0.9, main=True)
PASSER_BY = Box("Face", "/m/0dzct", 0.0, 0.1, 0.0, 0.1)
POOL = [
    photo(0, themes=("people",), boxes=(MAN, PASSER_BY)),
    photo(1, themes=("food",), boxes=(Box("Coffee", "/m/02vqfm", 0.3, 0.7, 0.3, 0.7), PASSER_BY)),
    photo(2, themes=("animal",)),
    photo(3, themes=("animal", "people"), boxes=(MAN,), subset="validation"),
    photo(4, themes=("product",), boxes=()),
]
PICTURES = ("astronaut", "coffee", "chelsea", "astronaut")  # the fifth photo has no picture


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The pool's pictures: real ones, the first and fourth the same in two qualities."""
    folder = tmp_path / "images"
    for number, (one, name) in enumerate(zip(POOL, PICTURES, strict=False)):
        place = image_path(folder, one.photo_id)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(encoded(real_picture(name), quality=95 - 10 * number))
    return folder


@pytest.fixture
def name(fiftyone: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """A dataset name of the test's own."""
    unique = request.node.name.replace("[", "-").replace("]", "")
    yield unique
    if fiftyone.dataset_exists(unique):
        fiftyone.delete_dataset(unique)


def sample(fiftyone: Any, name: str, one: Photo) -> Any:
    return fiftyone.load_dataset(name).one(fiftyone.ViewField("photo_id") == one.photo_id)


def tag(fiftyone: Any, name: str, one: Photo, *tags: str) -> None:
    """Tag a photo as a click in the app does."""
    view = fiftyone.load_dataset(name).match(fiftyone.ViewField("photo_id") == one.photo_id)
    view.tag_samples(list(tags))


def test_dataset_holds_the_pool(fiftyone: Any, name: str, images: Path) -> None:
    """Photos become samples with tags, provenance, and boxes of which one is the main object."""
    report = browse(POOL, images, name=name)
    assert (report.photos, report.added, report.updated) == (5, 5, 0)
    dataset = fiftyone.load_dataset(name)
    assert dataset.persistent
    first = sample(fiftyone, name, POOL[0])
    assert first.filepath == str(image_path(images, POOL[0].photo_id))
    assert first.tags == ["people", "train"]
    assert (first.license, first.author, first.url) == (
        POOL[0].license, POOL[0].author, POOL[0].url
    )  # fmt: skip
    assert (first.metadata.width, first.metadata.height) == (512, 512)
    boxes = first.objects.detections
    assert [(box.label, box.main) for box in boxes] == [("Man", True), ("Face", False)]
    assert boxes[0].bounding_box == pytest.approx([0.2, 0.1, 0.6, 0.8])


def test_saved_views(fiftyone: Any, name: str, images: Path) -> None:
    """There is a view per theme and for what a curator looks for; each shows the right photos."""
    report = browse(POOL, images, name=name)
    dataset = fiftyone.load_dataset(name)
    expected = {
        "people": [0, 3], "food": [1], "animal": [2, 3], "product": [4],
        PEOPLE_WITHOUT_MAIN: [1], NEAR_DUPLICATES: [0, 3], "missing images": [4], "excluded": [],
    }  # fmt: skip
    for view, numbers in expected.items():
        ids = dataset.load_saved_view(view).values("photo_id")
        assert ids == [POOL[number].photo_id for number in numbers], view
        assert report.views[view] == len(numbers)


def test_missing_and_broken_pictures_are_shown_as_such(
    fiftyone: Any, name: str, images: Path
) -> None:
    """A photo without a usable picture stands there with a placeholder and a tag that says why."""
    image_path(images, POOL[0].photo_id).write_bytes(b"<html>")
    report = browse(POOL, images, name=name)
    assert (report.missing_images, report.broken_images) == (1, 1)
    for one, state in ((POOL[4], MISSING), (POOL[0], BROKEN)):
        shown = sample(fiftyone, name, one)
        assert state in shown.tags
        assert open_picture(shown.filepath).size == (640, 480)


def test_pictures_that_arrive_later_replace_placeholders(
    fiftyone: Any, name: str, images: Path
) -> None:
    """After a later download the placeholder and its tag are gone."""
    browse(POOL, images, name=name)
    place = image_path(images, POOL[4].photo_id)
    place.write_bytes(encoded(real_picture("camera")))
    assert browse(POOL, images, name=name).missing_images == 0
    shown = sample(fiftyone, name, POOL[4])
    assert (shown.filepath, shown.tags) == (str(place), ["product", "train"])


def test_second_run_updates_and_keeps_tags(fiftyone: Any, name: str, images: Path) -> None:
    """People's tags survive an update; what the pool says anew replaces what it said before."""
    browse(POOL, images, name=name)
    tag(fiftyone, name, POOL[2], EXCLUDE, "blurred")
    changed = [*POOL[:2], photo(2, themes=("food",), author="Bob"), *POOL[3:], photo(9)]
    report = browse(changed, images, name=name)
    assert (report.added, report.updated, report.views["excluded"]) == (1, 5, 1)
    shown = sample(fiftyone, name, POOL[2])
    assert shown.tags == ["food", "train", EXCLUDE, "blurred"]
    assert shown.author == "Bob"
    assert len(fiftyone.load_dataset(name)) == 6


def test_photos_that_left_the_pool_stay_marked(fiftyone: Any, name: str, images: Path) -> None:
    """A sample without a photo in the pool keeps people's tags, and is in no theme's view."""
    browse(POOL, images, name=name)
    tag(fiftyone, name, POOL[2], EXCLUDE)
    report = browse([*POOL[:2], *POOL[3:]], images, name=name)
    assert (report.not_in_pool, report.views["animal"]) == (1, 1)
    assert set(sample(fiftyone, name, POOL[2]).tags) == {"train", EXCLUDE, NOT_IN_POOL}
    assert browse(POOL, images, name=name).not_in_pool == 0
    assert set(sample(fiftyone, name, POOL[2]).tags) == {"animal", "train", EXCLUDE}


def test_dialogues_and_findings_are_attached(fiftyone: Any, name: str, images: Path) -> None:
    """A photo carries what was said about it; a run without dialogues leaves those it has."""
    said = {POOL[1].photo_id: ["A: coffee?\nB: [shares the photo]", "A: hi"]}
    found = {POOL[1].photo_id: ["dialogue 7: typo (minor): 'cofee'"]}
    report = browse(POOL, images, name=name, dialogues=said, findings=found)
    assert (report.with_dialogues, report.with_findings) == (1, 1)
    browse(POOL, images, name=name)
    shown = sample(fiftyone, name, POOL[1])
    assert shown.dialogues == said[POOL[1].photo_id]
    assert shown.dialogue_turns == ["A: coffee?", "B: [shares the photo]", "A: hi"]
    assert shown.findings == found[POOL[1].photo_id]
    assert len(fiftyone.load_dataset(name).load_saved_view("with dialogues")) == 1


def test_foreign_datasets_are_left_alone(fiftyone: Any, name: str, images: Path) -> None:
    """A dataset of the same name that somebody else made is not touched."""
    other = fiftyone.Dataset(name)
    with pytest.raises(DataError, match="give another --name"):
        browse(POOL, images, name=name)
    assert len(other) == 0


def test_tagged_photos_leave_the_pool(fiftyone: Any, name: str, images: Path) -> None:
    """What is tagged `exclude` in the database is not in the curated pool; order is kept."""
    browse(POOL, images, name=name)
    tag(fiftyone, name, POOL[1], EXCLUDE)
    tag(fiftyone, name, POOL[3], EXCLUDE, "other")
    tag(fiftyone, name, POOL[4], "other")
    kept, report = curate(POOL, name)
    assert kept == [POOL[0], POOL[2], POOL[4]]
    assert (report.read, report.excluded, report.kept) == (5, 2, 3)


def test_curate_says_what_only_one_side_knows(fiftyone: Any, name: str, images: Path) -> None:
    """Photos that nobody saw in FiftyOne stay and are named; so are samples without a photo."""
    browse(POOL[:3], images, name=name)
    tag(fiftyone, name, POOL[0], EXCLUDE)
    kept, report = curate(POOL[1:], name)
    assert kept == POOL[1:]
    assert report.only_in_pool == tuple(sorted((POOL[3].photo_id, POOL[4].photo_id)))
    assert report.only_in_dataset == (POOL[0].photo_id,)


def test_unknown_dataset_is_one_line(fiftyone: Any) -> None:
    """A name that FiftyOne does not have is answered with those it has."""
    with pytest.raises(DataError, match="no dataset 'nobody' "):
        curate(POOL, "nobody")


def test_dataset_without_photo_ids_is_one_line(fiftyone: Any, name: str) -> None:
    """A dataset that came from elsewhere cannot say which photos to drop."""
    fiftyone.Dataset(name)
    with pytest.raises(DataError, match="has no photo ids"):
        curate(POOL, name)


def test_without_fiftyone_one_line_names_the_extra(tmp_path: Path) -> None:
    """Where FiftyOne is not installed browse and curate end with exit 2 and how to install it."""
    write_pool(tmp_path / "pool.parquet", POOL)
    blocked = (
        "import sys; sys.modules['fiftyone'] = None\n"
        "from photochat.cli import main; main()"
    )  # fmt: skip
    for arguments in (
        ["browse", "pool.parquet", "--images", "images"],
        ["curate", "pool.parquet", "--from-fiftyone", "x", "--out", "out.parquet"],
    ):
        done = subprocess.run(
            [sys.executable, "-c", blocked, *arguments],
            cwd=tmp_path, capture_output=True, text=True,
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        assert done.returncode == 2
        assert done.stderr.startswith(
            "photochat: FiftyOne is not installed: pip install 'photochat"
        )
        assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out.parquet").exists()


def test_commands_from_pool_to_curated_pool(
    fiftyone: Any, name: str, images: Path, tmp_path: Path, run_photochat: Run
) -> None:
    """browse and curate from the command line: counts as JSON, an output that is a pool."""
    pool, out = tmp_path / "pool.parquet", tmp_path / "curated.parquet"
    write_pool(pool, POOL)
    browsing = (
        "browse", pool, "--images", images, "--name", name, "--no-launch",
        "--duplicates-by", "thumbnails",
    )  # fmt: skip
    status, said, err = run_photochat(*browsing, "--json")
    report = json.loads(said)
    assert (status, report["views"]["people"], report["missing_images"]) == (0, 2, 1)
    assert "near duplicates were looked for by thumbnail pixels" in err
    tag(fiftyone, name, POOL[0], EXCLUDE)
    curating = ("curate", pool, "--from-fiftyone", name, "--out", out)
    status, said, _ = run_photochat(*curating, "--json")
    counts = json.loads(said)
    assert (status, counts["excluded"], counts["kept"]) == (0, 1, 4)
    assert read_pool(out) == POOL[1:]
    status, said, _ = run_photochat(*browsing)
    assert (status, said.splitlines()[0]) == (
        0, f"FiftyOne dataset {name}: 5 photos (0 new, 5 updated)"
    )  # fmt: skip


def test_command_shows_dialogues_and_findings(
    fiftyone: Any, name: str, images: Path, tmp_path: Path, run_photochat: Run
) -> None:
    """--dialogues and --findings attach what is about the pool's photos and count the rest."""
    write_pool(tmp_path / "pool.parquet", POOL)
    here = make_dialogue("0:hi 1:* 0:nice", dialogue_id=7, photo_id=POOL[2].photo_id)
    there = make_dialogue(dialogue_id=8, photo_id="test/00")
    write_records(tmp_path / "accepted.jsonl", [here, there])
    (tmp_path / "findings.jsonl").write_text(
        '{"dialogue_id": 7, "check": "typos", "severity": "minor", "turn": 0, "message": "hi"}\n'
    )
    browsing = (
        "browse", tmp_path / "pool.parquet", "--images", images, "--name", name, "--no-launch",
        "--findings", tmp_path / "findings.jsonl",
    )  # fmt: skip
    status, _, err = run_photochat(*browsing)
    assert status == 2
    assert "--findings: needs --dialogues" in err
    status, _, err = run_photochat(*browsing, "--dialogues", tmp_path / "accepted.jsonl")
    assert status == 0
    assert "dialogues about no photo of the pool, not shown: 1" in err
    shown = sample(fiftyone, name, POOL[2])
    assert shown.dialogues == ["Dialogue 7\nA: hi\nB: [shares the photo]\nA: nice"]
    assert shown.findings == ["Dialogue 7, turn 1: typos, minor: hi"]


def test_the_pool_is_not_written_over(
    fiftyone: Any, name: str, images: Path, tmp_path: Path, run_photochat: Run
) -> None:
    """curate does not destroy the pool it reads."""
    pool = tmp_path / "pool.parquet"
    write_pool(pool, POOL)
    status, _, err = run_photochat("curate", pool, "--from-fiftyone", name, "--out", pool)
    assert (status, len(err.splitlines())) == (2, 1)
    assert "is an input too" in err
    assert read_pool(pool) == POOL
