"""What was said about each photo, as text to read beside it: dialogues and findings on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from photochat.dialogue import Dialogue
from photochat.errors import UNDECODABLE, DataError
from photochat.photo import Photo

SHARES = "[shares the photo]"


class Finding(msgspec.Struct, frozen=True):
    """What a check found in a dialogue: one line of a findings file (JSON lines).

    `turn` counts from 0; `span` and `score` are the check's own.
    """

    dialogue_id: int
    check: str
    severity: str
    message: str
    turn: int | None = None
    span: Any = None
    score: float | None = None

    @property
    def sentence(self) -> str:
        """The finding in one line; turns are counted from 1, as people do."""
        place = "" if self.turn is None else f", turn {self.turn + 1}"
        score = "" if self.score is None else f" (score {self.score:.2f})"
        head = f"Dialogue {self.dialogue_id}{place}: {self.check}, {self.severity}"
        return f"{head}: {self.message}{score}"


class PhotoTexts(msgspec.Struct, frozen=True):
    """Texts by photo id, and how many dialogues or findings are about no photo of the pool."""

    texts: dict[str, list[str]]
    elsewhere: int


def dialogue_text(dialogue: Dialogue) -> str:
    """Return a dialogue as lines to read, a line a turn; A is who speaks first.

    >>> from photochat.dialogue import Turn
    >>> turns = (Turn("Hi!", False, 1), Turn("", True, 0), Turn("Wow", False, 1))
    >>> print(dialogue_text(Dialogue(turns, 7, "", "")))
    A: Hi!
    B: [shares the photo]
    A: Wow
    """
    names: dict[int, str] = {}
    lines = []
    for turn in dialogue.turns:
        name = names.setdefault(turn.user_id, _name(len(names)))
        words = " ".join(turn.message.split())
        said = " ".join(part for part in (SHARES if turn.share_photo else "", words) if part)
        lines.append(f"{name}: {said}")
    return "\n".join(lines)


def _name(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"Speaker {number + 1}"


def photo_of_dialogue(
    dialogues: Iterable[Dialogue], photos: Sequence[Photo]
) -> list[tuple[Dialogue, str | None]]:
    """Pair each dialogue with the id of the pool's photo it is about, or None.

    Half of the published dialogues have no photo id: those are matched by the photo's URL.
    """
    ids = {photo.photo_id for photo in photos}
    by_url = {photo.url: photo.photo_id for photo in photos if photo.url}
    pairs: list[tuple[Dialogue, str | None]] = []
    for dialogue in dialogues:
        photo_id = dialogue.photo_id or by_url.get(dialogue.photo_url)
        pairs.append((dialogue, photo_id if photo_id in ids else None))
    return pairs


def dialogue_texts(pairs: Iterable[tuple[Dialogue, str | None]]) -> PhotoTexts:
    """Return the readable dialogues about each photo, in their order, headed by their number."""
    texts: dict[str, list[str]] = {}
    elsewhere = 0
    for dialogue, photo_id in pairs:
        if photo_id is None:
            elsewhere += 1
        else:
            text = f"Dialogue {dialogue.dialogue_id}\n{dialogue_text(dialogue)}"
            texts.setdefault(photo_id, []).append(text)
    return PhotoTexts(texts, elsewhere)


def finding_texts(
    findings: Iterable[Finding], pairs: Iterable[tuple[Dialogue, str | None]]
) -> PhotoTexts:
    """Return what was found in the dialogues about each photo, as sentences.

    A dialogue number that stands in two splits is about several photos; a finding on it is shown
    at each, since the findings file cannot say which is meant.
    """
    photos: dict[int, list[str]] = {}
    for dialogue, photo_id in pairs:
        if photo_id is not None:
            photos.setdefault(dialogue.dialogue_id, []).append(photo_id)
    texts: dict[str, list[str]] = {}
    elsewhere = 0
    for finding in findings:
        about: Mapping[str, None] = dict.fromkeys(photos.get(finding.dialogue_id, ()))
        elsewhere += not about
        for photo_id in about:
            texts.setdefault(photo_id, []).append(finding.sentence)
    return PhotoTexts(texts, elsewhere)


def read_findings(path: str | Path) -> list[Finding]:
    """Read a findings file, one JSON object a line; empty lines are passed over.

    Raises:
        DataError: the file cannot be read, or a line is no finding.
    """
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", file=path) from error
    findings = []
    decoder = msgspec.json.Decoder(Finding)
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                findings.append(decoder.decode(line))
            except UNDECODABLE as error:
                raise DataError(str(error), file=path, record=f"line {number}") from error
    return findings
