"""The requester's review page: what was handed in, how it ended, what was said, and the decision.

Decisions go into the ledger; `photochat campaign review` carries them out. Plain forms, so that the
page works without its script, which adds keys.
"""

from __future__ import annotations

import datetime
import time
from typing import Any

import msgspec
import sqlalchemy as sa
from flask import Blueprint, Response, abort, redirect, render_template, request, session, url_for
from sqlalchemy.engine import Connection
from werkzeug.wrappers import Response as AnyResponse

from collection import overview
from collection.admin import is_admin, need_admin_form
from collection.pages import service
from collection.recruiting import review
from collection.recruiting.matching import FINDINGS
from collection.recruiting.review import Decision, Entry
from collection.tables import conversations
from photochat.errors import DataError

review_page = Blueprint("review", __name__)
SHOWN = 200  # submissions in the list at once
URGENT_SECONDS = 24 * 3600
# How a participation ended, as a requester reads it; others by the reason of participation.py.
KINDS = {
    "complete": "complete",
    "partner_left": "the partner left",
    "no_partner": "no partner came",
    "unfinished": "unfinished",
}
STATES = {  # of a decision on its way
    "intended": "written down, not yet sent",
    "sent": "sent, no answer yet",
    "failed-retry": "failed, is tried again",
    "failed-final": "refused by the platform",
    "confirmed": "done",
}


class Said(msgspec.Struct, frozen=True):
    """A line of the transcript: `by` is "mine" (of the one who handed in), "theirs" or None."""

    by: str | None
    text: str
    at: float


@review_page.get("/admin/review")
def page() -> AnyResponse:
    """Show the submissions; `?submission=` opens one, `?show=all` lists those decided as well."""
    if not is_admin():
        return Response(render_template("admin_login.html"), 401)
    return _page(request.args.get("submission"))


@review_page.post("/admin/review")
def decide() -> AnyResponse:
    """Write a decision down: `submission`, `action` (approve, reject, override), `reason`."""
    need_admin_form()
    asked, submission = request.form.get("action"), request.form.get("submission", "")
    action = next((one for one in review.ACTIONS if one == asked), None)
    if action is None:
        abort(400, "Please choose one of the decisions.")
    decision = Decision(submission, action, request.form.get("reason", "").strip())
    ours = service()
    try:
        ours.writer.call(
            lambda c: review.decide(
                c, ours.campaign, ours.campaign.recruiting.recruiter, [decision], now=time.time()
            )
        )
    except DataError as error:
        return _page(submission, problem=str(error), reason=decision.reason, status=400)
    session["review_done"] = [action, submission]
    return redirect(url_for("review.page", show=request.args.get("show")), 303)


def _page(
    submission: str | None, *, problem: str = "", reason: str = "", status: int = 200
) -> Response:
    campaign = service().campaign
    show = "all" if request.args.get("show") == "all" else None
    with service().database.read() as reader:
        everything = review.entries(reader, campaign)
        listed = [one for one in everything if show or one.is_open]
        chosen = next((one for one in everything if one.submission == submission), None)
        undecided = (one for one in everything if one.is_open)
        chosen = chosen or next(undecided, listed[0] if listed else None)
        place = next((n for n, one in enumerate(listed) if one is chosen), None)
        said = _transcript(reader, campaign.name, chosen) if chosen else None
    now = time.time()
    around = (None, None) if place is None else (place - 1, place + 1)
    html = render_template(
        "review.html",
        campaign=campaign,
        csrf=session.get("admin_csrf", ""),
        listed=listed[:SHOWN],
        more=max(0, len(listed) - SHOWN),
        open=sum(one.is_open for one in everything),
        total=len(everything),
        chosen=chosen,
        previous=listed[around[0]] if around[0] is not None and around[0] >= 0 else None,
        next=listed[around[1]] if around[1] is not None and around[1] < len(listed) else None,
        said=said,
        show=show,
        problem=problem,
        reason=reason,
        done=session.pop("review_done", None),
        least=campaign.review.min_reason_chars,
        findings=FINDINGS,
        states=STATES,
        ended=_ended,
        left=lambda at: _left(at - now),
        urgent=lambda at: at - now < URGENT_SECONDS,
        written=_written,
    )
    return Response(html, status)


def _transcript(reader: Connection, campaign: str, entry: Entry) -> list[Said] | None:
    if entry.conversation is None:
        return None
    found = overview.transcript(reader, campaign, entry.conversation, 0)
    if found is None:
        return None
    sharer = reader.execute(
        sa.select(conversations.c.sharer).where(conversations.c.id == entry.conversation)
    ).scalar_one()
    mine = "sharer" if sharer == entry.participant else "receiver"
    lines = []
    for line in found.lines:
        by = None if line.by is None else "mine" if line.by == mine else "theirs"
        lines.append(Said(by if line.kind == "say" else None, _text(line, by), line.at))
    return lines


def _text(line: overview.Line, by: str | None) -> str:
    if line.kind == "say":
        return str(line.data["text"])
    who = {"mine": "this worker: ", "theirs": "the partner: ", None: ""}[by]
    data: dict[str, Any] = line.data
    survey = data.get("survey") or {}
    more = "; ".join(f"{name}: {value}" for name, value in survey.items())
    more = more or str(data.get("description") or data.get("cause") or "")
    return f"{who}{'shared the photo' if line.kind == 'share' else line.kind}" + (
        f" ({more})" if more else ""
    )


def _ended(entry: Entry) -> str:
    if entry.kind is not None:
        return KINDS[entry.kind]
    return (entry.reason or "no participation").replace("-", " ")


def _left(seconds: float) -> str:
    """Say how long is left, in the largest unit that fits."""
    if seconds <= 0:
        return "over"
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"


def _written(at: float) -> str:
    when = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    return when.strftime("%Y-%m-%d %H:%M UTC")
