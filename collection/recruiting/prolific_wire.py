"""Requests to Prolific's REST API, and its answers in the words of the recruiter interface.

https://docs.prolific.com/api-reference. The token stands in the header `Authorization: Token ...`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from collection.recruiting.recruiter import (
    NoMoneyError,
    NotThereError,
    RecruiterError,
    TryAgainError,
)
from photochat.errors import DataError

API = "https://api.prolific.com"
TIMEOUT_SECONDS = 20
PAGE = 100


class Wire:
    """One account's connection. Nothing is repeated here: the ledger does that, and knows."""

    def __init__(self, token: str, endpoint: str = API) -> None:
        self._root = endpoint.rstrip("/")
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Token {token}"
        # A ~/.netrc would put another Authorization in the token's place.
        self._session.trust_env = urlsplit(endpoint).hostname not in ("127.0.0.1", "localhost")
        self._session.auth = lambda request: request

    def get(self, path: str, **query: Any) -> Any:
        """GET; returns the decoded answer."""
        return self._send("GET", path, params=query)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST; returns the decoded answer."""
        return self._send("POST", path, json=body)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        """PATCH; returns the decoded answer."""
        return self._send("PATCH", path, json=body)

    def delete(self, path: str, body: dict[str, Any]) -> Any:
        """DELETE; returns the decoded answer."""
        return self._send("DELETE", path, json=body)

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Go through a list to its last page.

        The next page is asked for by its number, at our own address: whatever address an answer
        names, the token goes nowhere else.
        """
        page = 1
        while True:
            answer = self.get(path, page=page, page_size=PAGE, **query)
            yield from answer.get("results") or []
            following = ((answer.get("_links") or {}).get("next") or {}).get("href")
            if not following:
                return
            (named,) = parse_qs(urlsplit(following).query).get("page", [str(page + 1)])
            if int(named) <= page:
                raise RecruiterError(f"{path}: page {page} is followed by page {named}")
            page = int(named)

    def _send(self, method: str, path: str, **options: Any) -> Any:
        address = f"{self._root}/api/v1/{path}"
        try:
            answer = self._session.request(
                method, address, timeout=TIMEOUT_SECONDS, allow_redirects=False, **options
            )
        except requests.exceptions.SSLError as error:
            raise DataError(
                "the connection is not safe: does the address begin with the right https:// or "
                f"http://, and is its certificate valid? ({_short(error)})",
                file=self._root,
            ) from error
        except requests.ConnectionError as error:
            if _never_connected(error):
                raise DataError(
                    f"nobody answers there ({_short(error)}): is your network well, and is this "
                    "the right address? Nothing was lost; run the command again",
                    file=self._root,
                ) from error
            raise TryAgainError(f"no answer ({_short(error)})") from error
        except requests.RequestException as error:
            raise TryAgainError(f"no answer ({_short(error)})") from error
        if answer.status_code >= 300:
            raise _refusal(answer, self._root)
        if not answer.content:
            return {}
        try:
            return answer.json()
        except ValueError as error:
            raise TryAgainError("no answer of Prolific's: something else answered") from error


def _refusal(answer: requests.Response, root: str) -> Exception:
    status, text = answer.status_code, _reason(answer)
    if status == 401:
        return DataError(
            f"the token is not accepted ({text}): make one under Settings, Go to API token page, "
            "and export it",
            file=root,
            field="PHOTOCHAT_PROLIFIC_TOKEN",
        )
    if status == 403:
        return DataError(
            f"the token's user may not do this ({text}): ask for access to the workspace and "
            "project of the campaign file",
            file=root,
            field="PHOTOCHAT_PROLIFIC_TOKEN",
        )
    if status == 429 or status >= 500:
        return TryAgainError(f"HTTP {status}: {text}")
    if status in (301, 302, 307, 308, 405, 410):
        return DataError(
            f"answers HTTP {status} where Prolific's API should be: check the endpoint", file=root
        )
    if status == 404:
        return NotThereError(text)
    if status == 402 or "balance" in text.lower() or "insufficient funds" in text.lower():
        return NoMoneyError(f"{text}: top up the workspace, then run it again")
    return RecruiterError(text)


def _reason(answer: requests.Response) -> str:
    """Return the sentence of an error: {"error": {"title", "detail", ...}}."""
    try:
        error = answer.json()["error"]
        parts = [str(error[key]) for key in ("title", "detail") if error.get(key)]
        return _short(": ".join(parts) or error)
    except (ValueError, KeyError, TypeError, AttributeError):
        return _short(f"HTTP {answer.status_code}: {answer.text}")


def _never_connected(error: BaseException) -> bool:
    """Whether a failure says that no request went out."""
    from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    kinds = (NewConnectionError, NameResolutionError, ConnectTimeoutError)
    return isinstance(reason, kinds) or isinstance(error, requests.exceptions.ProxyError)


def _short(text: object) -> str:
    return " ".join(str(text).split())[:300]
