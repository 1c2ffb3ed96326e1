"""Int-RA trains, saves, loads and is measured; it learns what depends on the intention."""

import json
import shutil

import numpy as np
import pytest

from modeling.runs import read_metrics
from modeling.stickers.evaluate import StickerEvaluation, evaluate_stickers
from modeling.stickers.examples import gallery_of, sticker_examples, sticker_pixels
from modeling.stickers.network import build_network
from modeling.stickers.represent import scored
from modeling.stickers.runs import finished
from modeling.stickers.train import train_stickers
from modeling.training.device import open_accelerator
from photochat.errors import DataError
from photochat.stickers import read_stickers
from tests.modeling.stickers.conftest import small
from tests.sticker_sample import INTENTIONS, write_descriptions, write_knowledge, write_sample


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "int-ra"
    train_stickers(data, small(), folder, device="cpu")
    return folder


def test_a_run_is_measured_and_written_down(folder, run):
    result = evaluate_stickers(folder, run, device="cpu", resamples=20)
    assert (result.conversations, result.stickers) == (12, 8)
    assert result.chance["precision@1"] == 25
    assert len(result.curve) == 21
    assert read_metrics(run, StickerEvaluation)["test"].metrics == result.metrics
    page = (run / "report.html").read_text()
    assert page.count("<svg") == 2
    assert page.count("data:image/png;base64,") == 12 * (1 + 5)
    assert "precision, %" in page or "precision" in page
    again = evaluate_stickers(folder, run, "valid", device="cpu", resamples=0)
    assert set(read_metrics(run, StickerEvaluation)) == {"test", "valid"}
    assert again.metrics["map"].value == pytest.approx(finished(run)[1].valid["map"])


def test_the_saved_network_is_the_one_that_was_kept(data, run):
    """Scores are the same whatever is in a batch with what, and after loading a second time."""
    settings = finished(run)[0].settings
    gallery, examples = gallery_of(data), sticker_examples(data, "test")
    accelerator = open_accelerator("cpu")
    found = []
    for _ in range(2):
        network = build_network(settings, weights=run / "model")
        pixels = sticker_pixels(gallery.stickers, network.module.vision.side)
        found.append(scored(network, gallery, pixels, examples, accelerator).scores.numpy())
    np.testing.assert_array_equal(*found)


def test_a_resumed_run_ends_as_one_that_was_not_interrupted(data, run, tmp_path):
    half = tmp_path / "half"
    shutil.copytree(run, half)
    kept = sorted((half / "checkpoints").glob("step-*"))
    shutil.rmtree(kept[-1])
    settings = json.loads((half / "settings.json").read_text()) | {"chosen": None}
    (half / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(DataError, match="the run has not ended"):
        finished(half)
    train_stickers(data, small(), half, device="cpu", resume=True)
    whole, again = finished(run)[1], finished(half)[1]
    assert whole.valid == again.valid
    for file in ("model/head.safetensors", "model/text/model.safetensors"):
        assert (run / file).read_bytes() == (half / file).read_bytes()
    with pytest.raises(DataError, match=r"is a run of other settings \(margin\)"):
        train_stickers(data, small(margin=0.5), half, device="cpu", resume=True)
    with pytest.raises(DataError, match="is not empty"):
        train_stickers(data, small(), half, device="cpu")


@pytest.mark.parametrize(
    "change",
    [
        {"intention": False, "attributes": False, "knowledge": False},
        {"fusion": "label+text", "relation": "scalar", "positive": "similarity"},
        {"freeze_vision": True, "pooling": "first", "max_tokens": 64},
    ],
    ids=str,
)
def test_every_variant_runs_from_training_to_measures(data, folder, tmp_path, change):
    train_stickers(data, small(epochs=1, limit=9, **change), tmp_path / "run", device="cpu")
    result = evaluate_stickers(folder, tmp_path / "run", device="cpu", resamples=0)
    assert ("intention_accuracy" in result.metrics) == change.get("intention", True)


def test_one_intention_or_one_sticker_alone_cannot_be_learnt(tmp_path):
    folder = write_sample(tmp_path / "d", train=8, valid=4, test=4, stickers=8)
    for split in ("train", "valid", "test"):
        records = json.loads((folder / f"{split}.json").read_text())
        for record in records:
            record["intention"] = "joy"
        (folder / f"{split}.json").write_text(json.dumps(records))
    bare = {"knowledge": False, "attributes": False}
    one_tag = read_stickers(folder, intentions=INTENTIONS)
    with pytest.raises(DataError, match="all conversations in train have the intention joy"):
        train_stickers(one_tag, small(**bare), tmp_path / "run")
    folder = write_sample(tmp_path / "e", train=8, valid=4, test=4, stickers=1)
    one_sticker = read_stickers(folder, intentions=INTENTIONS)
    with pytest.raises(DataError, match="have the same sticker"):
        train_stickers(one_sticker, small(intention=False, **bare), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_depends_on_the_intention_is_learnt_better_with_it(tmp_path):
    """Three epochs on 96 conversations; benchmarks/stickers.py has more seeds and ablations."""
    folder = write_sample(tmp_path / "d", train=96, valid=24, test=96, stickers=24)
    write_knowledge(folder, folder / "knowledge.jsonl")
    write_descriptions(folder, folder / "descriptions.jsonl")
    data = read_stickers(folder, intentions=INTENTIONS)
    reached = {}
    for intention in (True, False):
        out = tmp_path / str(intention)
        train_stickers(data, small(epochs=3, intention=intention), out, device="cpu")
        result = evaluate_stickers(folder, out, device="cpu", resamples=0)
        reached[intention] = result.metrics["map"].value
    assert reached[True] > reached[False] + 3
    assert reached[True] > result.chance["map"] + 30
