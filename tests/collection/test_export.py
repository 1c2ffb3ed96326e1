"""From a conversation over sockets to a file that the rest of the toolkit reads."""

from __future__ import annotations

import pytest

from collection.export import export, pseudonym
from photochat.errors import DataError
from photochat.records import read_records
from photochat.validation import UNREADABLE, validate

KEY = "a key that only tests know"


@pytest.fixture
def collected(serve, tmp_path):
    """One complete dialogue, one abandoned after a word, one without a word, one going on."""
    server = serve(rules={"min_turns_before_share": 1})
    first, second = server.pair("anna", "ben")
    first.say("guess what I have here")
    second.say("a cake? naïve 🎂", pasted=True)
    assert first.share()["ok"]
    assert second.finish()["ok"]
    first.submit(comments="fine")
    for one, another, word in (("carla", "dan", "hello"), ("emil", "fay", None)):
        sharer, receiver = server.pair(one, another)
        if word:
            sharer.say(word)
        receiver.ask("choose", {"choice": "leave"})
    server.pair("gus", "hana")[0].say("still here")
    return f"sqlite:///{tmp_path}/chat.db"


def test_everything_is_written_or_counted(collected, tmp_path):
    """Complete, not complete, without a word, still going on."""
    result = export(collected, tmp_path / "raw.jsonl", key=KEY)
    assert (result.dialogues, result.complete, result.incomplete) == (2, 1, 1)
    assert (result.left_out, result.without_words, result.live) == (2, 1, 1)
    only = export(collected, tmp_path / "complete.jsonl", key=KEY, only_complete=True)
    assert (only.dialogues, only.not_complete) == (1, 1)


def test_the_release_reads_it(collected, tmp_path):
    """Turns, share, description, and everything beyond the layout in keys of its own."""
    out = tmp_path / "raw.jsonl"
    export(collected, out, key=KEY)
    whole, broken = read_records(out)
    assert [turn.message for turn in whole.turns] == [
        "guess what I have here",
        "a cake? naïve 🎂",
        "",
    ]
    assert (whole.share_index, whole.sharer, whole.turns[0].user_id) == (2, 0, 0)
    assert whole.description is not None
    assert whole.photo_id.startswith("train/")
    notes = whole.extra["collection"]
    assert notes["complete"] is True
    assert [w["role"] for w in notes["workers"]] == ["sharer", "receiver"]
    assert notes["workers"][0]["survey"] == {"natural": 4, "comments": "fine"}
    assert all("at" in turn.extra for turn in whole.turns)
    assert ["pasted" in turn.extra for turn in whole.turns] == [False, True, False]
    assert broken.extra["collection"]["cause"] == "left"
    assert UNREADABLE not in validate(out).counts


def test_no_worker_id_is_in_it(collected, tmp_path):
    """Pseudonyms are the same under one key, others under another."""
    out = tmp_path / "raw.jsonl"
    export(collected, out, key=KEY)
    text = out.read_text()
    assert not any(name in text for name in ("anna", "ben", "carla"))
    assert pseudonym(KEY.encode(), "anna") in text
    assert pseudonym(KEY.encode(), "anna") != pseudonym(b"another key", "anna")
    before = out.read_bytes()
    export(collected, out, key=KEY)
    assert out.read_bytes() == before


def test_what_is_not_there_is_said(tmp_path, collected):
    """No file, no such campaign: one line, and no file made."""
    with pytest.raises(DataError, match="no such database"):
        export(f"sqlite:///{tmp_path}/none.db", tmp_path / "x.jsonl", key=KEY)
    with pytest.raises(DataError, match="it has: photochat"):
        export(collected, tmp_path / "x.jsonl", key=KEY, campaign="other")
    assert not (tmp_path / "x.jsonl").exists()
    assert not (tmp_path / "none.db").exists()
