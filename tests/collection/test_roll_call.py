"""Whatever the database or a process has missed: who is connected is noted so, and who is not.

The processes sweep by hand here, at the times that a test says.
"""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from collection import entrance
from collection.roll_call import _sums
from collection.sweep import sweep
from collection.tables import participants


@pytest.fixture(autouse=True)
def by_hand(monkeypatch):
    """Nothing is swept or paired unless a test says so."""
    monkeypatch.setattr("collection.server.sweep.run", lambda service: None)


@pytest.fixture
def two(serve, postgres_url, redis_url):
    """Two processes that have settled, on one database."""
    servers = [serve(db=postgres_url, redis_url=redis_url) for _ in range(2)]
    start = time.time()
    for server in servers:
        server.service.started_at = 0.0
        sweep(server.service, start)
    return *servers, start


def meet(server):
    """Two workers of a server, in conversation; connected long ago."""
    workers = [server.worker(name) for name in ("anna", "ben")]
    assert server.service.pair() == 1
    for worker in workers:
        worker.until_event("paired")
    connected_long_ago(server.service)
    return workers


def connected_long_ago(service):
    service.writer.call(lambda c: c.execute(sa.update(participants).values(last_seen=0.0)))


def people(service):
    """Every participant's row, by the worker's name."""
    with service.database.read() as reader:
        return {row.worker: row for row in reader.execute(sa.select(participants))}


def lose(service, name):
    """Drop a worker's socket with nothing written; return it."""
    return service.presence.remove(service.presence.of_participant(people(service)[name].id).sid)


def kinds(worker):
    return [event["kind"] for event in worker.events]


def test_after_an_outage_nobody_is_judged_who_could_not_give_a_sign_of_life(two):
    """Both processes were silent for a minute; the first to be back waits for the other."""
    first, second, start = two
    anna, ben = meet(second)
    sweep(first.service, start + 60)
    sweep(second.service, start + 61)
    for later in range(62, 90):
        sweep(first.service, start + later)
        sweep(second.service, start + later)
    assert ben.say("nobody noticed")["ok"]
    anna.until_event("say")
    assert kinds(anna) == ["paired", "say"]


def test_who_was_given_up_with_a_process_that_stood_still_is_back(two):
    """The other process was right to judge; the one that lives on calls its people back."""
    first, second, start = two
    anna, ben = meet(second)
    carla = second.worker("carla")
    connected_long_ago(second.service)
    for later in range(1, 15):
        sweep(first.service, start + later)
    assert {row.process for row in people(first.service).values()} == {None}
    anna.until_event("away")
    assert carla.resume()["state"]["kind"] == "waiting"  # and not yet given up as having left
    second.service.catch_up(anna.states[-1]["conversation"])
    sweep(second.service, start + 15)
    for worker in (anna, ben):
        worker._until(lambda worker=worker: kinds(worker).count("back") == 2 or None, "both back")
    assert {row.process for row in people(first.service).values()} == {second.service.process}


def test_who_left_while_the_database_was_down_is_noted_as_gone(serve):
    """The socket closed, and nothing of it could be written."""
    server = serve()
    anna, ben = meet(server)
    service = server.service
    lose(service, "ben")
    sweep(service)
    assert anna.until_event("away")["by"] == "partner"
    assert people(service)["ben"].process is None
    ben.drop()
    ben.connect()
    anna.until_event("back")


def test_who_left_and_was_only_half_noted_is_away(serve):
    """The database went down between the connection's end and the line in the log."""
    server = serve()
    anna, _ = meet(server)
    service = server.service
    gone = lose(service, "ben")
    service.writer.call(lambda c: entrance.detach(c, gone.participant, gone.number, time.time()))
    for _ in range(3):
        sweep(service)
    anna.until_event("away")
    assert kinds(anna) == ["paired", "away"]


def test_a_newer_tab_elsewhere_closes_the_older_even_if_nobody_told(serve, postgres_url):
    """Without Redis no process hears of the other's connections."""
    first, second = serve(db=postgres_url), serve(db=postgres_url)
    anna = first.worker("anna", connect=False)
    token = anna.token
    anna.connect()
    again = second.worker("anna", connect=False)
    first.service.writer.call(
        lambda c: c.execute(sa.update(participants).values(generation=1))
    )  # the form's entry from another browser ended the first session: take it up again
    again.token = token
    assert again.connect()["ok"]
    sweep(first.service)
    anna.until_state("replaced")
    assert len(first.service.presence) == 0
    assert people(second.service)["anna"].process == second.service.process


def test_sums_differ_where_connections_do():
    """Somebody missing, somebody too many, another number, two that have changed places."""
    there = [(1, 3), (2, 1), (5, 2)]
    others = [there[1:], [*there, (6, 1)], [(1, 4), *there[1:]], [(1, 1), (2, 3), (5, 2)]]
    assert all(_sums(other) != _sums(there) for other in others)
    assert _sums(reversed(there)) == _sums(there)
