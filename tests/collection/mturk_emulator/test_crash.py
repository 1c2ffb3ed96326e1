"""The emulator as a process of its own: killed in the middle of calls, and started again."""

import re
import signal
import socket
import subprocess
import sys
import threading

import pytest
from botocore.exceptions import BotoCoreError

from tests.collection.mturk_emulator.rehearsal import Rehearsal, client, order
from tests.conftest import REPOSITORY

ASKING = 4  # threads that create HITs
ENOUGH = 12  # answers before the kill


def start(db, *options):
    """Start `photochat mturk-emulator`; return the process and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "photochat", "mturk-emulator", "--db", db, "--port", "0", *options],
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = iter(process.stderr.readline, "")
    for line in lines:
        if found := re.search(r"on (http://[\d.:]+)", line):
            return process, found[1]
    raise AssertionError("it did not start")


def test_every_call_that_was_answered_stands_in_the_books_after_a_kill(tmp_path):
    process, url = start(tmp_path / "books.db")
    answered, enough = [], threading.Event()

    def ask(number):
        api = client(url)
        try:
            for step in range(1_000):
                wish = order(Reward="0.01", UniqueRequestToken=f"{number}-{step}")
                answered.append(api.create_hit(**wish)["HIT"]["HITId"])
                if len(answered) >= ENOUGH:
                    enough.set()
        except BotoCoreError:
            return

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(ASKING)]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    process.send_signal(signal.SIGKILL)
    for thread in threads:
        thread.join()
    process.wait()

    process, url = start(tmp_path / "books.db")
    mturk = Rehearsal(url, client(url))
    kept = {hit["id"] for hit in mturk.control("books")["hits"]}
    assert set(answered) <= kept
    assert len(kept) <= len(answered) + ASKING  # at most one a thread was not answered
    assert mturk.money()["held"] == 2 * len(kept)
    process.terminate()
    assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--balance", "1,000"], "--balance: not an amount: 1,000"),
        (["--clock", "noon"], "--clock: not a time: noon"),
        (["--secret-key", "x"], "--secret-key: goes with --access-key"),
        (["--db", "text.db"], "text.db: the books cannot be opened"),
    ],
)
def test_a_wrong_option_is_one_line(run_photochat, tmp_path, monkeypatch, options, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.db").write_text("not a database" * 100)
    status, _, err = run_photochat("mturk-emulator", "--db", "new.db", *options)
    assert status == 2
    assert says in err
    assert err.count("\n") == 1


def test_a_taken_port_is_one_line(run_photochat, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, err = run_photochat(
            "mturk-emulator", "--db", tmp_path / "books.db", "--port", port
        )
    assert status == 2
    assert err.splitlines()[-1] == (
        f"photochat: 127.0.0.1:{port}: cannot be served: is the port taken?"
    )


def test_missing_service_model_is_one_line(monkeypatch):
    from botocore.exceptions import UnknownServiceError
    from botocore.loaders import Loader

    from collection.mturk_emulator.service_model import service_model
    from photochat.errors import DataError

    def gone(*_):
        raise UnknownServiceError(service_name="mturk", known_service_names="s3")

    service_model.cache_clear()
    monkeypatch.setattr(Loader, "load_service_model", gone)
    with pytest.raises(DataError, match="no service model of MTurk"):
        service_model()
    service_model.cache_clear()
