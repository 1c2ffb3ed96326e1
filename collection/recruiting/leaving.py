"""How a worker's last page hands the work in, and what to do where there is nothing to hand in.

MTurk wants a form sent to it from the worker's browser; Prolific wants the worker to come back with
a code that says how it ended; a plain link has the code on the page and nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from sqlalchemy.engine import Row

from collection.campaign import Campaign
from collection.database import Database
from collection.money.pay import PaidKind
from collection.money.people import kind_of
from collection.recruiting.submitting import MTURK_ORIGINS, submit_address, submit_origins

PROLIFIC_COMPLETION = "https://app.prolific.com/submissions/complete?cc="
# Who may frame the chat's pages: the sites on which MTurk's workers work.
MTURK_FRAMES = (
    "https://worker.mturk.com",
    "https://workersandbox.mturk.com",
    "https://www.mturk.com",
)
HAND_IN = "One step is left: hand the task in with this button. It counts only then."
GO_BACK = "One step is left: go back with this button, which tells Prolific that you are through."
RETURN_HIT = "Please return this task on the platform; returned work does not count against you."
RETURN_STUDY = "Please go back to Prolific and return your submission there."


class Exits(msgspec.Struct, frozen=True):
    """What a campaign allows: origins that take work, sites that may frame the chat, and Prolific's
    codes by outcome."""

    origins: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    codes: dict[PaidKind, str] = msgspec.field(default_factory=dict)


class HandIn(msgspec.Struct, frozen=True):
    """A form ("post") or a link ("get"), ready to use: address, fields, what it says."""

    method: Literal["post", "get"]
    action: str
    fields: dict[str, str]
    label: str


class WayOut(msgspec.Struct, frozen=True):
    """What the last page has beside the code: a way to hand it in, or a word of advice."""

    hand_in: HandIn | None = None
    advice: str = ""


def exits_of(campaign: Campaign) -> Exits:
    """Return what a campaign allows, by the platform it recruits on."""
    terms = campaign.recruiting
    if terms.recruiter == "mturk":
        origins = submit_origins(terms.submit_hosts)
        return Exits(origins, (*MTURK_FRAMES, *origins[len(MTURK_ORIGINS) :]))
    if terms.recruiter == "prolific":
        return Exits(codes=dict(terms.prolific.codes))
    return Exits()


def leaving(database: Database, exits: Exits, row: Row[Any]) -> WayOut:
    """Return how a participant leaves, by their row."""
    recruiter = msgspec.json.decode(row.recruiter or "{}", type=dict[str, str])
    kind: PaidKind | None = None
    if exits.codes:
        with database.read() as reader:
            kind = kind_of(reader, row.campaign, row.id)
    return way_out(exits, recruiter, kind, row.code)


def way_out(
    exits: Exits, recruiter: Mapping[str, str], kind: PaidKind | None, code: str | None
) -> WayOut:
    """Return how one who is through leaves.

    `recruiter` is what their link said; `kind` is how it ended and names Prolific's code, `code` is
    ours; either is None where nothing is paid.
    """
    if "submit_to" in recruiter:
        address = submit_address(exits.origins, recruiter["submit_to"])
        if code is None or address is None:
            return WayOut(advice="" if code else RETURN_HIT)
        fields = {"assignmentId": recruiter.get("assignment", ""), "code": code}
        return WayOut(HandIn("post", address, fields, "Hand in the task"), HAND_IN)
    if exits.codes:
        theirs = None if kind is None else exits.codes.get(kind)
        if theirs is None:
            return WayOut(advice=RETURN_STUDY)
        address = PROLIFIC_COMPLETION + quote(theirs, safe="")
        return WayOut(HandIn("get", address, {}, "Back to Prolific"), GO_BACK)
    return WayOut()
