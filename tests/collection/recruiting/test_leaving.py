"""Arriving from a platform and leaving for it: names, allow-list, ways out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection.campaign import parse_campaign
from collection.money.pay import PAID_KINDS
from collection.recruiting.arriving import read_link
from collection.recruiting.leaving import (
    PROLIFIC_COMPLETION,
    RETURN_HIT,
    RETURN_STUDY,
    Exits,
    exits_of,
    way_out,
)
from collection.recruiting.submitting import MTURK_ORIGINS, submit_address, submit_origins

ORIGINS = submit_origins(["127.0.0.1:9000", "turk.example.org", "localhost", "[::1]:80"])
HOSTILE = [
    "https://evil.example", "http://www.mturk.com", "https://www.mturk.com.evil.example",
    "https://www.mturk.com@evil.example", "https://evil.example/https://www.mturk.com",
    "https://www.mturk.com\\@evil.example", "https://www.mturk.com#@evil.example",
    "https://www.mturk.com/../evil", "https://www.mturk.com//evil.example",
    "//www.mturk.com", "www.mturk.com", "javascript:alert(1)", "data:text/html,x",
    "https://www.mturk.com:444", "https://www.mturk.com.", " https://www.mturk.com",
    "https://www.mturk.com\n", "https://www.mturk.com\x00", "https://ｗww.mturk.com",
    "https://www.mturk.com;form-action *", "http://127.0.0.1:9001", "https://127.0.0.1:9000",
    "http://turk.example.org", "null", "",
]  # fmt: skip


def test_further_hosts_are_https_and_http_only_on_this_machine() -> None:
    """A host of the campaign file beside the two of MTurk."""
    assert (
        *MTURK_ORIGINS,
        "http://127.0.0.1:9000",
        "https://turk.example.org",
        "http://localhost",
        "http://[::1]:80",
    ) == ORIGINS


@pytest.mark.parametrize("submit_to", HOSTILE)
def test_no_other_place_gets_work(submit_to: str) -> None:
    """However like ours it looks."""
    assert submit_address(ORIGINS, submit_to) is None


@given(st.text() | st.from_regex(r"(?i)https?://(www\.mturk\.com|127\.0\.0\.1:9000).{0,20}"))
def test_what_is_answered_is_always_an_entry_of_ours(submit_to: str) -> None:
    """Nothing that came in comes out."""
    places = {f"{origin}/mturk/externalSubmit" for origin in ORIGINS}
    assert submit_address(ORIGINS, submit_to) in {None, *places}


@pytest.mark.parametrize("submit_to", ["https://www.mturk.com", "HTTPS://WWW.mturk.com/"])
def test_the_platforms_own_spelling_is_known(submit_to: str) -> None:
    """With or without the last slash, in any case."""
    assert submit_address(ORIGINS, submit_to) == "https://www.mturk.com/mturk/externalSubmit"


def test_each_platforms_names_are_read_as_ours() -> None:
    """MTurk's, Prolific's, and our own, which go first."""
    turk = read_link({"workerId": "A1", "assignmentId": "3X", "hitId": "H", "turkSubmitTo": "t"})
    assert turk == ("A1", {"assignment": "3X", "hit": "H", "submit_to": "t"}, False)
    prolific = read_link({"PROLIFIC_PID": "p", "STUDY_ID": "s", "SESSION_ID": "x"})
    assert prolific == ("p", {"assignment": "x", "study": "s"}, False)
    assert read_link({"worker": "w", "workerId": "A1"}).worker == "w"
    assert read_link({"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE"}).looks
    assert not read_link({}).looks
    assert len(read_link({"worker": "w" * 300}).worker) == 300  # refused, not cut


TURK = {"assignment": "3X", "submit_to": "https://workersandbox.mturk.com"}


def test_the_ways_out() -> None:
    """MTurk gets a form, Prolific a link by outcome, an unpaid ending an advice, a link nothing."""
    mturk = Exits(ORIGINS)
    paid = way_out(mturk, TURK, None, "CODE").hand_in
    assert paid is not None
    assert paid.action == "https://workersandbox.mturk.com/mturk/externalSubmit"
    assert (paid.method, paid.fields) == ("post", {"assignmentId": "3X", "code": "CODE"})
    assert way_out(mturk, TURK, None, None) == way_out(mturk, TURK, "complete", None)
    assert way_out(mturk, TURK, None, None).advice == RETURN_HIT
    evil = {**TURK, "submit_to": "https://evil.example"}
    assert way_out(mturk, evil, None, "CODE").hand_in is None
    prolific = Exits(codes={"complete": "DONE1", "no_partner": "a&b=c"})
    back = way_out(prolific, {"study": "s"}, "no_partner", "CODE").hand_in
    assert back is not None
    assert (back.method, back.action) == ("get", PROLIFIC_COMPLETION + "a%26b%3Dc")
    assert way_out(prolific, {}, None, None).advice == RETURN_STUDY
    assert way_out(Exits(), {"study": "s", **TURK}, "complete", "CODE").hand_in is None


def test_what_a_campaign_allows_follows_its_platform() -> None:
    """Links of a campaign elsewhere are never taken for MTurk's."""
    assert exits_of(parse_campaign({})) == Exits()
    terms = {"recruiter": "mturk", "submit_hosts": ["127.0.0.1:9000"], "assignment_minutes": 120}
    mturk = exits_of(parse_campaign({"recruiting": terms}))
    assert mturk.origins == (*MTURK_ORIGINS, "http://127.0.0.1:9000")
    assert "https://worker.mturk.com" in mturk.frames
    assert "http://127.0.0.1:9000" in mturk.frames
    codes = {kind: f"CODE{number}" for number, kind in enumerate(PAID_KINDS)}
    section = {"workspace": "w", "project": "p", "codes": codes}
    prolific = exits_of(
        parse_campaign(
            {
                "pay": {"fee_rate": "0.333"},
                "recruiting": {"recruiter": "prolific", "prolific": section},
            }
        )
    )
    assert prolific == Exits(codes=codes)
