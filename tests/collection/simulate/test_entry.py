"""How bots read pages and fill in forms."""

from __future__ import annotations

from collection.campaign import Campaign, parse_campaign
from collection.simulate.entry import answers, read_page

FORM = """<form method="post"><input type="hidden" name="csrf" value="a&amp;b">
<input type="radio" name="q1" value="1"><input type="radio" name="q1" value="2">
<input type="radio" name="q2" value="1"><button>Continue</button></form>"""


def test_the_form_is_filled_in_with_the_campaigns_answers() -> None:
    """Hidden fields as they are, the right option of each question that is asked."""
    page = read_page("http://x/check", FORM)
    asked = {"question": "?", "options": ["a", "b"]}
    campaign = parse_campaign({"check": [{**asked, "answer": 2}, {**asked, "answer": 1}]})
    assert answers(page, campaign) == {"csrf": "a&b", "q1": "2", "q2": "1"}


def test_consent_is_given_where_it_is_asked_for() -> None:
    """The button's name is the field."""
    page = read_page(
        "http://x/consent",
        '<input type="hidden" name="csrf" value="c"><button name="agree" value="yes">',
    )
    assert answers(page, Campaign()) == {"csrf": "c", "agree": "yes"}


def test_token_and_reason_are_read_from_the_head() -> None:
    """One of them, or none on a form."""
    assert read_page("u", '<meta name="chat-token" content="t.o.k">').token == "t.o.k"
    assert read_page("u", '<meta name="reason" content="paused">').reason == "paused"
    assert read_page("u", FORM)[1:3] == (None, None)
