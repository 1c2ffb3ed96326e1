"""Prolific as a recruiter: studies, submissions, bonuses, participant groups, messages.

Prolific knows no request tokens. A study carries its order's token as its internal name, and the
tokens of its extensions behind it, in the same request that adds the places. Bonuses carry nothing:
paying one is not idempotent there and happens some minutes after it was asked for, so the account's
books are looked into first, and `settling_seconds` says how long they may not tell yet.
"""

from __future__ import annotations

import datetime
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from collection.money.pay import PaidKind
from collection.recruiting.prolific_wire import Wire
from collection.recruiting.recruiter import (
    AlreadyDoneError,
    NotThereError,
    Order,
    PaidBonus,
    Posting,
    RecruiterError,
    Submission,
    SubmissionState,
    TryAgainError,
)

# https://docs.prolific.com/api-reference/submissions/transition-submission
MIN_REJECTION_CHARS = 100
# Whatever waits for review longer is approved by Prolific ("Submission statuses explained").
AUTO_APPROVAL_SECONDS = 21 * 86400
SETTLING_SECONDS = 3600.0  # "in the following minutes" (Pay bonuses), with room
WORKER_PARAMETERS = (  # our name in the study's address, Prolific's placeholder
    ("worker", "{{%PROLIFIC_PID%}}"),
    ("assignment", "{{%SESSION_ID%}}"),
    ("study", "{{%STUDY_ID%}}"),
)
_AT_WORK = ("RESERVED", "ACTIVE")
_KEPT = ("AWAITING REVIEW", "APPROVED", "PARTIALLY APPROVED")
_OPEN = ("ACTIVE", "PUBLISHING", "SCHEDULED")
_STATES: dict[str, SubmissionState] = {
    "AWAITING REVIEW": "submitted",
    "APPROVED": "approved",
    "PARTIALLY APPROVED": "approved",
    "SCREENED OUT": "approved",  # paid a fixed reward
    "REJECTED": "rejected",
}
_CODE_TYPES: dict[PaidKind, str] = {"complete": "COMPLETED"}


class Prolific:
    """A workspace and project on Prolific.

    `codes` are the completion codes by outcome, as they stand in the campaign file; `filters` are
    Prolific's own, as its API writes them. `minutes` is the estimated time of a participation.
    """

    name = "prolific"
    settling_seconds = SETTLING_SECONDS

    def __init__(
        self,
        wire: Wire,
        campaign: str,
        *,
        workspace: str,
        project: str,
        minutes: int,
        codes: Mapping[PaidKind, str],
        filters: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._wire = wire
        self._campaign = campaign
        self._workspace = workspace
        self._project = project
        self._minutes = minutes
        self._codes = dict(codes)
        self._filters = [dict(one) for one in filters]
        self._groups: dict[str, str] = {}

    def publish(self, order: Order) -> str:
        """Create a study and publish it; a draft that an earlier call left is published now.

        Raises:
            AlreadyDoneError: with the study's id, if one with this token has been published.
        """
        study = next((one for one in self._studies() if _token(one) == order.token), None)
        if study is not None and study["status"] != "UNPUBLISHED":
            raise AlreadyDoneError("a study with this internal name exists", str(study["id"]))
        if study is None:
            study = self._wire.post("studies/", self._study(order))
        self._move_study(str(study["id"]), "PUBLISH")
        return str(study["id"])

    def postings(self) -> Iterator[Posting]:
        """List the studies of the project; they have no date of expiry.

        Returned, timed out and rejected places are free again, so they are counted by submission.
        """
        for study in self._studies():
            places = int(study.get("total_available_places") or 0)
            can_open = study["status"] in (*_OPEN, "PAUSED")
            at_work = taken = 0
            if study["status"] != "UNPUBLISHED":
                for one in self._wire.pages("submissions/", study=str(study["id"])):
                    status = str(one.get("status")).replace("_", " ")
                    at_work += status in _AT_WORK
                    taken += status in _AT_WORK or status in _KEPT
            yield Posting(
                id=str(study["id"]),
                token=_token(study),
                reward=_from_cents(study.get("reward") or 0),
                assignments=places,
                open=study["status"] in _OPEN,
                expires_at=math.inf,
                pending=at_work,
                available=max(0, places - taken) if can_open else 0,
            )

    def extend(self, posting: str, *, assignments: int, seconds: int, token: str) -> None:
        """Add places, once for a token; a study stays open as it is, so seconds add nothing."""
        study = self._wire.get(f"studies/{posting}/")
        mark = "+" + hashlib.sha256(token.encode()).hexdigest()[:8]
        name = str(study.get("internal_name") or "")
        if assignments and mark not in name.split():
            self._wire.patch(
                f"studies/{posting}/",
                {
                    "internal_name": f"{name} {mark}",
                    "total_available_places": int(study["total_available_places"]) + assignments,
                },
            )
        if study["status"] == "PAUSED":
            self._move_study(posting, "START")

    def expire(self, posting: str) -> None:
        """Pause a study: nobody new comes in, `extend` starts it again."""
        if self._wire.get(f"studies/{posting}/")["status"] in _OPEN:
            self._move_study(posting, "PAUSE")

    def submissions(self, posting: str) -> Iterator[Submission]:
        """List what was handed in; places that are reserved, active or returned are not."""
        for one in self._wire.pages("submissions/", study=posting):
            state = _STATES.get(str(one.get("status")).replace("_", " "))
            if state is None:
                continue
            at = seconds_of(one.get("completed_at") or one.get("started_at"))
            code = one.get("entered_code") or one.get("study_code") or ""
            yield Submission(
                id=str(one["id"]),
                posting=posting,
                worker=str(one.get("participant_id") or one.get("participant") or ""),
                state=state,
                submitted_at=at,
                answers={"code": str(code)} if code else {},
                approved_by_itself_at=at + AUTO_APPROVAL_SECONDS,
            )

    def approve(self, submission: str, *, message: str = "", override: bool = False) -> None:
        """Approve a submission. Prolific shows no message, and takes no rejection back.

        Raises:
            RecruiterError: with `override`, unless it is approved already.
        """
        if override and self._state(submission) != "approved":
            raise RecruiterError(
                "Prolific's API takes no rejection back: ask its support to overturn the rejection "
                f"of submission {submission}, then run photochat campaign review"
            )
        self._transition(submission, {"action": "APPROVE"}, "approved")

    def reject(self, submission: str, *, reason: str) -> None:
        """Reject a submission; Prolific wants 100 characters of reason or more."""
        if len(reason) < MIN_REJECTION_CHARS:
            raise RecruiterError(
                f"Prolific wants a reason of {MIN_REJECTION_CHARS} characters or more, this one "
                f"has {len(reason)}: say what was wrong and what the participant can do"
            )
        body = {"action": "REJECT", "message": reason, "rejection_category": "OTHER"}
        self._transition(submission, body, "rejected")

    def bonus(
        self, *, worker: str, submission: str, amount: Decimal, reason: str, token: str
    ) -> None:
        """Set up a bonus for one submission and pay it.

        Prolific refuses no second payment, so a submission that has a bonus of this amount in the
        books counts as paid: campaigns pay at most one of each amount under a submission.

        Raises:
            AlreadyDoneError: the books have it.
        """
        found = self._wire.get(f"submissions/{submission}/")
        if amount in [_from_cents(cents) for cents in found.get("bonus_payments") or []]:
            raise AlreadyDoneError(f"submission {submission} has a bonus of {amount:.2f}")
        made = self._wire.post(
            "submissions/bonus-payments/",
            {"study_id": found["study_id"], "csv_bonuses": f"{submission},{amount:.2f}"},
        )
        if _from_cents(made.get("amount") or 0) not in (Decimal(0), amount):
            raise RecruiterError(
                f"a bonus of {amount:.2f} was set up as {_from_cents(made['amount']):.2f}: not paid"
            )
        try:
            self._wire.post(f"bulk-bonus-payments/{made['id']}/pay/", {})
        except TryAgainError as error:
            raise TryAgainError(str(error), after=self.settling_seconds) from error

    def bonuses(self, posting: str) -> Iterator[PaidBonus]:
        """List the bonuses in the books. Prolific keeps neither their reasons nor their dates."""
        for one in self._wire.pages("submissions/", study=posting):
            detail = one if "bonus_payments" in one else self._wire.get(f"submissions/{one['id']}/")
            for cents in detail.get("bonus_payments") or []:
                yield PaidBonus(
                    posting=posting,
                    submission=str(one["id"]),
                    worker=str(one.get("participant_id") or one.get("participant") or ""),
                    amount=_from_cents(cents),
                    reason="",
                    at=seconds_of(one.get("completed_at") or one.get("started_at")),
                )

    def qualify(self, qualification: str, worker: str, value: int | None) -> None:
        """Put a participant into the group of a qualification; None takes them out. Repeats are
        ignored by Prolific."""
        path = f"participant-groups/{self._group(qualification)}/participants/"
        if value is None:
            self._wire.delete(path, {"participant_ids": [worker]})
        else:
            self._wire.post(path, {"participant_ids": [worker]})

    def notify(self, workers: Sequence[str], *, subject: str, text: str) -> tuple[str, ...]:
        """Write to participants, under a study in which they took part."""
        left = list(dict.fromkeys(workers))
        for study in self._studies():
            if not left:
                break
            here = {
                str(one.get("participant_id") or one.get("participant"))
                for one in self._wire.pages("submissions/", study=str(study["id"]))
            }
            ids = [worker for worker in left if worker in here]
            if ids:
                body = {"ids": ids, "body": f"{subject}\n\n{text}", "study_id": str(study["id"])}
                self._wire.post("messages/bulk/", body)
                left = [worker for worker in left if worker not in here]
        return tuple(left)

    def balance(self) -> Decimal | None:
        """Return what the workspace can spend."""
        answer = self._wire.get(f"workspaces/{self._workspace}/balance/")
        cents = answer.get("available_balance")
        return None if cents is None else _from_cents(cents)

    def _studies(self) -> Iterator[dict[str, Any]]:
        return self._wire.pages(f"projects/{self._project}/studies/")

    def _study(self, order: Order) -> dict[str, Any]:
        separator = "&" if "?" in order.question else "?"
        parameters = "&".join(f"{ours}={theirs}" for ours, theirs in WORKER_PARAMETERS)
        return {
            "name": order.title,
            "internal_name": order.token,
            "description": order.description,
            "external_study_url": f"{order.question}{separator}{parameters}",
            "prolific_id_option": "url_parameters",
            "total_available_places": order.assignments,
            "estimated_completion_time": self._minutes,
            "maximum_allowed_time": math.ceil(order.assignment_seconds / 60),
            "reward": _cents(order.reward),
            "project": self._project,
            "device_compatibility": ["desktop", "tablet", "mobile"],
            "completion_codes": [
                {
                    "code": code,
                    "code_type": _CODE_TYPES.get(outcome, "OTHER"),
                    "actions": [{"action": "MANUALLY_REVIEW"}],
                }
                for outcome, code in self._codes.items()
            ],
            "filters": self._filters + [self._filter(one) for one in order.requirements],
        }

    def _filter(self, requirement: Any) -> dict[str, Any]:
        lists = {"DoesNotExist": "blocklist", "Exists": "allowlist"}
        kind = lists.get(requirement.comparator)
        if kind is None:
            raise RecruiterError(
                f"{requirement.name}: on Prolific write this as one of "
                "recruiting.prolific.filters in the campaign file"
            )
        return {
            "filter_id": f"participant_group_{kind}",
            "selected_values": [self._group(requirement.name)],
        }

    def _group(self, qualification: str) -> str:
        """Return the id of the participant group of a qualification, made when there is none."""
        if qualification not in self._groups:
            full = f"{self._campaign}: {qualification}"
            groups = self._wire.pages("participant-groups/", workspace_id=self._workspace)
            group = next((one for one in groups if one.get("name") == full), None)
            if group is None:
                body = {"name": full, "workspace_id": self._workspace}
                group = self._wire.post("participant-groups/", body)
            self._groups[qualification] = str(group["id"])
        return self._groups[qualification]

    def _move_study(self, study: str, action: str) -> None:
        self._wire.post(f"studies/{study}/transition/", {"action": action})

    def _state(self, submission: str) -> SubmissionState | None:
        found = self._wire.get(f"submissions/{submission}/")
        return _STATES.get(str(found.get("status")).replace("_", " "))

    def _transition(self, submission: str, body: dict[str, Any], wanted: SubmissionState) -> None:
        try:
            self._wire.post(f"submissions/{submission}/transition/", body)
        except (TryAgainError, NotThereError):
            raise
        except RecruiterError as error:
            state = self._state(submission)
            if state != wanted:
                raise RecruiterError(
                    f"{error}; the submission is {state or 'not handed in'}"
                ) from (error)


def seconds_of(text: str | None) -> float:
    """Read one of Prolific's times (ISO 8601, UTC) as seconds since 1970; 0.0 for none."""
    if not text:
        return 0.0
    when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (when if when.tzinfo else when.replace(tzinfo=datetime.timezone.utc)).timestamp()


def _token(study: Mapping[str, Any]) -> str | None:
    """The token of a study's order: the first word of its internal name."""
    words = str(study.get("internal_name") or "").split()
    return words[0] if words else None


def _cents(amount: Decimal) -> int:
    return int((amount * 100).to_integral_exact())


def _from_cents(cents: float) -> Decimal:
    return Decimal(str(cents)) / 100
