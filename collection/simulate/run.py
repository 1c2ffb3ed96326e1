"""A rehearsal: many bots in one process, arriving one after another.

Bots are coroutines on one event loop (python-socketio's own asynchronous client): each costs about
as much memory as its sockets, and a thousand of them leave most of a core to the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import aiohttp
import msgspec

from collection.campaign import Campaign
from collection.simulate.bot import Bot, Settings
from collection.simulate.diary import Diary
from collection.simulate.entry import Shut
from collection.simulate.habits import Shares, draw_habit
from collection.simulate.platform import Codes, Manner, Platform, draw_manner, worker_id
from collection.tokens import Tokens, invitation_link
from photochat.errors import DataError

DEFAULT_SHARES = Shares()
ARRIVALS_PER_SECOND = 20.0
REQUEST_SECONDS = 30.0
FILES_PER_BOT = 3  # its socket, a second tab, a page


class Rehearsal(msgspec.Struct, frozen=True):
    """What became of the bots; `outcomes` are the server's reasons to end, or why a bot gave up."""

    workers: int
    seconds: float
    outcomes: dict[str, int]
    sent: int
    acknowledged: int
    refused: int


def simulate(
    url: str,
    campaign: Campaign,
    *,
    pairs: int,
    rate: float,
    seed: int,
    log: Path | None,
    shares: Shares = DEFAULT_SHARES,
    secret: str | None = None,
    patience: float = 120.0,
    max_wait: float = 120.0,
    mturk: str | None = None,
    odd: float = 0.0,
) -> Rehearsal:
    """Let `2 * pairs` bots take part in a campaign; return what became of them.

    `rate` is how many messages a second each bot writes in the mean, `patience` for how many
    seconds it tries to reach a server that is down, `max_wait` for how many it stays in the
    waiting room. `secret` signs the links of a campaign with signed invitations.

    With `mturk`, the address of an emulator, they come by its HITs and hand them in there; a share
    of `odd` of them returns the HIT after the work, submits twice, submits nothing, or submits
    somebody else's code.

    Raises:
        DataError: `log` exists, or signed links are asked for and there is no secret.
    """
    if log is not None and log.exists() and log.stat().st_size:
        raise DataError("holds an earlier rehearsal: name another file", file=log)
    if campaign.entry.signed_invitations and secret is None:
        raise DataError("is not set: the campaign asks for signed links", field="PHOTOCHAT_SECRET")
    allow_files(2 * pairs * FILES_PER_BOT)
    diary = Diary(log)
    settings = Settings(url.rstrip("/"), campaign, rate, seed, patience, max_wait)
    numbers = range(1, 2 * pairs + 1)
    workers = [worker_id(seed, n) if mturk else f"bot-{seed}-{n}" for n in numbers]
    links = {worker: _link(settings.url, campaign, worker, secret) for worker in workers}
    began = time.monotonic()
    try:
        outcomes = asyncio.run(_run(settings, links, shares, diary, mturk, odd))
    finally:
        diary.close()
    return Rehearsal(
        workers=len(workers),
        seconds=round(time.monotonic() - began, 1),
        outcomes=dict(Counter(outcomes).most_common()),
        sent=diary.counts.get("sent", 0),
        acknowledged=diary.counts.get("acked", 0),
        refused=diary.counts.get("refused", 0),
    )


def collect_compensation(mturk: str, *, pairs: int, seed: int, patience: float = 120.0) -> int:
    """Let the bots of an earlier rehearsal do the HITs that pay what they are owed; count them.

    Raises:
        DataError: the emulator cannot be reached.
    """

    async def collect() -> int:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(REQUEST_SECONDS)) as session:
            platform = Platform(mturk, session, patience)
            workers = [worker_id(seed, number) for number in range(1, 2 * pairs + 1)]
            return sum([await platform.collect(worker) for worker in workers])

    try:
        return asyncio.run(collect())
    except Shut as error:
        raise DataError(f"cannot be reached ({error.code})", field="--mturk") from error


def allow_files(wanted: int) -> None:
    """Raise this process's limit of open files as far as it is allowed, if it is below `wanted`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = wanted + 256
    if soft < enough:
        limit = enough if hard == resource.RLIM_INFINITY else min(enough, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def _link(url: str, campaign: Campaign, worker: str, secret: str | None) -> str:
    if campaign.entry.signed_invitations and secret is not None:
        return invitation_link(url, Tokens(secret), campaign.name, worker)
    return f"{url}/join/{campaign.name}?worker={worker}"


async def _run(
    settings: Settings,
    links: dict[str, str],
    shares: Shares,
    diary: Diary,
    mturk: str | None,
    odd: float,
) -> list[str]:
    draw = random.Random(settings.seed)  # noqa: S311 - repeatable, here and below
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
    codes = Codes()

    async def take_part(worker: str, link: str, after: float) -> str:
        habit = draw_habit(random.Random(f"{settings.seed}:{worker}:habit"), shares)  # noqa: S311 - a bot
        await asyncio.sleep(after)
        async with aiohttp.ClientSession(
            connector=connector,
            connector_owner=False,
            cookie_jar=aiohttp.CookieJar(unsafe=True),  # servers in rehearsals have no name
            timeout=timeout,
        ) as session:

            def bot(address: str) -> Bot:
                return Bot(worker, address, habit, settings, diary, session)

            if mturk is None:
                return await bot(link).run()
            manner = draw_manner(random.Random(f"{settings.seed}:{worker}:manner"), odd)  # noqa: S311 - a bot
            platform = Platform(mturk, session, settings.patience)
            try:
                return await _by_hit(worker, manner, platform, codes, bot)
            except Shut as error:
                return error.code

    async with connector:
        after = 0.0
        bots = []
        for worker, link in links.items():
            bots.append(take_part(worker, link, after))
            after += draw.expovariate(ARRIVALS_PER_SECOND)
        return list(await asyncio.gather(*bots))


async def _by_hit(
    worker: str, manner: Manner, platform: Platform, codes: Codes, bot: Callable[[str], Bot]
) -> str:
    """Accept a HIT, do it in its frame, and hand it in as the bot's manner is."""
    accepted = await platform.accept(worker)
    one = bot(accepted.link)
    outcome = await one.run()
    code, way = one.last_page.get("code"), one.last_page.get("hand_in")
    if code:
        codes.add(worker, code)
    if manner == "nothing":
        return outcome
    if way is None or manner == "returns":
        await platform.give_back(worker, accepted.id)
        return outcome
    await platform.hand_in(way, code=codes.of_another(worker) if manner == "copies" else None)
    if manner == "twice":
        await platform.hand_in(way)
    return outcome
