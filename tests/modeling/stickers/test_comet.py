"""Knowledge from a small encoder-decoder: five relations, kept, resumed, of its own words."""

import json

import msgspec
import pytest
import transformers

from modeling.backbones.scratch import word_tokenizer
from modeling.stickers.comet import generate_knowledge
from modeling.stickers.knowledge import RELATIONS, read_knowledge
from photochat.errors import DataError
from photochat.stickers import StickerTurn


@pytest.fixture(scope="module")
def bart(data, tmp_path_factory):
    """A BART with random weights in a folder, as COMET's is one with trained ones."""
    folder = str(tmp_path_factory.mktemp("bart"))
    words = [turn.text for one in data.split("train") for turn in one.turns]
    tokenizer = word_tokenizer([*words, *RELATIONS])
    special = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 4}
    config = transformers.BartConfig(
        vocab_size=len(tokenizer), d_model=32, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32,
        decoder_ffn_dim=32, max_position_embeddings=300, decoder_start_token_id=2,
        forced_eos_token_id=4, **special,
    )  # fmt: skip
    transformers.BartForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_five_relations_are_generated_once_and_only_what_is_missing_again(data, bart, tmp_path):
    some = data.split("train")[:10]
    out = tmp_path / "knowledge.jsonl"
    said = []
    options = {
        "beams": 2,
        "device": "cpu",
        "progress": lambda done, total: said.append((done, total)),
    }
    assert generate_knowledge(some, bart, out, **options) == (10, 0)
    assert said == [(8, 10), (10, 10)]
    whole = out.read_bytes()
    known = read_knowledge(out)
    assert [set(k.knowledge) for k in known.values()] == [set(RELATIONS)] * 10
    assert generate_knowledge(some, bart, out, **options) == (0, 10)
    out.write_bytes(whole[: len(whole) // 2])  # killed while a line was written
    kept = whole[: len(whole) // 2].count(b"\n")
    assert generate_knowledge(some, bart, out, **options) == (10 - kept, kept)
    assert read_knowledge(out) == known
    changed = msgspec.structs.replace(some[3], turns=(StickerTurn(1, "party"),))
    some = (*some[:3], changed, *some[4:])
    assert generate_knowledge(some, bart, out, **options) == (1, 9)
    assert (
        generate_knowledge(some, bart, out, **options, prompt="{relation}: {conversation}")[0] == 10
    )


def test_a_batch_gives_what_each_gives_alone(data, bart, tmp_path):
    some = data.split("train")[:6]
    generate_knowledge(some, bart, tmp_path / "all.jsonl", beams=2, device="cpu")
    for one in some[:2]:
        generate_knowledge([one], bart, tmp_path / "one.jsonl", beams=2, device="cpu")
        alone = read_knowledge(tmp_path / "one.jsonl")[one.conversation_id]
        assert alone == read_knowledge(tmp_path / "all.jsonl")[one.conversation_id]


def test_what_cannot_be_asked_is_one_line(data, bart, tmp_path):
    some = data.split("train")[:1]
    with pytest.raises(DataError, match=r"--prompt: lacks \{relation\}"):
        generate_knowledge(some, bart, tmp_path / "k.jsonl", prompt="{conversation}")
    with pytest.raises(DataError, match="cannot be had"):
        generate_knowledge(some, "nowhere/comet", tmp_path / "k.jsonl")
    (tmp_path / "k.jsonl").write_text(json.dumps({"a": 1}) + "\n")
    with pytest.raises(DataError, match="is no knowledge"):
        generate_knowledge(some, bart, tmp_path / "k.jsonl")
