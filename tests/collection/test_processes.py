"""Several server processes on one PostgreSQL, told of each other by Redis, or not."""

from __future__ import annotations

import time

import pytest
import requests


@pytest.fixture
def two(serve, postgres_url, redis_url):
    """Two servers on one database."""
    return serve(db=postgres_url, redis_url=redis_url), serve(db=postgres_url, redis_url=redis_url)


def test_partners_on_two_servers_talk(two):
    """Pairing, messages, typing and the end go over; the log is one."""
    first, second = two
    one, another = first.worker("anna"), second.worker("ben")
    for worker in (one, another):
        worker.until_event("paired")
    sharer, receiver = sorted((one, another), key=lambda worker: worker.role != "sharer")
    for number in range(6):
        (sharer, receiver)[number % 2].say(f"message {number}")
    for _ in range(10):  # typing is told once and kept nowhere: the listener may just be starting
        sharer.ask("typing")
        time.sleep(0.3)
        if receiver.typing:
            break
    assert receiver.typing
    assert sharer.share()["ok"]
    receiver.until_event("share")
    assert receiver.finish()["ok"]
    sharer.until_event("finish")
    for worker in (sharer, receiver):
        worker.submit()
        assert worker.until_state("done")["outcome"] == "complete"
    # Nothing tells a worker that the log is whole: wait for the one who hears of its end last.
    end = time.monotonic() + 10
    while len(sharer.events) != len(receiver.events) and time.monotonic() < end:
        time.sleep(0.05)
    seqs = [event["seq"] for event in sharer.events]
    assert seqs == [event["seq"] for event in receiver.events]
    assert seqs == list(range(1, len(seqs) + 1))


def test_the_newest_tab_wins_on_another_server(two):
    """The older socket is closed where it is."""
    first, second = two
    worker = first.worker("anna")
    worker.url = second.url
    assert worker.connect()["ok"]
    worker.until_state("replaced")


def test_entering_again_on_another_server_ends_the_session(two):
    """Its socket is closed where it is, before the new browser has one."""
    first, second = two
    worker = first.worker("anna")
    second.worker("anna", connect=False)
    worker.until_state("replaced")


def test_without_redis_messages_still_arrive(serve, postgres_url):
    """Nobody listens at the address: acknowledgements go on, news come by looking for them."""
    nowhere = "redis://127.0.0.1:1/0"
    first = serve(db=postgres_url, redis_url=nowhere)
    second = serve(db=postgres_url, redis_url=nowhere)
    one, another = first.worker("anna"), second.worker("ben")
    for worker in (one, another):
        worker.until_event("paired")
    for number in range(4):
        assert one.say(f"message {number}")["ok"]
    another._until(lambda: len(another.events) >= 5 or None, "messages")
    assert "redis: failing" in requests.get(first.url + "/healthz").text
    assert requests.get(first.url + "/healthz").status_code == 200
