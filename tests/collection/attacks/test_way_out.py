"""The pages that platforms frame: who may frame them, where they send work, and who cannot."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest
import requests
import sqlalchemy as sa

from collection.campaign import parse_campaign
from collection.database import Database
from collection.money.pay import PAID_KINDS
from collection.money.people import finished, kind_of
from collection.server import ServerConfig, create_app, stop
from collection.tables import photos
from tests.collection.conftest import ADMIN_TOKEN, SECRET, make_photos
from tests.collection.recruiting.test_leaving import HOSTILE
from tests.collection.worker import field

MTURK = {"recruiter": "mturk", "submit_hosts": ["127.0.0.1:9000"]}
CODES = {kind: f"CODE-{kind}" for kind in PAID_KINDS}
CONTRACT = {"fee_rate": "0.333"}
PROLIFIC = {
    "recruiter": "prolific",
    "prolific": {"workspace": "w", "project": "p", "codes": CODES},
}
TURK = "&assignmentId=3{}&hitId=H&turkSubmitTo=https%3A%2F%2Fworkersandbox.mturk.com%2F"


def policy(answer: requests.Response, name: str) -> set[str]:
    """The sources of one directive."""
    found = re.search(rf"{name} ([^;]*)", answer.headers["Content-Security-Policy"])
    assert found is not None
    return set(found[1].split())


def leads_to(answer: requests.Response) -> str:
    """The origin that an answer leads to: its own, unless it redirects elsewhere."""
    parts = urlsplit(urljoin(answer.url, answer.headers.get("Location", "")))
    return f"{parts.scheme}://{parts.netloc}"


def test_looking_needs_no_worker_and_begins_nothing(serve):
    """No cookie, no row, no form; what awaits them is there."""
    server = serve(recruiting=MTURK, pay={"reward": "1.50"})
    answer = requests.get(
        f"{server.url}/join/photochat?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=H"
    )
    assert answer.status_code == 200
    assert "Accept the task to begin" in answer.text
    assert "1.50 USD" in answer.text
    assert "<form" not in answer.text
    assert answer.cookies.get_dict() == {}
    numbers = requests.get(
        f"{server.url}/admin/summary.json", headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}
    ).json()
    assert numbers["stages"] == {}


def test_both_hand_in_to_the_platform(serve):
    """The page's form and the socket's state name the listed place, the assignment and the code."""
    server = serve(recruiting=MTURK, rules={"min_turns_before_share": 1})
    one = server.worker("A1", query=TURK.format("A"))
    two = server.worker("A2", query=TURK.format("B"))
    for worker in (one, two):
        worker.until_event("paired")
    sharer, receiver = (one, two) if one.role == "sharer" else (two, one)
    sharer.say("guess what")
    sharer.share()
    receiver.finish()
    receiver.submit()
    done = receiver.until_state("done")
    letter = "A" if receiver is one else "B"
    assert done["hand_in"] == {
        "method": "post",
        "action": "https://workersandbox.mturk.com/mturk/externalSubmit",
        "fields": {"assignmentId": f"3{letter}", "code": done["code"]},
        "label": "Hand in the task",
    }
    page = receiver.http.get(f"{server.url}/chat")
    form = re.search(r'<form id="hand-in"[^>]*>.*?</form>', page.text, re.S)
    assert form is not None
    assert 'action="https://workersandbox.mturk.com/mturk/externalSubmit"' in form[0]
    assert field(form[0], "assignmentId") == f"3{letter}"
    assert field(form[0], "code") == done["code"]
    assert "https://workersandbox.mturk.com" in policy(page, "form-action")


def test_who_gets_no_code_is_told_to_return_the_task(serve):
    """So that it does not count against them."""
    server = serve(recruiting=MTURK)
    worker = server.worker("A1", query=TURK.format("A"))
    worker.ask("choose", {"choice": "leave"})
    done = worker.until_state("done")
    assert (done["hand_in"], done["code"]) == (None, None)
    assert "return this task" in done["advice"]
    page = worker.http.get(f"{server.url}/chat").text
    assert "return this task" in page
    assert re.search(r'<form id="hand-in" method="post" hidden>', page)


@pytest.mark.parametrize("recruiting", [MTURK, PROLIFIC, {}], ids=["mturk", "prolific", "link"])
def test_no_link_makes_the_pages_send_work_elsewhere(serve, recruiting):
    """A link with another place to hand in to is refused before anything begins."""
    server = serve(pay=CONTRACT, recruiting=recruiting)
    for hostile in filter(None, HOSTILE):
        for name in ("turkSubmitTo", "submit_to"):
            answer = requests.get(
                f"{server.url}/join/photochat",
                params={"worker": "anna", "assignmentId": "3A", name: hostile},
                allow_redirects=False,
            )
            assert answer.status_code == 403, hostile
            assert answer.headers["X-Photochat-Reason"] == "unknown-platform"
            assert hostile not in answer.text
            assert "Location" not in answer.headers


def test_prolifics_code_follows_the_outcome_and_nothing_in_the_link(serve):
    """Only our own address goes into the page, and only the code of how it ended."""
    server = serve(pay=CONTRACT, recruiting=PROLIFIC, timeouts={"waiting": 0.5})
    link = "&SESSION_ID=s1&STUDY_ID=t1&cc=EVIL&return=https://evil.example&next=//evil.example"
    worker = server.worker("p1", query=link)
    server.service.started_at = 0.0
    done = worker.until_state("done")
    assert done["reason"] == "no-partner"
    address = "https://app.prolific.com/submissions/complete?cc=CODE-no_partner"
    assert done["hand_in"]["action"] == address
    page = worker.http.get(f"{server.url}/chat").text
    assert f'href="{address}"' in page
    assert "evil" not in page.lower()


def test_each_ending_has_its_own_code_on_prolific(serve):
    """Who leaves gets none; who is left behind gets that which the money is counted by."""
    server = serve(pay=CONTRACT, recruiting=PROLIFIC)
    leaver, stayer = server.pair("p1", "p2")
    leaver.say("hi")
    leaver.ask("choose", {"choice": "leave"})
    gone = leaver.until_state("done")
    assert gone["hand_in"] is None
    assert "return your submission" in gone["advice"]
    stayer.until_state("choosing")
    stayer.ask("choose", {"choice": "leave"})
    left = stayer.until_state("done")
    assert left["hand_in"]["action"].endswith("?cc=CODE-partner_left")
    with server.service.database.read() as reader:
        for person in finished(reader, "photochat"):
            assert kind_of(reader, "photochat", person.participant) == person.kind


def test_behind_tls_the_cookie_lives_in_the_platforms_frame_and_nowhere_else(tmp_path):
    """Partitioned: browsers keep no other cookie of a page that another site frames."""
    images = tmp_path / "images"
    config = ServerConfig(
        db=f"sqlite:///{tmp_path}/chat.db",
        pool=make_photos(images, 1),
        images=images,
        campaign=parse_campaign({"recruiting": MTURK}),
        secret=SECRET,
        admin_token=ADMIN_TOKEN,
        cache=tmp_path / "cache",
        https=True,
    )
    app = create_app(config)
    try:
        answer = app.test_client().get("/join/photochat?worker=anna")
        cookie = answer.headers["Set-Cookie"]
        for word in ("Secure", "HttpOnly", "SameSite=None", "Partitioned"):
            assert word in cookie
        # The platform learns from which site a form comes, not whose page it was.
        assert answer.headers["Referrer-Policy"] == "strict-origin"
    finally:
        stop(app)


def test_redirects_stay_on_the_server(serve):
    """Whatever is asked for, and under whatever name."""
    server = serve(recruiting=MTURK)
    for path in (
        "/join/photochat?worker=a&next=https://evil.example",
        "/join/photochat?worker=a&redirect=//evil.example",
        "/join//evil.example?worker=a",
        "//evil.example/..",
        "/admin?next=https://evil.example",
    ):
        answer = requests.get(server.url + path, allow_redirects=False)
        assert leads_to(answer) == server.url, path
    for path in ("/admin/login", "/consent", "/chat"):
        answer = requests.post(
            f"{server.url}{path}?next=https://evil.example",
            data={"token": ADMIN_TOKEN, "next": "https://evil.example"},
            allow_redirects=False,
        )
        assert leads_to(answer) == server.url, path


def test_the_platform_frames_the_workers_pages_and_never_the_requesters(serve):
    """Else somebody's page could lay the dashboard under the requester's clicks."""
    server = serve(recruiting=MTURK)
    worker = requests.get(f"{server.url}/join/photochat?worker=anna")
    assert {"https://worker.mturk.com", "http://127.0.0.1:9000"} <= policy(
        worker, "frame-ancestors"
    )
    assert "X-Frame-Options" not in worker.headers
    for path in ("/admin", "/admin/review", "/admin/summary.json", "/healthz"):
        answer = requests.get(server.url + path)
        assert policy(answer, "frame-ancestors") == {"'none'"}, path
        assert policy(answer, "form-action") == {"'self'"}, path
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_without_a_platform_nobody_frames_and_forms_stay(serve):
    """As it was before there were platforms."""
    answer = requests.get(f"{serve().url}/join/photochat?worker=anna")
    assert policy(answer, "frame-ancestors") == {"'none'"}
    assert policy(answer, "form-action") == {"'self'"}


def test_a_frame_without_cookies_says_so(serve):
    """Not that the session is over: the worker can do something about it."""
    server = serve(recruiting=MTURK)
    framed = {"Sec-Fetch-Dest": "iframe"}
    link = f"{server.url}/join/photochat?workerId=A1{TURK.format('A')}"
    first = requests.get(link, headers=framed, allow_redirects=False)
    second = requests.get(server.url + first.headers["Location"], headers=framed)
    assert second.headers["X-Photochat-Reason"] == "no-cookies"
    assert requests.get(server.url + "/chat").headers["X-Photochat-Reason"] == "session-over"


def test_nobody_is_let_in_for_nothing_without_a_word_on_the_accepted_task(serve, tmp_path):
    """Who has accepted, and finds nothing to do, is told to return it."""
    server = serve(photos=1, recruiting=MTURK)
    database = Database(f"sqlite:///{tmp_path}/chat.db")
    with database.writing.begin() as connection:
        connection.execute(sa.update(photos).values(wanted=0))
    database.close()
    answer = requests.get(f"{server.url}/join/photochat?workerId=A1{TURK.format('A')}")
    assert answer.headers["X-Photochat-Reason"] == "campaign-complete"
    assert "return this task" in answer.text
