"""Which platform a campaign reaches, and what keeps it from the real one by accident."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collection.campaign import Campaign, parse_campaign
from collection.recruiting import safety
from collection.recruiting.link import Link
from collection.recruiting.mturk import PRODUCTION, SANDBOX, Mturk
from collection.recruiting.opening import address_of, open_recruiter, stage_of
from collection.recruiting.prolific import Prolific
from collection.recruiting.prolific_wire import API
from photochat.cli.typed import free_port
from photochat.errors import DataError

CODES = {"complete": "C111", "partner_left": "C222", "no_partner": "C333", "unfinished": "C444"}
PROLIFIC = {"workspace": "w", "project": "p", "codes": CODES}
LOCAL = "http://127.0.0.1:8010"


def campaign(recruiter: str = "mturk", **recruiting: Any) -> Campaign:
    pay = {"reward": "1.00", "budget": "100.00"}
    if recruiter == "prolific":
        recruiting.setdefault("prolific", PROLIFIC)
        pay["fee_rate"] = "0.333"
    return parse_campaign(
        {
            "name": "photos",
            "pay": pay,
            "recruiting": {
                "recruiter": recruiter,
                "url": "https://chat.example.org",
                **recruiting,
            },
        }
    )


@pytest.mark.parametrize(
    ("recruiter", "options", "environment", "address", "stage"),
    [
        ("mturk", {}, {}, SANDBOX, "sandbox"),
        ("mturk", {"production": True}, {}, PRODUCTION, "production"),
        ("mturk", {"endpoint": LOCAL}, {}, LOCAL, "rehearsal"),
        ("mturk", {}, {"PHOTOCHAT_MTURK_ENDPOINT": LOCAL + "/"}, LOCAL, "rehearsal"),
        ("mturk", {"endpoint": LOCAL}, {"PHOTOCHAT_MTURK_ENDPOINT": "http://x"}, LOCAL,
         "rehearsal"),
        ("mturk", {"endpoint": "https://turk.example.org"}, {}, "https://turk.example.org",
         "production"),
        ("mturk", {}, {"AWS_ENDPOINT_URL": PRODUCTION}, SANDBOX, "sandbox"),
        ("prolific", {"production": True}, {}, API, "production"),
        ("prolific", {}, {"PHOTOCHAT_PROLIFIC_ENDPOINT": LOCAL}, LOCAL, "rehearsal"),
        ("link", {}, {"PHOTOCHAT_MTURK_ENDPOINT": LOCAL}, "", "volunteers"),
        ("simulated", {}, {}, "", "rehearsal"),
    ],
)  # fmt: skip
def test_the_address_follows_from_what_was_asked(recruiter, options, environment, address, stage):
    """The sandbox by default; the real platform by one option alone."""
    one = campaign(recruiter)
    assert address_of(one, environment, **options) == address
    assert stage_of(one, address) == stage


@pytest.mark.parametrize(
    ("recruiter", "options", "environment", "problem"),
    [
        ("mturk", {"production": True, "endpoint": LOCAL}, {}, "leave out one"),
        ("mturk", {"production": True}, {"PHOTOCHAT_MTURK_ENDPOINT": LOCAL}, "leave out one"),
        ("mturk", {"endpoint": PRODUCTION}, {}, "add --production instead"),
        ("mturk", {}, {"PHOTOCHAT_MTURK_ENDPOINT": PRODUCTION}, "add --production instead"),
        ("mturk", {"endpoint": "http://turk.example.org"}, {}, "is HTTP"),
        ("mturk", {"endpoint": "turk.example.org"}, {}, "must be an address"),
        ("mturk", {"endpoint": "https://mturk-requester.eu-west-1.amazonaws.com"}, {},
         "us-east-1 only"),
        ("prolific", {}, {}, "add --production"),
        ("prolific", {"endpoint": "https://api.prolific.com"}, {}, "add --production instead"),
        ("link", {"production": True}, {}, "--production is for mturk and prolific"),
        ("simulated", {"endpoint": LOCAL}, {}, "--endpoint is for mturk and prolific"),
    ],
)  # fmt: skip
def test_contradictions_are_told(recruiter, options, environment, problem):
    """Before anything is sent anywhere."""
    with pytest.raises(DataError, match=problem):
        address_of(campaign(recruiter), environment, **options)


def test_the_file_names_the_recruiter(sqlite):
    """On this machine no AWS account is needed; Prolific wants its token."""
    local = {"endpoint": LOCAL}
    assert isinstance(open_recruiter(campaign(), sqlite, {}, **local), Mturk)
    assert isinstance(open_recruiter(campaign("link"), sqlite, {}), Link)
    with pytest.raises(DataError, match="API token page") as caught:
        open_recruiter(campaign("prolific"), sqlite, {}, **local)
    assert caught.value.field == "PHOTOCHAT_PROLIFIC_TOKEN"
    token = {"PHOTOCHAT_PROLIFIC_TOKEN": "t"}
    assert isinstance(open_recruiter(campaign("prolific"), sqlite, token, **local), Prolific)


def test_prolifics_fee_is_not_guessed():
    """It differs by contract; MTurk's may be less."""
    with pytest.raises(DataError, match="your contract") as caught:
        parse_campaign({"recruiting": {"recruiter": "prolific", "prolific": PROLIFIC}})
    assert caught.value.field == "pay.fee_rate"


@pytest.mark.parametrize(
    ("recruiting", "key", "problem"),
    [
        ({"url": "http://chat.example.org"}, "url", "must be https"),
        ({"url": "chat.example.org"}, "url", "must be the chat server's address"),
        ({"url": "https://a@chat.example.org/?x"}, "url", "neither"),
        ({"assignments_per_posting": 10}, "assignments_per_posting", "40% instead of 20%"),
        ({"assignment_minutes": 30}, "assignment_minutes", "must be at least 85"),
        ({"recruiter": "prolific", "prolific": {**PROLIFIC, "project": ""}}, "prolific.project",
         "is missing"),
        ({"recruiter": "prolific", "prolific": {**PROLIFIC, "codes": {"complete": "C111"}}},
         "prolific.codes.partner_left", "is missing"),
        ({"recruiter": "prolific", "prolific": {**PROLIFIC, "codes": {**CODES, "complete":
         "C222"}}}, "prolific.codes", "must be different"),
        ({"recruiter": "mechanical"}, "recruiter", "mechanical"),
        ({"locales": ["usa"]}, "locales[0]", "pattern|regex"),
    ],
)  # fmt: skip
def test_a_campaign_file_that_cannot_be_meant_is_refused_by_key(recruiting, key, problem):
    """With the full name of the key."""
    with pytest.raises(DataError, match=problem) as caught:
        campaign(**recruiting)
    assert caught.value.field == f"recruiting.{key}"


def test_ten_assignments_can_be_asked_for():
    """For whoever means it."""
    terms = campaign(assignments_per_posting=10, ten_or_more=True).recruiting
    assert terms.assignments_per_posting == 10


def test_real_workers_are_not_shown_the_demonstration(sqlite):
    """Nor a page that they cannot reach, nor work without pay, nor nothing at all."""
    fine = campaign()
    safety.check_production(fine, ["train/0123456789abcdef"])
    sample = sorted(safety.sample_photo_ids())[0]
    for bad, ids, problem in (
        (fine, [sample, "train/0123456789abcdef"], "1 of the 2 photos are the demonstration's"),
        (fine, [], "no photos"),
        (campaign(url="http://127.0.0.1:8000"), ["x"], "must be https"),
        (campaign(url="https://localhost:8000"), ["x"], "this machine's own"),
        (msgspec.structs.replace(fine, pay=type(fine.pay)()), ["x"], "workers are paid"),
    ):
        with pytest.raises(DataError, match=problem):
            safety.check_production(bad, ids)


@pytest.mark.parametrize(
    ("given", "typed", "fine"),
    [
        ("photos", "", True),
        (None, "photos\n", True),
        (None, "yes\n", False),
        (None, "", False),
        ("Photos", "photos\n", False),
        ("", "photos\n", False),
    ],
)
def test_production_is_confirmed_by_the_campaigns_name(given, typed, fine):
    """Typed, or given with the command; nothing else will do."""
    if fine:
        safety.check_confirmed(campaign(), given, lambda question: typed)
        return
    with pytest.raises(DataError, match="--confirm photos"):
        safety.check_confirmed(campaign(), given, lambda question: typed)


def test_a_platform_cannot_sign_invitations():
    """All its workers come by one address."""
    one = campaign()
    safety.check_entry(one)
    signed = msgspec.structs.replace(one, entry=type(one.entry)(signed_invitations=True))
    with pytest.raises(DataError, match="must be false"):
        safety.check_entry(signed)
    with pytest.raises(DataError, match="is missing"):
        safety.check_entry(campaign("link", url=""))


def test_the_chat_server_is_asked_whether_it_is_well(serve):
    """Before anybody is sent there."""
    safety.check_server(serve().url)
    with pytest.raises(DataError, match="does not answer"):
        safety.check_server(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(DataError, match=r"certificate|does not answer"):
        safety.check_server(serve().url.replace("http:", "https:"))


def test_an_emulator_that_the_chat_server_would_turn_away_is_named():
    """Amazon's own hosts need no entry."""
    assert safety.missing_submit_host(campaign(), LOCAL) == "127.0.0.1:8010"
    listed = campaign(submit_hosts=["127.0.0.1:8010"])
    assert safety.missing_submit_host(listed, LOCAL) is None
    assert safety.missing_submit_host(campaign(), SANDBOX) is None
    assert safety.missing_submit_host(campaign("link"), "") is None
