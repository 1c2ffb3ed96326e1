"""What a release holds, counted as the paper counts it (Tables 1 and 3, section 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from photochat.dialogue import Dialogue, merge_turns, photo_keys
from photochat.release import Release
from photochat.synthetic import is_synthetic
from photochat.themes import THEMES, Theme

TOTAL = "total"
MADE = "{} (synthetic)"  # the row of a split's dialogues that a language model made


class PublishedRow(msgspec.Struct, frozen=True):
    """One row of the paper's Table 1, with Table 3's counts."""

    images: int
    dialogues: int
    themes: dict[Theme, int]
    turns: int
    merged_turns: int
    tokens: int
    intent_negatives: int
    intent_positives: int


def _row(*numbers: int) -> PublishedRow:
    images, dialogues, people, food, animal, product, turns, merged, tokens, neg, pos = numbers
    themes: dict[Theme, int] = dict(zip(THEMES, (people, food, animal, product), strict=True))
    return PublishedRow(images, dialogues, themes, turns, merged, tokens, neg, pos)


# Tables 1 and 3. Table 1's splits add up to more dialogues in train than section 4 says (10,086).
PUBLISHED = {
    "train": _row(8917, 10286, 6376, 4465, 1072, 884, 130546, 97586, 827154, 68795, 10286),
    "dev": _row(1000, 1000, 606, 424, 87, 109, 12701, 9533, 80214, 6802, 1000),
    "test": _row(1000, 1000, 615, 419, 90, 108, 12852, 9590, 80847, 6748, 1000),
}


class SplitStatistics(PublishedRow, frozen=True):
    """The counts of one split, or of all.

    `turns` leaves out one photo turn of each dialogue that has one; `merged_turns` (the paper's
    turn*) merges consecutive messages of a speaker after that; `tokens` are words between white
    space. `intent_*` count the examples of the intent task: for h merged turns before the photo,
    the whole is positive and its h - 1 shorter prefixes are negative. `shares_by_position` counts
    dialogues by the number of turns before their photo.
    """

    without_share: int
    several_shares: int
    mean_turns: float
    mean_turns_before_share: float
    mean_merged_turns_before_share: float
    tokens_per_turn: float
    tokens_per_merged_turn: float
    shares_by_position: dict[int, int]
    tokens_by_dialogue: dict[int, int]
    labels: dict[str, int]


def stats(
    release: Release, *, as_published: bool = False, apart: bool = True
) -> dict[str, SplitStatistics]:
    """Count a release per split and in total.

    With `as_published`, a Refrigerator counts for no theme, as in the paper. Dialogues that are
    marked as synthetic are counted `apart`, in rows of their own, or else among the others.
    """
    keys = dict(zip(map(id, release.dialogues), photo_keys(release.dialogues), strict=True))
    parts: Mapping[str, Sequence[Dialogue]] = release.splits
    if len(parts) > 1:
        parts = {**parts, TOTAL: release.dialogues}
    if apart:
        parts = _apart(parts)
    return {
        name: _count(part, [keys[id(dialogue)] for dialogue in part], as_published)
        for name, part in parts.items()
    }


def _apart(parts: Mapping[str, Sequence[Dialogue]]) -> dict[str, Sequence[Dialogue]]:
    """Give the synthetic dialogues of each part a part of their own, after all others."""
    people: dict[str, Sequence[Dialogue]] = {}
    made: dict[str, Sequence[Dialogue]] = {}
    for name, part in parts.items():
        marked = [dialogue for dialogue in part if is_synthetic(dialogue)]
        if marked:
            made[MADE.format(name)] = marked
        if len(marked) < len(part) or not part:
            people[name] = [d for d in part if not is_synthetic(d)] if marked else part
    return people | made


def _count(
    dialogues: Sequence[Dialogue], keys: Sequence[str], as_published: bool
) -> SplitStatistics:
    themes: Counter[Theme] = Counter()
    labels: Counter[str] = Counter()
    position: Counter[int] = Counter()
    tokens_by_dialogue: Counter[int] = Counter()
    turns = merged = negatives = several = merged_before = 0
    for dialogue in dialogues:
        themes.update(dialogue.themes(as_published=as_published))
        labels.update(dialogue.labels)
        kept = dialogue.without_share
        turns += len(kept)
        merged += len(merge_turns(kept))
        tokens_by_dialogue[sum(len(turn.message.split()) for turn in kept)] += 1
        prefixes = len(merge_turns(dialogue.before_share))
        negatives += max(prefixes - 1, 0)
        share = dialogue.share_index
        if share is None:
            continue
        position[share] += 1
        merged_before += prefixes
        several += sum(turn.share_photo for turn in dialogue.turns) > 1
    shared = sum(position.values())
    tokens = sum(count * times for count, times in tokens_by_dialogue.items())
    return SplitStatistics(
        images=len(set(keys) - {""}),
        dialogues=len(dialogues),
        themes={theme: themes[theme] for theme in THEMES},
        turns=turns,
        merged_turns=merged,
        tokens=tokens,
        intent_negatives=negatives,
        intent_positives=shared,
        without_share=len(dialogues) - shared,
        several_shares=several,
        mean_turns=_mean(turns, len(dialogues)),
        mean_turns_before_share=_mean(sum(n * times for n, times in position.items()), shared),
        mean_merged_turns_before_share=_mean(merged_before, shared),
        tokens_per_turn=_mean(tokens, turns),
        tokens_per_merged_turn=_mean(tokens, merged),
        shares_by_position=dict(sorted(position.items())),
        tokens_by_dialogue=dict(sorted(tokens_by_dialogue.items())),
        labels=dict(sorted(labels.items(), key=lambda item: (-item[1], item[0]))),
    )


def _mean(total: int, count: int) -> float:
    return total / count if count else 0.0
