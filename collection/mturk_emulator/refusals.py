"""What the platform says when it does not do what was asked: types, codes and sentences.

Codes are those of Amazon's documentation and of clients' reports; where neither names one, the
docs page docs/mturk-emulator.md says so.
"""

from __future__ import annotations

PREFIX = "AWS.MechanicalTurk."


class Refused(Exception):
    """A call that was not carried out. `kind` is what boto3 shows as the error's code.

    `stamped` sentences end with the time in milliseconds, as the platform's do.
    """

    def __init__(
        self, kind: str, message: str, *, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.code = code
        self.status = status

    @property
    def stamped(self) -> bool:
        """Whether it comes from the service itself rather than from what stands before it."""
        return self.kind in ("RequestError", "ParameterValidationError", "ServiceFault")


def request_error(code: str, message: str) -> Refused:
    """Return a refusal with a TurkErrorCode; `code` comes without its prefix."""
    return Refused("RequestError", message, code=PREFIX + code)


def does_not_exist(what: str, id: str) -> Refused:
    """Return the refusal of a call about something that is not there."""
    return request_error(f"{what}DoesNotExist", f"{_NAMES.get(what, what)} {id} does not exist.")


def wrong_state(what: str, expected: str) -> Refused:
    """Return the refusal of a call that something is not in the state for."""
    return request_error(
        f"Invalid{what}State", f"This operation can be called with a status of: {expected}"
    )


def invalid_value(parameter: str, value: object, why: str = "") -> Refused:
    """Return the refusal of a parameter that the service model allows and the service does not."""
    sentence = f'The value "{value}" is not valid for the parameter {parameter}.'
    return Refused("ParameterValidationError", f"{sentence} {why}".strip())


def throttled() -> Refused:
    """Return what too many calls get."""
    return Refused("ThrottlingException", "Rate exceeded")


def service_fault() -> Refused:
    """Return the platform's own failure."""
    return Refused(
        "ServiceFault",
        "Amazon Mechanical Turk is temporarily unable to process your request. Try again.",
        code=PREFIX + "ServiceFault",
        status=500,
    )


_NAMES = {"HIT": "Hit"}  # as the platform writes it in sentences
