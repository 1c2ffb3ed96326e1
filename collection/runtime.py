"""How a process runs things side by side: greenlets under gevent, threads in tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec


class Runtime(msgspec.Struct, frozen=True):
    """What the rest needs of it, whichever it is."""

    spawn: Callable[..., Any]
    sleep: Callable[[float], None]
    new_event: Callable[[], Any]
    offload: Callable[[Callable[[], Any]], Any]  # into a real thread, while others go on


def runtime(async_mode: Literal["gevent", "threading"]) -> Runtime:
    """Return how a process of this mode runs things side by side."""
    if async_mode == "gevent":
        import gevent
        from gevent.event import Event
        from gevent.threadpool import ThreadPool

        pool = ThreadPool(4)
        return Runtime(gevent.spawn, gevent.sleep, Event, pool.apply)
    return Runtime(_thread, time.sleep, threading.Event, lambda do: do())


def _thread(do: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    return thread
