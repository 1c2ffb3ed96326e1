"""Tiny untrained models of each architecture, with a vocabulary of the training split's words.

They need no download: for trying a recipe out, for tests, and for the demonstration.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

WORDS = 4000  # at most, the most frequent
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "</s>"]
_WIDTH = {"hidden_size": 64, "intermediate_size": 128}
_DEPTH = {"num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 512}
_T5 = {"d_model": 64, "d_ff": 128, "d_kv": 16, "num_layers": 2, "num_heads": 4}

# name -> (configuration class, model class, sizes)
SCRATCH: dict[str, tuple[str, str, dict[str, Any]]] = {
    "tiny-bert": ("BertConfig", "BertModel", {**_WIDTH, **_DEPTH}),
    "tiny-albert": ("AlbertConfig", "AlbertModel", {**_WIDTH, **_DEPTH, "embedding_size": 32}),
    "tiny-roberta": ("RobertaConfig", "RobertaModel", {**_WIDTH, **_DEPTH, "type_vocab_size": 1}),
    "tiny-t5": ("T5Config", "T5ForConditionalGeneration", {**_T5, "decoder_start_token_id": 0}),
    "tiny-llama": ("LlamaConfig", "LlamaModel", {**_WIDTH, **_DEPTH, "num_key_value_heads": 2}),
}


def scratch_model(name: str, texts: Iterable[str]) -> tuple[Any, Any]:
    """Return the model, untrained, and a tokenizer of the words in `texts`."""
    configuration, model, sizes = SCRATCH[name]
    tokenizer = word_tokenizer(texts)
    if "max_position_embeddings" in sizes and name == "tiny-roberta":
        sizes = {**sizes, "max_position_embeddings": 514}  # it counts from the padding id on
    config = getattr(transformers, configuration)(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        **sizes,
    )
    return getattr(transformers, model)(config), tokenizer


def word_tokenizer(texts: Iterable[str], words: int = WORDS) -> Any:
    """Return a lower-casing tokenizer that knows the `words` most frequent words of `texts`."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))  # noqa: S106 - a word piece
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    # The words that T5 is asked for and the speakers' marks must be there.
    own = "yes no a b : predict share intent"
    trainer = trainers.WordLevelTrainer(
        vocab_size=words, special_tokens=SPECIAL, show_progress=False
    )
    tokenizer.train_from_iterator([*texts, *[own] * WORDS], trainer)
    wrap: Any = PreTrainedTokenizerFast  # untyped
    return wrap(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",  # noqa: S106 - a word piece
        unk_token="[UNK]",  # noqa: S106 - a word piece
        cls_token="[CLS]",  # noqa: S106 - a word piece
        sep_token="[SEP]",  # noqa: S106 - a word piece
        eos_token="</s>",  # noqa: S106 - a word piece
    )
