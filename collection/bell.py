"""How one server process tells the others that there is something new.

Only numbers go over it, no text: a process that hears of a conversation reads the log itself. So
nothing is lost when Redis is: every process looks for news by itself every few seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec

CHANNEL = "photochat"
RETRY_SECONDS = 1.0
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
        heard: Callable[[News], None],
    ) -> None:
        self._process = process
        self._heard = heard
        self._sleep = sleep
        self._client: Any = None
        self._stopping = False
        self.failures = 0
        self.is_up = False
        if url is not None:
            import redis

            self._client = redis.Redis.from_url(
                url, socket_timeout=5, socket_connect_timeout=2, health_check_interval=15
            )
            spawn(self._listen)

    @property
    def has_others(self) -> bool:
        """Whether there may be other processes."""
        return self._client is not None

    def ring(self, **news: Any) -> None:
        """Tell the other processes; a failure is counted, not raised."""
        if self._client is None:
            return
        import redis

        try:
            self._client.publish(CHANNEL, msgspec.json.encode(News(self._process, **news)))
        except redis.RedisError as error:
            self._failed("publish", error)

    def stop(self) -> None:
        """Stop listening."""
        self._stopping = True
        if self._client is not None:
            self._client.close()

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
        except msgspec.DecodeError:
            return
        if news.process != self._process:
            self._heard(news)

    def _failed(self, what: str, error: Exception) -> None:
        self.failures += 1
        self.is_up = False
        _log.warning("redis %s failed: %s", what, type(error).__name__)
