"""The pages without a browser: who may do what, and what is shown of strangers' text."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace
from PIL import Image

from photochat.dialogue import Turn
from tests.conftest import make_dialogue
from tests.verification.conftest import SECRET
from verification.finding import Checked, Finding
from verification.review import tokens
from verification.review.server import GUESSES, create_app
from verification.review.store import Item, read_all_votes

NASTY = '<script>alert("x")</script>\u202e & \U0001f984'


@pytest.fixture
def sign_in(make_desk):
    """Return a client who is signed in at a desk of the given settings."""

    def enter(name="ann", desk=None, **settings):
        client = create_app(desk or make_desk(**settings)).test_client()
        answer = client.get(f"/in/{tokens.sign(SECRET, name)}")
        assert answer.status_code == 303
        return client

    return enter


def csrf_of(page):
    return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]


def cast(client, **fields):
    page = client.get("/")
    number = re.search(r'name="dialogue_id" value="(-?\d+)"', page.text)
    form = {"csrf": csrf_of(page), "dialogue_id": number[1] if number else "1", **fields}
    return client.post("/vote", data=form)


def test_only_a_link_of_ours_signs_in(make_desk):
    desk = make_desk(reviewers=frozenset({"ann"}))
    client = create_app(desk).test_client()
    assert client.get("/").status_code == 401
    for token in ("", "x" * 600, tokens.sign("another secret", "ann"), tokens.sign(SECRET, "eve")):
        assert client.post("/in", data={"token": token}).status_code == 401
    assert (
        client.post("/in", data={"token": tokens.link("http://h", SECRET, "ann")}).location == "/"
    )
    assert "Dialogue 1" in client.get("/").text
    assert tokens.read(SECRET, tokens.sign(SECRET, "ann"), seconds=-1) is None


def test_guessing_links_is_slowed_down(make_desk):
    client = create_app(make_desk()).test_client()
    codes = [client.get("/in/guess").status_code for _ in range(int(GUESSES[1]) + 3)]
    assert codes[0] == 401
    assert codes[-1] == 429


def test_a_form_without_the_sessions_token_does_nothing(sign_in, tmp_path):
    client = sign_in()
    for path in ("/vote", "/skip", "/undo", "/skipped", "/out"):
        assert client.post(path, data={"dialogue_id": "1", "verdict": "accept"}).status_code == 403
    assert read_all_votes(f"sqlite:///{tmp_path}/review.db") == []


def test_a_vote_is_in_the_database_before_the_next_dialogue_is_shown(sign_in, tmp_path):
    client = sign_in()
    answer = cast(client, verdict="reject", reasons=["typos", "no-association"], comment=" oh ")
    assert answer.status_code == 303
    [vote] = read_all_votes(f"sqlite:///{tmp_path}/review.db")
    assert (vote.dialogue_id, vote.reviewer, vote.verdict) == (1, "ann", "reject")
    assert (vote.reasons, vote.comment) == (("no-association", "typos"), "oh")
    assert "Dialogue 2" in client.get("/").text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"verdict": "reject"}, 422),
        ({"verdict": "perhaps"}, 400),
        ({"verdict": "reject", "reasons": "boring"}, 400),
        ({"verdict": "accept", "dialogue_id": "one"}, 400),
        ({"verdict": "accept", "dialogue_id": str(2**70)}, 400),
        ({"verdict": "accept", "seconds": "nan"}, 303),
        ({"verdict": "accept", "comment": "x" * 100_000}, 413),
    ],
)
def test_what_is_no_vote_is_refused(sign_in, fields, status):
    assert cast(sign_in(), **fields).status_code == status


def test_a_refused_vote_keeps_what_was_written(sign_in):
    answer = cast(sign_in(), verdict="reject", comment="half a thought")
    assert "Choose at least one reason" in answer.text
    assert "half a thought" in answer.text


def test_strangers_text_is_shown_as_text(sign_in):
    dialogue = make_dialogue(f"0:{NASTY.replace(' ', '_')} 1:* 0:x", labels=NASTY)
    finding = Finding("bad", "reject", NASTY, turn=0, start=3, end=20)
    client = sign_in(
        items=[Item(dialogue, 1)], findings={0: Checked(0, (finding,), ("likelihood",))}
    )
    page = client.get("/")
    assert "<script>alert" not in page.text
    assert '<mark class="reject">' in page.text
    assert "likelihood" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_photo_is_sent_only_to_those_who_were_given_its_dialogue(sign_in, make_desk, tmp_path):
    path = tmp_path / "images" / "train" / "0a.jpg"
    path.parent.mkdir(parents=True)
    Image.new("RGB", (64, 48), "red").save(path)
    (tmp_path / "secret.jpg").write_bytes(path.read_bytes())
    photos = ("train/0a", "../secret", "train/none", None)
    items = [Item(make_dialogue(dialogue_id=n, photo_id=p), 1) for n, p in enumerate(photos)]
    desk = make_desk(items=items)
    ann, bob = sign_in("ann", desk), sign_in("bob", desk)
    assert create_app(desk).test_client().get("/photo/0").status_code == 401
    assert ann.get("/photo/0").status_code == 404  # not given yet
    assert 'src="/photo/0"' in ann.get("/").text
    assert ann.get("/photo/0").mimetype == "image/jpeg"
    for number in (1, 2, 3):
        assert "The picture is not here" in bob.get("/").text
        assert bob.get(f"/photo/{number}").status_code == 404
        cast(bob, verdict="accept")
    assert bob.get("/photo/0").status_code == 404  # ann has it
    assert ann.get("/photo/-5").status_code == 404


def test_long_short_and_strange_dialogues_are_shown(sign_in):
    turns = tuple(Turn(f"turn {n}", False, n % 2) for n in range(10_000))
    dialogues = [
        replace(make_dialogue(dialogue_id=0), turns=turns),
        replace(make_dialogue(dialogue_id=1), turns=(Turn("", False, 0),)),
        make_dialogue("0:\u05e9\u05dc\u05d5\u05dd 1:\U0001f600\U0001f600", dialogue_id=-2),
    ]
    client = sign_in(items=[Item(dialogue, 1) for dialogue in dialogues])
    for words in ("turn 9999", "(empty message)", "\u05e9\u05dc\u05d5\u05dd"):
        assert words in client.get("/").text
        assert cast(client, verdict="unsure").status_code == 303
    assert "Nothing is left for you" in client.get("/").text


def test_a_vote_from_another_reviewers_desk_is_refused(sign_in, make_desk, tmp_path):
    desk = make_desk(count=1, overlap=1)
    ann, bob = sign_in("ann", desk), sign_in("bob", desk)
    ann.get("/")
    page = bob.get("/")
    form = {"csrf": csrf_of(page), "dialogue_id": "1", "verdict": "accept"}
    assert bob.post("/vote", data=form).status_code == 303
    assert "not yours to decide" in bob.get("/").text
    assert read_all_votes(f"sqlite:///{tmp_path}/review.db") == []
    assert cast(ann, verdict="accept").status_code == 303
    [vote] = read_all_votes(f"sqlite:///{tmp_path}/review.db")
    assert (vote.dialogue_id, vote.reviewer) == (1, "ann")
