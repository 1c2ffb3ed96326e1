"""What the attacks look at to see that nothing happened."""

from __future__ import annotations

import json
import re
import secrets
import time
from typing import Any

import requests
import websocket

from tests.collection.stage import ADMIN_TOKEN, Server
from tests.collection.worker import Worker


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
