"""`campaign reconcile`: the ledger against the platform's books, call by call.

Differences are listed and nothing is mended or guessed: which side is right, people have to see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

import msgspec

from collection.campaign import Campaign
from collection.database import Database
from collection.money import ledger
from collection.money.cents import NOTHING
from collection.money.fees import bonus_fee
from collection.money.ledger import Row
from collection.money.pay import fees_of
from collection.money.perform import order_of
from collection.money.platform import patiently
from collection.recruiting.recruiter import PaidBonus, Posting, Recruiter, Submission


class Difference(msgspec.Struct, frozen=True):
    """One thing that the two do not agree on. `about` names it by the platform's id or the key."""

    about: str
    ledger: str
    platform: str


class Reconciled(msgspec.Struct, frozen=True):
    """What was compared, what the two sides add up to with fees, and where they differ.

    `by_itself` are submissions that the platform approved because nobody had decided in time: they
    are paid, and no row of the ledger's asks for it.
    """

    postings: int
    submissions: int
    bonuses: int
    by_itself: int
    ledger_spent: Decimal
    platform_spent: Decimal
    currency: str
    differences: tuple[Difference, ...]

    @property
    def is_clean(self) -> bool:
        """Whether the ledger is what the platform has done."""
        return not self.differences


def reconcile(
    database: Database,
    recruiter: Recruiter,
    campaign: Campaign,
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Reconciled:
    """Compare; nothing is changed on either side.

    Raises:
        DataError: the platform does not answer.
    """
    with database.read() as reader:
        rows = ledger.calls(reader, campaign)
    listed = {one.id: one for one in patiently(lambda: list(recruiter.postings()), sleep)}
    known = {row.posting: row for row in rows if row.kind == "publish" and row.posting}
    found = [*_open_or_failed(rows), *_unknown_postings(campaign, rows, listed)]
    by_posting: dict[str, list[Row]] = {posting: [] for posting in known}
    for row in rows:
        by_posting.setdefault(row.posting or "", []).append(row)
    submissions = bonuses = by_itself = 0
    ours = theirs = NOTHING
    fees = fees_of(campaign.pay, recruiter.name)
    for posting, published in known.items():
        shown = listed.get(posting)
        if shown is None:
            found.append(Difference(posting, "published", "not listed"))
            continue
        here = by_posting[posting]
        found += _about_posting(published, here, shown)
        amount, fee, _ = published.unit
        handed_in = patiently(lambda p=posting: list(recruiter.submissions(p)), sleep)  # type: ignore[misc]
        by_itself += sum(_is_by_itself(one, here, clock()) for one in handed_in)
        found += _about_submissions(here, handed_in, clock())
        paid = patiently(lambda p=posting: list(recruiter.bonuses(p)), sleep)  # type: ignore[misc]
        found += _about_bonuses(here, paid)
        submissions, bonuses = submissions + len(handed_in), bonuses + len(paid)
        theirs += sum(one.state == "approved" for one in handed_in) * (amount + fee)
        theirs += sum((one.amount + bonus_fee(fees, one.amount) for one in paid), NOTHING)
        approvals = {row.submission for row in here if _is_approval(row)} | {
            one.id for one in handed_in if _is_by_itself(one, here, clock())
        }
        ours += len(approvals) * (amount + fee)
        ours += sum((row.amount + row.fee for row in here if _is_bonus(row)), NOTHING)
    return Reconciled(
        len(known), submissions, bonuses, by_itself, ours, theirs, campaign.pay.currency,
        tuple(found),
    )  # fmt: skip


def _open_or_failed(rows: Sequence[Row]) -> Iterator[Difference]:
    """Calls of which the ledger itself says that they are not done."""
    for row in rows:
        if row.state not in ("confirmed", "withdrawn"):
            why = f" ({row.last_error})" if row.last_error else ""
            about = f"{row.kind} {row.submission or row.posting or row.key}"
            yield Difference(about, f"{row.state}{why}", "not confirmed")


def _unknown_postings(
    campaign: Campaign, rows: Sequence[Row], listed: dict[str, Posting]
) -> Iterator[Difference]:
    """Postings that carry a token of this campaign's and are not in its ledger, or twice."""
    prefix = ledger.token_prefix(campaign.name)
    tokens = {row.token: row.posting for row in rows if row.kind == "publish"}
    for one in listed.values():
        if one.token is None or not one.token.startswith(prefix):
            continue
        if one.token not in tokens:
            yield Difference(one.id, "unknown", f"published with the token {one.token}")
        elif tokens[one.token] not in (None, one.id):
            yield Difference(one.id, f"published as {tokens[one.token]}", "published again")


def _about_posting(published: Row, rows: Sequence[Row], shown: Posting) -> Iterator[Difference]:
    reward = order_of(published).reward
    if shown.reward != reward:
        yield Difference(shown.id, f"reward {reward:.2f}", f"reward {shown.reward:.2f}")
    units = sum(
        row.units for row in rows if row.kind in ("publish", "extend") and row.state == "confirmed"
    )
    if shown.assignments != units:
        yield Difference(shown.id, f"{units} assignments", f"{shown.assignments} assignments")


def _about_submissions(
    rows: Sequence[Row], handed_in: Sequence[Submission], now: float
) -> Iterator[Difference]:
    by_id = {one.id: one for one in handed_in}
    decided = _decisions(rows)
    for submission, state in decided.items():
        if submission not in by_id:
            yield Difference(submission, state, "not listed")
    for one in handed_in:
        expected = decided.get(one.id, "submitted")
        if one.state != expected and not _is_by_itself(one, rows, now):
            yield Difference(one.id, expected, one.state)


def _about_bonuses(rows: Sequence[Row], paid: Sequence[PaidBonus]) -> Iterator[Difference]:
    """A bonus is found by its token, which stands in the reason if the platform keeps any."""
    asked = [row for row in rows if row.kind == "bonus"]
    left = list(paid)
    for row in asked:
        mine = [one for one in left if _pays(one, row)]
        left = [one for one in left if not _pays(one, row)]
        about = f"bonus {row.submission} {row.worker}"
        for one in mine[:1]:
            ours = f"{row.amount:.2f} to {row.worker} for {row.submission}"
            theirs = f"{one.amount:.2f} to {one.worker} for {one.submission}"
            if ours != theirs:
                yield Difference(about, ours, theirs)
            if row.state != "confirmed":
                yield Difference(about, row.state, f"paid {one.amount:.2f}")
        for one in mine[1:]:
            yield Difference(about, f"{row.amount:.2f} once", f"{one.amount:.2f} once more")
        if not mine and row.state == "confirmed":
            yield Difference(about, f"paid {row.amount:.2f}", "not listed")
    for one in left:
        about = f"bonus {one.submission} {one.worker}"
        yield Difference(about, "unknown", f"paid {one.amount:.2f}: {one.reason}")


def _pays(one: PaidBonus, row: Row) -> bool:
    if not one.reason:
        return (one.submission, one.amount) == (row.submission, row.amount)
    return row.token in one.reason


def _decisions(rows: Sequence[Row]) -> dict[str, str]:
    """What the ledger says of submissions, the last decision last."""
    states = {"approve": "approved", "override": "approved", "reject": "rejected"}
    return {
        row.submission: states[row.kind]
        for row in rows
        if row.kind in states and row.state == "confirmed" and row.submission is not None
    }


def _is_by_itself(one: Submission, rows: Sequence[Row], now: float) -> bool:
    due = one.approved_by_itself_at
    return (
        one.state == "approved"
        and due is not None
        and due <= now
        and not any(row.submission == one.id and _is_approval(row) for row in rows)
        and _decisions(rows).get(one.id) != "rejected"
    )


def _is_approval(row: Row) -> bool:
    return row.kind in ("approve", "override") and row.state == "confirmed"


def _is_bonus(row: Row) -> bool:
    return row.kind == "bonus" and row.state == "confirmed"
