"""The review's web application: the desk before a reviewer, one dialogue at a time.

Plain forms: every answer is a POST that is committed before it answers with a redirect to the next
dialogue. The script of the page only adds keys and patience (see static/review.js).
"""

from __future__ import annotations

import hmac
import secrets
import time
from pathlib import Path

import msgspec
from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    send_file,
    session,
)
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as AnyResponse

from photochat.errors import DataError
from photochat.limits import Buckets
from photochat.picture_copies import resized
from verification.review import desk as desks
from verification.review import tokens
from verification.review.desk import Desk, Draft
from verification.votes import MAX_COMMENT_CHARS, MAX_SECONDS, REASONS, Vote

pages = Blueprint("review", __name__)
MAX_FORM = 64 * 1024  # bytes
SESSION_SECONDS = 7 * 24 * 3600
PHOTO_SECONDS = 3600  # how long a browser may keep a picture
REQUESTS = (20.0, 100.0)  # a second and at once, from one address
GUESSES = (0.2, 10.0)  # sign-ins that fail, from one address
SHORT = {
    "no-association": "No link",
    "unnatural": "Unnatural",
    "inappropriate": "Inappropriate",
    "typos": "Typos",
    "broken-english": "Broken English",
    "broken-rules": "Rules broken",
}
SAID = {
    "late": "You held that dialogue for so long that others have decided on it. Your vote is kept "
    "in the trail, but does not count.",
    "not given": "That dialogue is not yours to decide.",
    "undone": "Your last vote is taken back. Decide again.",
    "skipped": "Skipped. It comes back when you ask for it at the end.",
}
WHY = "Why reject it? Choose at least one reason."
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_app(desk: Desk, *, proxies: int = 0, https: bool = False) -> Flask:
    """Return the application; `proxies` stand before it and tell the address, `https` is theirs."""
    app = Flask("verification.review", static_folder="static", template_folder="templates")
    app.config.update(
        SECRET_KEY=desk.secret,
        SESSION_COOKIE_NAME="photochat-review",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=https,
        MAX_CONTENT_LENGTH=MAX_FORM,
    )
    app.extensions["desk"] = desk
    app.extensions["guesses"] = Buckets(*GUESSES)
    app.register_blueprint(pages)
    _guard(app)
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies
        )
    return app


@pages.get("/")
def review() -> AnyResponse | str:
    """Show the dialogue that this reviewer is to decide, or the form to sign in."""
    reviewer = _signed_in()
    if reviewer is None:
        return _sign_in_page()
    return _sheet(reviewer)


@pages.get("/in/<token>")
def sign_in(token: str) -> AnyResponse:
    """Sign in by a link."""
    return _sign_in(token)


@pages.post("/in")
def sign_in_by_form() -> AnyResponse:
    """Sign in by the pasted link, or the token at its end."""
    return _sign_in(request.form.get("token", "").strip().rpartition("/")[2])


@pages.post("/out")
def sign_out() -> AnyResponse:
    """Sign out."""
    _form()
    session.clear()
    return redirect("/", 303)


@pages.post("/vote")
def vote() -> AnyResponse | tuple[str, int]:
    """Take a vote: `dialogue_id`, `verdict`, `reasons` (several), `comment`, `seconds`."""
    reviewer = _form()
    form = request.form
    reasons = form.getlist("reasons")
    draft = Draft(form.get("verdict", ""), tuple(reasons), form.get("comment", "").strip())
    if draft.verdict == "reject" and not reasons:
        return _sheet(reviewer, draft, problem=WHY), 422
    try:
        given = msgspec.convert(
            {
                "dialogue_id": _number("dialogue_id"),
                "reviewer": reviewer,
                "verdict": draft.verdict,
                "reasons": reasons,
                "comment": draft.comment[:MAX_COMMENT_CHARS],
                "seconds": _seconds(),
            },
            Vote,
        )
    except msgspec.ValidationError:
        abort(400, "This is no vote.")
    answer = desks.vote(_desk(), given, time.time())
    if answer in SAID:
        session["said"] = answer
    return redirect("/", 303)


@pages.post("/skip")
def skip() -> AnyResponse:
    """Put the dialogue aside."""
    reviewer = _form()
    if desks.skip(_desk(), reviewer, _number("dialogue_id"), time.time()):
        session["said"] = "skipped"
    return redirect("/", 303)


@pages.post("/undo")
def undo() -> AnyResponse:
    """Take the vote on dialogue `last` back. It names it, so that a repeat does nothing more."""
    reviewer = _form()
    if desks.undo(_desk(), reviewer, _number("last"), time.time()):
        session["said"] = "undone"
    return redirect("/", 303)


@pages.post("/skipped")
def skipped() -> AnyResponse:
    """Bring back what was skipped."""
    desks.take_up_skipped(_desk(), _form(), time.time())
    return redirect("/", 303)


@pages.get("/photo/<int(signed=True):number>")
def photo(number: int) -> AnyResponse:
    """Send the photo of a dialogue to a reviewer who was given it."""
    reviewer = _signed_in()
    if reviewer is None:
        abort(401)
    desk = _desk()
    dialogue = desk.dialogues.get(number)
    if dialogue is None or not dialogue.photo_id or not desks.was_given(desk, reviewer, number):
        abort(404)
    try:
        copy = resized(desk.images, desk.cache, dialogue.photo_id)
    except DataError:
        abort(404)
    answer = send_file(copy.resolve(), mimetype="image/jpeg", max_age=PHOTO_SECONDS)
    answer.headers["Cache-Control"] = f"private, max-age={PHOTO_SECONDS}"
    return answer


@pages.get("/healthz")
def healthz() -> AnyResponse:
    """200 while the database answers."""
    with _desk().database.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    return Response("ok\n", mimetype="text/plain")


def _desk() -> Desk:
    desk: Desk = current_app.extensions["desk"]
    return desk


def _signed_in() -> str | None:
    reviewer, since = session.get("reviewer"), session.get("since")
    if not isinstance(reviewer, str) or not isinstance(since, float):
        return None
    roster = _desk().reviewers
    fresh = time.time() - since < SESSION_SECONDS
    return reviewer if fresh and (not roster or reviewer in roster) else None


def _sign_in(token: str) -> AnyResponse:
    reviewer = tokens.read(_desk().secret, token)
    roster = _desk().reviewers
    if reviewer is None or (roster and reviewer not in roster):
        guesses: Buckets = current_app.extensions["guesses"]
        if not guesses.take(request.remote_addr or "", time.monotonic()):
            abort(429)
        return _sign_in_page(wrong=True)
    session.clear()
    session["reviewer"] = reviewer
    session["since"] = time.time()
    session["csrf"] = secrets.token_urlsafe(16)
    return redirect("/", 303)


def _sign_in_page(*, wrong: bool = False) -> Response:
    return Response(render_template("sign_in.html", wrong=wrong), 401)


def _form() -> str:
    """Return who sent a form of ours."""
    reviewer = _signed_in()
    if reviewer is None:
        abort(401)
    right = str(session.get("csrf", ""))
    if not hmac.compare_digest(request.form.get("csrf", "").encode(), right.encode()):
        abort(403)
    return reviewer


def _sheet(reviewer: str, draft: Draft | None = None, problem: str = "") -> str:
    desk = _desk()
    sheet = desks.sheet(desk, reviewer, time.time())
    # Another tab may have moved on: what was written there is not about this dialogue.
    same = sheet.view is not None and request.form.get("dialogue_id") == str(sheet.view.dialogue_id)
    return render_template(
        "review.html",
        sheet=sheet,
        view=sheet.view,
        draft=draft if draft and same else sheet.draft,
        problem=problem if same else "",
        said=SAID.get(session.pop("said", ""), ""),
        has_picture=sheet.view is not None and _has_picture(desk, sheet.view.photo_id),
        reviewer=reviewer,
        csrf=session["csrf"],
        reasons=REASONS,
        short=SHORT,
        max_comment=MAX_COMMENT_CHARS,
        why=WHY,
    )


def _has_picture(desk: Desk, photo_id: str | None) -> bool:
    if not photo_id:
        return False
    try:
        return Path(resized(desk.images, desk.cache, photo_id)).is_file()
    except DataError:
        return False


def _number(field: str) -> int:
    number = request.form.get(field, type=int)
    if number is None or abs(number) >= 2**63:
        abort(400)
    return number


def _seconds() -> float | None:
    seconds = request.form.get("seconds", type=float)
    return seconds if seconds is not None and 0 <= seconds <= MAX_SECONDS else None


def _guard(app: Flask) -> None:
    """Add what every request and every answer goes through."""
    buckets = Buckets(*REQUESTS)

    @app.before_request
    def limit() -> None:
        if request.endpoint == "static":
            return
        if not buckets.take(request.remote_addr or "", time.monotonic()):
            abort(429)

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> tuple[str, int]:
        return render_template("error.html", error=error), error.code or 500

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = POLICY
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if request.endpoint not in ("static", "review.photo"):
            headers["Cache-Control"] = "no-store"
        return response
