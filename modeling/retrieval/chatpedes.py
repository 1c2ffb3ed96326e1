"""ChatPedes (chat-based person retrieval): pictures of persons with questions and answers on them.

A record is a picture: `id` names the person on it, `file_path` the picture under the folder of
pictures, and `chats` holds its dialogues, or is one. A dialogue is a list of rounds, a round a
question, `{"from": "gpt", "value": ...}`, and its answer, `{"from": "user", ...}`: the layout that
the authors' code reads (github.com/Flame-Chasers/DiaNA, train/main/train/dataset.py). Splits are
the files train_reid.json and test_reid.json of a folder, and val_reid.json where there is one; or
one file whose records name theirs in `split`, as CUHK-PEDES does.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Literal

import msgspec

from modeling.retrieval.examples import GalleryPhoto, Query, RetrievalExamples
from photochat.dialogue import Utterance
from photochat.errors import DataError

SPLITS = {"train": "train", "val": "dev", "test": "test"}
FILE = "{}_reid.json"
HELD_OUT = 20  # every so many of train's identities is dev where the data have none


class _Message(msgspec.Struct):
    speaker: Literal["gpt", "user"] = msgspec.field(name="from")
    value: str


class _Record(msgspec.Struct):
    id: int | str
    file_path: str
    chats: list[list[Any]]
    split: str | None = None


def read_chatpedes(source: Path) -> dict[str, RetrievalExamples]:
    """Read a file, or a folder of a file a split, as retrieval examples: train, dev, test.

    Every photo of a person is right for every dialogue about that person. A round is one turn of
    a query, the question with its answer; a query's id is the place of its record in the file.
    Without a split val, every `HELD_OUT`th person of train, in the order of the file, is dev.

    Raises:
        DataError: a file is missing or of another form; a record has no dialogue, an empty one, or
            a round that is not a question and its answer; a picture comes twice.
    """
    splits: dict[str, list[tuple[Path, int, _Record]]] = {name: [] for name in SPLITS.values()}
    if source.is_dir():
        for name, split in SPLITS.items():
            file = source / FILE.format(name)
            if name != "val" or file.exists():
                splits[split] = [(file, n, record) for n, record in enumerate(_records(file))]
    else:
        for n, record in enumerate(_records(source)):
            if record.split not in SPLITS:
                raise DataError(
                    f"{record.split!r} is no split: expected one of {', '.join(SPLITS)}; or name "
                    f"a folder of {FILE.format('train')} and {FILE.format('test')}",
                    file=source, record=n, field="split",
                )  # fmt: skip
            splits[SPLITS[record.split]].append((source, n, record))
    if not splits["dev"]:
        persons = list(dict.fromkeys(str(record.id) for _, _, record in splits["train"]))
        held = set(persons[HELD_OUT - 1 :: HELD_OUT])
        splits["dev"] = [item for item in splits["train"] if str(item[2].id) in held]
        splits["train"] = [item for item in splits["train"] if str(item[2].id) not in held]
    return {name: _examples(items) for name, items in splits.items()}


def _records(file: Path) -> list[_Record]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[_Record])
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", file=file) from error
    except msgspec.DecodeError as error:
        raise DataError(f"is not a file of ChatPedes' layout ({error})", file=file) from error


def _examples(items: list[tuple[Path, int, _Record]]) -> RetrievalExamples:
    photos: list[GalleryPhoto] = []
    persons: list[str] = []
    queries: list[Query] = []
    seen: set[str] = set()
    for file, n, record in items:
        if record.file_path in seen or not record.file_path:
            problem = "comes a second time" if record.file_path else "names no picture"
            raise DataError(
                f"{record.file_path!r} {problem}", file=file, record=n, field="file_path"
            )
        seen.add(record.file_path)
        place = len(photos)
        photos.append(GalleryPhoto(record.file_path, None))
        persons.append(str(record.id))
        queries += [
            Query(n, tuple(Utterance(0, text) for text in rounds), 0, place)
            for rounds in _dialogues(record.chats, file, n)
        ]
    return RetrievalExamples(tuple(photos), tuple(queries), identities=tuple(persons))


def _dialogues(chats: list[list[Any]], file: Path, record: int) -> list[list[str]]:
    """Return the rounds of each dialogue, a question and its answer in one text."""

    def bad(problem: str) -> DataError:
        return DataError(problem, file=file, record=record, field="chats")

    if not chats or not all(chats):
        raise bad("a dialogue has no rounds: remove it, or the record")
    listed = [chats] if isinstance(chats[0][0], dict) else chats
    found = []
    for chat in listed:
        rounds = []
        for number, said in enumerate(chat, start=1):
            try:
                messages = msgspec.convert(said, list[_Message])
            except msgspec.ValidationError as error:
                raise bad(f"round {number} is no question and answer ({error})") from error
            order = [message.speaker for message in messages]
            if order != ["gpt", "user"]:
                raise bad(
                    f"round {number} is said by {', '.join(order) or 'nobody'}: expected a "
                    "question of gpt and an answer of user"
                )
            texts = [" ".join(message.value.split()) for message in messages]
            if not all(texts):
                raise bad(f"round {number} has an empty question or answer")
            rounds.append(" ".join(texts))
        found.append(rounds)
    return found


def persons_of_one_photo(examples: RetrievalExamples) -> int:
    """Count the persons of whom the gallery has one photo: recall and mAP find only that one."""
    return sum(count == 1 for count in Counter(examples.identities).values())
