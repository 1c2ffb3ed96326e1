"""Paths, malformed and oversized packets, floods and storms harm nobody else."""

from __future__ import annotations

import asyncio
import http.client
import secrets
import time
from typing import Any

import aiohttp
import pytest
import requests
import socketio
import websocket

from collection.campaign import Campaign
from collection.simulate.entry import enter as enter_as_bot
from tests.collection.attacks.scene import RawSocket, assert_serving, conversation_of, transcript
from tests.collection.stage import Server
from tests.collection.worker import Worker
from tests.conftest import LONG

STORM = 500 if LONG else 200

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
def test_a_join_storm(server: Server) -> None:
    """Hundreds of strangers at once: all are let in, each has one partner, nobody has two."""
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
        async def paired(token: str) -> tuple[socketio.AsyncClient, dict[str, Any]]:
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
            return client, answer

        async def leave(client: socketio.AsyncClient) -> None:
            await client.call("choose", {"choice": "leave"}, namespace="/chat", timeout=60)
            await client.disconnect()

        # Nobody leaves before all have been asked: who is left behind has no role any more.
        found = await asyncio.gather(*map(paired, tokens))
        await asyncio.gather(*(leave(client) for client, _ in found))
        return [(answer["conversation"], answer["state"].get("role", "")) for _, answer in found]

    tokens = asyncio.run(storm())
    assert len(set(tokens)) == STORM
    found = asyncio.run(conversations(tokens))
    roles: dict[int | None, list[str]] = {}
    for number, role in found:
        roles.setdefault(number, []).append(role)
    assert None not in roles
    assert len(roles) == STORM // 2
    assert all(sorted(pair) == ["receiver", "sharer"] for pair in roles.values())
