"""Everything about a release that a careful reader would question, found and named.

Two kinds of problem: what breaks the layout, so that the record cannot be read, and findings, which
the published files have too and every command can live with.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from photochat.dialogue import MIN_TURNS_BEFORE_SHARE, Dialogue, photo_keys
from photochat.release import Release, scan_release
from photochat.synthetic import SYNTHETIC, count_synthetic

UNREADABLE = "unreadable"

# What each kind of problem means, in the order in which they are reported.
KINDS = {
    UNREADABLE: "breaks the layout: the record cannot be read",
    "no-share": "no photo is shared",
    "several-shares": "the photo is shared more than once (the first counts)",
    "share-first": "the photo stands first: nothing was said before it",
    "share-last": "the photo stands last: nothing was said after it",
    "early-share": f"fewer than {MIN_TURNS_BEFORE_SHARE} turns before the photo (section 3.2)",
    "share-text": "the photo turn carries a message",
    "two-sharers": "both users share a photo",
    "one-sided": "only one user speaks",
    "stranger": "a user_id other than 0 and 1",
    "empty-message": "a message without text",
    "markup": "HTML escapes or control characters in a message",
    "no-photo-id": "photo_id is missing",
    "odd-photo-id": "photo_id is not <subset>/<image id>",
    "odd-photo-url": "photo_url is no http(s) address",
    "odd-description": "photo_description is not of the release's form",
    "no-objects": "photo_description names no object",
    "odd-label": "a label not spelled as an Open Images class (capitalised, English)",
    "repeated-label": "a label stands twice in photo_description",
    "unknown-key": "a key that the layout does not know (kept)",
    "synthetic": "dialogues made by a language model, not by people",
    "repeated-id": "dialogue_id stands twice in a split",
    "repeated-dialogue": "the same dialogue stands twice",
    "id-of-two-photos": "one photo_id with two addresses, or one address with two ids",
    "photo-in-two-splits": "the photo stands in more than one split",
    "photo-repeated": "the photo stands twice in dev or in test",
}

_PHOTO_ID = re.compile(r"[A-Za-z0-9_-]+/[A-Za-z0-9_-]+")
_MARKUP = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#x?[0-9a-fA-F]+);|[\x00-\x08\x0b-\x1f\x7f]")
_ENGLISH_LABEL = re.compile(r"[A-Z0-9][ -~]*")
_LABEL_IS_ODD: dict[str, bool] = {}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong, and where: `turn` counts from 0, `dialogue_id` as in the file."""

    kind: str
    file: str
    dialogue_id: int | None = None
    turn: int | None = None
    field: str | None = None
    message: str = ""


class Validation(msgspec.Struct, frozen=True):
    """The result: how much was read, how many problems of each kind, and each problem."""

    files: int
    dialogues: int
    unreadable_records: int
    counts: dict[str, int]
    problems: list[Problem]


def validate(*paths: str | Path) -> Validation:
    """Find every problem in the files and folders that `paths` name.

    Raises:
        DataError: nothing there to read, or a file that cannot be read as a whole.
    """
    release, unreadable = scan_release(*paths)
    problems = [
        Problem(
            UNREADABLE, str(file), place.dialogue_id, place.turn, place.field,
            f"{place.message} ({place.record})",
        )
        for file, place in unreadable
    ]  # fmt: skip
    for file in release.files:
        name = str(file.path)
        for dialogue in file.dialogues:
            problems += (
                Problem(kind, name, dialogue.dialogue_id, turn, field, message)
                for kind, turn, field, message in findings(dialogue)
            )
    problems += release_findings(release)
    rank = {kind: place for place, kind in enumerate(KINDS)}
    problems.sort(key=lambda problem: rank[problem.kind])
    counts = Counter(problem.kind for problem in problems)
    return Validation(
        files=len(release.files),
        dialogues=len(release.dialogues),
        unreadable_records=len({(file, place.record) for file, place in unreadable}),
        counts={kind: counts[kind] for kind in KINDS if counts[kind]},
        problems=problems,
    )


Finding = tuple[str, int | None, str | None, str]


def findings(dialogue: Dialogue) -> list[Finding]:
    """Question one dialogue: (kind, turn, field, message) for each finding."""
    found: list[Finding] = []
    turns = dialogue.turns
    shares: list[int] = []
    users = set()
    for index, turn in enumerate(turns):
        users.add(turn.user_id)
        if turn.share_photo:
            shares.append(index)
            if turn.message:
                found.append(("share-text", index, "message", _quote(turn.message)))
        elif not turn.message or turn.message.isspace():
            found.append(("empty-message", index, "message", ""))
        elif not turn.message.isprintable() or "&" in turn.message:
            markup = _MARKUP.search(turn.message)
            if markup:
                found.append(("markup", index, "message", _quote(markup[0])))
    found += _share_findings(dialogue, shares, users)
    found += _photo_findings(dialogue)
    return found


def _share_findings(dialogue: Dialogue, shares: list[int], users: set[int]) -> Iterator[Finding]:
    turns = dialogue.turns
    if not shares:
        yield "no-share", None, "dialogue", ""
    else:
        first = shares[0]
        if len(shares) > 1:
            yield "several-shares", shares[1], "share_photo", f"{len(shares)} photo turns"
            if len({turns[index].user_id for index in shares}) > 1:
                yield "two-sharers", shares[1], "user_id", ""
        if first == 0:
            yield "share-first", 0, "share_photo", ""
        elif first < MIN_TURNS_BEFORE_SHARE:
            yield "early-share", first, "share_photo", f"after {first} turns"
        if first == len(turns) - 1:
            yield "share-last", first, "share_photo", ""
    if len(users) == 1:
        yield "one-sided", None, "user_id", ""
    if not users <= {0, 1}:
        stranger = next(i for i, turn in enumerate(turns) if turn.user_id not in (0, 1))
        yield "stranger", stranger, "user_id", str(turns[stranger].user_id)


def _photo_findings(dialogue: Dialogue) -> Iterator[Finding]:
    if dialogue.photo_id is None:
        yield "no-photo-id", None, "photo_id", ""
    elif not _PHOTO_ID.fullmatch(dialogue.photo_id):
        yield "odd-photo-id", None, "photo_id", _quote(dialogue.photo_id)
    if not dialogue.photo_url.startswith(("https://", "http://")):
        yield "odd-photo-url", None, "photo_url", _quote(dialogue.photo_url)
    description = dialogue.description
    if description is None:
        yield "odd-description", None, "photo_description", _quote(dialogue.photo_description)
        return
    labels = description.objects
    if not labels:
        yield "no-objects", None, "photo_description", ""
    for label in labels:
        if _is_odd(label):
            yield "odd-label", None, "photo_description", _quote(label)
    if len(set(labels)) < len(labels):
        twice = next(label for label, times in Counter(labels).items() if times > 1)
        yield "repeated-label", None, "photo_description", _quote(twice)


def _is_odd(label: str) -> bool:
    odd = _LABEL_IS_ODD.get(label)
    if odd is None:
        odd = _LABEL_IS_ODD[label] = not _ENGLISH_LABEL.fullmatch(label)
    return odd


def release_findings(release: Release) -> list[Problem]:
    """Question what stands between dialogues: ids, copies, and photos across splits."""
    found = list(_unknown_keys(release))
    places = [(file, dialogue) for file in release.files for dialogue in file.dialogues]
    dialogues = [dialogue for _, dialogue in places]
    keys = photo_keys(dialogues)

    def report(kind: str, position: int, field: str, message: str) -> None:
        file, dialogue = places[position]
        found.append(Problem(kind, str(file.path), dialogue.dialogue_id, None, field, message))

    def place(position: int) -> str:
        file, dialogue = places[position]
        return f"{file.path.name} id {dialogue.dialogue_id}"

    ids = ((file.split, dialogue.dialogue_id) for file, dialogue in places)
    for position, first in _repeats(ids):
        report("repeated-id", position, "dialogue_id", f"also in {place(first)}")
    texts = ((key, *[t.message for t in d.turns]) for key, d in zip(keys, dialogues, strict=True))
    for position, first in _repeats(texts):
        if dialogues[position].turns == dialogues[first].turns:
            report("repeated-dialogue", position, "dialogue", f"also as {place(first)}")
    for position, message in _contradictions(dialogues):
        report("id-of-two-photos", position, "photo_id", message)
    splits_of: dict[str, set[str]] = defaultdict(set)
    for (file, _), key in zip(places, keys, strict=True):
        splits_of[key].add(file.split)
    for position, key in enumerate(keys):
        splits = splits_of[key]
        if key and len(splits) > 1:
            others = ", ".join(sorted(splits - {places[position][0].split}))
            report("photo-in-two-splits", position, "photo_url", f"also in {others}")
    evaluated = (
        (file.split, key) if key and file.split in ("dev", "test") else None
        for (file, _), key in zip(places, keys, strict=True)
    )
    for position, first in _repeats(evaluated):
        report("photo-repeated", position, "photo_url", f"also in {place(first)}")
    return found


def _unknown_keys(release: Release) -> Iterator[Problem]:
    """Name each key that the layout does not know once a file, with how often it stands there.

    The mark of synthetic dialogues is known, and named as what it is.
    """
    for file in release.files:
        made = count_synthetic(file.dialogues)
        if made:
            message = f"{made:,} of {len(file.dialogues):,} dialogues"
            yield Problem("synthetic", str(file.path), None, None, SYNTHETIC, message)
        in_records = Counter(
            key for d in file.dialogues for key in d.extra or () if key != SYNTHETIC
        )
        in_turns = Counter(k for d in file.dialogues for t in d.turns if t.extra for k in t.extra)
        for counts, where in ((in_records, "dialogues"), (in_turns, "turns")):
            for key, times in counts.items():
                message = f"in {times:,} {where}"
                yield Problem("unknown-key", str(file.path), None, None, key, message)


def _repeats(values: Iterable[object]) -> Iterator[tuple[int, int]]:
    """Yield (position, position of the first equal) for each value seen before; skip None."""
    first: dict[object, int] = {}
    for position, value in enumerate(values):
        if value is None:
            continue
        if value in first:
            yield position, first[value]
        else:
            first[value] = position


def _contradictions(dialogues: Sequence[Dialogue]) -> Iterator[tuple[int, str]]:
    url_of: dict[str, str] = {}
    id_of: dict[str, str] = {}
    for position, dialogue in enumerate(dialogues):
        photo_id, url = dialogue.photo_id, dialogue.photo_url
        if not photo_id or not url:
            continue
        if url_of.setdefault(photo_id, url) != url:
            yield position, f"{photo_id} is also at {_quote(url_of[photo_id])}"
        elif id_of.setdefault(url, photo_id) != photo_id:
            yield position, f"{_quote(url)} is also {id_of[url]}"


def _quote(text: str, most: int = 60) -> str:
    return repr(text if len(text) <= most else text[: most - 1] + "…")
