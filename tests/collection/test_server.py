"""The server as clients see it: real forms, real sockets, the protocol of docs/protocol.md."""

from __future__ import annotations

import threading
import time

import pytest
import requests
import socketio

from tests.collection.worker import field


def talk(sharer, receiver, turns=5):
    for number in range(turns):
        speaker = (sharer, receiver)[number % 2]
        assert speaker.say(f"message number {number} of {speaker.name}")["ok"]


def test_a_whole_conversation(serve):
    """Share refused before five turns, both see the photo after, both end up with a code."""
    sharer, receiver = serve().pair()
    assert sharer.until_state("talking")["photo"]["description"]
    assert receiver.until_state("talking")["photo"] is None
    talk(sharer, receiver, 4)
    assert sharer.share()["error"] == "too-early"
    assert receiver.finish()["error"] == "not-shared"
    sharer.say("and the fifth one")
    assert receiver.share()["error"] == "not-the-sharer"
    assert sharer.share()["ok"]
    photo = receiver.until_event("share")["photo"]
    picture = receiver.http.get(receiver.url + photo["url"])
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert receiver.say("what a photo!")["ok"]
    assert receiver.finish()["ok"]
    sharer.until_event("finish")
    assert sharer.submit(comments="fine")["ok"]
    assert receiver.submit()["ok"]
    for worker in (sharer, receiver):
        done = worker.until_state("done")
        assert (done["outcome"], done["paid"]) == ("complete", True)
        assert len(done["code"]) == 8
        assert [event["seq"] for event in worker.events] == list(range(1, 13))
    kinds = [(event["kind"], event["by"]) for event in sharer.events if event["kind"] == "share"]
    assert kinds == [("share", "you")]


def test_the_receiver_gets_no_photo_before_the_share(serve):
    """Not by its own token, not by the sharer's URL, not by a token made for it."""
    server = serve()
    sharer, receiver = server.pair()
    theirs = sharer.until_state("talking")["photo"]["url"]
    assert receiver.http.get(server.url + theirs).status_code == 404
    assert requests.get(server.url + theirs).status_code == 404
    conversation = sharer.states[-1]["conversation"]
    made = server.service.photo_url(server.service.presence.all()[0].participant, conversation)
    assert sharer.http.get(server.url + theirs).status_code == 200
    row_ids = [socket.participant for socket in server.service.presence.all()]
    urls = [server.service.photo_url(one, conversation) for one in row_ids] + [made]
    assert all(receiver.http.get(server.url + url).status_code == 404 for url in urls)
    assert not any("photo" in event for event in receiver.events)
    assert all(state.get("photo") is None for state in receiver.states)


def test_resume_brings_what_was_missed_in_order(serve):
    """Who was away gets every event after the last seen one, once."""
    sharer, receiver = serve().pair()
    sharer.say("are you there?")
    receiver.until_event("say")
    receiver.drop()
    sharer.until_event("away")
    for number in range(3):
        sharer.say(f"message {number}")
    answer = receiver.connect()
    sharer.until_event("back")
    assert answer["ok"]
    assert answer["state"]["kind"] == "talking"
    seqs = [event["seq"] for event in receiver.events]
    assert seqs == list(range(1, len(seqs) + 1))
    assert [e["text"] for e in receiver.events if e["kind"] == "say"][1:] == [
        "message 0",
        "message 1",
        "message 2",
    ]


def test_the_newest_tab_wins(serve):
    """The older socket is told and closed; its partner never sees anybody leave."""
    sharer, receiver = serve().pair()
    old = receiver.sio
    receiver.connect()
    receiver.until_state("replaced")
    for _ in range(50):
        if not old.connected:
            break
        time.sleep(0.1)
    assert not old.connected
    assert receiver.say("still here")["ok"]
    sharer.until_event("say")
    assert "away" not in [event["kind"] for event in sharer.events]


def test_the_same_client_id_is_written_once(serve):
    """A repeated `say` answers with the first one's seq."""
    sharer, _ = serve().pair()
    first = sharer.ask("say", {"client_id": "x", "text": "hello"})
    again = sharer.ask("say", {"client_id": "x", "text": "hello"})
    other = sharer.ask("say", {"client_id": "x", "text": "something else"})
    assert again == {"ok": True, "seq": first["seq"], "repeated": True}
    assert other["error"] == "client-id-used"


def test_a_restart_is_just_another_reconnection(serve, tmp_path):
    """A new process on the same database goes on where the old one was killed."""
    first = serve()
    sharer, receiver = first.pair()
    talk(sharer, receiver, 3)
    before = sharer.events[-1]["seq"]
    second = serve()
    for worker in (sharer, receiver):
        worker.drop()
        worker.url = second.url
        assert worker.connect()["ok"]
    assert sharer.say("are we still on?")["seq"] > before
    receiver._until(lambda: receiver.events[-1]["seq"] > before or None, "news")
    texts = [event["text"] for event in receiver.events if event["kind"] == "say"]
    assert len(texts) == len(set(texts))


def test_one_worker_is_never_paired_with_themselves(serve):
    """Two assignments of one worker wait beside each other; a stranger gets one of them."""
    server = serve()
    one = server.worker("anna", query="&assignment=a1")
    two = server.worker("anna", query="&assignment=a2")
    server.service.pair()
    assert [w.resume()["state"]["kind"] for w in (one, two)] == ["waiting", "waiting"]
    three = server.worker("ben")
    three.until_event("paired")
    assert one.until_event("paired")


def test_a_partner_who_leaves_leaves_a_choice(serve):
    """The one left behind may find another partner, and the photo is free again."""
    server = serve(photos=1)
    sharer, receiver = server.pair()
    assert receiver.ask("choose", {"choice": "leave"})["ok"]
    assert sharer.until_state("choosing")["choices"] == ["again", "leave"]
    assert receiver.until_state("done")["outcome"] == "withdrawn"
    assert sharer.ask("choose", {"choice": "leave"})["ok"]
    done = sharer.until_state("done")
    assert (done["outcome"], done["reason"], done["paid"]) == ("incomplete", "partner-gone", True)
    others = server.pair("carla", "dan")
    assert {worker.role for worker in others} == {"sharer", "receiver"}


def test_again_leads_back_to_the_waiting_room(serve):
    """With the time waited before, and never to the same partner."""
    server = serve()
    sharer, receiver = server.pair()
    receiver.ask("choose", {"choice": "leave"})
    sharer.until_state("choosing")
    assert sharer.ask("choose", {"choice": "again"})["ok"]
    assert sharer.until_state("waiting")["position"] == 1
    server.worker("carla").until_event("paired")
    assert sharer.until_state("talking")["conversation"] == 2


def test_away_then_gone_then_paid(serve):
    """After the grace window the partner may leave, and is paid."""
    server = serve(timeouts={"away": 0.2})
    server.service.started_at = 0.0
    sharer, receiver = server.pair()
    receiver.drop()
    assert sharer.until_event("away")["until"] > 0
    sharer.until_event("gone")
    assert sharer.resume()["state"]["partner"]["gone"] is True
    assert sharer.ask("choose", {"choice": "wait"})["ok"]
    sharer.until_event("wait")
    sharer.until_event("gone")
    receiver.connect()
    sharer.until_event("back")
    assert receiver.say("sorry, my train went through a tunnel")["ok"]


def test_no_partner_ends_paid(serve):
    """Who waits in vain leaves with a code, and with the reason."""
    server = serve(timeouts={"waiting": 2.0})
    server.service.started_at = 0.0
    done = server.worker("anna").until_state("done")
    assert (done["reason"], done["outcome"], done["paid"]) == ("no-partner", "incomplete", True)
    assert done["code"]


def test_every_reason_for_no_task_has_its_own_code(serve):
    """Paused, draining, used up, refused, unknown: each says so."""
    server = serve(photos=1, rules={"conversations_per_worker": 1})
    reason = "X-Photochat-Reason"

    def why(path):
        return requests.get(server.url + path).headers.get(reason)

    assert why("/join/other?worker=anna") == "unknown-campaign"
    assert why("/join/photochat") == "no-worker"
    sharer, receiver = server.pair()
    assert why("/join/photochat?worker=carla") == "photos-in-use"
    talk(sharer, receiver)
    sharer.share()
    sharer.finish()
    sharer.submit()
    assert why("/join/photochat?worker=carla") == "campaign-complete"
    assert why(f"/join/photochat?worker={sharer.name}") == "worker-limit"
    for status in ("paused", "draining"):
        set_status(server, status)
        assert why("/join/photochat?worker=carla") == status
    assert requests.get(server.url + "/consent").headers[reason] == "session-over"


def test_all_photos_seen(serve):
    """Who has seen the only photo that wants more conversations is told so."""
    server = serve(photos=1, rules={"conversations_per_photo": 2})
    sharer, receiver = server.pair()
    receiver.ask("choose", {"choice": "leave"})
    sharer.until_state("choosing")
    answer = requests.get(f"{server.url}/join/photochat?worker={receiver.name}")
    assert answer.headers["X-Photochat-Reason"] == "all-photos-seen"


def set_status(server, status):
    answer = requests.post(
        server.url + "/admin/status",
        data={"status": status},
        headers={"Authorization": "Bearer the token of the tests"},
    )
    assert answer.json() == {"status": status}


def test_a_failed_check_ends_after_its_attempts(serve):
    """Wrong answers lead back with a hint, then out."""
    server = serve(entry={"check_attempts": 2})
    http = requests.Session()
    page = http.get(server.url + "/join/photochat?worker=anna")
    page = http.post(
        server.url + "/consent", data={"csrf": field(page.text, "csrf"), "agree": "yes"}
    )
    page = http.post(server.url + "/instructions", data={"csrf": field(page.text, "csrf")})
    for _ in range(2):
        form = {"csrf": field(page.text, "csrf"), "q1": "2", "q2": "2", "q3": "3"}
        page = http.post(server.url + "/check", data=form)
    assert "cannot take part" in page.text
    again = requests.get(server.url + "/join/photochat?worker=anna")
    assert again.headers["X-Photochat-Reason"] == "check-failed"


def test_declining_is_possible_and_final_for_that_visit(serve):
    """Nobody is let on who did not agree."""
    server = serve()
    http = requests.Session()
    page = http.get(server.url + "/join/photochat?worker=anna")
    form = {"csrf": field(page.text, "csrf"), "agree": "no"}
    page = http.post(server.url + "/consent", data=form)
    assert "chose not to take part" in page.text
    assert http.get(server.url + "/check").url.endswith("/chat")


def test_forms_need_their_own_token(serve):
    """A POST without the page's hidden field changes nothing."""
    server = serve()
    http = requests.Session()
    http.get(server.url + "/join/photochat?worker=anna")
    for csrf in ("", "guess"):
        answer = http.post(server.url + "/consent", data={"csrf": csrf, "agree": "yes"})
        assert answer.status_code == 403
    assert http.get(server.url + "/chat").url.endswith("/consent")


def test_signed_invitations(serve):
    """With the option on, only a link with the right signature is good."""
    server = serve(entry={"signed_invitations": True})
    join = server.url + "/join/photochat?worker=anna"
    assert requests.get(join).headers["X-Photochat-Reason"] == "bad-invitation"
    forged = server.service.tokens.invitation("photochat", "ben")
    assert requests.get(f"{join}&signature={forged}").status_code == 403
    right = server.service.tokens.invitation("photochat", "anna")
    assert requests.get(f"{join}&signature={right}").url.endswith("/consent")


def test_entering_from_another_browser_ends_the_session(serve):
    """The earlier cookie and the earlier token are worth nothing then."""
    server = serve()
    first = server.worker("anna", connect=False)
    second = server.worker("anna", connect=False)
    assert first.http.get(server.url + "/chat").headers["X-Photochat-Reason"] == "session-over"
    with pytest.raises(socketio.exceptions.ConnectionError, match="session-over"):
        first.connect()
    assert second.connect()["ok"]


@pytest.mark.parametrize("token", [None, "", "x" * 600, 3, ["a"], "WzEsMV0.aaaa.bbbb"])
def test_a_bad_token_opens_nothing(serve, token):
    """Whatever stands in the place of the token."""
    worker = serve().worker("anna", connect=False)
    with pytest.raises(socketio.exceptions.ConnectionError, match="bad-token"):
        worker.connect(token=token)


@pytest.mark.parametrize(
    ("event", "payload", "error"),
    [
        ("say", {"client_id": "a", "text": 3}, "bad-request"),
        ("say", {"client_id": "a b", "text": "x"}, "bad-request"),
        ("say", {"client_id": "a\n", "text": "x"}, "bad-request"),
        ("say", {"client_id": "a", "text": "x", "by": "partner"}, "bad-request"),
        ("say", "text", "bad-request"),
        ("say", None, "bad-request"),
        ("say", {"client_id": "a", "text": "x" * 501}, "too-long"),
        ("say", {"client_id": "a", "text": " \u200b\n "}, "empty"),
        ("say", {"client_id": "a", "text": "write to me@example.org"}, "personal-information"),
        ("resume", {"last_seq": -1}, "bad-request"),
        ("submit", {"survey": {"natural": 3}}, "not-ended"),
        ("submit", {"survey": {"natural": 9}}, "bad-survey"),
        ("submit", {"survey": {"other": 3}}, "bad-survey"),
        ("choose", {"choice": "win"}, "bad-request"),
        ("paired", {}, "unknown-event"),
        ("__class__", {}, "unknown-event"),
    ],
)
def test_what_is_refused_says_why(serve, event, payload, error):
    """Every refusal has a code and a sentence, and the connection lives on."""
    sharer, _ = serve().pair()
    answer = sharer.ask(event, payload)
    assert (answer["ok"], answer["error"]) == (False, error)
    assert answer["message"].endswith(".") or ":" in answer["message"]
    assert sharer.say("still here")["ok"]


def test_a_flood_is_limited(serve):
    """More than the bucket holds is refused, and the rest goes through."""
    sharer, _ = serve(limits={"events_burst": 10, "events_per_second": 0.1}).pair()
    answers = [sharer.say(f"message {number}") for number in range(15)]
    errors = [answer.get("error") for answer in answers]
    assert errors[0] is None
    assert errors[-1] == "rate-limited"


def test_typing_reaches_the_partner_alone(serve):
    """The indicator is shown, and is no event of the log."""
    sharer, receiver = serve().pair()
    assert sharer.ask("typing", {}) == {"ok": True}
    receiver._until(lambda: receiver.typing or None, "typing")
    assert sharer.typing == 0
    assert [event["kind"] for event in receiver.events] == ["paired"]


def test_marked_when_sent_anyway(serve):
    """What was warned about and confirmed carries its mark."""
    sharer, receiver = serve().pair()
    assert sharer.say("call 555 010 9999", confirmed=True)["ok"]
    assert receiver.until_event("say")["personal"] == ["phone number"]


def test_a_join_storm(serve):
    """A dozen at once: everybody paired once, nobody with two."""
    server = serve(photos=40)
    workers = []

    def come(number):
        workers.append(server.worker(f"w{number}"))

    threads = [threading.Thread(target=come, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in workers:
        worker.until_event("paired")
    assert sum(worker.role == "sharer" for worker in workers) == 6


def test_answers_carry_their_guards(serve):
    """Content security policy without inline scripts, HttpOnly cookies, nothing cached."""
    answer = requests.get(serve().url + "/join/photochat?worker=anna", allow_redirects=False)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_sockets_of_another_origin_are_refused(serve):
    """A page elsewhere cannot open one."""
    url = serve().url
    poll = "/socket.io/?EIO=4&transport=polling"
    assert requests.get(url + poll).status_code == 200
    strange = requests.get(url + poll, headers={"Origin": "https://evil.example"})
    assert strange.status_code == 400
