"""VSE++, SCAN and CLIP, small and random: each learns, is kept, and is what it was when loaded."""

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from modeling.retrieval import train
from modeling.retrieval.clip import PROBE
from modeling.retrieval.encoding import ranks_in
from modeling.retrieval.irra import build_irra
from modeling.retrieval.kinds import build_retriever
from modeling.retrieval.regions import RegionFolder
from modeling.retrieval.settings import (
    ClipSettings,
    DianaSettings,
    IrraSettings,
    PcmeSettings,
    RetrievalSettings,
    ScanSettings,
    VseSettings,
)
from modeling.retrieval.task import RetrievalTask
from modeling.retrieval.train import Splits
from modeling.retrieval.whole_weights import FILE
from modeling.retrieval.wise import ALPHAS
from modeling.training import loop
from modeling.training.device import open_accelerator
from modeling.training.settings import TrainingSettings
from photochat.cli import train_retrieval
from photochat.errors import DataError
from tests.modeling.retrieval import known_answer
from tests.modeling.retrieval.known_answer import CONCEPTS, Squares
from tests.modeling.retrieval.test_clip import SIDE, tiny_open_clip, tiny_transformers

TRAINING = TrainingSettings(epochs=1, rows_per_step=32, bucket=1, learning_rate=5e-3)
VSE = VseSettings(image="tiny-cnn", width=48)
GRID = ScanSettings(image="tiny-cnn", width=48)
TRAIN, DEV = known_answer.known_answer(), known_answer.known_answer(2, seed=1)
TEXTS = [turn.text for query in TRAIN.queries for turn in query.turns]
LABELS = [" ".join(photo.labels) for photo in TRAIN.photos]
TEXTS += LABELS


def settings(model, loss="sum-of-hinges", **options):
    return RetrievalSettings(model=model, loss=loss, training=TRAINING, **options)


class SmallSquares(Squares):
    """The same pictures, as large as the small CLIP sees them."""

    def pixels(self, photos):
        step = known_answer.SIDE // SIDE
        return super().pixels(photos)[:, :, ::step, ::step]


def region_folder(folder):
    """Write three noisy regions for each photo, one of which tells the concept."""
    source = np.random.default_rng(0)
    concepts = source.normal(size=(CONCEPTS, 12))
    (folder / "train").mkdir()
    for photo, concept in zip(TRAIN.photos, concepts, strict=True):
        regions = source.normal(size=(3, 12)) * 0.3
        regions[source.integers(3)] += concept
        file = folder / photo.photo_id
        if source.random() < 0.5:
            np.save(f"{file}.npy", regions)
        else:
            np.savez(f"{file}.npz", regions=regions)
    return RegionFolder(TRAIN.photos, folder)


def learnt(chosen, pictures, passes=20, rate=1e-2):
    """Train for some passes; return the model and dev metrics before and after."""
    retriever = build_retriever(chosen, texts=TEXTS, label_texts=LABELS, pictures=pictures)
    task = RetrievalTask(retriever, chosen, TRAIN, DEV, pictures)
    accelerator = open_accelerator("cpu")
    before = task.evaluate(retriever.matcher, accelerator)
    learning = [p for p in retriever.matcher.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=rate, weight_decay=0.0)
    retriever.matcher.train()
    for epoch in range(passes):
        optimizer.param_groups[0]["lr"] = rate * (1 - epoch / passes)
        rows = task.rows(epoch)
        for start in range(0, len(rows), 32):
            batch = task.collate(rows[start : start + 32])
            task.step_loss(retriever.matcher, [(batch, True)], accelerator)
            optimizer.step()
            optimizer.zero_grad()
    return retriever, before, task.evaluate(retriever.matcher, accelerator)


def same_when_loaded(retriever, chosen, pictures, folder):
    retriever.save(retriever.matcher.state_dict(), folder)
    again = build_retriever(chosen, pictures=pictures, weights=folder)
    accelerator = open_accelerator("cpu")
    one, other = (ranks_in(r, DEV, accelerator, pictures) for r in (retriever, again))
    assert (one == other).all()


@pytest.mark.parametrize(
    "model",
    [VSE, GRID, msgspec.structs.replace(GRID, direction="i-t", gathering="lse")],
    ids=["vse++", "scan-ti-avg", "scan-it-lse"],
)
def test_vsepp_and_scan_learn_a_task_with_a_known_answer(model, tmp_path):
    chosen = settings(model)
    turned = getattr(model, "direction", "") == "i-t"  # many words to look at: it learns slower
    retriever, before, after = learnt(chosen, Squares(), passes=32 if turned else 20)
    assert before["recall@1"] < 30
    assert after["recall@1"] > 90
    same_when_loaded(retriever, chosen, Squares(), tmp_path)


def test_scan_learns_from_regions_in_files(tmp_path):
    (tmp_path / "images").mkdir()
    regions = region_folder(tmp_path / "images")
    model = ScanSettings(width=48, region_width=12)
    chosen = settings(model)
    retriever, before, after = learnt(chosen, regions)
    assert before["recall@1"] < 30
    assert after["recall@1"] > 90
    same_when_loaded(retriever, chosen, regions, tmp_path)


@pytest.mark.parametrize(("tuning", "passes", "rate"), [("full", 8, 3e-3), ("lora", 28, 4e-3)])
def test_clip_learns_a_task_with_a_known_answer(tuning, passes, rate, tmp_path):
    (tmp_path / "clip").mkdir()
    model = ClipSettings(clip=tiny_open_clip(tmp_path / "clip"), tuning=tuning, rank=32, side=SIDE)
    chosen = settings(model, "cross-entropy", max_length=77)
    retriever, before, after = learnt(chosen, SmallSquares(), passes, rate)
    assert before["recall@1"] < 30
    assert after["recall@1"] > 90
    (tmp_path / "kept").mkdir()
    same_when_loaded(retriever, chosen, SmallSquares(), tmp_path / "kept")


def test_clip_reads_the_newest_tokens_of_a_long_talk(tmp_path):
    model = ClipSettings(clip=tiny_open_clip(tmp_path), tuning="none", side=SIDE)
    chosen = msgspec.structs.replace(
        settings(model, speakers="all"), training=msgspec.structs.replace(TRAINING, epochs=0)
    )
    feeder = build_retriever(chosen, pictures=SmallSquares()).feeder
    query = DEV.queries[0]
    long = msgspec.structs.replace(query, turns=query.turns * 20)
    short = msgspec.structs.replace(query, turns=query.turns * 21)
    batch = feeder.queries([long, short])
    assert batch["ids"].shape == (2, 77)
    assert torch.equal(batch["ids"][0], batch["ids"][1])
    with pytest.raises(DataError, match="nothing learns"):
        build_retriever(settings(model), pictures=SmallSquares())
    with pytest.raises(DataError, match="side=32"):
        build_retriever(settings(ClipSettings(clip=model.clip)), pictures=SmallSquares())


def test_a_damaged_region_file_and_one_of_another_shape_are_said(tmp_path):
    regions = region_folder(tmp_path)
    first, second = TRAIN.photos[:2]
    for photo in (first, second):
        for file in tmp_path.glob(f"{photo.photo_id}.*"):
            file.unlink()
    (tmp_path / f"{first.photo_id}.npy").write_bytes(b"no array")
    np.save(tmp_path / f"{second.photo_id}.npy", np.zeros((2, 12)))
    with pytest.raises(DataError, match="is no array of regions"):
        RegionFolder(TRAIN.photos, tmp_path)
    (tmp_path / f"{first.photo_id}.npy").unlink()
    np.save(tmp_path / f"{first.photo_id}.npy", np.zeros((3, 12)))
    with pytest.raises(DataError, match="2 regions of width 12 where others hold 3"):
        RegionFolder(TRAIN.photos, tmp_path).pixels([second])
    assert regions.shape == (3, 12)
    assert not RegionFolder([*TRAIN.photos], tmp_path / "train").has(first)
    with pytest.raises(DataError, match="no such folder"):
        RegionFolder(TRAIN.photos, tmp_path / "none")


def trained(chosen, folder, monkeypatch, pictures, resume=False):
    """Return a run of `photochat train retrieval` on the known answer, and its kept model."""
    monkeypatch.setattr(train, "open_pictures", lambda *_: pictures)
    splits = Splits(TRAIN, DEV, folder)
    run = train.train_retrieval(splits, chosen, folder / "run", device="cpu", resume=resume)
    kept = train.load_run(folder / "run", pictures)
    found = ranks_in(kept, DEV, open_accelerator("cpu"), pictures)
    assert 100 * (found == 1).mean() == pytest.approx(run.chosen.dev["recall@1"])
    return run


@pytest.mark.parametrize("tuning", ["full", "lora"])
def test_weights_between_pretrained_and_tuned_are_kept_as_dev_likes_best(
    tuning, tmp_path, monkeypatch
):
    (tmp_path / "clip").mkdir()
    model = ClipSettings(
        clip=tiny_open_clip(tmp_path / "clip"), tuning=tuning, side=SIDE, wise_alpha="dev"
    )
    chosen = settings(model, "cross-entropy", max_length=77)
    run = trained(chosen, tmp_path, monkeypatch, SmallSquares())
    assert run.chosen.training["wise_alpha"] in ALPHAS
    halved = msgspec.structs.replace(chosen, model=msgspec.structs.replace(model, wise_alpha=0.5))
    kept = tmp_path / "half/run/model"
    trained(halved, tmp_path / "half", monkeypatch, SmallSquares())
    once = {file.name: file.read_bytes() for file in kept.iterdir()}
    run = trained(halved, tmp_path / "half", monkeypatch, SmallSquares(), resume=True)
    assert {file.name: file.read_bytes() for file in kept.iterdir()} == once
    assert run.chosen.training["wise_alpha"] == 0.5
    tuned = msgspec.structs.replace(model, wise_alpha=0.0)
    (tmp_path / "zero").mkdir()
    run = trained(
        msgspec.structs.replace(chosen, model=tuned),
        tmp_path / "zero",
        monkeypatch,
        SmallSquares(),
    )
    start = build_retriever(chosen, pictures=SmallSquares())
    before = ranks_in(start, DEV, open_accelerator("cpu"), SmallSquares())
    assert 100 * (before == 1).mean() == pytest.approx(run.chosen.dev["recall@1"])


@pytest.mark.parametrize(
    ("dialogue", "pooling", "image", "options"),
    [
        ("tiny-llama", "last", "tiny-cnn", {}),
        ("tiny-bert", "mean", None, {"shared": False}),
        ("tiny-bert", "cls", "tiny-cnn", {"refine": "dialogue", "losses": "sdm"}),
        ("tiny-bert", "mean", "tiny-cnn", {"refine": "visual", "score": "refined"}),
        ("tiny-bert", "mean", "tiny-cnn", {"refine": "none", "losses": "itc"}),
    ],
)
def test_diana_trains_on_random_rounds_and_is_kept(
    dialogue, pooling, image, options, tmp_path, monkeypatch
):
    model = DianaSettings(
        dialogue=dialogue, pooling=pooling, image=image, width=32, slots=4, heads=2, **options
    )
    chosen = settings(model, temperature=0.02, rounds="random", speakers="all")
    trained(chosen, tmp_path, monkeypatch, None if image is None else Squares())


def test_diana_learns_a_task_with_a_known_answer():
    model = DianaSettings(
        dialogue="tiny-bert", image="tiny-cnn", width=32, slots=4, heads=2, shared=False
    )
    _, before, after = learnt(settings(model, temperature=0.02), Squares(), rate=2e-3)
    assert before["recall@1"] < 30
    assert after["recall@1"] > 90


def test_pcme_learns_a_task_with_a_known_answer_and_is_kept(tmp_path):
    chosen = settings(PcmeSettings(image="tiny-cnn", width=32))
    retriever, before, after = learnt(chosen, Squares(), passes=30, rate=3e-3)
    assert before["recall@1"] < 30
    assert after["recall@1"] > 90
    same_when_loaded(retriever, chosen, Squares(), tmp_path)


@pytest.mark.parametrize("options", [{}, {"mlm": False, "identity": False}])
def test_irra_learns_a_task_with_a_known_answer_and_is_kept(options, tmp_path):
    (tmp_path / "clip").mkdir()
    name = tiny_transformers(tmp_path / "clip", TEXTS)
    chosen = settings(
        IrraSettings(clip=name, blocks=1, side=SIDE, **options), temperature=0.02, max_length=77
    )
    retriever, before, after = learnt(chosen, SmallSquares(), passes=25, rate=3e-3)
    assert before["recall@1"] < 30
    assert after["recall@1"] > 90
    (tmp_path / "kept").mkdir()
    same_when_loaded(retriever, chosen, SmallSquares(), tmp_path / "kept")


def test_irra_names_as_many_identities_as_are_trained_on_and_refuses_other_models(tmp_path):
    chosen, pictures = small("irra", tmp_path)
    first = build_retriever(chosen, label_texts=LABELS, pictures=pictures)
    (tmp_path / "kept").mkdir()
    first.save(first.matcher.state_dict(), tmp_path / "kept")
    more = build_retriever(
        chosen, label_texts=[*LABELS, "one"], pictures=pictures, weights=tmp_path / "kept"
    )
    assert more.matcher.head_identity.out_features == len(LABELS) + 1
    shorter = msgspec.structs.replace(
        chosen, model=msgspec.structs.replace(chosen.model, mlm=False)
    )
    with pytest.raises(DataError, match="is of another model"):
        build_retriever(shorter, pictures=pictures, weights=tmp_path / "kept")
    (tmp_path / "open").mkdir()
    other = msgspec.structs.replace(chosen.model, clip=tiny_open_clip(tmp_path / "open"))
    for wrong, why in (
        (msgspec.structs.replace(chosen, model=other), "needs a CLIP of transformers"),
        (msgspec.structs.replace(chosen, text="both"), "leave --text both out"),
        (
            msgspec.structs.replace(chosen, model=msgspec.structs.replace(chosen.model, side=64)),
            "side=32",
        ),
    ):
        with pytest.raises(DataError, match=why):
            build_irra(wrong, pictures, None, len(LABELS))


class Killed(BaseException):
    """What ends a run from outside."""


def small(kind, folder):
    """Return settings of a small PCME or IRRA and pictures as it sees them."""
    if kind == "pcme":
        return settings(PcmeSettings(image="tiny-cnn", width=16, samples=2)), Squares()
    model = IrraSettings(clip=tiny_transformers(folder, TEXTS), blocks=1, side=SIDE)
    return settings(model, temperature=0.02, max_length=77), SmallSquares()


@pytest.mark.parametrize("kind", ["pcme", "irra"])
def test_what_is_drawn_and_hidden_is_so_again_when_a_run_is_resumed(kind, tmp_path, monkeypatch):
    (tmp_path / "clip").mkdir()
    chosen, pictures = small(kind, tmp_path / "clip")
    chosen = msgspec.structs.replace(
        chosen,
        pairs_at_once=20,
        training=msgspec.structs.replace(TRAINING, rows_per_step=48, evaluations=2),
    )
    whole = trained(chosen, tmp_path / "whole", monkeypatch, pictures)
    do, seen = loop._do, []

    def dying(*arguments):
        seen.append(1)
        if len(seen) == 3:
            raise Killed
        return do(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_do", dying)
        with pytest.raises(Killed):
            trained(chosen, tmp_path / "cut", monkeypatch, pictures)
    again = trained(chosen, tmp_path / "cut", monkeypatch, pictures, resume=True)
    assert again.chosen.dev == whole.chosen.dev
    file = FILE if kind == "pcme" else PROBE
    one, other = (load_file(tmp_path / name / "run/model" / file) for name in ("whole", "cut"))
    assert all(torch.equal(one[key], other[key]) for key in other)


def test_the_last_token_of_a_model_that_reads_both_ways_is_refused():
    model = DianaSettings(dialogue="tiny-bert", pooling="last", image=None)
    with pytest.raises(DataError, match="reads both ways"):
        build_retriever(settings(model), texts=TEXTS)


def test_settings_of_a_kind_are_set_by_name_and_a_wrong_one_lists_the_right_ones():
    def chosen(preset, **model):
        return train_retrieval._settings(preset, None, model, {}, {}).model

    assert chosen("diana", image="null", slots="4", shared="false") == DianaSettings(
        image=None, slots=4, shared=False
    )
    assert chosen("clip-b32", tuning="lora", wise_alpha="dev").wise_alpha == "dev"
    with pytest.raises(DataError, match="slots is not a setting of a clip: it has clip, tuning"):
        chosen("clip-b32", slots="4")
    with pytest.raises(DataError, match="cannot be set so"):
        chosen("diana", refine="everything")
    with pytest.raises(DataError, match="--set NAME=VALUE"):
        train_retrieval._named_values(["slots"])
    with pytest.raises(DataError, match="from 0 to 1, or dev"):
        train_retrieval._alpha("2")
