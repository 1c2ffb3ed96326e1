"""One server process: the parts, put together, and what happens between them.

Everything that writes goes through `writer`; everything that is sent goes through `deliver`.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from collection import entrance, metrics
from collection.bell import Bell, News
from collection.campaign import Campaign
from collection.conversation import Away, Back, Choose, Command, Refusal, Repeat
from collection.database import Database
from collection.events import LIVE, TALKING, Event
from collection.journal import Journal, Log
from collection.pairing import pair_waiting
from collection.presence import Presence, Socket, deliver
from collection.recruiting.leaving import exits_of, leaving
from collection.runtime import Runtime
from collection.settlement import finish
from collection.tables import participants
from collection.tokens import PhotoTicket, Ticket, Tokens
from collection.view import choosing_view, conversation_view, done_view, waiting_view
from collection.writer import Writer
from photochat.limits import Bucket

log = logging.getLogger("photochat.server")
TELL_AGAIN_SECONDS = 1.0


class Service:
    """One process's share of a campaign."""

    def __init__(
        self,
        campaign: Campaign,
        database: Database,
        tokens: Tokens,
        runtime: Runtime,
        *,
        images: Path,
        cache: Path,
        redis_url: str | None = None,
        admin_token: str = "",
        open_metrics: bool = False,
    ) -> None:
        self.campaign = campaign
        self.exits = exits_of(campaign)
        self.database = database
        self.tokens = tokens
        self.runtime = runtime
        self.images = images
        self.cache = cache
        self.admin_token = admin_token
        self.open_metrics = open_metrics
        self.process = str(uuid.uuid4())
        self.presence = Presence()
        self.metrics = metrics.Metrics(self.presence)
        self.draining = False  # this process: about to stop
        self.stopping = False
        self.started_at = time.time()  # or in touch again after an outage
        self.alive_at = self.started_at  # the last sign of life in the database
        self.expected_wait: float | None = None  # in the waiting room, seconds
        self.draw = random.Random(f"{campaign.seed}:{self.process}")  # noqa: S311 - no secret: who shares
        self.journal = Journal(campaign, self.failed)
        self.writer = Writer(
            database,
            self.journal,
            spawn=runtime.spawn,
            new_event=runtime.new_event,
            offload=runtime.offload,
            on_batch=self.metrics.batch,
            on_error=self.failed,
        )
        self.bell = Bell(
            redis_url,
            process=self.process,
            spawn=runtime.spawn,
            sleep=runtime.sleep,
            new_event=runtime.new_event,
            heard=self.heard,
        )
        self.wake_pairing = runtime.new_event()
        self.emit: Callable[[str, dict[str, Any], str], None] = lambda *_: None
        self.drop: Callable[[str], None] = lambda _: None

    def failed(self) -> None:
        """Log the exception being handled, without what a worker wrote."""
        self.metrics.errors.inc()
        log.error("unexpected failure", exc_info=True)

    def health(self) -> dict[str, str]:
        """Say whether this process can serve: "status" is "ok", "stopping" or "failing"."""
        health = {"status": "stopping" if self.stopping else "ok", "database": "ok"}
        try:
            self.writer.call(lambda c: c.execute(sa.select(participants.c.id).limit(1)).first())
        except Exception:
            health |= {"database": "failing"}
            if not self.stopping:
                health["status"] = "failing"
        if self.bell.has_others:
            health["redis"] = "ok" if self.bell.is_up else "failing (news come more slowly)"
        return health

    def close(self) -> None:
        """Stop: nobody new, everything queued written, everybody told."""
        self.stopping = True
        self.wake_pairing.set()
        for socket in self.presence.all():
            self.emit("state", {"kind": "restarting", "now": time.time()}, socket.sid)
        self.writer.stop()
        self.bell.stop()
        self.database.close()

    # --- sockets ---------------------------------------------------------------------------

    def connect(self, sid: str, ticket: Ticket) -> bool:
        """Take a participant's new socket in; False if its session is over."""
        now = time.time()
        row = self.writer.call(
            lambda c: entrance.attach(c, ticket.participant, ticket.generation, self.process, now)
        )
        if row is None:
            return False
        limits = self.campaign.limits
        bucket = Bucket(limits.events_per_second, limits.events_burst, now)
        socket = Socket(sid, row.id, ticket.generation, row.connection, bucket)
        socket.conversation = row.conversation
        older = self.presence.add(socket)
        if older is not None:
            self.replace(older)
        self.bell.ring(participant=row.id, connection=row.connection)
        if row.stage == "chatting":
            self.act(socket.conversation, row.id, Back())
        elif row.stage == "waiting":
            self.wake_pairing.set()
        return True

    def disconnect(self, sid: str) -> None:
        """A socket is gone. While the server stops nobody counts as away: they will be back."""
        socket = self.presence.remove(sid)
        if socket is None or self.stopping:
            return
        now = time.time()
        row = self.writer.call(lambda c: entrance.detach(c, socket.participant, socket.number, now))
        if row is not None and row.stage == "chatting":
            self.act(row.conversation, row.id, Away())

    def replace(self, socket: Socket) -> None:
        """Tell an older tab that a newer one has taken its place, and close its socket."""
        self.emit("state", {"kind": "replaced", "now": time.time()}, socket.sid)
        self.presence.remove(socket.sid)
        self.drop(socket.sid)

    def resume(self, socket: Socket, last_seq: int, conversation: int | None) -> dict[str, Any]:
        """Send what a client has not got, in order; then the answer to `resume` follows."""
        now = time.time()
        with socket.lock:  # or a pairing between the reading and the noting would be forgotten
            row = self.row(socket.participant)
            if row is None:
                return {"ok": False, "error": "session-over", "message": "Your session has ended."}
            known = self.log_of(row.conversation) if row.conversation else None
            socket.conversation = row.conversation
            socket.delivered = last_seq if conversation in (None, row.conversation) else 0
            if known is None or socket.delivered > known.state.seq:
                socket.delivered = 0
        if known is not None and row.conversation is not None:
            self.deliver_to(socket, row.conversation, known)
        if row.stage != "chatting":
            # A pairing at this very moment may be told before this answer arrives: tell it again.
            self.runtime.spawn(lambda: self._tell_again(socket, row.stage))
        return {
            "ok": True,
            "seq": socket.delivered,
            "conversation": row.conversation,
            "state": self.state_of(row, known, now),
        }

    def _tell_again(self, socket: Socket, stage: str) -> None:
        self.runtime.sleep(TELL_AGAIN_SECONDS)
        row = None if self.stopping else self.row(socket.participant)
        if row is not None and row.stage != stage:
            self.send_state(socket.participant)

    # --- conversations ---------------------------------------------------------------------

    def act(
        self, conversation: int | None, participant: int | None, command: Command
    ) -> list[Event] | Refusal | Repeat:
        """Give a command to a conversation, committed and delivered when this returns."""
        if conversation is None:
            return Refusal("not-in-conversation", "You are not in a conversation.")
        result = self.writer.act(conversation, participant, command)
        if isinstance(result, list) and result:
            self.spread(conversation)
            if any(e.kind in ("finish", "submit", "close", "abandon", "expire") for e in result):
                self.wake_pairing.set()
                self.send_states(conversation)
        return result

    def spread(self, conversation: int) -> None:
        """Deliver a conversation's news here, and ring at the other processes."""
        known = self.journal.known(conversation)
        if known is not None:
            for socket in self.presence.of_log(known):
                self.deliver_to(socket, conversation, known)
        self.bell.ring(conversation=conversation)

    def deliver_to(self, socket: Socket, conversation: int, known: Log) -> None:
        """Send one socket what it has not been sent."""
        deliver(socket, conversation, known, self.photo_url, self.emit)

    def choose(self, socket: Socket, command: Choose) -> list[Event] | Refusal | Repeat:
        """Go on waiting, ask for another partner, or leave; from wherever the participant is."""
        result = self.act(socket.conversation, socket.participant, command)
        if isinstance(result, Refusal) and result.error != "not-in-conversation":
            return result
        moved = self.writer.call(lambda c: self._choose(c, socket.participant, command))
        if moved:
            self.wake_pairing.set()
            self.send_state(socket.participant)
        return [] if isinstance(result, Refusal) else result

    def _choose(self, connection: Connection, participant: int, command: Choose) -> bool:
        row = entrance.get(connection, participant)
        now = time.time()
        if row is None:
            return False
        if row.stage == "choosing" and command.choice == "again":
            return entrance.wait(connection, self.campaign, participant, now)
        if row.stage == "choosing" and command.choice == "leave":
            return finish(connection, participant, "partner-gone", now)
        if row.stage == "waiting" and command.choice == "leave":
            return finish(connection, participant, "left-waiting-room", now)
        return False

    def log_of(self, conversation: int) -> Log | None:
        """Return a conversation's log with the newest that is committed."""
        with self.database.read() as reader:
            return self.journal.read(reader, conversation)

    def photo_url(self, participant: int, conversation: int) -> str:
        """Return the address under which a participant gets a conversation's photo for a while."""
        return "/photo/" + self.tokens.photo(PhotoTicket(participant, conversation))

    # --- pairing ---------------------------------------------------------------------------

    def pair(self) -> int:
        """Pair those who wait, here and elsewhere; return how many conversations began."""
        if self.draining or self.stopping:
            return 0
        now = time.time()
        begun = self.writer.call(
            lambda c: pair_waiting(c, self.database, self.campaign, now, self.draw)
        )
        for conversation in begun:
            self.begin(conversation)
        if begun:
            log.info("paired", extra={"conversations": len(begun)})
        return len(begun)

    def begin(self, conversation: int) -> None:
        """Tell the participants of a new conversation, those that are here."""
        known = self.log_of(conversation)
        if known is None:
            return
        for socket in self.presence.of_log(known):
            with socket.lock:
                if socket.conversation != conversation:
                    socket.conversation = conversation
                    socket.delivered = None if socket.delivered is None else 0
            self.send_state(socket.participant)
            self.deliver_to(socket, conversation, known)
        self.bell.ring(conversation=conversation)

    # --- states ----------------------------------------------------------------------------

    def row(self, participant: int) -> Row[Any] | None:
        """Return a participant's row as it is committed."""
        with self.database.read() as reader:
            return entrance.get(reader, participant)

    def state_of(self, row: Row[Any], known: Log | None, now: float) -> dict[str, Any]:
        """Return what a participant's page should show; `now` is before `row` was read.

        A page drops a state that is older than the one it has, by `now`.
        """
        if row.stage == "done":
            return done_view(row, now, leaving(self.database, self.exits, row))
        if row.stage == "choosing":
            return choosing_view(row, now)
        if row.stage == "waiting":
            with self.database.read() as reader:
                queue = entrance.place_in_queue(reader, self.campaign.name, row)
                blocked = entrance.why_waiting(reader, self.campaign.name, row.worker)
            return waiting_view(row, now, *queue, self.expected_wait, blocked)
        role = known.role_of(row.id) if known is not None else None
        if known is None or role is None:
            return {"kind": "entry", "now": now, "stage": row.stage}
        return conversation_view(
            self.campaign,
            row.conversation,
            known,
            role,
            now,
            lambda: self.photo_url(row.id, row.conversation),
        )

    def talking_here(self) -> int:
        """Count the conversations going on with a participant whose socket is here."""
        ids = {socket.conversation for socket in self.presence.all() if socket.conversation}
        known = [self.journal.known(conversation) for conversation in ids]
        return sum(one is not None and one.state.phase in LIVE for one in known)

    def send_state(self, participant: int) -> None:
        """Send a participant the state of things, if the socket is here."""
        socket = self.presence.of_participant(participant)
        now = time.time()
        row = self.row(participant) if socket is not None else None
        if socket is not None and row is not None:
            known = self.journal.known(row.conversation) if row.conversation else None
            self.emit("state", self.state_of(row, known, now), socket.sid)

    def send_states(self, conversation: int) -> None:
        """Send both participants of a conversation the state of things, those that are here."""
        known = self.journal.known(conversation)
        if known is not None:
            for socket in self.presence.of_log(known):
                self.send_state(socket.participant)
                socket.told = (conversation, known.state.phase)

    # --- news from other processes -----------------------------------------------------------

    def heard(self, news: News) -> None:
        """Act on what another process has told."""
        try:
            if news.participant is not None and news.connection is not None:
                older = self.presence.older(news.participant, news.connection)
                if older is not None:
                    self.replace(older)
            if news.conversation is not None and news.typing is not None:
                self.show_typing(news.conversation, news.typing)
            elif news.conversation is not None:
                self.catch_up(news.conversation)
        except Exception:
            self.failed()  # the periodic catch-up does it again

    def catch_up(self, conversation: int) -> None:
        """Read what is new in a conversation and bring it to those who are here."""
        known = self.log_of(conversation)
        if known is None:
            return
        news = (conversation, known.state.phase)
        for socket in self.presence.of_log(known):
            moved = socket.conversation != conversation and known.state.phase in LIVE
            if moved:
                with socket.lock:
                    socket.conversation = conversation
                    socket.delivered = None if socket.delivered is None else 0
            self.deliver_to(socket, conversation, known)
            if moved or (socket.told != news and known.state.phase not in TALKING):
                self.send_state(socket.participant)
                socket.told = news

    def typing(self, socket: Socket) -> None:
        """Show the partner that somebody is typing; not kept, not promised."""
        if socket.conversation is not None:
            self.show_typing(socket.conversation, socket.participant)
            self.bell.ring(conversation=socket.conversation, typing=socket.participant)

    def show_typing(self, conversation: int, writer: int) -> None:
        """Show it if the partner is here."""
        known = self.journal.known(conversation)
        if known is not None and known.state.phase in TALKING:
            for socket in self.presence.of_log(known):
                if socket.participant != writer and socket.conversation == conversation:
                    self.emit("typing", {"by": "partner"}, socket.sid)
