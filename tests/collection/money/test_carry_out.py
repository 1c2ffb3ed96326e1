"""What happens to a call when the platform, the account or our own process fails."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from collection.database import Database
from collection.money import calls
from collection.money.carry_out import GIVE_UP_SECONDS, LEASE_SECONDS
from collection.recruiting.recruiter import (
    NoMoneyError,
    NotThereError,
    RecruiterError,
    TryAgainError,
)
from photochat.errors import DataError
from tests.collection.money.scene import Scene


@pytest.fixture
def scene(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/chat.db")
    database.migrate()
    yield Scene(database, "photochat")
    database.close()


def fail(scene: Scene, errors: list, operation: str = "publish", moment: str = "before"):
    """Let the next calls of an operation fail."""
    asked = []

    def fault(when: str, what: str) -> None:
        if (when, what) == (moment, operation):
            asked.append(what)
            if errors:
                raise errors.pop(0)

    scene.recruiter.fault = fault
    return asked


def handed_in(scene: Scene):
    """One worker's submission under a posting."""
    scene.intend(scene.publish("1", 1))
    scene.carry_out()
    scene.recruiter.submit(scene.recruiter.accept("1", "anna"), {})
    [submission] = scene.recruiter.submissions("1")
    return submission


def test_throttled_calls_are_made_again_with_longer_and_longer_waits(scene):
    """1, 2, 4, 8 seconds; then it is confirmed."""
    fail(scene, [TryAgainError("Rate exceeded")] * 4)
    scene.intend(scene.publish("1", 1))
    began = scene.clock()
    result = scene.carry_out()
    assert (result.confirmed, result.tried_again, result.left) == (1, 4, 0)
    assert scene.clock() - began == 15.0


def test_a_platform_that_stays_silent_is_left_for_a_later_run(scene):
    """The row waits with the reason in it, and the run says so."""
    fail(scene, [TryAgainError("Rate exceeded")] * 100)
    scene.intend(scene.publish("1", 1))
    result = scene.carry_out(patience=10.0)
    assert result.left == 1
    assert "Rate exceeded" in result.stopped
    [row] = scene.rows()
    assert (row.state, row.last_error) == ("failed-retry", "Rate exceeded")
    scene.recruiter.fault = lambda moment, operation: None
    assert scene.carry_out().confirmed == 1


def test_a_refusal_is_final_and_the_others_go_on(scene):
    """It is not asked again, and its reason is kept."""
    asked = fail(scene, [RecruiterError("the title is too long")])
    scene.intend(scene.publish("1", 1), scene.publish("2", 1))
    result = scene.carry_out()
    assert (result.failed, result.confirmed, result.left) == (1, 1, 0)
    assert scene.carry_out().failed == 0
    assert len(asked) == 2
    assert [row.state for row in scene.rows()] == ["failed-final", "confirmed"]


def test_an_assignment_that_does_not_exist_yet_is_asked_for_again_for_a_day(scene):
    """Not a failure at first; after a day it is."""
    one = handed_in(scene)
    scene.intend(calls.bonus("1", one, Decimal("1.00"), scene.fees, participant=1, reason=""))
    fail(scene, [NotThereError("does not exist")] * 1000, "bonus")
    assert scene.carry_out(patience=20.0).left == 1
    scene.clock.now += GIVE_UP_SECONDS
    result = scene.carry_out()
    assert (result.failed, result.left) == (1, 0)


def test_an_empty_account_stops_the_run_and_loses_nothing(scene):
    """The line says which call, and the next run goes on from there."""
    fail(scene, [NoMoneyError("the balance is 0.10")])
    scene.intend(scene.publish("1", 1), scene.publish("2", 1))
    result = scene.carry_out()
    assert (result.left, result.confirmed) == (2, 0)
    assert "balance does not cover publish 1" in result.stopped
    assert scene.carry_out().confirmed == 2


@pytest.mark.parametrize("error", [DataError("wrong credentials"), KeyboardInterrupt()])
def test_what_nobody_can_retry_comes_out_and_the_row_is_there_at_once(scene, error):
    """No lease has to run out before the next run."""
    fail(scene, [error])
    scene.intend(scene.publish("1", 1))
    with pytest.raises(type(error)):
        scene.carry_out()
    assert scene.carry_out(patience=0.0).confirmed == 1


def test_a_refusal_after_a_lost_answer_is_checked_in_the_books(scene):
    """The first attempt had been carried out, so it is confirmed and not failed."""
    fail(scene, [TryAgainError("connection cut")], moment="after")
    scene.intend(scene.publish("1", 1))
    scene.carry_out(patience=0.0)
    fail(scene, [RecruiterError("some other reason")])
    assert scene.carry_out().confirmed == 1
    assert len(list(scene.recruiter.postings())) == 1


def test_a_token_that_the_platform_has_forgotten_is_no_second_payment(scene):
    """A day after the lost answer the books are looked into before paying."""
    one = handed_in(scene)
    scene.intend(calls.bonus("1", one, Decimal("1.00"), scene.fees, participant=1, reason="!"))
    asked = fail(scene, [TryAgainError("connection cut")], "bonus", "after")
    scene.carry_out(patience=0.0)
    scene.clock.now += 30 * 3600.0
    assert scene.carry_out().confirmed == 1
    assert len(asked) == 1
    assert len(list(scene.recruiter.bonuses("1"))) == 1


@pytest.mark.parametrize("throttled", [0, 2])
def test_a_ledger_from_a_backup_asks_for_nothing_a_second_time(scene, tmp_path, throttled):
    """A day after the backup was taken, the tokens of what came after it are forgotten."""
    one = handed_in(scene)
    copy = tmp_path / "backup.db"
    with sqlite3.connect(tmp_path / "chat.db") as file:
        file.execute("VACUUM INTO ?", (str(copy),))
    later = [
        calls.bonus("1", one, Decimal("1.00"), scene.fees, participant=1, reason="!"),
        scene.publish("2", 1),
    ]
    scene.intend(*later)
    assert scene.carry_out().found == 0
    scene.clock.now += 30 * 3600.0
    scene.database = Database(f"sqlite:///{copy}")
    fail(scene, [TryAgainError("Rate exceeded") for _ in range(throttled)], "bonuses")
    scene.intend(*later)
    result = scene.carry_out()
    assert (result.confirmed, result.found) == (2, 2)
    assert len(list(scene.recruiter.bonuses("1"))) == 1
    assert [posting.id for posting in scene.recruiter.postings()] == ["1", "2"]
    assert [row.posting for row in scene.rows("publish")] == ["1", "2"]
    scene.database.close()


def test_the_books_are_read_once_in_a_run(scene):
    """Not once for each bonus of a posting."""
    scene.intend(scene.publish("1", 3))
    scene.carry_out()
    for worker in ("anna", "ben", "carla"):
        scene.recruiter.submit(scene.recruiter.accept("1", worker), {})
    for one in list(scene.recruiter.submissions("1")):
        scene.intend(
            calls.bonus(one.id, one, Decimal("1.00"), scene.fees, participant=1, reason="")
        )
    asked = fail(scene, [], "bonuses")
    assert scene.carry_out().confirmed == 3
    assert len(asked) == 1


KILLED = """
import os, signal, sys
from tests.collection.money.scene import Scene
from collection.database import Database
url, books, moment, operation = sys.argv[1:]
scene = Scene(Database(url), "photochat", books=books)
def fault(when, what):
    if (when, what) == (moment, operation):
        os.kill(os.getpid(), signal.SIGKILL)
scene.recruiter.fault = fault
scene.carry_out()
"""


@pytest.mark.parametrize("operation", ["publish", "bonus"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_kill_minus_nine_in_the_middle_of_a_call(tmp_path, moment, operation):
    """A process of its own dies in a call that costs money; the next one does it once."""
    database = Database(f"sqlite:///{tmp_path}/chat.db")
    database.migrate()
    scene = Scene(database, "photochat", books=tmp_path / "books.db")
    if operation == "bonus":
        one = handed_in(scene)
        bonus = calls.bonus("1", one, Decimal("1.00"), scene.fees, participant=1, reason="!")
        scene.intend(bonus)
    else:
        scene.intend(scene.publish("1", 1))
    died = subprocess.run(
        [sys.executable, "-c", KILLED, str(database.url.render_as_string()),
         str(tmp_path / "books.db"), moment, operation],
        cwd=Path(__file__).parents[3], check=False,
    )  # fmt: skip
    assert died.returncode == -9
    assert scene.rows(operation)[0].state == "sent"
    began = scene.clock()
    result = scene.carry_out()
    assert (result.confirmed, result.left) == (1, 0)
    assert scene.clock() - began >= LEASE_SECONDS - 1  # the other might have been alive
    if operation == "publish":
        assert len(list(scene.recruiter.postings())) == 1
    else:
        assert [paid.amount for paid in scene.recruiter.bonuses("1")] == [Decimal("1.00")]
    database.close()
