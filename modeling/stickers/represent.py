"""A trained Int-RA asked: every conversation scored with every sticker, its intention guessed."""

from __future__ import annotations

import torch
from accelerate import Accelerator

from modeling.stickers.examples import Gallery, Pixels, StickerExamples
from modeling.stickers.measures import Scored
from modeling.stickers.network import Network, described_table

AT_ONCE = 32  # conversations, or stickers with their four texts


def scored(
    network: Network,
    gallery: Gallery,
    pixels: Pixels,
    examples: StickerExamples,
    accelerator: Accelerator,
) -> Scored:
    """Return scores (conversations, stickers) and guessed tags (conversations,).

    Every process computes them all.
    """
    module = network.module.to(accelerator.device)
    described, own = described_table(gallery), network.descriptions(gallery)
    texts = network.conversations(examples)
    was_training = module.training
    module.eval()
    with torch.no_grad(), accelerator.autocast():
        stickers = []
        for at in range(0, len(own), AT_ONCE):
            part = slice(at, at + AT_ONCE)
            batch = network.sticker_batch(pixels[part], own[part], described[part])
            stickers.append(module.photos(_on(batch, accelerator))["vector"].float())
        vectors = {"vector": torch.cat(stickers)}
        scores, tags = [], []
        for at in range(0, len(texts), AT_ONCE):
            batch = network.query_batch(texts[at : at + AT_ONCE])
            found = module.queries(_on(batch, accelerator))
            found["vector"] = found["vector"].float()
            scores.append(module.scores(found, vectors).cpu())
            if "logits" in found:
                tags.append(found["logits"].argmax(1).cpu())
    module.train(was_training)
    return Scored(torch.cat(scores), torch.cat(tags).numpy() if tags else None)


def _on(batch: dict[str, torch.Tensor], accelerator: Accelerator) -> dict[str, torch.Tensor]:
    return {name: tensor.to(accelerator.device) for name, tensor in batch.items()}
