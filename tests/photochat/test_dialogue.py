"""What a dialogue knows of itself: who shares, what stands before, how turns merge."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from photochat.dialogue import Turn, merge_turns, photo_keys
from tests.conftest import make_dialogue

turns = st.builds(
    Turn, message=st.text(max_size=8), share_photo=st.just(False), user_id=st.integers(0, 2)
)


def test_the_first_of_several_photo_turns_counts():
    dialogue = make_dialogue("0:a 1:b 0:* 1:* 0:c")
    assert dialogue.share_index == 2
    assert dialogue.sharer == 0
    assert [turn.message for turn in dialogue.before_share] == ["a", "b"]
    assert len(dialogue.without_share) == 4


def test_without_a_photo_turn_everything_stands_before():
    dialogue = make_dialogue("0:a 1:b")
    assert dialogue.share_index is None
    assert dialogue.sharer is None
    assert dialogue.before_share == dialogue.without_share == dialogue.turns


def test_consecutive_messages_merge_with_a_space():
    merged = merge_turns(make_dialogue("0:a 0:b 1:c 0:d").turns)
    assert [(part.user_id, part.text) for part in merged] == [(0, "a b"), (1, "c"), (0, "d")]


@given(st.lists(turns))
def test_merging_keeps_all_text_and_alternates_speakers(turns):
    merged = merge_turns(turns)
    assert all(a.user_id != b.user_id for a, b in itertools.pairwise(merged))
    assert " ".join(part.text for part in merged) == " ".join(turn.message for turn in turns)
    assert {part.user_id for part in merged} == {turn.user_id for turn in turns}


def test_labels_and_themes_come_from_the_description():
    dialogue = make_dialogue(labels="Man, Cake", persona="dad Mark")
    assert dialogue.labels == ("Man", "Cake")
    assert dialogue.themes() == ("people", "food")
    assert dialogue.description.persona.name == "Mark"


def test_a_photo_is_the_same_by_id_or_by_address():
    with_id = make_dialogue(photo="a", photo_id="train/1")
    same_address = make_dialogue(photo="a")
    moved = make_dialogue(photo="a2", photo_id="train/1")
    other = make_dialogue(photo="b")
    nameless = make_dialogue(photo="")
    keys = photo_keys([same_address, with_id, moved, other, nameless])
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert keys[4] == ""


def test_ids_that_share_an_address_are_one_photo_in_whatever_order():
    chain = [
        make_dialogue(photo="a", photo_id="train/2"),
        make_dialogue(photo="a", photo_id="train/1"),
        make_dialogue(photo="b", photo_id="train/2"),
        make_dialogue(photo="b", photo_id="train/3"),
        make_dialogue(photo="b"),
    ]
    for order in itertools.permutations(chain):
        assert set(photo_keys(order)) == {"train/1"}
