"""No test reaches a platform where people are paid, whatever library it uses and in any process.

An audit hook hears of every name that is looked up and every connection that is made, below all
libraries, and cannot be taken away again.
"""

from __future__ import annotations

import sys

FORBIDDEN = ("amazonaws.com", "amazonaws.com.cn", "mturk.com", "prolific.com", "prolific.co")


class ProductionReachedError(BaseException):
    """A test tried to reach a platform. No `Exception`, so that no `except` makes it disappear."""


def is_forbidden(host: object) -> bool:
    """Say whether a host is one of a platform's."""
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    name = text.lower().rstrip(".")
    return any(name == end or name.endswith(f".{end}") for end in FORBIDDEN)


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    elif event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    else:
        return
    if host is not None and is_forbidden(host):
        raise ProductionReachedError(f"a test tried to reach {host!r}")


def stand_guard() -> None:
    """Begin to listen, once in a process."""
    if not hasattr(sys, "photochat_guarded"):
        sys.addaudithook(_hear)
        sys.photochat_guarded = True  # type: ignore[attr-defined]
