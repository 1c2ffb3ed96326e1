"""A small real HTTP server that answers like a bucket, and misbehaves where it is told to."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[["Handler", int], None]


class Handler(BaseHTTPRequestHandler):
    """Looks the path up in the server's answers; the answer gets the attempt's number, from 1."""

    protocol_version = "HTTP/1.1"
    server: FaultyServer

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.requests[self.path] += 1
            attempt = self.server.requests[self.path]
        self.server.answers.get(self.path, status(404, "NoSuchKey"))(self, attempt)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class FaultyServer(ThreadingHTTPServer):
    """`answers` maps a path to what happens there; `requests` counts what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.requests: Counter[str] = Counter()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave are what these tests are about."""


@contextlib.contextmanager
def faulty_server() -> Iterator[FaultyServer]:
    """Run a server for the length of a block."""
    server = FaultyServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def body(data: bytes) -> Answer:
    """Answer well."""

    def answer(handler: Handler, attempt: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def status(code: int, name: str) -> Answer:
    """Answer with an error as S3 words it."""

    def answer(handler: Handler, attempt: int) -> None:
        text = f"<?xml version='1.0'?><Error><Code>{name}</Code><Message>no</Message></Error>"
        handler.send_response(code)
        handler.send_header("Content-Type", "application/xml")
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text.encode())

    return answer


def cut(data: bytes, sent: int) -> Answer:
    """Promise all of `data`, send the first `sent` bytes and hang up."""

    def answer(handler: Handler, attempt: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[:sent])
        handler.wfile.flush()
        handler.close_connection = True

    return answer


def hang_up() -> Answer:
    """Close the connection without a word."""

    def answer(handler: Handler, attempt: int) -> None:
        handler.close_connection = True

    return answer


def first(times: int, bad: Answer, good: Answer) -> Answer:
    """Behave badly the first `times` times, then well."""

    def answer(handler: Handler, attempt: int) -> None:
        (bad if attempt <= times else good)(handler, attempt)

    return answer


def held(gate: threading.Event, good: Answer) -> Answer:
    """Answer once `gate` is open, a minute later at most."""

    def answer(handler: Handler, attempt: int) -> None:
        gate.wait(60)
        good(handler, attempt)

    return answer
