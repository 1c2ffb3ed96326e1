"""Serving for real: gevent's web server in one process, until a signal asks it to end.

gevent's patches must come before everything else is imported: `photochat serve` calls `patch()`
first and imports the rest of this package afterwards.
"""

from __future__ import annotations

import gc
import logging
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collection.server import ServerConfig

log = logging.getLogger("photochat.server")
DRAIN_POLL_SECONDS = 0.5
GC_THRESHOLD = 20_000  # new objects before the youngest are looked through
CLOSE_SECONDS = 2.0  # for the last packets to leave


def patch() -> None:
    """Let greenlets wait where threads would."""
    from gevent import monkey

    monkey.patch_all()


def serve(
    config: ServerConfig, host: str, port: int, drain_seconds: float, *, show_links: bool = False
) -> None:
    """Serve until SIGTERM or SIGINT; then drain, write what is queued, and return.

    Draining waits up to `drain_seconds` for the conversations held here to end; meanwhile nobody
    new is paired here. A second signal ends it at once. Nobody is lost either way: what was
    acknowledged is in the database, and the pages reconnect to whatever serves next.

    With `show_links` it says where to begin as two workers and as the requester.

    Raises:
        DataError: the address is taken or the database cannot be used.
    """
    import gevent
    from gevent.event import Event
    from gevent.pywsgi import WSGIServer

    from collection.server import create_app, stop
    from photochat.errors import DataError

    app = create_app(config)
    service = app.extensions["photochat"]
    server = WSGIServer((host, port), app, log=None, error_log=logging.getLogger("photochat.http"))
    # What is there now stays; without this the collector goes through all of it again and again,
    # and everybody waits for it (100 ms and more).
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 100)
    try:
        server.init_socket()
        # Inherited by every connection: a message must not wait 40 ms for the last one's receipt.
        server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.start()
    except OSError as error:
        stop(app)
        raise DataError(
            f"cannot be served ({error.strerror or error})", file=f"{host}:{port}"
        ) from error
    stocked = app.extensions["photochat_stocked"]
    print(
        f"photochat: serving {config.campaign.name} on http://{host}:{server.server_port} "
        f"({stocked.photos:,} photos"
        + (
            f", {stocked.without_picture:,} left out without a picture"
            * bool(stocked.without_picture)
        )
        + ")",
        file=sys.stderr,
        flush=True,
    )
    if show_links:
        print(_links(config, f"http://{host}:{server.server_port}"), file=sys.stderr, flush=True)
    asked = Event()
    signals: list[int] = []

    def ask(number: int) -> None:
        signals.append(number)
        asked.set()

    handlers: list[Any] = [
        gevent.signal_handler(number, ask, number) for number in (signal.SIGTERM, signal.SIGINT)
    ]
    asked.wait()
    log.info("draining", extra={"connections": len(service.presence)})
    service.draining = True
    end = time.monotonic() + drain_seconds
    while time.monotonic() < end and len(signals) < 2 and service.talking_here():
        gevent.sleep(DRAIN_POLL_SECONDS)
    stop(app)
    server.stop(timeout=CLOSE_SECONDS)
    for handler in handlers:
        handler.cancel()
    log.info("stopped")


def _links(config: ServerConfig, url: str) -> str:
    """Say where a person tries the server as two workers and the requester."""
    from collection.tokens import Tokens, invitation_link

    tokens = Tokens(config.secret)
    first, second = (
        invitation_link(url, tokens, config.campaign.name, worker) for worker in ("ann", "bob")
    )
    return (
        "Open these, the second worker in a private window (a browser is one worker):\n"
        f"  worker ann  {first}\n"
        f"  worker bob  {second}\n"
        f"  dashboard   {url}/admin\n"
        "Ctrl-C ends it."
    )
