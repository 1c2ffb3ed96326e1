"""The four ways a network answers, each a layout of rows and a module, found by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from modeling.backbones.text import Backbone, is_decoder, is_text_to_text, speaker_segments
from modeling.intent.causal import CausalReader, causal_rows
from modeling.intent.encoder import PrefixEncoder, encoder_rows
from modeling.intent.rows import Row, TokenTalk
from modeling.intent.settings import KindName
from modeling.intent.t5 import ANSWERS, PROMPT, SEPARATOR, TextToText, t5_rows
from modeling.intent.turn_causal import TurnCausalEncoder, turn_causal_rows
from modeling.intent.vocabulary import Marks, marks_of
from photochat.errors import DataError


class Kind(NamedTuple):
    """How a kind lays out a talk, and how it makes a module of a backbone."""

    rows: Callable[[TokenTalk, Marks, int], list[Row]]
    module: Callable[[Backbone], nn.Module]


def _text_to_text(backbone: Backbone) -> nn.Module:
    ids = [backbone.tokenizer(word, add_special_tokens=False)["input_ids"][:1] for word in ANSWERS]
    if not all(ids) or ids[0] == ids[1]:
        raise DataError("the model's tokenizer does not tell yes from no")
    return TextToText(backbone.model, (ids[0][0], ids[1][0]))


KINDS: dict[KindName, Kind] = {
    "encoder": Kind(encoder_rows, lambda b: PrefixEncoder(b.model, speaker_segments(b.model))),
    "t5": Kind(t5_rows, _text_to_text),
    "causal": Kind(causal_rows, lambda b: CausalReader(b.model)),
    "turn-causal": Kind(
        turn_causal_rows, lambda b: TurnCausalEncoder(b.model, speaker_segments(b.model))
    ),
}


def kind_of(model: str) -> KindName:
    """Choose the kind that suits a model by its configuration: never the turn-causal variant."""
    if is_text_to_text(model):
        return "t5"
    return "causal" if is_decoder(model) else "encoder"


def marks_for(backbone: Backbone) -> Marks:
    """Return the marks that rows of any kind need."""
    return marks_of(
        backbone.tokenizer,
        segments=speaker_segments(backbone.model),
        prompt=PROMPT,
        written_separator=SEPARATOR,
    )
