"""Signed links by which reviewers sign in."""

from __future__ import annotations

from itsdangerous import BadData, URLSafeTimedSerializer

from verification.votes import MAX_NAME_CHARS

LINK_SECONDS = 30 * 24 * 3600
MAX_TOKEN_CHARS = 500


def sign(secret: str, reviewer: str) -> str:
    """Return the token of a reviewer."""
    return str(_signer(secret).dumps(reviewer))


def read(secret: str, token: str, seconds: int = LINK_SECONDS) -> str | None:
    """Return whose token it is; None if it is not ours or older than `seconds`."""
    if len(token) > MAX_TOKEN_CHARS:
        return None
    try:
        reviewer = _signer(secret).loads(token, max_age=seconds)
    except BadData:
        return None
    ours = isinstance(reviewer, str) and 0 < len(reviewer) <= MAX_NAME_CHARS
    return reviewer if ours else None


def link(url: str, secret: str, reviewer: str) -> str:
    """Return the link that signs a reviewer in at a review served at `url`."""
    return f"{url.rstrip('/')}/in/{sign(secret, reviewer)}"


def _signer(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt="review")
