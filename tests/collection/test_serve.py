"""`photochat serve` as a process of its own, under gevent: started, killed, started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import requests

from collection.export import export
from photochat.cli.typed import free_port
from photochat.pool import write_pool
from photochat.records import read_records
from tests.collection.conftest import ADMIN_TOKEN, SECRET, make_photos
from tests.collection.worker import Worker

COMMAND = "from photochat.cli import main; main()"


@pytest.fixture
def start(tmp_path):
    """Starts the server on one address and one database, again and again."""
    write_pool(tmp_path / "pool.parquet", make_photos(tmp_path / "images", 5))
    port = free_port()
    running = []

    def run(*options, **environment):
        secrets = {"PHOTOCHAT_SECRET": SECRET, "PHOTOCHAT_ADMIN_TOKEN": ADMIN_TOKEN}
        options = (
            *("--pool", tmp_path / "pool.parquet", "--images", tmp_path / "images"),
            *("--db", f"sqlite:///{tmp_path}/chat.db", "--port", str(port), *options),
        )
        log = (tmp_path / "log").open("a")
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "serve", *options],
            env=os.environ | secrets | environment,
            stderr=log,
        )
        running.append(process)
        return process

    run.url = f"http://127.0.0.1:{port}"
    run.log = tmp_path / "log"
    yield run
    for process in running:
        process.kill()
        process.wait()


def until_up(url):
    for _ in range(300):
        try:
            if requests.get(url + "/healthz", timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError("the server never came up")


def again(worker):
    """Connect anew, as the page does by itself."""
    worker.drop()
    assert worker.connect()["ok"]


@pytest.mark.slow
def test_kill_and_restart_in_the_middle(start, tmp_path):
    """What was acknowledged is there, once and in order; the conversation goes on to its end."""
    server = start()
    until_up(start.url)
    two = [Worker(start.url, name) for name in ("anna", "ben")]
    for worker in two:
        worker.until_event("paired")
    sharer, receiver = sorted(two, key=lambda worker: worker.role != "sharer")
    acknowledged = []
    for life in range(3):
        for number in range(3):
            for worker in two:
                text = f"{worker.name} in life {life}, message {number}"
                assert worker.say(text)["ok"]
                acknowledged.append(text)
        server.kill()
        server.wait()
        server = start()
        until_up(start.url)
        for worker in two:
            again(worker)
    assert sharer.share()["ok"]
    assert receiver.finish()["ok"]
    for worker in two:
        worker.submit()
        assert worker.until_state("done")["outcome"] == "complete"
        worker.close()
    server.terminate()
    assert server.wait(20) == 0
    export(f"sqlite:///{tmp_path}/chat.db", tmp_path / "raw.jsonl", key=SECRET)
    (dialogue,) = read_records(tmp_path / "raw.jsonl")
    assert [turn.message for turn in dialogue.turns if not turn.share_photo] == acknowledged


def test_a_signal_drains(start):
    """While it drains nobody new comes in; with the conversation over, it exits with 0."""
    server = start("--drain-seconds", "30")
    until_up(start.url)
    one, another = (Worker(start.url, name) for name in ("anna", "ben"))
    one.until_event("paired")
    server.send_signal(signal.SIGTERM)
    for _ in range(100):
        refused = requests.get(start.url + "/join/photochat?worker=carla")
        if refused.headers.get("X-Photochat-Reason") == "paused":
            break
        time.sleep(0.05)
    assert refused.headers.get("X-Photochat-Reason") == "paused"
    assert one.say("almost done")["ok"]
    one.ask("choose", {"choice": "leave"})
    another.until_state("restarting")
    assert server.wait(20) == 0


def test_the_log_names_nobody(start):
    """JSON lines, without worker ids and words."""
    server = start("--drain-seconds", "0")
    until_up(start.url)
    one, another = (Worker(start.url, name) for name in ("anna-secret-id", "ben-secret-id"))
    another.until_event("paired")
    one.say("a sentence for nobody else")
    server.terminate()
    server.wait(20)
    lines = start.log.read_text().splitlines()
    events = [json.loads(line)["event"] for line in lines if line.startswith("{")]
    assert {"stocked", "paired", "draining", "stopped"} <= set(events)
    assert "secret-id" not in "".join(lines)
    assert "sentence" not in "".join(lines)


@pytest.mark.parametrize("name", ["PHOTOCHAT_SECRET", "PHOTOCHAT_ADMIN_TOKEN"])
@pytest.mark.parametrize("value", ["", "short"])
def test_no_start_without_secrets(start, name, value):
    """One line that says what to do, and exit status 2."""
    assert start(**{name: value}).wait(30) == 2
    (line,) = start.log.read_text().splitlines()
    assert line.startswith(f"photochat: {name}: ")
