"""A small OpenAI-compatible endpoint over real HTTP that can be told to misbehave.

It counts what it was paid for: each chat completion that went out whole, by what was asked.
"""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SENTENCE = "a brown dog with a red ball on the beach near two old friends who laugh"
TOKENS = {"prompt_tokens": 100, "completion_tokens": 20}


class StubEndpoint:
    """`faults` are used up one a request, in order; "" is none. `answer` makes an answer's text."""

    def __init__(self, answer: Callable[[dict[str, Any]], str] | None = None) -> None:
        self.faults: list[str] = []
        self.every_time = ""  # a fault of each request once `faults` is used up
        self.refused: set[str] = set()  # fields that the server does not know
        self.key = ""  # asked for when it is set
        self.bodies: list[dict[str, Any]] = []
        self.authorizations: list[str | None] = []
        self.paid: Counter[str] = Counter()
        self.die_after: int | None = None  # answers, then nobody is there any more
        self.at_once = self.most_at_once = 0
        self.seconds = 0.0  # that an answer takes
        self.a_token_a_byte = False  # counted so of what is asked, as the dearest tokenizer would
        self.stalls = threading.Event()
        self._answer = answer or answer_of_schema
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self.stalls.set()
        self._http.shutdown()
        self._http.server_close()

    def next_fault(self) -> str:
        with self._lock:
            return self.faults.pop(0) if self.faults else self.every_time

    def text(self, body: dict[str, Any]) -> str:
        return self._answer(body)

    @property
    def dead(self) -> bool:
        return self.die_after is not None and self.paid.total() >= self.die_after


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away in the middle are part of the tests."""


def answer_of_schema(body: dict[str, Any]) -> str:
    """Fill each string of the schema in the first message; the same question, the same answer."""
    schema = json.loads(body["messages"][0]["content"].rsplit("schema: ", 1)[1].splitlines()[0])
    mark = int(what_was_asked(body)[:8], 16)
    words = SENTENCE.split()
    return json.dumps(
        {
            name: " ".join(words[(mark // 7**place + k) % len(words)] for k in range(5))
            for place, name in enumerate(schema["properties"])
        }
    )


def what_was_asked(body: dict[str, Any]) -> str:
    asked = json.dumps([body["model"], body["messages"], body.get("seed")])
    return hashlib.sha256(asked.encode()).hexdigest()


def _handler(stub: StubEndpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with stub._lock:
                stub.bodies.append(body)
                stub.authorizations.append(self.headers.get("Authorization"))
                stub.at_once += 1
                stub.most_at_once = max(stub.most_at_once, stub.at_once)
            try:
                self._respond(body)
            finally:
                with stub._lock:
                    stub.at_once -= 1

        def _respond(self, body: dict[str, Any]) -> None:
            if stub.dead:
                return self._hang_up()
            if not self.path.endswith("/v1/chat/completions"):
                return self._send(404, {"error": {"message": "no such path"}})
            if stub.key and self.headers.get("Authorization") != f"Bearer {stub.key}":
                said = f"wrong key {self.headers.get('Authorization')}"
                return self._send(401, {"error": {"message": said}})
            for field in stub.refused & set(body):
                return self._send(400, {"error": {"message": f"Unknown field: '{field}'"}})
            fault, _, extra = stub.next_fault().partition(" ")
            if fault == "stall":
                stub.stalls.wait(30)
                return self._hang_up()
            if fault == "disconnect":
                return self._hang_up()
            if fault == "redirect":
                return self._send(302, {}, Location=extra)
            if fault.isdigit():
                headers = {"Retry_After": extra} if extra else {}
                return self._send(int(fault), {"error": {"message": "not now"}}, **headers)
            text = stub.text(body)
            if fault == "prose":
                text = "Certainly! I would say that it shows a dog."
            elif fault == "broken-json":
                text = text[: len(text) // 2]
            elif fault == "fenced":
                text = f"<think>Hm {{}}.</think>Here you are:\n```json\n{text}\n```"
            answer = {"choices": [{"message": {"role": "assistant", "content": text}}]}
            if fault != "uncounted":
                answer["usage"] = TOKENS
            if stub.a_token_a_byte:
                asked = sum(len(message["content"].encode()) for message in body["messages"])
                answer["usage"] = TOKENS | {"prompt_tokens": asked}
            time.sleep(stub.seconds)
            if fault == "half":
                return self._send(200, answer, half=True)
            if fault == "not-json":
                return self._send(200, "<html>hello</html>")
            with stub._lock:
                gone = stub.dead  # another answer may have been the last one meanwhile
                if not gone:
                    stub.paid[what_was_asked(body)] += 1
            if gone:
                return self._hang_up()
            return self._send(200, answer)

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def _send(self, status: int, answer: Any, half: bool = False, **headers: str) -> None:
            data = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if half else data)
            if half:
                self._hang_up()

    return Handler
