"""What a server that does not answer means: wait, give this question up, or stop."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime

from photochat.errors import DataError
from photochat.language_model.question import NoAnswerError

BUSY = (408, 409, 425, 429)
OUT_OF_MONEY = ("insufficient_quota", "billing")


class Refusal(Exception):
    """The server may answer later; `wait` are the seconds it asked for, if it did."""

    def __init__(self, problem: str, wait: float | None = None) -> None:
        self.problem = problem
        self.wait = wait
        super().__init__(problem)


def refusal_of(status: int, text: str, wait: float | None, address: str) -> Exception:
    """Return the exception for a status other than 200; `text` is what the server said."""
    said = f"the server answered {status} ({text or 'without a word'})"
    if status in (401, 403):
        return DataError(
            f"{said}: is the right key in PHOTOCHAT_LLM_KEY?", file=address, field="--llm"
        )
    if status == 402 or (status == 429 and any(word in text for word in OUT_OF_MONEY)):
        return DataError(f"{said}: the account is empty", file=address, field="--llm")
    if status in (404, 405):
        return DataError(
            f"{said}: are the address and --llm-model right?", file=address, field="--llm"
        )
    if 300 <= status < 400:
        return DataError(
            f"{said}: it sends on to another address; name that one, the key goes nowhere else",
            file=address,
            field="--llm",
        )
    if status in BUSY or status >= 500:
        return Refusal(said, wait)
    return NoAnswerError(said)


def wait_asked_for(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110, section 10.2.3); None without one."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError):
        return None
    try:
        return max(0.0, at.replace(tzinfo=at.tzinfo or timezone.utc).timestamp() - now)
    except (OverflowError, ValueError, OSError):
        return None
