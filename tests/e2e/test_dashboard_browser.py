"""The requester's view in a real browser, beside the workers it watches."""

from __future__ import annotations

from tests.e2e.looks import look
from tests.e2e.worker import PATIENCE_MS, sign_in


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
