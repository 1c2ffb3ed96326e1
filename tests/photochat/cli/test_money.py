"""`campaign estimate`, `pay` and `reconcile` as typed."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest

from collection.database import Database
from collection.recruiting import mturk
from collection.recruiting.recruiter import RecruiterError
from collection.recruiting.simulated import SimulatedRecruiter
from tests.collection.money.scene import Scene

FILE = """
name = "photos"
[pay]
reward = "0.20"
budget = "{budget}"
compensate_after_hours = 0
[pay.bonus]
complete = "2.30"
partner_left = "1.30"
no_partner = "1.30"
unfinished = "2.30"
[pay.minutes]
complete = "{minutes}"
[recruiting]
recruiter = "{recruiter}"
url = "https://chat.example.org"
books = "platform.db"
assignment_minutes = 120
"""


@pytest.fixture
def desk(tmp_path, monkeypatch, run_photochat):
    """A folder with a campaign file, a database and a platform with two submissions."""
    monkeypatch.chdir(tmp_path)
    database = Database("sqlite:///chat.db")
    database.migrate()
    scene = Scene(database, "photos", budget="500.00", books="platform.db")
    scene.clock.now = time.time() - 3 * 3600  # long enough ago to count as missing
    scene.intend(scene.publish("chat:1", 3))
    scene.carry_out()
    for worker in ("anna", "ben"):
        taken = scene.recruiter.accept("1", worker)
        code = scene.person(worker, taken, "submitted")
        scene.recruiter.submit(taken, {"code": code})
        scene.recruiter.approve(taken)
    scene.person("carla", scene.recruiter.accept("1", "carla"), "no-partner")
    scene.recruiter.close()

    def write(**values):
        defaults = {"budget": "700.00", "minutes": "12", "recruiter": "simulated"}
        Path("campaign.toml").write_text(FILE.format(**defaults | values))

    def run(*words):
        return run_photochat("campaign", *words, "--config", "campaign.toml")

    write()
    run.write = write
    yield run
    database.close()


def test_an_estimate_is_printed_even_when_it_is_refused(desk):
    """The table first, then the one line; a file in order ends with status 0."""
    status, out, err = desk("estimate", "--conversations", "50")
    assert (status, err) == (0, "")
    assert "50 conversations, 140 workers" in out
    desk.write(budget="100.00")
    status, out, err = desk("estimate", "--conversations", "50")
    assert status == 2
    assert "at worst 600.00" in out
    assert err.startswith("photochat: pay.budget: at worst 600.00 USD is above the cap of 100.00")
    desk.write(minutes="30")
    assert "below pay.minimum_hourly" in desk("estimate", "--conversations", "5")[2]
    status, out, _ = desk("estimate", "--conversations", "50", "--json")
    assert json.loads(out)["expected"] == "378.00"


def test_an_estimate_needs_to_know_how_many(desk):
    """Said, or counted in the database that is named; there is nothing left in this one."""
    status, _, err = desk("estimate")
    assert (status, "--conversations" in err) == (2, True)
    status, _, err = desk("estimate", "--db", "sqlite:///chat.db")
    assert (status, "have been held" in err) == (0, True)
    status, _, err = desk("estimate", "--db", "sqlite:///none.db")
    assert (status, "no such database" in err) == (2, True)


def test_pay_and_reconcile(desk):
    """Dry, for real, again; the platform's books and the ledger are the same after it."""
    status, out, err = desk("pay", "--dry-run")
    assert status == 0, err
    assert out.count("bonus") == 2
    assert "1 missing" in err
    assert "add --compensate" in err
    result = json.loads(desk("pay", "--json")[1])
    assert (result["carried"]["confirmed"], result["dry_run"]) == (2, False)
    assert "nothing new to pay" in desk("pay")[2]
    status, out, err = desk("reconcile")
    # The scene's requester approved by hand, which the ledger does not know.
    assert status == 1
    assert out.count("approved") == 2
    assert "2 differences" in err


def test_compensation_ends_with_the_approval(desk):
    """The worker finds the task that is theirs; nobody else does."""
    status, out, err = desk("pay", "--compensate")
    assert status == 0, err
    assert [line.split()[0] for line in out.splitlines()[1:]] == [
        "bonus", "bonus", "qualify", "publish", "notify",
    ]  # fmt: skip
    platform = SimulatedRecruiter("platform.db")
    [posting] = [one for one in platform.postings() if one.assignments == 1]
    assert str(posting.reward) == "1.50"
    with pytest.raises(RecruiterError):
        platform.accept(posting.id, "anna")
    platform.submit(platform.accept(posting.id, "carla"), {})
    platform.close()
    assert "approve" in desk("pay", "--compensate")[1]


def test_by_links_the_next_step_is_to_launch(desk):
    """Nobody is told to compensate where that is refused."""
    desk.write(recruiter="link")
    status, _, err = desk("pay")
    assert (status, "--compensate" in err) == (0, False)
    assert "campaign launch opens the books" in err
    status, _, err = desk("pay", "--compensate")
    assert status == 2
    assert err.startswith("photochat: --compensate: cannot be done: whoever has finished")


def test_over_the_budget_is_status_1_with_the_next_step(desk):
    """Who is not paid is named."""
    desk.write(budget="6.00")
    status, _, err = desk("pay", "--compensate")
    assert status == 1
    assert "over the budget, not paid: publish carla 1.80" in err
    assert "raise pay.budget" in err


@pytest.mark.parametrize("words", [["--confirm", "other"], []])
def test_real_money_is_paid_only_when_confirmed(desk, monkeypatch, words):
    """Nothing is asked of the platform before."""
    calls = []
    monkeypatch.setattr(mturk.Mturk, "_call", lambda self, name, **_: calls.append(name))
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    desk.write(recruiter="mturk")
    status, _, err = desk("pay", "--production", *words)
    assert (status, calls) == (2, [])
    assert "add --confirm photos" in err


def test_a_call_that_failed_for_good_is_told_until_it_is_mended(desk, monkeypatch):
    """In every run, with the reason and the option that tries again."""
    with monkeypatch.context() as patch:

        def refuse(self, **_):
            raise RecruiterError("the worker's account is closed")

        patch.setattr(SimulatedRecruiter, "bonus", refuse)
        assert desk("pay")[0] == 1
    status, _, err = desk("pay")
    assert status == 1
    assert "failed for good: bonus anna: the worker's account is closed" in err
    assert "add --retry-failed" in err
    assert desk("pay", "--retry-failed")[0] == 0
