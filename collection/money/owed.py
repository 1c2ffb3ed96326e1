"""Who is owed what: the pure rule from people who have finished and what was handed in.

A submission is somebody's if it has their worker id and their assignment's id, or else their worker
id and their completion code. A code alone proves nothing: it may have been copied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

import msgspec

from collection.money.pay import Pay, bonus_of
from collection.money.people import Person
from collection.recruiting.recruiter import Submission


class Debt(msgspec.Struct, frozen=True):
    """Something owed to a person. `submission` is None where there is none to pay it under."""

    person: Person
    amount: Decimal
    submission: Submission | None = None


class Owed(msgspec.Struct, frozen=True):
    """Everybody whose participation is paid, each in exactly one list.

    A `bonus` debt is the bonus alone, for the reward comes with the approval; a `missing` debt is
    both, for there is nothing to approve. A `late` one has been compensated and has handed in
    nevertheless: the reward may come by approval, the bonus does not come again.
    """

    bonus: tuple[Debt, ...] = ()
    reward_only: tuple[Debt, ...] = ()  # approved, and there is no bonus for this way to end
    to_review: tuple[Debt, ...] = ()  # handed in, not decided: nothing is paid before
    rejected: tuple[Debt, ...] = ()
    may_still_submit: tuple[Debt, ...] = ()
    missing: tuple[Debt, ...] = ()
    late: tuple[Debt, ...] = ()


def owed(
    pay: Pay,
    people: Iterable[Person],
    submissions: Sequence[Submission],
    *,
    now: float,
    grace_seconds: float,
    compensated: Collection[int] = (),
) -> Owed:
    """Tell who is owed what. `compensated` are participants for whom that has been begun.

    Nobody counts as missing earlier than `grace_seconds` after finishing: until then the
    submission may still come. It should be no less than the time that an assignment has.
    """
    lists: dict[str, list[Debt]] = {name: [] for name in Owed.__struct_fields__}
    paid = [person for person in people if person.kind is not None]
    found = match(paid, submissions)
    for person in paid:
        assert person.kind is not None
        bonus, submission = bonus_of(pay, person.kind), found.get(person.participant)
        if person.participant in compensated:
            name, amount = ("missing" if submission is None else "late"), pay.reward + bonus
        elif submission is None:
            over = now >= person.finished_at + grace_seconds
            name, amount = ("missing" if over else "may_still_submit"), pay.reward + bonus
        elif submission.state == "approved":
            name, amount = ("bonus" if bonus else "reward_only"), bonus
        else:
            name = "rejected" if submission.state == "rejected" else "to_review"
            amount = bonus
        lists[name].append(Debt(person, amount, submission))
    return Owed(**{name: tuple(debts) for name, debts in lists.items()})


def match(people: Sequence[Person], submissions: Sequence[Submission]) -> dict[int, Submission]:
    """Find each person's submission; one submission is nobody else's as well."""
    by_id = {(one.worker, one.id): one for one in submissions}
    found: dict[int, Submission] = {}
    for person in people:
        own = by_id.pop((person.worker, person.assignment), None)
        if own is not None:
            found[person.participant] = own
    by_code: dict[tuple[str, str], Submission] = {}
    for one in by_id.values():
        by_code.setdefault((one.worker, written_code(one)), one)
    for person in people:
        if person.participant not in found and person.code:
            own = by_code.pop((person.worker, person.code), None)
            if own is not None:
                found[person.participant] = own
    return found


def written_code(submission: Submission) -> str:
    """Return the completion code of a submission as it was meant: capitals, no spaces."""
    return "".join(submission.answers.get("code", "").split()).upper()
