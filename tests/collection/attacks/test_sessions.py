"""The requester's view, planted and forged sessions, sockets of other origins."""

from __future__ import annotations

import secrets

import pytest
import requests
import websocket

from tests.collection.attacks.scene import RawSocket
from tests.collection.stage import ADMIN_TOKEN, Server
from tests.collection.worker import Worker, field

# --- the requester's view, sessions, origins -----------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/admin", "/admin/summary.json", "/admin/conversations.json", "/admin/conversations/1.json",
     "/metrics"],
)  # fmt: skip
def test_the_requesters_view_needs_the_token(server: Server, path: str) -> None:
    """Without it, with a wrong one, with a worker's session, in the address: 401."""
    worker = requests.Session()
    worker.get(f"{server.url}/join/photochat?worker={secrets.token_hex(4)}", timeout=10)
    for http_session, options in (
        (requests.Session(), {}),
        (worker, {}),
        (requests.Session(), {"headers": {"Authorization": "Bearer wrong"}}),
        (requests.Session(), {"headers": {"Authorization": f"Basic {ADMIN_TOKEN}"}}),
        (requests.Session(), {"params": {"token": ADMIN_TOKEN}}),
        (requests.Session(), {"cookies": {"photochat": "eyJhZG1pbl91bnRpbCI6OWU5fQ.x.y"}}),
    ):
        answer = http_session.get(server.url + path, timeout=10, **options)  # type: ignore[arg-type]
        assert answer.status_code == 401
        assert "w-" not in answer.text
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    shown = requests.get(server.url + path, headers=headers, timeout=10).status_code
    assert shown in (200, 401 if path == "/admin" else 200, 404)


def test_the_campaign_cannot_be_stopped_without_the_token(server: Server) -> None:
    """Nor with the token's cookie from a form of another site, which has no csrf field."""
    url = f"{server.url}/admin/status"
    assert requests.post(url, data={"status": "paused"}, timeout=10).status_code == 401
    admin = requests.Session()
    admin.post(f"{server.url}/admin/login", data={"token": ADMIN_TOKEN}, timeout=10)
    assert admin.get(f"{server.url}/admin/summary.json", timeout=10).ok
    assert admin.post(url, data={"status": "paused"}, timeout=10).status_code == 403
    assert admin.post(url, data={"status": "paused", "csrf": ""}, timeout=10).status_code == 403


def test_the_admin_token_cannot_be_guessed_at_speed(server: Server) -> None:
    """After a few wrong ones the form is closed for a while."""
    url = f"{server.url}/admin/login"
    codes = [
        requests.post(url, data={"token": f"guess {number}"}, timeout=10).status_code
        for number in range(25)
    ]
    assert codes[0] == 401
    assert codes[-1] == 429


def test_a_session_that_was_planted_does_not_become_the_victims(server: Server) -> None:
    """Session fixation: the attacker's cookie in the victim's browser stays the attacker's."""
    attacker, victim = requests.Session(), requests.Session()
    page = attacker.get(f"{server.url}/join/photochat?worker={secrets.token_hex(4)}", timeout=10)
    planted = attacker.cookies["photochat"]
    csrf = field(page.text, "csrf")
    victim.cookies.set("photochat", planted, domain="127.0.0.1", path="/")
    victims_page = victim.get(
        f"{server.url}/join/photochat?worker={secrets.token_hex(4)}", timeout=10
    )
    values = {cookie.value for cookie in victim.cookies if cookie.name == "photochat"}
    assert values - {planted}
    assert field(victims_page.text, "csrf") != csrf
    # The attacker goes on with the planted cookie: through their own pages, as themselves.
    url = f"{server.url}/consent"
    with requests.Session() as again:
        again.cookies.set("photochat", planted, domain="127.0.0.1", path="/")
        stolen = again.post(
            url, data={"csrf": field(victims_page.text, "csrf"), "agree": "no"}, timeout=10
        )
        assert stolen.status_code == 403
    assert victim.get(url, timeout=10).url.endswith("/consent")


def test_a_forged_session_cookie_is_worth_nothing(server: Server) -> None:
    """One that is signed by another secret, or by nobody."""
    from flask import Flask
    from flask.sessions import SecureCookieSessionInterface

    forger = Flask("forger")
    forger.secret_key = "not the server's"
    signer = SecureCookieSessionInterface().get_signing_serializer(forger)
    assert signer is not None
    content = {"participant": 1, "generation": 1, "csrf": "x", "admin_until": 9e9}
    for cookie in (signer.dumps(content), "x", ""):
        text = cookie.decode() if isinstance(cookie, bytes) else str(cookie)
        answer = requests.get(f"{server.url}/chat", cookies={"photochat": text}, timeout=10)
        assert answer.status_code == 403
        assert "chat-token" not in answer.text


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "http://localhost"]
)
def test_sockets_of_other_origins_are_refused(server: Server, origin: str) -> None:
    """A page of another site can neither open a web socket nor poll."""
    with pytest.raises((websocket.WebSocketException, AssertionError)):
        RawSocket(server, "x", origin=origin)
    answer = requests.get(
        f"{server.url}/socket.io/?EIO=4&transport=polling", headers={"Origin": origin}, timeout=10
    )
    assert answer.status_code == 400
    assert answer.headers.get("Access-Control-Allow-Origin") not in ("*", origin)


def test_sockets_of_the_own_origin_are_taken(server: Server, two: tuple[Worker, Worker]) -> None:
    """The refusal above is the origin's, not everybody's."""
    raw = RawSocket(server, two[0].token, origin=server.url)
    assert raw.connected
    raw.close()


def test_pages_cannot_be_framed_or_sniffed(server: Server) -> None:
    """Headers on every kind of answer, errors too."""
    for path in ("/join/photochat?worker=framed", "/chat", "/nowhere", "/static/chat.js"):
        headers = requests.get(server.url + path, timeout=10).headers
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
