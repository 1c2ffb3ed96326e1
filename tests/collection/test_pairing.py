"""Pairing: the choice by its rules, the claim under concurrency, on SQLite and PostgreSQL."""

from __future__ import annotations

import random
import threading

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from collection.database import Database
from collection.pairing import PAIRED_AT_ONCE, Available, Waiting, choose_pairs, pair_waiting
from collection.tables import conversations, met, participants, photos, seen

PHOTOS = [f"train/{number}" for number in range(6)]


@st.composite
def rooms(draw):
    """Waiting rooms with several assignments of one worker, and photos that some have seen."""
    workers = draw(st.lists(st.sampled_from("abcdefgh"), max_size=12))
    return [
        Waiting(
            number,
            worker,
            frozenset(draw(st.sets(st.sampled_from(PHOTOS), max_size=4))),
            frozenset(draw(st.sets(st.sampled_from("abcdefgh"), max_size=3))),
        )
        for number, worker in enumerate(workers)
    ]


@given(rooms(), st.dictionaries(st.sampled_from(PHOTOS), st.integers(1, 3)), st.booleans())
def test_the_choice_keeps_its_rules(room, free, again):
    """Whoever waits, whatever is free: each rule of pairing holds for what is chosen."""
    available = [Available(photo, count) for photo, count in free.items()]
    chosen = choose_pairs(room, available, same_pair_again=again)
    of = {one.participant: one for one in room}
    workers = []
    for choice in chosen:
        first, second = of[choice.first], of[choice.second]
        assert first.worker != second.worker
        assert choice.photo_id not in first.seen | second.seen
        assert again or second.worker not in first.met
        workers += [first.worker, second.worker]
    assert len(workers) == len(set(workers))
    for photo in free:
        assert sum(choice.photo_id == photo for choice in chosen) <= free[photo]
    paired = {one for choice in chosen for one in (choice.first, choice.second)}
    for first in (one for one in room if one.participant not in paired):
        for second in (one for one in room if one.participant not in paired):
            used = {choice.photo_id for choice in chosen}
            left = set(free) - used - first.seen - second.seen
            assert (
                first.worker == second.worker
                or {first.worker, second.worker} & set(workers)
                or (not again and second.worker in first.met)
                or (not again and first.worker in second.met)
                or not left
            ), "two who suit were left waiting"


def test_the_longest_wait_comes_first():
    """And the least covered photo."""
    room = [Waiting(number, name) for number, name in enumerate("abcd")]
    chosen = choose_pairs(room, [Available("x", 1), Available("y", 1)])
    assert [(c.first, c.second, c.photo_id) for c in chosen] == [(0, 1, "x"), (2, 3, "y")]


def come_in(database, names, *, process="p", start=0):
    with database.writing.begin() as connection:
        connection.execute(
            sa.insert(participants),
            [
                {
                    "campaign": "photochat",
                    "worker": name,
                    "assignment": str(start + number),
                    "stage": "waiting",
                    "process": process,
                    "joined_at": 0.0,
                    "last_seen": 0.0,
                    "waiting_since": float(start + number),
                }
                for number, name in enumerate(names)
            ],
        )


def begin(database, campaign):
    with database.writing.begin() as connection:
        return pair_waiting(connection, database, campaign, 100.0, random.Random(1))


def rows(database, table):
    with database.read() as reader:
        return reader.execute(sa.select(table)).all()


def test_a_claim_notes_everything(database, stocked):
    """Conversation, lease, who has seen what and met whom, and the participants' stage."""
    campaign = stocked(3)
    come_in(database, ["anna", "ben"])
    (number,) = begin(database, campaign)
    (conversation,) = rows(database, conversations)
    assert (conversation.id, conversation.phase, conversation.seq) == (number, "paired", 1)
    assert {p.stage for p in rows(database, participants)} == {"chatting"}
    assert sum(photo.leased for photo in rows(database, photos)) == 1
    assert {row.worker for row in rows(database, seen)} == {"anna", "ben"}
    assert {(row.worker, row.partner) for row in rows(database, met)} == {
        ("anna", "ben"),
        ("ben", "anna"),
    }


def test_nobody_is_paired_with_one_who_is_not_there(database, stocked):
    """Out of touch in the waiting room means not paired."""
    campaign = stocked(3)
    come_in(database, ["anna"])
    come_in(database, ["ben"], process=None, start=1)
    assert begin(database, campaign) == []


def test_one_who_waits_under_many_assignments_holds_nobody_up(database, stocked):
    """However many came first, all of the same worker: the others are seen behind them."""
    campaign = stocked(3)
    come_in(database, ["evil"] * PAIRED_AT_ONCE)
    come_in(database, ["anna", "ben", "carla"], start=PAIRED_AT_ONCE)
    assert len(begin(database, campaign)) == 2


def test_many_pairing_at_once_pair_nobody_twice(database, stocked, db_url):
    """Eight pairers with connections of their own, forty workers, some of them twice there."""
    campaign = stocked(15)
    names = [f"w{number % 36}" for number in range(40)]
    come_in(database, names)
    pairers = [Database(db_url) for _ in range(8)]
    failures = []

    def run(own):
        try:
            for _ in range(4):
                begin(own, campaign)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(own,)) for own in pairers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own in pairers:
        own.close()
    assert not failures
    held = rows(database, conversations)
    people = [one for conversation in held for one in (conversation.sharer, conversation.receiver)]
    assert len(people) == len(set(people))
    assert len(held) == 15
    assert all(photo.leased == 1 for photo in rows(database, photos))
    of = {row.id: row.worker for row in rows(database, participants)}
    assert all(of[c.sharer] != of[c.receiver] for c in held)


def test_a_paused_campaign_pairs_nobody(database, stocked):
    """The status is read under the lock."""
    from collection.overview import set_status

    campaign = stocked(3)
    come_in(database, ["anna", "ben"])
    with database.writing.begin() as connection:
        set_status(connection, "photochat", "paused", 1.0)
    assert begin(database, campaign) == []


def test_coverage_is_balanced(database, stocked):
    """Each photo gets a conversation before any gets a second one."""
    campaign = stocked(4, rules={"conversations_per_photo": 2})
    come_in(database, [f"w{number}" for number in range(8)])
    begin(database, campaign)
    assert [photo.leased for photo in rows(database, photos)] == [1, 1, 1, 1]
