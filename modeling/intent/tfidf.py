"""TF-IDF and logistic regression: the baseline that a neural model has to beat.

Words and word pairs of the newest turn and of the turns before it, with how many turns there were,
who spoke last, and question marks. scikit-learn fits; what is kept are plain numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from modeling.examples import IntentExamples, Talk
from modeling.intent.metrics import Floats
from photochat.errors import UNDECODABLE, DataError

# Chosen by cross-validation in five parts on the published dev split: average precision 53.1, and
# between 50.1 and 52.8 for C of 0.3 and 2, and for 1, 2 and all earlier turns.
INVERSE_PENALTY = 1.0  # scikit-learn's C
EARLIER_TURNS = 4  # before the newest, whose words count as context
LONGEST = 12  # turns beyond are one position
FILE = "tfidf.json"


class TfidfModel(msgspec.Struct, frozen=True):
    """A fitted model: for newest turn and context, words, their idf; a weight a feature."""

    newest: dict[str, int]
    newest_idf: list[float]
    earlier: dict[str, int]
    earlier_idf: list[float]
    weights: list[float]
    bias: float

    def probabilities(self, examples: IntentExamples) -> Floats:
        """Return the probability of a share after each turn, (examples,)."""
        if not len(examples):
            return np.zeros(0)
        newest, earlier = _texts(examples)
        table = sparse.hstack(
            [
                _vectorizer(self.newest, self.newest_idf).transform(newest),
                _vectorizer(self.earlier, self.earlier_idf).transform(earlier),
                _circumstances(examples),
            ]
        ).tocsr()
        scores = table @ np.array(self.weights) + self.bias
        result: Floats = 1 / (1 + np.exp(-scores))
        return result


def fit_tfidf(examples: IntentExamples) -> TfidfModel:
    """Fit the baseline on the examples of a training split.

    Raises:
        DataError: the split has no share, or shares alone.
    """
    if len(set(examples.labels.tolist())) < 2:
        raise DataError("the training split needs turns with and without a share after them")
    newest, earlier = _texts(examples)
    (of_newest, new), (of_earlier, old) = _fitted(newest), _fitted(earlier)
    table = sparse.hstack([new, old, _circumstances(examples)]).tocsr()
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=2000, solver="liblinear")
    model.fit(table, examples.labels)
    return TfidfModel(
        {word: int(i) for word, i in of_newest.vocabulary_.items()},
        of_newest.idf_.tolist(),
        {word: int(i) for word, i in of_earlier.vocabulary_.items()},
        of_earlier.idf_.tolist(),
        model.coef_[0].tolist(),
        float(model.intercept_[0]),
    )


def save_tfidf(model: TfidfModel, folder: Path) -> None:
    """Write the model into `folder`, which exists."""
    (folder / FILE).write_bytes(msgspec.json.encode(model))


def load_tfidf(folder: Path) -> TfidfModel:
    """Read a model.

    Raises:
        DataError: there is none, or the file is not one.
    """
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=TfidfModel)
    except (OSError, *UNDECODABLE) as error:
        raise DataError(f"is no TF-IDF model ({error})", file=folder / FILE) from error


def _fitted(texts: list[str]) -> tuple[Any, Any]:
    """Return a vectorizer of the words that at least two texts have, and its vectors of them."""
    vectorizer = _vectorizer()
    try:
        return vectorizer, vectorizer.fit_transform(texts)
    except ValueError:  # there is no such word
        vectorizer.fit(["nothing"] * 2)
        return vectorizer, vectorizer.transform(texts)


def _vectorizer(vocabulary: dict[str, int] | None = None, idf: list[float] | None = None) -> Any:
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2),
        min_df=1 if vocabulary is not None else 2,
        sublinear_tf=True,
        token_pattern=r"\w+|[?!]",  # noqa: S106 - a pattern of words
        vocabulary=vocabulary,
    )
    if idf is not None:
        vectorizer.idf_ = np.array(idf)
    return vectorizer


def _texts(examples: IntentExamples) -> tuple[list[str], list[str]]:
    newest, earlier = [], []
    for talk in examples.talks:
        texts = [turn.text for turn in talk.turns]
        for j, text in enumerate(texts):
            newest.append(text)
            earlier.append(" ".join(texts[max(j - EARLIER_TURNS, 0) : j]))
    return newest, earlier


def _circumstances(examples: IntentExamples) -> Any:
    rows = [_of_turn(talk, j) for talk in examples.talks for j in range(len(talk.turns))]
    return sparse.csr_matrix(np.array(rows, dtype=np.float64))


def _of_turn(talk: Talk, j: int) -> list[float]:
    position = [0.0] * LONGEST
    position[min(j, LONGEST - 1)] = 1.0
    speaker = float(talk.turns[j].user_id == 0)
    asks = float("?" in talk.turns[j].text)
    asked = float(j > 0 and "?" in talk.turns[j - 1].text)
    length = np.log1p(len(talk.turns[j].text.split())) / 3
    return [
        *position,
        speaker,
        asks,
        asked,
        speaker * asks,
        (1 - speaker) * asks,
        speaker * asked,
        length,
        (j + 1) / 10,
    ]
