"""Two people in two real browsers, on a real server."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.e2e.accessibility import problems
from tests.e2e.chat_server import ADMIN_TOKEN, chat_server
from tests.e2e.conftest import ARTIFACTS
from tests.e2e.worker import PATIENCE_MS, end, share, submit, talk

SIZES = {"desktop": (1200, 800), "phone": (320, 640)}
LOOKS = (("desktop", "light"), ("phone", "dark"), ("desktop", "dark"), ("phone", "light"))


def look(page: Any, name: str) -> None:
    """Take pictures of a page as it stands; nothing may be wider than the screen."""
    ARTIFACTS.mkdir(exist_ok=True)
    for size, scheme in LOOKS:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=ARTIFACTS / f"{name}-{size}-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, size)
    width, height = SIZES["desktop"]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="light")
    assert problems(page) == [], name


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
    receiver.page.close()
    sharer.page.locator("#away").wait_for()
    assert re.fullmatch(r"(1:00|0:\d\d)", sharer.page.inner_text("#away-left"))
    assert sharer.page.inner_text("#presence") == "is away"
    look(sharer.page, "9-away")
    sharer.say("are you there?")
    sharer.page.locator(".tick.sent").wait_for()
    receiver.page = receiver.tab()
    receiver.page.goto(receiver.link)
    receiver.reads("are you there?")
    sharer.page.locator("#away").wait_for(state="hidden")
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


def tab_to(page: Any, selector: str) -> None:
    """Press Tab until something has the focus; it must be visible that it has."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            ring = "getComputedStyle(document.activeElement.nextElementSibling ?? document.body)"
            assert "none" not in {page.evaluate(outline)} or page.evaluate(ring).outlineStyle
            return
    raise AssertionError(f"{selector} is not reached by keyboard")


def test_a_whole_conversation_by_keyboard_alone(new_worker):
    ann, bob = new_worker(), new_worker()
    bob.enter()
    page, keys = ann.page, ann.page.keyboard
    page.goto(ann.link)
    keys.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    tab_to(page, "button[value=yes]")
    keys.press("Enter")
    page.wait_for_url("**/instructions")
    tab_to(page, "main button")
    keys.press("Space")
    page.wait_for_url("**/check")
    for question, presses in ((1, 0), (2, 1), (3, 2)):
        tab_to(page, f"#q{question}-1")
        keys.press("Space")
        for _ in range(presses):
            keys.press("ArrowDown")
    tab_to(page, "main button")
    keys.press("Enter")
    page.locator("#talking").wait_for()
    assert page.evaluate("document.activeElement.id") == "text"
    bob.page.locator("#talking").wait_for()
    for number in range(5):
        keys.type(f"message {number}")
        keys.press("Enter")
        bob.reads(f"message {number}")
    if page.locator("#sharer").is_visible():
        tab_to(page, "#share")
        keys.press("Enter")
    else:
        bob.page.click("#share")
    page.locator("#messages img").wait_for()
    tab_to(page, "#messages .photo")
    keys.press("Enter")
    page.locator("#large").wait_for()
    keys.press("Escape")
    assert page.evaluate("document.activeElement.matches('#messages .photo')")
    tab_to(page, "#finish")
    keys.press("Enter")
    page.locator("#confirm-finish").wait_for()
    tab_to(page, "#confirm-finish button[value=yes]")
    keys.press("Enter")
    page.locator("#survey").wait_for()
    assert page.evaluate("document.activeElement.tagName") == "H1"
    tab_to(page, "input[name=natural]")
    keys.press("ArrowRight")
    tab_to(page, "textarea[name=comments]")
    keys.type("by keyboard")
    tab_to(page, "#answers button")
    keys.press("Enter")
    page.locator("#code").wait_for()


def test_what_happens_is_read_out(pair):
    """Messages stand in a live log with their sender; history is not read out as news."""
    sharer, receiver = pair()
    log = receiver.page.locator("#log")
    assert log.get_attribute("role") == "log"
    sharer.say("can you hear me?")
    receiver.reads("can you hear me?")
    assert log.get_attribute("aria-busy") == "false"
    assert receiver.page.inner_text("#messages li.partner .hidden") == "Your friend:"
    sharer.page.get_by_label("Sent", exact=True).wait_for()
    assert receiver.page.get_by_label("Message", exact=True).count() == 1


def test_a_keyboard_on_a_phone_leaves_the_newest_message_in_sight(pair):
    sharer, receiver = pair(viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True)
    share(sharer, receiver)
    sharer.say("this one is the newest")
    for worker in (sharer, receiver):
        worker.reads("this one is the newest")
        worker.page.set_viewport_size({"width": 320, "height": 400})
        worker.page.wait_for_function(
            "document.querySelector('#messages').lastChild.getBoundingClientRect().bottom <= "
            "document.querySelector('#log').getBoundingClientRect().bottom + 1"
        )
        box = worker.page.locator("#text").bounding_box()
        assert box["y"] + box["height"] <= 400
        worker.page.screenshot(path=ARTIFACTS / f"14-keyboard-{worker.name}.png")


def test_nothing_jumps_when_somebody_types_or_a_share_is_refused(pair):
    sharer, receiver = pair()
    before = [sharer.page.locator(s).bounding_box() for s in ("#log", "#say", "#side")]
    receiver.page.locator("#text").press_sequentially("hm")
    sharer.page.locator("#typing").wait_for()
    sharer.page.locator("#share").press("Enter")
    sharer.page.locator("#problem:not(:empty)").wait_for()
    assert [sharer.page.locator(s).bounding_box() for s in ("#log", "#say", "#side")] == before


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


def sign_in(requester: Any) -> None:
    """Open the dashboard."""
    requester.page.goto(f"{requester.url}/admin")
    requester.page.fill("#token", ADMIN_TOKEN)
    requester.page.get_by_role("button", name="Open").click()
    requester.page.locator("#status:not(:text('…'))").wait_for()


def test_the_dashboard_shows_a_conversation_as_it_goes(pair, new_worker):
    sharer, receiver = pair()
    requester = new_worker()
    page = requester.page
    page.goto(f"{requester.url}/admin")
    page.fill("#token", "not the token")
    page.get_by_role("button", name="Open").click()
    assert page.locator("[role=alert]").inner_text() == "That is not the token."
    look(page, "16-token")
    sign_in(requester)
    cookie = {c["name"]: c for c in requester.context.cookies()}["photochat"]
    assert cookie["httpOnly"]
    page.locator("[data-conversation]").first.click()
    sharer.say("seen by the requester")
    page.locator("#transcript p", has_text="seen by the requester").wait_for()
    page.wait_for_function("Number(document.querySelector('#live').textContent) >= 1")
    look(page, "17-dashboard")
    receiver.say("and this one")
    page.locator("#transcript p", has_text="and this one").wait_for()


def test_a_requester_who_plays_a_worker_keeps_both_pages(pair):
    """One browser: signing in to the dashboard does not end the chat, nor the other way round."""
    sharer, _ = pair()
    chat = sharer.page
    sharer.page = sharer.tab()
    sign_in(sharer)
    chat.reload()
    chat.locator("#talking").wait_for()
    assert chat.locator("#picture").evaluate("i => i.decode().then(() => i.naturalWidth)") > 100
    chat.goto(sharer.link)
    chat.locator("#talking").wait_for()
    sharer.page.reload()
    sharer.page.get_by_role("button", name="Pause").wait_for()


def test_a_paused_campaign_takes_nobody_in_until_it_is_resumed(new_worker):
    requester, worker = new_worker(), new_worker()
    sign_in(requester)
    requester.page.get_by_role("button", name="Pause").click()
    requester.page.locator("#status", has_text="paused").wait_for(timeout=PATIENCE_MS)
    worker.page.goto(worker.link)
    assert worker.page.locator("meta[name=reason]").get_attribute("content") == "paused"
    assert worker.page.inner_text("h1") == "The study is taking a break"
    look(worker.page, "18-paused")
    requester.page.get_by_role("button", name="Resume").click()
    requester.page.locator("#status", has_text="open").wait_for()
    worker.page.get_by_role("link", name="Try again").click()
    worker.page.get_by_role("button", name="I agree").wait_for()
