"""What a campaign needs from a platform where people are found, and nothing else.

A recruiter holds no state of its own: what was asked of it stands in the ledger, what it did stands
in the platform's books. Every call may be made again after a crash: calls that cost money take a
token, and the same token never costs twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal, Protocol

import msgspec

PostingKind = Literal["chat", "verification", "compensation"]
SubmissionState = Literal["submitted", "approved", "rejected"]


class Requirement(msgspec.Struct, frozen=True):
    """One condition on who may see a posting. `name` is a built-in one ("locale", "percent
    approved", "number approved", "adult", "masters") or a private qualification of the campaign.
    """

    name: str
    comparator: Literal[
        "Exists", "DoesNotExist", "EqualTo", "NotEqualTo", "GreaterThanOrEqualTo", "In", "NotIn"
    ]
    values: tuple[str, ...] = ()


class Order(msgspec.Struct, frozen=True):
    """A posting to be published: on MTurk a HIT. `token` is at most 64 characters."""

    token: str
    kind: PostingKind
    title: str
    description: str
    keywords: str
    reward: Decimal
    assignments: int
    assignment_seconds: int
    lifetime_seconds: int
    auto_approval_seconds: int
    question: str  # MTurk: the question's XML; elsewhere the address that workers are sent to
    requirements: tuple[Requirement, ...] = ()


class Posting(msgspec.Struct, frozen=True):
    """A posting as the platform shows it; `token` is its order's, so that it is found again."""

    id: str
    token: str | None
    reward: Decimal
    assignments: int
    open: bool  # can still be accepted
    expires_at: float  # seconds since 1970
    pending: int = 0  # accepted, not yet submitted
    available: int = 0  # to be accepted; of a closed one perhaps 0, perhaps once it is open again


class Submission(msgspec.Struct, frozen=True):
    """What a worker handed in: on MTurk an assignment."""

    id: str
    posting: str
    worker: str
    state: SubmissionState
    submitted_at: float
    answers: dict[str, str]  # "code" among them, where the worker gave one
    approved_by_itself_at: float | None = None  # the deadline of a decision


class PaidBonus(msgspec.Struct, frozen=True):
    """A bonus in the platform's books. `reason` is what was sent with it, "" where that is lost."""

    posting: str
    submission: str
    worker: str
    amount: Decimal
    reason: str
    at: float


class RecruiterError(Exception):
    """The platform refused a call for good; the text is its reason, in one line."""


class TryAgainError(RecruiterError):
    """No answer, throttled, or not yet possible: the call may or may not have been carried out.

    It must not be made again for `after` seconds: the platform would not know it again before.
    """

    def __init__(self, text: str, after: float = 0.0) -> None:
        super().__init__(text)
        self.after = after


class AlreadyDoneError(RecruiterError):
    """The token has been used: the call was carried out before. `id` is what it made, if told."""

    def __init__(self, text: str, id: str | None = None) -> None:
        super().__init__(text)
        self.id = id


class NotThereError(RecruiterError):
    """The posting or submission that a call is about does not exist (perhaps not yet)."""


class NoMoneyError(RecruiterError):
    """The account's balance does not cover the call."""


class Recruiter(Protocol):
    """A platform. All methods raise `RecruiterError` or a kind of it.

    Wrong or missing credentials, a wrong region and a platform that has closed raise `DataError`:
    no call can be carried out until somebody mends that.
    """

    name: str
    # For how long a platform that keeps no tokens may not show a bonus that was asked for: a call
    # of which nobody knows whether it was made is not made again before. 0.0 where tokens are kept.
    settling_seconds: float

    def publish(self, order: Order) -> str:
        """Publish a posting and return its id; the same token never publishes twice."""

    def postings(self) -> Iterator[Posting]:
        """All postings of this account, to the last page."""

    def extend(self, posting: str, *, assignments: int, seconds: int, token: str) -> None:
        """Add assignments, and keep a posting open for `seconds` from now; 0 leaves it as it is."""

    def expire(self, posting: str) -> None:
        """Let nobody accept a posting any more; who has accepted may finish."""

    def submissions(self, posting: str) -> Iterator[Submission]:
        """All submissions of a posting, to the last page."""

    def approve(self, submission: str, *, message: str = "", override: bool = False) -> None:
        """Approve, which pays the reward; `override` turns a rejection back. Repeating is safe."""

    def reject(self, submission: str, *, reason: str) -> None:
        """Reject, with a reason that the worker can act on. Repeating is safe."""

    def bonus(
        self, *, worker: str, submission: str, amount: Decimal, reason: str, token: str
    ) -> None:
        """Pay a worker something beside the reward; the same token never pays twice."""

    def bonuses(self, posting: str) -> Iterator[PaidBonus]:
        """All bonuses paid under a posting, to the last page."""

    def qualify(self, qualification: str, worker: str, value: int | None) -> None:
        """Give a worker a private qualification of the campaign; None takes it away."""

    def notify(self, workers: Sequence[str], *, subject: str, text: str) -> tuple[str, ...]:
        """Write to workers; return those who cannot be written to."""

    def balance(self) -> Decimal | None:
        """What the account holds; None where the platform does not say."""
