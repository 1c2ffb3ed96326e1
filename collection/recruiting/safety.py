"""What has to hold before real people are asked to work, for real money."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from importlib import resources
from typing import Literal
from urllib.parse import urlsplit

import requests
from sqlalchemy.engine import Connection

from collection.campaign import Campaign
from collection.money.estimate import check_floor, estimate, measure
from collection.money.pay import fees_of
from collection.money.people import finished
from collection.recruiting.terms import WITH_MONEY, is_local
from photochat.errors import DataError

HEALTH_SECONDS = 15
Stage = Literal["production", "sandbox", "rehearsal", "volunteers"]


def sample_photo_ids() -> frozenset[str]:
    """Return the ids of the demonstration's made-up photos."""
    file = resources.files("photochat") / "sample" / "open_images" / "image_ids_and_rotation.csv"
    rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    return frozenset(f"{row['Subset']}/{row['ImageID']}" for row in rows)


def check_production(campaign: Campaign, photo_ids: Iterable[str]) -> None:
    """Refuse what nobody can have meant to show to paid workers.

    Raises:
        DataError: the first thing that is wrong.
    """
    if not campaign.recruiting.url.startswith("https://"):
        raise DataError(
            f"must be https for real workers, not {campaign.recruiting.url or 'nothing'!r}",
            field="recruiting.url",
        )
    if is_local(campaign.recruiting.url):
        raise DataError("is this machine's own address: workers do not reach it",
                        field="recruiting.url")  # fmt: skip
    ids = set(photo_ids)
    if not ids:
        raise DataError(
            "the database has no photos for this campaign: start photochat serve on it first",
            field="db",
        )
    samples = len(ids & sample_photo_ids())
    if samples:
        raise DataError(
            f"{samples} of the {len(ids)} photos are the demonstration's made-up ones: serve a "
            "pool of your own",
            field="db",
        )
    if not campaign.pay.reward + campaign.pay.bonus.complete:
        raise DataError("real workers are paid: write an amount", field="pay.reward")


def check_pay(reader: Connection, campaign: Campaign) -> None:
    """Refuse a campaign that pays less an hour than its own floor, by measured times if any.

    Raises:
        DataError: it does, or nothing says how long it takes.
    """
    measured = measure(finished(reader, campaign.name))
    fees = fees_of(campaign.pay, campaign.recruiting.recruiter)
    check_floor(estimate(campaign, 1, fees, measured=measured))


def check_confirmed(campaign: Campaign, given: str | None, ask: Callable[[str], str]) -> None:
    """Let a person confirm production by typing the campaign's name, unless they have given it.

    Raises:
        DataError: something else was given or typed.
    """
    name = campaign.name
    if given is None:
        given = ask(f"This spends real money. Type the campaign's name ({name}) to go on: ")
    if given.strip() != name:
        raise DataError(
            f"not confirmed, nothing was done: add --confirm {name}, or type {name} when asked",
            field="--confirm",
        )


def check_entry(campaign: Campaign) -> None:
    """Refuse a campaign whose workers could not come in by their platform's link.

    Raises:
        DataError: links would have to be signed one by one, or there is no address.
    """
    if not campaign.recruiting.url:
        raise DataError(
            "is missing: write the chat server's address, as workers reach it",
            field="recruiting.url",
        )
    if campaign.recruiting.recruiter in WITH_MONEY and campaign.entry.signed_invitations:
        raise DataError(
            "must be false: a platform sends all workers to one address and cannot sign it",
            field="entry.signed_invitations",
        )


def missing_submit_host(campaign: Campaign, where: str) -> str | None:
    """Return the host that workers of another MTurk than Amazon's hand in at, if it is not listed.

    The chat server lets in nobody who comes from a platform that is not in the list.
    """
    if campaign.recruiting.recruiter != "mturk" or not where or "amazonaws.com" in where:
        return None
    host = urlsplit(where).netloc
    return None if host in campaign.recruiting.submit_hosts else host


def check_server(url: str) -> None:
    """Ask the chat server, by the address that workers will use, whether it is well.

    Raises:
        DataError: it is not, or its certificate is not valid.
    """
    address = f"{url.rstrip('/')}/healthz"
    try:
        answer = requests.get(address, timeout=HEALTH_SECONDS)
    except requests.exceptions.SSLError as error:
        raise DataError(
            "its certificate is not valid, browsers will refuse it: see docs/deployment.md",
            file=url,
        ) from error
    except requests.RequestException as error:
        raise DataError(
            "the chat server does not answer there: start it, or mend recruiting.url", file=url
        ) from error
    if urlsplit(answer.url).scheme != urlsplit(url).scheme:
        raise DataError(f"leads on to {answer.url}: write that address", file=url)
    if answer.status_code != 200 or not answer.text.startswith("status: "):
        raise DataError(
            f"answers HTTP {answer.status_code} under /healthz: is it the chat server, and well?",
            file=url,
        )
