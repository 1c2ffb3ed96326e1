"""What a query and a photo say, in words: whose utterances, how many turns, which labels."""

from __future__ import annotations

from collections.abc import Sequence

from modeling.retrieval.examples import GalleryPhoto, Query
from modeling.retrieval.settings import Speakers
from photochat.dialogue import Utterance


def said(
    query: Query, speakers: Speakers = "sharer", last_turns: int | None = None
) -> tuple[Utterance, ...]:
    """Return the turns that a model reads: of the newest `last_turns`, the sharer's or all."""
    turns = query.turns if last_turns is None else query.turns[-last_turns:]
    if speakers == "all":
        return turns
    return tuple(turn for turn in turns if turn.user_id == query.sharer)


def shown(photo: GalleryPhoto, persona: bool = False) -> str:
    """Return the photo's labels as text, "Man, Cake"; with `persona`, who is on it in front."""
    return ", ".join(
        (*((" ".join(photo.persona),) if persona and photo.persona else ()), *photo.labels)
    )


def words_of(turns: Sequence[Utterance]) -> int:
    """Return the number of words, as Table 1 counts them."""
    return sum(len(turn.text.split()) for turn in turns)
