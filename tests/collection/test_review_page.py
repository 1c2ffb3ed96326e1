"""The review page: what was handed in, its deadline, and decisions that reach the ledger."""

from __future__ import annotations

import html
import re
import time
from decimal import Decimal

import pytest
import requests
import sqlalchemy as sa

from collection.money import ledger
from collection.money.calls import publish
from collection.money.fees import MTURK
from collection.recruiting.recruiter import Order
from collection.tables import ledger as ledger_table
from collection.tables import participants, postings, submissions
from tests.collection.conftest import ADMIN_TOKEN
from tests.collection.worker import field

REASON = (
    "Both messages were copied from the instructions, so there is no talk; please write to us if "
    "you would like to try it once more."
)
TURK = "&assignmentId=3{}&hitId=H&turkSubmitTo=https%3A%2F%2Fworkersandbox.mturk.com"
SECTIONS = {
    "recruiting": {"recruiter": "mturk"},
    "pay": {"reward": "1.00", "budget": "100.00"},
    "rules": {"min_turns_before_share": 1},
}


def posted(server, *, kind="chat", posting="H"):
    """A posting of two assignments, published and confirmed."""
    order = Order("", kind, "t", "d", "k", Decimal("1.00"), 2, 60, 60, 60, "<q/>")
    campaign = server.service.campaign

    def write(connection):
        row = ledger.intend(connection, campaign, publish(posting, order, MTURK))
        connection.execute(
            sa.update(ledger_table)
            .where(ledger_table.c.id == row)
            .values(state="confirmed", posting=posting)
        )
        connection.execute(
            sa.insert(postings).values(
                campaign=campaign.name, id=posting, assignments=2, open=True, pending=0,
                available=0, seen_at=time.time(),
            )
        )  # fmt: skip

    server.service.writer.call(write)


def handed_in(server, submission, worker, *, hours=50.0, posting="H", **values):
    """A submission as the platform showed it; its participation is the worker's."""

    def write(connection):
        mine = sa.select(participants.c.id).where(participants.c.worker == worker)
        given = {
            "campaign": server.service.campaign.name,
            "id": submission,
            "posting": posting,
            "worker": worker,
            "state": "submitted",
            "submitted_at": time.time() - 60,
            "deadline": time.time() + hours * 3600,
            "participant": connection.execute(mine).scalar_one_or_none(),
            "seen_at": time.time(),
        }
        connection.execute(sa.insert(submissions).values(**{**given, **values}))

    server.service.writer.call(write)


def signed_in(server):
    http = requests.Session()
    http.post(server.url + "/admin/login", data={"token": ADMIN_TOKEN})
    return http


def decisions(server):
    with server.service.database.read() as reader:
        rows = ledger.calls(reader, server.service.campaign)
    return [(row.kind, row.submission, row.reason) for row in rows if row.kind != "publish"]


def decide(http, server, submission, action, reason="", **more):
    page = http.get(server.url + "/admin/review?show=all").text
    data = {"submission": submission, "action": action, "reason": reason}
    data["csrf"] = re.search(r'name="csrf" content="([^"]*)"', page)[1]
    return http.post(server.url + "/admin/review", data={**data, **more})


@pytest.fixture
def talked(serve):
    """Two who talked and handed in; the receiver's name is what a web page must not run."""
    server = serve(**SECTIONS)
    names = ("A1", "A2<b>&amp;")
    one = server.worker(names[0], query=TURK.format("ONE"))
    two = server.worker(names[1].replace("&", "%26"), query=TURK.format("TWO"))
    for worker in (one, two):
        worker.until_event("paired")
    sharer, receiver = (one, two) if one.role == "sharer" else (two, one)
    sharer.say("guess <i>what</i>")
    sharer.share()
    receiver.finish()
    for worker in (one, two):
        worker.submit()
        worker.until_state("done")
    posted(server)
    handed_in(server, "3ONE", names[0], hours=2.5)
    handed_in(server, "3TWO", names[1], hours=72)
    return server


def test_nothing_without_the_token(serve):
    """Neither the page nor a decision."""
    server = serve(**SECTIONS)
    assert requests.get(server.url + "/admin/review").status_code == 401
    answer = requests.post(server.url + "/admin/review", data={"action": "approve"})
    assert answer.status_code == 401


def test_a_decision_needs_the_forms_secret(talked):
    """The cookie alone, which another site could send, decides nothing."""
    http = signed_in(talked)
    for csrf in ("", "wrong"):
        assert decide(http, talked, "3ONE", "approve", csrf=csrf).status_code == 403
    assert decisions(talked) == []


def test_what_was_handed_in_is_shown_with_deadline_outcome_and_words(talked):
    """The one whose deadline comes first is open; everything written is text."""
    page = signed_in(talked).get(talked.url + "/admin/review").text
    assert "2 to decide" in page
    assert page.index(">A1<") < page.index("A2&lt;b&gt;")
    assert re.search(r'class="why">2 hours<', page)
    assert "3 days" in page or "2 days" in page
    assert "complete" in page
    assert "guess &lt;i&gt;what&lt;/i&gt;" in page
    assert "<b>" not in page
    assert "<i>" not in page
    second = signed_in(talked).get(talked.url + "/admin/review?submission=3TWO").text
    assert "A2&lt;b&gt;&amp;amp;</h2>" in second


def test_approving_and_rejecting_reach_the_ledger_once(talked):
    """And the next submission opens by itself."""
    http = signed_in(talked)
    page = decide(http, talked, "3ONE", "approve").text
    assert "Written down: approve 3ONE" in page
    assert field(page, "submission") == "3TWO"
    decide(http, talked, "3ONE", "approve")
    page = decide(http, talked, "3TWO", "reject", REASON).text
    assert "Everything is decided" in page
    assert decisions(talked) == [("approve", "3ONE", ""), ("reject", "3TWO", REASON)]
    everything = http.get(talked.url + "/admin/review?show=all").text
    assert "approve: written down, not yet sent" in everything
    decide(http, talked, "3TWO", "override", "We were wrong, sorry.")
    assert decisions(talked)[2:] == [("override", "3TWO", "We were wrong, sorry.")]


def test_what_the_platform_refused_is_to_decide_again(talked):
    """With what it said; the new decision takes the old one's place."""
    http = signed_in(talked)
    decide(http, talked, "3ONE", "reject", REASON)
    talked.service.writer.call(
        lambda connection: connection.execute(
            sa.update(ledger_table)
            .where(ledger_table.c.kind == "reject")
            .values(state="failed-final", last_error="too late")
        )
    )
    page = http.get(talked.url + "/admin/review?submission=3ONE").text
    assert "2 to decide" in page
    assert "reject: refused by the platform (too late)" in page
    page = decide(http, talked, "3ONE", "approve").text
    assert "1 to decide" in page
    assert decisions(talked) == [("reject", "3ONE", REASON), ("approve", "3ONE", "")]


def test_a_rejection_without_a_reason_is_refused_and_what_was_typed_stays(talked):
    """The worker must be able to act on it."""
    http = signed_in(talked)
    answer = decide(http, talked, "3ONE", "reject", "bad <work>")
    assert answer.status_code == 400
    assert "a rejection needs a reason" in answer.text
    assert "bad &lt;work&gt;</textarea>" in answer.text
    assert decisions(talked) == []


@pytest.mark.parametrize(
    ("submission", "action", "said"),
    [
        ("3NONE", "approve", "no such chat submission"),
        ("3ONE", "override", "was not rejected"),
        ("3ONE", "pay", "choose one of the decisions"),
    ],
)
def test_what_cannot_be_decided_says_why(talked, submission, action, said):
    """And nothing is written."""
    answer = decide(signed_in(talked), talked, submission, action)
    assert answer.status_code == 400
    assert said in html.unescape(answer.text)
    assert decisions(talked) == []


def test_what_is_odd_is_named_and_other_postings_are_left_out(talked):
    """A code of somebody else's, a deadline that is over, and no compensation posting's."""
    handed_in(talked, "3ODD", "stranger", hours=-1, finding="someone-elses-code")
    posted(talked, kind="compensation", posting="C")
    handed_in(talked, "3COMP", "A1", posting="C")
    page = html.unescape(signed_in(talked).get(talked.url + "/admin/review").text)
    assert "3 to decide" in page
    assert "another worker" in page
    assert 'in <time class="why">over</time>' in page
    assert "no participation" in page
    assert "was in no conversation" in page
    assert "3COMP" not in page
