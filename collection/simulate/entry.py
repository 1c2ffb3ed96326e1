"""How a bot comes in: the invitation link, then each form as it stands in its page."""

from __future__ import annotations

import asyncio
import random
from html.parser import HTMLParser
from typing import NamedTuple

import aiohttp

from collection.campaign import Campaign

MAX_PAGES = 12  # of one entry; more means that the forms lead in a circle
RETRY_SECONDS = 1.0
BUSY = (429, 502, 503, 504)  # try again


class Shut(Exception):
    """The bot cannot come in; the code is the page's reason, or says what happened."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Page(NamedTuple):
    """What a bot reads of a page."""

    url: str
    token: str | None  # of the chat page
    reason: str | None  # why there is nothing to do
    fields: dict[str, str]  # the hidden ones of the form
    choices: frozenset[str]  # the names of the others


async def enter(
    session: aiohttp.ClientSession, link: str, campaign: Campaign, patience: float
) -> str:
    """Go from the invitation link, or any page, through the forms; return the chat token.

    The answers to the check are the campaign file's. A server that is down or busy is asked again
    for `patience` seconds.

    Raises:
        Shut: the server has nothing to do, cannot be reached, or shows what no bot knows.
    """
    page = await _ask(session, "GET", link, patience)
    for _ in range(MAX_PAGES):
        if page.token is not None:
            return page.token
        if page.reason is not None:
            raise Shut(page.reason)
        if "csrf" not in page.fields:
            raise Shut("unknown-page")
        page = await _ask(session, "POST", page.url, patience, answers(page, campaign))
    raise Shut("endless-forms")


def answers(page: Page, campaign: Campaign) -> dict[str, str]:
    """Fill in a form: its hidden fields, "yes" to the consent, the right options of the check."""
    filled = dict(page.fields)
    if "agree" in page.choices:
        filled["agree"] = "yes"
    for number, question in enumerate(campaign.check, start=1):
        if f"q{number}" in page.choices:
            filled[f"q{number}"] = str(question.answer)
    return filled


def read_page(url: str, html: str) -> Page:
    """Read a page's token, reason and form."""
    reader = _Reader()
    reader.feed(html)
    metas = reader.metas
    return Page(
        url, metas.get("chat-token"), metas.get("reason"), reader.hidden, frozenset(reader.names)
    )


async def _ask(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    patience: float,
    form: dict[str, str] | None = None,
) -> Page:
    end = asyncio.get_running_loop().time() + patience
    while True:
        try:
            async with session.request(method, url, data=form) as answer:
                page = read_page(str(answer.url), await answer.text())
                if answer.status not in BUSY or page.reason is not None:
                    if answer.status >= 400 and page.reason is None:
                        raise Shut(f"http-{answer.status}")
                    return page
                problem = f"http-{answer.status}"
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            problem = "unreachable"
        if asyncio.get_running_loop().time() > end:
            raise Shut(problem)
        # A form may be posted again: the server leads whoever comes out of turn to the right page.
        await asyncio.sleep(RETRY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - a pause


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.metas: dict[str, str] = {}
        self.hidden: dict[str, str] = {}
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "meta" and "name" in of:
            self.metas[of["name"]] = of.get("content", "")
        elif tag == "input" and of.get("type") == "hidden":
            self.hidden[of.get("name", "")] = of.get("value", "")
        elif tag in ("input", "button") and "name" in of:
            self.names.add(of["name"])
