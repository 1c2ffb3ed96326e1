"""Paying somebody for whom the platform has no assignment: a posting open to that worker alone.

The worker is given a private qualification, the posting that demands it is published, they are
told, and what they hand in is approved. Each step is a row of the ledger and follows from the rows
before it, so it can be taken up after a crash at any point. A posting that is closed with nothing
handed in is offered again.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence

from collection.campaign import Campaign
from collection.money import calls
from collection.money.calls import Call, CallKind
from collection.money.fees import Fees
from collection.money.ledger import Row
from collection.money.owed import Debt, Standing
from collection.money.pay import PaidKind
from collection.money.people import Person
from collection.recruiting.recruiter import Order, Posting, Requirement, Submission

ASSIGNMENT_SECONDS = 3600
LIFETIME_SECONDS = 30 * 86400
AUTO_APPROVAL_SECONDS = 8 * 3600  # if nobody runs `campaign pay` again
# Platforms on which nobody can be given a task of their own, and what to do there.
INSTEAD = {
    "link": "whoever has finished has handed in: photochat campaign launch opens the books, with a "
    "place for everybody who has come, then review and pay",
    "prolific": "on Prolific mark them on the study's page of submissions, which has those who "
    "returned theirs too, and pay them by its button Bonus payment",
}

WHY: dict[PaidKind, str] = {
    "complete": "finished a conversation",
    "partner_left": "talked until the partner left",
    "no_partner": "waited for a partner in vain",
    "unfinished": "talked until the conversation broke off",
}

# Makes the posting's question (MTurk: XML) from the campaign, the debt and the reason.
Question = Callable[[Campaign, Debt, str], str]


def html_question(campaign: Campaign, debt: Debt, reason: str) -> str:
    """Return the question of hit_templates/compensation.html.j2."""
    from collection.recruiting.hits import campaign_values, templates_of
    from collection.recruiting.submitting import submit_origins

    values = {
        **campaign_values(campaign),
        "amount": f"{debt.amount:.2f}",
        "currency": campaign.pay.currency,
        "reason": reason,
        "code": debt.person.code or "",
    }
    places = submit_origins(campaign.recruiting.submit_hosts)
    return templates_of(campaign).question("compensation", values, places)


def key_of(person: Person, number: int = 1) -> str:
    """Return what makes this compensation this one, in the platform's own ids: it is offered again
    under the next number."""
    return f"compensation{f'#{number}' if number > 1 else ''}:{person.worker}:{person.assignment}"


def standing(
    person: Person,
    rows: Mapping[tuple[CallKind, str], Row],
    postings: Mapping[str, Posting],
    submissions: Mapping[str, Sequence[Submission]],
    now: float,
) -> Standing | None:
    """Tell where somebody's compensation stands, None if it has not been begun.

    `rows` are the campaign's by kind and key; `postings` and `submissions` (those of compensations
    by posting) are as the platform shows them.
    """
    if ("qualify", key_of(person)) not in rows:
        return None
    offers = _offers(person, rows)
    handed_in = [
        one
        for offer in offers
        for one in submissions.get(offer.posting or "", ())
        if one.worker == person.worker
    ]
    if any(one.state == "approved" for one in handed_in):
        return "paid"
    shown = postings.get(offers[-1].posting or "") if offers else None
    if handed_in or shown is None or shown.open or shown.pending:
        return "open"
    return "closed" if now > shown.expires_at + ASSIGNMENT_SECONDS else "open"


def not_told(person: Person, rows: Mapping[tuple[CallKind, str], Row]) -> str | None:
    """Return the posting about which somebody could not be written to."""
    offers = _offers(person, rows)
    letter = rows.get(("notify", key_of(person, len(offers))))
    failed = (
        letter is not None
        and letter.state == "confirmed"
        and person.worker in (letter.result or ())
    )
    return offers[-1].posting if offers and failed else None


def next_call(
    campaign: Campaign,
    debt: Debt,
    rows: Mapping[tuple[CallKind, str], Row],
    submissions: Mapping[str, Sequence[Submission]],
    *,
    closed: bool,
    fees: Fees,
    question: Question,
) -> Call | None:
    """Return the next step for a person; None if it has to be waited, or all is done.

    What is `closed` is offered once more; `rows` and `submissions` as in `standing`.
    """
    person = debt.person
    qualification = f"compensation-{person.participant}"
    given = rows.get(("qualify", key_of(person)))
    if given is None:
        return calls.qualify(key_of(person), qualification, person.worker, 1)
    offers = _offers(person, rows)
    if closed or not offers:
        if given.state != "confirmed":
            return None
        order = _order(campaign, debt, qualification, question)
        return calls.publish(
            key_of(person, len(offers) + 1),
            order,
            fees,
            worker=person.worker,
            participant=person.participant,
        )
    last, key = offers[-1], key_of(person, len(offers))
    if last.state != "confirmed" or last.posting is None:
        return None
    if ("notify", key) not in rows:
        return _letter(campaign, debt, key, order_title(campaign))
    for offer in offers:
        for one in submissions.get(offer.posting or "", ()):
            waiting = one.worker == person.worker and one.state == "submitted"
            if waiting and ("approve", one.id) not in rows:
                return calls.approve(
                    one,
                    reward=offer.amount,
                    assignments=1,
                    fees=fees,
                    participant=person.participant,
                )
    return None


def _offers(person: Person, rows: Mapping[tuple[CallKind, str], Row]) -> list[Row]:
    """Return the publish rows of somebody's compensation, in their order."""
    offers: list[Row] = []
    while (row := rows.get(("publish", key_of(person, len(offers) + 1)))) is not None:
        offers.append(row)
    return offers


def order_title(campaign: Campaign) -> str:
    """Return the title under which the worker finds the posting: 128 characters at most."""
    return f"Payment that we owe you: {campaign.texts.title}"[:128]


def _order(campaign: Campaign, debt: Debt, qualification: str, question: Question) -> Order:
    return Order(
        token="",  # the ledger's row has it
        kind="compensation",
        title=order_title(campaign),
        description="Only for the worker to whom we owe this: nothing to do but to submit.",
        keywords="compensation, payment",
        reward=debt.amount,
        assignments=1,
        assignment_seconds=ASSIGNMENT_SECONDS,
        lifetime_seconds=LIFETIME_SECONDS,
        auto_approval_seconds=AUTO_APPROVAL_SECONDS,
        question=question(campaign, debt, _reason(debt)),
        requirements=(Requirement(qualification, "Exists"),),
    )


def _reason(debt: Debt) -> str:
    assert debt.person.kind is not None
    day = datetime.datetime.fromtimestamp(debt.person.finished_at, datetime.timezone.utc)
    return (
        f"On {day.day} {day:%B %Y} you {WHY[debt.person.kind]}, and there was no assignment of "
        "yours by which we could pay you."
    )


def _letter(campaign: Campaign, debt: Debt, key: str, title: str) -> Call:
    text = (
        f"{_reason(debt)} We owe you {debt.amount:.2f} {campaign.pay.currency}. There is now a "
        f'task open to you alone, "{title}": accept it and submit it, there is nothing to fill in. '
        f"Questions? {campaign.texts.contact}"
    )
    return calls.notify(key, [debt.person.worker], subject="We owe you a payment", text=text)
