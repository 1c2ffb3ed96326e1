"""By keyboard, by ear, on a phone: who can use the chat."""

from __future__ import annotations

from typing import Any

from tests.e2e.looks import ARTIFACTS
from tests.e2e.worker import share


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
        ARTIFACTS.mkdir(exist_ok=True)
        worker.page.screenshot(path=ARTIFACTS / f"14-keyboard-{worker.name}.png")


def test_nothing_jumps_when_somebody_types_or_a_share_is_refused(pair):
    sharer, receiver = pair()
    before = [sharer.page.locator(s).bounding_box() for s in ("#log", "#say", "#side")]
    receiver.page.locator("#text").press_sequentially("hm")
    sharer.page.locator("#typing").wait_for()
    sharer.page.locator("#share").press("Enter")
    sharer.page.locator("#problem:not(:empty)").wait_for()
    assert [sharer.page.locator(s).bounding_box() for s in ("#log", "#say", "#side")] == before
