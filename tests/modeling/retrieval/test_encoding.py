"""Photos that are the same to a model tie, whatever it computes with."""

import msgspec
import pytest
import torch
import transformers

from modeling.backbones.scratch import word_tokenizer
from modeling.retrieval.encoding import Encoder, ranks_in
from modeling.retrieval.examples import GalleryPhoto, RetrievalExamples
from modeling.retrieval.kinds import build_retriever
from modeling.retrieval.settings import DianaSettings, DualEncoderSettings
from modeling.training.device import open_accelerator
from tests.modeling.retrieval.test_kinds import DEV, TEXTS, settings

DIANA = DianaSettings(pooling="mean", image=None, width=16, heads=2)
MODELS = {
    "dual encoder": lambda bert: DualEncoderSettings(towers="label", context=bert, label=bert),
    "diana": lambda bert: msgspec.structs.replace(DIANA, dialogue=bert),
}
# The last batch is filled up to the length of a photo with many labels.
SAME = tuple(GalleryPhoto(str(i), None, ("Thinga", "Photo")) for i in range(150))
GALLERY = (*SAME, GalleryPhoto("many", None, tuple(f"Thing{a}" for a in "abcdefghijklm")))


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """Wide enough for sums whose order depends on the length of the batch."""
    folder, tokenizer = tmp_path_factory.mktemp("bert"), word_tokenizer(TEXTS)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), hidden_size=256, num_hidden_layers=2, num_attention_heads=4
    )
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("text", ["dialogue", "both"])
@pytest.mark.parametrize("model", MODELS)
def test_in_16_bits_too_a_right_photo_stands_behind_all_with_its_labels(
    model, text, bert, tmp_path
):
    (file := tmp_path / "descriptors.jsonl").touch()
    chosen = settings(MODELS[model](bert), text=text, descriptors=str(file))
    queries = [msgspec.structs.replace(query, photo=0) for query in DEV.queries]
    ranks = ranks_in(
        build_retriever(chosen, texts=TEXTS),
        RetrievalExamples(GALLERY, tuple(queries)),
        open_accelerator("cpu", "bf16"),
    )
    assert ranks.min() >= len(SAME)


@pytest.mark.parametrize("persona", [False, True])
def test_who_is_on_a_photo_tells_it_from_others_where_that_is_read(persona, bert):
    photos = [msgspec.structs.replace(SAME[0], persona=own) for own in ((), ("Thingb",))]
    retriever = build_retriever(settings(MODELS["dual encoder"](bert), persona=persona))
    one, other = Encoder(retriever, open_accelerator("cpu")).photos(photos)["vector"]
    assert torch.equal(one, other) == (not persona)
