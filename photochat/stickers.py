"""StickerInt's data: conversations of several users, each answered by a sticker with an intention.

The layout is a folder: `train.json`, `valid.json`, `test.json` (or `.jsonl`), and `stickers/`,
whose pictures are named after the stickers. Every split draws on all stickers, as in the paper
(arXiv 2403.05427, Table 1). docs/stickers.md shows a record.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from photochat.errors import UNDECODABLE, DataError

SPLITS = ("train", "valid", "test")
PICTURES = "stickers"  # the folder beside the splits
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif")

# Section 3.2 takes the tags of GoEmotions (Demszky et al. 2020, Table 1): 27 emotions and neutral.
INTENTIONS = (
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion",
    "curiosity", "desire", "disappointment", "disapproval", "disgust", "embarrassment",
    "excitement", "fear", "gratitude", "grief", "joy", "love", "nervousness", "optimism", "pride",
    "realization", "relief", "remorse", "sadness", "surprise", "neutral",
)  # fmt: skip

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
_Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | _Text
_PLACE = re.compile(r"^(.*) - at `\$\.?(.*)`$")
_MISSING = re.compile(r"Object missing required field `(\w+)`")


class StickerTurn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One utterance: t_i = (s_i, u_i) of section 4."""

    user_id: _Id
    text: _Text


class StickerConversation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A conversation up to its sticker: T = {t_1, ..., t_N, s_j}, the gold sticker, its intention.

    `user_id` is s_j, who answers with the sticker: after others' words or the user's own.
    """

    conversation_id: _Id
    turns: Annotated[tuple[StickerTurn, ...], msgspec.Meta(min_length=1)]
    user_id: _Id
    sticker_id: _Text
    intention: str

    @property
    def users(self) -> frozenset[int | str]:
        """Return all who take part, the sender of the sticker among them."""
        return frozenset((self.user_id, *(turn.user_id for turn in self.turns)))


class Sticker(msgspec.Struct, frozen=True):
    """A sticker: its picture, and the intentions of all conversations that it answers.

    It is a right answer to every conversation that has one of its intentions (section 5.1).
    """

    sticker_id: str
    picture: Path
    intentions: frozenset[str]


class StickerData(msgspec.Struct, frozen=True):
    """A folder of StickerInt's layout, read whole."""

    folder: Path
    splits: dict[str, tuple[StickerConversation, ...]]
    stickers: tuple[Sticker, ...]
    intentions: tuple[str, ...]

    def split(self, name: str) -> tuple[StickerConversation, ...]:
        """Return the conversations of a split.

        Raises:
            DataError: there is none, or it is empty.
        """
        found = self.splits.get(name, ())
        if not found:
            there = ", ".join(self.splits)
            raise DataError(
                f"has no conversations in {name} (there are: {there})", file=self.folder
            )
        return found


def read_intentions(file: Path) -> tuple[str, ...]:
    """Read a list of intention tags, one a line.

    Raises:
        DataError: the file cannot be read, holds no tag, or one twice.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("cannot be read as a list of tags, one a line", file=file) from error
    tags = [line.strip() for line in lines if line.strip()]
    if not tags:
        raise DataError("holds no tag: write one a line", file=file)
    for tag, times in Counter(tags).items():
        if times > 1:
            raise DataError(f"holds the tag {tag!r} {times} times", file=file)
    return tuple(tags)


def read_stickers(folder: str | Path, *, intentions: Sequence[str] = INTENTIONS) -> StickerData:
    """Read a folder of StickerInt's layout.

    Raises:
        DataError: something is missing or wrong; the first place is named, the others counted.
    """
    data, problems = scan_stickers(folder, intentions=intentions)
    if problems:
        first, *others = problems
        more = f" (and {len(others):,} more: photochat stickers validate)" if others else ""
        raise DataError(
            first.problem + more, file=first.file, record=first.record, field=first.field
        )
    return data


def scan_stickers(
    folder: str | Path, *, intentions: Sequence[str] = INTENTIONS
) -> tuple[StickerData, list[DataError]]:
    """Read what can be read, and list every record that is wrong.

    Raises:
        DataError: the folder has no split, no stickers, or a file that is no JSON at all.
    """
    folder = Path(folder)
    files = [file for file in _split_files(folder) if file.exists()]
    if not files:
        raise DataError(
            "holds no train.json, valid.json or test.json of sticker conversations", file=folder
        )
    pictures = _pictures(folder / PICTURES)
    problems: list[DataError] = []
    splits: dict[str, tuple[StickerConversation, ...]] = {}
    place_of: dict[int | str, str] = {}
    for file in files:
        kept = []
        for number, record in enumerate(_records(file), start=1):
            try:
                one = _conversation(file, number, record)
                name = f"conversation {one.conversation_id}"
                _check(file, name, one, intentions, pictures)
                if one.conversation_id in place_of:
                    raise DataError(
                        f"stands in {place_of[one.conversation_id]} too: give each its own",
                        file=file,
                        record=name,
                        field="conversation_id",
                    )
            except DataError as error:
                problems.append(error)
                continue
            place_of[one.conversation_id] = file.name
            kept.append(one)
        splits[file.stem] = tuple(kept)
    tags: dict[str, set[str]] = {name: set() for name in pictures}
    for part in splits.values():
        for one in part:
            tags[one.sticker_id].add(one.intention)
    stickers = tuple(Sticker(n, file, frozenset(tags[n])) for n, file in pictures.items())
    return StickerData(folder, splits, stickers, tuple(intentions)), problems


def _split_files(folder: Path) -> Iterator[Path]:
    for split in SPLITS:
        both = [folder / f"{split}{suffix}" for suffix in (".json", ".jsonl")]
        if all(file.exists() for file in both):
            raise DataError(f"stands beside {both[1].name}: keep one", file=both[0])
        yield from both


def _pictures(folder: Path) -> dict[str, Path]:
    """Return the pictures by sticker, in the order of their names."""
    found: dict[str, Path] = {}
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    for file in files:
        if file.suffix.lower() not in SUFFIXES:
            continue
        if file.stem in found:
            raise DataError(f"is a second picture beside {found[file.stem].name}", file=file)
        found[file.stem] = file
    if not found:
        kinds = ", ".join(SUFFIXES)
        raise DataError(f"holds no pictures: put <sticker_id>{{{kinds}}} there", file=folder)
    return found


def _records(file: Path) -> list[Any]:
    try:
        data = file.read_bytes()
        if file.suffix == ".jsonl":
            return msgspec.json.Decoder().decode_lines(data)
        records = msgspec.json.decode(data)
    except (OSError, *UNDECODABLE) as error:
        raise DataError(f"cannot be read as JSON ({error})", file=file) from error
    if not isinstance(records, list):
        raise DataError("must be a list of conversations", file=file)
    return records


def _conversation(file: Path, number: int, record: Any) -> StickerConversation:
    """Check one record's shape; a field that is null is a field that is missing."""
    own = record.get("conversation_id") if isinstance(record, dict) else None
    name = f"record {number}" if own is None else f"conversation {own}"
    if isinstance(record, dict):
        record = {key: value for key, value in record.items() if value is not None}
    try:
        return msgspec.convert(record, StickerConversation)
    except msgspec.ValidationError as error:
        message, field = str(error), ""
        if place := _PLACE.match(message):
            message, field = place.groups()
        if missing := _MISSING.match(message):
            message, field = "is missing", ".".join(filter(None, (field, missing[1])))
        elif field == "turns" and "length" in message:
            message = "is empty: a sticker answers at least one utterance"
        elif "length >= 1" in message:
            message = "is empty"
        raise DataError(message, file=file, record=name, field=field or None) from error


def _check(
    file: Path,
    name: str,
    one: StickerConversation,
    intentions: Sequence[str],
    pictures: dict[str, Path],
) -> None:
    if one.intention not in intentions:
        raise DataError(
            f"unknown tag {one.intention!r} (known: {', '.join(intentions)})",
            file=file,
            record=name,
            field="intention",
        )
    if one.sticker_id not in pictures:
        raise DataError(
            f"no picture of {one.sticker_id!r} in {PICTURES}/",
            file=file,
            record=name,
            field="sticker_id",
        )
    for i, turn in enumerate(one.turns):
        if not turn.text.strip():
            raise DataError("is empty", file=file, record=name, field=f"turns[{i}].text")
