"""Dialogues and findings as text beside their photo."""

from __future__ import annotations

from pathlib import Path

import pytest

from filtering.conversations import (
    Finding,
    dialogue_text,
    dialogue_texts,
    finding_texts,
    photo_of_dialogue,
    read_findings,
)
from photochat.dialogue import Dialogue, Turn
from photochat.errors import DataError
from photochat.release import read_release
from tests.filtering.pictures import photo

TURNS = (Turn("Hi\nthere", False, 1), Turn("look", True, 0), Turn("Wow", False, 1))


def dialogue(number: int, photo_id: str | None = None, url: str = "") -> Dialogue:
    return Dialogue(TURNS, number, "", url, photo_id)


def test_a_dialogue_reads_as_one_line_a_turn() -> None:
    """Who speaks first is A; a share is said; a line break in a message makes no new turn."""
    assert dialogue_text(dialogue(1)) == "A: Hi there\nB: [shares the photo] look\nA: Wow"


def test_dialogues_find_their_photo_by_id_or_url() -> None:
    """An id counts first; without one the URL does; those about other photos are counted."""
    photos = [photo(1), photo(2)]
    assert photos[1].url is not None
    pairs = photo_of_dialogue(
        [dialogue(5, photos[0].photo_id), dialogue(6, url=photos[1].url), dialogue(7, "test/9"),
         dialogue(8, photos[0].photo_id)],
        photos,
    )  # fmt: skip
    said = dialogue_texts(pairs)
    assert {key: [text.splitlines()[0] for text in texts] for key, texts in said.texts.items()} == {
        photos[0].photo_id: ["Dialogue 5", "Dialogue 8"],
        photos[1].photo_id: ["Dialogue 6"],
    }
    assert said.elsewhere == 1


def test_findings_go_to_the_photo_of_their_dialogue() -> None:
    """A finding is a sentence at the photo; one on a dialogue that is not there is counted."""
    one = photo(1)
    pairs = photo_of_dialogue([dialogue(5, one.photo_id)], [one])
    findings = [
        Finding(5, "typos", "minor", "'teh'", turn=2, score=0.5),
        Finding(99, "typos", "minor", "'teh'"),
    ]
    found = finding_texts(findings, pairs)
    assert found.texts == {one.photo_id: ["Dialogue 5, turn 3: typos, minor: 'teh' (score 0.50)"]}
    assert found.elsewhere == 1


def test_findings_are_read_line_by_line(tmp_path: Path) -> None:
    """Optional fields may lack, further ones are passed over, and a bad line is named."""
    path = tmp_path / "findings.jsonl"
    good = '{"dialogue_id": 1, "check": "c", "severity": "s", "message": "m", "extra": 1}\n'
    path.write_text(f"{good}\n{good}")
    assert read_findings(path) == [Finding(1, "c", "s", "m")] * 2
    path.write_text(good + '{"dialogue_id": "one"}\n')
    with pytest.raises(DataError, match=r"findings.jsonl: line 2: .*dialogue_id"):
        read_findings(path)
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(DataError, match="line 1"):
        read_findings(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_findings(tmp_path / "none.jsonl")


def test_the_published_dialogues_find_the_photos_their_authors_chose(real_photochat: Path) -> None:
    """The three photos of dev_01 that stand in the real boxes get their dialogues."""
    ids = ("10dc868dcca25738", "a27ac6eda69cdbfa", "a350fd1b187d4244")
    dialogues = read_release(real_photochat / "dev" / "dev_01.json").dialogues
    chosen = [one.photo_id for one in dialogues if one.photo_id and one.photo_id[-16:] in ids]
    photos = [
        photo(number, photo_id=photo_id) for number, photo_id in enumerate(sorted(set(chosen)))
    ]
    said = dialogue_texts(photo_of_dialogue(dialogues, photos))
    assert len(said.texts) == 3
    assert sum(map(len, said.texts.values())) + said.elsewhere == len(dialogues) == 500
    assert all("[shares the photo]" in text for texts in said.texts.values() for text in texts)
