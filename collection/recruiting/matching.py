"""Which participation a submission is for: pure rules over what the platform and the server know.

The platform's id of the work stands in the link that a worker came by, so it tells whose it is; the
code that a worker hands in confirms it. Whatever does not agree is named and left to people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from collection.money.people import Person
from collection.recruiting.recruiter import Submission

Finding = Literal["no-code", "unknown-code", "someone-elses-code", "twice", "not-finished"]

# What a requester reads beside a submission.
FINDINGS: dict[Finding, str] = {
    "no-code": "handed in without a code",
    "unknown-code": "the code is not one of ours",
    "someone-elses-code": "the code is another worker's",
    "twice": "this participation has been handed in before",
    "not-finished": "the worker came in and has not finished",
}


class Match(msgspec.Struct, frozen=True):
    """Whose participation a submission is for (None: nobody's), and what is odd about it."""

    person: Person | None
    finding: Finding | None


def match(
    submissions: Iterable[Submission],
    people: Iterable[Person],
    *,
    unfinished: Iterable[tuple[str, str]] = (),
    expected: Callable[[Person], str | None] = lambda person: person.code,
) -> dict[str, Match]:
    """Match submissions with finished participations, in the order of handing in.

    `unfinished` are (worker, assignment) of those who came and have not finished; `expected` says
    which code a person was given to hand in.
    """
    everybody = list(people)
    by_work = {(person.worker, person.assignment): person for person in everybody}
    by_code: dict[str, list[Person]] = {}
    for each in everybody:
        by_code.setdefault(_code(expected(each)), []).append(each)
    still_there = set(unfinished)
    taken: set[int] = set()
    matches = {}
    for one in sorted(submissions, key=lambda one: (one.submitted_at, one.id)):
        code = _code(one.answers.get("code"))
        owners = by_code.get(code, []) if code else []
        mine = [each for each in owners if each.worker == one.worker]
        person = by_work.get((one.worker, one.id))
        if person is None:  # came by another link than the work's
            person = next((each for each in mine if each.participant not in taken), None)
        person = person or (mine[0] if mine else None)
        finding = _finding(code, person, owners, (one.worker, one.id) in still_there, expected)
        if person is not None and person.participant in taken:
            person, finding = None, "twice"
        if person is not None:
            taken.add(person.participant)
        matches[one.id] = Match(person, finding)
    return matches


def _finding(
    code: str,
    person: Person | None,
    owners: list[Person],
    is_there: bool,
    expected: Callable[[Person], str | None],
) -> Finding | None:
    if person is not None and code and code == _code(expected(person)):
        return None
    if code and owners:
        return "someone-elses-code"
    if person is None and is_there:
        return "not-finished"
    return "unknown-code" if code else "no-code"


def _code(text: str | None) -> str:
    """A code as it is compared: people type small letters and spaces."""
    return "".join((text or "").split()).upper()
