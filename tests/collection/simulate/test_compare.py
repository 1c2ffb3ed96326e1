"""The comparison finds what is missing, doubled, reordered or changed, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection.simulate.compare import (
    Comparison,
    Facts,
    Record,
    Turn,
    Worker,
    compare,
    read_export,
)
from collection.simulate.diary import Diary, Entry, Kind, read_diary
from photochat.errors import DataError


def talk(length: int = 8) -> tuple[list[Entry], Record]:
    """A conversation as both sides wrote it down, and the same as exported."""
    entries: list[Entry] = []
    turns = []
    for number in range(length):
        side, seq = number % 2, number + 2
        name, text = ("share", "") if number == 5 else ("say", f"message {number}")
        client_id = f"c{number}"
        facts: dict[str, Any] = {"conversation": 1, "name": name, "client_id": client_id}
        entries += [
            entry("sent", side, text=text or None, **facts),
            entry("acked", side, seq=seq, **facts),
            entry("heard", side, seq=seq, text=text or None, by="you", **facts),
            entry("heard", 1 - side, conversation=1, name=name, seq=seq, text=text or None),
        ]
        turns.append(Turn(text, name == "share", side, seq, client_id))
    for side in (0, 1):
        entries.append(entry("acked", side, conversation=1, name="submit"))
    entries.append(entry("acked", 0, conversation=1, name="finish", seq=length + 2))
    workers = (Worker(0, {"natural": 4}), Worker(1, {}))
    return entries, Record(tuple(turns), 1, Facts(True, workers))


def entry(kind: Kind, side: int, **facts: Any) -> Entry:
    return Entry(kind, 0.0, f"worker {side}", **facts)


def counts(result: Comparison) -> dict[str, int]:
    names = ("lost", "doubled", "reordered", "changed")
    return {name: getattr(result, name) for name in names if getattr(result, name)}


def with_turns(record: Record, turns: list[Turn]) -> Record:
    return msgspec.structs.replace(record, dialogue=tuple(turns))


def test_an_export_of_what_was_said_is_clean() -> None:
    """Eight turns, all there."""
    entries, record = talk()
    result = compare(entries, [record])
    assert result.is_clean
    assert (result.conversations, result.acknowledged, result.heard) == (1, 11, 16)


@given(st.integers(0, 7))
def test_a_missing_message_is_lost(number: int) -> None:
    """Wherever it stood."""
    entries, record = talk()
    turns = [turn for place, turn in enumerate(record.dialogue) if place != number]
    found = compare(entries, [with_turns(record, turns)])
    assert found.lost
    assert set(counts(found)) == {"lost"}


@given(st.integers(0, 7), st.integers(0, 7))
def test_a_message_that_stands_twice_is_doubled(number: int, place: int) -> None:
    """With the same seq beside it, or with another at the end."""
    entries, record = talk()
    twice = list(record.dialogue)
    twice.insert(number, twice[number])
    assert compare(entries, [with_turns(record, twice)]).doubled
    again = msgspec.structs.replace(record.dialogue[place], seq=20)
    assert compare(entries, [with_turns(record, [*record.dialogue, again])]).doubled


@given(st.permutations(range(8)))
def test_any_other_order_is_reordered(order: list[int]) -> None:
    """Whether the seqs move with the messages or not."""
    entries, record = talk()
    moved = [record.dialogue[place] for place in order]
    renumbered = [msgspec.structs.replace(turn, seq=seq) for seq, turn in enumerate(moved, start=2)]
    is_same = list(order) == list(range(8))
    assert bool(compare(entries, [with_turns(record, moved)]).reordered) != is_same
    assert bool(compare(entries, [with_turns(record, renumbered)]).reordered) != is_same


def test_other_words_are_changed() -> None:
    """What was sent and delivered must be what is exported."""
    entries, record = talk()
    turns = list(record.dialogue)
    turns[3] = msgspec.structs.replace(turns[3], message="message 3!")
    assert set(counts(compare(entries, [with_turns(record, turns)]))) == {"changed"}


def test_a_message_under_the_wrong_worker_is_changed() -> None:
    """Who said it is part of it."""
    entries, record = talk()
    turns = list(record.dialogue)
    turns[2] = msgspec.structs.replace(turns[2], user_id=1)
    assert compare(entries, [with_turns(record, turns)]).changed


def test_a_missing_conversation_is_lost_with_all_of_it() -> None:
    """Every acknowledged message, the ending, the submissions."""
    entries, _ = talk()
    assert compare(entries, []).lost >= 11


def test_an_acknowledged_end_or_submission_must_be_there() -> None:
    """Without the mark, or without the survey, it is lost."""
    entries, record = talk()
    unfinished = msgspec.structs.replace(
        record, collection=msgspec.structs.replace(record.collection, complete=False)
    )
    assert compare(entries, [unfinished]).lost
    workers = (Worker(0, {"natural": 4}), Worker(1, None))
    not_submitted = msgspec.structs.replace(record, collection=Facts(True, workers))
    assert compare(entries, [not_submitted]).lost == 1


def test_what_was_delivered_but_not_acknowledged_must_be_there_too() -> None:
    """The partner has read it."""
    entries, record = talk()
    unacked = [e for e in entries if not (e.kind == "acked" and e.client_id == "c4")]
    turns = [turn for turn in record.dialogue if turn.client_id != "c4"]
    assert set(counts(compare(unacked, [with_turns(record, turns)]))) == {"lost"}


@pytest.mark.parametrize("arrived", [True, False])
def test_what_was_never_acknowledged_may_be_there_or_not(arrived: bool) -> None:
    """Nobody knows, and nobody was told."""
    entries, record = talk()
    about = {"acked", "heard"}
    unacked = [e for e in entries if not (e.kind in about and e.seq == 9)]
    turns = [turn for turn in record.dialogue if arrived or turn.seq != 9]
    assert compare(unacked, [with_turns(record, turns)]).is_clean


def test_diaries_and_exports_are_read_back(tmp_path: Path) -> None:
    """A line cut off by a crash counts as not written; any other broken line is named."""
    diary = Diary(tmp_path / "bots.jsonl")
    diary.write("sent", "w", conversation=1, name="say", client_id="a", text="hi")
    diary.write("acked", "w", conversation=1, name="say", client_id="a", seq=2)
    diary.close()
    with (tmp_path / "bots.jsonl").open("ab") as file:
        file.write(b'{"kind":"se')
    raw = tmp_path / "raw.jsonl"
    raw.write_bytes(msgspec.json.encode(talk()[1]) + b"\n")
    assert [e.kind for e in read_diary(tmp_path / "bots.jsonl")] == ["sent", "acked"]
    assert list(read_export(raw)) == [talk()[1]]
    raw.write_text("{}\n")
    with pytest.raises(DataError, match="line 1"):
        list(read_export(raw))
    (tmp_path / "bots.jsonl").write_text("x\n{}\n")
    with pytest.raises(DataError, match="line 1"):
        list(read_diary(tmp_path / "bots.jsonl"))
