"""The event log: committed before it is answered, the same for every process, replayed at start."""

from __future__ import annotations

import random
import threading
import time
from functools import partial

import pytest
import sqlalchemy as sa

from collection.campaign import Campaign
from collection.conversation import Refusal, Repeat, Say, Share
from collection.database import Database
from collection.journal import Journal
from collection.pairing import pair_waiting
from collection.tables import conversations, events
from collection.writer import Unavailable, Writer
from tests.collection.test_pairing import come_in


class Process:
    """What a server process has of the log: a database, a journal and a writer."""

    def __init__(self, url: str, campaign: Campaign) -> None:
        self.database = Database(url)
        self.errors = 0
        self.batches: list[int] = []
        self.journal = Journal(campaign, self.failed)
        self.writer = Writer(
            self.database,
            self.journal,
            spawn=spawn,
            new_event=threading.Event,
            offload=lambda do: do(),
            on_batch=lambda size, _: self.batches.append(size),
            on_error=self.failed,
        )

    def failed(self) -> None:
        self.errors += 1

    def stop(self) -> None:
        self.writer.stop()
        self.database.close()


def spawn(do):
    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def talk(database, stocked, db_url):
    """A conversation, its two participants, and as many processes as are asked for."""
    campaign = stocked(3)
    come_in(database, ["anna", "ben"])
    with database.writing.begin() as connection:
        (number,) = pair_waiting(connection, database, campaign, time.time(), random.Random(1))
        row = connection.execute(sa.select(conversations)).one()
    running = []

    def start():
        running.append(Process(db_url, campaign))
        return running[-1]

    start.conversation, start.sharer, start.receiver = number, row.sharer, row.receiver
    yield start
    for process in running:
        process.stop()


def stored(database):
    with database.read() as reader:
        return reader.execute(sa.select(events).order_by(events.c.seq)).all()


def test_an_answer_means_committed(talk, database):
    """Another connection sees it the moment the answer is there."""
    process = talk()
    (event,) = process.writer.act(talk.conversation, talk.sharer, Say("a", "hello"))
    assert [(row.seq, row.client_id) for row in stored(database)] == [(1, None), (event.seq, "a")]


def test_two_processes_write_one_log(talk, database):
    """Each sees what the other has added; no seq twice, none missing."""
    one, two = talk(), talk()
    results = []

    def write(process, who, name):
        for number in range(25):
            command = Say(f"{name}{number}", f"{name} says {number}")
            results.append(process.writer.act(talk.conversation, who, command))

    threads = [
        threading.Thread(target=write, args=args)
        for args in ((one, talk.sharer, "anna"), (two, talk.receiver, "ben"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(result, list) for result in results)
    assert [row.seq for row in stored(database)] == list(range(1, 52))
    (share,) = one.writer.act(talk.conversation, talk.sharer, Share("s"))
    assert share.seq == 52
    assert (one.errors, two.errors) == (0, 0)


def test_a_restart_replays_the_log(talk):
    """What was acknowledged counts for the next process: turns, client ids, the last text."""
    first = talk()
    for number in range(3):
        first.writer.act(talk.conversation, talk.sharer, Say(f"c{number}", f"line {number}"))
    second = talk()
    act = second.writer.act
    assert act(talk.conversation, talk.sharer, Say("c1", "line 1")) == Repeat(3)
    assert act(talk.conversation, talk.sharer, Say("new", "line 2")).error == "repeated"
    assert "2 more messages" in act(talk.conversation, talk.sharer, Share("s")).message


def test_a_stranger_is_no_part_of_it(talk):
    """A participant of no role, and a conversation that does not exist."""
    process = talk()
    for conversation, who in ((talk.conversation, 999), (999, talk.sharer)):
        result = process.writer.act(conversation, who, Say("a", "hello"))
        assert isinstance(result, Refusal)
        assert result.error == "not-in-conversation"


def at_once(process, *jobs):
    """Give the writer jobs while it is busy; return what they return, in any order."""
    began, results = threading.Event(), []

    def slow(connection):
        began.set()
        time.sleep(0.2)

    threads = [threading.Thread(target=process.writer.call, args=(slow,))]
    threads[0].start()
    began.wait()
    for job in jobs:
        threads.append(threading.Thread(target=lambda job=job: results.append(job())))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return results


def test_what_waits_is_committed_together(talk):
    """Many commands, few transactions."""
    process = talk()
    say = partial(process.writer.act, talk.conversation, talk.sharer)
    at_once(process, *(partial(say, Say(f"c{n}", f"line {n}")) for n in range(20)))
    assert max(process.batches) >= 10


def test_a_failing_job_harms_no_other(talk, database):
    """Its own changes are undone, its exception comes out, the rest is committed."""
    process = talk()

    def break_down(connection):
        connection.execute(sa.update(conversations).values(phase="expired"))
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        process.writer.call(break_down)
    assert process.writer.act(talk.conversation, talk.sharer, Say("a", "hello"))[0].seq == 2
    with database.read() as reader:
        assert reader.execute(sa.select(conversations.c.phase)).scalar_one() == "chatting"


def test_a_command_that_cannot_be_stored_harms_no_other(talk):
    """Committed with it would have been what others said: each of them is stored by itself."""
    process = talk()
    say = partial(process.writer.act, talk.conversation, talk.sharer)

    def say_what_cannot_be_stored():
        with pytest.raises(Unavailable):
            say(Say("\ud800", "with half a character as its id"))

    jobs = [partial(say, Say(f"c{n}", f"line {n}")) for n in range(10)]
    results = at_once(process, *jobs[:5], say_what_cannot_be_stored, *jobs[5:])
    assert sorted(result[0].seq for result in results if result) == list(range(2, 12))


def test_a_failed_commit_acknowledges_nothing_and_heals(talk, database, monkeypatch):
    """The log in memory is not ahead of the one on the disk."""
    process = talk()
    process.writer.act(talk.conversation, talk.sharer, Say("a", "hello"))

    def fail(commit):
        raise OSError("disk full")

    monkeypatch.setattr(process.writer, "_offload", fail)
    with pytest.raises(Unavailable):
        process.writer.act(talk.conversation, talk.sharer, Say("b", "is it there?"))
    monkeypatch.undo()
    assert process.writer.act(talk.conversation, talk.sharer, Say("b", "is it there?"))[0].seq == 3
    assert [row.seq for row in stored(database)] == [1, 2, 3]


def test_migrating_twice_changes_nothing(database):
    """Every start migrates."""
    database.migrate()


def test_the_migrations_make_the_tables(database):
    """What Alembic would still change is nothing."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from collection.tables import metadata

    with database.writing.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
