"""Failures on demand: what goes wrong with which calls."""

from __future__ import annotations

import threading
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Kind = Literal[
    "throttle",  # ThrottlingException, not carried out
    "fail_before",  # HTTP 500, not carried out
    "fail_after",  # HTTP 500, though it was carried out
    "cut_before",  # the connection ends without an answer, not carried out
    "cut_after",  # the connection ends without an answer, though it was carried out
    "refuse",  # RequestError with this `code` and `message`, not carried out
    "delay",  # answered `seconds` later
]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to calls of `operation` ("*" is any): `skip` pass, then `count` meet it."""

    kind: Kind
    operation: str = "*"
    count: Annotated[int, Meta(ge=1)] = 1
    skip: Annotated[int, Meta(ge=0)] = 0
    code: str = "AWS.MechanicalTurk.AssignmentDoesNotExist"
    message: str = "Refused on demand."
    seconds: Annotated[float, Meta(ge=0, le=3_600)] = 0.0


class Faults:
    """The faults still to come; they are the rehearsal's, and no file keeps them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._coming: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let something go wrong."""
        with self._lock:
            self._coming.append(fault)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._coming.clear()

    def coming(self) -> list[Fault]:
        """Return what is still to come."""
        with self._lock:
            return list(self._coming)

    def take(self, operation: str) -> Fault | None:
        """Return what goes wrong with this call: the first fault that is due; count it down."""
        due = None
        with self._lock:
            left = []
            for fault in self._coming:
                if fault.operation in ("*", operation):
                    if fault.skip:
                        fault = msgspec.structs.replace(fault, skip=fault.skip - 1)
                    elif due is None:
                        due = fault
                        fault = msgspec.structs.replace(fault, count=fault.count - 1)
                if fault.count > 0:
                    left.append(fault)
            self._coming = left
        return due
