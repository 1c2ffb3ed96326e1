"""What people with bad intentions try, against the server as it is run in production.

Cross-site scripting is tried in a real browser, in tests/e2e.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import secrets
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import requests
import socketio
import websocket

from collection.campaign import Campaign
from collection.simulate.entry import enter as enter_as_bot
from collection.tokens import PhotoTicket, Ticket, Tokens
from tests.collection.stage import ADMIN_TOKEN, SECRET, Server, make_photos
from tests.collection.worker import Worker, enter, field

STORM = 500
CAMPAIGN = """
[limits]
requests_burst = 100000
connections_burst = 100000
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`photochat serve`, for all attacks of this file: each must leave it serving the others."""
    folder = tmp_path_factory.mktemp("attacks")
    pool, images = make_photos(folder, 800)
    (folder / "campaign.toml").write_text(CAMPAIGN)
    server = Server(
        folder,
        ["--pool", str(pool), "--images", str(images), "--db", f"sqlite:///{folder}/chat.db",
         "--config", str(folder / "campaign.toml")],
    )  # fmt: skip
    server.start()
    yield server
    server.stop()


@pytest.fixture
def two(server: Server) -> Iterator[tuple[Worker, Worker]]:
    """Two strangers in a conversation: the sharer, the receiver."""
    name = secrets.token_hex(4)
    workers = [Worker(server.url, f"{name}-{number}") for number in (1, 2)]
    for worker in workers:
        worker.until_event("paired")
    sharer, receiver = sorted(workers, key=lambda worker: worker.role != "sharer")
    yield sharer, receiver
    for worker in workers:
        if worker.sio is not None and worker.sio.connected:
            worker.ask("choose", {"choice": "leave"})
            worker.sio.eio.disconnect(abort=True)  # without waiting for its threads


@pytest.fixture
def attacker(server: Server) -> Iterator[str]:
    """The chat token of a worker in the waiting room, who is out of it again afterwards."""
    token = enter(requests.Session(), server.url, secrets.token_hex(4))
    yield token
    raw = RawSocket(server, token)
    raw.send(1, "choose", {"choice": "leave"})
    raw.answers(1)
    raw.close()


class RawSocket:
    """A client made by hand: whatever text one likes, over a web socket."""

    def __init__(self, server: Server, token: str, **options: Any) -> None:
        self.ws = websocket.create_connection(
            f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket",
            timeout=10,
            **options,
        )
        assert self.ws.recv().startswith("0{")
        self.ws.send("40/chat," + json.dumps({"token": token}))
        self.connected = self.ws.recv().startswith("40/chat")

    def send(self, number: int, *event: Any) -> None:
        """Send an event that asks for acknowledgement `number`."""
        self.ws.send(f"42/chat,{number}" + json.dumps(event))

    def answers(self, count: int) -> dict[int, dict[str, Any]]:
        """Read until `count` acknowledgements are there."""
        found: dict[int, dict[str, Any]] = {}
        while len(found) < count:
            match = re.fullmatch(r"43/chat,(\d+)(\[.*\])", self.ws.recv(), re.DOTALL)
            if match is not None:
                found[int(match[1])] = json.loads(match[2])[0]
        return found

    def close(self) -> None:
        """Close the socket."""
        self.ws.close()


def transcript(server: Server, conversation: int) -> list[dict[str, Any]]:
    """The events of a conversation as the requester sees them."""
    answer = requests.get(
        f"{server.url}/admin/conversations/{conversation}.json",
        headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
        timeout=10,
    )
    events: list[dict[str, Any]] = answer.json()["lines"]
    return events


def conversation_of(worker: Worker) -> int:
    return int(worker.resume()["conversation"])


def assert_serving(two: tuple[Worker, Worker]) -> None:
    """A message still goes from one to the other."""
    text = f"still here {secrets.token_hex(4)}"
    assert two[0].say(text, confirmed=True, client_id=secrets.token_hex(8))["ok"]
    end = time.monotonic() + 10
    while not any(event.get("text") == text for event in two[1].events):
        assert time.monotonic() < end
        time.sleep(0.02)


# --- another worker's token ----------------------------------------------------------------------


def test_a_token_cannot_be_made_or_changed(server: Server, two: tuple[Worker, Worker]) -> None:
    """Tokens signed by others, altered, mixed from two, or of another kind open nothing."""
    sharer, receiver = two
    head, *_ = sharer.token.split(".")
    _, *tail = receiver.token.split(".")
    numbers = Tokens(SECRET).read_chat(sharer.token)
    assert numbers is not None
    for forged in (
        ".".join([head, *tail]),
        sharer.token[:-1] + ("A" if sharer.token[-1] != "A" else "B"),
        Tokens("another secret, long enough").chat(numbers),
        Tokens(SECRET).photo(PhotoTicket(numbers.participant, 1)),
        Tokens(SECRET).chat(Ticket(numbers.participant, numbers.generation + 1)),
        Tokens(SECRET).chat(Ticket(10**9, 1)),
        "",
    ):
        raw = RawSocket(server, forged)
        assert not raw.connected, forged
        raw.close()


def test_an_earlier_token_dies_when_the_link_is_opened_elsewhere(server: Server) -> None:
    """Whoever holds the old token has no part in the new session."""
    name = secrets.token_hex(4)
    first = Worker(server.url, name)
    second = Worker(server.url, name)
    assert first.token != second.token
    raw = RawSocket(server, first.token)
    assert not raw.connected
    raw.close()
    assert first.sio is not None
    end = time.monotonic() + 10
    while first.sio.connected:
        assert time.monotonic() < end, "the old session's socket lives on"
        time.sleep(0.02)
    second.ask("choose", {"choice": "leave"})
    for worker in (first, second):
        worker.close()


def test_a_stranger_has_no_part_in_a_conversation(
    server: Server, two: tuple[Worker, Worker]
) -> None:
    """A worker with a token of their own neither reads nor writes in another conversation."""
    number = conversation_of(two[0])
    before = transcript(server, number)
    stranger = Worker(server.url, secrets.token_hex(4))
    answer = stranger.ask("resume", {"last_seq": 0, "conversation": number})
    assert answer["conversation"] != number
    assert stranger.events == []
    assert stranger.ask("say", {"client_id": "x", "text": "hi", "conversation": number}) == {
        "ok": False,
        "error": "bad-request",
        "message": stranger.ask("say", {})["message"],
    }
    assert not stranger.share()["ok"]
    assert transcript(server, number) == before
    stranger.ask("choose", {"choice": "leave"})
    stranger.close()


# --- forged events -------------------------------------------------------------------------------


def test_forged_events_change_nothing(server: Server, two: tuple[Worker, Worker]) -> None:
    """What only the server may say, and what carries more than it may, is refused."""
    sharer, receiver = two
    number = conversation_of(sharer)
    before = transcript(server, number)
    for name in ("event", "state", "paired", "close", "away", "back", "gone", "tick", "abandon",
                 "disconnect", "connect", "__init__", "trigger_event"):  # fmt: skip
        payload = {"seq": 2, "kind": "share", "by": "sharer", "at": 0}
        if name not in ("connect", "disconnect"):  # python-socketio's client cannot send these
            assert receiver.ask(name, payload)["error"] in ("unknown-event", "bad-request"), name
    for extra in ({"by": "sharer"}, {"seq": 9}, {"at": 0}, {"role": "sharer"}, {"worker": "x"}):
        assert receiver.ask("share", {"client_id": "f", **extra})["error"] == "bad-request"
        said = receiver.ask("say", {"client_id": "f", "text": "hi", **extra})
        assert said["error"] == "bad-request"
    assert receiver.finish()["error"] == "not-shared"
    assert receiver.submit()["error"] == "not-ended"
    assert transcript(server, number) == before


def test_reserved_events_over_a_raw_socket_do_no_harm(
    server: Server, two: tuple[Worker, Worker], attacker: str
) -> None:
    """`connect` and `disconnect` sent as events are refused like any other, never obeyed."""
    raw = RawSocket(server, attacker)
    raw.send(1, "connect", {"token": two[0].token})
    raw.send(2, "disconnect", "client disconnect")
    raw.send(3, "connect", {}, {"token": two[0].token})
    raw.send(4, "resume", {"last_seq": 0})
    answers = raw.answers(4)
    assert {answers[number]["error"] for number in (1, 2, 3)} == {"unknown-event"}
    assert answers[4]["state"]["kind"] == "waiting"
    raw.close()
    assert_serving(two)


def test_a_partners_client_id_replaces_nothing(server: Server, two: tuple[Worker, Worker]) -> None:
    """Client ids are each side's own: using the other's neither repeats nor overwrites."""
    sharer, receiver = two
    mine = sharer.ask("say", {"client_id": "same", "text": "what I said"})
    theirs = receiver.ask("say", {"client_id": "same", "text": "what they say"})
    assert (mine["ok"], theirs["ok"]) == (True, True)
    assert mine["seq"] != theirs["seq"]
    said = [e for e in transcript(server, conversation_of(sharer)) if e["kind"] == "say"]
    assert len(said) == 2


# --- a share before its time, and the photo before the share -------------------------------------


def test_a_hand_made_client_cannot_share_early(server: Server, two: tuple[Worker, Worker]) -> None:
    """Four turns and shares in one burst: every share is refused until five turns are committed."""
    sharer, _ = two
    number = conversation_of(sharer)
    sharer.drop()
    raw = RawSocket(server, sharer.token)
    raw.send(0, "resume", {"last_seq": 0})
    for turn in range(1, 5):
        raw.send(2 * turn - 1, "say", {"client_id": f"t{turn}", "text": f"turn {turn}"})
        raw.send(2 * turn, "share", {"client_id": f"s{turn}"})
    answers = raw.answers(9)
    assert all(answers[2 * turn - 1]["ok"] for turn in range(1, 5))
    assert {answers[2 * turn]["error"] for turn in range(1, 5)} == {"too-early"}
    raw.send(20, "share", {"client_id": "t1"})  # the id of a message that was taken
    assert raw.answers(1)[20]["error"] == "client-id-used"
    kinds = [event["kind"] for event in transcript(server, number)]
    assert "share" not in kinds
    raw.send(21, "say", {"client_id": "t5", "text": "turn 5"})
    raw.send(22, "share", {"client_id": "now"})
    raw.send(23, "share", {"client_id": "again"})
    answers = raw.answers(3)
    assert answers[22]["ok"]
    assert answers[23]["error"] == "shared-already"
    raw.close()


def test_the_receiver_cannot_share(two: tuple[Worker, Worker]) -> None:
    """Not before and not after the five turns."""
    sharer, receiver = two
    assert receiver.share()["error"] == "not-the-sharer"
    for turn in range(5):
        assert (sharer, receiver)[turn % 2].say(f"turn {turn}", client_id=f"r{turn}")["ok"]
    assert receiver.share()["error"] == "not-the-sharer"


def test_the_photo_cannot_be_had_early_by_any_url(
    server: Server, two: tuple[Worker, Worker]
) -> None:
    """Every address that the pages, the states and the token formats know, with every cookie."""
    sharer, receiver = two
    state = sharer.resume()["state"]
    shown = state["photo"]["url"]
    number = state["conversation"]
    picture = sharer.http.get(server.url + shown, timeout=10)
    assert picture.status_code == 200
    assert picture.headers["Content-Type"] == "image/jpeg"
    me = Tokens(SECRET).read_chat(receiver.token)
    assert me is not None
    pages = [receiver.http.get(server.url + path, timeout=10).text
             for path in ("/chat", "/consent", "/instructions", "/check")]  # fmt: skip
    linked = {url for page in pages for url in re.findall(r'(?:src|href|action)="([^"]+)"', page)}
    photo_ids = [f"train/{index:016x}" for index in range(3)]
    tried = {
        *linked,
        shown,
        shown.upper(),
        f"{shown}/..",
        f"{shown}?participant={me.participant}",
        f"/photo/{receiver.token}",
        f"/photo/{sharer.token}",
        f"/photo/{Tokens('a guessed secret').photo(PhotoTicket(me.participant, number))}",
        # Even a token that the server itself would sign for the receiver is too early.
        f"/photo/{Tokens(SECRET).photo(PhotoTicket(me.participant, number))}",
        "/photo/",
        "/photo",
        f"/photo/{number}",
        f"/admin/conversations/{number}.json",
        *(f"/{folder}/{photo_id}.jpg" for folder in ("photo", "images", "static", "cache")
          for photo_id in photo_ids),
    }  # fmt: skip
    for url in tried:
        for http_session in (receiver.http, requests.Session()):
            answer = http_session.get(server.url + url, timeout=10)
            kind = answer.headers.get("Content-Type", "")
            assert not (answer.ok and kind.startswith("image/jp")), url
            assert answer.content != picture.content, url
    told = json.dumps([receiver.events, receiver.states])
    assert "photo_id" not in told
    assert state["photo"]["description"] not in told
    assert "example.org" not in told
    # After the share the receiver has an address of their own; the sharer's stays the sharer's.
    for turn in range(5):
        (sharer, receiver)[turn % 2].say(f"turn {turn}", client_id=f"p{turn}")
    assert sharer.share()["ok"]
    mine = receiver.until_event("share")["photo"]["url"]
    assert receiver.http.get(server.url + mine, timeout=10).content == picture.content
    assert receiver.http.get(server.url + shown, timeout=10).status_code == 404
    assert requests.get(server.url + mine, timeout=10).status_code == 404


# --- paths, payloads, floods ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/..%2fserver.py",
        "/static/%2e%2e/server.py",
        "/static/%2e%2e%2f%2e%2e%2fpyproject.toml",
        "/static/....//....//etc/passwd",
        "/static//etc/passwd",
        "/static/..\\..\\etc\\passwd",
        "/static/%00",
        "/static/",
        "/../../../../etc/passwd",
        "/photo/..%2f..%2fimages%2ftrain%2f0000000000000000.jpg",
        "/photo/../images/train/0000000000000000.jpg",
        "/join/..%2f..%2fetc%2fpasswd?worker=x",
        "/join/photochat/../../admin?worker=x",
        "/admin/conversations/../../healthz",
        "/templates/chat.html",
        "/chat.db",
        "/campaign.toml",
    ],
)
def test_no_path_leads_out_of_what_is_served(server: Server, path: str) -> None:
    """Paths that climb, as they are or encoded, find nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", f"127.0.0.1:{server.port}")
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status in (301, 308, 400, 401, 404), body[:200]
    assert b"root:" not in body
    assert b"import " not in body
    assert not body.startswith(b"\xff\xd8")


MALFORMED = [
    "42/chat,1",
    "42/chat,1[",
    "42/chat,1{}",
    '42/chat,1["say"',
    "42/chat,1[]",
    "42/chat,1[1,2]",
    "42/chat,1[null]",
    '42/chat,1[["say"],{}]',
    "42/chat,99999999999999999999999999[]",
    '42/nowhere,1["say",{}]',
    "43/chat,1[]",
    "45/chat,1[]",
    '451-/chat,1["say",{"_placeholder":true,"num":0}]',
    "4",
    "9",
    "",
    "6",
    "2probe",
    '42/chat,1["say",' + "[" * 20_000 + "]" * 20_000 + "]",
    '42/chat,1["say",' + '{"a":' * 5_000 + "1" + "}" * 5_000 + "]",
    '42/chat,1["say",{"client_id":"a","text":NaN}]',
    '42/chat,1["resume",{"last_seq":1e400}]',
    '42/chat,1["resume",{"last_seq":-1}]',
    '42/chat,1["resume",{"last_seq":' + "9" * 4000 + "}]",
    '42/chat,1["say",{"client_id":"a","text":"\\ud800"}]',
    '42/chat,1["say",{"client_id":"a","text":"\\u0000"}]',
    '42/chat,1["say",{"client_id":"a\\u0000","text":"hi"}]',
    '42/chat,1["submit",{"survey":{"natural":' + "9" * 400 + "}}]",
    '42/chat,1["choose",{"choice":["wait"]}]',
    '42/chat,1["resume",' + "1," * 1000 + "1]",
]


def test_malformed_packets_harm_nobody_else(
    server: Server, two: tuple[Worker, Worker], attacker: str
) -> None:
    """Whatever a client sends, the log stays as it was and the others go on talking."""
    conversation = conversation_of(two[0])
    before = transcript(server, conversation)
    for packet in MALFORMED:
        raw = RawSocket(server, attacker)
        assert raw.connected
        raw.ws.send(packet)
        raw.ws.settimeout(0.1)
        try:
            while answer := raw.ws.recv():
                assert '"ok":true' not in answer, packet
        except (websocket.WebSocketException, OSError):
            pass  # no answer, or thrown out
        raw.close()
    assert transcript(server, conversation) == before
    assert_serving(two)


def test_oversized_packets_and_forms_are_refused(
    server: Server, two: tuple[Worker, Worker], attacker: str
) -> None:
    """A packet or a form of a megabyte is not taken, a message beyond the limit is told so."""
    sharer, _ = two
    assert sharer.say("x" * 501)["error"] == "too-long"
    assert sharer.say("x" * 10_001)["error"] == "bad-request"
    raw = RawSocket(server, attacker)
    try:
        raw.send(1, "say", {"client_id": "big", "text": "x" * 2**20})
        raw.ws.settimeout(5)
        while raw.ws.recv():
            pass
    except (websocket.WebSocketException, OSError):
        pass
    raw.close()
    form = {"csrf": "x" * 2**20}
    answer = requests.post(f"{server.url}/consent", data=form, timeout=10)
    assert answer.status_code in (403, 413)
    polled = requests.post(
        f"{server.url}/socket.io/?EIO=4&transport=polling", data="x" * 2**20, timeout=10
    )
    assert polled.status_code in (400, 413)
    long_worker = f"{server.url}/join/photochat?worker={'w' * 5000}"
    assert requests.get(long_worker, timeout=10).status_code in (400, 414)
    assert_serving(two)


def test_a_flood_of_events_is_stopped_and_the_others_do_not_notice(
    server: Server, two: tuple[Worker, Worker]
) -> None:
    """Of 500 events at once all but a bucketful are refused; another pair talks meanwhile."""
    flooder, _ = two
    flooder.drop()
    raw = RawSocket(server, flooder.token)
    others = [Worker(server.url, secrets.token_hex(4)) for _ in range(2)]
    for worker in others:
        worker.until_event("paired")
    for number in range(500):
        raw.send(number, "say", {"client_id": f"f{number}", "text": f"flood {number}"})
    assert_serving((others[0], others[1]))
    answers = raw.answers(500)
    refused = sum(answer.get("error") == "rate-limited" for answer in answers.values())
    assert refused >= 400
    assert all(a["ok"] or a["error"] == "rate-limited" for a in answers.values())
    raw.close()
    for worker in others:
        worker.ask("choose", {"choice": "leave"})
        worker.close()


def test_a_flood_of_typing_reaches_nobody_unlimited(two: tuple[Worker, Worker]) -> None:
    """The typing indicator counts like any other event."""
    sharer, receiver = two
    answers = [sharer.ask("typing", {}) for _ in range(80)]
    assert sum(answer.get("error") == "rate-limited" for answer in answers) >= 20
    assert receiver.typing <= 60


@pytest.mark.slow
def test_a_join_storm_of_500(server: Server) -> None:
    """500 strangers at once: all are let in, each has one partner, nobody has two."""
    name = secrets.token_hex(4)

    async def storm() -> list[str]:
        connector = aiohttp.TCPConnector(limit=0)

        async def one(number: int) -> str:
            async with aiohttp.ClientSession(
                connector=connector, connector_owner=False,
                cookie_jar=aiohttp.CookieJar(unsafe=True),
            ) as session:  # fmt: skip
                link = f"{server.url}/join/photochat?worker={name}-{number}"
                return await enter_as_bot(session, link, Campaign(), 60)

        async with connector:
            return list(await asyncio.gather(*(one(number) for number in range(STORM))))

    async def conversations(tokens: list[str]) -> list[tuple[int | None, str]]:
        async def one(token: str) -> tuple[int | None, str]:
            client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
            await client.connect(
                server.url, auth={"token": token}, namespaces=["/chat"],
                transports=["websocket"], wait_timeout=60,
            )  # fmt: skip
            end = time.monotonic() + 60
            while True:
                answer = await client.call("resume", {"last_seq": 0}, namespace="/chat", timeout=60)
                if answer["state"]["kind"] == "talking" or time.monotonic() > end:
                    break
                await asyncio.sleep(1)
            await client.call("choose", {"choice": "leave"}, namespace="/chat", timeout=60)
            await client.disconnect()
            return answer["conversation"], answer["state"].get("role", "")

        return list(await asyncio.gather(*map(one, tokens)))

    tokens = asyncio.run(storm())
    assert len(set(tokens)) == STORM
    found = asyncio.run(conversations(tokens))
    roles: dict[int | None, list[str]] = {}
    for number, role in found:
        roles.setdefault(number, []).append(role)
    assert None not in roles
    assert len(roles) == STORM // 2
    assert all(sorted(pair) == ["receiver", "sharer"] for pair in roles.values())


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
