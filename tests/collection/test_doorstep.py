"""Connections that nobody has joined with: few from one address, and not for long."""

from __future__ import annotations

from contextlib import suppress

import pytest
import requests
import websocket

from tests.collection.worker import PATIENCE

POLL = "/socket.io/?EIO=4&transport=polling"
PING = b"\x81\x012"  # as a frame


def until_closed(ws):
    """Read until the server ends it, answering its pings, and nothing else."""
    ws.settimeout(PATIENCE)
    while (received := ws.sock.recv(4096)) != b"":
        if received == PING:
            ws.send("3")


def knock(server):
    """A web socket that has not joined."""
    url = server.url.replace("http", "ws", 1)
    return websocket.create_connection(f"{url}/socket.io/?EIO=4&transport=websocket")


def test_an_address_opens_only_so_many_connections(serve):
    """With or without a token, over either transport."""
    server = serve(limits={"connections_per_second": 0.001, "connections_burst": 2})
    assert requests.get(server.url + POLL).status_code == 200
    knock(server).close()
    refused = requests.get(server.url + POLL)
    assert (refused.status_code, refused.json()) == (401, "rate-limited")
    with pytest.raises(websocket.WebSocketBadStatusException):
        knock(server)


def test_who_does_not_join_is_turned_out(serve, monkeypatch):
    """Whoever has joined stays."""
    monkeypatch.setattr("collection.doorstep.JOIN_SECONDS", 1.0)
    server = serve()
    sharer, _ = server.pair()
    polling = requests.get(server.url + POLL).text
    assert "sid" in polling
    until_closed(knock(server))
    eio = server.app.extensions["socketio"].server.eio
    assert len([one for one in eio.sockets.values() if not one.closed]) == 2
    assert sharer.say("I am still in")["ok"]


@pytest.mark.parametrize(
    "packet", ['4599-/chat,1["say",{}]', "45/chat,1[]", b"\0" * 1000, "4nonsense", "4[]"]
)
def test_what_no_page_sends_ends_the_connection(serve, packet):
    """Above all attachments, which would wait in memory for those that were announced."""
    server = serve()
    ws = knock(server)
    ws.send(packet, websocket.ABNF.OPCODE_BINARY if isinstance(packet, bytes) else 1)
    until_closed(ws)


def test_a_message_without_end_ends_the_connection(serve, monkeypatch):
    """It comes in pieces, and none is the last."""
    monkeypatch.setattr("collection.server.PING_SECONDS", 1)
    monkeypatch.setattr("collection.server.PONG_SECONDS", 1)
    ws = knock(serve())
    with suppress(OSError):
        for number in range(10):
            piece = websocket.ABNF(fin=0, opcode=0 if number else 1, data="x" * 10_000)
            ws.send_frame(piece)
    until_closed(ws)
