"""HIT templates: every file of the folder renders, fits the platform, and carries text unharmed."""

from __future__ import annotations

import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from collection.campaign import Campaign, Question, parse_campaign
from collection.money import compensation
from collection.money.owed import Debt
from collection.money.people import Person
from collection.recruiting.hit_check import (
    QUESTION_BYTES,
    check,
    hit_problems,
    key_problems,
    page_problems,
    question_problems,
    rendered_problems,
)
from collection.recruiting.hit_preview import bar_page
from collection.recruiting.hits import (
    FOLDER,
    Hit,
    Templates,
    dialogue_values,
    external_question,
    html_question,
    templates_of,
)
from collection.recruiting.launch import order_of
from photochat.errors import DataError
from photochat.release import read_release
from tests.conftest import SAMPLE, make_dialogue

TEMPLATES = Templates()
CAMPAIGN = Campaign()
LINK = "https://chat.example.org/join/photochat?a=1&b=%22<x>"


@pytest.mark.parametrize("name", sorted(TEMPLATES.hits))
def test_every_template_fits_the_platform(name: str) -> None:
    """Cases come from hits.toml: a new template is checked on arrival."""
    [found] = [one for one in check(TEMPLATES, CAMPAIGN) if one.name == name]
    assert found.problems == []
    assert 0 < found.bytes <= QUESTION_BYTES


def test_every_template_file_belongs_to_an_entry_or_is_included() -> None:
    """Nothing lies about in the folder that no page uses."""
    files = {path.name.split(".")[0] for path in FOLDER.glob("*.j2")}
    texts = [path.read_text() for path in [*FOLDER.glob("*.j2"), *Path("collection").rglob("*.py")]]
    for name in files - set(TEMPLATES.hits) - {f"{name}_answers" for name in TEMPLATES.hits}:
        assert any(re.search(rf'"{name}(\.|")', text) for text in texts), name


def test_an_external_question_says_its_address_and_height() -> None:
    """What the platform reads is what was asked for, whatever stands in the address."""
    root = etree.fromstring(external_question(LINK, 0).encode())
    assert root.findtext("{*}ExternalURL") == LINK
    assert root.findtext("{*}FrameHeight") == "0"


@settings(max_examples=60)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_carried_unharmed_through_html_and_xml(message: str, contact: str) -> None:
    """Escaped for HTML inside of XML: it stays text, and ends neither CDATA nor tags."""
    from html.parser import HTMLParser

    values = TEMPLATES.example("verification", CAMPAIGN)
    values |= {
        "turns": [{"speaker": "A", "text": message, "share": False}],
        "contact": contact,
        "dialogue_id": message,
    }
    question = TEMPLATES.question("verification", values)
    assert [p for p in question_problems(question) if "bytes" not in p] == []
    html = etree.fromstring(question.encode()).findtext("{*}HTMLContent")
    texts: list[str] = []
    tags: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            texts.append(data)

        def handle_starttag(self, tag: str, attrs: object) -> None:
            tags.append(tag)

    reader = Reader()
    assert html is not None
    reader.feed(html)
    unwritable = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
    shown = unwritable.sub("\ufffd", message).replace("\r\n", "\n").replace("\r", "\n")
    assert shown in "".join(texts).replace("\r\n", "\n")
    assert tags.count("script") == 1


def test_a_page_may_contain_the_end_of_a_cdata_section() -> None:
    """It comes out as it went in."""
    page = "<p>a ]]> b ]]]]> c</p>"
    root = etree.fromstring(html_question(page, 0).encode())
    assert (root.findtext("{*}HTMLContent") or "").strip() == page


def test_a_missing_value_is_an_error_that_names_it() -> None:
    """Nothing is published with an empty place."""
    values = TEMPLATES.example("compensation", CAMPAIGN)
    del values["amount"]
    with pytest.raises(DataError, match=r"compensation.html.j2: 'amount' is undefined"):
        TEMPLATES.question("compensation", values)


def test_the_tests_key_scores_the_campaigns_own_questions() -> None:
    """The right options of [[check]] score, by the identifiers that the form has."""
    questions = (
        Question("Is <b> a tag?", ("yes & no", "yes"), 2),
        Question("Who?", ("you", "me", "both"), 3),
    )
    campaign = Campaign(check=questions)
    values = TEMPLATES.example("qualification", campaign)
    assert rendered_problems(TEMPLATES, "qualification", values) == []
    key = etree.fromstring(TEMPLATES.answer_key("qualification", values).encode())
    right = [answer.text for answer in key.iterfind(".//{*}SelectionIdentifier")]
    assert right == ["q1-2", "q2-3"]
    assert key.findtext(".//{*}MaximumSummedScore") == "2"


@pytest.mark.parametrize(
    ("url", "problems"), [("https://chat.example.org/", 0), ("http://127.0.0.1:8000", 0)]
)
def test_the_campaigns_own_address_is_checked(url: str, problems: int) -> None:
    """What will be framed is what is looked at."""
    campaign = parse_campaign({"name": "c1", "recruiting": {"url": url}})
    values = TEMPLATES.example("chat", campaign)
    assert values["url"] == f"{url.rstrip('/')}/join/c1"
    assert len(rendered_problems(TEMPLATES, "chat", values)) == problems
    elsewhere = {**values, "url": "http://chat.example.org/join/c1"}
    assert len(rendered_problems(TEMPLATES, "chat", elsewhere)) == 1


def test_a_compensation_can_be_handed_in_at_the_emulator_too() -> None:
    """The page knows the campaign's own places, after the platform's."""
    campaign = parse_campaign({"recruiting": {"submit_hosts": ["127.0.0.1:9000"]}})
    person = Person(1, "A1", "3X", "complete", "submitted", "CODE2345", 0.0, 1.0)
    question = compensation.html_question(campaign, Debt(person, Decimal("1.25")), "For <you>.")
    assert question_problems(question) == []
    html = etree.fromstring(question.encode()).findtext("{*}HTMLContent") or ""
    assert '"http://127.0.0.1:9000"]' in html
    assert "We owe you 1.25 USD" in html
    assert "For &lt;you&gt;." in html
    assert 'value="CODE2345"' in html


def test_own_files_go_before_ours(tmp_path: Path) -> None:
    """A requester changes one file, and the rest stays."""
    (tmp_path / "consent_text.html.j2").write_text("<p>Ask {{ contact }}.</p>")
    own = Templates(tmp_path)
    values = own.example("verification", CAMPAIGN)
    page = own.page("verification", values)
    assert f"<p>Ask {CAMPAIGN.texts.contact}.</p>" in page
    assert "Two people were asked" in page
    (tmp_path / "consent_text.html.j2").write_text("{% if %}")
    with pytest.raises(DataError, match=r"consent_text.html.j2|verification.html.j2"):
        Templates(tmp_path).page("verification", values)


def test_what_a_campaign_posts_is_its_own(tmp_path: Path) -> None:
    """Its folder's words reach workers, and a preview has the terms that are posted."""
    text = TEMPLATES.text("compensation.html.j2")
    (tmp_path / "compensation.html.j2").write_text(text.replace("</h1>", " from us</h1>", 1))
    (tmp_path / "hits.toml").write_text(
        TEMPLATES.text("hits.toml").replace("Chat in writing", "Talk", 1)
    )
    campaign = parse_campaign({"recruiting": {"templates": str(tmp_path)}})
    person = Person(1, "A1", "3X", "complete", "submitted", "CODE2345", 0.0, 1.0)
    question = compensation.html_question(campaign, Debt(person, Decimal("1.25")), "For waiting.")
    assert "from us</h1>" in question
    order = order_of(campaign, "mturk", 1)
    assert order.title.startswith("Talk with another person")
    bar = bar_page(templates_of(campaign), "chat", campaign)
    assert order.assignment_seconds == 7200
    assert "<dd>120 min</dd>" in bar
    with pytest.raises(DataError, match="no such folder"):
        order_of(parse_campaign({"recruiting": {"templates": "none"}}), "mturk", 1)


def verification(dialogue) -> str:
    values = TEMPLATES.example("verification", CAMPAIGN) | dialogue_values(dialogue)
    return TEMPLATES.question("verification", values)


def test_a_dialogue_becomes_a_verification_task() -> None:
    """Speakers by who spoke first, the share marked where it was."""
    values = dialogue_values(make_dialogue("1:hi 0:a_<cake> 1:*", dialogue_id=7))
    assert [(t["speaker"], t["share"]) for t in values["turns"]] == [
        ("A", False),
        ("B", False),
        ("A", True),
    ]
    html = verification(make_dialogue("1:hi 0:a_<cake> 1:*", dialogue_id=7))
    assert "a &lt;cake&gt;" in html
    assert 'value="7"' in html


def test_the_samples_dialogues_fit() -> None:
    """All of them."""
    for dialogue in read_release(SAMPLE).dialogues:
        assert question_problems(verification(dialogue)) == []


def test_the_published_dialogues_fit(real_photochat: Path) -> None:
    """The longest of the dev split, and every tenth."""
    [folder] = [path for path in real_photochat.glob("dev") if path.is_dir()]
    dialogues = list(read_release(folder).dialogues)
    longest = max(dialogues, key=lambda dialogue: sum(len(t.message) for t in dialogue.turns))
    for dialogue in [longest, *dialogues[::10]]:
        assert question_problems(verification(dialogue)) == []


# --- what is refused -------------------------------------------------------------------------


EXTERNAL = external_question("https://chat.example.org/", 600)
FORM = TEMPLATES.question("qualification", TEMPLATES.example("qualification", CAMPAIGN))
KEY = TEMPLATES.answer_key("qualification", TEMPLATES.example("qualification", CAMPAIGN))
DOCTYPE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("xml", "problem"),
    [
        (EXTERNAL.replace("https://", "http://"), "must be https"),
        (EXTERNAL.replace("https://", "javascript:"), "pattern"),
        (EXTERNAL.replace("600", "-1"), "nonNegativeInteger"),
        (EXTERNAL.replace("2006-07-14", "2007-07-14"), "no structure that is known"),
        (re.sub("(<ExternalURL.*URL>)(\\s*)(<Fr.*ht>)", r"\3\2\1", EXTERNAL), "not expected"),
        (EXTERNAL.replace("</ExternalQuestion>", ""), "is not XML"),
        (EXTERNAL.replace("<FrameHeight>600</FrameHeight>", ""), "Missing child"),
        (DOCTYPE + EXTERNAL.partition("?>")[2], "document type"),
        (html_question("x" * QUESTION_BYTES, 0), "at most 65,535"),
        (html_question("é" * 40_000, 0), "at most 65,535"),
        (html_question("  ", 0), "pattern"),
        (FORM.replace("radiobutton", "slider"), "enumeration"),
        (FORM.replace("<IsRequired>true</IsRequired>", "<FileUpload/>"), "not expected"),
        (FORM.replace("q2</Q", "q1</Q"), "Duplicate"),
        (FORM.replace("q1-2", "q1-1"), "Duplicate"),
        (KEY.replace("<AnswerScore>1", "<AnswerScore>one"), "integer"),
        (KEY.replace("PercentageMapping", "BestMapping"), "not expected"),
    ],
)
def test_what_the_platform_would_refuse_is_named(xml: str, problem: str) -> None:
    """One thing is wrong with each."""
    assert any(problem in found for found in question_problems(xml)), question_problems(xml)


def test_an_http_address_is_taken_where_the_emulator_allows_it() -> None:
    """Only that: everything else is checked as before."""
    assert question_problems(EXTERNAL.replace("https:", "http:"), allow_http=True) == []


def test_a_key_for_another_test_is_refused() -> None:
    """A choice that no question has, and a question without an answer."""
    assert key_problems(FORM, KEY) == []
    assert key_problems(FORM, KEY.replace("q1-1", "q1-9")) == ["answer key: q1: no choice q1-9"]
    assert key_problems(FORM, KEY.replace(">q3<", ">q4<")) != []


def test_lengths_are_the_platforms() -> None:
    """128 characters of a title are taken and 129 are not."""
    fine = Hit("html", "t" * 128, "d" * 2000, "k" * 1000)
    assert hit_problems(fine) == []
    long = Hit("html", "t" * 129, "d" * 2001, "k" * 1001, minutes=0, frame_height=-1)
    assert len(hit_problems(long)) == 5
    assert hit_problems(Hit("test", "t" * 200, "d")) == []
    assert hit_problems(Hit("html", " ", "d")) == ["title is empty"]


PAGE = TEMPLATES.page("compensation", TEMPLATES.example("compensation", CAMPAIGN))


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (PAGE.replace('name="assignmentId"', 'name="assignment"'), "no field assignmentId"),
        (PAGE.replace("www.mturk.com/mturk", "www.mturk.example/mturk"), "not the platform's"),
        (PAGE.replace('method="post"', ""), "not post"),
        (re.sub("<button.*?</button>", "", PAGE), "no button"),
        (PAGE.replace('name="code"', ""), "no field beside"),
        (PAGE.replace('lang="en"', ""), "no lang"),
        (PAGE.replace("</form>", '<input id="x" name="x"></form>'), "field x has no label"),
        (
            PAGE.replace("</form>", '<label>A <input name="a"></label><input name="b"></form>'),
            "field (without id) has no label",
        ),
        (PAGE.replace("</form>", '<img src="x.png"></form>'), "no alt"),
        (PAGE.replace("<script>", '<script src="https://x.example/y.js">'), "bring all along"),
        (PAGE.replace("</form>", '<video src="https://x.example/y"></video></form>'), "bring all"),
        (PAGE.replace("</form>", '<object data="https://x.example/y"></object></form>'), "loads"),
        (PAGE.replace("</form>", '<input type="hidden" name="code"></form>'), "two fields"),
    ],
)
def test_a_page_that_cannot_be_handed_in_or_used_is_named(page: str, problem: str) -> None:
    """One thing is wrong with each."""
    assert page_problems(PAGE, True) == []
    assert any(problem in found for found in page_problems(page, True))


def test_the_folder_is_complete_without_the_package(tmp_path: Path) -> None:
    """A copy of it renders everything by itself: it can be given away and changed."""
    shutil.copytree(FOLDER, tmp_path / "copy")
    copy = Templates(tmp_path / "copy")
    assert [one.problems for one in check(copy, CAMPAIGN)] == [[]] * len(copy.hits)
