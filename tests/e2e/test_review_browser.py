"""The review page in a real browser: keys alone, reloads, a killed server, nothing lost."""

from __future__ import annotations

import pytest

from tests.e2e.looks import look
from tests.e2e.review_server import ReviewServer
from verification.review.store import read_all_votes, read_trail

REVIEWED = 50
PATIENCE_MS = 30_000


@pytest.fixture
def server(tmp_path):
    server = ReviewServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def open_page(chromium):
    """Open a reviewer's page; at the end nothing may have gone wrong in it."""
    complaints, contexts = [], []

    def heard(message):
        network = "net::" in message.text or "status of" in message.text
        if message.type == "error" and not network:
            complaints.append(message.text)

    def enter(link):
        context = chromium.new_context(viewport={"width": 1200, "height": 800})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", heard)
        page.goto(link)
        return page

    yield enter
    for context in contexts:
        context.close()
    assert complaints == []


def on_screen(page):
    return int(page.locator("main").get_attribute("data-dialogue"))


def moves_on(page, number):
    page.wait_for_function(
        "n => document.querySelector('main').dataset.dialogue !== n", arg=str(number)
    )


def decide(page, keys):
    """Press keys, the last of which decides; return the dialogue decided on."""
    number = on_screen(page)
    for key in keys:
        page.keyboard.press(key)
    moves_on(page, number)
    return number


@pytest.mark.slow
def test_fifty_dialogues_by_keyboard_with_reloads_and_a_server_killed_in_between(server, open_page):
    """What was pressed is what the database has, though the server is killed before an answer."""
    page = open_page(server.links["ann"])
    pressed = {}
    for turn in range(REVIEWED):
        keys, verdict, reasons = (
            ("a", "accept", ()),
            ("1r", "reject", ("no-association",)),
            ("45r", "reject", ("typos", "broken-english")),
            ("u", "unsure", ()),
        )[turn % 4]
        number = on_screen(page)
        pressed[number] = (verdict, reasons)
        if turn in (9, 30):  # reloaded with a reason chosen
            page.keyboard.press(keys[0])
            page.reload()
            assert on_screen(page) == number
            assert page.locator("[name=reasons]").nth(int(keys[0]) - 1).is_checked()
            keys = keys[1:]
        if turn in (14, 36):  # killed with an answer on its way
            server.kill()
            for key in keys:
                page.keyboard.press(key)
            page.locator("#offline", has_text="Not saved yet").wait_for()
            if turn == 36:
                server.start()
                page.reload()
            else:
                server.start()
            moves_on(page, number)
        else:
            decide(page, keys)
    votes = read_all_votes(server.db)
    assert {v.dialogue_id: (v.verdict, v.reasons) for v in votes} == pressed
    assert len(votes) == REVIEWED
    assert [e.dialogue_id for e in read_trail(server.db) if e.kind == "voted"] == list(pressed)
    assert page.locator(".pace").inner_text().startswith(f"{REVIEWED} by you")


def test_undo_skip_comment_and_help_by_keyboard_and_what_it_looks_like(server, open_page):
    page = open_page(server.links["ann"])
    assert page.locator("img").evaluate("i => i.decode().then(() => i.naturalWidth)") > 100
    assert page.locator("mark").count() >= 3
    look(page, "40-review")
    for width, height in ((1200, 800), (320, 640)):
        page.set_viewport_size({"width": width, "height": height})
        box = page.locator("button.reject").bounding_box()
        assert box["y"] + box["height"] <= height  # the verdicts are always in reach
    page.set_viewport_size({"width": 1200, "height": 800})
    page.keyboard.press("r")  # without a reason
    assert "Choose at least one reason" in page.locator("#problem").inner_text()
    page.keyboard.press("c")
    page.keyboard.type("a, r and 1 are letters here")
    page.keyboard.press("Escape")
    look(page, "41-review-problem")
    first = decide(page, "3r")
    assert page.evaluate("document.activeElement.tagName") == "H1"  # read out by a screen reader
    second = on_screen(page)
    page.keyboard.press("z")
    moves_on(page, second)
    assert on_screen(page) == first
    assert page.locator("#said").inner_text().startswith("Your last vote is taken back")
    assert page.locator("#comment").input_value() == "a, r and 1 are letters here"
    assert page.locator("[name=reasons]").nth(2).is_checked()
    look(page, "42-review-undone")
    decide(page, "a")
    assert decide(page, "s") == second
    page.keyboard.press("?")
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("a")  # decides nothing while the list is open
    look(page, "43-review-keys")
    page.keyboard.press("Escape")
    page.locator("#keys").uncheck()
    page.keyboard.press("a")  # nor when keys are turned off
    [vote] = read_all_votes(server.db)
    assert (vote.verdict, vote.reasons, vote.comment) == (
        "accept",
        (),
        "a, r and 1 are letters here",
    )
    bob = open_page(server.links["bob"])
    assert on_screen(bob) == first  # what has a vote is finished first
    kinds = [entry.kind for entry in read_trail(server.db) if entry.reviewer == "ann"]
    assert kinds == ["given", "voted", "given", "undone", "voted", "skipped", "given"]


def test_without_a_link_there_is_only_the_door_and_without_script_plain_forms_do(
    server, open_page, chromium
):
    page = open_page(server.links["ann"].rpartition("/in/")[0])
    look(page, "44-review-door")
    page.fill("#token", server.links["bob"])
    page.keyboard.press("Enter")
    page.locator("h1", has_text="Dialogue").wait_for()
    context = chromium.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(server.links["ann"])
    plain.get_by_label("Too many typos").check()
    plain.get_by_role("button", name="Reject").click()
    assert plain.locator(".pace").inner_text().startswith("1 by you")
    context.close()
    [vote] = read_all_votes(server.db)
    assert (vote.reviewer, vote.reasons) == ("ann", ("typos",))
