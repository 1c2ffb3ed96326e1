"""The pages as they are rendered: every reason has its words, and nothing stands inline."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
import pytest

import collection
from collection.campaign import Texts
from collection.participation import ENDINGS, NO_TASK

FOLDER = Path(collection.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))


def render(name: str, **values: object) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "templates"), autoescape=True
    )
    environment.globals["url_for"] = lambda _, filename: f"/static/{filename}"
    return environment.get_template(name).render(texts=Texts(), **values)


def test_every_reason_for_no_task_has_a_heading_and_a_sentence_of_its_own():
    pages = {code: render("no_task.html", code=code, message=NO_TASK[code]) for code in NO_TASK}
    headings = {re.search(r"<h1>(.+?)</h1>", page)[1] for page in pages.values()}
    assert len(headings) == len(set(NO_TASK.values())) == len(NO_TASK)
    assert "Nothing to do right now" not in headings
    for code, page in pages.items():
        assert f'<meta name="reason" content="{code}">' in page


@pytest.mark.parametrize("outcome", sorted({outcome for outcome, _ in ENDINGS.values()}))
def test_every_outcome_has_a_heading(outcome: str):
    done = {"outcome": outcome, "message": "The sentence.", "code": "ABCD2345"}
    page = render("chat.html", token="t", done=done, survey=())
    heading = re.search(r'id="done-title">(.*?)</h1>', page)
    assert heading
    assert heading[1]
    assert "ABCD2345" in page


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.name)
def test_a_template_has_no_inline_script_or_style(template: Path):
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|\|\s*safe", text)


@pytest.mark.parametrize("script", ["chat.js", "admin.js", "review.js"])
def test_a_script_writes_text_and_never_html(script: str):
    text = (FOLDER / "static" / script).read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text)


def test_what_a_requester_writes_is_escaped():
    page = render("no_task.html", code="paused", message="<b>x</b>")
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
