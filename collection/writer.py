"""One writer for a process: takes all that is queued, commits it at once, then answers.

That is group commit: the disk is waited for once for many messages. Nothing is answered, and so
nothing is acknowledged or delivered, before its transaction is committed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import exc
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from collection.conversation import Command, Refusal, Repeat
from collection.database import Database
from collection.events import Event
from collection.journal import Act, Journal

T = TypeVar("T")
ATTEMPTS = 4
_UNDONE = ("40001", "40P01")  # serialization failure, deadlock
_DATABASE_FAILED = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, OSError)
MAX_BATCH = 512  # so that nobody waits for an endless transaction


class Unavailable(Exception):
    """The database did not take it: nothing of this was stored, or nobody knows. Try again."""


class _Job:
    """One thing to write, and whoever waits for it."""

    __slots__ = ("act", "call", "done", "error", "result")

    def __init__(self, done: Any, act: Act | None, call: Callable[[Connection], Any] | None):
        self.done = done
        self.act = act
        self.call = call
        self.result: Any = None
        self.error: Exception | None = None


class Writer:
    """Queue and loop. `spawn`, `new_event` and `offload` come from the way the server runs.

    `offload` runs a function while other greenlets go on; it is used for the commit alone, which
    waits for the disk.
    """

    def __init__(
        self,
        database: Database,
        journal: Journal,
        *,
        spawn: Callable[[Callable[[], None]], Any],
        new_event: Callable[[], Any],
        offload: Callable[[Callable[[], None]], None],
        on_batch: Callable[[int, float], None],
        on_error: Callable[[], None],
    ) -> None:
        self._database = database
        self._journal = journal
        self._new_event = new_event
        self._offload = offload
        self._on_batch = on_batch
        self._on_error = on_error
        self._queue: list[_Job] = []
        self._wake = new_event()
        self._stopping = False
        self._connection: Connection | None = None
        self._loop = spawn(self._run)

    def act(
        self, conversation: int, participant: int | None, command: Command
    ) -> list[Event] | Refusal | Repeat:
        """Give a command to a conversation; return what came of it, committed.

        Raises:
            Unavailable: the database failed; the command may be given again.
        """
        act = Act(conversation, participant, command)
        self._wait_for(_Job(self._new_event(), act, None))
        return act.result

    def call(self, write: Callable[[Connection], T]) -> T:
        """Run `write(connection)` in the next transaction; return its result, committed.

        An exception of `write` undoes what it did, nothing else, and comes out here.

        Raises:
            Unavailable: the database failed.
        """
        job = _Job(self._new_event(), None, write)
        self._wait_for(job)
        result: T = job.result
        return result

    def stop(self) -> None:
        """Write what is queued, then end."""
        self._stopping = True
        self._wake.set()
        self._loop.join()

    def _wait_for(self, job: _Job) -> None:
        if self._stopping:
            raise Unavailable("the server is stopping")
        self._queue.append(job)
        self._wake.set()
        job.done.wait()
        if job.error is not None:
            raise job.error

    def _run(self) -> None:
        while not (self._stopping and not self._queue):
            self._wake.wait()
            self._wake.clear()
            while self._queue:
                batch = self._queue[:MAX_BATCH]
                del self._queue[: len(batch)]
                self._write(batch)
        if self._connection is not None:
            self._connection.close()

    def _write(self, batch: list[_Job]) -> None:
        began = time.perf_counter()
        for attempt in range(ATTEMPTS):
            try:
                self._transact(batch)
                break
            except Exception as error:
                self._on_error()
                self._disconnect()
                self._journal.forget([job.act.conversation for job in batch if job.act])
                if len(batch) > 1 and not isinstance(error, _DATABASE_FAILED):
                    for job in batch:  # what one of them cannot have must not harm the others
                        self._write([job])
                    return
                if not _was_undone(error) or attempt == ATTEMPTS - 1:
                    for job in batch:
                        job.error = Unavailable(type(error).__name__)
                    break
        for job in batch:
            job.done.set()
        self._on_batch(len(batch), time.perf_counter() - began)

    def _transact(self, batch: list[_Job]) -> None:
        acts = [job.act for job in batch if job.act is not None]
        connection = self._connected()
        with connection.begin() as transaction:
            for job in batch:
                if job.call is not None:
                    self._call(connection, job)
            logs = self._journal.write(connection, acts, time.time()) if acts else {}
            self._offload(transaction.commit)
        self._journal.keep(logs)

    def _call(self, connection: Connection, job: _Job) -> None:
        assert job.call is not None
        savepoint = connection.begin_nested()
        job.error = None
        try:
            job.result = job.call(connection)
            savepoint.commit()
        except Exception as error:
            if isinstance(error, DBAPIError) and (
                error.connection_invalidated or _was_undone(error)
            ):
                raise
            savepoint.rollback()
            job.error = error

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed or self._connection.invalidated:
            self._disconnect()
            self._connection = self._database.writing.connect()
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.invalidate()
                connection.close()
            except Exception:
                self._on_error()


def _was_undone(error: Exception) -> bool:
    """Whether PostgreSQL has undone the whole transaction because of another one: try again."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) in _UNDONE
