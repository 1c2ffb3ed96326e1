"""Knowledge from a COMET-style model: a sequence-to-sequence model asked for five relations."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch

from modeling.backbones.text import load_backbone
from modeling.stickers.knowledge import RELATIONS, Knowledge, read_knowledge
from modeling.stickers.texts import spoken
from modeling.training.device import open_accelerator
from modeling.training.settings import Device
from photochat.atomic import atomic_file
from photochat.errors import DataError
from photochat.stickers import StickerConversation

# How COMET-BART was trained to be asked: https://github.com/allenai/comet-atomic-2020.
PROMPT = "{conversation} {relation} [GEN]"
BEAMS = 5  # as in that repository's example
READ, WRITTEN = 256, 24  # tokens; what is read keeps its end, the newest words
AT_ONCE = 8  # conversations


def generate_knowledge(
    conversations: Sequence[StickerConversation],
    model: str,
    out: Path,
    *,
    prompt: str = PROMPT,
    beams: int = BEAMS,
    device: Device = "auto",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[int, int]:
    """Write C_r = COMET(T, r) (equation 1) of each conversation to `out`; return new and kept.

    Lines that an earlier, interrupted call wrote from the same words with the same model and
    prompt are kept.

    Raises:
        DataError: the model cannot be had or is no encoder-decoder, the prompt lacks a place, or
            `out` holds something else or cannot be written.
    """
    for place in ("{conversation}", "{relation}"):
        if place not in prompt:
            raise DataError(f"lacks {place}", field="--prompt")
    hashes = {one.conversation_id: _hash(one, model, prompt, beams) for one in conversations}
    before = read_knowledge(out) if out.exists() else {}
    kept = [k for k in before.values() if k.of == hashes.get(k.conversation_id, "")]
    with atomic_file(out) as part:  # without half a line, and what is no longer so
        part.write_bytes(b"".join(msgspec.json.encode(k) + b"\n" for k in kept))
    have = {k.conversation_id for k in kept}
    todo = [one for one in conversations if one.conversation_id not in have]
    if not todo:
        return 0, len(kept)
    backbone = load_backbone(
        model,
        text_to_text=True,
        vocabulary_from=[line for c in conversations for line in spoken(c)],
    )
    place = open_accelerator(device).device
    network: Any = backbone.model.to(place).eval()
    with out.open("ab") as lines:
        for at in range(0, len(todo), AT_ONCE):
            batch = todo[at : at + AT_ONCE]
            for one, said in zip(
                batch, _said(network, backbone.tokenizer, batch, prompt, beams), strict=True
            ):
                found = Knowledge(one.conversation_id, said, hashes[one.conversation_id])
                lines.write(msgspec.json.encode(found) + b"\n")
            lines.flush()
            progress(min(at + AT_ONCE, len(todo)), len(todo))
    return len(todo), len(kept)


def _said(
    network: Any, tokenizer: Any, batch: Sequence[StickerConversation], prompt: str, beams: int
) -> list[dict[str, str]]:
    """Return what the model says of each conversation, by relation."""
    tokenizer.truncation_side = "left"
    asked = [
        prompt.replace("{conversation}", " ".join(spoken(one))).replace("{relation}", relation)
        for one in batch
        for relation in RELATIONS
    ]
    read = tokenizer(asked, return_tensors="pt", padding=True, truncation=True, max_length=READ)
    with torch.no_grad():
        written = network.generate(
            input_ids=read["input_ids"].to(network.device),
            attention_mask=read["attention_mask"].to(network.device),
            num_beams=beams,
            do_sample=False,
            max_new_tokens=WRITTEN,
        )
    texts = [text.strip() for text in tokenizer.batch_decode(written, skip_special_tokens=True)]
    step = len(RELATIONS)
    return [
        dict(zip(RELATIONS, texts[at : at + step], strict=True))
        for at in range(0, len(texts), step)
    ]


def _hash(one: StickerConversation, model: str, prompt: str, beams: int) -> str:
    whole = msgspec.json.encode((spoken(one), model, prompt, beams))
    return hashlib.sha256(whole).hexdigest()[:16]
