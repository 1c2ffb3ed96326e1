"""Makes dialogues the way ChatPedes was made: a model asks, and answers from what a photo shows.

One side knows the photo, the other asks; round after round more of the photo comes out, until it
is shared (seeds: chat-based person retrieval, section "ChatPedes Dataset Construction").
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated

import msgspec

from collection.synthetic.photos import PhotoRecord
from collection.synthetic.prompts import Prompts, filled
from photochat import __version__
from photochat.description import Description, format_description
from photochat.dialogue import MIN_TURNS_BEFORE_SHARE, Dialogue, Turn
from photochat.language_model.client import Client, Failure, carry_out
from photochat.language_model.question import Message, Sampling, seed_of
from photochat.synthetic import Origin, mark

SHARER, RECEIVER = 0, 1  # user 0 is nearly always the sharer in the published files
FEWEST_ROUNDS = (MIN_TURNS_BEFORE_SHARE - 1) // 2  # with the opening, five turns before the share
MOST_ROUNDS = 6
MAX_CHARS = 300  # of a message; the longest published one has 289


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message, as the model answers."""

    message: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CHARS)]

    def __post_init__(self) -> None:
        if not self.message.strip():
            raise ValueError("the message is blank")


STAND_IN = Said("We had the whole family around the table, and my sister had baked it herself.")


class Undone(msgspec.Struct, frozen=True):
    """A dialogue that could not be made, and why."""

    dialogue_id: int
    photo: str
    reason: str


class Made(msgspec.Struct, frozen=True):
    """The dialogues of a run in the photos' order, and those left to do."""

    dialogues: list[Dialogue]
    undone: list[Undone]


def make_dialogues(
    client: Client,
    photos: Sequence[PhotoRecord],
    prompts: Prompts,
    *,
    per_photo: int = 1,
    rounds: tuple[int, int] = (FEWEST_ROUNDS, MOST_ROUNDS),
    sampling: Sampling | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Made:
    """Make `per_photo` dialogues about each photo, numbered in their order.

    The number of rounds (a question and its answer) is drawn between the two of `rounds`. The same
    photos, prompts, model and seed make the same talk, as far as the model itself does.

    Raises:
        DataError: the model cannot be asked at all.
    """
    sampling = sampling or Sampling()
    origin = Origin(client.model.name, prompts.fingerprint, sampling.seed, __version__)
    todo = [(photo, copy) for photo in photos for copy in range(per_photo)]
    jobs = [
        partial(_one, client, number, photo, copy, prompts, rounds, sampling)
        for number, (photo, copy) in enumerate(todo)
    ]
    dialogues, undone = [], []
    for number, result in enumerate(carry_out(client, jobs, progress)):
        if isinstance(result, Failure):
            photo = todo[number][0]
            undone.append(Undone(number, photo.photo_id or photo.url, result.reason))
        else:
            dialogues.append(mark(result, origin))
    return Made(dialogues, undone)


async def _one(
    client: Client,
    number: int,
    photo: PhotoRecord,
    copy: int,
    prompts: Prompts,
    rounds: tuple[int, int],
    sampling: Sampling,
) -> Dialogue:
    name = photo.photo_id or photo.url
    talk: list[Turn] = []

    async def say(user: int, prompt: str) -> None:
        asked = Message("user", filled(prompt, photo=photo.facts, talk=as_text(talk)))
        drawn = msgspec.structs.replace(
            sampling, seed=seed_of(sampling.seed, name, copy, len(talk))
        )
        said = await client.ask([asked], Said, drawn)
        talk.append(Turn(" ".join(said.message.split()), False, user))

    draw = random.Random(seed_of(sampling.seed, name, copy, "rounds"))  # noqa: S311 - a sample
    await say(SHARER, prompts.opening)
    for _ in range(draw.randint(*rounds)):
        await say(RECEIVER, prompts.question)
        await say(SHARER, prompts.answer)
    reaction_to = len(talk)
    await say(RECEIVER, prompts.reaction)
    talk.insert(reaction_to, Turn("", True, SHARER))
    return Dialogue(
        turns=tuple(talk),
        dialogue_id=number,
        photo_description=format_description(Description(photo.objects)),
        photo_url=photo.url,
        photo_id=photo.photo_id,
    )


def as_text(talk: Sequence[Turn]) -> str:
    """Return a talk a line each; A has the photo."""
    return "\n".join(f"{'A' if turn.user_id == SHARER else 'B'}: {turn.message}" for turn in talk)
