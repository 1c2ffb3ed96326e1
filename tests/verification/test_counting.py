"""Which votes count."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from verification.counting import sift
from verification.votes import VERDICTS, Vote

NOON = datetime(2026, 11, 3, 12, tzinfo=timezone.utc)
LATER = NOON + timedelta(hours=1)
VOTES = st.builds(
    Vote,
    dialogue_id=st.integers(0, 4),
    reviewer=st.sampled_from(["ann", "bob"]),
    verdict=st.sampled_from(VERDICTS),
    at=st.sampled_from([None, NOON, LATER]),
)


@given(st.lists(VOTES))
def test_each_reviewer_counts_once_and_every_vote_is_accounted_for(votes):
    found = sift(votes, {0, 1, 2})
    places = [(vote.dialogue_id, vote.reviewer) for vote in found.votes]
    assert len(places) == len(set(places))
    left = found.unknown + found.repeated + found.changed + found.contradictory
    assert len(found.votes) + left == len(votes)


def test_the_later_of_two_contradictory_votes_counts():
    votes = [Vote(1, "ann", "accept", at=LATER), Vote(1, "ann", "reject", at=NOON)]
    found = sift(votes, {1})
    assert [vote.verdict for vote in found.votes] == ["accept"]
    assert found.changed == 1


def test_contradictory_votes_without_times_do_not_count():
    found = sift([Vote(1, "ann", "accept"), Vote(1, "ann", "reject", at=NOON)], {1})
    assert (found.votes, found.contradictory) == ([], 2)


def test_a_vote_said_twice_counts_once_with_all_its_reasons():
    votes = [Vote(1, "ann", "reject", ("typos",)), Vote(1, "ann", "reject", ("unnatural",))]
    found = sift(votes, {1})
    assert found.votes == [Vote(1, "ann", "reject", ("unnatural", "typos"))]
    assert found.repeated == 1


def test_votes_on_unknown_dialogues_are_named():
    found = sift([Vote(9, "ann", "accept"), Vote(9, "bob", "accept"), Vote(7, "a", "reject")], {1})
    assert (found.votes, found.unknown, found.unknown_items) == ([], 3, [7, 9])
