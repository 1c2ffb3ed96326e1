"""Cutting dialogues into train, dev and test so that no photo leaks and themes stay balanced.

Dev and test hold one dialogue a photo, and photos that stand in no other split (section 4: 1,000
photos for 1,000 dialogues in each; train photos may repeat). Themes keep roughly the distribution
of the whole: dialogues are drawn by the combination of themes of their photo.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import attrgetter

import msgspec

from photochat.dialogue import Dialogue, photo_keys
from photochat.errors import DataError
from photochat.release import SPLITS, Release
from photochat.synthetic import is_synthetic
from photochat.themes import THEMES, Theme

EVALUATED = ("dev", "test")
NO_PHOTO = "names no photo (neither photo_id nor photo_url)"
MADE = "made by a language model (--with-synthetic takes them in)"
PHOTO_TAKEN = "its photo already stands in {} of the previous release, for another dialogue"

Stratum = tuple[Theme, ...]


class LeftOut(msgspec.Struct, frozen=True):
    """A dialogue that stands in no split, and why."""

    dialogue_id: int
    reason: str


class SplitReport(msgspec.Struct, frozen=True):
    """What was cut: `theme_shares` in percent of dialogues, per split and for the whole."""

    seed: int
    read: int
    used: int
    dialogues: dict[str, int]
    photos: dict[str, int]
    theme_shares: dict[str, dict[Theme, float]]
    kept_from_previous: int
    missing_from_input: int
    left_out: list[LeftOut]


def split(
    dialogues: Sequence[Dialogue],
    *,
    dev: int,
    test: int,
    seed: int = 0,
    previous: Release | None = None,
    with_synthetic: bool = False,
) -> tuple[dict[str, list[Dialogue]], SplitReport]:
    """Cut `dialogues` into train, dev and test; the same set in any order gives the same cut.

    With `previous`, an earlier dialogue (same photo, and same turns, else same id) stays in its
    split, and dev and test are filled up from new photos to `dev` and `test` dialogues.

    Dialogues marked as synthetic are left out, as if they were not there, unless `with_synthetic`.

    Raises:
        DataError: too few photos stand in one dialogue only, `previous` is larger than asked, or
            all dialogues are synthetic.
    """
    read = len(dialogues)
    left_out: list[LeftOut] = []
    if not with_synthetic:
        left_out = [LeftOut(d.dialogue_id, MADE) for d in dialogues if is_synthetic(d)]
        dialogues = [dialogue for dialogue in dialogues if not is_synthetic(dialogue)]
        if left_out and not dialogues:
            raise DataError(
                f"all {read:,} dialogues were made by a language model: to split them all the "
                "same, add --with-synthetic"
            )
    earlier = [
        (name, d) for name in SPLITS for d in (previous.splits if previous else {}).get(name, [])
    ]
    keys = photo_keys([*dialogues, *(dialogue for _, dialogue in earlier)])
    here, there = keys[: len(dialogues)], keys[len(dialogues) :]
    photo_split = {key: name for (name, _), key in zip(earlier, there, strict=True) if key}
    uses = Counter(here)

    chosen: dict[str, list[tuple[str, Dialogue]]] = {name: [] for name in SPLITS}
    candidates: dict[str, Dialogue] = {}
    taken: set[str] = set()
    kept = 0
    ordered = sorted(zip(here, dialogues, strict=True), key=_place)
    matches = _matches(ordered, [(key, d) for key, (_, d) in zip(there, earlier, strict=True)])
    for number, (key, dialogue) in enumerate(ordered):
        place = earlier[matches[number]][0] if number in matches else None
        home = photo_split.get(key)
        if not key:
            left_out.append(LeftOut(dialogue.dialogue_id, NO_PHOTO))
        elif place and not (place in EVALUATED and key in taken):
            chosen[place].append((key, dialogue))
            taken.add(key)
            kept += 1
        elif home in EVALUATED:
            left_out.append(LeftOut(dialogue.dialogue_id, PHOTO_TAKEN.format(home)))
        elif home or uses[key] > 1:
            chosen["train"].append((key, dialogue))
        else:
            candidates[key] = dialogue

    whole = [d for part in chosen.values() for _, d in part] + list(candidates.values())
    for name, size in (("test", test), ("dev", dev)):
        drawn = _draw(name, size, whole, [d for _, d in chosen[name]], candidates, seed)
        chosen[name] += [(key, candidates.pop(key)) for key in drawn]
    chosen["train"] += candidates.items()

    splits = {name: [d for _, d in sorted(part, key=_place)] for name, part in chosen.items()}
    report = SplitReport(
        seed=seed,
        read=read,
        used=len(whole),
        dialogues={name: len(part) for name, part in chosen.items()},
        photos={name: len({key for key, _ in part}) for name, part in chosen.items()},
        theme_shares={
            name: theme_shares(part) for name, part in {**splits, "whole": whole}.items()
        },
        kept_from_previous=kept,
        missing_from_input=len(earlier) - kept,
        left_out=sorted(left_out, key=lambda item: (item.dialogue_id, item.reason)),
    )
    return splits, report


def theme_shares(dialogues: Sequence[Dialogue]) -> dict[Theme, float]:
    """Return the percentage of dialogues in each theme (one dialogue may be in several)."""
    counts = Counter(theme for dialogue in dialogues for theme in dialogue.themes())
    return {theme: 100 * counts[theme] / max(len(dialogues), 1) for theme in THEMES}


def allocate(
    total: int, weights: Mapping[Stratum, float], capacity: Mapping[Stratum, int]
) -> dict[Stratum, int]:
    """Share `total` out in proportion to `weights`, whole numbers within `capacity`.

    Largest remainder: each stratum gets the floor of its share, the rest goes to those with the
    largest fraction; what a full stratum cannot take goes to the others. `total` is at most the sum
    of `capacity`.
    """
    scale = total / (sum(weights.values()) or 1)
    ideal = {stratum: weights.get(stratum, 0) * scale for stratum in capacity}
    shares = {stratum: min(int(ideal[stratum]), capacity[stratum]) for stratum in capacity}
    while (rest := total - sum(shares.values())) > 0:
        open_strata = [stratum for stratum in shares if shares[stratum] < capacity[stratum]]
        open_strata.sort(key=lambda stratum: (shares[stratum] - ideal[stratum], stratum))
        for stratum in open_strata[:rest]:
            shares[stratum] += 1
    return shares


def _draw(
    name: str,
    size: int,
    whole: Sequence[Dialogue],
    present: Sequence[Dialogue],
    candidates: Mapping[str, Dialogue],
    seed: int,
) -> list[str]:
    """Choose the photos that fill a split up to `size` dialogues."""
    wanted = size - len(present)
    if wanted < 0:
        raise DataError(
            f"the previous release holds {len(present)} in {name}: more than --{name} {size}"
        )
    if wanted > len(candidates):
        raise DataError(
            f"{name} wants {wanted} more photos that stand in exactly one dialogue, "
            f"but only {len(candidates)} are left: lower --dev or --test"
        )
    by_stratum: dict[Stratum, list[str]] = {}
    for key in sorted(candidates, key=lambda key: _rank(seed, key)):
        by_stratum.setdefault(candidates[key].themes(), []).append(key)
    there = Counter(dialogue.themes() for dialogue in present)
    share = size / max(len(whole), 1)
    need = {
        stratum: max(count * share - there[stratum], 0.0)
        for stratum, count in Counter(dialogue.themes() for dialogue in whole).items()
    }
    capacity = {stratum: len(by_stratum[stratum]) for stratum in sorted(by_stratum)}
    shares = allocate(wanted, need, capacity)
    return [key for stratum, keys in by_stratum.items() for key in keys[: shares[stratum]]]


def _rank(seed: int, key: str) -> bytes:
    return hashlib.sha256(f"{seed}:{key}".encode()).digest()


def _matches(
    now: Sequence[tuple[str, Dialogue]], earlier: Sequence[tuple[str, Dialogue]]
) -> dict[int, int]:
    """Return the positions of dialogues now with those that the same dialogues had earlier.

    Each is found once: by its photo and words, and what is then left by its photo and id.
    """
    found: dict[int, int] = {}
    for mark in (_words, attrgetter("dialogue_id")):
        taken = set(found.values())
        left: dict[object, list[int]] = {}
        for there, (key, dialogue) in enumerate(earlier):
            if there not in taken:
                left.setdefault((key, mark(dialogue)), []).append(there)
        for here, (key, dialogue) in enumerate(now):
            if here not in found and (places := left.get((key, mark(dialogue)))):
                found[here] = places.pop(0)
    return found


def _words(dialogue: Dialogue) -> tuple[object, ...]:
    return tuple((turn.user_id, turn.share_photo, turn.message) for turn in dialogue.turns)


def _place(item: tuple[str, Dialogue]) -> tuple[int, str, tuple[str, ...]]:
    """The order in which a split is written, whatever the order of the input."""
    key, dialogue = item
    return dialogue.dialogue_id, key, tuple(turn.message for turn in dialogue.turns)
