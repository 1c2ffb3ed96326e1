"""The photo retrieval task (section 5): given the turns before a share, which photo comes?

The gallery is the photos of a split; a dialogue that shares one of them by name is a query.
Nothing from the photo on is ever looked at, but for who shares it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import msgspec

from photochat.dialogue import Dialogue, Utterance, merge_turns, photo_keys


class GalleryPhoto(msgspec.Struct, frozen=True):
    """A photo to be found. `photo_id` names its picture, see `photochat.images.image_path`.

    `key` is the id, or the URL where none is known (`photo_keys`): equal just for the same photo.
    `persona` is (relationship, name) of who is on it; the name recurs in the dialogue, so a model
    that reads it is told the answer.
    """

    key: str
    photo_id: str | None
    labels: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    persona: tuple[str, ...] = ()


class Query(msgspec.Struct, frozen=True):
    """What was said before a share, consecutive messages of a speaker merged; may be nothing.

    `photo` is the index of the photo that came.
    """

    dialogue_id: int
    turns: tuple[Utterance, ...]
    sharer: int
    photo: int


class RetrievalExamples(msgspec.Struct, frozen=True):
    """A gallery, the queries on it, and how many dialogues gave no query, by reason.

    `identities` name who is on each photo, where that is known: every photo of an identity is right
    for queries about it.
    """

    photos: tuple[GalleryPhoto, ...]
    queries: tuple[Query, ...]
    left_out: dict[str, int] = {}
    identities: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.queries)

    @property
    def fingerprint(self) -> str:
        """Return a hash of all that a model sees: equal for equal examples in equal order."""
        seen = (self.photos, self.queries, *((self.identities,) if self.identities else ()))
        return hashlib.sha256(msgspec.json.encode(seen)).hexdigest()[:16]


def retrieval_examples(
    dialogues: Sequence[Dialogue], *, limit: int | None = None
) -> RetrievalExamples:
    """Make gallery and queries of dialogues, those that BM25 is measured on (`evaluate_bm25`).

    Dialogues without a photo turn, or whose photo is not named, give no query; a named photo
    stays in the gallery. A photo whose dialogues list different labels has the labels of the
    first. `limit` takes the first dialogues alone.
    """
    asked = dialogues[:limit]
    photos: list[GalleryPhoto] = []
    place: dict[str, int] = {}
    queries: list[Query] = []
    left_out: Counter[str] = Counter()
    for key, dialogue in zip(photo_keys(asked), asked, strict=True):
        if key and key not in place:
            place[key] = len(photos)
            photos.append(_photo(key, dialogue))
        sharer = dialogue.sharer
        if sharer is None:
            left_out["no photo turn"] += 1
        elif not key:
            left_out["no photo named"] += 1
        else:
            turns = merge_turns(dialogue.before_share)
            queries.append(Query(dialogue.dialogue_id, turns, sharer, place[key]))
    return RetrievalExamples(tuple(photos), tuple(queries), dict(left_out))


def first_queries(examples: RetrievalExamples, limit: int | None) -> RetrievalExamples:
    """Return the first `limit` queries alone, on the photos up to the last that they ask for."""
    if limit is None:
        return examples
    queries = examples.queries[:limit]
    size = max((query.photo + 1 for query in queries), default=0)
    return msgspec.structs.replace(
        examples,
        photos=examples.photos[:size],
        queries=queries,
        identities=examples.identities[:size],
    )


def _photo(key: str, dialogue: Dialogue) -> GalleryPhoto:
    described = dialogue.description
    who = described.persona if described else None
    return GalleryPhoto(
        key,
        dialogue.photo_id or (key if key != dialogue.photo_url else None),
        dialogue.labels,
        dialogue.themes(),
        (who.relationship, who.name) if who else (),
    )
