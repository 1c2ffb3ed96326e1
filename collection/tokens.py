"""Signed tokens: who may connect, who may fetch a picture, who was invited."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote, urlencode

import msgspec
from itsdangerous import BadData, URLSafeTimedSerializer

CHAT_TOKEN_SECONDS = 24 * 3600  # a worker may leave a page open for long
PHOTO_TOKEN_SECONDS = 15 * 60


class Ticket(msgspec.Struct, frozen=True):
    """What a chat token says: whose connection, and of which session."""

    participant: int
    generation: int


class PhotoTicket(msgspec.Struct, frozen=True):
    """What a photo token says: who may see the photo of which conversation."""

    participant: int
    conversation: int


class Tokens:
    """Signs and reads tokens with one secret; each kind has a salt of its own."""

    def __init__(self, secret: str) -> None:
        self._key = secret.encode()
        self._chat = URLSafeTimedSerializer(secret, salt="chat")
        self._photo = URLSafeTimedSerializer(secret, salt="photo")

    def chat(self, ticket: Ticket) -> str:
        """Sign a chat token."""
        return _text(self._chat.dumps([ticket.participant, ticket.generation]))

    def read_chat(self, token: object) -> Ticket | None:
        """Read a chat token; None if it is not ours or too old."""
        numbers = _numbers(self._chat, token, CHAT_TOKEN_SECONDS)
        return None if numbers is None else Ticket(*numbers)

    def photo(self, ticket: PhotoTicket) -> str:
        """Sign a photo token."""
        return _text(self._photo.dumps([ticket.participant, ticket.conversation]))

    def read_photo(self, token: object) -> PhotoTicket | None:
        """Read a photo token; None if it is not ours or too old."""
        numbers = _numbers(self._photo, token, PHOTO_TOKEN_SECONDS)
        return None if numbers is None else PhotoTicket(*numbers)

    def invitation(self, campaign: str, worker: str) -> str:
        """Return the signature of an invitation link."""
        text = f"invitation\n{campaign}\n{worker}".encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()[:32]

    def is_invited(self, campaign: str, worker: str, signature: str) -> bool:
        """Say whether an invitation's signature is right."""
        right = self.invitation(campaign, worker)
        return hmac.compare_digest(right.encode(), signature.encode())


def invitation_link(url: str, tokens: Tokens, campaign: str, worker: str) -> str:
    """Return the signed link that invites a worker to a campaign served at `url`."""
    query = urlencode({"worker": worker, "signature": tokens.invitation(campaign, worker)})
    return f"{url.rstrip('/')}/join/{quote(campaign)}?{query}"


def _text(signed: str | bytes) -> str:
    return signed.decode() if isinstance(signed, bytes) else signed


def _numbers(signer: URLSafeTimedSerializer, token: object, seconds: int) -> list[int] | None:
    if not isinstance(token, str) or len(token) > 500:
        return None
    try:
        numbers = signer.loads(token, max_age=seconds)
        return msgspec.convert(numbers, list[int])
    except (BadData, msgspec.ValidationError, ValueError):
        return None
