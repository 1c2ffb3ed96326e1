"""Tokens, forged events, and the photo before its time: nobody gets what is not theirs."""

from __future__ import annotations

import json
import re
import secrets
import time

import requests

from collection.tokens import PhotoTicket, Ticket, Tokens
from tests.collection.attacks.scene import RawSocket, assert_serving, conversation_of, transcript
from tests.collection.stage import SECRET, Server
from tests.collection.worker import Worker

# --- another worker's token ----------------------------------------------------------------------


def test_a_token_cannot_be_made_or_changed(server: Server, two: tuple[Worker, Worker]) -> None:
    """Tokens signed by others, altered, mixed from two, or of another kind open nothing."""
    sharer, receiver = two
    head, *_ = sharer.token.split(".")
    _, *tail = receiver.token.split(".")
    numbers = Tokens(SECRET).read_chat(sharer.token)
    assert numbers is not None
    for forged in (
        ".".join([head, *tail]),
        sharer.token[:-1] + ("A" if sharer.token[-1] != "A" else "B"),
        Tokens("another secret, long enough").chat(numbers),
        Tokens(SECRET).photo(PhotoTicket(numbers.participant, 1)),
        Tokens(SECRET).chat(Ticket(numbers.participant, numbers.generation + 1)),
        Tokens(SECRET).chat(Ticket(10**9, 1)),
        "",
    ):
        raw = RawSocket(server, forged)
        assert not raw.connected, forged
        raw.close()


def test_an_earlier_token_dies_when_the_link_is_opened_elsewhere(server: Server) -> None:
    """Whoever holds the old token has no part in the new session."""
    name = secrets.token_hex(4)
    first = Worker(server.url, name)
    second = Worker(server.url, name)
    assert first.token != second.token
    raw = RawSocket(server, first.token)
    assert not raw.connected
    raw.close()
    assert first.sio is not None
    end = time.monotonic() + 10
    while first.sio.connected:
        assert time.monotonic() < end, "the old session's socket lives on"
        time.sleep(0.02)
    second.ask("choose", {"choice": "leave"})
    for worker in (first, second):
        worker.close()


def test_a_stranger_has_no_part_in_a_conversation(
    server: Server, two: tuple[Worker, Worker]
) -> None:
    """A worker with a token of their own neither reads nor writes in another conversation."""
    number = conversation_of(two[0])
    before = transcript(server, number)
    stranger = Worker(server.url, secrets.token_hex(4))
    answer = stranger.ask("resume", {"last_seq": 0, "conversation": number})
    assert answer["conversation"] != number
    assert stranger.events == []
    assert stranger.ask("say", {"client_id": "x", "text": "hi", "conversation": number}) == {
        "ok": False,
        "error": "bad-request",
        "message": stranger.ask("say", {})["message"],
    }
    assert not stranger.share()["ok"]
    assert transcript(server, number) == before
    stranger.ask("choose", {"choice": "leave"})
    stranger.close()


# --- forged events -------------------------------------------------------------------------------


def test_forged_events_change_nothing(server: Server, two: tuple[Worker, Worker]) -> None:
    """What only the server may say, and what carries more than it may, is refused."""
    sharer, receiver = two
    number = conversation_of(sharer)
    before = transcript(server, number)
    for name in ("event", "state", "paired", "close", "away", "back", "gone", "tick", "abandon",
                 "disconnect", "connect", "__init__", "trigger_event"):  # fmt: skip
        payload = {"seq": 2, "kind": "share", "by": "sharer", "at": 0}
        if name not in ("connect", "disconnect"):  # python-socketio's client cannot send these
            assert receiver.ask(name, payload)["error"] in ("unknown-event", "bad-request"), name
    for extra in ({"by": "sharer"}, {"seq": 9}, {"at": 0}, {"role": "sharer"}, {"worker": "x"}):
        assert receiver.ask("share", {"client_id": "f", **extra})["error"] == "bad-request"
        said = receiver.ask("say", {"client_id": "f", "text": "hi", **extra})
        assert said["error"] == "bad-request"
    assert receiver.finish()["error"] == "not-shared"
    assert receiver.submit()["error"] == "not-ended"
    assert transcript(server, number) == before


def test_reserved_events_over_a_raw_socket_do_no_harm(
    server: Server, two: tuple[Worker, Worker], attacker: str
) -> None:
    """`connect` and `disconnect` sent as events are refused like any other, never obeyed."""
    raw = RawSocket(server, attacker)
    raw.send(1, "connect", {"token": two[0].token})
    raw.send(2, "disconnect", "client disconnect")
    raw.send(3, "connect", {}, {"token": two[0].token})
    raw.send(4, "resume", {"last_seq": 0})
    answers = raw.answers(4)
    assert {answers[number]["error"] for number in (1, 2, 3)} == {"unknown-event"}
    assert answers[4]["state"]["kind"] == "waiting"
    raw.close()
    assert_serving(two)


def test_a_partners_client_id_replaces_nothing(server: Server, two: tuple[Worker, Worker]) -> None:
    """Client ids are each side's own: using the other's neither repeats nor overwrites."""
    sharer, receiver = two
    mine = sharer.ask("say", {"client_id": "same", "text": "what I said"})
    theirs = receiver.ask("say", {"client_id": "same", "text": "what they say"})
    assert (mine["ok"], theirs["ok"]) == (True, True)
    assert mine["seq"] != theirs["seq"]
    said = [e for e in transcript(server, conversation_of(sharer)) if e["kind"] == "say"]
    assert len(said) == 2


# --- a share before its time, and the photo before the share -------------------------------------


def test_a_hand_made_client_cannot_share_early(server: Server, two: tuple[Worker, Worker]) -> None:
    """Four turns and shares in one burst: every share is refused until five turns are committed."""
    sharer, _ = two
    number = conversation_of(sharer)
    sharer.drop()
    raw = RawSocket(server, sharer.token)
    raw.send(0, "resume", {"last_seq": 0})
    for turn in range(1, 5):
        raw.send(2 * turn - 1, "say", {"client_id": f"t{turn}", "text": f"turn {turn}"})
        raw.send(2 * turn, "share", {"client_id": f"s{turn}"})
    answers = raw.answers(9)
    assert all(answers[2 * turn - 1]["ok"] for turn in range(1, 5))
    assert {answers[2 * turn]["error"] for turn in range(1, 5)} == {"too-early"}
    raw.send(20, "share", {"client_id": "t1"})  # the id of a message that was taken
    assert raw.answers(1)[20]["error"] == "client-id-used"
    kinds = [event["kind"] for event in transcript(server, number)]
    assert "share" not in kinds
    raw.send(21, "say", {"client_id": "t5", "text": "turn 5"})
    raw.send(22, "share", {"client_id": "now"})
    raw.send(23, "share", {"client_id": "again"})
    answers = raw.answers(3)
    assert answers[22]["ok"]
    assert answers[23]["error"] == "shared-already"
    raw.close()


def test_the_receiver_cannot_share(two: tuple[Worker, Worker]) -> None:
    """Not before and not after the five turns."""
    sharer, receiver = two
    assert receiver.share()["error"] == "not-the-sharer"
    for turn in range(5):
        assert (sharer, receiver)[turn % 2].say(f"turn {turn}", client_id=f"r{turn}")["ok"]
    assert receiver.share()["error"] == "not-the-sharer"


def test_the_photo_cannot_be_had_early_by_any_url(
    server: Server, two: tuple[Worker, Worker]
) -> None:
    """Every address that the pages, the states and the token formats know, with every cookie."""
    sharer, receiver = two
    state = sharer.resume()["state"]
    shown = state["photo"]["url"]
    number = state["conversation"]
    picture = sharer.http.get(server.url + shown, timeout=10)
    assert picture.status_code == 200
    assert picture.headers["Content-Type"] == "image/jpeg"
    me = Tokens(SECRET).read_chat(receiver.token)
    assert me is not None
    pages = [receiver.http.get(server.url + path, timeout=10).text
             for path in ("/chat", "/consent", "/instructions", "/check")]  # fmt: skip
    linked = {url for page in pages for url in re.findall(r'(?:src|href|action)="([^"]+)"', page)}
    photo_ids = [f"train/{index:016x}" for index in range(3)]
    tried = {
        *linked,
        shown,
        shown.upper(),
        f"{shown}/..",
        f"{shown}?participant={me.participant}",
        f"/photo/{receiver.token}",
        f"/photo/{sharer.token}",
        f"/photo/{Tokens('a guessed secret').photo(PhotoTicket(me.participant, number))}",
        # Even a token that the server itself would sign for the receiver is too early.
        f"/photo/{Tokens(SECRET).photo(PhotoTicket(me.participant, number))}",
        "/photo/",
        "/photo",
        f"/photo/{number}",
        f"/admin/conversations/{number}.json",
        *(f"/{folder}/{photo_id}.jpg" for folder in ("photo", "images", "static", "cache")
          for photo_id in photo_ids),
    }  # fmt: skip
    for url in tried:
        for http_session in (receiver.http, requests.Session()):
            answer = http_session.get(server.url + url, timeout=10)
            kind = answer.headers.get("Content-Type", "")
            assert not (answer.ok and kind.startswith("image/jp")), url
            assert answer.content != picture.content, url
    told = json.dumps([receiver.events, receiver.states])
    assert "photo_id" not in told
    assert state["photo"]["description"] not in told
    assert "example.org" not in told
    # After the share the receiver has an address of their own; the sharer's stays the sharer's.
    for turn in range(5):
        (sharer, receiver)[turn % 2].say(f"turn {turn}", client_id=f"p{turn}")
    assert sharer.share()["ok"]
    mine = receiver.until_event("share")["photo"]["url"]
    assert receiver.http.get(server.url + mine, timeout=10).content == picture.content
    assert receiver.http.get(server.url + shown, timeout=10).status_code == 404
    assert requests.get(server.url + mine, timeout=10).status_code == 404
