"""The form of an answer: a type as a JSON schema, and a text read back as that type."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

MAX_ANSWER_CHARS = 100_000  # beyond it nobody looks for JSON in an answer
_NAMES = ("title", "description", "default")


class WrongFormError(ValueError):
    """An answer is not of the form that was asked for; the text says what is wrong."""


def schema_of(kind: type) -> dict[str, Any]:
    """Return a type's JSON schema with nothing by reference, as endpoints' strict modes want it."""
    schema = msgspec.json.schema(kind)
    parts = schema.pop("$defs", {})

    def inlined(node: Any) -> Any:
        if isinstance(node, list):
            return [inlined(part) for part in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return inlined(parts[node["$ref"].rsplit("/", 1)[-1]])
        return {
            key: {name: inlined(part) for name, part in value.items()}
            if key == "properties"
            else inlined(value)
            for key, value in node.items()
            if key not in _NAMES
        }

    result: dict[str, Any] = inlined(schema)
    return result


def read_answer(text: str, kind: type[T]) -> T:
    """Read an answer; words and fences around one JSON object are looked past.

    Raises:
        WrongFormError: no JSON in it, or not of the form.
    """
    try:
        return msgspec.json.decode(_object_in(text), type=kind)
    except msgspec.ValidationError as error:
        raise WrongFormError(str(error)) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise WrongFormError(f"not JSON ({' '.join(str(error).split())})") from error


def _object_in(text: str) -> str:
    """Return the outermost braces of a text with what is between; a thinking part is left out."""
    text = re.sub(r"\A\s*<think>.*?</think>", "", text[:MAX_ANSWER_CHARS], flags=re.DOTALL)
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise WrongFormError("no JSON object in it")
    return text[start : end + 1]
