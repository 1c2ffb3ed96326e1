"""Queries are read by their descriptors, or by talk and descriptors in fixed proportions."""

import json

import msgspec
import pytest
import torch

from modeling.descriptors.fields import Descriptors
from modeling.descriptors.file import Described, talk_key, write_descriptors
from modeling.retrieval.described import told, without_descriptors
from modeling.retrieval.encoding import Encoder, ranks_in
from modeling.retrieval.examples import RetrievalExamples
from modeling.retrieval.kinds import build_retriever
from modeling.retrieval.settings import DianaSettings
from modeling.retrieval.task import RetrievalTask
from modeling.retrieval.train import Splits, load_run, train_retrieval
from modeling.training.device import open_accelerator
from photochat.dialogue import Utterance
from photochat.errors import DataError
from photochat.release import read_release, write_release
from photochat.split import split
from tests.conftest import SAMPLE
from tests.modeling.retrieval.known_answer import known_answer
from tests.modeling.retrieval.test_training import TRAINING, settings


def silent(examples, mark):
    """Return the examples with talks that say nothing, each another, and what was told instead."""
    queries, described = [], []
    for number, query in enumerate(examples.queries):
        said = next(word for word in query.turns[1].text.split() if word.startswith("talk"))
        turns = (Utterance(1, "hello there"), Utterance(0, f"look {mark}{number}"))
        queries.append(msgspec.structs.replace(query, turns=turns))
        fields = Descriptors(said, "unknown", "a day", "", "")
        described.append(Described("train", number, talk_key(turns), fields))
    return RetrievalExamples(examples.photos, tuple(queries)), described


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """Splits whose talks say nothing, and the file of descriptors that say all."""
    folder = tmp_path_factory.mktemp("described")
    train, one = silent(known_answer(), "t")
    dev, two = silent(known_answer(2, seed=1), "d")
    write_descriptors(folder / "d.jsonl", [*one, *two])
    return Splits(train, dev, folder), str(folder / "d.jsonl")


def chosen(text, file, **more):
    training = msgspec.structs.replace(TRAINING, epochs=14)
    return settings(text=text, descriptors=file, training=training, **more)


# Talks that say nothing disturb in "both": the descriptors are given more weight.
@pytest.mark.parametrize(("text", "weight"), [("descriptors", 0.5), ("both", 0.9)])
def test_what_the_talk_does_not_say_is_learnt_from_descriptors(task, tmp_path, text, weight):
    """Trained, kept and loaded again, the model finds the photos of talks that say nothing."""
    splits, file = task
    asked = chosen(text, file, descriptor_weight=weight)
    run = train_retrieval(splits, asked, tmp_path / text, device="cpu")
    assert run.chosen.dev["recall@1"] > 90
    assert run.chosen.without_descriptors == {"train": 0, "dev": 0}
    accelerator = open_accelerator("cpu")
    again = ranks_in(load_run(tmp_path / text), splits.dev, accelerator)
    assert (again == 1).mean() * 100 == pytest.approx(run.chosen.dev["recall@1"])


@pytest.fixture(scope="module")
def both(task):
    _, file = task
    asked = chosen("both", file, descriptor_weight=0.3)
    return build_retriever(asked, texts=["hello there look a day talka talkb Thinga Photo"]), asked


def test_scores_and_loss_are_the_two_texts_in_proportion(task, both):
    """0.7 of the talk's and 0.3 of the descriptors', for scores and loss alike."""
    splits, _ = task
    retriever, asked = both
    accelerator = open_accelerator("cpu")
    queries, photos = splits.train.queries[:9], splits.train.photos
    inner = retriever.matcher.one_text
    one = retriever._replace(matcher=inner, feeder=retriever.feeder._talk)
    encoder = Encoder(one, accelerator)
    gallery = encoder.photos(photos)
    known = {d.talk: d.descriptors for d in silent(known_answer(), "t")[1]}
    parts = [encoder.queries(part) for part in (queries, [told(q, known) for q in queries])]
    together = Encoder(retriever, accelerator)
    own = {name: tensor[:9] for name, tensor in gallery.items()}
    seen = together.queries(queries)
    scores = retriever.matcher.scores(seen, gallery)
    expected = 0.7 * inner.scores(parts[0], gallery) + 0.3 * inner.scores(parts[1], gallery)
    assert torch.allclose(scores, expected, atol=1e-6)
    identities = torch.arange(9)
    losses = [inner.loss(part, own, identities, asked) for part in parts]
    assert retriever.matcher.loss(seen, own, identities, asked).item() == pytest.approx(
        (0.7 * losses[0] + 0.3 * losses[1]).item(), abs=1e-6
    )


def test_a_step_in_parts_is_a_step_at_once(task, both):
    """Two texts a query change nothing of the exact large batch."""
    splits, _ = task
    retriever, asked = both
    accelerator = open_accelerator("cpu")
    learner = RetrievalTask(retriever, asked, splits.train, splits.dev, None)
    rows = learner.rows(0)[:12]
    gradients = []
    for size in (12, 5):
        retriever.matcher.eval().zero_grad()
        batches = [(learner.collate(rows[i : i + size]), True) for i in range(0, 12, size)]
        learner.step_loss(retriever.matcher, batches, accelerator)
        gradients.append([p.grad.clone() for p in retriever.matcher.parameters()
                          if p.grad is not None])  # fmt: skip
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_talks_without_descriptors_are_read_as_they_are_and_counted(task):
    """So are those whose descriptors say nothing."""
    splits, _ = task
    queries = splits.train.queries[:3]
    dog = Descriptors("a dog", "", "", "", "")
    known = {talk_key(queries[0].turns): dog, talk_key(queries[1].turns): Descriptors(*[""] * 5)}
    assert without_descriptors(queries, known) == 1
    assert told(queries[0], known).turns == (
        Utterance(0, "the main subject of the photo is a dog"),
    )
    assert [told(query, known) for query in queries[1:]] == list(queries[1:])


def test_a_file_is_asked_for(task):
    """--text without --descriptors is one line."""
    with pytest.raises(DataError, match="--descriptors"):
        build_retriever(chosen("both", None))


def test_the_command_says_how_many_have_none(tmp_path, run_photochat):
    """A file that is not read is refused; one about other talks is counted."""
    splits, _ = split(read_release(SAMPLE).dialogues, dev=10, test=10)
    write_release(splits, tmp_path / "release")
    other = Described("dev", 1, "another", Descriptors("a dog", "", "", "", ""))
    write_descriptors(tmp_path / "d.jsonl", [other])
    command = (
        "train", "retrieval", "--data", tmp_path / "release", "--preset", "tiny", "--towers",
        "label", "--descriptors", tmp_path / "d.jsonl", "--epochs", "0", "--out", tmp_path / "run",
    )  # fmt: skip
    status, _, err = run_photochat(*command)
    assert (status, "is read with --text" in err) == (2, True)
    status, _, err = run_photochat(*command, "--text", "both")
    assert status == 0, err
    assert "10 of 10 talks of dev have no descriptors" in err
    status, out, err = run_photochat(
        "evaluate", tmp_path / "run", "--data", tmp_path / "release", "--resamples", 10, "--json"
    )
    assert status == 0, err
    assert json.loads(out)["without_descriptors"] == 10
    assert "10 queries have no descriptors" in err


@pytest.mark.parametrize("text", ["dialogue", "both"])
def test_untrained_parts_learn_as_fast_with_either_text(task, text):
    """The fresh layers of a DiaNA ask for ten times the rate, also where two texts are read."""
    asked = chosen(text, task[1] if text == "both" else None)
    model = DianaSettings(image=None, dialogue="tiny-bert", width=32, slots=4, heads=2)
    asked = msgspec.structs.replace(asked, model=model)
    matcher = build_retriever(asked, texts=["hello there"], label_texts=["dog"]).matcher
    rates = {
        name.removeprefix("one_text."): matcher.rate_factor(name, 10.0)
        for name, _ in matcher.named_parameters()
    }
    assert {rate for name, rate in rates.items() if name.startswith("head")} == {10.0}
    assert {rate for name, rate in rates.items() if not name.startswith("head")} == {1.0}
