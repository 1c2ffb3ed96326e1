"""Queries and gallery of a release: the same that BM25 is measured on, and nothing from the photo
on."""

import msgspec

from modeling.bm25 import evaluate_bm25
from modeling.retrieval.examples import retrieval_examples
from photochat.dialogue import Turn
from photochat.release import Release, SourceFile, read_release
from tests.conftest import SAMPLE, make_dialogue


def test_queries_and_gallery_are_those_of_bm25():
    dialogues = read_release(SAMPLE).dialogues
    examples = retrieval_examples(dialogues)
    peer = evaluate_bm25(Release((SourceFile(SAMPLE, "test", dialogues),)), resamples=1)
    assert (len(examples), len(examples.photos)) == (peer.queries, peer.photos)
    assert examples.left_out == peer.left_out
    labels = {d.dialogue_id: d.labels for d in dialogues}
    assert all(
        set(examples.photos[q.photo].labels) == set(labels[q.dialogue_id]) for q in examples.queries
    )


def test_what_comes_after_the_photo_changes_nothing():
    dialogues = read_release(SAMPLE).dialogues
    changed = [
        msgspec.structs.replace(
            d, turns=(*d.turns[: (d.share_index or 0) + 1], Turn("SECRET", False, 1))
        )
        for d in dialogues
        if d.share_index is not None
    ]
    before = retrieval_examples([d for d in dialogues if d.share_index is not None])
    assert retrieval_examples(changed).fingerprint == before.fingerprint
    first = msgspec.structs.replace(before.queries[0], photo=before.queries[0].photo + 1)
    other = msgspec.structs.replace(before, queries=(first, *before.queries[1:]))
    assert other.fingerprint != before.fingerprint


def test_a_photo_of_two_dialogues_is_one_and_has_the_labels_of_the_first():
    one, two = make_dialogue("0:hi 1:there 0:again 0:*"), make_dialogue("0:hi 1:*")
    dialogues = [
        msgspec.structs.replace(d, photo_id="train/a", photo_description=text)
        for d, text in (
            (one, "The photo has your dad Mark. Objects in the photo: Man, Dog"),
            (two, "Objects in the photo: Cat"),
        )
    ]
    examples = retrieval_examples([*dialogues, make_dialogue("0:hi 1:there")])
    [photo] = [p for p in examples.photos if p.key == "train/a"]
    assert (photo.photo_id, photo.labels, photo.persona) == (
        "train/a",
        ("Man", "Dog"),
        ("dad", "Mark"),
    )
    assert photo.themes == ("people",)
    assert [q.photo for q in examples.queries] == [0, 0]
    assert [q.sharer for q in examples.queries] == [0, 1]
    assert [u.text for u in examples.queries[0].turns] == ["hi", "there", "again"]
    assert examples.left_out == {"no photo turn": 1}
    assert len(retrieval_examples(dialogues, limit=1)) == 1
