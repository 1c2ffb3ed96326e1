"""Serving a review for real: gevent's web server in one process, until a signal asks it to end.

gevent's patches must come before everything else is imported: `photochat review` calls `patch()`
first and imports the rest of this package afterwards.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verification.review.desk import Desk

CLOSE_SECONDS = 5.0  # for requests that are being answered


def patch() -> None:
    """Let greenlets wait where threads would."""
    from gevent import monkey

    monkey.patch_all()


def serve(
    desk: Desk,
    host: str,
    port: int,
    *,
    reviewers: Sequence[str],
    public_url: str | None = None,
    proxies: int = 0,
    https: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT, after printing the link of each reviewer.

    Nothing is lost however it ends: a vote is in the database before the next dialogue is shown.

    Raises:
        DataError: the address is taken.
    """
    import gevent
    from gevent.event import Event
    from gevent.pywsgi import WSGIServer

    from photochat.errors import DataError
    from verification.review.server import create_app
    from verification.review.tokens import link

    app = create_app(desk, proxies=proxies, https=https)
    server = WSGIServer((host, port), app, log=None, error_log=logging.getLogger("photochat.http"))
    try:
        server.start()
    except OSError as error:
        raise DataError(
            f"cannot be served ({error.strerror or error})", file=f"{host}:{port}"
        ) from error
    here = f"http://{host}:{server.server_port}"
    print(f"photochat: the review is on {here}; Ctrl-C ends it", file=sys.stderr, flush=True)
    for name in reviewers:
        print(
            f"  {name}  {link(public_url or here, desk.secret, name)}", file=sys.stderr, flush=True
        )
    asked = Event()
    handlers: list[Any] = [
        gevent.signal_handler(number, asked.set) for number in (signal.SIGTERM, signal.SIGINT)
    ]
    asked.wait()
    server.stop(timeout=CLOSE_SECONDS)
    desk.database.close()
    for handler in handlers:
        handler.cancel()
