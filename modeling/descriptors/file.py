"""`descriptors.jsonl`: one line a dialogue, found again by what was said before the share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from modeling.descriptors.fields import Descriptors
from photochat.atomic import atomic_file
from photochat.dialogue import Utterance
from photochat.errors import UNDECODABLE, DataError

TalkKey = str


class Described(msgspec.Struct, frozen=True):
    """The descriptors of one dialogue. `talk` is `talk_key` of its turns before the share.

    Dialogue ids begin anew in each split, and a dialogue may be edited after it was described: so
    `talk` is what a line is found by, and `split` and `dialogue_id` are for people. `model` and
    `prompt` (a hash) say what made it.
    """

    split: str
    dialogue_id: int
    talk: TalkKey
    descriptors: Descriptors
    model: str = ""
    prompt: str = ""


def talk_key(turns: Sequence[Utterance]) -> TalkKey:
    """Return a hash of merged turns before the share: equal for the same talk, in any split."""
    return hashlib.sha256(msgspec.json.encode(list(turns))).hexdigest()[:24]


def read_descriptors(path: str | Path) -> dict[TalkKey, Descriptors]:
    """Read a file of descriptors; of two lines about the same talk the first counts.

    Raises:
        DataError: the file cannot be read, or a line is not of the form; it is named.
    """
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise DataError("no such file: photochat describe writes it", file=path) from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=path) from error
    found: dict[TalkKey, Descriptors] = {}
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            described = msgspec.json.decode(line, type=Described)
        except UNDECODABLE as error:
            problem = f"is no line of photochat describe ({error})"
            raise DataError(problem, file=path, record=f"line {number}") from error
        found.setdefault(described.talk, described.descriptors)
    return found


def write_descriptors(path: str | Path, described: Iterable[Described]) -> None:
    """Write a file of descriptors, whole or not at all."""
    with atomic_file(path) as part:
        part.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in described))


def descriptors_of(
    talks: Sequence[Sequence[Utterance]], described: Mapping[TalkKey, Descriptors]
) -> tuple[list[Descriptors | None], int]:
    """Return the descriptors of each talk, None where there are none, and how many have none."""
    found = [described.get(talk_key(turns)) for turns in talks]
    return found, found.count(None)
