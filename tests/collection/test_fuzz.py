"""Whatever comes over a socket or in a form: an answer, and never a fault of the server's own."""

from __future__ import annotations

import msgspec

from collection.campaign import Campaign
from collection.conversation import Refusal
from collection.sockets import COMMANDS
from collection.wire import read_command, read_resume
from photochat.errors import UNDECODABLE
from tests.collection.conftest import ADMIN_TOKEN
from tests.mutations import mutate, rounds

PAYLOADS = {
    "say": {"client_id": "f-1", "text": "hello there", "confirmed": True, "pasted": False},
    "share": {"client_id": "f-2"},
    "finish": {"client_id": "f-3"},
    "submit": {"survey": {"natural": 4, "comments": "nice"}},
    "choose": {"choice": "wait"},
    "resume": {"last_seq": 0, "conversation": 1},
    "typing": {},
}
FORMS = {
    "/consent": {"csrf": "x", "agree": "yes"},
    "/instructions": {"csrf": "x"},
    "/check": {"csrf": "x", "answer-0": "1", "answer-1": "2"},
    "/admin/login": {"token": ADMIN_TOKEN},
    "/admin/status": {"status": "paused"},
    "/admin/review": {"submission": "s1", "decision": "reject", "reason": "too short", "csrf": "x"},
}
FAST = {
    "events_per_second": 1e6, "events_burst": 1_000_000, "requests_per_second": 1e6,
    "requests_burst": 1_000_000,
}  # fmt: skip


def damaged(payload, source):
    """A payload whose JSON was damaged and is JSON still; else one of odd values."""
    for _ in range(20):
        try:
            return msgspec.json.decode(mutate(msgspec.json.encode(payload), source))
        except UNDECODABLE:
            continue
    long = "x" * 10_000  # four of them fit into MAX_PAYLOAD: what is larger is cut off
    odd = [None, True, -1, 2**70, 1.5, "", "\0", [], {}, long, [[[]]]]
    return {key: source.choice(odd) for key in payload}


def test_every_command_is_read_or_refused():
    survey = Campaign().survey
    refused = 0
    for source in rounds(1500, 1):
        name = source.choice([*COMMANDS, "resume"])
        payload = damaged(PAYLOADS[name], source)
        read = read_resume(payload) if name == "resume" else read_command(name, payload, survey)
        refused += isinstance(read, Refusal)
        if not isinstance(read, Refusal):
            msgspec.json.encode(msgspec.to_builtins(read))
    assert refused > 0


def test_every_event_of_a_conversation_is_answered(serve):
    """By a real client of a real server; the partner goes on talking."""
    server = serve(limits=FAST, rules={"min_turns_before_share": 0})
    sharer, receiver = server.pair()
    errors = set()
    for source in rounds(150, 2):
        name = source.choice(["say", "say", "share", "submit", "resume", "typing", "nonsense"])
        payload = damaged(PAYLOADS.get(name, {"a": 1}), source)
        try:
            msgspec.json.encode(payload)
        except (ValueError, RecursionError, OverflowError):
            continue  # our own client could not send it
        answer = sharer.ask(name, payload)
        assert answer["ok"] or answer["error"] != "unavailable", (name, payload)
        errors.add(answer.get("error"))
    assert {None, "bad-request", "unknown-event"} <= errors
    assert receiver.say("still here")["ok"]


def test_every_form_is_answered(serve):
    """A page, a redirection or a refusal; by the requester's session as well."""
    server = serve(limits=FAST)
    stranger, requester = server.app.test_client(), server.app.test_client()
    assert requester.post("/admin/login", data={"token": ADMIN_TOKEN}).status_code < 400
    stranger.get("/join/photochat?worker=anna")
    statuses = set()
    for source in rounds(150, 3):
        path = source.choice(list(FORMS))
        form = {
            name: mutate(value.encode(), source).decode("utf-8", "replace")
            if source.random() < 0.5
            else value
            for name, value in FORMS[path].items()
        }
        client = source.choice([stranger, requester])
        with client.session_transaction() as session:
            form["csrf"] = session.get("csrf", "x")
        bearer = {"Authorization": f"Bearer {ADMIN_TOKEN}"} if client is requester else {}
        status = client.post(path, data=form, headers=bearer).status_code
        assert status < 500, (path, form)
        statuses.add(status)
    assert len(statuses) > 1
