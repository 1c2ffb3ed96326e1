"""Who meets a HIT's qualification requirements: pure rules over what a worker has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

LOCALE = "00000000000000000071"
PERCENT_APPROVED = "000000000000000000L0"
NUMBER_APPROVED = "00000000000000000040"
ADULT = "00000000000000000060"
MASTERS = ("2F1QJWKUDD8XADTFD2Q0G6UTO95ALH", "2ARFPLSP75KLA8M8DH1HTEQVJT3SY6")  # live, sandbox
SYSTEM_TYPES = {
    LOCALE: "Worker_Locale",
    PERCENT_APPROVED: "Worker_PercentAssignmentsApproved",
    NUMBER_APPROVED: "Worker_NumberHITsApproved",
    ADULT: "Worker_Adult",
    **dict.fromkeys(MASTERS, "Masters"),
}
MAX_REQUIREMENTS = 10
MAX_INTEGERS = 15
MAX_LOCALES = 30

Action = Literal["Discover", "Preview", "Accept"]
# What each value of ActionsGuarded keeps a worker from.
GUARDED: dict[str, tuple[Action, ...]] = {
    "Accept": ("Accept",),
    "PreviewAndAccept": ("Preview", "Accept"),
    "DiscoverPreviewAndAccept": ("Discover", "Preview", "Accept"),
}
_INTEGERS: dict[str, Callable[[int, Sequence[int]], bool]] = {
    "LessThan": lambda value, given: value < given[0],
    "LessThanOrEqualTo": lambda value, given: value <= given[0],
    "GreaterThan": lambda value, given: value > given[0],
    "GreaterThanOrEqualTo": lambda value, given: value >= given[0],
    "EqualTo": lambda value, given: value == given[0],
    "NotEqualTo": lambda value, given: value != given[0],
    "In": lambda value, given: value in given,
    "NotIn": lambda value, given: value not in given,
}
Locale = Mapping[str, str]
# Qualification type to value: a number, a locale, or None for a qualification without a value.
Held = Mapping[str, "int | Locale | None"]


def problem(requirement: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a requirement beyond its shape, or None."""
    comparator = requirement["Comparator"]
    integers = requirement.get("IntegerValues") or []
    locales = requirement.get("LocaleValues") or []
    is_locale = requirement["QualificationTypeId"] == LOCALE
    if comparator in ("Exists", "DoesNotExist"):
        return "Exists and DoesNotExist take no values" if integers or locales else None
    if is_locale and comparator not in ("EqualTo", "NotEqualTo", "In", "NotIn"):
        return f"a locale cannot be compared by {comparator}"
    if (integers and is_locale) or (locales and not is_locale):
        return "LocaleValues go with Worker_Locale, IntegerValues with all others"
    values, most = (locales, MAX_LOCALES) if is_locale else (integers, MAX_INTEGERS)
    if comparator not in ("In", "NotIn"):
        most = 1
    if not 1 <= len(values) <= most:
        return (
            f"{comparator} takes 1 to {most} values" if most > 1 else f"{comparator} takes 1 value"
        )
    return None


def meets(requirement: Mapping[str, Any], held: Held) -> bool:
    """Return whether what a worker has meets a requirement."""
    type_id, comparator = requirement["QualificationTypeId"], requirement["Comparator"]
    if comparator == "DoesNotExist":
        return type_id not in held
    if type_id not in held or comparator == "Exists":
        return type_id in held
    value = held[type_id]
    if type_id == LOCALE and isinstance(value, Mapping):
        wanted = requirement["LocaleValues"]
        is_one_of = any(_is_in(value, locale) for locale in wanted)
        return is_one_of == (comparator in ("EqualTo", "In"))
    if not isinstance(value, int):
        return False
    return _INTEGERS[comparator](value, requirement["IntegerValues"])


def allowed(requirements: Sequence[Mapping[str, Any]], held: Held, action: Action) -> bool:
    """Return whether a worker may find, preview or accept a HIT."""
    return all(meets(each, held) for each in requirements if action in _guards(each))


def _guards(requirement: Mapping[str, Any]) -> tuple[Action, ...]:
    default = "PreviewAndAccept" if requirement.get("RequiredToPreview") else "Accept"
    return GUARDED[requirement.get("ActionsGuarded") or default]


def _is_in(value: Locale, wanted: Locale) -> bool:
    """Return whether a worker's place lies in the country (and its part) that is wanted."""
    part = wanted.get("Subdivision")
    return value["Country"] == wanted["Country"] and (
        part is None or part == value.get("Subdivision")
    )
