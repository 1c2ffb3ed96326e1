"""A running emulator as tests use it: `api` is a real boto3 client, `control` its control side."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from collection.mturk_emulator.books import Books
from collection.mturk_emulator.server import running
from collection.mturk_emulator.signature import Key
from collection.mturk_emulator.turn import Rules

START = 1_800_000_000.0  # where the clock stands
EXTERNAL = (
    '<ExternalQuestion xmlns="http://mechanicalturk.amazonaws.com/'
    'AWSMechanicalTurkDataSchemas/2006-07-14/ExternalQuestion.xsd">'
    "<ExternalURL>{url}</ExternalURL><FrameHeight>0</FrameHeight></ExternalQuestion>"
)
TASK = EXTERNAL.format(url="https://chat.example.org/join/demo?a=1&amp;b=2")


def client(url: str, **options: Any) -> Any:
    """Return a boto3 client of MTurk that asks the emulator, once a call unless told otherwise."""
    retries = options.pop("attempts", 1)
    patience = options.pop("patience", 20)
    credentials = {
        "region_name": "us-east-1",
        "aws_access_key_id": "AKIDREHEARSAL",
        "aws_secret_access_key": "secret",
        **options,
    }
    config = Config(
        retries={"total_max_attempts": retries}, connect_timeout=10, read_timeout=patience
    )
    return boto3.client("mturk", endpoint_url=url, config=config, **credentials)


@dataclass
class Rehearsal:
    """An emulator that runs."""

    url: str
    api: Any

    def control(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """Ask the control side; an error is returned as {"error": ...}."""
        request = urllib.request.Request(
            f"{self.url}/_emulator/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.control("clock", {"advance": seconds})

    def worker(self, name: str = "AWORKER1", **facts: Any) -> str:
        """Make a worker."""
        assert "error" not in self.control("workers", {"id": name, **facts})
        return name

    def create(self, **values: Any) -> str:
        """Create a HIT for a dollar; return its id."""
        return str(self.api.create_hit(**order(**values))["HIT"]["HITId"])

    def accept(self, worker: str, hit: str) -> str:
        """Accept a HIT; return the assignment's id."""
        return str(self.control(f"workers/{worker}/accept", {"hit": hit})["id"])

    def submit(self, worker: str, assignment: str, **answers: Any) -> Any:
        """Hand an assignment in."""
        body = {"assignment": assignment, "answers": answers or {"code": "c-1"}}
        return self.control(f"workers/{worker}/submit", body)

    def work(self, hit: str, worker: str = "AWORKER1") -> str:
        """Accept and hand in; return the assignment's id."""
        assignment = self.accept(worker, hit)
        self.submit(worker, assignment)
        return assignment

    def money(self) -> dict[str, int]:
        """Return where the money is, in cents."""
        return dict(self.control("books")["account"])

    def refused(self, operation: str, **values: Any) -> tuple[str, str, str]:
        """Make a call that is refused; return boto3's code, the TurkErrorCode and the sentence."""
        try:
            getattr(self.api, operation)(**values)
        except self.api.exceptions.ClientError as error:
            said = error.response
            code = said.get("TurkErrorCode", "").removeprefix("AWS.MechanicalTurk.")
            return said["Error"]["Code"], code, said["Error"]["Message"]
        raise AssertionError(f"{operation} was carried out")


def order(**values: Any) -> dict[str, Any]:
    """Return what CreateHIT needs, for a dollar; `values` replace and add."""
    return {
        "Title": "Chat about a photo",
        "Description": "Two people talk, one shares a photo.",
        "Keywords": "chat, photo",
        "Reward": "1.00",
        "MaxAssignments": 1,
        "LifetimeInSeconds": 3600,
        "AssignmentDurationInSeconds": 600,
        "AutoApprovalDelayInSeconds": 86_400,
        "Question": TASK,
        **values,
    }


@contextmanager
def rehearsal(
    path: Path, *, balance: int = 10_000, key: Key | None = None, **rules: bool
) -> Iterator[Rehearsal]:
    """Run an emulator over a file of books."""
    books = Books(path, balance=balance, stands_at=START, rules=Rules(**rules))
    with running(books, key) as url:
        yield Rehearsal(url, client(url))
    books.close()
