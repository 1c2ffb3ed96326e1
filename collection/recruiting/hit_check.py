"""Whether a platform takes what hit_templates/ makes: schemas, lengths, a form that can be sent.

The schemas are ours, after MTurk's documentation ("Data Structure Schema Locations" and the pages
of each structure); they are stricter where a mistake would only show when workers are at it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from html.parser import HTMLParser
from typing import Any

import msgspec
from lxml import etree

from collection.campaign import Campaign
from collection.recruiting.hits import Hit, Kind, Templates
from collection.recruiting.submitting import MTURK_ORIGINS, MTURK_SUBMIT_PATH
from collection.recruiting.terms import is_local

# https://docs.aws.amazon.com/AWSMechTurk/latest/AWSMturkAPI: CreateHIT, CreateQualificationType
QUESTION_BYTES = 65_535
TITLE_CHARS = 128
DESCRIPTION_CHARS = 2_000
KEYWORDS_CHARS = 1_000
QUALIFICATION_NAME_CHARS = 200
MINUTES = (1, 525_600)  # AssignmentDurationInSeconds: 30 to 31,536,000

NAMESPACE = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/"
SCHEMAS = {
    f"{{{NAMESPACE}2006-07-14/ExternalQuestion.xsd}}ExternalQuestion": "external_question",
    f"{{{NAMESPACE}2011-11-11/HTMLQuestion.xsd}}HTMLQuestion": "html_question",
    f"{{{NAMESPACE}2017-11-06/QuestionForm.xsd}}QuestionForm": "question_form",
    f"{{{NAMESPACE}2005-10-01/AnswerKey.xsd}}AnswerKey": "answer_key",
}

LOADING = ("script", "link", "iframe", "video", "audio", "source", "embed", "object")
ADDRESSES = ("src", "href", "data", "srcset", "poster")


class Checked(msgspec.Struct, frozen=True):
    """What was found in one template: the size of its question, and what is wrong."""

    name: str
    kind: Kind
    bytes: int
    problems: list[str]


def check(templates: Templates, campaign: Campaign) -> list[Checked]:
    """Check every template with its made-up values and the campaign's words.

    Raises:
        DataError: a template cannot be rendered at all.
    """
    found = []
    for name, hit in templates.hits.items():
        values = templates.example(name, campaign)
        if hit.kind == "part":
            page = templates.page(name, values)
            found.append(Checked(name, hit.kind, len(page.encode()), page_problems(page, False)))
            continue
        problems = hit_problems(hit) + rendered_problems(templates, name, values)
        size = len(templates.question(name, values).encode())
        found.append(Checked(name, hit.kind, size, problems))
    return found


def rendered_problems(templates: Templates, name: str, values: Mapping[str, Any]) -> list[str]:
    """Check a template as rendered with these values."""
    hit, question = templates.hit(name), templates.question(name, values)
    local = hit.kind == "external" and is_local(values["url"])  # a rehearsal's
    problems = question_problems(question, allow_http=local)
    if hit.kind == "html":
        problems += page_problems(templates.page(name, values), True)
    elif hit.kind == "test":
        key = templates.answer_key(name, values)
        problems += [f"answer key: {problem}" for problem in question_problems(key)]
        problems += key_problems(question, key)
    return problems


def hit_problems(hit: Hit) -> list[str]:
    """Check the lengths and bounds of what stands beside the question."""
    longest = QUALIFICATION_NAME_CHARS if hit.kind == "test" else TITLE_CHARS
    problems = [
        f"{name} has {len(text):,} characters, at most {most:,} are taken"
        for name, text, most in (
            ("title", hit.title, longest),
            ("description", hit.description, DESCRIPTION_CHARS),
            ("keywords", hit.keywords, KEYWORDS_CHARS),
        )
        if len(text) > most
    ]
    problems += [
        f"{name} is empty"
        for name, text in (("title", hit.title), ("description", hit.description))
        if not text.strip()
    ]
    if not MINUTES[0] <= hit.minutes <= MINUTES[1]:
        problems.append(f"minutes must be {MINUTES[0]} to {MINUTES[1]:,}")
    if hit.frame_height < 0:
        problems.append("frame_height must be 0 or more")
    return problems


def question_problems(xml: str, *, allow_http: bool = False) -> list[str]:
    """Check a question, test or answer key against its schema and limits.

    An ExternalQuestion's address must be HTTPS unless `allow_http`, which the emulator may allow.
    """
    problems = []
    size = len(xml.encode())
    if size > QUESTION_BYTES:
        problems.append(f"has {size:,} bytes, at most {QUESTION_BYTES:,} are taken")
    try:
        root = _parse(xml)
    except etree.XMLSyntaxError as error:
        return [*problems, f"is not XML: {error}"]
    document: Any = root.getroottree().docinfo  # the stubs know neither of these two
    if document.doctype:
        return [*problems, "has a document type, which is not taken"]
    if root.tag not in SCHEMAS:
        return [*problems, f"{root.tag} is no structure that is known here"]
    schema = _schema(SCHEMAS[root.tag])
    if not schema.validate(root):
        log: Any = schema.error_log
        problems += [f"line {error.line}: {error.message}" for error in log]
    address = root.findtext("{*}ExternalURL", "")
    if address.startswith("http:") and not allow_http:
        problems.append(f"{address} must be https: the platform frames nothing else")
    return problems


def key_problems(test: str, key: str) -> list[str]:
    """Say which answers of a key no question of the test has, and which questions have none."""
    choices = {
        question.findtext("{*}QuestionIdentifier"): {
            choice.text for choice in question.iterfind(".//{*}SelectionIdentifier")
        }
        for question in _parse(test).iterfind("{*}Question")
    }
    problems = []
    answered = set()
    for question in _parse(key).iterfind("{*}Question"):
        name = question.findtext("{*}QuestionIdentifier")
        answered.add(name)
        right = {choice.text for choice in question.iterfind(".//{*}SelectionIdentifier")}
        missing = right - choices.get(name, set())
        problems += [
            f"answer key: {name}: no choice {choice}" for choice in sorted(map(str, missing))
        ]
    problems += [f"no right answer to {name}" for name in choices if name not in answered]
    return problems


def page_problems(html: str, must_submit: bool) -> list[str]:
    """Check what can be seen without a browser: the form can be sent, everything has a name."""
    page = _Page()
    page.feed(html)
    page.close()
    problems = page.problems
    problems += [f"no {name}" for name in ("lang", "title", "h1") if name not in page.has]
    for name in page.unlabelled - page.labelled:
        problems.append(f"field {name or '(without id)'} has no label")
    if must_submit:
        if not any(page.action == origin + MTURK_SUBMIT_PATH for origin in MTURK_ORIGINS):
            problems.append(f"the form's action is {page.action}, not the platform's")
        if page.method != "post":
            problems.append("the form's method is not post")
        if "assignmentId" not in page.names:
            problems.append("the form has no field assignmentId")
        if not set(page.names) - {"assignmentId"}:
            problems.append("the form has no field beside assignmentId: it would be refused")
        if "submit" not in page.has:
            problems.append("the form has no button that submits it")
        problems += [f"two fields are named {name}" for name, n in page.names.items() if n > 1]
    return problems


def _parse(xml: str) -> etree._Element:
    # Nothing is fetched or expanded: a template of somebody else's may say what it likes.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(xml.encode(), parser)


@cache
def _schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(_parse(Templates().text(f"schemas/{name}.xsd")))


class _Page(HTMLParser):
    """Reads what `page_problems` asks about."""

    def __init__(self) -> None:
        super().__init__()
        self.has: set[str] = set()
        self.problems: list[str] = []
        self.names: Counter[str] = Counter()  # a group of radio buttons counts once
        self.labelled: set[str] = set()
        self.unlabelled: set[str] = set()
        self.action = self.method = ""
        self._in_label = 0
        self._groups: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "html" and of.get("lang"):
            self.has.add("lang")
        elif tag in ("title", "h1"):
            self.has.add(tag)
        elif tag == "label":
            self._in_label += 1
            if of.get("for"):
                self.labelled.add(of["for"])
        elif tag == "img" and not of.get("alt", "").strip():
            self.problems.append(f"the picture {of.get('src', '')[:60]} has no alt text")
        elif tag == "form":
            self.action, self.method = of.get("action", ""), of.get("method", "").lower()
        elif tag in LOADING:
            found = [of[name] for name in ADDRESSES if of.get(name)]
            self.problems += [f"loads {address}: pages bring all along" for address in found]
        elif tag == "button" and of.get("type", "submit") == "submit":
            self.has.add("submit")
        if tag in ("input", "textarea", "select"):
            self._field(of)

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self._in_label -= 1

    def _field(self, of: dict[str, str]) -> None:
        name, kind = of.get("name", ""), of.get("type", "text")
        if kind == "submit":
            self.has.add("submit")
        if name and not (kind == "radio" and name in self._groups):
            self.names[name] += 1
            if kind == "radio":
                self._groups.add(name)
        if kind not in ("hidden", "submit") and not self._in_label and "aria-label" not in of:
            self.unlabelled.add(of.get("id", ""))
