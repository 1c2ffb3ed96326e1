"""What the model is told for each kind of message: four texts in files that may be replaced."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path
from string import Template

import msgspec

from photochat.errors import DataError

KNOWN = ("photo", "talk")  # what a prompt may name: $photo and $talk


class Prompts(msgspec.Struct, frozen=True):
    """A prompt for each kind of message, in the order of a talk.

    `question` is the one that is not told the facts: B cannot ask about what only A knows.
    """

    opening: str
    question: str
    answer: str
    reaction: str

    @property
    def fingerprint(self) -> str:
        """Return a hash of the texts, kept with each dialogue that they made."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


def read_prompts(folder: str | Path | None = None) -> Prompts:
    """Read `opening.txt`, `question.txt`, `answer.txt`, `reaction.txt`; without a folder, ours.

    Raises:
        DataError: one is missing, empty, or names something that is not known.
    """
    texts = {}
    for name in Prompts.__struct_fields__:
        if folder is None:
            source = files("collection.synthetic").joinpath("prompts", f"{name}.txt")
            texts[name] = source.read_text(encoding="utf-8")
        else:
            texts[name] = _read(Path(folder) / f"{name}.txt", name)
    return Prompts(**texts)


def filled(prompt: str, *, photo: str, talk: str) -> str:
    """Put the facts of the photo and the talk so far in a prompt's places."""
    return Template(prompt).substitute(photo=photo, talk=talk).strip()


def _read(path: Path, name: str) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DataError(
            "no such prompt: a folder of prompts holds opening.txt, question.txt, answer.txt and "
            "reaction.txt",
            file=path,
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read as a prompt ({error})", file=path) from error
    if not text.strip():
        raise DataError("is empty: write what the model is to do", file=path)
    try:
        Template(text).substitute(photo="", talk="")
    except (KeyError, ValueError) as error:
        raise DataError(
            f"names what is not known ({error}): write $photo, $talk, and $$ for a dollar",
            file=path,
        ) from error
    if name == "question" and "$photo" in text.replace("{", ""):
        raise DataError("B has not seen the photo: leave $photo out", file=path)
    return text
