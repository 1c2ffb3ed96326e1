"""`campaign estimate`: what a campaign will cost, at worst may cost, and what an hour of it pays.

Times and shares are measured where enough people have finished, and assumed where not; the
estimate says which. Pure rules; `measure` alone reads the database.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from typing import Literal

import msgspec

from collection.campaign import Campaign
from collection.money.cents import CENT, NOTHING
from collection.money.fees import MANY_ASSIGNMENTS, Fees, assignment_fee, bonus_fee
from collection.money.ledger import BudgetError
from collection.money.pay import LEAST_MINUTES, PAID_KINDS, PaidKind, bonus_of
from collection.money.people import Person
from photochat.errors import DataError

ENOUGH_TIMES = 5  # people of a kind from whose times its median is taken
ENOUGH_PEOPLE = 20  # people who have completed, from whom the shares of the kinds are taken
# Until then, people of each kind for every hundred who complete: ours, from rehearsals. In
# published reports about half of all paired dialogues break off; the worst case counts that.
ASSUMED_IN_A_HUNDRED: Mapping[PaidKind, int] = {
    "complete": 100, "partner_left": 25, "no_partner": 10, "unfinished": 5,
}  # fmt: skip
INTRODUCTION_MINUTES = Decimal(2)  # consent, instructions and check, before anybody waits
_TENTH = Decimal("0.1")


class Kind(msgspec.Struct, frozen=True):
    """One way to end: how many people, what each gets and costs, how long it takes them."""

    kind: PaidKind
    people: int
    people_at_worst: int
    pay: Decimal
    fee: Decimal
    minutes: Decimal
    minutes_from: Literal["measured", "campaign file", "assumed"]
    hourly: Decimal


class Estimate(msgspec.Struct, frozen=True):
    """Amounts with fees unless they say otherwise."""

    campaign: str
    currency: str
    conversations: int
    workers: int
    postings: int
    assignments_per_posting: int
    people_from: Literal["measured", "assumed"]
    kinds: tuple[Kind, ...]
    pay: Decimal  # without fees
    fees: Decimal
    waiting_pay: Decimal  # of `pay`, to people who waited for a partner in vain
    expected: Decimal
    worst: Decimal
    committed: Decimal  # already, before what is estimated
    budget: Decimal
    minimum_hourly: Decimal


class Measured(msgspec.Struct, frozen=True):
    """What people who have finished have shown: minutes by kind, and how many of each kind."""

    minutes: dict[PaidKind, Decimal] = {}
    people: dict[PaidKind, int] = {}


NOTHING_MEASURED = Measured()


def measure(people: Iterable[Person]) -> Measured:
    """Take the median time of each kind, from coming to finishing, and count the kinds."""
    seconds: dict[PaidKind, list[int]] = {kind: [] for kind in PAID_KINDS}
    for person in people:
        if person.kind is not None:
            seconds[person.kind].append(round(person.finished_at - person.joined_at))
    minutes = {
        kind: (Decimal(round(statistics.median(times))) / 60).quantize(_TENTH)
        for kind, times in seconds.items()
        if len(times) >= ENOUGH_TIMES
    }
    return Measured(minutes, {kind: len(times) for kind, times in seconds.items()})


def estimate(
    campaign: Campaign,
    conversations: int,
    fees: Fees,
    *,
    measured: Measured = NOTHING_MEASURED,
    committed: Decimal = NOTHING,
) -> Estimate:
    """Estimate what so many conversations cost, beside what is committed already.

    At worst as many participations as complete break off before, each in the dearest way, and
    everybody is paid: about half of all paired dialogues is what others report.

    Raises:
        DataError: nothing was measured yet, and no time is assumed either.
    """
    pay, terms = campaign.pay, campaign.recruiting
    complete = 2 * conversations
    per_posting = terms.assignments_per_posting
    enough = measured.people.get("complete", 0) >= ENOUGH_PEOPLE
    shares = measured.people if enough else ASSUMED_IN_A_HUNDRED
    reward_fee = assignment_fee(fees, pay.reward, per_posting, masters=terms.masters)
    unit = {
        kind: pay.reward + reward_fee + bonus_of(pay, kind) + bonus_fee(fees, bonus_of(pay, kind))
        for kind in PAID_KINDS
    }
    dearest = max((kind for kind in PAID_KINDS if kind != "complete"), key=lambda kind: unit[kind])
    kinds = []
    for kind in PAID_KINDS:
        people = -(-complete * shares.get(kind, 0) // shares["complete"])
        minutes, source = _minutes(campaign, kind, measured)
        amount = pay.reward + bonus_of(pay, kind)
        kinds.append(
            Kind(
                kind,
                people,
                complete if kind in ("complete", dearest) else 0,
                amount,
                unit[kind] - amount,
                minutes,
                source,
                (amount * 60 / minutes).quantize(CENT, ROUND_DOWN),
            )
        )
    workers = sum(kind.people for kind in kinds)
    waiting = next(kind for kind in kinds if kind.kind == "no_partner")
    return Estimate(
        campaign=campaign.name,
        currency=pay.currency,
        conversations=conversations,
        workers=workers,
        postings=-(-workers // per_posting),
        assignments_per_posting=per_posting,
        people_from="measured" if enough else "assumed",
        kinds=tuple(kinds),
        pay=sum((kind.people * kind.pay for kind in kinds), NOTHING),
        fees=sum((kind.people * kind.fee for kind in kinds), NOTHING),
        waiting_pay=waiting.people * waiting.pay,
        expected=sum((kind.people * (kind.pay + kind.fee) for kind in kinds), NOTHING),
        worst=sum((kind.people_at_worst * (kind.pay + kind.fee) for kind in kinds), NOTHING),
        committed=committed,
        budget=pay.budget,
        minimum_hourly=pay.minimum_hourly,
    )


def check(found: Estimate) -> None:
    """Refuse a campaign that pays too little an hour, or may cost more than its budget.

    Raises:
        DataError: a kind of participation is below the floor.
        BudgetError: the worst case is above the cap.
    """
    check_floor(found)
    if found.committed + found.worst > found.budget:
        already = f" beside {found.committed:.2f} committed" if found.committed else ""
        raise BudgetError(
            f"at worst {found.worst:.2f} {found.currency}{already} is above the cap of "
            f"{found.budget:.2f}: raise it, or hold fewer conversations",
            field="pay.budget",
        )


def check_floor(found: Estimate) -> None:
    """Refuse a campaign that pays too little an hour.

    Raises:
        DataError: a kind of participation is below the floor.
    """
    for kind in found.kinds:
        if kind.hourly < found.minimum_hourly:
            needed = (found.minimum_hourly * kind.minutes / 60).quantize(CENT, ROUND_CEILING)
            raise DataError(
                f"{kind.pay:.2f} for {kind.minutes:f} minutes ({kind.minutes_from}) is "
                f"{kind.hourly:.2f} {found.currency} an hour, below pay.minimum_hourly "
                f"({found.minimum_hourly:.2f}): pay {needed:.2f} or more in all, by pay.reward or "
                f"pay.bonus.{kind.kind}",
                field=f"pay.bonus.{kind.kind}",
            )


def dearer_fee(fees: Fees, campaign: Campaign) -> Decimal | None:
    """Return what each assignment costs more because postings have ten or more; None if not."""
    if campaign.recruiting.assignments_per_posting < MANY_ASSIGNMENTS:
        return None
    reward, masters = campaign.pay.reward, campaign.recruiting.masters
    many = assignment_fee(fees, reward, MANY_ASSIGNMENTS, masters=masters)
    return many - assignment_fee(fees, reward, 1, masters=masters)


def _minutes(
    campaign: Campaign, kind: PaidKind, measured: Measured
) -> tuple[Decimal, Literal["measured", "campaign file", "assumed"]]:
    """Return how long a kind takes, and where that is from.

    Waiting in vain lasts as long as the waiting room lets it; a partner who leaves does so half
    way; what is broken off late takes as long as what is completed.
    """
    written: Decimal | None = getattr(campaign.pay.minutes, kind)
    if kind in measured.minutes and measured.minutes[kind] > 0:
        return measured.minutes[kind], "measured"
    if written is not None:
        return written, "campaign file"
    if kind == "no_partner":
        waiting = Decimal(round(campaign.timeouts.waiting)) / 60
        return (INTRODUCTION_MINUTES + waiting).quantize(_TENTH), "assumed"
    if kind == "complete":
        raise DataError(
            "nobody has finished yet, so the time is not known: rehearse it, then write how many "
            'minutes a whole participation takes: "12"',
            field="pay.minutes.complete",
        )
    whole, _ = _minutes(campaign, "complete", measured)
    part = whole / 2 if kind == "partner_left" else whole
    return max(part.quantize(_TENTH), LEAST_MINUTES), "assumed"
