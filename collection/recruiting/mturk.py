"""MTurk as a recruiter, through boto3: HITs, assignments, bonuses and private qualifications.

A HIT carries its order's token twice: as UniqueRequestToken, which MTurk remembers for a day, and
as its annotation, by which it is found for good. The endpoint is always given explicitly, so that
no setting of the environment sends a rehearsal to the real platform.
"""

from __future__ import annotations

import contextlib
import datetime
import random
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from collection.recruiting.mturk_errors import translated
from collection.recruiting.recruiter import (
    AlreadyDoneError,
    NotThereError,
    Order,
    PaidBonus,
    Posting,
    RecruiterError,
    Requirement,
    Submission,
    SubmissionState,
    TryAgainError,
)

if TYPE_CHECKING:
    from botocore.client import BaseClient

REGION = "us-east-1"
PRODUCTION = "https://mturk-requester.us-east-1.amazonaws.com"
SANDBOX = "https://mturk-requester-sandbox.us-east-1.amazonaws.com"
# botocore's own attempts, with backoff: the tokens make repeating safe. All of them together stay
# below the time for which the ledger leaves a call alone (carry_out.LEASE_SECONDS).
ATTEMPTS = 3
CONNECT_SECONDS, ANSWER_SECONDS = 5, 15
LONG_AGO = (946_684_800, 1_262_304_000)  # 2000 to 2010, seconds since 1970
PAGE = 100  # the most that a list returns at once
NOTIFIED_AT_ONCE = 100
MAX_SUBJECT, MAX_MESSAGE = 200, 4096
MAX_FEEDBACK = 1024  # characters, of a rejection's reason or a word with an approval
BUILT_IN = {
    "locale": "00000000000000000071",
    "percent approved": "000000000000000000L0",
    "number approved": "00000000000000000040",
    "adult": "00000000000000000060",
}
MASTERS = {True: "2F1QJWKUDD8XADTFD2Q0G6UTO95ALH", False: "2ARFPLSP75KLA8M8DH1HTEQVJT3SY6"}
_STATES: dict[str, SubmissionState] = {
    "Submitted": "submitted",
    "Approved": "approved",
    "Rejected": "rejected",
}


def connect(endpoint: str, *, rehearsal_key: bool = False) -> BaseClient:
    """Return a client for an endpoint; nothing is sent yet.

    With `rehearsal_key` requests are signed with a made-up key, so that an emulator needs no
    account.

    Raises:
        DataError: boto3 no longer knows MTurk.
    """
    import boto3
    from botocore.config import Config

    key: dict[str, Any] = {}
    if rehearsal_key:
        key = {"aws_access_key_id": "REHEARSAL", "aws_secret_access_key": "rehearsal"}
    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
    )
    with translated(endpoint):
        client: BaseClient = boto3.session.Session().client(
            "mturk",
            region_name=REGION,
            endpoint_url=endpoint,
            config=config,
            **key,
        )
        return client


class Mturk:
    """A requester account on MTurk, its sandbox, or whatever else speaks its protocol.

    `campaign` stands before the names of private qualifications, which are unique in an account.
    """

    name = "mturk"
    settling_seconds = 0.0

    def __init__(
        self,
        client: Any,
        campaign: str,
        *,
        production: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._campaign = campaign
        self._masters = MASTERS[production]
        self._clock = clock
        self._qualifications: dict[str, str] = {}

    def publish(self, order: Order) -> str:
        """Create a HIT; see the interface.

        Raises:
            AlreadyDoneError: with the HIT's id, found by its annotation if MTurk does not tell it.
        """
        request: dict[str, Any] = {
            "UniqueRequestToken": order.token,
            "RequesterAnnotation": order.token,
            "Title": order.title,
            "Description": order.description,
            "Keywords": order.keywords,
            "Reward": f"{order.reward:.2f}",
            "MaxAssignments": order.assignments,
            "AssignmentDurationInSeconds": order.assignment_seconds,
            "LifetimeInSeconds": order.lifetime_seconds,
            "AutoApprovalDelayInSeconds": order.auto_approval_seconds,
            "Question": order.question,
            "QualificationRequirements": [self._requirement(r) for r in order.requirements],
        }
        try:
            return str(self._call("create_hit", **request)["HIT"]["HITId"])
        except AlreadyDoneError as error:
            found = next((p.id for p in self.postings() if p.token == order.token), error.id)
            raise AlreadyDoneError(str(error), found) from error

    def postings(self) -> Iterator[Posting]:
        """List all HITs of the account."""
        for hit in self._pages("list_hits", "HITs"):
            yield Posting(
                id=hit["HITId"],
                token=hit.get("RequesterAnnotation"),
                reward=Decimal(hit.get("Reward", "0")),
                assignments=hit["MaxAssignments"],
                open=hit["HITStatus"] == "Assignable",
                expires_at=hit["Expiration"].timestamp(),
                pending=hit.get("NumberOfAssignmentsPending", 0),
                available=hit.get("NumberOfAssignmentsAvailable", 0),
            )

    def extend(self, posting: str, *, assignments: int, seconds: int, token: str) -> None:
        """Add assignments, once for a token, and keep a HIT open for `seconds` from now."""
        if assignments:
            # The time that belongs to a used token may be missing still.
            with contextlib.suppress(AlreadyDoneError):
                self._call(
                    "create_additional_assignments_for_hit",
                    HITId=posting,
                    NumberOfAdditionalAssignments=assignments,
                    UniqueRequestToken=token,
                )
        if seconds:
            now = self._call("get_hit", HITId=posting)["HIT"]["Expiration"].timestamp()
            self._expire_at(posting, max(now, self._clock() + seconds))

    def expire(self, posting: str) -> None:
        """Let a HIT expire now: at a time that is past by any clock, and another at each asking.

        MTurk takes the same time for a repeated request and does nothing, even where the HIT was
        opened again in between.
        """
        self._expire_at(posting, float(random.randrange(*LONG_AGO)))  # noqa: S311 - a date

    def submissions(self, posting: str) -> Iterator[Submission]:
        """List the submitted assignments of a HIT."""
        for one in self._pages(
            "list_assignments_for_hit",
            "Assignments",
            HITId=posting,
            AssignmentStatuses=list(_STATES),
        ):
            automatic = one.get("AutoApprovalTime")
            yield Submission(
                id=one["AssignmentId"],
                posting=one["HITId"],
                worker=one["WorkerId"],
                state=_STATES[one["AssignmentStatus"]],
                submitted_at=one["SubmitTime"].timestamp(),
                answers=read_answers(one.get("Answer", "")),
                approved_by_itself_at=automatic.timestamp() if automatic else None,
            )

    def approve(self, submission: str, *, message: str = "", override: bool = False) -> None:
        """Approve an assignment; `override` turns a rejection of the last 30 days back."""
        request: dict[str, Any] = {"AssignmentId": submission, "OverrideRejection": override}
        if message:
            request["RequesterFeedback"] = message
        self._decide("approve_assignment", "Approved", request)

    def reject(self, submission: str, *, reason: str) -> None:
        """Reject an assignment; the worker reads the reason."""
        request = {"AssignmentId": submission, "RequesterFeedback": reason}
        self._decide("reject_assignment", "Rejected", request)

    def bonus(
        self, *, worker: str, submission: str, amount: Decimal, reason: str, token: str
    ) -> None:
        """Pay a bonus to a worker for an assignment of theirs."""
        self._call(
            "send_bonus",
            WorkerId=worker,
            AssignmentId=submission,
            BonusAmount=f"{amount:.2f}",
            Reason=reason,
            UniqueRequestToken=token,
        )

    def bonuses(self, posting: str) -> Iterator[PaidBonus]:
        """List the bonuses paid for a HIT's assignments."""
        for one in self._pages("list_bonus_payments", "BonusPayments", HITId=posting):
            yield PaidBonus(
                posting=posting,
                submission=one["AssignmentId"],
                worker=one["WorkerId"],
                amount=Decimal(one["BonusAmount"]),
                reason=one.get("Reason", ""),
                at=one["GrantTime"].timestamp(),
            )

    def qualify(self, qualification: str, worker: str, value: int | None) -> None:
        """Give a worker a private qualification, without a mail; None takes it away."""
        request = {"QualificationTypeId": self._qualification(qualification), "WorkerId": worker}
        if value is not None:
            self._call(
                "associate_qualification_with_worker",
                IntegerValue=value,
                SendNotification=False,
                **request,
            )
            return
        try:
            self._call("disassociate_qualification_from_worker", **request)
        except NotThereError:
            pass  # they did not have it
        except RecruiterError as error:
            if "InvalidQualificationState" not in str(error):  # only what is granted can be taken
                raise

    def notify(self, workers: Sequence[str], *, subject: str, text: str) -> tuple[str, ...]:
        """Write to workers, a hundred at once."""
        failed: list[str] = []
        for start in range(0, len(workers), NOTIFIED_AT_ONCE):
            answer = self._call(
                "notify_workers",
                Subject=subject[:MAX_SUBJECT],
                MessageText=text[:MAX_MESSAGE],
                WorkerIds=list(workers[start : start + NOTIFIED_AT_ONCE]),
            )
            failed += [one["WorkerId"] for one in answer.get("NotifyWorkersFailureStatuses", [])]
        return tuple(failed)

    def balance(self) -> Decimal | None:
        """Return what the account can spend; the sandbox says 10,000.00."""
        return Decimal(self._call("get_account_balance")["AvailableBalance"])

    def _decide(self, operation: str, wanted: str, request: dict[str, Any]) -> None:
        try:
            self._call(operation, **request)
        except (TryAgainError, NotThereError):
            raise
        except RecruiterError as error:
            # Repeating is safe: a decision that stands already is no failure.
            one = self._call("get_assignment", AssignmentId=request["AssignmentId"])["Assignment"]
            if one["AssignmentStatus"] != wanted:
                raise RecruiterError(
                    f"{error}; the assignment is {one['AssignmentStatus'].lower()}"
                ) from error

    def _expire_at(self, posting: str, at: float) -> None:
        when = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
        with contextlib.suppress(AlreadyDoneError):
            self._call("update_expiration_for_hit", HITId=posting, ExpireAt=when)

    def _requirement(self, asked: Requirement) -> dict[str, Any]:
        """Return a requirement as MTurk writes it; who does not meet it does not see the HIT."""
        if asked.name == "masters":
            type_id = self._masters
        else:
            type_id = BUILT_IN.get(asked.name) or self._qualification(asked.name)
        written: dict[str, Any] = {
            "QualificationTypeId": type_id,
            "Comparator": asked.comparator,
            "ActionsGuarded": "DiscoverPreviewAndAccept",
        }
        if asked.values and asked.name == "locale":
            written["LocaleValues"] = [_locale(value) for value in asked.values]
        elif asked.values:
            written["IntegerValues"] = [int(value) for value in asked.values]
        return written

    def _qualification(self, name: str) -> str:
        """Return the id of a private qualification, made when there is none."""
        if name not in self._qualifications:
            full = f"{self._campaign}: {name}"
            found = self._find_qualification(full)
            if found is None:
                try:
                    found = self._call(
                        "create_qualification_type",
                        Name=full,
                        Description=f"Given by the requester of {self._campaign}: {name}.",
                        QualificationTypeStatus="Active",
                    )["QualificationType"]["QualificationTypeId"]
                except TryAgainError:
                    raise
                except RecruiterError as error:
                    found = self._find_qualification(full)  # somebody else was quicker
                    if found is None:
                        raise TryAgainError(f"{full}: {error}") from error
            self._qualifications[name] = str(found)
        return self._qualifications[name]

    def _find_qualification(self, full: str) -> str | None:
        for one in self._pages(
            "list_qualification_types",
            "QualificationTypes",
            Query=full,
            MustBeRequestable=False,
            MustBeOwnedByCaller=True,
        ):
            if one["Name"] == full:
                return str(one["QualificationTypeId"])
        return None

    def _pages(self, operation: str, key: str, **request: Any) -> Iterator[dict[str, Any]]:
        token: str | None = None
        while True:
            page = {"NextToken": token} if token else {}
            answer = self._call(operation, MaxResults=PAGE, **request, **page)
            yield from answer.get(key, [])
            token = answer.get("NextToken")
            if not token:
                return

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        with translated(str(self._client.meta.endpoint_url)):
            answer: dict[str, Any] = getattr(self._client, operation)(**request)
        # A proxy's or a hotel's page comes with status 200 too, and botocore takes it for success.
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders")
        if headers is not None and "json" not in headers.get("content-type", ""):
            raise TryAgainError("no answer of MTurk's: something on the way answered instead")
        return answer


def read_answers(xml: str) -> dict[str, str]:
    """Read MTurk's QuestionFormAnswers: question identifier -> free text; {} if it is none."""
    if not xml or "<!DOCTYPE" in xml:
        return {}
    try:
        root = ElementTree.fromstring(xml)  # noqa: S314 (no document type, so no entities)
    except ElementTree.ParseError:
        return {}
    answers = {}
    for answer in root.iter():
        if answer.tag.rpartition("}")[2] == "Answer":
            parts = {part.tag.rpartition("}")[2]: (part.text or "").strip() for part in answer}
            if "QuestionIdentifier" in parts:
                text = parts.get("FreeText") or parts.get("SelectionIdentifier") or ""
                answers[parts["QuestionIdentifier"]] = text
    return answers


def _locale(value: str) -> dict[str, str]:
    country, _, subdivision = value.partition("-")
    return {"Country": country, **({"Subdivision": subdivision} if subdivision else {})}
