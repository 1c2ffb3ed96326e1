"""One simulated worker: comes in, waits, talks, shares, ends, submits; with its habit's troubles.

What it sends is in the diary before it is sent. What gets no answer is sent again with the same
client id, on whatever connection there is by then, as docs/protocol.md asks of every client.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any, NamedTuple
from urllib.parse import urljoin

import aiohttp

from collection.campaign import Campaign
from collection.simulate import phrases
from collection.simulate.diary import Diary
from collection.simulate.entry import Shut, enter
from collection.simulate.habits import Habit
from collection.simulate.line import Line, Lost, Refused
from collection.simulate.talk import FINISH, SHARE, Move, Said, draw_plan, next_move
from photochat.description import Description, parse_description

RETRY_SECONDS = 1.0  # between two attempts to connect, with as much at random
LOOK_SECONDS = 2.0  # between two looks at the state where nothing is to be done
IMPATIENT_AFTER = 4  # looks at a silent partner before going on alone
TROUBLE_EVERY = 5  # turns, in the mean
TAB_SECONDS = 5.0  # for the server to close the older of two tabs
RUDE_SHARE = 0.3  # of a rude bot's messages
PAUSE_TURNS = 5  # how long a trouble lasts at most, in messages' times
SURVEY_COMMENTS = ("", "", "nice partner", "all went well", "my connection was slow")


class Settings(NamedTuple):
    """What all bots of a run share."""

    url: str
    campaign: Campaign
    rate: float  # messages a second that one bot writes, in the mean
    seed: int
    patience: float  # seconds without a server before a bot gives up
    max_wait: float  # seconds in the waiting room before a bot leaves


class Bot:
    """A worker that speaks the public protocol and nothing else."""

    def __init__(
        self,
        worker: str,
        link: str,
        habit: Habit,
        settings: Settings,
        diary: Diary,
        session: aiohttp.ClientSession,
    ) -> None:
        self.worker = worker
        self.habit = habit
        self.outcome: str | None = None
        self._link = link
        self._settings = settings
        self._diary = diary
        self._session = session
        self._draw = random.Random(f"{settings.seed}:{worker}")  # noqa: S311 - a bot
        self._plan = draw_plan(self._draw, settings.campaign.rules.min_turns_before_share)
        self._token: str | None = None
        self._line: Line | None = None
        self._state: dict[str, Any] = {}
        self._conversation: int | None = None
        self._last_seq = 0
        self._history: list[Said] = []
        self._stale = False
        self._early: list[dict[str, Any]] | None = None
        self._sent = 0
        self._looks = 0
        self._changed = asyncio.Event()

    async def run(self) -> str:
        """Take part; return the outcome: the server's, or why the bot could not go on."""
        try:
            self._token = await self._enter(self._link)
            outcome = await self._take_part()
        except Shut as error:
            outcome = error.code
        finally:
            if self._line is not None:
                await self._line.close()
        self.outcome = outcome
        code = self._state.get("code")
        self._diary.write("done", self.worker, error=outcome, code=code)
        return outcome

    @property
    def last_page(self) -> dict[str, Any]:
        """What the chat's last page says; empty if the bot did not get there."""
        return self._state if self._state.get("kind") == "done" else {}

    async def _take_part(self) -> str:
        while True:
            try:
                if self._line is None or self._line.down.is_set() or self._stale:
                    await self._reconnect()
                kind = self._state.get("kind")
                if kind == "done":
                    return str(self._state["reason"])
                if kind == "choosing":
                    await self._command("choose", {"choice": "again"})
                    await self._resume()
                elif kind == "ended" and not self._state["submitted"]["you"]:
                    await self._command("submit", {"survey": self._survey()})
                    await self._resume()
                elif kind == "talking":
                    if await self._turn():
                        return "left"
                elif kind == "entry":
                    await self._reload()
                elif kind == "waiting" and self._has_waited():
                    await self._command("choose", {"choice": "leave"})
                    await self._resume()
                else:  # waiting, or handed in before the partner has
                    await self._until_changed(LOOK_SECONDS)
                    if kind != "waiting":
                        await self._resume()
            except Lost:
                self._line_lost()

    async def _turn(self) -> bool:
        """Think, then do the next thing in a conversation. True: the bot has left for good."""
        rate = self._settings.rate
        await asyncio.sleep(min(self._draw.expovariate(rate), 4 / rate))
        if self._stale or self._state.get("kind") != "talking" or self.habit == "silent":
            return False
        if self._state["partner"]["gone"]:
            await self._command("choose", {"choice": "again"})
            await self._resume()
            return False
        if await self._trouble():
            return True
        if self._state.get("kind") != "talking":
            return False
        self._looks += 1
        patient = self._looks < IMPATIENT_AFTER
        move = next_move(
            self._description(), self._history, self._plan, self._draw, patient=patient
        )
        if move.kind == "say" and self.habit == "rude" and self._draw.random() < RUDE_SHARE:
            move = Move("say", self._draw.choice(phrases.RUDE))
        if move.kind != "wait":
            self._looks = 0
            await self._do(move)
        return False

    async def _do(self, move: Move) -> None:
        self._sent += 1
        # The conversation's number is part of it: a bot that runs again begins to count again.
        client_id = f"{self._conversation}-{self._sent}-{self._draw.getrandbits(32):08x}"
        payload = {"client_id": client_id}
        if move.kind == "say":
            # A bot knows that what it says is made up, should it look like personal information.
            await self._command("say", {**payload, "text": move.text, "confirmed": True})
            return
        answer = await self._command(move.kind, payload)
        if move in (SHARE, FINISH) and answer.get("ok"):
            await self._resume()

    async def _command(self, name: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send until there is an answer, over new connections where the old is lost."""
        conversation = self._conversation
        facts = {"name": name, "conversation": conversation}
        facts |= {"client_id": payload.get("client_id")}
        self._diary.write("sent", self.worker, text=payload.get("text"), **facts)
        while True:
            try:
                assert self._line is not None
                answer = await self._line.ask(name, payload)
            except Lost:
                self._line_lost()
                await self._reconnect()
                if self._conversation != conversation or self._state.get("kind") == "done":
                    return {"ok": False, "error": "moved-on"}
                continue
            if answer.get("ok"):
                self._diary.write("acked", self.worker, seq=answer.get("seq"), **facts)
                return answer
            error = answer.get("error")
            if error in ("unavailable", "rate-limited", "replaced"):
                await asyncio.sleep(RETRY_SECONDS * self._draw.uniform(0.5, 1.5))
                continue
            self._diary.write("refused", self.worker, error=error, **facts)
            if error not in ("too-early", "empty", "repeated"):
                await self._resume()
            return answer

    # --- connections -----------------------------------------------------------------------

    async def _reconnect(self) -> None:
        """Connect, or say where we stand on the connection there is, until it works.

        Raises:
            Shut: the server cannot be reached, or lets the bot in no more.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + self._settings.patience
        while True:
            try:
                if self._line is None or self._line.down.is_set():
                    await self._open()
                await self._resume()
                return
            except Lost:
                self._line_lost()
            except Refused as error:
                self._line_lost()
                if str(error) in ("bad-token", "session-over"):
                    self._diary.write("trouble", self.worker, error=str(error))
                    await self._reload()
            if clock() > end:
                raise Shut("unreachable")
            await asyncio.sleep(RETRY_SECONDS * self._draw.uniform(0.5, 1.5))

    async def _open(self) -> None:
        line = Line(self._session, self._on_event, self._on_state)
        self._line, previous = line, self._line
        if previous is not None:
            await previous.close()
        assert self._token is not None
        await line.open(self._settings.url, self._token)

    async def _resume(self) -> None:
        """Say where we stand, take what is missing, and the state of things."""
        assert self._line is not None
        line, conversation = self._line, self._conversation
        self._diary.write("opened", self.worker, conversation=conversation, seq=self._last_seq)
        payload: dict[str, Any] = {"last_seq": self._last_seq}
        if conversation is not None:
            payload["conversation"] = conversation
        # Which conversation the events belong to is known when the answer comes, after them.
        early: list[dict[str, Any]] = []
        self._early = early

        def taken(answer: dict[str, Any]) -> None:
            self._early = None
            self._stale = False
            if answer.get("ok"):
                if answer["conversation"] not in (None, conversation):
                    self._begin(answer["conversation"])
                for event in early:
                    self._on_event(line, event)
                self._take(answer["state"])
                self._stale = False

        try:
            answer = await line.ask("resume", payload, taken)
        finally:
            self._early = None
        if not answer.get("ok"):
            raise Lost

    async def _reload(self) -> None:
        """Load the page again: another token, and nothing remembered."""
        page = urljoin(self._settings.url, "/chat")
        try:
            self._token = await self._enter(page)
        except Shut as error:
            if error.code != "session-over":
                raise
            self._token = await self._enter(self._link)
        self._begin(None)

    async def _enter(self, link: str) -> str:
        return await enter(self._session, link, self._settings.campaign, self._settings.patience)

    def _line_lost(self) -> None:
        if self._line is not None:
            self._line.down.set()

    async def _trouble(self) -> bool:
        """Have the habit's trouble now and then. True: the bot has left for good."""
        if self.habit in ("plain", "rude") or self._draw.random() > 1 / TROUBLE_EVERY:
            return False
        self._diary.write("trouble", self.worker, conversation=self._conversation, error=self.habit)
        assert self._line is not None
        longest = PAUSE_TURNS / self._settings.rate
        if self.habit == "leaves":
            await self._line.close()
            return True
        if self.habit == "pauses":
            await asyncio.sleep(self._draw.uniform(0.2, 1) * longest)
        elif self.habit == "drops":
            await self._line.cut()
            await asyncio.sleep(self._draw.uniform(0.0, 0.5) * longest)
        elif self.habit == "reloads":
            await self._line.close()
            await self._reload()
        elif self.habit == "tabs":
            older, self._line = self._line, None
            await self._reload()
            await self._reconnect()  # the newest tab wins: the older one is closed by the server
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(older.down.wait(), TAB_SECONDS)
            await older.close()
        return False

    # --- what the server sends ---------------------------------------------------------------

    def _on_event(self, line: Line, event: dict[str, Any]) -> None:
        if line is not self._line:
            return
        if self._early is not None:
            self._early.append(event)
            return
        if event["seq"] <= self._last_seq:
            return
        if event["seq"] != self._last_seq + 1:
            self._stale = True
            self._changed.set()
            return
        self._last_seq = event["seq"]
        kind, by = event["kind"], event["by"]
        self._diary.write(
            "heard", self.worker, conversation=self._conversation, seq=event["seq"], name=kind,
            by=by, client_id=event.get("client_id"), text=event.get("text"),
        )  # fmt: skip
        if kind in ("say", "share"):
            self._history.append(Said(by == "you", event.get("text")))
        if kind not in ("say", "paired"):
            self._stale = True  # the state has changed: ask for it
        if by == "partner":
            self._looks = 0
        self._changed.set()

    def _on_state(self, line: Line, state: dict[str, Any]) -> None:
        if line is not self._line or self._early is not None:
            return  # of an older tab, or overtaken by the answer to come
        if state["kind"] not in ("replaced", "restarting"):
            conversation = state.get("conversation")
            if conversation is not None and conversation != self._conversation:
                self._begin(conversation)
            self._take(state)

    def _begin(self, conversation: int | None) -> None:
        self._conversation = conversation
        self._last_seq = 0
        self._history = []
        self._plan = draw_plan(self._draw, self._settings.campaign.rules.min_turns_before_share)

    def _take(self, state: dict[str, Any]) -> None:
        if state.get("kind") != self._state.get("kind"):
            self._changed.set()
        self._state = state

    # --- what the bot knows ------------------------------------------------------------------

    def _description(self) -> Description | None:
        photo = self._state.get("photo")
        if self._state.get("role") != "sharer" or photo is None:
            return None
        return parse_description(photo["description"])

    def _has_waited(self) -> bool:
        return bool(self._state["now"] - self._state["since"] > self._settings.max_wait)

    def _survey(self) -> dict[str, Any]:
        answers: dict[str, Any] = {}
        for item in self._settings.campaign.survey:
            scale = item.kind == "scale"
            answers[item.name] = (
                self._draw.randint(3, 5) if scale else self._draw.choice(SURVEY_COMMENTS)
            )
            if item.required and not answers[item.name]:
                answers[item.name] = "fine"
        return answers

    async def _until_changed(self, seconds: float) -> None:
        """Wait; in the waiting room and at an ended conversation a change of state ends it."""
        if self._state.get("kind") == "talking":
            await asyncio.sleep(seconds)
            return
        self._changed.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)
