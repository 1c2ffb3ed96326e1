"""Who is owed what: the pure rule from people who have finished and what they have handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal

import msgspec

from collection.money.pay import Pay, bonus_of
from collection.money.people import Person
from collection.recruiting.recruiter import Submission

# Of a compensation: whether the task can still be handed in, or was and is paid, or neither.
Standing = Literal["open", "closed", "paid"]


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
    compensating: tuple[Debt, ...] = ()  # were missing; their compensation has been begun
    compensated: tuple[Debt, ...] = ()
    late: tuple[Debt, ...] = ()


def owed(
    pay: Pay,
    people: Iterable[Person],
    found: Mapping[int, Submission],
    *,
    now: float,
    grace_seconds: float,
    compensations: Mapping[int, Standing] = {},
) -> Owed:
    """Tell who is owed what.

    `found` are the submissions by participant (`collection.recruiting.matching`), `compensations`
    those that have been begun; whose was closed with nothing handed in is missing as before.

    Nobody counts as missing earlier than `grace_seconds` after finishing: until then the
    submission may still come. It should be no less than the time that an assignment has.
    """
    lists: dict[str, list[Debt]] = {name: [] for name in Owed.__struct_fields__}
    for person in people:
        if person.kind is None:
            continue
        bonus, submission = bonus_of(pay, person.kind), found.get(person.participant)
        stands = compensations.get(person.participant, "closed")
        if stands != "closed":
            name = "compensated" if stands == "paid" else "compensating"
            name, amount = (name if submission is None else "late"), pay.reward + bonus
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
