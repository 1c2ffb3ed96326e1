"""Word lists, one word a line, written for this project."""

from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=8)
def words_in(name: str) -> tuple[str, ...]:
    """Return the words of `NAME.txt` in this folder."""
    text = (resources.files("verification.lists") / f"{name}.txt").read_text("utf-8")
    return tuple(text.split())
