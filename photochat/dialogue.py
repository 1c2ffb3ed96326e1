"""A photo-sharing dialogue as published: who said what, and when the photo was shared.

Decoding JSON into these classes is validating it. Everything that counts turns, merges messages or
asks who shares goes through this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec

from photochat.description import Description, parse_description
from photochat.themes import Theme, themes_of

MIN_TURNS_BEFORE_SHARE = 5  # section 3.2: no sharing until the turns of both reach five
MAX_MESSAGE_CHARS = 10_000  # ours: the longest published message has 289 characters

# Keys of a record that the layout does not know are kept in one field, under a name that no file
# holds in good faith, so that a key called "extra" is kept like any other.
_EXTRA = "<keys beyond the layout>"


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One message, or the act of sharing the photo (`share_photo`, with an empty message)."""

    message: Annotated[str, msgspec.Meta(max_length=MAX_MESSAGE_CHARS)]
    share_photo: bool
    user_id: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
    extra: dict[str, Any] | None = msgspec.field(default=None, name=_EXTRA)


class Utterance(msgspec.Struct, frozen=True, gc=False):
    """Consecutive messages of one speaker taken as one turn (the paper's turn*, Table 1)."""

    user_id: int
    text: str


class Dialogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A dialogue about one photo. Fields are the published keys; `turns` is called `dialogue`.

    `photo_id` is `<Open Images subset>/<image id>`; half of the published files lack it. `extra`
    holds keys beyond the published ones, so that reading and writing loses nothing.
    """

    turns: Annotated[tuple[Turn, ...], msgspec.Meta(min_length=1)] = msgspec.field(name="dialogue")
    dialogue_id: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
    photo_description: Annotated[str, msgspec.Meta(max_length=MAX_MESSAGE_CHARS)]
    photo_url: Annotated[str, msgspec.Meta(max_length=MAX_MESSAGE_CHARS)]
    photo_id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_MESSAGE_CHARS)] | None = None
    extra: dict[str, Any] | None = msgspec.field(default=None, name=_EXTRA)

    @property
    def description(self) -> Description | None:
        """What the sharer was told of the photo; None when the text is not of the known form."""
        return parse_description(self.photo_description)

    @property
    def labels(self) -> tuple[str, ...]:
        """The photo's object labels as the release spells them; empty when unreadable."""
        description = self.description
        return description.objects if description else ()

    def themes(self, *, as_published: bool = False) -> tuple[Theme, ...]:
        """Return the themes that the photo's labels belong to (see `themes_of`)."""
        return themes_of(self.labels, as_published=as_published)

    @property
    def share_index(self) -> int | None:
        """Index of the first photo turn; None when no photo is shared.

        A few published dialogues have two or three photo turns: the first counts.
        """
        return next((i for i, turn in enumerate(self.turns) if turn.share_photo), None)

    @property
    def sharer(self) -> int | None:
        """The user who shares the photo; None when nobody does."""
        index = self.share_index
        return None if index is None else self.turns[index].user_id

    @property
    def before_share(self) -> tuple[Turn, ...]:
        """The turns before the photo; all of them when no photo is shared."""
        return self.turns[: self.share_index]

    @property
    def without_share(self) -> tuple[Turn, ...]:
        """All turns but the first photo turn: what Table 1 counts."""
        index = self.share_index
        if index is None:
            return self.turns
        return self.turns[:index] + self.turns[index + 1 :]


def without_extra(dialogue: Dialogue) -> Dialogue:
    """Return the dialogue with the published keys alone."""
    turns = tuple(msgspec.structs.replace(turn, extra=None) for turn in dialogue.turns)
    return msgspec.structs.replace(dialogue, turns=turns, extra=None)


def merge_turns(turns: Iterable[Turn]) -> tuple[Utterance, ...]:
    """Join consecutive messages of one speaker with a space, as section 4 does for turn*."""
    merged: list[Utterance] = []
    texts: list[str] = []
    speaker: int | None = None
    for turn in turns:
        if turn.user_id != speaker and speaker is not None:
            merged.append(Utterance(speaker, " ".join(texts)))
            texts = []
        speaker = turn.user_id
        texts.append(turn.message)
    if speaker is not None:
        merged.append(Utterance(speaker, " ".join(texts)))
    return tuple(merged)


def photo_keys(dialogues: Sequence[Dialogue]) -> list[str]:
    """Return one key per dialogue, equal for two dialogues just when they share the same photo.

    Part of the published files has ids and part has only URLs, so a URL that stands beside an id
    anywhere in `dialogues` stands for that id. Ids that share a URL are one photo, whose key is the
    least of them. A dialogue with neither has the key "".
    """
    id_of_url: dict[str, str] = {}
    lesser: dict[str, str] = {}

    def least(photo_id: str) -> str:
        while photo_id in lesser:
            photo_id = lesser[photo_id]
        return photo_id

    for dialogue in dialogues:
        photo_id, url = dialogue.photo_id, dialogue.photo_url
        if photo_id and url:
            here, there = least(photo_id), least(id_of_url.setdefault(url, photo_id))
            if here != there:
                lesser[max(here, there)] = min(here, there)
    return [least(d.photo_id or id_of_url.get(d.photo_url) or d.photo_url) for d in dialogues]
