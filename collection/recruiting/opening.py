"""Opening the recruiter that a campaign file names, and saying what it would spend: real money, a
sandbox's, or none. Real money is reached only on request, never by what happens to be set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from collection.campaign import Campaign
from collection.database import Database
from collection.recruiting.recruiter import Recruiter
from collection.recruiting.safety import Stage
from collection.recruiting.terms import is_local
from photochat.errors import DataError

MTURK_ENDPOINT = "PHOTOCHAT_MTURK_ENDPOINT"
PROLIFIC_ENDPOINT = "PHOTOCHAT_PROLIFIC_ENDPOINT"
PROLIFIC_TOKEN = "PHOTOCHAT_PROLIFIC_TOKEN"  # noqa: S105 (its name)


def open_recruiter(
    campaign: Campaign,
    database: Database,
    environment: Mapping[str, str],
    *,
    production: bool = False,
    endpoint: str | None = None,
) -> Recruiter:
    """Return a campaign's recruiter; nothing is asked of the platform yet.

    `endpoint` goes before the environment's.

    Raises:
        DataError: a setting is missing, or two contradict each other.
    """
    where = address_of(campaign, environment, production=production, endpoint=endpoint)
    name = campaign.recruiting.recruiter
    if name == "mturk":
        from collection.recruiting.mturk import Mturk, connect

        unsigned = is_local(where) and not environment.get("AWS_ACCESS_KEY_ID")
        client = connect(where, rehearsal_key=unsigned)
        return Mturk(client, campaign.name, production=production)
    if name == "prolific":
        from collection.recruiting.prolific import Prolific
        from collection.recruiting.prolific_wire import Wire

        token = environment.get(PROLIFIC_TOKEN, "").strip()
        if not token:
            raise DataError(
                "is not set: make a token on Prolific under Settings, Go to API token page, and "
                "export it",
                field=PROLIFIC_TOKEN,
            )
        terms = campaign.recruiting.prolific
        return Prolific(
            Wire(token, where),
            campaign.name,
            workspace=terms.workspace,
            project=terms.project,
            minutes=terms.minutes,
            codes=terms.codes,
            filters=terms.filters,
        )
    if name == "simulated":
        from collection.recruiting.simulated import SimulatedRecruiter

        return SimulatedRecruiter(Path(campaign.recruiting.books))
    from collection.recruiting.link import Link

    return Link(database, campaign)


def address_of(
    campaign: Campaign,
    environment: Mapping[str, str],
    *,
    production: bool = False,
    endpoint: str | None = None,
) -> str:
    """Return the address of the platform's API; "" where there is none.

    MTurk's own is the sandbox unless production is asked for; Prolific has no sandbox.

    Raises:
        DataError: production was not asked for and is meant, or both it and another address are.
    """
    from collection.recruiting.mturk import PRODUCTION, SANDBOX
    from collection.recruiting.prolific_wire import API

    name = campaign.recruiting.recruiter
    if name not in ("mturk", "prolific"):
        if production or endpoint:
            raise DataError(
                f"--{'production' if production else 'endpoint'} is for mturk and prolific, and "
                f"this campaign's recruiter is {name!r}",
                field="recruiting.recruiter",
            )
        return ""
    variable = MTURK_ENDPOINT if name == "mturk" else PROLIFIC_ENDPOINT
    given = endpoint or environment.get(variable, "").strip()
    if production and given:
        raise DataError(
            f"--production goes to the platform itself, and {given} is set as well: leave out one",
            field="--endpoint" if endpoint else variable,
        )
    if given:
        return _checked(given, "--endpoint" if endpoint else variable)
    if production:
        return PRODUCTION if name == "mturk" else API
    if name == "prolific":
        raise DataError(
            "Prolific has no sandbox, everything there is real: add --production if that is meant, "
            f"or rehearse against a server of your own with {PROLIFIC_ENDPOINT}",
            field="--production",
        )
    return SANDBOX


def stage_of(campaign: Campaign, where: str) -> Stage:
    """Say what is at stake at an address of the platform's API."""
    from collection.recruiting.mturk import PRODUCTION, SANDBOX
    from collection.recruiting.prolific_wire import API

    if where in (PRODUCTION, API):
        return "production"
    if where == SANDBOX:
        return "sandbox"
    if campaign.recruiting.recruiter == "link":
        return "volunteers"
    # Another server that speaks the protocol, on another machine, may be somebody's real platform.
    return "rehearsal" if not where or is_local(where) else "production"


def _checked(address: str, field: str) -> str:
    from collection.recruiting.mturk import PRODUCTION, REGION

    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise DataError(f"is no address: {address!r}", field=field) from error
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not host:
        raise DataError(f"must be an address such as http://127.0.0.1:8010, not {address!r}",
                        field=field)  # fmt: skip
    if parts.scheme == "http" and not is_local(address):
        raise DataError(
            f"{address} is HTTP: what is sent could be read and changed on the way; use https://",
            field=field,
        )
    if host == urlsplit(PRODUCTION).hostname or host.endswith(("prolific.com", "prolific.co")):
        raise DataError(
            f"{host} is the platform itself: add --production instead, if that is meant",
            field=field,
        )
    if host.endswith("amazonaws.com") and REGION not in host:
        raise DataError(
            f"{host} is in another region: MTurk is served from {REGION} only; leave it out to use "
            "the sandbox",
            field=field,
        )
    return address.rstrip("/")
