"""Retrieval on the command line: pictures, captions first, and what cannot be done in one line."""

import json

import pytest
from PIL import Image

from modeling.retrieval.runs import finished
from photochat.cli import train_retrieval
from photochat.release import read_release, write_release
from tests.conftest import SAMPLE
from tests.modeling.retrieval.test_chatpedes import write_file
from tests.modeling.retrieval.test_coco import caption_file

SMALL = ["--preset", "tiny", "--epochs", "1", "--batch", "16", "--device", "cpu"]


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retrieval") / "release"
    dialogues = read_release(SAMPLE).dialogues
    write_release({"train": dialogues[:30], "dev": dialogues[30:45]}, folder)
    return folder


@pytest.fixture(scope="module")
def pictures(release):
    """One-coloured pictures of all photos but the first of train."""
    folder = release.parent / "photos"
    dialogues = read_release(release).dialogues
    for i, photo in enumerate(dict.fromkeys(d.photo_id for d in dialogues if d.photo_id)):
        if i:
            file = folder / f"{photo}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (40, 30), (i % 256, 7 * i % 256, 31 * i % 256)).save(file)
    return folder


def test_captions_first_then_the_release_and_a_picture_that_is_missing_is_counted(
    release, pictures, tmp_path, run_photochat
):
    captions = caption_file(tmp_path)
    for i in range(8):
        file = tmp_path / f"coco/val2014/COCO_val2014_{i:012d}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 32), (30 * i, 0, 0)).save(file)
    first = tmp_path / "coco-run"
    status, out, err = run_photochat(
        *("train", "retrieval", "--data", f"coco:{captions}", "--images", tmp_path / "coco"),
        *(*SMALL, "--augment", "--out", first),
    )
    assert status == 0, err
    assert "recall@10" in out
    status, out, err = run_photochat(
        *("train", "retrieval", "--data", release, "--images", pictures, "--init-from", first),
        *("--epochs", "1", "--query", "sharer", "--pairs-at-once", "6", "--device", "cpu"),
        *("--out", tmp_path / "run", "--json"),
    )
    assert status == 0, err
    run = finished(tmp_path / "run")[0]
    assert json.loads(out)["settings"]["model"]["type"] == "dual-encoder"
    assert (run.settings.augment, run.settings.speakers) == (True, "sharer")
    assert run.chosen.without_picture == {"train": 1, "dev": 0}
    assert "1 of 30 photos of train have no picture" in err


@pytest.mark.parametrize(("kind", "write"), [("coco", caption_file), ("chatpedes", write_file)])
def test_a_limit_holds_for_other_data_too_and_leaves_dev_whole(kind, write, tmp_path):
    data = f"{kind}:{write(tmp_path)}"
    whole, some = train_retrieval._splits(data, None), train_retrieval._splits(data, 3)
    assert some.train.queries == whole.train.queries[:3]
    assert some.train.photos == whole.train.photos[:2]
    assert some.train.identities == whole.train.identities[:2]
    assert some.dev == whole.dev


def test_what_cannot_be_done_is_one_line(release, pictures, tmp_path, run_photochat):
    (tmp_path / "empty").mkdir()
    dialogues = read_release(release).dialogues
    write_release({"train": dialogues[:5]}, tmp_path / "half")
    write_release(
        {
            "train": dialogues[:5],
            "dev": [d for d in read_release(SAMPLE).dialogues if d.share_index is None][:2]
            or dialogues[:5],
        },
        tmp_path / "unshared",
    )
    intent = tmp_path / "intent"
    status, _, err = run_photochat(
        "train", "intent", "--data", release, "--preset", "tfidf", "--out", intent
    )
    assert status == 0, err
    given = ("--data", release, "--images", pictures)
    for words, said in (
        ((*given, "--preset", "nonsense"), "there is no preset nonsense: name one of de-label-ce"),
        (given, "name a recipe with --preset"),
        (("--data", release, "--preset", "tiny"), "name their folder with --images"),
        (("--data", release, *SMALL, "--images", tmp_path / "none"), "is no folder of pictures"),
        (("--data", release, *SMALL, "--images", tmp_path / "empty"), "none of the"),
        ((*given, "--init-from", intent), "is a run of intent, not of retrieval"),
        ((*given, "--init-from", tmp_path / "empty"), "holds no run"),
        (("--data", tmp_path / "half", *SMALL), "dev"),
        (("--data", f"coco:{tmp_path}/x.json", *SMALL), "cannot be read"),
        ((*given, *SMALL, "--context", "no-such/model"), "cannot be had"),
        ((*given, *SMALL, "--image", "no-such"), "there is no image model"),
        ((*given, *SMALL, "--max-length", "2000"), "reads 512 tokens at most"),
        ((*given, *SMALL, "--resume"), "holds no run"),
    ):
        out = tmp_path / "run"
        status, _, err = run_photochat("train", "retrieval", *words, "--out", out)
        assert (status, err.count("\n")) == (2, 1), (words, err)
        assert said in err, err
        assert not (out / "model").exists()
        for left in out.glob("*"):
            left.unlink()
