"""A folder of sticker conversations as Int-RA reads it, with what was generated about it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from modeling.stickers.descriptions import description_texts, read_descriptions
from modeling.stickers.knowledge import knowledge_texts, read_knowledge
from photochat.errors import DataError
from photochat.images import FORMATS, as_rgb, open_picture
from photochat.stickers import Sticker, StickerConversation, StickerData

KNOWLEDGE = "knowledge.jsonl"  # in the data's folder
DESCRIPTIONS = "descriptions.jsonl"
STICKER_FORMATS = (*FORMATS, "GIF")

Pixels = NDArray[np.uint8]


class StickerExamples(msgspec.Struct, frozen=True):
    """The conversations of a split; C_know of each, the place of its sticker in the gallery, and
    that of its intention among the tags.
    """

    conversations: tuple[StickerConversation, ...]
    knowledge: tuple[tuple[str, ...], ...]
    gold: tuple[int, ...]
    tags: tuple[int, ...]
    without_knowledge: int

    def __len__(self) -> int:
        """Return the number of conversations."""
        return len(self.conversations)

    @property
    def fingerprint(self) -> str:
        """Return a hash of all that a model sees: equal for equal examples in equal order."""
        whole = (self.conversations, self.knowledge, self.gold, self.tags)
        return hashlib.sha256(msgspec.json.encode(whole)).hexdigest()[:16]


class Gallery(msgspec.Struct, frozen=True):
    """All stickers, with the four texts of each: "" where an attribute is not described."""

    stickers: tuple[Sticker, ...]
    descriptions: tuple[tuple[str, ...], ...]
    without_description: int


def gallery_of(data: StickerData, *, attributes: bool = True) -> Gallery:
    """Return the gallery of a folder; its descriptions where they are asked for.

    Raises:
        DataError: they are asked for and there are none.
    """
    if not attributes:
        return Gallery(data.stickers, (("",) * 4,) * len(data.stickers), 0)
    file = data.folder / DESCRIPTIONS
    if not file.exists():
        raise DataError(
            f"holds no {DESCRIPTIONS}: photochat stickers describe makes it, or train --without "
            "attributes",
            file=data.folder,
        )
    texts, without = description_texts(data.stickers, read_descriptions(file))
    if without == len(texts):
        raise DataError("describes none of the stickers", file=file)
    return Gallery(data.stickers, tuple(texts), without)


def sticker_examples(
    data: StickerData, split: str, *, knowledge: bool = True, limit: int | None = None
) -> StickerExamples:
    """Return the examples of a split; with what is known of them where it is asked for.

    Raises:
        DataError: there is no such split; knowledge is asked for and there is none.
    """
    conversations = data.split(split)[:limit]
    texts: Sequence[tuple[str, ...]] = [()] * len(conversations)
    without = 0
    if knowledge:
        file = data.folder / KNOWLEDGE
        if not file.exists():
            raise DataError(
                f"holds no {KNOWLEDGE}: photochat stickers knowledge makes it, or train --without "
                "knowledge",
                file=data.folder,
            )
        texts, without = knowledge_texts(conversations, read_knowledge(file))
        if without == len(texts):
            raise DataError(f"knows nothing of any conversation in {split}", file=file)
    place = {one.sticker_id: i for i, one in enumerate(data.stickers)}
    gold = tuple(place[one.sticker_id] for one in conversations)
    tag_of = {tag: i for i, tag in enumerate(data.intentions)}
    tags = tuple(tag_of[one.intention] for one in conversations)
    return StickerExamples(conversations, tuple(texts), gold, tags, without)


def sticker_pixels(stickers: Sequence[Sticker], side: int) -> Pixels:
    """Return the pictures, (stickers, 3, side, side): whole, squeezed into the square.

    A sticker's words often stand at its margin, so nothing is cut off. Of an animation the first
    picture is taken; transparent parts become white.

    Raises:
        DataError: a picture cannot be decoded.
    """
    pixels = np.empty((len(stickers), 3, side, side), np.uint8)
    for row, one in zip(pixels, stickers, strict=True):
        picture = as_rgb(
            ImageOps.exif_transpose(open_picture(one.picture, formats=STICKER_FORMATS))
        )
        small = picture.resize((side, side), Image.Resampling.BICUBIC)
        row[:] = np.asarray(small).transpose(2, 0, 1)
    return pixels
