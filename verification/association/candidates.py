"""The scores between which the association check was chosen, each over a set of examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from photochat.bm25_library import bm25s
from verification.association.kinds import names_of
from verification.association.score import Encode, Numbers, learned, logits, sentence_features
from verification.learn.association import Example
from verification.talk import distinct

Candidate = Callable[[Sequence[Example], "Encode | None"], Numbers]


def area(scores: Numbers) -> float:
    """Return the mean share of other photos ranked below a dialogue's own; ties count half.

    `scores` has a row a dialogue and a column a photo; dialogue i's own photo is column i.
    """
    own = np.diag(scores)[:, None]
    below = (scores < own).sum(1) + ((scores == own).sum(1) - 1) / 2
    return float((below / (len(scores) - 1)).mean())


def label_words(examples: Sequence[Example], _: Encode | None) -> Numbers:
    """Inverse document frequencies of the label words that were said, added up."""
    documents = [set(distinct(example.words)) for example in examples]
    counts = Counter(word for document in documents for word in document)
    rarity = {word: np.log(len(documents) / count) for word, count in counts.items()}
    names = [frozenset().union(*map(names_of, e.photo.objects)) for e in examples]
    return np.array([[sum(rarity[w] for w in said & n) for n in names] for said in documents])


def bm25(examples: Sequence[Example], _: Encode | None) -> Numbers:
    """BM25 with the labels as the document and the talk as the query, as in section 6.2."""
    documents = [sorted(w for o in e.photo.objects for w in names_of(o)) for e in examples]
    index = bm25s.BM25()
    index.index(documents, show_progress=False)
    known = {word for document in documents for word in document}
    queries = [[word for word in distinct(e.words) if word in known] for e in examples]
    rows = [index.get_scores(query) if query else np.zeros(len(examples)) for query in queries]
    return np.array(rows, dtype=np.float64)


def whole_talk(examples: Sequence[Example], encode: Encode | None) -> Numbers:
    """Cosine of the whole talk and the labels."""
    return _near(examples, encode, 0)


def best_turn(examples: Sequence[Example], encode: Encode | None) -> Numbers:
    """Cosine of the nearest turn and the labels."""
    return _near(examples, encode, 1)


def whole_and_labels(examples: Sequence[Example], encode: Encode | None) -> Numbers:
    """Cosine of the whole talk, and of the nearest turn to each label, added up."""
    return _near(examples, encode, 0) + _near(examples, encode, 2)


def chosen(examples: Sequence[Example], encode: Encode | None) -> Numbers:
    """The calibrated score of the check, without the persona."""
    photos = [example.photo for example in examples]
    rows = [logits(e.words, e.turns, photos, persona=False, encode=encode) for e in examples]
    return np.stack(rows)


def _near(examples: Sequence[Example], encode: Encode | None, column: int) -> Numbers:
    assert encode is not None
    labels = [example.photo.objects for example in examples]
    rows = [sentence_features(e.turns, labels, encode, learned())[:, column] for e in examples]
    return np.stack(rows)


# Name -> (needs a sentence encoder, score); the check's own is the last of each sort.
CANDIDATES: dict[str, tuple[bool, Candidate]] = {
    "label words, inverse document frequency": (False, label_words),
    "BM25": (False, bm25),
    "hints table and label words (chosen without models)": (False, chosen),
    "MiniLM, whole talk": (True, whole_talk),
    "MiniLM, best turn": (True, best_turn),
    "MiniLM, whole talk and best turn of each label": (True, whole_and_labels),
    "MiniLM, learned map and hints table (chosen with models)": (True, chosen),
}
