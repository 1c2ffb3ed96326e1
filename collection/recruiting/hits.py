"""What workers see on a platform, rendered from hit_templates/: questions, pages, tests.

A template gets its variables by name; one that is missing is an error and never an empty place.
Text is escaped for HTML and XML wherever it is put in.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import jinja2
import msgspec

from collection.campaign import Campaign
from collection.recruiting.submitting import MTURK_ORIGINS
from photochat.dialogue import Dialogue
from photochat.errors import DataError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parents[2] / "hit_templates"
Kind = Literal["external", "html", "test", "part"]
# XML 1.0 has no way to write these, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Hit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template's entry in hit_templates/hits.toml: what it is, and what the platform shows of it.

    `minutes` is the longest time for an assignment, `frame_height` is in pixels, 0 lets it fit.
    """

    kind: Kind
    title: str
    description: str
    keywords: str = ""
    minutes: int = 60
    frame_height: int = 0


class Templates:
    """The templates that come with the package; files of `own`, a folder, go before them."""

    def __init__(self, own: Path | None = None) -> None:
        if own is not None and not own.is_dir():
            raise DataError("no such folder", file=own)
        self._own = own
        self._environment = jinja2.Environment(
            loader=jinja2.FunctionLoader(self._find),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        try:
            tables = tomllib.loads(self.text("hits.toml"))
            self.hits: dict[str, Hit] = msgspec.convert(tables, dict[str, Hit])
        except (ValueError, RecursionError, msgspec.ValidationError) as error:
            raise DataError(str(error), file="hits.toml") from error

    def hit(self, name: str) -> Hit:
        """Return a template's entry.

        Raises:
            DataError: there is none of this name.
        """
        if name not in self.hits:
            raise DataError(f"no such template: there are {', '.join(self.hits)}", field=name)
        return self.hits[name]

    def page(
        self, name: str, values: Mapping[str, Any], submit_to: Sequence[str] = MTURK_ORIGINS
    ) -> str:
        """Return the HTML page of a template of kind "html" or "part".

        `submit_to` are the origins that the page may be handed in to; the first is taken where the
        platform names none.
        """
        title = self.hits[name].title if name in self.hits else name.capitalize()
        return self._render(f"{name}.html.j2", title=title, submit_to=list(submit_to), **values)

    def bar(self, name: str, **values: Any) -> str:
        """Return the page that frames a template's page as a platform does."""
        return self._render("bar.html.j2", name=name, hit=self.hit(name), **values)

    def question(
        self, name: str, values: Mapping[str, Any], submit_to: Sequence[str] = MTURK_ORIGINS
    ) -> str:
        """Return the XML that a platform takes as a HIT's question or as a test.

        Raises:
            DataError: a variable of the template is missing, or it is a part.
        """
        hit = self.hit(name)
        if hit.kind == "external":
            return external_question(str(values["url"]), hit.frame_height, templates=self)
        if hit.kind == "html":
            html = self.page(name, values, submit_to)
            return html_question(html, hit.frame_height, templates=self)
        if hit.kind == "test":
            return self._render(f"{name}.xml.j2", title=hit.title, **values)
        raise DataError("is a part of other pages and no question of its own", field=name)

    def answer_key(self, name: str, values: Mapping[str, Any]) -> str:
        """Return the AnswerKey of a qualification test."""
        return self._render(f"{name}_answers.xml.j2", **values)

    def text(self, file: str) -> str:
        """Return a file of hit_templates/ as it stands."""
        if self._own is not None and (self._own / file).is_file():
            return (self._own / file).read_text(encoding="utf-8")
        return (FOLDER / file).read_text(encoding="utf-8")

    def example(self, name: str, campaign: Campaign) -> dict[str, Any]:
        """Return values to look at a template with: made up ones, and the campaign's own words."""
        try:
            made_up = json.loads(self.text(f"examples/{name}.json"))
        except FileNotFoundError:
            made_up = {}
        url = campaign.recruiting.url.rstrip("/")
        own = {"url": f"{url}/join/{campaign.name}"} if url and name == "chat" else {}
        return {**campaign_values(campaign), **made_up, **own}

    def _find(self, file: str) -> str | None:
        try:
            return self.text(file)
        except FileNotFoundError:
            return None

    def _render(self, file: str, **values: Any) -> str:
        try:
            text = self._environment.get_template(file).render(**values)
        except jinja2.TemplateNotFound as error:
            raise DataError("no such template", file=f"hit_templates/{error.name}") from error
        except jinja2.TemplateError as error:
            raise DataError(str(error), file=f"hit_templates/{file}") from error
        return _NOT_XML.sub("\ufffd", text)


def templates_of(campaign: Campaign, own: Path | None = None) -> Templates:
    """Return the templates as a campaign posts them: its folder's files go before ours, or `own`,
    and its section [recruiting] before hits.toml's entry of the chat.

    Raises:
        DataError: no such folder, or its hits.toml is wrong.
    """
    terms = campaign.recruiting
    templates = Templates(own or (Path(terms.templates) if terms.templates else None))
    if chat := templates.hits.get("chat"):
        templates.hits["chat"] = msgspec.structs.replace(
            chat,
            title=terms.title or chat.title,
            description=terms.description or chat.description,
            keywords=terms.keywords or chat.keywords,
            minutes=terms.assignment_minutes,
            frame_height=terms.frame_height,
        )
    return templates


def external_question(url: str, frame_height: int, *, templates: Templates | None = None) -> str:
    """Return the ExternalQuestion that frames a page of ours; 0 pixels lets the platform fit it."""
    known = templates or Templates()
    return known._render("external_question.xml.j2", url=url, frame_height=frame_height)


def html_question(html: str, frame_height: int, *, templates: Templates | None = None) -> str:
    """Return the HTMLQuestion that holds a whole page."""
    known = templates or Templates()
    return known._render("html_question.xml.j2", html=html, frame_height=frame_height)


def dialogue_values(dialogue: Dialogue) -> dict[str, Any]:
    """Return what the verification task says of a dialogue; the first speaker is A."""
    names: dict[int, str] = {}
    for turn in dialogue.turns:
        names.setdefault(turn.user_id, "AB"[min(len(names), 1)])
    return {
        "dialogue_id": dialogue.dialogue_id,
        "photo_url": dialogue.photo_url,
        "photo_description": dialogue.photo_description,
        "turns": [
            {"speaker": names[turn.user_id], "text": turn.message, "share": turn.share_photo}
            for turn in dialogue.turns
        ],
    }


def campaign_values(campaign: Campaign) -> dict[str, Any]:
    """Return what all templates may use of a campaign: its words, and its check as a test."""
    texts = campaign.texts
    number = str(campaign.rules.min_turns_before_share)
    return {
        "requester": texts.requester,
        "contact": texts.contact,
        "rules": texts.instructions.replace("{min_turns_before_share}", number),
        "questions": campaign.check,
    }
