"""Who gets what: never more reviewers than wanted, whatever happens in which order."""

from __future__ import annotations

import threading
from collections import Counter

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from photochat.errors import DataError
from tests.conftest import make_dialogue
from verification.review import desk as desks
from verification.review.assignment import gold_is_due
from verification.review.store import Item, open_review, read_all_votes, read_trail, transaction
from verification.review.tables import HELD, VOTED, assignments, items, trail
from verification.votes import Vote

REVIEWERS = ("ann", "bob", "cat")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(REVIEWERS),
        st.sampled_from(["look", "vote", "skip", "undo", "take up", "wait"]),
        st.integers(1, 4),
    ),
    max_size=40,
)


def taken(desk):
    """Return for each dialogue its wanted votes, its counters and its assignments."""
    a = assignments.c
    with desk.database.read() as connection:
        held = Counter(connection.scalars(sa.select(a.dialogue_id).where(a.state == HELD)).all())
        voted = Counter(connection.scalars(sa.select(a.dialogue_id).where(a.state == VOTED)).all())
        rows = connection.execute(sa.select(items).where(~items.c.gold)).all()
    return [(row, held[row.dialogue_id], voted[row.dialogue_id]) for row in rows]


def assert_sound(desk):
    for row, held, voted in taken(desk):
        assert held + voted <= row.wanted, row
        assert (row.votes, row.places) == (voted, row.wanted - held - voted), row


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_whatever_reviewers_do_no_dialogue_has_more_of_them_than_wanted(
    steps, make_desk, tmp_path_factory
):
    url = f"sqlite:///{tmp_path_factory.mktemp('walk')}/review.db"
    desk = make_desk(url, 4, hold=100.0)
    now = 0.0
    for who, what, number in steps:
        now += 10
        if what == "look":
            desks.sheet(desk, who, now)
        elif what == "vote":
            desks.vote(desk, Vote(number, who, "accept"), now)
        elif what == "skip":
            desks.skip(desk, who, number, now)
        elif what == "undo":
            desks.undo(desk, who, number, now)
        elif what == "take up":
            desks.take_up_skipped(desk, who, now)
        else:
            now += 150
        assert_sound(desk)


def test_reviewers_at_once_never_get_more_than_the_overlap(db_url, make_desk):
    """Six reviewers on three pools of connections decide as fast as they can."""
    desk = make_desk(db_url, 30, overlap=2)
    others = [open_review(db_url, [Item(d, 2) for d in desk.dialogues.values()])[0] for _ in "12"]
    problems = []

    def work(number):
        database = (desk.database, *others)[number % 3]
        mine = msgspec.structs.replace(desk, database=database)
        try:
            while (sheet := desks.sheet(mine, f"r{number}", 1.0)).view is not None:
                desks.vote(mine, Vote(sheet.view.dialogue_id, f"r{number}", "accept"), 2.0)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in others:
        database.close()
    assert problems == []
    assert_sound(desk)
    votes = read_all_votes(db_url)
    assert Counter(vote.dialogue_id for vote in votes) == dict.fromkeys(range(1, 31), 2)
    assert len({(vote.dialogue_id, vote.reviewer) for vote in votes}) == 60


def test_a_vote_is_one_however_often_it_comes_and_can_be_changed(db_url, make_desk):
    desk = make_desk(db_url, 2)
    number = desks.sheet(desk, "ann", 10.0).view.dialogue_id
    vote = Vote(number, "ann", "reject", ("typos",), "oh", seconds=500.0)
    assert desks.vote(desk, vote, 15.0) == "counted"
    assert desks.vote(desk, vote, 16.0) == "already"
    assert desks.vote(desk, Vote(number, "ann", "accept", ("typos",)), 17.0) == "changed"
    [kept] = read_all_votes(db_url)
    # No reason stays with an accept, and no time is longer than since it was shown.
    assert (kept.verdict, kept.reasons, kept.seconds) == ("accept", (), 7.0)
    assert [entry.kind for entry in read_trail(db_url)] == ["given", "voted", "changed"]


def test_an_undone_vote_comes_back_first_with_what_was_said(make_desk):
    desk = make_desk(count=3)
    first = desks.sheet(desk, "ann", 1.0).view.dialogue_id
    desks.vote(desk, Vote(first, "ann", "reject", ("typos",), "oh"), 2.0)
    second = desks.sheet(desk, "ann", 3.0)
    assert second.undo == first
    assert desks.undo(desk, "ann", first, 4.0)
    assert not desks.undo(desk, "ann", first, 5.0)  # asked for twice, done once
    again = desks.sheet(desk, "ann", 6.0)
    assert again.view.dialogue_id == first
    assert again.draft == desks.Draft("reject", ("typos",), "oh")
    desks.vote(desk, Vote(first, "ann", "accept"), 7.0)
    assert desks.sheet(desk, "ann", 8.0).view.dialogue_id == second.view.dialogue_id


def test_an_abandoned_dialogue_goes_to_somebody_else_and_a_late_vote_is_kept_in_the_trail(
    db_url, make_desk
):
    desk = make_desk(db_url, 1, overlap=1, hold=60.0)
    assert desks.sheet(desk, "ann", 0.0).view is not None
    assert desks.sheet(desk, "bob", 30.0).view is None
    assert desks.sheet(desk, "bob", 90.0).view is not None
    assert desks.vote(desk, Vote(1, "bob", "accept"), 95.0) == "counted"
    assert desks.vote(desk, Vote(1, "ann", "reject", ("typos",)), 99.0) == "late"
    assert [vote.reviewer for vote in read_all_votes(db_url)] == ["bob"]
    assert read_trail(db_url)[-1].detail["verdict"] == "reject"
    assert desks.vote(desk, Vote(1, "eve", "accept"), 99.0) == "not given"


def test_a_skipped_dialogue_comes_back_when_asked_for(make_desk):
    desk = make_desk(count=1)
    desks.sheet(desk, "ann", 1.0)
    assert desks.skip(desk, "ann", 1, 2.0)
    empty = desks.sheet(desk, "ann", 3.0)
    assert (empty.view, empty.progress.skipped) == (None, 1)
    desks.take_up_skipped(desk, "ann", 4.0)
    assert desks.sheet(desk, "ann", 5.0).view.dialogue_id == 1


def test_the_trail_can_only_be_added_to(db_url, make_desk):
    desk = make_desk(db_url, 1)
    desks.sheet(desk, "ann", 1.0)
    for change in (sa.delete(trail), sa.update(trail).values(reviewer="bob")):
        with pytest.raises(DBAPIError, match="only added to"), transaction(desk.database) as c:
            c.execute(change)
    assert [entry.reviewer for entry in read_trail(db_url)] == ["ann"]


def test_everybody_gets_each_gold_dialogue_once_mixed_in_at_the_wanted_rate(make_desk):
    desk = make_desk(count=40, overlap=3, gold=(100, 101, 102), gold_share=0.1)
    for who in ("ann", "bob"):
        seen = []
        while (sheet := desks.sheet(desk, who, 1.0)).view is not None:
            seen.append(sheet.view.dialogue_id)
            desks.vote(desk, Vote(seen[-1], who, "accept"), 1.0)
        assert sorted(n for n in seen if n >= 100) == [100, 101, 102]
        assert seen[-1] < 100
        assert len(seen) == 43
    assert sum(gold_is_due("ann", n, 0.1) for n in range(1000)) == 100
    assert [gold_is_due("ann", n, 0.1) for n in range(50)] != [
        gold_is_due("bob", n, 0.1) for n in range(50)
    ]


def test_a_review_opened_again_keeps_its_votes_and_takes_new_wishes(db_url, make_desk):
    desk = make_desk(db_url, 3, overlap=1)
    for _ in range(3):
        number = desks.sheet(desk, "ann", 1.0).view.dialogue_id
        desks.vote(desk, Vote(number, "ann", "accept"), 2.0)
    for _ in range(2):  # the same list twice asks for nothing more
        again, prepared = open_review(db_url, [Item(desk.dialogues[2], 2)])
        again.close()
        assert (prepared.open, prepared.items, prepared.gone) == (1, 1, 2)
    assert desks.sheet(desk, "bob", 3.0).view.dialogue_id == 2
    assert len(read_all_votes(db_url)) == 3
    with pytest.raises(DataError, match="dialogue 2: is another dialogue"):
        open_review(db_url, [Item(make_dialogue("0:other 1:*", dialogue_id=2), 2)])


def test_votes_from_elsewhere_count_among_the_wanted(db_url, make_desk):
    """Four platform workers have voted, ann has here: a fifth and a sixth are asked for, once."""
    workers = ("w1", "w2", "w3", "w4")
    for by in (workers, (*workers, "ann"), (*workers, "ann")):
        desk = make_desk(db_url, items=[Item(make_dialogue(dialogue_id=1), len(by) + 1, by=by)])
        for who in REVIEWERS:
            if desks.sheet(desk, who, 1.0).view is not None:
                desks.vote(desk, Vote(1, who, "accept"), 2.0)
        assert_sound(desk)
    assert [vote.reviewer for vote in read_all_votes(db_url)] == ["ann", "bob"]


def test_a_dialogue_that_is_no_longer_given_is_let_go_and_its_votes_stay(db_url, make_desk):
    """A server started again with fewer dialogues knows nothing of the others."""
    before = make_desk(db_url, 3, overlap=1)
    assert desks.sheet(before, "ann", 1.0).view.dialogue_id == 1
    desks.vote(before, Vote(1, "ann", "accept"), 2.0)
    assert desks.sheet(before, "ann", 3.0).view.dialogue_id == 2
    after = make_desk(db_url, items=[Item(before.dialogues[3], 1)])
    now = desks.sheet(after, "ann", 4.0)
    assert (now.view.dialogue_id, now.undo) == (3, None)
    assert not desks.undo(after, "ann", 1, 5.0)
    assert [vote.dialogue_id for vote in read_all_votes(db_url)] == [1]
    assert [entry.kind for entry in read_trail(db_url)] == [
        "given",
        "voted",
        "given",
        "expired",
        "given",
    ]


def test_votes_of_what_is_no_review_are_refused(tmp_path):
    with pytest.raises(DataError, match="no such database"):
        read_all_votes(f"sqlite:///{tmp_path}/none.db")
    (tmp_path / "some.db").touch()
    with pytest.raises(DataError, match="holds no review"):
        read_all_votes(f"sqlite:///{tmp_path}/some.db")
    (tmp_path / "text.db").write_text("this is no database at all, but some text")
    with pytest.raises(DataError, match="cannot be used"):
        read_all_votes(f"sqlite:///{tmp_path}/text.db")
