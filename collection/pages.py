"""The pages of a participant: join -> consent -> instructions -> check -> chat; and the picture.

Plain forms: each step is a POST that answers with a redirect to the step that comes next, so the
order is the database's and no page can be skipped. The session cookie says whose participation and
which generation of it; it is emptied whenever somebody enters.
"""

from __future__ import annotations

import hmac
import secrets
import time
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    send_file,
    session,
    url_for,
)
from sqlalchemy.engine import Row
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from collection import wording
from collection.conversation import Away
from collection.entrance import Arrival, NoTask, answer_check, consent, enter
from collection.participation import NO_TASK
from collection.recruiting.arriving import read_link
from collection.recruiting.leaving import RETURN_HIT, leaving
from collection.recruiting.submitting import submit_address
from collection.service import Service
from collection.settlement import move
from collection.tokens import Ticket
from collection.view import done_view, may_see_photo
from photochat.errors import DataError
from photochat.picture_copies import resized

pages = Blueprint("pages", __name__)
MAX_ID_CHARS = 200
# What a worker reads instead of the protocol's own sentence; the others are said where raised.
SENTENCES = {
    401: "This page needs the token.",
    404: "There is nothing under this address.",
    405: "This address takes no such request.",
    413: "This was too much at once.",
    500: "Something went wrong on our side. Please load the page again in a moment.",
}
# Where each stage's page is; whoever asks for another one is led here.
PAGE_OF_STAGE = {
    "consent": "pages.consent_page",
    "instructions": "pages.instructions_page",
    "check": "pages.check_page",
    "waiting": "pages.chat_page",
    "chatting": "pages.chat_page",
    "choosing": "pages.chat_page",
    "done": "pages.chat_page",
}


def service() -> Service:
    """Return the service of the application that answers this request."""
    found: Service = current_app.extensions["photochat"]
    return found


@pages.get("/join/<campaign>")
def join(campaign: str) -> AnyResponse:
    """Come in: `?worker=ID`, `&assignment=` by a platform, `&signature=` where asked for.

    A platform's own names will do (`arriving.NAMES`). Who looks before accepting sees what awaits
    them, and nothing begins.
    """
    ours = service()
    came = read_link(request.args)
    worker = came.worker
    if campaign != ours.campaign.name:
        return no_task("unknown-campaign", 404)
    if came.looks:
        return Response(_preview())
    submit_to = came.recruiter.get("submit_to")
    if submit_to is not None and submit_address(ours.exits.origins, submit_to) is None:
        return no_task("unknown-platform", 403)
    if not worker or len(worker) > MAX_ID_CHARS or not worker.isprintable():
        return no_task("no-worker", 400)
    if ours.campaign.entry.signed_invitations and not ours.tokens.is_invited(
        campaign, worker, request.args.get("signature", "")
    ):
        return no_task("bad-invitation", 403)
    if ours.stopping or ours.draining:
        return no_task("paused", 503)
    arrival = Arrival(worker, came.recruiter.get("assignment"), came.recruiter)
    held = session.get("participant"), session.get("generation")
    now = time.time()
    try:
        row = ours.writer.call(lambda c: enter(c, ours.campaign, arrival, now, held=held))
    except NoTask as error:
        return no_task(error.code, 200, advice=RETURN_HIT if submit_to is not None else "")
    if held != (row.id, row.generation):
        _end_earlier(row)
    # The requester may look at a worker's page without losing the dashboard.
    requesters = {name: value for name, value in session.items() if name.startswith("admin_")}
    session.clear()
    session.update(requesters)
    session["participant"] = row.id
    session["generation"] = row.generation
    session["csrf"] = secrets.token_urlsafe(16)
    return redirect(url_for(PAGE_OF_STAGE[row.stage]))


@pages.get("/consent")
def consent_page() -> AnyResponse | str:
    """Show what taking part means."""
    return _page("consent", "consent.html")


@pages.post("/consent")
def consent_answer() -> AnyResponse:
    """Take the answer to the consent page: `agree` is "yes" or "no"."""
    row = _form("consent")
    agreed = request.form.get("agree") == "yes"
    if not agreed and request.form.get("agree") != "no":
        abort(400, "Please choose one of the answers.")
    service().writer.call(lambda c: consent(c, row.id, agreed, time.time()))
    return _onward()


@pages.get("/instructions")
def instructions_page() -> AnyResponse | str:
    """Show what to do, with examples."""
    return _page(
        "instructions",
        "instructions.html",
        instructions=_instructions(),
        good_examples=wording.GOOD_EXAMPLES,
        bad_example=wording.BAD_EXAMPLE,
        bad_because=wording.BAD_BECAUSE,
    )


@pages.post("/instructions")
def instructions_answer() -> AnyResponse:
    """The instructions have been read."""
    row = _form("instructions")
    service().writer.call(lambda c: move(c, row.id, "check"))
    return _onward()


@pages.get("/check")
def check_page() -> AnyResponse | str:
    """Ask the few questions; after a failed attempt, say what was wrong."""
    wrong = session.pop("wrong", [])
    return _page(
        "check",
        "check.html",
        questions=service().campaign.check,
        wrong=wrong,
        instructions=_instructions(),
    )


@pages.post("/check")
def check_answer() -> AnyResponse:
    """Take the answers: `q1`, `q2`, ... are the numbers of the chosen options, from 1."""
    row = _form("check")
    ours = service()
    wrong = [
        number
        for number, question in enumerate(ours.campaign.check, start=1)
        if request.form.get(f"q{number}") != str(question.answer)
    ]
    now = time.time()
    try:
        ours.writer.call(lambda c: answer_check(c, ours.campaign, row.id, not wrong, now))
    except NoTask as error:
        return no_task(error.code, 200, advice=leaving(ours.database, ours.exits, row).advice)
    session["wrong"] = wrong
    return _onward()


@pages.get("/chat")
def chat_page() -> AnyResponse | str:
    """The waiting room, the chat, the survey and the thanks: one page that lives on the socket."""
    row = _mine()
    if PAGE_OF_STAGE[row.stage] != "pages.chat_page":
        return redirect(url_for(PAGE_OF_STAGE[row.stage]))
    done = _done(row) if row.stage == "done" else None
    campaign = service().campaign
    token = service().tokens.chat(Ticket(row.id, row.generation))
    return render_template(
        "chat.html",
        campaign=campaign,
        texts=campaign.texts,
        survey=campaign.survey,
        token=token,
        done=done,
    )


@pages.get("/photo/<token>")
def photo(token: str) -> AnyResponse:
    """Send a conversation's picture to one who may see it, as the log says at this moment."""
    ours = service()
    ticket = ours.tokens.read_photo(token)
    row = _session_row()
    if ticket is None or row is None or ticket.participant != row.id:
        abort(404)
    known = ours.log_of(ticket.conversation)
    role = known.role_of(ticket.participant) if known else None
    if known is None or role is None or not may_see_photo(known.state, role):
        abort(404)
    photo_id = known.state.facts["photo_id"]
    try:
        copy = ours.runtime.offload(lambda: resized(ours.images, ours.cache, photo_id))
    except DataError:
        ours.failed()
        abort(404)
    answer = send_file(copy, mimetype="image/jpeg", conditional=True, max_age=0)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def no_task(code: str, status: int, *, advice: str = "") -> Response:
    """Say why there is nothing to do; the page carries the code for scripts."""
    texts = service().campaign.texts
    page = render_template(
        "no_task.html", texts=texts, code=code, message=NO_TASK[code], advice=advice
    )
    return Response(page, status, {"X-Photochat-Reason": code})


@pages.app_errorhandler(HTTPException)
def failed(error: HTTPException) -> AnyResponse:
    """Say on a page of ours what is wrong; programs that ask for no HTML get the bare sentence."""
    status = error.code or 500
    message = SENTENCES.get(status, error.description or "")
    if not request.accept_mimetypes.accept_html:
        return Response(message + "\n", status, mimetype="text/plain")
    texts = service().campaign.texts
    return Response(render_template("error.html", texts=texts, message=message), status)


def _done(row: Row[Any]) -> dict[str, Any]:
    ours = service()
    return done_view(row, time.time(), leaving(ours.database, ours.exits, row))


def _preview() -> str:
    """What a worker sees before accepting: everything that helps to decide, and no form."""
    campaign = service().campaign
    return render_template(
        "preview.html",
        campaign=campaign,
        texts=campaign.texts,
        instructions=_instructions(),
        good_examples=wording.GOOD_EXAMPLES,
        bad_example=wording.BAD_EXAMPLE,
        bad_because=wording.BAD_BECAUSE,
    )


def _instructions() -> str:
    campaign = service().campaign
    number = str(campaign.rules.min_turns_before_share)
    return campaign.texts.instructions.replace("{min_turns_before_share}", number)


def _end_earlier(row: Row[Any]) -> None:
    """Close the chat that an earlier session has open; its worker is away until the new one is."""
    ours = service()
    older = ours.presence.older(row.id, row.connection)
    if older is not None:
        ours.replace(older)
    ours.bell.ring(participant=row.id, connection=row.connection)
    if row.stage == "chatting":
        ours.act(row.conversation, row.id, Away())


def _session_row() -> Row[Any] | None:
    """Return the participation of this session's cookie; None if there is none, or it is over."""
    participant = session.get("participant")
    row = service().row(participant) if isinstance(participant, int) else None
    return row if row is not None and row.generation == session.get("generation") else None


def _mine() -> Row[Any]:
    """Return the participation of this session's cookie; without one there is no page."""
    row = _session_row()
    framed = request.headers.get("Sec-Fetch-Dest") == "iframe"
    if session.get("participant") is None and framed:
        abort(no_task("no-cookies", 403))
    if row is None:
        abort(no_task("session-over", 403))
    return row


def _form(stage: str) -> Row[Any]:
    """Check that a form was ours and comes when it may; return the participation."""
    row = _mine()
    given, kept = request.form.get("csrf", ""), session.get("csrf", "")
    if not kept or not hmac.compare_digest(given.encode(), kept.encode()):
        abort(403, "This form is too old. Please open the page again.")
    if row.stage != stage:
        abort(_onward())
    return row


def _page(stage: str, template: str, **values: Any) -> AnyResponse | str:
    row = _mine()
    if row.stage != stage:
        return redirect(url_for(PAGE_OF_STAGE[row.stage]))
    campaign = service().campaign
    return render_template(
        template, campaign=campaign, texts=campaign.texts, csrf=session["csrf"], row=row, **values
    )


def _onward() -> AnyResponse:
    """Lead on to the page of the stage that the participation has now."""
    return redirect(url_for(PAGE_OF_STAGE[_mine().stage]), 303)
