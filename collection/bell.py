"""How one server process tells the others that there is something new.

Only numbers go over it, no text: a process that hears of a conversation reads the log itself. So
nothing is lost when Redis is: every process looks for news by itself every few seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec

from photochat.errors import UNDECODABLE

CHANNEL = "photochat"
RETRY_SECONDS = 1.0
MAX_OUTBOX = 10_000  # news that wait to be told; the others find out by themselves
_log = logging.getLogger("photochat.bell")


class News(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is new: in a conversation, for a participant, or that somebody is typing."""

    process: str
    conversation: int | None = None
    typing: int | None = None  # the participant who is
    participant: int | None = None
    connection: int | None = None  # the number of the participant's newest connection


class Bell:
    """Rings at the other processes through Redis; without a URL there are no others."""

    def __init__(
        self,
        url: str | None,
        *,
        process: str,
        spawn: Callable[[Callable[[], None]], Any],
        sleep: Callable[[float], None],
        new_event: Callable[[], Any],
        heard: Callable[[News], None],
    ) -> None:
        self._process = process
        self._heard = heard
        self._sleep = sleep
        self._client: Any = None
        self._stopping = False
        self._outbox: dict[News, None] = {}  # in order, the same news once
        self._rung = new_event()
        self.failures = 0
        self.is_up = False
        if url is not None:
            import redis

            self._client = redis.Redis.from_url(
                url, socket_timeout=5, socket_connect_timeout=2, health_check_interval=15
            )
            spawn(self._listen)
            spawn(self._publish)

    @property
    def has_others(self) -> bool:
        """Whether there may be other processes."""
        return self._client is not None

    def ring(self, **news: Any) -> None:
        """Tell the other processes, without waiting for it; what is too much is dropped."""
        if self._client is not None and len(self._outbox) < MAX_OUTBOX:
            self._outbox[News(self._process, **news)] = None
            self._rung.set()

    def stop(self) -> None:
        """Stop listening."""
        self._stopping = True
        self._rung.set()

    def _publish(self) -> None:
        import redis

        while not self._stopping:
            self._rung.wait()
            self._rung.clear()
            outbox, self._outbox = self._outbox, {}
            try:
                pipe = self._client.pipeline(transaction=False)
                for news in outbox:
                    pipe.publish(CHANNEL, msgspec.json.encode(news))
                pipe.execute()
            except (redis.RedisError, OSError) as error:
                self._failed("publish", error)

    def _listen(self) -> None:
        import redis

        while not self._stopping:
            try:
                with self._client.pubsub(ignore_subscribe_messages=True) as listener:
                    listener.subscribe(CHANNEL)
                    self.is_up = True
                    while not self._stopping:
                        message = listener.get_message(timeout=1.0)
                        if message is not None:
                            self._take(message["data"])
            except (redis.RedisError, OSError, ValueError) as error:
                if not self._stopping:
                    self._failed("listen", error)
                    self._sleep(RETRY_SECONDS)

    def _take(self, data: bytes) -> None:
        try:
            news = msgspec.json.decode(data, type=News)
        except UNDECODABLE:
            return
        if news.process != self._process:
            self._heard(news)

    def _failed(self, what: str, error: Exception) -> None:
        self.failures += 1
        self.is_up = False
        _log.warning("redis %s failed: %s", what, type(error).__name__)
