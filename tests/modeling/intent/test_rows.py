"""Layouts: the newest turns within the limit, and an answer where each turn ends."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from modeling.intent.rows import (
    PADDING_BLOCK,
    TokenTalk,
    collate,
    first_kept,
    once_rows,
    prefix_row,
    windows,
)

turns = st.lists(st.lists(st.integers(10, 99), max_size=12), min_size=1, max_size=8)
HEAD, BETWEEN, END = (np.array([number], np.int32) for number in (1, 2, 3))


def talk_of(turns, first_example=0):
    return TokenTalk(
        [np.array(turn, np.int32) for turn in turns],
        [j % 2 for j in range(len(turns))],
        [0] * (len(turns) - 1) + [1],
        first_example,
    )


def test_a_prefix_is_its_turns_between_marks_with_the_speaker_of_each_token():
    row = prefix_row(talk_of([[10], [11, 12], [13]]), 1, 99, head=HEAD, between=BETWEEN, end=END)
    assert row.ids.tolist() == [1, 10, 2, 11, 12, 3]
    assert row.segments.tolist() == [0, 0, 0, 1, 1, 1]
    assert (row.labels.tolist(), row.examples.tolist()) == ([0], [1])


@given(turns, st.integers(4, 40), st.data())
def test_a_prefix_keeps_its_newest_tokens_and_as_many_whole_turns_as_fit(given_turns, limit, data):
    last = data.draw(st.integers(0, len(given_turns) - 1))
    row = prefix_row(talk_of(given_turns), last, limit, head=HEAD, between=BETWEEN, end=END)
    assert len(row.ids) <= limit
    kept = row.ids[1:-1].tolist()

    def joined(first):
        return [t for j in range(first, last + 1) for t in (*given_turns[j], 2)][:-1]

    fitting = [first for first in range(last + 1) if len(joined(first)) <= limit - 2]
    expected = joined(min(fitting)) if fitting else given_turns[last][-(limit - 2) :]
    assert kept == expected


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 30))
def test_windows_hold_every_prefix_once_with_just_the_turns_it_keeps_alone(sizes, room):
    found = windows(sizes, room)
    assert [last for _, lasts in found for last in lasts] == list(range(len(sizes)))
    for first, lasts in found:
        assert all(first == first_kept(sizes, last, room) for last in lasts)


@given(turns, st.integers(6, 60), st.sampled_from([0, -1]))
def test_a_talk_read_once_answers_each_turn_once_at_its_mark(given_turns, limit, read_at):
    """Turns come with a mark at either end, so none is empty."""
    blocks = [np.array([7, *turn, 8], np.int32) for turn in given_turns]
    rows = once_rows(talk_of(given_turns, 5), limit, start=HEAD, blocks=blocks, read_at=read_at)
    assert all(len(row.ids) <= limit for row in rows)
    answered = np.concatenate([row.examples for row in rows])
    assert answered.tolist() == list(range(5, 5 + len(given_turns)))
    for row in rows:
        assert (row.ids[row.reads] == (7 if read_at == 0 else 8)).all()
        assert len(set(row.blocks[row.reads])) == len(row.reads)


def test_stacked_rows_say_where_each_answer_stands_and_padding_is_no_ones_turn():
    rows = [
        prefix_row(talk_of([[10], [11]]), last, 99, head=HEAD, between=BETWEEN, end=END)
        for last in (0, 1)
    ]
    batch = collate(rows, pad=0)
    assert batch["ids"].tolist() == [[1, 10, 3, 0, 0], [1, 10, 2, 11, 3]]
    assert batch["mask"].sum(1).tolist() == [3, 5]
    assert batch["blocks"][0, 3:].tolist() == [PADDING_BLOCK] * 2
    assert (batch["rows"].tolist(), batch["labels"].tolist()) == ([0, 1], [0, 1])
