"""The commands of a campaign, as typed: a whole one on a simulated platform, and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collection.database import Database
from collection.recruiting import mturk
from collection.recruiting.safety import sample_photo_ids
from collection.recruiting.simulated import SimulatedRecruiter
from photochat.cli.typed import free_port
from tests.collection.recruiting.stage import Stage

FILE = """
name = "photos"
[pay]
reward = "0.50"
budget = "{budget}"
bonus = {{ complete = "1.00" }}
minutes = {{ complete = "{minutes}", partner_left = "1", no_partner = "1", unfinished = "1" }}
[recruiting]
recruiter = "{recruiter}"
url = "{url}"
books = "platform.db"
"""
REASON = "You wrote single letters only after the first message; please tell us if the page failed."


class Desk:
    """A folder with a database and campaign files, and the command line in it."""

    def __init__(self, folder: Path, run: Callable[..., tuple[int, str, str]]) -> None:
        self._run = run
        database = Database(f"sqlite:///{folder}/chat.db")
        database.migrate()
        self.stage = Stage(database, folder, 4)
        self.stage.recruiter = SimulatedRecruiter(folder / "platform.db")
        self.stage.now = __import__("time").time()
        self.write()

    def write(self, **values: Any) -> None:
        defaults = {
            "recruiter": "simulated", "url": "https://chat.example.org", "budget": "50.00",
            "minutes": "10",
        }  # fmt: skip
        Path("campaign.toml").write_text(FILE.format(**{**defaults, **values}))

    def run(self, *words: object, **options: Any) -> tuple[int, str, str]:
        return self._run("campaign", *words, "--config", "campaign.toml", **options)

    def json(self, *words: object) -> Any:
        status, out, err = self.run(*words, "--json")
        assert status == 0, err
        return json.loads(out)


@pytest.fixture
def desk(tmp_path, monkeypatch, run_photochat):
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path, run_photochat)


def test_a_campaign_from_launch_to_close(desk):
    """Each command twice: the second time there is nothing left to do."""
    launch = ["launch", "--skip-check"]
    plan = desk.json(*launch, "--dry-run")
    assert [one["assignments"] for one in plan["postings"]] == [8]
    assert desk.json("status")["postings"] == []
    for _ in range(2):
        desk.json(*launch)
    assert desk.json("status")["need"]["open_places"] == 8

    good, odd = desk.stage.work("ann"), desk.stage.work("ben", code="made up")
    assert desk.json("review")["new_decisions"] == 0
    assert desk.json("review", "--approve-automatically", "--dry-run")["new_decisions"] == 1
    assert desk.json("review", "--approve-automatically")["carried"]["confirmed"] == 1
    result = desk.json("review", "--approve-automatically")
    assert (result["new_decisions"], len(result["to_decide"])) == (0, 1)
    desk.json("review", "--reject", odd, "--reason", REASON)
    assert {one.id: one.state for one in desk.stage.recruiter.submissions("1")} == {
        good: "approved",
        odd: "rejected",
    }
    closed = [desk.json("close") for _ in range(2)]
    assert [len(one["expired"]) for one in closed] == [1, 0]
    found = desk.json("status")
    assert found["submissions"] == {"approved": 1, "rejected": 1}
    assert (found["spent"], found["calls"]) == ("0.60", {"confirmed": 4})


def test_what_people_read(desk):
    """Tables and counts instead of JSON."""
    status, _, err = desk.run("launch", "--skip-check")
    assert (status, "8 places offered" in err, "of 50.00 USD" in err) == (0, True, True)
    desk.stage.work("ann")
    status, out, err = desk.run("review")
    assert out.splitlines()[0].split()[:2] == ["submission", "worker"]
    assert "ann" in out
    assert "7 days" in out
    assert "1 handed in, 1 to decide, 0 decisions made" in err
    status, out, _ = desk.run("status", "--offline")
    assert "0 of 4 conversations, 7 places open" in out
    assert "the platform approves the next by itself at" in out
    assert "extends" not in desk.run("extend", "--hours", 1)[2]


def test_reviewing_by_spreadsheet(desk):
    """A file out, the same file in."""
    desk.run("launch", "--skip-check")
    desk.stage.work("ann")
    desk.run("review", "--export", "review.csv")
    text = Path("review.csv").read_text().replace("submitted,,", "submitted,approve,")
    Path("review.csv").write_text(text)
    assert desk.json("review", "--decide", "review.csv")["carried"]["confirmed"] == 1
    assert desk.json("review", "--decide", "review.csv")["new_decisions"] == 0


def test_whom_a_person_rejects_is_not_approved_automatically(desk):
    """In the same command, by option or by spreadsheet."""
    desk.run("launch", "--skip-check")
    by_option, by_file, fine = (desk.stage.work(name) for name in ("ann", "ben", "cat"))
    Path("no.csv").write_text(f"submission,decision,reason\n{by_file},reject,{REASON}\n")
    words = ["--reject", by_option, "--reason", REASON, "--decide", "no.csv"]
    result = desk.json("review", "--approve-automatically", *words)
    assert (result["new_decisions"], result["carried"]["failed"]) == (3, 0)
    assert {one.id: one.state for one in desk.stage.recruiter.submissions("1")} == {
        by_option: "rejected",
        by_file: "rejected",
        fine: "approved",
    }


def test_payments_by_hand_go_out_and_come_back(desk):
    """Of a campaign by links; a dry run notes nothing."""
    desk.write(recruiter="link")
    desk.json("launch", "--skip-check")
    desk.stage.finish("ann", "1")
    desk.json("review", "--approve-automatically")
    assert desk.json("payments", "--export", "owed.csv")["dues"][0]["amount"] == "0.50"
    text = Path("owed.csv").read_text().replace("reward,,", "reward,2026-01-31,7")
    Path("owed.csv").write_text(text)
    for words in (["--dry-run"], []):
        assert desk.json("payments", "--import", "owed.csv", *words)["noted"]["paid"] == 1
    assert desk.json("payments", "--import", "owed.csv")["noted"]["known"] == 1
    assert "1 amounts, 0 unpaid: 0.00 USD" in desk.run("payments")[2]


def test_workers_are_qualified_by_hand(desk):
    """Given, given again, and taken away."""
    desk.run("launch", "--skip-check")
    assert desk.json("qualify", "not-again", "ann", "ben")["changed"] == ["ann", "ben"]
    assert desk.json("qualify", "not-again", "ann")["changed"] == []
    with pytest.raises(AssertionError):
        desk.stage.accept("ann")
    assert desk.json("qualify", "not-again", "ann", "--take-away")["changed"] == ["ann"]
    desk.stage.accept("ann")


@pytest.mark.parametrize(
    ("settings", "words", "problem"),
    [
        ({}, ["launch", "--db", "sqlite:///other.db"], "no such database"),
        ({"budget": "1.00"}, ["launch", "--skip-check"], "raise pay.budget"),
        ({"url": ""}, ["launch", "--skip-check"], "recruiting.url: is missing"),
        ({}, ["launch"], "the chat server does not answer there"),
        ({}, ["extend"], "say what shall be"),
        ({}, ["extend", "--hours", 1, "--posting", "99"], "no such chat posting"),
        ({}, ["review", "--reject", "99"], "no such chat submission"),
        ({}, ["payments"], "are for campaigns by links"),
        ({}, ["launch", "--production"], "--production is for mturk and prolific"),
        ({"recruiter": "mturk"}, ["status"], "AWS_ACCESS_KEY_ID"),
        ({"recruiter": "mturk"}, ["launch", "--skip-check"], "AWS_ACCESS_KEY_ID"),
        ({"recruiter": "mturk"}, ["status", "--endpoint", "http://turk.example.org"], "is HTTP"),
        ({"recruiter": "mturk"}, ["status", "--endpoint", f"http://127.0.0.1:{free_port()}"],
         "is it running"),
        ({"recruiter": "postal"}, ["status"], "recruiting.recruiter"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line_and_changes_nothing(desk, settings, words, problem):
    """Exit status 2, and the next step is named."""
    Path("platform.db").unlink()
    url = f"http://127.0.0.1:{free_port()}"
    desk.write(**{"url": url, **settings})
    before = Path("chat.db").read_bytes()
    status, out, err = desk.run(*words)
    assert (status, out) == (2, "")
    assert problem in err
    assert err.count("\n") == 1
    assert Path("chat.db").read_bytes() == before


def mturk_calls(monkeypatch) -> list[str]:
    """Make boto3's calls fail, and note them."""
    calls: list[str] = []

    def call(self, operation, **request):
        calls.append(operation)
        raise AssertionError("nothing may be asked of the platform")

    monkeypatch.setattr(mturk.Mturk, "_call", call)
    return calls


def use_sample_photos(desk):
    import sqlalchemy as sa

    from collection.tables import photos

    ids = sorted(sample_photo_ids())
    with desk.stage.database.writing.begin() as connection:
        rows = connection.execute(sa.select(photos.c.photo_id)).scalars().all()
        for old, new in zip(rows, ids, strict=False):
            connection.execute(
                sa.update(photos).where(photos.c.photo_id == old).values(photo_id=new)
            )


@pytest.mark.parametrize(
    ("settings", "words", "typed", "problem"),
    [
        ({}, [], None, "add --confirm photos"),
        ({}, [], "yes", "add --confirm photos"),
        ({}, ["--confirm", "other"], None, "add --confirm photos"),
        ({}, ["--confirm", "photos", "sample"], None, "the demonstration's made-up ones"),
        ({"minutes": "60"}, ["--confirm", "photos"], None, "minimum_hourly"),
        ({"url": "http://127.0.0.1:1"}, ["--confirm", "photos"], None, "must be https"),
        ({}, ["--confirm", "photos", "--endpoint", "http://127.0.0.1:1"], None, "leave out one"),
    ],
)
def test_no_production_launch_by_accident(desk, monkeypatch, settings, words, typed, problem):
    """Refused in one line, and nothing was asked of the platform."""
    import io

    calls = mturk_calls(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n" if typed else ""))
    desk.write(recruiter="mturk", **settings)
    if "sample" in words:
        use_sample_photos(desk)
    words = [word for word in words if word != "sample"]
    status, _, err = desk.run("launch", "--production", "--skip-check", *words)
    assert (status, calls) == (2, [])
    assert problem in err


def test_a_confirmed_launch_asks_the_platform(desk, monkeypatch):
    """Typed or given: only then, and only with all in order."""
    import io

    calls = mturk_calls(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    desk.write(recruiter="mturk")
    monkeypatch.setattr("sys.stdin", io.StringIO("photos\n"))
    with pytest.raises(AssertionError, match="nothing may be asked"):
        desk.run("launch", "--production", "--skip-check")
    assert calls == ["list_hits"]


def test_prolific_is_never_reached_without_production(desk, monkeypatch):
    """It has no sandbox."""
    codes = "{ complete = 'C111', partner_left = 'C222', no_partner = 'C333', unfinished = 'C444' }"
    desk.write(recruiter="prolific", budget='50.00"\nfee_rate = "0.333')
    with Path("campaign.toml").open("a") as file:
        file.write(f"[recruiting.prolific]\nworkspace = 'w'\nproject = 'p'\ncodes = {codes}\n")
    monkeypatch.setenv("PHOTOCHAT_PROLIFIC_TOKEN", "token")
    for words in (["launch", "--skip-check"], ["status"], ["review"], ["close"]):
        status, _, err = desk.run(*words)
        assert (status, "add --production" in err) == (2, True), words
