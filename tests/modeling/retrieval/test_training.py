"""Dual encoders learn, and a step is the same however it is cut, interrupted or spread out."""

import socket

import msgspec
import pytest
import torch
from safetensors.torch import load_file

from modeling.retrieval.encoding import ranks_in
from modeling.retrieval.kinds import build_retriever
from modeling.retrieval.matcher import joined
from modeling.retrieval.presets import PRESETS
from modeling.retrieval.runs import finished
from modeling.retrieval.settings import DualEncoderSettings, RetrievalSettings
from modeling.retrieval.task import RetrievalTask
from modeling.retrieval.train import Splits, load_run, train_retrieval
from modeling.training import loop
from modeling.training.device import open_accelerator
from modeling.training.log import read_log
from modeling.training.settings import TrainingSettings
from photochat.dialogue import Utterance
from photochat.errors import DataError
from tests.forked import Forked
from tests.modeling.retrieval.known_answer import CONCEPTS, Squares, known_answer

TRAINING = TrainingSettings(
    epochs=8, rows_per_step=32, bucket=1, learning_rate=2e-3, decay="constant", warmup=0.0
)


def settings(towers="label", one=False, **options):
    model = DualEncoderSettings(
        towers=towers,
        one_text_tower=one,
        context="tiny-bert",
        label="tiny-bert",
        image="tiny-cnn",
        width=48,
        pooling="mean",
    )
    return RetrievalSettings(model=model, **{"training": TRAINING, **options})


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    source = tmp_path_factory.mktemp("known")
    return Splits(known_answer(), known_answer(2, seed=1), source)


@pytest.mark.parametrize(
    ("towers", "loss"),
    [
        ("label", "cross-entropy"),
        ("label", "sum-of-hinges"),
        ("image", "cross-entropy"),
        ("image+label", "cross-entropy"),
    ],
)
def test_towers_learn_a_task_with_a_known_answer(towers, loss, splits):
    chosen = settings(towers, loss=loss, augment=towers == "image")
    pictures = None if towers == "label" else Squares(without=["train/3"])
    texts = [turn.text for q in splits.train.queries for turn in q.turns]
    texts += [" ".join(p.labels) for p in splits.train.photos]
    retriever = build_retriever(chosen, texts=texts, pictures=pictures)
    task = RetrievalTask(retriever, chosen, splits.train, splits.dev, pictures)
    accelerator = open_accelerator("cpu")
    before = task.evaluate(retriever.matcher, accelerator)
    optimizer = torch.optim.AdamW(retriever.matcher.parameters(), lr=2e-3)
    retriever.matcher.train()
    for epoch in range(14):
        rows = task.rows(epoch)
        for start in range(0, len(rows), 36):
            batch = task.collate(rows[start : start + 36])
            task.step_loss(retriever.matcher, [(batch, True)], accelerator)
            optimizer.step()
            optimizer.zero_grad()
    after = task.evaluate(retriever.matcher, accelerator)
    assert before["recall@1"] < 30
    assert after["recall@1"] > 90
    if pictures:  # a photo without a picture is not trained on, and ranks last
        assert len(task.rows(0)) == len(splits.train) * (CONCEPTS - 1) // CONCEPTS
        ranks = ranks_in(retriever, splits.dev, accelerator, pictures)
        assert (ranks[[q.photo == 3 for q in splits.dev.queries]] == CONCEPTS).all()


@pytest.mark.parametrize("loss", ["cross-entropy", "sum-of-hinges", "max-of-hinges"])
def test_the_cached_gradient_is_the_plain_one(loss, splits):
    """Of all parameters, with dropout drawn alike; plain holds the graph of all parts at once."""
    chosen = settings("image+label", loss=loss, pairs_at_once=7)
    texts = [turn.text for q in splits.train.queries for turn in q.turns]
    retriever = build_retriever(chosen, texts=texts, pictures=Squares())
    matcher = retriever.matcher.train()
    task = RetrievalTask(retriever, chosen, splits.train, splits.dev, Squares())
    parts = [[task.rows(0)[i] for i in part] for part in task.cut(list(range(30)), 1)]
    batches = [task.collate(part) for part in parts]
    assert [len(part) for part in parts] == [7, 7, 7, 7, 2]

    torch.manual_seed(5)
    loss_cached = task.step_loss(matcher, [(b, True) for b in batches], open_accelerator("cpu"))
    cached = [p.grad for p in matcher.parameters()]
    matcher.zero_grad()
    torch.manual_seed(5)
    both = []
    for batch in batches:
        sides = (
            {n.partition("/")[2]: t for n, t in batch.items() if n.startswith(side)}
            for side in ("query/", "photo/")
        )
        both.append(matcher(*sides))
    identities = torch.cat([batch["identity"] for batch in batches])
    plain_loss = matcher.loss(
        *(joined(side) for side in zip(*both, strict=True)), identities, chosen
    )
    plain_loss.backward()
    assert float(loss_cached) == pytest.approx(float(plain_loss.detach()), abs=1e-5)
    for parameter, other in zip(matcher.parameters(), cached, strict=True):
        assert (parameter.grad is None) == (other is None)
        assert other is None or torch.allclose(parameter.grad, other, atol=1e-5)
    assert sum(g is None for g in cached) == (0 if loss == "cross-entropy" else 1)


@pytest.fixture(scope="module")
def whole(splits, tmp_path_factory):
    """A run of two epochs that nothing interrupts, on small steps cut into parts."""
    folder = tmp_path_factory.mktemp("run") / "whole"
    chosen = settings(
        one=True,
        pairs_at_once=20,
        training=msgspec.structs.replace(TRAINING, epochs=2, rows_per_step=48, evaluations=2),
    )
    return folder, chosen, train_retrieval(splits, chosen, folder, device="cpu")


def curve(folder):
    told = ("step", "loss", "gradient_norm", "learning_rate", "dev_sum", "dev_mrr")
    return [{name: line[name] for name in told if name in line} for line in read_log(folder)]


def test_an_interrupted_run_resumes_bit_for_bit_and_the_kept_model_is_that_of_the_log(
    splits, whole, tmp_path, monkeypatch
):
    folder, chosen, run = whole

    class Killed(BaseException):
        pass

    do, seen = loop._do, []

    def dying(*arguments):
        seen.append(1)
        if len(seen) == 5:
            raise Killed
        return do(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_do", dying)
        with pytest.raises(Killed):
            train_retrieval(splits, chosen, tmp_path / "run", device="cpu")
    again = train_retrieval(splits, chosen, tmp_path / "run", device="cpu", resume=True)
    assert curve(tmp_path / "run") == curve(folder)
    assert again.chosen.dev == run.chosen.dev
    for name in ("dual_encoder.safetensors", "context/model.safetensors"):
        one, other = (load_file(f / "model" / name) for f in (folder, tmp_path / "run"))
        assert all(torch.equal(one[key], other[key]) for key in other)
    assert run.chosen.dev["sum"] == max(line.get("dev_sum", 0) for line in curve(folder))


def test_a_kept_run_starts_another_and_a_run_without_epochs_keeps_the_start(
    splits, whole, tmp_path
):
    folder, chosen, run = whole
    none = msgspec.structs.replace(
        chosen,
        init_from=str(folder),
        training=msgspec.structs.replace(chosen.training, epochs=0),
    )
    same = train_retrieval(splits, none, tmp_path / "same", device="cpu")
    assert same.chosen.dev == run.chosen.dev
    assert finished(tmp_path / "same")[0].settings.init_from == str(folder)
    wider = msgspec.structs.replace(none.model, width=64)
    with pytest.raises(DataError, match="a run of another model"):
        train_retrieval(
            splits, msgspec.structs.replace(none, model=wider), tmp_path / "x", device="cpu"
        )
    ranks = ranks_in(load_run(folder), splits.dev, open_accelerator("cpu"))
    assert 100 * (ranks == 1).mean() == pytest.approx(run.chosen.dev["recall@1"])


def test_a_run_is_resumed_by_its_own_settings_and_data_alone(splits, whole):
    folder, chosen, _ = whole
    with pytest.raises(DataError, match=r"other settings \(speakers\)"):
        train_retrieval(
            splits, msgspec.structs.replace(chosen, speakers="all"), folder, resume=True
        )
    with pytest.raises(DataError, match="a run on other data"):
        train_retrieval(splits._replace(train=splits.dev), chosen, folder, resume=True)
    with pytest.raises(DataError, match="is not empty"):
        train_retrieval(splits, chosen, folder)


def test_words_in_common_are_kept_with_a_run_and_add_to_the_cosine(splits, tmp_path):
    told = tuple(
        msgspec.structs.replace(
            q, turns=(*q.turns, Utterance(1, splits.train.photos[q.photo].labels[0]))
        )
        for q in splits.dev.queries
    )
    dev = msgspec.structs.replace(splits.dev, queries=told)
    chosen = settings(training=msgspec.structs.replace(TRAINING, epochs=0))
    model = msgspec.structs.replace(chosen.model, word_weight=5.0)
    worded = msgspec.structs.replace(chosen, model=model)
    run = train_retrieval(splits._replace(dev=dev), worded, tmp_path / "words", device="cpu")
    assert run.chosen.dev["recall@1"] == 100
    plain = train_retrieval(splits._replace(dev=dev), chosen, tmp_path / "plain", device="cpu")
    assert plain.chosen.dev["recall@1"] < 50
    ranks = ranks_in(load_run(tmp_path / "words"), dev, open_accelerator("cpu"))
    assert (ranks == 1).all()


@pytest.mark.parametrize("name", [n for n in PRESETS if n.startswith("de-")])
def test_each_dual_encoder_of_table_4_takes_a_step_with_small_random_towers(name, splits):
    """The recipe itself; only the towers are small, and the pictures few."""
    chosen = PRESETS[name].settings
    small = {
        field: {"context": "tiny-bert", "label": "tiny-bert", "image": "tiny-cnn"}[field]
        for field in ("context", "label", "image")
    }
    chosen = msgspec.structs.replace(chosen, model=msgspec.structs.replace(chosen.model, **small))
    pictures = None if chosen.model.pictures is None else Squares()
    retriever = build_retriever(chosen, texts=["hello talka"], pictures=pictures)
    task = RetrievalTask(retriever, chosen, splits.train, splits.dev, pictures)
    batch = task.collate(task.rows(0)[:8])
    matcher = retriever.matcher
    optimizer = torch.optim.AdamW(matcher.parameters(), lr=1e-3)
    losses = []
    for _ in range(8):
        losses.append(float(task.step_loss(matcher, [(batch, True)], open_accelerator("cpu"))))
        optimizer.step()
        optimizer.zero_grad()
    assert min(losses) < losses[0]
    assert matcher.photos({n[6:]: t for n, t in batch.items() if n.startswith("photo/")})[
        "vector"
    ].shape == (8, 512)


ONE_OF_TWO = """
from pathlib import Path
import msgspec, torch, transformers.models.bert.modeling_bert
import modeling.backbones.scratch as scratch, modeling.retrieval.train as t
from tests.modeling.retrieval.test_training import *

torch.set_num_threads(1)
t._pictures = lambda *a: Squares()
for name, (a, b, sizes) in scratch.SCRATCH.items():
    sizes.update(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)

def run(folder):
    training = msgspec.structs.replace(TRAINING, epochs=1, rows_per_step=47, clip=2.0)
    chosen = settings("image+label", pairs_at_once=9, limit=None, training=training)
    splits = Splits(known_answer(), known_answer(2, seed=1), Path("."))
    train_retrieval(splits, chosen, Path(folder), device="cpu")
"""


@pytest.mark.slow
def test_two_processes_equal_one(tmp_path):
    """Gloo, three pairs left over in the last step, parts of different numbers a process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    with Forked(ONE_OF_TWO, tmp_path) as processes:
        runs = [processes.start("two", RANK=str(r), LOCAL_RANK=str(r), **address) for r in (0, 1)]
        runs.append(processes.start("one"))
        assert [processes.wait(run) for run in runs] == [0, 0, 0]
    one, two = (curve(tmp_path / folder) for folder in ("one", "two"))
    assert len(one) == 4
    for a, b in zip(one, two, strict=True):
        assert a == pytest.approx(b, abs=1e-4)
    for name in ("dual_encoder.safetensors", "context/model.safetensors"):
        a, b = (load_file(tmp_path / f / "model" / name) for f in ("one", "two"))
        assert all(torch.allclose(a[key], b[key], atol=1e-4) for key in a)
