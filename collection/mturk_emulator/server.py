"""The emulator as a server: for the command line, or inside a test."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from collection.mturk_emulator.books import Books
from collection.mturk_emulator.control import control
from collection.mturk_emulator.faults import Faults
from collection.mturk_emulator.pages import pages
from collection.mturk_emulator.service_model import service_model
from collection.mturk_emulator.signature import Key
from collection.mturk_emulator.wire import wire
from photochat.errors import DataError

HOST = "127.0.0.1"
MAX_BODY_BYTES = 4_000_000


def create_app(books: Books, key: Key | None = None) -> Flask:
    """Make the application over opened books.

    Raises:
        DataError: botocore knows no MTurk.
    """
    service_model()
    app = Flask("photochat_mturk", root_path=str(Path(__file__).parent))
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.extensions["mturk_books"] = books
    app.extensions["mturk_faults"] = Faults()
    app.extensions["mturk_key"] = key
    for part in (wire, pages, control):
        app.register_blueprint(part)
    return app


def serve(books: Books, host: str, port: int, key: Key | None = None) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        DataError: the address is taken.
    """
    server = _server(create_app(books, key), host, port)
    url = f"http://{host}:{server.server_port}"
    print(
        f"photochat: an MTurk to rehearse with, no real one, on {url}\n"
        f"  requesters  boto3.client('mturk', region_name='us-east-1', endpoint_url='{url}')\n"
        f"  workers     {url}/worker\n"
        f"  control     {url}/_emulator/books\n"
        "Whoever reaches this address can play any worker. Ctrl-C ends it.",
        file=sys.stderr,
        flush=True,
    )

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        books.close()


@contextmanager
def running(books: Books, key: Key | None = None) -> Iterator[str]:
    """Serve from a thread of this process, on any free port; yield the address."""
    server = _server(create_app(books, key), HOST, 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        pass


def _server(app: Flask, host: str, port: int) -> BaseWSGIServer:
    try:
        return make_server(host, port, app, threaded=True, request_handler=_Quiet)
    except (OSError, SystemExit) as error:
        raise DataError("cannot be served: is the port taken?", file=f"{host}:{port}") from error
