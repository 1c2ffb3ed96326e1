"""botocore's own description of the MTurk service, and the check of a value against it.

botocore itself checks types and required members before it sends, but no lengths, patterns or
enums; the platform does, and so does this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from photochat.errors import DataError

SERVICE = "mturk"
_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "list": (list,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "timestamp": (int, float),  # JSON 1.1: seconds since 1970
}
# What a whole number must stay below.
_BITS = {"integer": 2**31, "long": 2**63, "timestamp": 2**40, "boolean": 2}


@cache
def service_model() -> ServiceModel:
    """Return the model.

    Raises:
        DataError: this botocore knows no MTurk any more.
    """
    try:
        return ServiceModel(Loader().load_service_model(SERVICE, "service-2"), SERVICE)
    except UnknownServiceError as error:
        raise DataError(
            "this botocore has no service model of MTurk: install an older one, such as "
            "botocore==1.44.5"
        ) from error


def problems(shape: Shape | None, value: Any, path: str = "") -> Iterator[str]:
    """Yield what is wrong with a decoded JSON value, in the platform's words.

    The wording is the one that clients report (Dallinger#1052, boto3#1223): "Value '0.9752' at
    'bonusAmount' failed to satisfy constraint: ...".
    """
    assert shape is not None  # every operation of MTurk has both its shapes
    kind = shape.type_name
    wanted: Any = _TYPES[kind]
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind != "boolean"):
        yield _failed(value, path, f"Member must be of type {kind}")
        return
    if kind == "structure":
        yield from _problems_of_structure(shape, value, path)
    elif kind == "list":
        for number, item in enumerate(value, start=1):
            yield from problems(_member(shape), item, f"{path}.{number}.member")
    else:
        yield from _problems_of_scalar(shape, value, path)


def _problems_of_structure(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if value.get(name) is None:
            yield _failed(None, prefix + _lowered(name), "Member must not be null")
    for name, item in value.items():
        member = shape.members.get(name)
        if member is None:
            yield _failed(item, prefix + name, "Member is not known")
        elif item is not None:
            yield from problems(member, item, prefix + _lowered(name))


def _problems_of_scalar(shape: Any, value: Any, path: str) -> Iterator[str]:
    rules = shape.metadata
    if isinstance(value, int) and not -_BITS[shape.type_name] <= value < _BITS[shape.type_name]:
        yield _failed(value, path, f"Member must be of type {shape.type_name}")
        return
    size = len(value) if isinstance(value, str) else value
    what = "have length" if isinstance(value, str) else "have value"
    if "min" in rules and size < rules["min"]:
        yield _failed(value, path, f"Member must {what} greater than or equal to {rules['min']}")
    if "max" in rules and size > rules["max"]:
        yield _failed(value, path, f"Member must {what} less than or equal to {rules['max']}")
    if "pattern" in rules and not re.fullmatch(rules["pattern"], value):
        yield _failed(
            value, path, f"Member must satisfy regular expression pattern: {rules['pattern']}"
        )
    if "enum" in rules and value not in rules["enum"]:
        choice = ", ".join(rules["enum"])
        yield _failed(value, path, f"Member must satisfy enum value set: [{choice}]")


def _member(shape: Any) -> Shape:
    member: Shape = shape.member
    return member


def _failed(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _lowered(name: str) -> str:
    return name[:1].lower() + name[1:]
