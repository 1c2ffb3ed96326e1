"""Asks a language model for the descriptors of every dialogue's photo, from the talk before it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path

import msgspec

from modeling.descriptors.fields import Descriptors, talk_text
from modeling.descriptors.file import Described, talk_key, write_descriptors
from photochat.dialogue import Utterance, merge_turns
from photochat.errors import DataError
from photochat.language_model.client import Client, Failure, carry_out
from photochat.language_model.question import Message, Sampling, seed_of
from photochat.release import Release

# What an answer is usually like: for the estimate before anything is asked.
STAND_IN = Descriptors(
    "a birthday cake with candles, a little girl",
    "plates, forks, balloons, wrapped presents",
    "a dining room at home",
    "a birthday party, blowing out the candles",
    "chocolate, colourful, two layers, happy children",
)


class Talk(msgspec.Struct, frozen=True):
    """A dialogue up to its share: the turns, merged by speaker, and who will share."""

    split: str
    dialogue_id: int
    turns: tuple[Utterance, ...]
    sharer: int


class Undone(msgspec.Struct, frozen=True):
    """A dialogue that has no descriptors yet, and why."""

    split: str
    dialogue_id: int
    reason: str


class Description(msgspec.Struct, frozen=True):
    """What a run came to: `left_out` counts dialogues that ask for no descriptors, by reason."""

    described: list[Described]
    undone: list[Undone]
    left_out: dict[str, int]


def talks_of(release: Release, split: str | None = None) -> tuple[list[Talk], dict[str, int]]:
    """Return what is said before each photo, in the release's order, and what was left out.

    Nothing of a dialogue from the share on is looked at, but for who shares.

    Raises:
        DataError: there is no such split.
    """
    parts = {split: release.split(split)} if split else release.splits
    talks: list[Talk] = []
    left_out: Counter[str] = Counter()
    for name, dialogues in parts.items():
        for dialogue in dialogues:
            turns = merge_turns(dialogue.before_share)
            if dialogue.sharer is None:
                left_out["no photo turn"] += 1
            elif not any(turn.text.strip() for turn in turns):
                left_out["nothing said before the photo"] += 1
            else:
                talks.append(Talk(name, dialogue.dialogue_id, turns, dialogue.sharer))
    return talks, dict(left_out)


def read_prompt(path: str | Path | None = None) -> str:
    """Return the instruction that the model is given: the file's text, or the one that comes along.

    Raises:
        DataError: the file cannot be read, or is empty.
    """
    if path is None:
        return files("modeling.descriptors").joinpath("prompt.txt").read_text(encoding="utf-8")
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read as a prompt ({error})", file=path) from error
    if not text.strip():
        raise DataError("is empty: write what the model is to do", file=path)
    return text


def describe(
    client: Client,
    release: Release,
    *,
    split: str | None = None,
    prompt: str | None = None,
    sampling: Sampling | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Description:
    """Ask for the descriptors of every dialogue, or of one split's; two equal talks ask once.

    Raises:
        DataError: there is no such split, or the model cannot be asked at all.
    """
    talks, left_out = talks_of(release, split)
    prompt = read_prompt() if prompt is None else prompt
    mark = hashlib.sha256(prompt.encode()).hexdigest()[:16]
    of_key = {talk_key(talk.turns): talk for talk in talks}
    jobs = [partial(_ask, client, prompt, talk, sampling or Sampling()) for talk in of_key.values()]
    answers = dict(zip(of_key, carry_out(client, jobs, progress), strict=True))
    described, undone = [], []
    for talk in talks:
        key = talk_key(talk.turns)
        answer = answers[key]
        if isinstance(answer, Failure):
            undone.append(Undone(talk.split, talk.dialogue_id, answer.reason))
        else:
            described.append(
                Described(talk.split, talk.dialogue_id, key, answer, client.model.name, mark)
            )
    return Description(described, undone, left_out)


def messages_of(prompt: str, talk: Talk) -> Sequence[Message]:
    """Return what the model is asked about one talk."""
    return (
        Message("system", prompt.strip()),
        Message("user", f"The chat:\n{talk_text(talk.turns, talk.sharer)}"),
    )


async def _ask(client: Client, prompt: str, talk: Talk, sampling: Sampling) -> Descriptors:
    drawn = msgspec.structs.replace(
        sampling, seed=seed_of(sampling.seed, "describe", talk_key(talk.turns))
    )
    return await client.ask(messages_of(prompt, talk), Descriptors, drawn)


def save(path: str | Path, result: Description) -> None:
    """Write what was described, in the release's order."""
    write_descriptors(path, result.described)
