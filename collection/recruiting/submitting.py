"""Where a worker's browser may hand in work: a short list of origins, compared letter by letter.

Platforms name that place in the address of the page (MTurk's `turkSubmitTo`), so anybody can write
something else there. It is looked up and never parsed: what goes into a page or an answer is our
own entry, not what came.
"""

from __future__ import annotations

from collections.abc import Iterable

MTURK_ORIGINS = ("https://www.mturk.com", "https://workersandbox.mturk.com")
MTURK_SUBMIT_PATH = "/mturk/externalSubmit"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def submit_origins(hosts: Iterable[str]) -> tuple[str, ...]:
    """Return the origins that work may be handed in to: MTurk's, and those of further hosts.

    A host is "name" or "name:port"; it is reached over HTTPS, on this machine over HTTP.
    """
    further = []
    for host in hosts:
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        further.append(f"{'http' if name in LOOPBACK else 'https'}://{host.lower()}")
    return (*MTURK_ORIGINS, *further)


def submit_address(origins: Iterable[str], submit_to: str) -> str | None:
    """Return where a form is posted to for what the platform named; None if that is not listed."""
    named = submit_to.lower().removesuffix("/")
    return next((f"{origin}{MTURK_SUBMIT_PATH}" for origin in origins if origin == named), None)
