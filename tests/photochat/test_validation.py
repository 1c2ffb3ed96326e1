"""Each kind of problem is found where it stands, and nowhere else."""

import json

import pytest

from photochat.records import as_record
from photochat.release import write_release
from photochat.validation import KINDS, UNREADABLE, findings, validate
from tests.conftest import BROKEN, SAMPLE, make_dialogue

CLEAN = "0:a 1:b 0:c 1:d 0:e 0:* 1:f"


def kinds(dialogue):
    return [(kind, turn) for kind, turn, _, _ in findings(dialogue)]


@pytest.mark.parametrize(
    ("dialogue", "expected"),
    [
        (make_dialogue(CLEAN, photo_id="train/1"), []),
        (make_dialogue("0:a 1:b", photo_id="t/1"), [("no-share", None)]),
        (make_dialogue("0:a 1:b 0:c 1:d 0:e 0:* 0:* 1:f", photo_id="t/1"), [("several-shares", 6)]),
        (
            make_dialogue("0:a 1:b 0:c 1:d 0:e 0:* 1:* 1:f", photo_id="t/1"),
            [("several-shares", 6), ("two-sharers", 6)],
        ),
        (make_dialogue("0:* 1:b", photo_id="t/1"), [("share-first", 0)]),
        (make_dialogue("0:a 1:b 0:c 1:d 0:* 1:f", photo_id="t/1"), [("early-share", 4)]),
        (make_dialogue("0:a 1:b 0:c 1:d 0:e 0:*", photo_id="t/1"), [("share-last", 5)]),
        (make_dialogue("0:a 0:b 0:c 0:d 0:e 0:* 0:f", photo_id="t/1"), [("one-sided", None)]),
        (make_dialogue("0:a 1:b 0:c 7:d 0:e 0:* 1:f", photo_id="t/1"), [("stranger", 3)]),
        (make_dialogue("0:a 1:_ 0:c 1:d 0:e 0:* 1:f", photo_id="t/1"), [("empty-message", 1)]),
        (make_dialogue("0:a 1:&amp; 0:& 1:d 0:e 0:* 1:f", photo_id="t/1"), [("markup", 1)]),
        (make_dialogue(CLEAN), [("no-photo-id", None)]),
        (make_dialogue(CLEAN, photo_id="../etc"), [("odd-photo-id", None)]),
        (make_dialogue(CLEAN, photo="", photo_id="t/1"), [("odd-photo-url", None)]),
        (make_dialogue(CLEAN, labels="", photo_id="t/1"), [("no-objects", None)]),
        (make_dialogue(CLEAN, labels="Cat, pájaros", photo_id="t/1"), [("odd-label", None)]),
        (make_dialogue(CLEAN, labels="horses", photo_id="t/1"), [("odd-label", None)]),
        (make_dialogue(CLEAN, labels="Cat, Cat", photo_id="t/1"), [("repeated-label", None)]),
    ],
)
def test_each_finding_is_named_with_its_turn(dialogue, expected):
    assert kinds(dialogue) == expected


def test_the_sample_is_clean_but_for_photos_that_stand_last():
    result = validate(SAMPLE)
    assert result.dialogues == 128
    assert result.counts == {"share-last": 4}


def test_broken_records_are_listed_not_hidden():
    result = validate(BROKEN)
    assert result.counts[UNREADABLE] == result.unreadable_records == 28
    assert all(problem.file == str(BROKEN) for problem in result.problems)


def test_what_stands_between_dialogues(tmp_path):
    first = make_dialogue(CLEAN, dialogue_id=1, photo="a", photo_id="t/1")
    write_release(
        {
            "train": [first, first, make_dialogue(CLEAN, dialogue_id=2, photo="b", photo_id="t/1")],
            "dev": [make_dialogue(CLEAN + " 0:x", dialogue_id=3, photo="a", photo_id="t/1")],
            "test": [
                make_dialogue(CLEAN + f" 0:{i}", dialogue_id=i, photo="c", photo_id="t/3")
                for i in (4, 5)
            ],
        },
        tmp_path / "r",
    )
    assert validate(tmp_path / "r").counts == {
        "repeated-id": 1,
        "repeated-dialogue": 2,
        "id-of-two-photos": 1,
        "photo-in-two-splits": 4,
        "photo-repeated": 1,
    }


def test_unknown_keys_are_said(tmp_path):
    record = as_record(make_dialogue(CLEAN, photo_id="t/1"))
    record["mood"] = "good"
    record["dialogue"][2]["at"] = 1
    (tmp_path / "x.jsonl").write_text(json.dumps(record))
    found = validate(tmp_path / "x.jsonl").problems
    assert [(p.kind, p.field, p.message) for p in found] == [
        ("unknown-key", "mood", "in 1 dialogues"),
        ("unknown-key", "at", "in 1 turns"),
    ]


def test_the_published_quirks_are_listed(real_photochat):
    result = validate(real_photochat)
    assert result.dialogues == 1500
    no_share = [p.dialogue_id for p in result.problems if p.kind == "no-share"]
    assert no_share == [161, 179]
    assert result.counts["several-shares"] == 5
    assert result.counts["no-photo-id"] == 1000
    assert UNREADABLE not in result.counts
    assert any("pájaros" in p.message for p in result.problems if p.kind == "odd-label")
    assert list(result.counts) == [kind for kind in KINDS if kind in result.counts]
