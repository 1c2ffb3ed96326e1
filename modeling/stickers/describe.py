"""Asks a multimodal model what each sticker shows (equation 7)."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path

import msgspec
from PIL import ImageOps

from modeling.stickers.descriptions import Description, read_descriptions
from modeling.stickers.examples import STICKER_FORMATS
from photochat.atomic import atomic_file
from photochat.images import as_rgb, open_picture
from photochat.language_model.client import Client, Failure, carry_out
from photochat.language_model.question import Message, Sampling, seed_of
from photochat.stickers import Sticker

SENT_SIDE = 512  # pixels at most; a sticker is small anyway


class Attributes(msgspec.Struct, frozen=True):
    """An answer: keywords for each of the four attributes of section 4.2."""

    gesture: str
    posture: str
    facial_expression: str
    verbal: str


# What an answer is usually like: for the estimate before anything is asked.
STAND_IN = Attributes("waving with both hands", "standing", "a wide grin, closed eyes", "hello")


class Undone(msgspec.Struct, frozen=True):
    """A sticker that is not described yet, and why."""

    sticker_id: str
    reason: str


def describe_stickers(
    client: Client,
    stickers: Sequence[Sticker],
    *,
    sampling: Sampling | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Description], list[Undone]]:
    """Ask for the four attributes of every sticker.

    Raises:
        DataError: a picture cannot be decoded, or the model cannot be asked at all.
    """
    prompt = files("modeling.stickers").joinpath("attributes.txt").read_text(encoding="utf-8")
    jobs = [partial(_ask, client, prompt, one, sampling or Sampling()) for one in stickers]
    described, undone = [], []
    for one, answer in zip(stickers, carry_out(client, jobs, progress), strict=True):
        if isinstance(answer, Failure):
            undone.append(Undone(one.sticker_id, answer.reason))
        else:
            said = msgspec.structs.asdict(answer)
            described.append(Description(sticker_id=one.sticker_id, **said))
    return described, undone


def save_descriptions(file: Path, described: Sequence[Description]) -> None:
    """Write descriptions; those of other stickers that the file holds stay in it.

    Raises:
        DataError: the file holds something else, or cannot be written.
    """
    everything = read_descriptions(file) if file.exists() else {}
    everything |= {one.sticker_id: one for one in described}
    with atomic_file(file) as part:
        lines = [msgspec.json.encode(everything[name]) + b"\n" for name in sorted(everything)]
        part.write_bytes(b"".join(lines))


def picture_address(file: Path) -> str:
    """Return a sticker's picture as a `data:` address of a PNG, as endpoints take it.

    Raises:
        DataError: it cannot be decoded.
    """
    small = as_rgb(ImageOps.exif_transpose(open_picture(file, formats=STICKER_FORMATS)))
    small.thumbnail((SENT_SIDE, SENT_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


async def _ask(client: Client, prompt: str, one: Sticker, sampling: Sampling) -> Attributes:
    messages = (
        Message("system", prompt.strip()),
        Message("user", "The sticker:", picture_address(one.picture)),
    )
    drawn = msgspec.structs.replace(sampling, seed=seed_of(sampling.seed, "sticker"))
    return await client.ask(messages, Attributes, drawn)
