"""Runs all checks over a file of dialogues: on several cores, resumable, in the input's order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec

from photochat import __version__
from photochat.dialogue import Dialogue
from photochat.errors import UNDECODABLE, DataError
from photochat.packaged_models import installed
from photochat.records import read_records
from verification import thresholds
from verification.association.score import Encode
from verification.association.sentences import SentenceEncoder
from verification.checks.association import association
from verification.checks.duplicates import duplicate_finding, near_duplicates
from verification.checks.fluency import LanguageModel, Surprise, fluency
from verification.checks.language import fillers, gibberish, not_english, shouting
from verification.checks.personal import personal_information
from verification.checks.rules import RULES
from verification.checks.task_talk import task_talk
from verification.checks.typing import pasted, too_fast
from verification.checks.typos import typos
from verification.checks.word_order import broken_english
from verification.checks.words import Classifier, default_classifier, inappropriate
from verification.finding import Checked, Finding, write_findings
from verification.talk import Talk

Check = Callable[[Talk], list[Finding] | None]

PLAIN: dict[str, Check] = {
    **RULES,
    "too-fast": too_fast,
    "pasted": pasted,
    "not-english": not_english,
    "typos": typos,
    "gibberish": gibberish,
    "shouting": shouting,
    "fillers": fillers,
    "broken-english": broken_english,
    "personal-information": personal_information,
    "task-talk": task_talk,
}
NAMES = (*PLAIN, "inappropriate", "association", "association-after-share", "fluency",
         "near-duplicate")  # fmt: skip
SIMILARITY = "association (sentence embeddings)"  # the part of the check that needs a model
CHUNK = 64  # dialogues checked and written at a time


class Models(NamedTuple):
    """What is handed to the checks; a part that is None is not there, and its check says so."""

    classifier: Classifier | None = None
    encode: Encode | None = None
    surprise: Surprise | None = None


class ModelNames(NamedTuple):
    """Names, folders or files of the two models; None for none."""

    encoder: str | None = None
    language_model: str | None = None


NO_MODELS = ModelNames()


class Run(NamedTuple):
    """What was checked; `resumed` dialogues were found checked from an interrupted run."""

    dialogues: list[Dialogue]
    checked: list[Checked]
    resumed: int


def installed_models() -> ModelNames:
    """Return the models that are installed as packages, where the models extra is."""
    return ModelNames(installed("minilm"), installed("smollm2"))


def check_dialogue(dialogue: Dialogue, models: Models) -> Checked:
    """Run every check that looks at one dialogue."""
    talk = Talk(dialogue)
    checks: dict[str, Check] = {
        **PLAIN,
        "inappropriate": partial(inappropriate, classifier=models.classifier),
        "association": partial(association, encode=models.encode),
    }
    if models.surprise is not None:
        checks["fluency"] = partial(fluency, surprise=models.surprise)
    found: list[Finding] = []
    skipped = []
    for name, check in checks.items():
        result = check(talk)
        if result is None:
            skipped.append(name)
        else:
            found += result
    if models.encode is None:
        skipped.append(SIMILARITY)
    if models.surprise is None:
        skipped.append("fluency")
    if models.classifier is None:
        skipped.append("inappropriate (classifier)")
    return Checked(dialogue.dialogue_id, tuple(found), tuple(skipped))


def check_dialogues(
    dialogues: Sequence[Dialogue],
    names: ModelNames = NO_MODELS,
    *,
    processes: int | None = None,
    start: int = 0,
) -> Iterator[Checked]:
    """Check dialogues from `start` on; near-duplicates are looked for among all of them.

    `processes` None takes every core; a language model shares one process with the others'
    threads, since it uses all cores by itself.

    Raises:
        DataError: a model cannot be loaded.
    """
    near = near_duplicates(dialogues)
    ids = [dialogue.dialogue_id for dialogue in dialogues]
    processes = processes or os.cpu_count() or 1
    todo = range(start, len(dialogues))
    with _checked(dialogues[start:], names, processes) as results:
        for position, checked in zip(todo, results, strict=True):
            if position in near:
                finding = duplicate_finding(near[position], ids)
                checked = msgspec.structs.replace(checked, findings=(*checked.findings, finding))
            yield checked


def check(
    path: str | Path,
    out: str | Path,
    names: ModelNames = NO_MODELS,
    *,
    processes: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Run:
    """Check a file of dialogues and write the findings, a line each, in the file's order.

    What is done stands in a file beside `out` until all is: an interrupted run, started again on
    the same input with the same options, goes on from there.

    Raises:
        DataError: the input cannot be read, `out` not be written, or a model not be loaded.
    """
    dialogues = read_records(path)
    out = Path(out)
    part = out.with_name(f".{out.name}.checking")
    key = _key(dialogues, names)
    done = _resume(part, key)
    resumed = len(done)
    progress(resumed, len(dialogues))
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(b"".join(line + b"\n" for line in (key, *map(msgspec.json.encode, done))))
            results = check_dialogues(dialogues, names, processes=processes, start=resumed)
            for checked in results if resumed < len(dialogues) else ():
                file.write(msgspec.json.encode(checked) + b"\n")
                done.append(checked)
                if len(done) % CHUNK == 0 or len(done) == len(dialogues):
                    file.flush()
                    progress(len(done), len(dialogues))
    except OSError as error:
        raise DataError(f"cannot be written ({error.strerror})", file=out) from error
    write_findings(out, done)
    part.unlink(missing_ok=True)
    return Run(dialogues, done, resumed)


def load(names: ModelNames) -> Models:
    """Load the models that are named."""
    return Models(
        default_classifier(),
        None if names.encoder is None else SentenceEncoder(names.encoder),
        None if names.language_model is None else LanguageModel(names.language_model),
    )


def _key(dialogues: Iterable[Dialogue], names: ModelNames) -> bytes:
    """Return what must be equal for a run to go on: input, models, version and thresholds."""
    digest = hashlib.sha256(repr((__version__, names, default_classifier() is None)).encode())
    digest.update(repr(sorted((k, v) for k, v in vars(thresholds).items() if k.isupper())).encode())
    for dialogue in dialogues:
        digest.update(msgspec.json.encode(dialogue))
    return digest.hexdigest().encode()


def _resume(part: Path, key: bytes) -> list[Checked]:
    """Read the whole lines of an interrupted run of the same key."""
    try:
        first, *lines = part.read_bytes().split(b"\n")[:-1]
    except (OSError, ValueError):
        return []
    if first != key:
        return []
    done = []
    for line in lines:
        try:
            done.append(msgspec.json.decode(line, type=Checked))
        except UNDECODABLE:
            break
    return done


_models = Models()


def _prepare(names: ModelNames, threads: int) -> None:
    """Load the models in a process of the pool."""
    global _models
    if names.encoder or names.language_model:
        import torch

        torch.set_num_threads(threads)
    _models = load(names)


def _check_one(dialogue: Dialogue) -> Checked:
    checked = check_dialogue(dialogue, _models)
    if isinstance(_models.encode, SentenceEncoder):
        _models.encode.forget_when_full()
    return checked


@contextmanager
def _checked(
    dialogues: Sequence[Dialogue], names: ModelNames, processes: int
) -> Iterator[Iterator[Checked]]:
    if processes == 1 or len(dialogues) <= CHUNK:
        _prepare(names, processes)
        yield map(_check_one, dialogues)
        return
    # Spawned, not forked: forking a process that has threads (torch, servers) may hang.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _prepare, (names, 1))
    try:
        yield pool.map(_check_one, dialogues, chunksize=4 if names.language_model else 16)
    finally:
        pool.shutdown(cancel_futures=True)
