"""The requester's view: numbers, conversations, transcripts, pause, resume and drain.

Behind a token: `Authorization: Bearer TOKEN`, or a form that puts it into a cookie of its own.
"""

from __future__ import annotations

import hmac
import time

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    jsonify,
    redirect,
    render_template,
    request,
    session,
)
from werkzeug.wrappers import Response as AnyResponse

from collection import overview
from collection.pages import service
from photochat.limits import Buckets

admin = Blueprint("admin", __name__)
ADMIN_SECONDS = 12 * 3600  # how long the dashboard's cookie is good
GUESSES = (0.2, 10)  # tokens tried a second from one address, and at once


@admin.get("/admin")
def dashboard() -> AnyResponse | str:
    """Show the dashboard, or the form that asks for the token."""
    if not is_admin():
        return Response(render_template("admin_login.html"), 401)
    return render_template("admin.html", campaign=service().campaign, csrf=session["admin_csrf"])


@admin.post("/admin/login")
def login() -> AnyResponse:
    """Take the token from the form."""
    guesses: Buckets = current_app.extensions["guesses"]
    if not guesses.take(request.remote_addr or "", time.monotonic()):
        abort(429)
    if not _right(request.form.get("token", "")):
        return Response(render_template("admin_login.html", wrong=True), 401)
    from secrets import token_urlsafe

    session["admin_until"] = time.time() + ADMIN_SECONDS
    session["admin_csrf"] = token_urlsafe(16)
    return redirect("/admin", 303)


@admin.get("/admin/summary.json")
def summary() -> Response:
    """Numbers of the campaign (see `overview.Summary`)."""
    _need_admin()
    ours = service()
    with ours.database.read() as reader:
        return _json(overview.summary(reader, ours.campaign, time.time(), len(ours.presence)))


@admin.get("/admin/conversations.json")
def conversations() -> Response:
    """The conversations, newest first; `?phase=` and `?before=` narrow."""
    _need_admin()
    with service().database.read() as reader:
        return _json(
            overview.conversation_list(
                reader,
                service().campaign.name,
                request.args.get("phase"),
                request.args.get("before", type=int),
            )
        )


@admin.get("/admin/conversations/<int:number>.json")
def transcript(number: int) -> Response:
    """One conversation as it goes; `?after=SEQ` sends only what is newer."""
    _need_admin()
    after = request.args.get("after", 0, type=int)
    with service().database.read() as reader:
        found = overview.transcript(reader, service().campaign.name, number, after)
    return _json(found) if found is not None else abort(404)


@admin.post("/admin/status")
def set_status() -> AnyResponse:
    """Pause, resume (`open`) or drain the campaign: form field `status`."""
    need_admin_form()
    status = request.form.get("status", "")
    if status not in overview.STATUSES:
        abort(400)
    ours = service()
    ours.writer.call(lambda c: overview.set_status(c, ours.campaign.name, status, time.time()))
    ours.wake_pairing.set()
    return jsonify({"status": status})


@admin.get("/healthz")
def healthz() -> AnyResponse:
    """200 while this process can read and write; 503 while it stops or the database fails."""
    health = service().health()
    return Response(
        "".join(f"{name}: {value}\n" for name, value in health.items()),
        200 if health["status"] == "ok" else 503,
        mimetype="text/plain",
    )


@admin.get("/metrics")
def metrics() -> Response:
    """Prometheus' text format; behind the token unless the configuration opens it."""
    if not service().open_metrics:
        _need_admin()
    return Response(service().metrics.text(), mimetype="text/plain; version=0.0.4")


def is_admin() -> bool:
    """Say whether the session's cookie is a requester's."""
    until = session.get("admin_until")
    return isinstance(until, float) and time.time() < until


def need_admin_form() -> None:
    """Refuse a form that is not the requester's: the cookie alone may have been made to send it."""
    _need_admin()
    if not _bearer():
        given, kept = request.form.get("csrf", ""), str(session.get("admin_csrf", ""))
        if not kept or not hmac.compare_digest(given.encode(), kept.encode()):
            abort(403)


def _json(value: object) -> Response:
    import msgspec

    return Response(msgspec.json.encode(value), mimetype="application/json")


def _right(token: str) -> bool:
    return hmac.compare_digest(token.encode(), service().admin_token.encode())


def _bearer() -> bool:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return kind.lower() == "bearer" and _right(token)


def _need_admin() -> None:
    if not is_admin() and not _bearer():
        abort(401)
