"""How bots come from a platform and go back to it: they find a HIT, accept it, and hand it in.

The platform is the MTurk emulator; what a browser would do there, a bot does through the emulator's
control side, but for handing in: that is the form of the chat's last page, as it stands there.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any, Literal, NamedTuple, get_args

import aiohttp
import msgspec

from collection.simulate.entry import BUSY, RETRY_SECONDS, Shut

Manner = Literal["honest", "returns", "twice", "nothing", "copies"]
MANNERS: tuple[Manner, ...] = get_args(Manner)
_ODD = MANNERS[1:]
MADE_UP_CODE = "ABCDEFGH"  # of one who copies and knows nobody to copy from
REFUSED = 409  # the emulator's answer to what a worker may not do
LOOK_SECONDS = 1.0  # between two looks for a HIT


class Accepted(NamedTuple):
    """An assignment, and the address that the platform's frame shows for it."""

    id: str
    link: str


def worker_id(seed: int, number: int) -> str:
    """Return a bot's worker id, of the form that MTurk's have: A, then capitals and digits."""
    return f"A{seed}BOT{number}"


def draw_manner(draw: random.Random, odd: float) -> Manner:
    """Draw how one bot treats the platform; a share of `odd` (0 to 1) is not honest and prompt."""
    return draw.choice(_ODD) if draw.random() < odd else "honest"


class Platform:
    """The worker's side of an MTurk emulator."""

    def __init__(self, url: str, session: aiohttp.ClientSession, patience: float) -> None:
        self._url = url.rstrip("/")
        self._session = session
        self._patience = patience

    async def accept(self, worker: str) -> Accepted:
        """Accept one of the chat HITs that a worker finds; look again for `patience` seconds.

        Raises:
            Shut: there was none in that time ("no-hit"), or the platform cannot be reached.
        """
        end = asyncio.get_running_loop().time() + self._patience
        await self._post("/_emulator/workers", {"id": worker})
        while True:
            for hit in await self._found(worker):
                if "ExternalQuestion" not in hit["question"]:
                    continue
                status, made = await self._post(f"{self._side(worker)}/accept", {"hit": hit["hit"]})
                if status != REFUSED:  # else somebody was quicker
                    return Accepted(made["id"], made["frame"])
            if asyncio.get_running_loop().time() > end:
                raise Shut("no-hit")
            await asyncio.sleep(LOOK_SECONDS)

    async def give_back(self, worker: str, assignment: str) -> None:
        """Return an assignment."""
        await self._post(f"{self._side(worker)}/return", {"assignment": assignment})

    async def hand_in(self, way: dict[str, Any], *, code: str | None = None) -> None:
        """Send the form of the chat's last page, with another code in it where one is given."""
        fields = dict(way["fields"]) | ({} if code is None else {"code": code})
        await self._ask("POST", way["action"], data=fields)

    async def collect(self, worker: str) -> int:
        """Do the HITs that need no work: what a requester owes. Return how many there were."""
        done = 0
        await self._post("/_emulator/workers", {"id": worker})
        for hit in await self._found(worker):
            if "ExternalQuestion" in hit["question"]:
                continue
            status, made = await self._post(f"{self._side(worker)}/accept", {"hit": hit["hit"]})
            if status != REFUSED:
                answers = {"received": "yes"}
                await self._post(
                    f"{self._side(worker)}/submit", {"assignment": made["id"], "answers": answers}
                )
                done += 1
        return done

    async def _found(self, worker: str) -> list[dict[str, Any]]:
        _, found = await self._ask("GET", f"{self._url}{self._side(worker)}/hits")
        hits: list[dict[str, Any]] = msgspec.json.decode(found)
        return hits

    async def _post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        status, answer = await self._ask("POST", self._url + path, json=body)
        return status, msgspec.json.decode(answer)

    async def _ask(self, method: str, address: str, **body: Any) -> tuple[int, bytes]:
        end = asyncio.get_running_loop().time() + self._patience
        while True:
            try:
                async with self._session.request(method, address, **body) as answer:
                    if answer.status not in BUSY:
                        return answer.status, await answer.read()
                    problem = f"http-{answer.status}"
            except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
                problem = "platform-unreachable"
            if asyncio.get_running_loop().time() > end:
                raise Shut(problem)
            await asyncio.sleep(RETRY_SECONDS)

    def _side(self, worker: str) -> str:
        return f"/_emulator/workers/{worker}"


class Codes:
    """The completion codes that bots have seen: what one copies is another's."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}

    def add(self, worker: str, code: str) -> None:
        """Remember a worker's own code."""
        self._of[worker] = code

    def of_another(self, worker: str) -> str:
        """Return the code of somebody else."""
        return next((code for other, code in self._of.items() if other != worker), MADE_UP_CODE)
