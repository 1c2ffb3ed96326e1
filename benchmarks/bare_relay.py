"""The peer of benchmarks/chat_load.py: the least that relays a chat over Flask-SocketIO.

In memory, no rules, nothing stored: `python -m benchmarks.bare_relay PORT`.
"""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402
from typing import Any  # noqa: E402

from flask import Flask, request  # noqa: E402
from flask_socketio import SocketIO, emit, join_room  # noqa: E402

app = Flask(__name__)
sockets = SocketIO(app, async_mode="gevent", cors_allowed_origins="*")
room_of: dict[str, str] = {}


@app.get("/healthz")
def healthz() -> str:
    """Say that it serves."""
    return "ok"


@sockets.on("connect", namespace="/chat")
def connect(auth: dict[str, str]) -> None:
    """Join the room that the token names."""
    room_of[request.sid] = auth["token"]  # type: ignore[attr-defined]
    join_room(auth["token"])


@sockets.on("say", namespace="/chat")
def say(message: dict[str, Any]) -> dict[str, Any]:
    """Send a message to both sides, and acknowledge it."""
    room = room_of[request.sid]  # type: ignore[attr-defined]
    emit("event", {"kind": "say", "text": message["text"]}, to=room)
    return {"ok": True}


if __name__ == "__main__":
    sockets.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_output=False)
