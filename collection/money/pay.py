"""What a campaign promises its workers, by how a participation ended: the campaign file's [pay].

Everybody whose participation is paid gets the reward, which is that of the posting (MTurk: the
HIT's), and on top of it the bonus of the way it ended. Amounts are written as text: "1.50".
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, get_args

import msgspec

from collection.money.cents import NOTHING, problem_of
from collection.money.fees import FREE, MTURK, Fees, assignment_fee, bonus_fee
from collection.participation import PAID, ending

PaidKind = Literal["complete", "partner_left", "no_partner", "unfinished"]
PAID_KINDS: tuple[PaidKind, ...] = get_args(PaidKind)

MOST_OF_A_CAMPAIGN = Decimal(1_000_000)
LEAST_MINUTES, MOST_MINUTES = Decimal("0.1"), 24 * 60
# The United States' federal minimum wage (29 U.S.C. 206); a campaign can set its own floor.
FEDERAL_MINIMUM_HOURLY = Decimal("7.25")
_TALKING = ("chatting", "choosing")


class Bonus(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is paid on top of the reward, by how a participation ended."""

    complete: Decimal = NOTHING
    partner_left: Decimal = NOTHING
    no_partner: Decimal = NOTHING
    unfinished: Decimal = NOTHING  # the photo was shared, or the time was over


class Minutes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long each kind is assumed to take, of a worker's time, until it can be measured."""

    complete: Decimal | None = None
    partner_left: Decimal | None = None
    no_partner: Decimal | None = None
    unfinished: Decimal | None = None


class Pay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section [pay]. `budget` caps all that the campaign may cost, fees included."""

    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")] = "USD"
    reward: Decimal = NOTHING
    bonus: Bonus = Bonus()
    budget: Decimal = NOTHING
    minimum_hourly: Decimal = FEDERAL_MINIMUM_HOURLY
    fee_rate: Decimal | None = None  # a platform's own contract: "0.333"; None is MTurk's rules
    minutes: Minutes = Minutes()
    # How long somebody without a submission may still hand one in, before the work is paid for
    # by a compensation posting.
    compensate_after_hours: Annotated[int, msgspec.Meta(ge=0, le=24 * 30)] = 24


class Money(msgspec.Struct, frozen=True):
    """What is committed: `owed` to those who have ended, `promised` to those still there."""

    currency: str
    owed: Decimal
    promised: Decimal
    committed: Decimal


def paid_kind(reason: str | None, *, talked: bool, shared: bool) -> PaidKind | None:
    """Return which bonus a finished participation earns; None where it is not paid.

    `talked` and `shared` say whether the worker was in a conversation that broke off, and whether
    the photo had been shared in one: who is let out of the waiting room after that is not paid as
    somebody who only waited.
    """
    if reason is None or ending(reason)[0] not in PAID:
        return None
    if ending(reason)[0] == "complete":
        return "complete"
    if shared or reason == "time-over":
        return "unfinished"
    return "partner_left" if talked or reason == "partner-gone" else "no_partner"


def bonus_of(pay: Pay, kind: PaidKind) -> Decimal:
    """Return the bonus of a kind."""
    amount: Decimal = getattr(pay.bonus, kind)
    return amount


def fees_of(pay: Pay, recruiter: str) -> Fees:
    """Return a recruiter's fees: the file's rate if there is one, else by the platform's name."""
    if pay.fee_rate is not None:
        return Fees(pay.fee_rate)
    return FREE if recruiter == "link" else MTURK


def dearest_bonus(pay: Pay, fees: Fees) -> Decimal:
    """Return the most that one participation's bonus can cost, its fee included."""
    bonuses = (bonus_of(pay, kind) for kind in PAID_KINDS)
    return max(bonus + bonus_fee(fees, bonus) for bonus in bonuses)


def cost_of(pay: Pay, fees: Fees, kind: PaidKind) -> Decimal:
    """Return what one participation costs the requester, on a posting of few assignments."""
    bonus = bonus_of(pay, kind)
    return pay.reward + assignment_fee(fees, pay.reward, 1) + bonus + bonus_fee(fees, bonus)


def committed(pay: Pay, kinds: Mapping[PaidKind, int], stages: Mapping[str, int]) -> Money:
    """Add up a campaign's pay, without fees, from people by kind of ending and by stage.

    Whoever is in a conversation counts as one who completes it, whoever waits as one who waits in
    vain: what comes of those who are there now if all goes well and nobody new comes.
    """
    owed = sum(
        (count * (pay.reward + bonus_of(pay, kind)) for kind, count in kinds.items()), NOTHING
    )
    talking = sum(stages.get(stage, 0) for stage in _TALKING)
    waiting = stages.get("waiting", 0)
    promised = talking * (pay.reward + pay.bonus.complete)
    promised += waiting * (pay.reward + pay.bonus.no_partner)
    return Money(pay.currency, owed, promised, owed + promised)


def problems(pay: Pay) -> list[tuple[str, str]]:
    """Say what is wrong with the amounts: (key, problem)."""
    amounts = {"pay.reward": pay.reward, "pay.minimum_hourly": pay.minimum_hourly}
    amounts |= {f"pay.bonus.{kind}": bonus_of(pay, kind) for kind in PAID_KINDS}
    found = [(key, problem_of(amount)) for key, amount in amounts.items()]
    found.append(("pay.budget", problem_of(pay.budget, MOST_OF_A_CAMPAIGN)))
    if pay.fee_rate is not None and not (pay.fee_rate.is_finite() and 0 <= pay.fee_rate <= 1):
        found.append(("pay.fee_rate", 'must be a share from 0 to 1: "0.333"'))
    for kind in PAID_KINDS:
        minutes = getattr(pay.minutes, kind)
        if minutes is not None and not (
            minutes.is_finite() and LEAST_MINUTES <= minutes <= MOST_MINUTES
        ):
            problem = f"must be from {LEAST_MINUTES} to {MOST_MINUTES}"
            found.append((f"pay.minutes.{kind}", problem))
    return [(key, problem) for key, problem in found if problem]


def floats(section: object, key: str = "pay") -> list[str]:
    """Name the keys of the section, as it stands in the file, that hold a binary fraction."""
    if isinstance(section, float):
        return [key]
    if isinstance(section, Mapping):
        return [name for part, value in section.items() for name in floats(value, f"{key}.{part}")]
    return []
