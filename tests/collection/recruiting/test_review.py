"""Decisions about what was handed in: by people, by the file's rules, by spreadsheet."""

from __future__ import annotations

import csv
from decimal import Decimal
from typing import Any

import pytest

from collection.money import ledger
from collection.money.carry_out import carry_out
from collection.money.reconcile import reconcile
from collection.recruiting.launch import launch
from collection.recruiting.recruiter import RecruiterError
from collection.recruiting.review import Decision, Entry, approvable, decide, entries
from collection.recruiting.review_csv import read_decisions, write_review
from collection.recruiting.status import status_of
from collection.recruiting.synchronise import synchronise
from photochat.errors import DataError
from tests.collection.recruiting.stage import Stage

REASON = (
    "You wrote only single letters after the first message; please write to us if the page failed."
)


@pytest.fixture
def handed_in(stage: Stage) -> dict[str, str]:
    """Six workers, each with a submission of another kind; returns the submissions by worker."""
    launch(*stage.parts(), **stage.timing)
    work = {
        "ann": stage.work("ann"),
        "ben": stage.work("ben", "no-partner"),
        "cat": stage.work("cat", code=""),
        "dan": stage.work("dan", code="CODEANN"),
        "eve": stage.work("eve", "left", code=""),
    }
    work["fay"] = stage.accept("fay")  # never came to the chat server
    stage.recruiter.submit(work["fay"], {"code": "CODEANN"})
    synchronise(*stage.parts(), clock=stage.clock)
    return work


def listed(stage: Stage) -> dict[str, Entry]:
    with stage.database.read() as reader:
        return {entry.worker: entry for entry in entries(reader, stage.campaign)}


def made(stage: Stage, *decisions: Decision, platform: str = "simulated") -> int:
    with stage.database.writing.begin() as connection:
        return decide(connection, stage.campaign, platform, decisions, now=stage.now)


def carried(stage: Stage) -> None:
    carry_out(*stage.parts(), **stage.timing)
    synchronise(*stage.parts(), clock=stage.clock)


def test_each_submission_is_shown_with_how_it_ended_and_what_is_odd(stage, handed_in):
    """And when the platform will approve it by itself."""
    found = listed(stage)
    assert {name: (one.kind, one.finding) for name, one in found.items()} == {
        "ann": ("complete", None),
        "ben": ("no_partner", None),
        "cat": ("complete", "no-code"),
        "dan": ("complete", "someone-elses-code"),
        "eve": (None, "no-code"),
        "fay": (None, "someone-elses-code"),
    }
    assert found["eve"].reason == "left"
    assert found["ann"].deadline == stage.now + 7 * 86400
    assert all(one.is_open for one in found.values())


def test_automatically_only_what_the_file_names_and_nothing_odd(stage, handed_in):
    """A missing code is no matter where the server's own record proves the work."""
    who = [one.submission for one in approvable(listed(stage).values(), stage.campaign)]
    assert who == [handed_in[name] for name in ("ann", "ben", "cat")]
    review = type(stage.campaign.review)(approve=("complete",))
    narrow = type(stage.campaign)(review=review)
    who = [one.submission for one in approvable(listed(stage).values(), narrow)]
    assert who == [handed_in[name] for name in ("ann", "cat")]


def test_a_decision_is_carried_out_once_however_often_it_is_made(stage, handed_in):
    """Approvals draw on what the posting has reserved: nothing is committed anew."""
    with stage.database.read() as reader:
        before = ledger.committed(reader, stage.campaign)
    yes = Decision(handed_in["ann"], "approve")
    assert made(stage, yes) == 1
    assert made(stage, yes) == 0
    carried(stage)
    assert made(stage, yes) == 0
    assert listed(stage)["ann"].state == "approved"
    assert stage.recruiter.spent() == Decimal("0.60")
    with stage.database.read() as reader:
        assert ledger.committed(reader, stage.campaign) == before


def test_a_rejection_carries_its_reason_and_can_be_turned_back(stage, handed_in):
    """An override is a call of its own; what was approved stays so."""
    fay = handed_in["fay"]
    made(stage, Decision(fay, "reject", REASON))
    carried(stage)
    assert listed(stage)["fay"].state == "rejected"
    with pytest.raises(DataError, match="override"):
        made(stage, Decision(fay, "approve"))
    made(stage, Decision(fay, "override", "Sorry, this was our mistake."))
    carried(stage)
    assert listed(stage)["fay"].state == "approved"
    with pytest.raises(DataError, match="cannot be taken back"):
        made(stage, Decision(fay, "reject", REASON))
    with stage.database.read() as reader:
        rows = ledger.calls(reader, stage.campaign, kinds=("reject", "override"))
    assert [(row.kind, row.reason) for row in rows] == [
        ("reject", REASON),
        ("override", "Sorry, this was our mistake."),
    ]


@pytest.mark.parametrize("reason", ["", "bad", "x" * 200, "no no " * 40])
def test_a_rejection_without_words_one_can_act_on_is_refused(stage, handed_in, reason):
    """It counts against the worker's account."""
    with pytest.raises(DataError, match="what the worker can do now"):
        made(stage, Decision(handed_in["fay"], "reject", reason))
    assert listed(stage)["fay"].is_open


@pytest.mark.parametrize("reason", [REASON + "\x07", f"{REASON} " * 11])
def test_a_reason_that_mturk_would_refuse_is_not_sent(stage, handed_in, reason):
    """Too long, or with characters that nobody can read; a word with an approval likewise."""
    for action in ("reject", "approve"):
        with pytest.raises(DataError, match=r"control character|1,024 characters at most"):
            made(stage, Decision(handed_in["fay"], action, reason), platform="mturk")
    assert listed(stage)["fay"].decision is None


def refuse(moment: str, operation: str) -> None:
    if operation in ("approve", "reject") and moment == "before":
        raise RecruiterError("not so")


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_a_decision_that_was_refused_is_made_anew(stage, handed_in, action):
    """The same or another; the old one is kept, and is no failure and no difference any more."""
    stage.recruiter.fault = refuse
    made(stage, Decision(handed_in["ann"], "reject", REASON))
    carried(stage)
    stage.recruiter.fault = lambda moment, operation: None
    refused = listed(stage)["ann"]
    assert (refused.is_open, refused.decided) == (True, "failed-final")
    assert handed_in["ann"] not in [
        one.submission for one in approvable(listed(stage).values(), stage.campaign)
    ]
    again = Decision(handed_in["ann"], action, REASON if action == "reject" else "")
    assert (made(stage, again), made(stage, again)) == (1, 0)
    carried(stage)
    assert listed(stage)["ann"].state == {"approve": "approved", "reject": "rejected"}[action]
    with stage.database.writing.begin() as connection:
        rows = ledger.calls(connection, stage.campaign, kinds=("approve", "reject"))
        assert [(one.kind, one.state) for one in rows] == [
            ("reject", "withdrawn"),
            (action, "confirmed"),
        ]
        assert ledger.retry_failed(connection, stage.campaign, now=stage.now) == 0
    assert reconcile(*stage.parts(), **stage.timing).is_clean


def test_a_refused_decision_that_the_platform_carried_out_after_all_is_written_down(
    stage, handed_in
):
    """Two processes ask, the later is refused, and the answer to the earlier comes at last."""

    def slow(moment: str, operation: str) -> None:
        if (moment, operation) == ("after", "reject"):
            stage.recruiter.fault = refuse
            stage.now += 100
            carry_out(*stage.parts(), **stage.timing)
            made(stage, Decision(handed_in["ann"], "approve"))

    stage.recruiter.fault = slow
    made(stage, Decision(handed_in["ann"], "reject", REASON))
    carried(stage)
    with stage.database.read() as reader:
        rows = ledger.calls(reader, stage.campaign, kinds=("approve", "reject"))
    assert [(one.kind, one.state) for one in rows] == [
        ("reject", "confirmed"),
        ("approve", "failed-final"),
    ]
    stage.recruiter.fault = lambda moment, operation: None
    made(stage, Decision(handed_in["ann"], "override"))
    carried(stage)
    assert listed(stage)["ann"].state == "approved"
    assert reconcile(*stage.parts(), **stage.timing).is_clean


def test_decisions_are_made_all_or_none(stage, handed_in):
    """One that cannot be leaves the others undone as well."""
    with pytest.raises(DataError, match="no such chat submission"):
        made(stage, Decision(handed_in["ann"], "approve"), Decision("nothing", "approve"))
    assert listed(stage)["ann"].is_open
    with pytest.raises(DataError, match="was not rejected"):
        made(stage, Decision(handed_in["ann"], "override"))


def test_a_submission_is_decided_one_way_at_a_time(stage, handed_in):
    """Said twice it is one decision; two different ones are none."""
    yes = Decision(handed_in["ann"], "approve")
    with pytest.raises(DataError, match="two different decisions"):
        made(stage, yes, Decision(handed_in["ann"], "reject", REASON))
    assert listed(stage)["ann"].is_open
    assert made(stage, yes, yes) == 1


def test_what_the_platform_approved_by_itself_needs_no_decision(stage, handed_in):
    """And cannot be rejected any more."""
    stage.now += 8 * 86400
    synchronise(*stage.parts(), clock=stage.clock)
    assert not any(one.is_open for one in listed(stage).values())
    assert made(stage, Decision(handed_in["ann"], "approve")) == 0
    with pytest.raises(DataError, match="cannot be taken back"):
        made(stage, Decision(handed_in["fay"], "reject", REASON))


def test_what_masters_cost_is_the_same_in_the_ledger_and_at_the_platform(sqlite, tmp_path):
    """An approval costs what its posting reserved for it, 5% more: 10.00, 2.00 and 0.50."""
    stage = Stage(sqlite, tmp_path, 2, pay={"reward": "10.00", "budget": "100.00"})
    stage.with_terms(masters=True)
    launch(*stage.parts(), **stage.timing)
    submission = stage.work("ann")
    synchronise(*stage.parts(), clock=stage.clock)
    made(stage, Decision(submission, "approve"))
    carried(stage)
    with stage.database.read() as reader:
        assert status_of(reader, stage.campaign).spent == Decimal("12.50")
    found = reconcile(*stage.parts(), **stage.timing)
    assert found.ledger_spent == found.platform_spent == stage.recruiter.spent()


def test_the_spreadsheet_comes_back_with_decisions(stage, handed_in, tmp_path):
    """Rows without one are left for later; no cell is taken for a formula."""
    path = tmp_path / "review.csv"
    write_review(path, listed(stage).values())
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert rows[0]["ended"] == "complete"
    assert {row["finding"] for row in rows} >= {"the code is another worker's"}
    for row in rows:
        row["decision"] = {"ann": "Approve ", "fay": "reject"}.get(row["worker"], "")
        row["reason"] = REASON if row["worker"] == "fay" else ""
    write(path, rows)
    decisions = read_decisions(path)
    assert decisions == [
        Decision(handed_in["ann"], "approve"),
        Decision(handed_in["fay"], "reject", REASON),
    ]
    assert made(stage, *decisions) == 2
    assert made(stage, *decisions) == 0


def test_a_worker_who_calls_himself_a_formula_is_text(stage, tmp_path):
    """Worker ids come from outside."""
    launch(*stage.parts(), **stage.timing)
    stage.work("=HYPERLINK(1)")
    synchronise(*stage.parts(), clock=stage.clock)
    write_review(tmp_path / "review.csv", listed(stage).values())
    assert "'=HYPERLINK(1)" in (tmp_path / "review.csv").read_text()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"decision": "perhaps"}, "row 2: decision: 'perhaps' is no decision"),
        ({"submission": "2", "decision": "approve"}, "row 3: 2 stands twice"),
    ],
)
def test_a_spreadsheet_that_is_wrong_is_named_by_its_row(tmp_path, change, problem):
    """Before anything is decided."""
    path = tmp_path / "review.csv"
    first: dict[str, Any] = {"submission": "1", "decision": "", "reason": "", **change}
    write(path, [first, {"submission": "2", "decision": "approve", "reason": ""}])
    with pytest.raises(DataError, match=problem):
        read_decisions(path)
    path.write_text("a,b\n")
    with pytest.raises(DataError, match="no column 'submission'"):
        read_decisions(path)


def write(path, rows):
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)
