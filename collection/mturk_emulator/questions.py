"""The XML that goes over the wire: questions of HITs and tests, and workers' answers."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode, urlsplit
from xml.parsers import expat
from xml.sax.saxutils import escape

SCHEMAS = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/"
ANSWERS_SCHEMA = f"{SCHEMAS}2005-10-01/QuestionFormAnswers.xsd"
MAX_BYTES = 65_535
NO_ASSIGNMENT = "ASSIGNMENT_ID_NOT_AVAILABLE"
JOIN = "|"  # between the values of form fields of one name
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class QuestionError(Exception):
    """The XML is not what the platform takes; the text says why."""


@dataclass(frozen=True)
class Field:
    """One question of a form. `choices` are (identifier, text); without any it asks for a text."""

    id: str
    title: str
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    several: bool = False


@dataclass(frozen=True)
class Question:
    """A HIT's question or a qualification's test, as the pages show it."""

    kind: Literal["external", "html", "form"]
    url: str = ""
    html: str = ""
    height: int = 0  # of the frame, in pixels; 0 fits the window
    overview: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()


def parse_question(xml: str, *, allow_http: bool = False) -> Question:
    """Read an ExternalQuestion, HTMLQuestion or QuestionForm.

    Raises:
        QuestionError: too long, not well-formed, of another kind, incomplete, or an external
            question over plain http where that is not allowed.
    """
    if len(xml.encode()) > MAX_BYTES:
        raise QuestionError(f"it has more than {MAX_BYTES:,} bytes")
    root = _root(xml)
    name = _local(root)
    if name in ("ExternalQuestion", "HTMLQuestion"):
        _need_only(root, "ExternalURL" if name == "ExternalQuestion" else "HTMLContent")
    if name == "ExternalQuestion":
        url = _needed(root, "ExternalURL").strip()
        _check_address(url, allow_http)
        return Question("external", url=url, height=_height(root))
    if name == "HTMLQuestion":
        return Question("html", html=_needed(root, "HTMLContent"), height=_height(root))
    if name == "QuestionForm":
        return _form(root)
    raise QuestionError(
        f"the root element is {name}, not ExternalQuestion, HTMLQuestion or QuestionForm"
    )


def frame_url(question: Question, *, hit: str, assignment: str, worker: str, submit_to: str) -> str:
    """Return the address that an external question's frame shows at work."""
    return _with(
        question.url,
        {"assignmentId": assignment, "hitId": hit, "workerId": worker, "turkSubmitTo": submit_to},
    )


def preview_url(question: Question, *, hit: str) -> str:
    """Return the address that the frame shows before the HIT is accepted: it names no worker."""
    return _with(question.url, {"assignmentId": NO_ASSIGNMENT, "hitId": hit})


def answers_xml(answers: Mapping[str, str | Sequence[str]], form: Question | None = None) -> str:
    """Return answers as a QuestionFormAnswers document.

    Values of one name are joined by "|". With `form`, answers to its multiple-choice questions are
    given by the identifiers of what was chosen. What is not ASCII is written as character
    references, and what XML cannot hold is left out.
    """
    choices = {field.id for field in form.fields if field.choices} if form else set()
    parts = []
    for name, value in answers.items():
        values = [value] if isinstance(value, str) else list(value)
        if name in choices:
            body = "".join(
                f"<SelectionIdentifier>{escape(chosen)}</SelectionIdentifier>" for chosen in values
            )
        else:
            body = f"<FreeText>{escape(JOIN.join(values))}</FreeText>"
        parts.append(
            f"<Answer>\n<QuestionIdentifier>{escape(name)}</QuestionIdentifier>\n{body}\n</Answer>\n"
        )
    document = (
        '<?xml version="1.0" encoding="ASCII"?>'
        f'<QuestionFormAnswers xmlns="{ANSWERS_SCHEMA}">\n{"".join(parts)}</QuestionFormAnswers>'
    )
    return _NOT_IN_XML.sub("", document).encode("ascii", "xmlcharrefreplace").decode()


def check_answer_key(xml: str) -> None:
    """Check that an answer key can score answers.

    Raises:
        QuestionError: it is not an AnswerKey, or has a mapping that cannot be computed.
    """
    if len(xml.encode()) > MAX_BYTES:
        raise QuestionError(f"it has more than {MAX_BYTES:,} bytes")
    root = _root(xml)
    if _local(root) != "AnswerKey":
        raise QuestionError(f"the root element is {_local(root)}, not AnswerKey")
    score(xml, {})


def score(xml: str, answers: Mapping[str, Sequence[str]]) -> int:
    """Return the qualification's value for the answers to its test, by its answer key.

    An option counts when exactly its selections were chosen.

    Raises:
        QuestionError: the key is incomplete.
    """
    root = _root(xml)
    try:
        total = sum(
            _points(question, set(answers.get(_needed(question, "QuestionIdentifier"), ())))
            for question in _children(root, "Question")
        )
        mapping = next(iter(_children(root, "QualificationValueMapping")), None)
        return total if mapping is None else _mapped(next(iter(mapping)), total)
    except (ValueError, StopIteration, ZeroDivisionError) as error:
        raise QuestionError("a number of the answer key is missing or wrong") from error


def _points(question: ET.Element, chosen: set[str]) -> int:
    for option in _children(question, "AnswerOption"):
        if {
            (each.text or "").strip() for each in _children(option, "SelectionIdentifier")
        } == chosen:
            return int(_needed(option, "AnswerScore"))
    default = next(iter(_children(question, "DefaultScore")), None)
    return int((default.text or "0") if default is not None else 0)


def _mapped(mapping: ET.Element, total: int) -> int:
    name = _local(mapping)
    if name == "PercentageMapping":
        return int(100 * total / int(_needed(mapping, "MaximumSummedScore")))
    if name == "ScaleMapping":
        return int(total * float(_needed(mapping, "SummedScoreMultiplier")))
    if name == "RangeMapping":
        for part in _children(mapping, "SummedScoreRange"):
            low, high = (int(_needed(part, f"Inclusive{end}Bound")) for end in ("Lower", "Upper"))
            if low <= total <= high:
                return int(_needed(part, "QualificationValue"))
        return int(_needed(mapping, "OutOfRangeQualificationValue"))
    raise QuestionError(f"there is no mapping {name}")


def _form(root: ET.Element) -> Question:
    fields = tuple(_field(element) for element in _children(root, "Question"))
    if not fields:
        raise QuestionError("the form has no Question")
    overview = tuple(
        text for element in _children(root, "Overview") for text in _sentences(element)
    )
    return Question("form", overview=overview, fields=fields)


def _field(element: ET.Element) -> Field:
    content = next(iter(_children(element, "QuestionContent")), None)
    specification = next(iter(_children(element, "AnswerSpecification")), None)
    if content is None or specification is None:
        raise QuestionError("a Question has no QuestionContent or no AnswerSpecification")
    selection = next(iter(_children(specification, "SelectionAnswer")), None)
    choices: list[tuple[str, str]] = []
    several = False
    if selection is not None:
        for each in selection.iter():
            if _local(each) == "Selection":
                words = [t for t in _sentences(each) if t != _needed(each, "SelectionIdentifier")]
                choices.append((_needed(each, "SelectionIdentifier").strip(), " ".join(words)))
        most = next(iter(_children(selection, "MaxSelectionCount")), None)
        style = next(iter(_children(selection, "StyleSuggestion")), None)
        several = (most is not None and most.text != "1") or (
            style is not None and style.text in ("checkbox", "list", "multichooser")
        )
    required = next(iter(_children(element, "IsRequired")), None)
    return Field(
        _needed(element, "QuestionIdentifier").strip(),
        " ".join(_sentences(content)),
        required is not None and (required.text or "").strip() == "true",
        tuple(choices),
        several,
    )


def _sentences(element: ET.Element) -> list[str]:
    return [" ".join(text.split()) for text in element.itertext() if text.strip()]


def _check_address(url: str, allow_http: bool) -> None:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise QuestionError(f"ExternalURL is not an address: {url}") from error
    if not parts.hostname:
        raise QuestionError(f"ExternalURL is not an address: {url}")
    if parts.scheme != "https" and not (allow_http and parts.scheme == "http"):
        raise QuestionError(
            f"ExternalURL must begin with https: {url} (for a rehearsal on this machine start the "
            "emulator with --allow-http)"
        )


def _with(url: str, values: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(values)}"


def _root(xml: str) -> ET.Element:
    try:
        _without_doctype(xml)
        root = ET.fromstring(xml)  # noqa: S314 - no document type, so no entities
    except (ET.ParseError, expat.ExpatError) as error:
        raise QuestionError(f"it is not well-formed XML ({error})") from error
    if not re.fullmatch(rf"\{{{SCHEMAS}\d{{4}}-\d\d-\d\d/{_local(root)}\.xsd\}}.*", root.tag):
        raise QuestionError(
            f"{_local(root)} is not in its namespace, {SCHEMAS}<date>/{_local(root)}.xsd"
        )
    return root


def _need_only(root: ET.Element, first: str) -> None:
    """Refuse what the schema does not have: anything but two elements, in this order."""
    names = [_local(child) for child in root]
    if names != [first, "FrameHeight"]:
        raise QuestionError(
            f"{_local(root)} holds {first} and FrameHeight, in this order, not {', '.join(names)}"
        )


def _without_doctype(xml: str) -> None:
    """Refuse a document type declaration, the only way to entities that grow without end."""

    def refuse(*_: object) -> None:
        raise QuestionError("it has a document type declaration")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(xml.encode(), True)


def _height(root: ET.Element) -> int:
    text = _needed(root, "FrameHeight").strip()
    if not text.isdigit():
        raise QuestionError(f"FrameHeight is not a number: {text}")
    return int(text)


def _needed(element: ET.Element, name: str) -> str:
    child = next(iter(_children(element, name)), None)
    if child is None or not (child.text or "").strip():
        raise QuestionError(f"{_local(element)} has no {name}")
    return child.text or ""


def _children(element: ET.Element, name: str) -> list[ET.Element]:
    return [child for child in element if _local(child) == name]


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
