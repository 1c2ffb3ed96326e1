"""BM25, the paper's statistical baseline: a photo's labels as the document, the talk as the query.

Section 6.2: "the object labels of each image as the document term; all the utterances before the
photo is shared are concatenated, tokenized and used as the query term". Scoring is bm25s'.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from modeling.metrics import Estimate, rank_of, retrieval_metrics
from photochat.bm25_library import bm25s
from photochat.dialogue import Dialogue, Turn, photo_keys
from photochat.errors import DataError
from photochat.release import Release

K1 = 1.5  # the usual values: the paper names none
B = 0.75

PAPER_ROW = {"recall@1": 6.6, "recall@5": 15.4, "recall@10": 23.0, "sum": 45.0}  # Table 4

Pool = Literal["split", "all"]
Query = Literal["all", "sharer"]

_WORD = re.compile(r"\w+")


class BM25Evaluation(msgspec.Struct, frozen=True):
    """The metrics (percent) with what they were computed on.

    `left_out` counts, by reason, the dialogues of the split that gave no query.
    """

    split: str
    pool: Pool
    query: Query
    persona: bool
    fold_plurals: bool
    photos: int
    dialogues: int
    queries: int
    left_out: dict[str, int]
    metrics: dict[str, Estimate]


class PhotoIndex:
    """BM25 over photos: `scores(words)` gives one score a photo, in the order given."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self.size = len(documents)
        self.vocabulary = {word for document in documents for word in document}
        self._model = bm25s.BM25(k1=K1, b=B)
        if self.vocabulary:
            self._model.index([list(document) for document in documents], show_progress=False)

    def scores(self, words: Iterable[str]) -> NDArray[np.float32]:
        """Return scores of shape (photos,); words that no photo has count nothing."""
        known = [word for word in words if word in self.vocabulary]
        if not known:
            return np.zeros(self.size, dtype=np.float32)
        scores: NDArray[np.float32] = self._model.get_scores(known)
        return scores


def evaluate_bm25(
    release: Release,
    split: str = "test",
    *,
    pool: Pool = "split",
    query: Query = "all",
    persona: bool = False,
    fold_plurals: bool = False,
    resamples: int = 1000,
    seed: int = 0,
) -> BM25Evaluation:
    """Rank the photos for each dialogue of a split and score the ranks.

    The pool is the photos of the split, or of the whole release. The query is what was said before
    the share, by both or by the sharer. `persona` lets the persona's name and relationship into the
    photo's text: the name recurs in the dialogue, so this leaks the answer. A photo whose dialogues
    list different labels has the labels of the first. Dialogues without a photo turn, or whose
    photo is not named, give no query; their photos stay in the pool.

    Raises:
        DataError: the release has no such split, or the split holds no usable dialogue.
    """
    dialogues = release.split(split)
    if pool == "all":
        dialogues = dialogues + [
            d for name, part in release.splits.items() if name != split for d in part
        ]
    keys = photo_keys(dialogues)
    first: dict[str, Dialogue] = {}
    for key, dialogue in zip(keys, dialogues, strict=True):
        if key:
            first.setdefault(key, dialogue)
    column = {key: index for index, key in enumerate(first)}
    index = PhotoIndex([words(photo_text(d, persona), fold_plurals) for d in first.values()])

    left_out: dict[str, int] = {}
    ranks = []
    asked = release.split(split)
    for key, dialogue in zip(keys, asked, strict=False):
        reason = (
            "no photo turn" if dialogue.share_index is None else "" if key else "no photo named"
        )
        if reason:
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        said = words(query_text(dialogue, query), fold_plurals)
        ranks.append(rank_of(index.scores(said), column[key]))
    if not ranks:
        raise DataError(f"the split {split} has no dialogue with a photo", file=_folder(release))
    return BM25Evaluation(
        split=split,
        pool=pool,
        query=query,
        persona=persona,
        fold_plurals=fold_plurals,
        photos=index.size,
        dialogues=len(asked),
        queries=len(ranks),
        left_out=left_out,
        metrics=retrieval_metrics(np.array(ranks), resamples=resamples, seed=seed),
    )


def query_text(dialogue: Dialogue, query: Query = "all") -> str:
    """Return what was said before the share: all of it, or the sharer's part (section 6.2)."""

    def speaks(turn: Turn) -> bool:
        return query == "all" or turn.user_id == dialogue.sharer

    return " ".join(turn.message for turn in dialogue.before_share if speaks(turn))


def photo_text(dialogue: Dialogue, persona: bool = False) -> str:
    """Return the photo's labels as text; with `persona`, who is on it too."""
    who = dialogue.description.persona if persona and dialogue.description else None
    return " ".join((*((who.relationship, who.name) if who else ()), *dialogue.labels))


def words(text: str, fold_plurals: bool = False) -> list[str]:
    """Cut text into lower-case words; `fold_plurals` takes a final s off ("dogs" -> "dog")."""
    found = _WORD.findall(text.lower())
    return [_singular(word) for word in found] if fold_plurals else found


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _folder(release: Release) -> str:
    return str(release.files[0].path.parent) if release.files else ""
