"""What can go wrong with MTurk: each failure is one line that says what to do, or comes again."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from collection.recruiting import mturk
from collection.recruiting.mturk import Mturk
from collection.recruiting.recruiter import (
    AlreadyDoneError,
    NoMoneyError,
    NotThereError,
    RecruiterError,
    TryAgainError,
)
from photochat.cli.typed import free_port
from photochat.errors import DataError


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Mturk]]:
    """Makes a recruiter whose endpoint gives one answer to everything (None: hangs up)."""
    monkeypatch.setattr(mturk, "ATTEMPTS", 1)
    servers: list[http.server.ThreadingHTTPServer] = []

    def start(status: int | None, body: Any = b"") -> Mturk:
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                if status is None:
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        return Mturk(mturk.connect(endpoint, rehearsal_key=True), "photos")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def refusal(code: str, text: str, kind: str = "RequestError") -> dict[str, str]:
    return {"__type": kind, "Message": text, "TurkErrorCode": f"AWS.MechanicalTurk.{code}"}


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (400, refusal("InsufficientFunds", "No money"), NoMoneyError, "add money"),
        (400, refusal("AssignmentDoesNotExist", "Unknown"), NotThereError, "Unknown"),
        (400, refusal("HITDoesNotExist", "Unknown"), NotThereError, "Unknown"),
        (400, refusal("HITAlreadyExists", "Token used"), AlreadyDoneError, "Token used"),
        (400, refusal("HitAlreadyExists", "Token used"), AlreadyDoneError, "Token used"),
        (400, refusal("X", 'The idempotency token "t" has already been processed.'),
         AlreadyDoneError, "processed"),
        (400, refusal("InvalidRewardAmount", "Too much"), RecruiterError, "InvalidRewardAmount"),
        (400, {"__type": "ThrottlingException", "message": "Rate exceeded"}, TryAgainError, "Rate"),
        (500, {"__type": "ServiceFault", "Message": "Later"}, TryAgainError, "Later"),
        (503, b"<html>", TryAgainError, "503"),
        (200, b"not json", TryAgainError, "no answer"),
        (None, b"", TryAgainError, "no answer"),
        (400, {"__type": "UnrecognizedClientException", "message": "bad token"},
         DataError, "AWS_ACCESS_KEY_ID"),
        (400, {"__type": "InvalidSignatureException",
               "message": "Credential should be scoped to a valid region, not 'eu-west-1'."},
         DataError, "us-east-1 only"),
        (400, {"__type": "AccessDeniedException", "message": "not authorized"},
         DataError, "AmazonMechanicalTurkFullAccess"),
        (400, refusal("X", "you will need an AWS account linked to your MTurk account"),
         DataError, "requester.mturk.com/developer"),
        (410, b"Gone", DataError, "does not speak MTurk's protocol"),
        (404, b"<html>Not found</html>", DataError, "is it running"),
    ],
)  # fmt: skip
def test_an_answer_becomes_the_error_that_says_what_to_do(answering, status, body, error, words):
    """By kind, and with the platform's own words."""
    with pytest.raises(error, match=words) as caught:
        answering(status, body).bonus(
            worker="A1", submission="3", amount=Decimal("1.00"), reason="r", token="t"
        )
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)


def test_missing_credentials_are_asked_for_by_name():
    """Before anything is sent."""
    with pytest.raises(DataError, match="AWS_SECRET_ACCESS_KEY"):
        Mturk(mturk.connect(mturk.SANDBOX), "photos").balance()


def test_half_a_credential_and_a_profile_that_is_none(monkeypatch):
    """Each is named."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    with pytest.raises(DataError, match="AWS_SECRET_ACCESS_KEY"):
        Mturk(mturk.connect(mturk.SANDBOX), "photos").balance()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(DataError, match="profile"):
        mturk.connect(mturk.SANDBOX)


def test_an_endpoint_where_nobody_listens_names_the_next_step(monkeypatch):
    """An emulator that is not running."""
    monkeypatch.setattr(mturk, "ATTEMPTS", 1)
    endpoint = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(DataError, match="is it running") as caught:
        Mturk(mturk.connect(endpoint, rehearsal_key=True), "photos").balance()
    assert caught.value.file == endpoint


def test_the_platform_gone_names_what_else_there_is(monkeypatch):
    """The name of MTurk's endpoint no longer resolves."""
    import botocore.exceptions as boto

    from collection.recruiting.mturk_errors import translated

    with pytest.raises(DataError, match="prolific"), translated(mturk.PRODUCTION):
        raise boto.EndpointConnectionError(endpoint_url=mturk.PRODUCTION)


def test_https_asked_of_a_server_that_speaks_http(answering):
    """One line instead of OpenSSL's."""
    plain = str(answering(200)._client.meta.endpoint_url)
    with pytest.raises(DataError, match="https:// or http://"):
        Mturk(
            mturk.connect(plain.replace("http:", "https:"), rehearsal_key=True), "photos"
        ).balance()


def test_a_botocore_without_mturk_is_told_as_such(monkeypatch):
    """The service's model may be dropped once the platform has closed."""
    import botocore.loaders

    load = botocore.loaders.Loader.list_available_services

    def without(self: Any, type_name: str) -> list[str]:
        return [name for name in load(self, type_name) if name != "mturk"]

    monkeypatch.setattr(botocore.loaders.Loader, "list_available_services", without)
    with pytest.raises(DataError, match="no longer knows MTurk"):
        mturk.connect(mturk.SANDBOX)


def test_what_the_model_refuses_never_leaves():
    """A request that is not well-formed is final, not something to try again."""
    turk = Mturk(mturk.connect(mturk.SANDBOX, rehearsal_key=True), "photos")
    with pytest.raises(RecruiterError, match="not a valid request"):
        turk.bonus(worker="", submission="3", amount=Decimal("1.00"), reason="r", token="t" * 65)
