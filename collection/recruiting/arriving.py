"""What a platform's link says: who comes, for which assignment, or that somebody only looks.

Each platform has its own names for the same things; ours come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

# MTurk's: docs.aws.amazon.com/AWSMechTurk, "ExternalQuestion". Prolific's: its study's address.
NAMES = {
    "worker": ("worker", "workerId", "PROLIFIC_PID"),
    "assignment": ("assignment", "assignmentId", "SESSION_ID"),
    "hit": ("hit", "hitId"),
    "study": ("study", "STUDY_ID"),
    "session": ("session",),
    "submit_to": ("submit_to", "turkSubmitTo"),
}
NOT_ACCEPTED = "ASSIGNMENT_ID_NOT_AVAILABLE"
MAX_CHARS = 200


class Came(NamedTuple):
    """Who came. `looks` is true where a worker looks at the task before accepting it.

    `recruiter` is what the link says beside the worker, under our names, each cut to a length that
    no platform reaches.
    """

    worker: str
    recruiter: dict[str, str]
    looks: bool


def read_link(query: Mapping[str, str]) -> Came:
    """Read the parameters of a link."""
    said = {
        ours: next((query[name][:MAX_CHARS] for name in names if query.get(name)), "")
        for ours, names in NAMES.items()
    }
    # One longer than an id may be stays long, and is refused: two must not become one.
    worker = next((query[name].strip() for name in NAMES["worker"] if query.get(name)), "")
    looks = said["assignment"] == NOT_ACCEPTED
    recruiter = {name: value for name, value in said.items() if value and name != "worker"}
    return Came(worker, recruiter, looks)
