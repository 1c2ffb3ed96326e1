"""The chat server: a Flask application with Socket.IO beside it, and the process that serves it."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any, Literal

import msgspec
from flask import Flask, Response, abort, request
from flask_socketio import SocketIO
from werkzeug.middleware.proxy_fix import ProxyFix

from collection import sweep
from collection.admin import GUESSES, admin
from collection.campaign import Campaign
from collection.database import Database
from collection.doorstep import TextPacket, guard
from collection.pages import pages
from collection.review_page import review_page
from collection.runtime import runtime
from collection.service import Service
from collection.sockets import NAMESPACE, ChatNamespace
from collection.stock import Stocked, stock
from collection.tokens import Tokens
from photochat.limits import Buckets
from photochat.photo import Photo

MAX_PAYLOAD = 64 * 1024  # bytes of one Socket.IO packet or form; a message has far fewer
PING_SECONDS = 10  # a lost connection is noticed after PING_SECONDS + PONG_SECONDS
PONG_SECONDS = 10
STATIC_SECONDS = 3600


class ServerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a server needs. Secrets come from the environment, see photochat/cli/collection.py."""

    db: str
    pool: tuple[Photo, ...]
    images: Path
    campaign: Campaign = Campaign()
    secret: str
    admin_token: str
    cache: Path
    redis_url: str | None = None
    async_mode: Literal["gevent", "threading"] = "threading"
    origins: tuple[str, ...] = ()  # besides the server's own
    frame_ancestors: tuple[str, ...] = ()  # who may show the pages in a frame
    proxies: int = 0  # how many reverse proxies stand before the server and tell the address
    https: bool = False  # cookies only over TLS; the proxy's
    open_metrics: bool = False  # /metrics without the token


def create_app(config: ServerConfig) -> Flask:
    """Return the application, its database migrated and filled, its loops running.

    `app.extensions["photochat"]` is its `Service`, `app.extensions["socketio"]` the Flask-SocketIO
    server; `stop(app)` ends it.

    Raises:
        DataError: the database cannot be used.
    """
    database = Database(config.db)
    database.migrate()
    service = Service(
        config.campaign,
        database,
        Tokens(config.secret),
        runtime(config.async_mode),
        images=config.images.resolve(),
        cache=config.cache.resolve(),
        redis_url=config.redis_url,
        admin_token=config.admin_token,
        open_metrics=config.open_metrics,
    )
    stocked: Stocked = service.writer.call(
        lambda c: stock(c, database, config.campaign, config.pool, config.images, time.time())
    )
    logging.getLogger("photochat.server").info(
        "stocked", extra={"photos": stocked.photos, "without_picture": stocked.without_picture}
    )
    framed = config.https and bool(config.frame_ancestors or service.exits.frames)
    app = Flask("collection", static_folder="static", template_folder="templates")
    app.config.update(
        SECRET_KEY=config.secret,
        SESSION_COOKIE_NAME="photochat",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="None" if framed else "Lax",
        SESSION_COOKIE_PARTITIONED=framed,  # browsers keep no other cookie in another site's frame
        SESSION_COOKIE_SECURE=config.https,
        MAX_CONTENT_LENGTH=MAX_PAYLOAD,
        SEND_FILE_MAX_AGE_DEFAULT=STATIC_SECONDS,
    )
    app.extensions["photochat"] = service
    app.extensions["photochat_stocked"] = stocked
    app.extensions["guesses"] = Buckets(*GUESSES)
    app.register_blueprint(pages)
    app.register_blueprint(admin)
    app.register_blueprint(review_page)
    _guard(app, config)
    sockets: Any = SocketIO(  # type: ignore[call-arg]  # the stubs know no serializer
        app,
        async_mode=config.async_mode,
        # None is Engine.IO's own rule: the page's origin must be the server's.
        cors_allowed_origins=list(config.origins) or None,  # type: ignore[arg-type]
        max_http_buffer_size=MAX_PAYLOAD,
        ping_interval=PING_SECONDS,
        ping_timeout=PONG_SECONDS,
        # One client's events in their order, each answered before the next is looked at.
        async_handlers=False,
        cookie=None,
        json=_Json,
        serializer=TextPacket,
    )
    server = sockets.server
    server.register_namespace(ChatNamespace(service))
    service.emit = lambda name, data, sid: server.emit(name, data, to=sid, namespace=NAMESPACE)
    service.drop = lambda sid: server.disconnect(sid, namespace=NAMESPACE)
    if config.proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=config.proxies, x_proto=config.proxies, x_host=config.proxies
        )
    guard(server, service)
    sweep.run(service)
    return app


def stop(app: Flask) -> None:
    """Stop an application: nobody new, everything queued written, everybody told, then closed."""
    service: Service = app.extensions["photochat"]
    service.close()


class _Json:
    """msgspec in the shape that Socket.IO expects of a JSON library."""

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        return msgspec.json.encode(value).decode()

    @staticmethod
    def loads(text: str | bytes, **_: Any) -> Any:
        return msgspec.json.decode(text)


def _guard(app: Flask, config: ServerConfig) -> None:
    """Add what every request and every answer goes through."""
    limits = config.campaign.limits
    buckets = Buckets(limits.requests_per_second, limits.requests_burst)
    service: Service = app.extensions["photochat"]
    ancestors = config.frame_ancestors or service.exits.frames
    # Older Safari does not take 'self' for web sockets, so the page's host stands there as well.
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self' {sockets}; form-action {forms}; base-uri 'none'; "
        "frame-ancestors {frames}"
    )

    @app.before_request
    def limit() -> None:
        if request.endpoint in ("static", "admin.healthz", "admin.metrics"):
            return
        if not buckets.take(request.remote_addr or "", time.monotonic()):
            service.metrics.limited.inc()
            abort(429, "Too many requests. Please wait a moment.")

    @app.after_request
    def protect(response: Response) -> Response:
        scheme = "wss" if request.is_secure else "ws"
        headers = response.headers
        # A platform frames the workers' pages and takes their forms, and never the requester's.
        outer = request.blueprint == "pages"
        frames = ancestors if outer else ()
        headers["Content-Security-Policy"] = policy.format(
            sockets=f"{scheme}://{request.host}",
            forms=" ".join(("'self'", *(service.exits.origins if outer else ()))),
            frames=" ".join(frames) or "'none'",
        )
        headers["X-Content-Type-Options"] = "nosniff"
        # A platform that takes forms may want to know the site they come from; never the address,
        # which says who the worker is.
        forms = outer and service.exits.origins
        headers["Referrer-Policy"] = "strict-origin" if forms else "no-referrer"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        if not frames:
            headers["X-Frame-Options"] = "DENY"
        if request.endpoint != "static":
            headers.setdefault("Cache-Control", "no-store")
        return response
