"""The requester's view: nothing without the token, everything with it."""

from __future__ import annotations

import re

import pytest
import requests

from tests.collection.conftest import ADMIN_TOKEN
from tests.collection.worker import field

BEARER = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
PATHS = ["summary.json", "conversations.json", "conversations/1.json"]


@pytest.mark.parametrize("path", [*(f"/admin/{path}" for path in PATHS), "/admin", "/metrics"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_nothing_without_the_token(serve, path, headers):
    """Not a number, not a name."""
    assert requests.get(serve().url + path, headers=headers).status_code == 401


def test_the_numbers_and_a_transcript(serve):
    """Live, completed, abandoned by cause, coverage, and the words of one conversation."""
    pay = {"reward": "0.25", "bonus": {"complete": "1.25"}, "currency": "EUR"}
    server = serve(rules={"min_turns_before_share": 1}, pay=pay)
    sharer, receiver = server.pair()
    sharer.say("guess what")
    sharer.share()
    receiver.finish()
    other, _ = server.pair("carla", "dan")
    other.ask("choose", {"choice": "leave"})

    def get(path):
        return requests.get(f"{server.url}/admin/{path}", headers=BEARER).json()

    numbers = get("summary.json")
    assert (numbers["completed"], numbers["causes"]) == (1, {"left": 1})
    assert numbers["coverage"] == {"photos": 5, "wanted": 5, "completed": 1, "leased": 0}
    # Two are to submit and one is left behind; the one who left is owed nothing.
    assert numbers["money"] == {
        "currency": "EUR", "owed": "0.00", "promised": "4.50", "committed": "4.50",
    }  # fmt: skip
    assert [c["id"] for c in get("conversations.json")] == [2, 1]
    lines = get("conversations/1.json?after=1")["lines"]
    assert [line["kind"] for line in lines] == ["say", "share", "finish"]
    assert lines[0]["data"]["text"] == "guess what"
    text = requests.get(server.url + "/metrics", headers=BEARER).text
    assert 'photochat_commands_total{command="say",result="ok"} 1.0' in text


def test_pausing_holds_the_waiting_room(serve):
    """Nobody is paired while paused; resumed, they are; draining lets them out, paid."""
    server = serve()

    def set_status(status):
        data = {"status": status}
        answer = requests.post(server.url + "/admin/status", data=data, headers=BEARER)
        assert answer.status_code == 200

    anna = server.worker("anna")
    set_status("paused")
    assert anna.resume()["state"]["reason"] == "paused"
    set_status("open")
    assert anna.resume()["state"]["reason"] is None
    server.service.started_at = 0.0
    set_status("draining")
    done = anna.until_state("done")
    assert (done["reason"], done["paid"]) == ("drained", True)


def test_the_form_opens_it_and_its_csrf_guards_it(serve):
    """The cookie alone changes nothing."""
    server = serve()
    http = requests.Session()
    assert http.post(server.url + "/admin/login", data={"token": "wrong"}).status_code == 401
    page = http.post(server.url + "/admin/login", data={"token": ADMIN_TOKEN})
    assert page.status_code == 200
    refused = http.post(server.url + "/admin/status", data={"status": "paused"})
    assert refused.status_code == 403
    csrf = re.search(r'name="csrf" (?:content|value)="([^"]+)"', page.text)
    assert csrf is not None
    data = {"status": "paused", "csrf": csrf[1]}
    assert http.post(server.url + "/admin/status", data=data).json() == {"status": "paused"}


def test_a_workers_cookie_is_no_requesters(serve):
    """Whoever entered as a worker alone sees no dashboard."""
    server = serve()
    http = requests.Session()
    assert field(http.get(server.url + "/join/photochat?worker=anna").text, "csrf")
    assert http.get(server.url + "/admin").status_code == 401


def test_requester_and_worker_in_one_browser_keep_their_sessions(serve):
    """A requester who tries the chat is still a requester afterwards."""
    server = serve()
    http = requests.Session()
    http.post(server.url + "/admin/login", data={"token": ADMIN_TOKEN})
    assert field(http.get(server.url + "/join/photochat?worker=anna").text, "csrf")
    assert http.get(server.url + "/admin").status_code == 200
    assert http.get(server.url + "/consent").status_code == 200
