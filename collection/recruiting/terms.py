"""The campaign file's sections [recruiting] and [review]: where workers come from, who may take
part, how postings are cut, and what may be approved without being looked at."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from collection.money.fees import MANY_ASSIGNMENTS
from collection.money.pay import PAID_KINDS, PaidKind

if TYPE_CHECKING:
    from collection.campaign import Timeouts

RecruiterName = Literal["mturk", "prolific", "link", "simulated"]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
Host = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.\-\[\]:]{1,255}\Z")]
Locale = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}(-[A-Z]{2})?\Z")]
Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{4,64}\Z")]
# MTurk's bounds (CreateHIT): title, description, keywords; durations of 30 s to a year; automatic
# approval within 30 days; ten requirements.
Title = Annotated[str, msgspec.Meta(max_length=128)]
Description = Annotated[str, msgspec.Meta(max_length=2000)]
Keywords = Annotated[str, msgspec.Meta(max_length=1000)]
WITH_MONEY = ("mturk", "prolific")  # platforms that pay people through an account


class ProlificTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section [recruiting.prolific]. `codes` are completion codes by how a participation ended;
    `filters` are written as Prolific's API writes them; `minutes` is the estimated time."""

    workspace: str = ""
    project: str = ""
    minutes: Annotated[int, msgspec.Meta(ge=1, le=24 * 60)] = 15
    codes: dict[PaidKind, Code] = {}
    filters: tuple[dict[str, Any], ...] = ()


class Recruiting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section [recruiting]. `url` is where workers reach the chat server.

    Postings have so few assignments each that MTurk's higher fee, from ten on, is not due, unless
    `ten_or_more` asks for it. `open_at_once` is what `launch --pace` keeps open.
    """

    recruiter: RecruiterName = "link"
    url: str = ""
    title: Title = ""  # else the template's, hit_templates/hits.toml
    description: Description = ""
    keywords: Keywords = ""
    assignment_minutes: Annotated[int, msgspec.Meta(ge=1, le=7 * 1440)] = 120
    lifetime_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 7
    approval_days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 7
    assignments_per_posting: Annotated[int, msgspec.Meta(ge=1, le=1000)] = MANY_ASSIGNMENTS - 1
    ten_or_more: bool = False
    open_at_once: Annotated[int, msgspec.Meta(ge=2, le=10_000)] = 40
    frame_height: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 800
    templates: str = ""  # a folder whose files go before hit_templates/
    locales: Annotated[tuple[Locale, ...], msgspec.Meta(max_length=30)] = ()
    percent_approved: Percent | None = None
    number_approved: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None
    adult: bool = False
    masters: bool = False
    trained: bool = False  # only those whom `campaign qualify trained` has named
    submit_hosts: tuple[Host, ...] = ()  # where work may be handed in, beside MTurk: an emulator
    prolific: ProlificTerms = ProlificTerms()
    books: str = "simulated-platform.db"  # the simulated platform's file


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section [review]: which endings `review --approve-automatically` approves. There is no
    such list for rejecting: only people reject, and with a reason."""

    approve: tuple[PaidKind, ...] = PAID_KINDS
    min_reason_chars: Annotated[int, msgspec.Meta(ge=20, le=1000)] = 60


def is_local(address: str) -> bool:
    """Say whether an address is one of this machine."""
    host = (urlsplit(address).hostname or "").lower()
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def problems(terms: Recruiting, timeouts: Timeouts) -> list[tuple[str, str]]:
    """Say what is wrong with the section beside its types: (key, problem)."""
    found = []
    try:
        parts = urlsplit(terms.url)
    except ValueError:  # half a pair of brackets
        parts = urlsplit("no address")
    if terms.url and (parts.scheme not in ("http", "https") or not parts.hostname):
        found.append(("url", "must be the chat server's address: https://chat.example.org"))
    elif parts.scheme == "http" and not is_local(terms.url):
        found.append(("url", "must be https: platforms show no other page in a frame"))
    elif parts.query or parts.fragment or parts.username:
        found.append(("url", "must have neither ? nor # nor a user name"))
    if terms.assignments_per_posting >= MANY_ASSIGNMENTS and not terms.ten_or_more:
        found.append(
            (
                "assignments_per_posting",
                f"from {MANY_ASSIGNMENTS} on MTurk takes 40% instead of 20%: write at most "
                f"{MANY_ASSIGNMENTS - 1}, or ten_or_more = true if that is meant",
            )
        )
    longest = timeouts.waiting + timeouts.conversation + timeouts.submit
    if terms.recruiter in WITH_MONEY and terms.assignment_minutes * 60 < longest:
        found.append(
            (
                "assignment_minutes",
                f"must be at least {-(-longest // 60):.0f}: timeouts.waiting, conversation and "
                "submit together, or people lose the assignment in the middle of it",
            )
        )
    if terms.recruiter == "prolific":
        found += _prolific_problems(terms.prolific)
    return [(f"recruiting.{key}", problem) for key, problem in found]


def _prolific_problems(terms: ProlificTerms) -> list[tuple[str, str]]:
    found = [
        (f"prolific.{key}", "is missing: it stands in the address of its page on Prolific")
        for key in ("workspace", "project")
        if not getattr(terms, key)
    ]
    for kind in PAID_KINDS:
        if kind not in terms.codes:
            found.append(
                (f"prolific.codes.{kind}", "is missing: make up a code of 4 to 64 letters")
            )
    if len(set(terms.codes.values())) != len(terms.codes):
        found.append(("prolific.codes", "must be different: the code says how it ended"))
    return found
