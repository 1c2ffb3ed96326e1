"""Two people in two real browsers, on a real server."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.e2e.chat_server import chat_server
from tests.e2e.looks import look
from tests.e2e.worker import end, share, sign_in, submit, talk


def test_two_workers_hold_a_whole_conversation(new_worker):
    """From the consent page to the code; every page is looked at on the way."""
    ann, bob = new_worker(), new_worker()
    page = ann.page
    page.goto(ann.link)
    look(page, "1-consent")
    page.get_by_role("button", name="I agree").click()
    look(page, "2-instructions")
    page.get_by_role("button", name="I have read").click()
    ann.answer(((1, 1), (2, 1), (3, 3)))
    assert page.locator("[role=alert]").inner_text().startswith("One answer was not right")
    look(page, "3-check")
    ann.answer()
    page.locator("#waiting").wait_for()
    assert re.search(r"You are first in line", page.inner_text("#position"))
    assert re.fullmatch(r"(10:00|9:\d\d)", page.inner_text("#waiting-left"))
    look(page, "4-waiting")

    bob.enter()
    for worker in (ann, bob):
        worker.page.locator("#talking").wait_for()
    assert "Chat" in page.locator(".steps [aria-current]").inner_text()
    sharer, receiver = (ann, bob) if page.locator("#sharer").is_visible() else (bob, ann)
    assert sharer.page.locator("#picture").evaluate("i => i.decode().then(() => i.naturalWidth)")
    assert "Objects in the photo: " in sharer.page.inner_text("#description")
    assert receiver.page.locator("img:visible").count() == 0
    sharer.say("hey, are you awake?")
    receiver.reads("hey, are you awake?")
    sharer.page.locator("#missing", has_text="After 4 more messages.").wait_for()
    sharer.page.locator("#share").press("Enter")
    sharer.page.locator("#problem", has_text="after 4 more messages in all").wait_for()
    assert sharer.page.locator("#finish").is_hidden()
    receiver.page.locator("#text").press_sequentially("hmm")
    sharer.page.locator("#typing").wait_for()
    look(sharer.page, "5-refused")

    talk(sharer, receiver)
    assert sharer.page.inner_text("#missing") == "Share it when it fits."
    sharer.page.click("#share")
    for worker in (sharer, receiver):
        image = worker.page.locator("#messages img")
        image.wait_for()
        assert image.evaluate("i => i.decode().then(() => i.naturalWidth)") > 100
    receiver.say("wow! " + "x" * 200)
    sharer.reads("wow!")
    assert sharer.messages() == [
        m.replace("Shared a", "You shared the") for m in receiver.messages()
    ]
    assert sharer.page.locator(".tick.delivered").count() == 5
    look(sharer.page, "6-shared")
    look(receiver.page, "6-shared-receiver")

    end(receiver)
    sharer.page.locator("#survey").wait_for()
    look(sharer.page, "7-survey")
    code = submit(sharer, "all was well")
    assert re.fullmatch(r"[2-9A-Z]{8}", code)
    look(sharer.page, "8-done")
    assert submit(receiver) != code
    sharer.page.reload()
    assert sharer.page.inner_text("#code") == code


def test_a_reload_in_the_middle_loses_nothing(pair):
    sharer, receiver = pair()
    share(sharer, receiver)
    receiver.page.fill("#text", "half a sentence")
    before = receiver.messages()
    receiver.page.reload()
    receiver.page.locator("#talking").wait_for()
    receiver.page.locator("#messages img").wait_for()
    assert receiver.messages() == before
    assert receiver.page.input_value("#text") == "half a sentence"
    receiver.page.press("#text", "Enter")
    sharer.reads("half a sentence")


@pytest.mark.parametrize("lost", ["the message", "the acknowledgement"])
def test_what_was_not_acknowledged_is_sent_again_and_arrives_once(pair, lost):
    """The line swallows a message, or the answer to it; then the page is loaded again."""
    sharer, receiver = pair()
    swallow = {"on": False}

    def through(line: Any) -> None:
        server = line.connect_to_server()

        def onward(packet: Any) -> None:
            if not (swallow["on"] and lost == "the message"):
                server.send(packet)

        def back(packet: Any) -> None:
            if not (swallow["on"] and lost == "the acknowledgement"):
                line.send(packet)

        line.on_message(onward)
        server.on_message(back)

    sharer.page.route_web_socket(re.compile("/socket.io/"), through)
    sharer.page.reload()
    sharer.page.locator("#talking").wait_for()
    sharer.say("this comes through")
    receiver.reads("this comes through")
    swallow["on"] = True
    sharer.say("first of two")
    sharer.say("second of two")
    assert sharer.page.locator(".tick.sending").count() == 2
    if lost == "the acknowledgement":
        receiver.reads("first of two")
    swallow["on"] = False
    sharer.page.reload()
    receiver.reads("second of two")
    sharer.reads("second of two")
    expected = ["this comes through", "first of two", "second of two"]
    assert sharer.messages() == receiver.messages() == expected
    assert sharer.page.locator(".tick.sending").count() == 0


@pytest.mark.slow
def test_a_killed_server_is_one_more_reconnection(pair, tmp_path):
    """What is written meanwhile waits in the page, and arrives once when the server is back."""
    with chat_server(tmp_path) as running:
        sharer, receiver = pair(url=running.url)
        talk(sharer, receiver)
        running.kill()
        for worker in (sharer, receiver):
            worker.page.locator("#offline:not(:empty)").wait_for()
        sharer.say("are you still there?")
        look(sharer.page, "19-offline")
        receiver.say("hello?")
        running.start()
        sharer.reads("hello?")
        receiver.reads("are you still there?")
        for worker in (sharer, receiver):
            worker.page.locator("#offline:empty").wait_for(state="attached")
            worker.page.locator(".tick.sending").wait_for(state="detached")
        assert sharer.messages() == receiver.messages()
        assert len(sharer.messages()) == 7
        sharer.page.click("#share")
        receiver.page.locator("#messages img").wait_for()


def test_one_who_closes_the_tab_can_come_back(pair):
    """The other side sees a countdown, writes on, and nothing is missed."""
    sharer, receiver = pair()
    talk(sharer, receiver)
    sharer.say("wait until you see this")
    receiver.reads("wait until you see this")
    receiver.page.close()
    sharer.page.locator("#away").wait_for()
    sent = sharer.page.locator(".tick.sent")
    assert sent.count() == 1  # the news that somebody is away is no sign of life
    assert re.fullmatch(r"(1:00|0:\d\d)", sharer.page.inner_text("#away-left"))
    assert sharer.page.inner_text("#presence") == "is away"
    look(sharer.page, "9-away")
    sharer.say("are you there?")
    sent.nth(1).wait_for()
    receiver.page = receiver.tab()
    receiver.page.goto(receiver.link)
    receiver.reads("are you there?")
    sharer.page.locator("#away").wait_for(state="hidden")
    assert sent.count() == 0
    assert sharer.page.inner_text("#presence") == "is here"
    assert receiver.messages() == sharer.messages()


def test_the_newest_tab_wins(pair):
    sharer, receiver = pair()
    first = receiver.page
    receiver.page = receiver.tab()
    receiver.page.goto(receiver.link)
    receiver.page.locator("#talking").wait_for()
    first.locator("#closed").wait_for()
    assert first.inner_text("#closed-title") == "Open in another tab"
    receiver.say("from the second tab")
    sharer.reads("from the second tab")
    look(first, "10-other-tab")
    first.get_by_role("button", name="Use this tab").click()
    first.locator("#messages p", has_text="from the second tab").wait_for()
    receiver.page.locator("#closed").wait_for()


def test_one_left_alone_may_find_a_new_partner(pair, new_worker, impatient):
    """Nobody comes back: the choices appear, and the next conversation starts empty."""
    sharer, receiver = pair(url=impatient)
    talk(sharer, receiver)
    receiver.close()
    sharer.page.locator("#gone").wait_for(timeout=30_000)
    look(sharer.page, "11-gone")
    sharer.page.locator("#gone").get_by_role("button", name="Wait longer").click()
    sharer.page.locator("#away").wait_for()
    sharer.page.locator("#gone").wait_for(timeout=30_000)
    sharer.page.locator("#gone").get_by_role("button", name="New partner").click()
    sharer.page.locator("#waiting").wait_for()
    third = new_worker(url=impatient)
    third.enter()
    sharer.page.locator("#talking").wait_for()
    assert sharer.messages() == []
    third.page.locator("#talking").wait_for()
    third.say("hello from somebody new")
    sharer.reads("hello from somebody new")
    assert sharer.messages() == ["hello from somebody new"]


def test_one_who_is_silent_is_asked_before_the_chat_ends(pair, impatient):
    sharer, receiver = pair(url=impatient)
    receiver.page.locator("#idle").wait_for(timeout=30_000)
    assert re.fullmatch(r"9:\d\d|10:00", receiver.page.inner_text("#idle-left"))
    look(receiver.page, "12-idle")
    receiver.page.reload()
    receiver.page.locator("#idle").wait_for()
    receiver.say("here I am")
    receiver.page.locator("#idle").wait_for(state="hidden")
    sharer.reads("here I am")


def test_personal_information_is_asked_about_before_it_goes(pair):
    sharer, receiver = pair()
    sharer.say("call me: 555 010 9999")
    dialog = sharer.page.get_by_role("dialog")
    dialog.wait_for()
    assert "a phone number" in dialog.inner_text()
    look(sharer.page, "13-personal")
    dialog.get_by_role("button", name="Change it").click()
    assert sharer.page.input_value("#text") == "call me: 555 010 9999"
    assert sharer.messages() == []
    sharer.page.press("#text", "Enter")
    dialog.get_by_role("button", name="Send it").click()
    receiver.reads("call me: 555 010 9999")
    assert receiver.messages() == ["call me: 555 010 9999"]


def test_each_personal_message_is_asked_about_by_itself_and_in_its_turn(pair):
    """Three messages wait, two of them personal; the page is loaded again at the first question."""
    sharer, receiver = pair()
    page = sharer.page
    swallow = {"on": False}

    def through(line: Any) -> None:
        server = line.connect_to_server()
        line.on_message(lambda packet: swallow["on"] or server.send(packet))

    page.route_web_socket(re.compile("/socket.io/"), through)
    page.reload()
    page.locator("#talking").wait_for()
    swallow["on"] = True
    for text in ("call me: 555 010 9999", "or write to me@example.org", "and how are you?"):
        sharer.say(text)
    swallow["on"] = False
    asked = page.locator("#personal blockquote")
    for _ in range(2):
        page.reload()
        asked.filter(has_text="call me").wait_for()
        assert len(sharer.messages()) == 3
    page.get_by_role("dialog").get_by_role("button", name="Send it").click()
    asked.filter(has_text="or write").wait_for()
    assert receiver.messages() == ["call me: 555 010 9999"]
    page.get_by_role("dialog").get_by_role("button", name="Change it").click()
    receiver.reads("and how are you?")
    assert page.input_value("#text") == "or write to me@example.org"
    page.locator(".tick.sending").wait_for(state="detached")
    assert sharer.messages() == receiver.messages() == ["call me: 555 010 9999", "and how are you?"]


def test_a_message_that_is_too_long_stays_in_the_box(pair):
    """Sent, one beyond the size of a packet would close the socket, again after every reload."""
    sharer, receiver = pair()
    sharer.say("x" * 70_000)
    sharer.page.locator("#problem", has_text="within 500 characters").wait_for()
    assert sharer.page.inner_text("#room") == "69500 too many"
    assert len(sharer.page.input_value("#text")) == 70_000
    sharer.page.reload()
    sharer.page.locator("#talking").wait_for()
    sharer.say("e\u0301" * 500)  # composed, as the server counts, they are 500
    receiver.reads("\u00e9" * 500)
    assert len(receiver.messages()) == 1


EVIL = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked=1'>",
    "<svg/onload=window.hacked=1>",
    "javascript:window.hacked=1",
    "{{ 7 * 7 }} ${7 * 7} \"'></p></textarea><b>bold</b>",
    "\u202egnp.exe \u0000 <a href=javascript:window.hacked=1>x</a>",
]


def test_nothing_that_people_write_is_run(new_worker, chromium, server):
    """In a message, a worker's name and the survey; looked at by the partner and the requester."""
    both = [new_worker(name=f"<img src=x onerror=window.hacked=1> '\"&{n}") for n in "ab"]
    for worker in both:
        worker.enter()
    for worker in both:
        worker.page.locator("#talking").wait_for()
    sharer, receiver = both if both[0].page.locator("#sharer").is_visible() else both[::-1]
    for text in EVIL:
        sharer.say(text)
        receiver.page.wait_for_function(
            "n => document.querySelectorAll('#messages li.partner').length === n",
            arg=EVIL.index(text) + 1,
        )
    assert receiver.messages()[:5] == EVIL[:5]
    assert receiver.page.locator("#messages p > *").count() == 0
    sharer.page.reload()
    sharer.reads("onerror")
    receiver.say("call 555 010 9999 <img src=x onerror=window.hacked=1>")
    receiver.page.get_by_role("dialog").get_by_role("button", name="Send it").click()
    sharer.page.click("#share")
    end(sharer)
    receiver.page.locator("#survey").wait_for()
    submit(sharer, EVIL[1])
    submit(receiver, EVIL[0])

    requester = new_worker()
    sign_in(requester)
    requester.page.locator("[data-conversation]").first.click()
    requester.page.locator("#transcript li", has_text="submit").last.wait_for()
    assert requester.page.locator("#transcript p > *").count() == 0
    assert EVIL[1] in requester.page.inner_text("#transcript")
    for worker in (*both, requester):
        assert worker.page.evaluate("window.hacked") is None


def test_the_waiting_room_can_be_left(new_worker):
    worker = new_worker()
    worker.enter()
    worker.page.get_by_role("button", name="Leave without a code").click()
    dialog = worker.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Stay").click()
    assert worker.page.locator("#waiting").is_visible()
    worker.page.get_by_role("button", name="Leave without a code").click()
    dialog.get_by_role("button", name="Leave without a code").click()
    worker.page.locator("#done").wait_for()
    assert worker.page.locator("#done-code").is_hidden()
    look(worker.page, "15-left")
