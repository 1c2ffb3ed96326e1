"""Whose participation a submission is for, and what is odd about it."""

from __future__ import annotations

import pytest

from collection.money.people import Person
from collection.recruiting.matching import match
from collection.recruiting.recruiter import Submission


def person(number: int, worker: str, assignment: str, code: str | None = None) -> Person:
    code = code or f"CODE{number}"
    return Person(number, worker, assignment, "complete", "submitted", code, 0.0, 1.0)


def submission(id: str, worker: str, code: str | None, at: float = 0.0) -> Submission:
    answers = {} if code is None else {"code": code}
    return Submission(id, "P", worker, "submitted", at, answers)


ANN, BEN = person(1, "ann", "s1"), person(2, "ben", "s2")


@pytest.mark.parametrize(
    ("handed_in", "whose", "finding"),
    [
        (submission("s1", "ann", "CODE1"), 1, None),
        (submission("s1", "ann", " co de1 "), 1, None),
        (submission("s1", "ann", None), 1, "no-code"),
        (submission("s1", "ann", "CODE9"), 1, "unknown-code"),
        (submission("s1", "ann", "CODE2"), 1, "someone-elses-code"),
        (submission("s9", "ann", "CODE1"), 1, None),  # came by another link than the work's
        (submission("s9", "ann", None), None, "no-code"),
        (submission("s9", "cat", "CODE1"), None, "someone-elses-code"),
        (submission("s1", "cat", "CODE1"), None, "someone-elses-code"),
        (submission("s9", "cat", "x"), None, "unknown-code"),
        (submission("s3", "dan", None), None, "not-finished"),
    ],
)
def test_one_submission(handed_in, whose, finding):
    """The work's id tells whose it is, the code confirms it; a code alone proves nothing."""
    found = match([handed_in], [ANN, BEN], unfinished=[("dan", "s3")])[handed_in.id]
    assert (found.person.participant if found.person else None) == whose
    assert found.finding == finding


def test_a_participation_is_handed_in_once():
    """The first counts, however the platform lists them."""
    late = submission("s9", "ann", "CODE1", at=9.0)
    found = match([late, submission("s1", "ann", "CODE1", at=1.0)], [ANN])
    assert found["s1"].person == ANN
    assert (found["s9"].person, found["s9"].finding) == (None, "twice")


def test_two_visits_of_one_worker_are_two():
    """Each with its own code."""
    again = person(3, "ann", "s3")
    found = match([submission("a", "ann", "CODE3"), submission("b", "ann", "CODE1")], [ANN, again])
    assert found["a"].person == again
    assert found["b"].person == ANN


def test_where_all_who_end_alike_have_one_code_the_work_tells_them_apart():
    """As on Prolific."""
    found = match(
        [submission("s1", "ann", "DONE"), submission("s2", "ben", "OTHER")],
        [ANN, BEN],
        expected=lambda person: "DONE",
    )
    assert (found["s1"].person, found["s1"].finding) == (ANN, None)
    assert (found["s2"].person, found["s2"].finding) == (BEN, "unknown-code")
