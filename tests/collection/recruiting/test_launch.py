"""Launching, extending and closing: nothing is offered twice and nothing too much."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest

from collection.database import Database
from collection.money import ledger
from collection.money.ledger import BudgetError
from collection.recruiting.close import close
from collection.recruiting.extend import extend
from collection.recruiting.launch import launch, order_of
from collection.recruiting.recruiter import TryAgainError
from collection.recruiting.status import status_of
from tests.collection.recruiting.stage import PAY, Stage


class Killed(BaseException):
    """The process ends here."""


def test_as_many_places_as_the_photos_need_in_postings_of_nine(stage):
    """A second launch finds nothing missing."""
    result = launch(*stage.parts(), **stage.timing)
    assert [one.assignments for one in stage.shown()] == [8] * 5
    assert (result.places, result.carried.confirmed) == (40, 5)
    # 40 rewards of 0.50 with 20% fee, and the dearest bonus, 1.00 with its fee, for each.
    assert result.committed == Decimal("72.00")
    again = launch(*stage.parts(), **stage.timing)
    assert (again.places, len(stage.shown())) == (0, 5)


def test_a_dry_run_shows_what_would_be_done_and_leaves_no_trace(stage):
    """Neither at the platform nor in the ledger."""
    result = launch(*stage.parts(), dry_run=True, **stage.timing)
    assert [one.assignments for one in result.postings] == [8] * 5
    assert sum(one.amount + one.fee + one.promised for one in result.postings) == Decimal("72.00")
    assert stage.shown() == []
    with stage.database.read() as reader:
        assert ledger.calls(reader, stage.campaign) == []


def test_a_pace_tops_up_what_has_been_taken(stage):
    """Places handed in are no longer open; conversations held need none."""
    stage.with_terms(open_at_once=6)
    launch(*stage.parts(), pace=True, **stage.timing)
    assert [one.assignments for one in stage.shown()] == [6]
    for worker in "abcd":
        stage.work(worker)
    stage.complete(2)
    launch(*stage.parts(), pace=True, **stage.timing)
    assert [one.assignments for one in stage.shown()] == [6, 4]
    assert sum(one.available for one in stage.shown()) == 6


def test_returned_work_is_offered_again_by_the_platform_not_by_us(stage):
    """A place that comes back is open; one that nobody completed is missing."""
    launch(*stage.parts(), **stage.timing)
    submission = stage.accept("ann")
    stage.recruiter.give_back(submission)
    stage.work("ben", "partner-gone")
    result = launch(*stage.parts(), **stage.timing)
    assert result.places == 1


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("which", range(5))
def test_a_launch_killed_at_any_call_is_finished_by_the_next(stage, moment, which):
    """Before the platform was asked, or before its answer was stored."""
    calls = []

    def kill(when: str, operation: str) -> None:
        if operation == "publish" and when == moment:
            calls.append(when)
            if len(calls) == which + 1:
                raise Killed

    stage.recruiter.fault = kill
    with pytest.raises(Killed):
        launch(*stage.parts(), **stage.timing)
    stage.recruiter.fault = lambda when, operation: None
    launch(*stage.parts(), **stage.timing)
    assert [one.assignments for one in stage.shown()] == [8] * 5
    with stage.database.read() as reader:
        rows = ledger.calls(reader, stage.campaign)
    assert [row.state for row in rows] == ["confirmed"] * 5
    assert sorted(row.posting for row in rows) == sorted(one.id for one in stage.shown())


def test_two_launches_at_once_offer_once(database, tmp_path):
    """In two processes it is the same: the database decides."""
    stage = Stage(database, tmp_path)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            launch(*stage.parts(), clock=stage.clock, sleep=stage.sleep)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sum(one.assignments for one in stage.shown()) == 40


def test_what_another_database_had_published_is_taken_over_and_topped_up(stage, tmp_path):
    """From a backup, or begun anew under the same name: closed postings offer nothing any more."""
    launch(*stage.parts(), **stage.timing)
    for posting in stage.shown()[1:]:
        stage.recruiter.expire(posting.id)
    stage.now += 30 * 3600
    empty = Database(f"sqlite:///{tmp_path}/anew.db")
    empty.migrate()
    anew = Stage(empty, tmp_path)
    anew.now, anew.recruiter = stage.now, stage.recruiter
    result = launch(*anew.parts(), **anew.timing)
    assert result.carried.found == 5
    assert [one.open for one in stage.shown()] == [True] + [False] * 4 + [True] * 4
    assert sum(one.available for one in stage.shown() if one.open) == 40
    assert launch(*anew.parts(), **anew.timing).places == 0
    empty.close()


def test_what_the_budget_does_not_cover_is_not_begun(sqlite, tmp_path):
    """One line with the numbers; nothing was published and nothing stands in the ledger."""
    stage = Stage(sqlite, tmp_path, pay={**PAY, "budget": "71.99"})
    with pytest.raises(BudgetError, match=r"71\.99"):
        launch(*stage.parts(), **stage.timing)
    assert stage.shown() == []
    with stage.database.read() as reader:
        assert ledger.calls(reader, stage.campaign) == []


def test_a_platform_that_does_not_answer_leaves_work_for_the_next_run(stage):
    """And the next run offers nothing beside it."""

    def down(when: str, operation: str) -> None:
        if operation == "publish" and when == "before":
            raise TryAgainError("down")

    stage.recruiter.fault = down
    result = launch(*stage.parts(), **stage.timing)
    assert result.carried.stopped
    assert result.carried.left == 5
    stage.recruiter.fault = lambda when, operation: None
    assert launch(*stage.parts(), **stage.timing).places == 0
    assert sum(one.assignments for one in stage.shown()) == 40


def test_a_posting_that_the_platform_shows_no_more_is_not_open(stage):
    """After a day; until then it may only be slow to list."""
    launch(*stage.parts(), **stage.timing)
    stage.recruiter._books.execute("DELETE FROM postings WHERE id = 1")
    assert launch(*stage.parts(), **stage.timing).places == 0
    stage.now += 86400 + 1
    assert launch(*stage.parts(), **stage.timing).places == 8


def test_who_has_taken_part_as_often_as_allowed_sees_it_no_more(sqlite, tmp_path):
    """By a private qualification that the next launch gives."""
    stage = Stage(sqlite, tmp_path, rules={"conversations_per_worker": 1})
    launch(*stage.parts(), **stage.timing)
    stage.work("ann")
    assert launch(*stage.parts(), **stage.timing).done_workers == 1
    with pytest.raises(AssertionError):
        stage.accept("ann")
    stage.accept("ben")
    assert launch(*stage.parts(), **stage.timing).done_workers == 0


def test_what_is_ordered_is_what_the_campaign_file_says(stage):
    """On MTurk with the page in a frame; the requirements in the words of the interface."""
    stage.with_terms(
        title="Talk", locales=("US",), percent_approved=97, trained=True, assignment_minutes=30
    )
    order = order_of(stage.campaign, "mturk", 9)
    assert (order.title, order.assignment_seconds) == ("Talk", 1800)
    assert "<ExternalURL>http://127.0.0.1:1/join/photos</ExternalURL>" in order.question
    assert [(one.name, one.comparator, one.values) for one in order.requirements] == [
        ("done", "DoesNotExist", ()),
        ("not-again", "DoesNotExist", ()),
        ("trained", "Exists", ()),
        ("locale", "In", ("US",)),
        ("percent approved", "GreaterThanOrEqualTo", ("97",)),
    ]
    assert order_of(stage.campaign, "prolific", 9).question == "http://127.0.0.1:1/join/photos"


def test_extending_asks_for_what_shall_be(stage):
    """Places fill postings up to nine, and no further; twice is once."""
    stage.with_terms(open_at_once=6)
    launch(*stage.parts(), pace=True, **stage.timing)
    options: dict[str, Any] = {"hours": 0, "open_places": 12}
    result = extend(*stage.parts(), **options, **stage.timing)
    assert [(one.assignments, one.seconds) for one in result.extensions] == [(3, 0)]
    assert result.short == 3
    assert extend(*stage.parts(), **options, **stage.timing).extensions == ()
    assert [one.assignments for one in stage.shown()] == [9]


def test_time_is_given_once_within_the_hour(stage):
    """A week that is not over needs no more; afterwards all stay open."""
    launch(*stage.parts(), **stage.timing)
    assert extend(*stage.parts(), hours=24, **stage.timing).extensions == ()
    stage.now += 6.5 * 86400
    first = extend(*stage.parts(), hours=24, **stage.timing)
    assert len(first.extensions) == 5
    assert extend(*stage.parts(), hours=24, **stage.timing).extensions == ()
    assert all(one.open for one in stage.shown())
    assert {one.expires_at for one in stage.shown()} == {stage.now + 24 * 3600}


def test_what_is_closed_gets_no_places_before_it_is_opened(stage):
    """Nothing is reserved for it; opened, its own free places are counted first."""
    stage.with_terms(open_at_once=6)
    launch(*stage.parts(), pace=True, **stage.timing)
    stage.work("ann")
    close(*stage.parts(), **stage.timing)
    result = extend(*stage.parts(), hours=0, open_places=7, **stage.timing)
    assert (result.extensions, result.short) == ((), 7)
    for _ in range(2):
        result = extend(*stage.parts(), hours=48, open_places=7, **stage.timing)
        assert result.short == 0
        assert [(one.assignments, one.available, one.open) for one in stage.shown()] == [
            (8, 7, True)
        ]


def test_what_is_closed_within_the_hour_is_opened_again(stage):
    """Each time it is another call; twice in between is one."""
    launch(*stage.parts(), **stage.timing)
    for hours in (200, 1, 200, 200):
        close(*stage.parts(), **stage.timing)
        assert not any(one.open for one in stage.shown())
        for _ in range(3):
            stage.now += 1
            extend(*stage.parts(), hours=hours, **stage.timing)
        # Within the hour one call more at most, which began when the second was asked for.
        begun = {stage.now - (one.expires_at - hours * 3600) for one in stage.shown()}
        assert begun <= {1.0, 2.0}


def test_closing_lets_nobody_in_and_decides_nothing(stage):
    """What was handed in is listed; those at work may finish; extend opens again."""
    launch(*stage.parts(), **stage.timing)
    stage.work("ann")
    still = stage.accept("ben")
    assert close(*stage.parts(), dry_run=True, **stage.timing).expired
    assert all(one.open for one in stage.shown())
    result = close(*stage.parts(), **stage.timing)
    assert len(result.expired) == 5
    assert result.at_work == 1
    assert [entry.worker for entry in result.to_decide] == ["ann"]
    assert not any(one.open for one in stage.shown())
    stage.recruiter.submit(still, {})
    assert close(*stage.parts(), **stage.timing).expired == ()
    assert stage.recruiter.spent() == 0
    extend(*stage.parts(), hours=5, **stage.timing)
    assert any(one.open for one in stage.shown())
    close(*stage.parts(), **stage.timing)
    assert not any(one.open for one in stage.shown())


def test_status_counts_what_there_is(stage):
    """Postings, submissions, deadlines and money."""
    launch(*stage.parts(), **stage.timing)
    stage.work("ann")
    stage.work("ben", "no-partner", code="made up")
    launch(*stage.parts(), **stage.timing)
    with stage.database.read() as reader:
        found = status_of(reader, stage.campaign, now=stage.now)
    assert (found.wanted, found.completed) == (20, 0)
    assert found.endings == {"complete": 1, "no_partner": 1}
    assert found.submissions == {"submitted": 2}
    assert found.odd == {"unknown-code": 1}
    assert found.next_deadline == stage.now + 7 * 86400
    assert (found.spent, found.budget) == (Decimal("0.00"), Decimal("500.00"))
