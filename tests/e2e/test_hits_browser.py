"""What workers on a platform see, in a real browser: the tasks' pages, the chat in a frame, and the
requester's review of what they handed in."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from collection.campaign import Campaign, load_campaign
from collection.database import Database
from collection.money import ledger
from collection.money.calls import publish
from collection.money.fees import MTURK
from collection.recruiting import hit_preview
from collection.recruiting.hits import Templates
from collection.recruiting.recruiter import Order
from collection.tables import ledger as ledger_table
from collection.tables import participants, postings, submissions
from photochat.cli.typed import free_port
from tests.e2e.chat_server import ChatServer
from tests.e2e.looks import look
from tests.e2e.worker import ANSWERS, sign_in

TEMPLATES = Templates()
REASON = "There is no talk in it: all messages are the same word. Please write to us to try again."
CAMPAIGN = """
[recruiting]
recruiter = "mturk"
submit_hosts = ["127.0.0.1:{port}"]
[pay]
reward = "1.20"
budget = "50.00"
[pay.bonus]
complete = "0.80"
"""


@pytest.fixture
def page(chromium) -> Iterator[object]:
    """A page in which nothing may fail."""
    context = chromium.new_context(viewport={"width": 1200, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    yield page
    context.close()
    assert problems == []


def file_of(tmp_path, name):
    """A template's page in a file, accepted, with nowhere to send it to."""
    values = TEMPLATES.example(name, Campaign())
    html = hit_preview.framed_page(TEMPLATES, name, values)
    assert html is not None
    path = tmp_path / f"{name}.html"
    path.write_text(html)
    accepted = {"assignmentId": "3X", "turkSubmitTo": hit_preview.NOWHERE}
    return f"file://{path}", urlencode(accepted)


@pytest.mark.parametrize("name", sorted(set(TEMPLATES.hits) - {"chat"}))
def test_a_template_looks_right_at_each_width(page, tmp_path, name):
    """Labels, contrast, sizes; nothing wider than the screen; also with everything unfolded."""
    address, accepted = file_of(tmp_path, name)
    page.goto(f"{address}#{accepted}")
    if name == "verification":
        page.keyboard.press("r")
        page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    look(page, f"30-{name}")


def test_the_verification_task_is_done_by_keys_alone(page, tmp_path):
    """One key a verdict; a rejection needs a reason; what is handed in says both."""
    path = tmp_path / "preview.html"
    values = TEMPLATES.example("verification", Campaign())
    path.write_text(hit_preview.preview_file(TEMPLATES, "verification", values, Campaign()))
    page.goto(f"file://{path}")
    frame = page.frame_locator("#frame")
    frame.get_by_text("This is a preview").wait_for()
    assert frame.locator("#submit").is_disabled()
    page.click("#accept")
    frame.locator("#submit:enabled").wait_for()
    assert frame.locator("#preview").is_hidden()
    frame.locator("h1").click()
    for key in ("r", "Enter"):
        page.keyboard.press(key)
    frame.locator("#problem", has_text="at least one reason").wait_for()
    frame.locator("#comment").press_sequentially("a r u 1 2")
    assert frame.locator("[name=verdict]:checked").get_attribute("value") == "reject"
    frame.locator("h1").click()
    for key in ("2", "4", "2", "Enter"):
        page.keyboard.press(key)
    answers = frame.locator("pre").inner_text().splitlines()
    assert {"verdict: reject", "reasons: typos", "comment: a r u 1 2", "dialogue_id: 17"} <= set(
        answers
    )


def test_a_task_opened_from_an_unknown_place_cannot_be_handed_in(page, tmp_path):
    """It says so before anybody works on it."""
    address, _ = file_of(tmp_path, "verification")
    evil = urlencode({"assignmentId": "3X", "turkSubmitTo": "https://evil.example"})
    page.goto(f"{address}#{evil}")
    page.locator("#unknown").wait_for()
    assert page.locator("#submit").is_disabled()
    assert page.evaluate("task.action").startswith(hit_preview.NOWHERE)


@pytest.fixture(scope="module")
def framed(tmp_path_factory) -> Iterator[tuple[ChatServer, str, object]]:
    """A chat server of an MTurk campaign, and the preview that frames it as MTurk does."""
    folder, port = tmp_path_factory.mktemp("framed"), free_port()
    server = ChatServer(folder, away=60, idle_nudge=600, idle_end=1200)
    with (folder / "campaign.toml").open("a") as file:
        file.write(CAMPAIGN.format(port=port))
    server.start()
    campaign = load_campaign(folder / "campaign.toml")
    values = {"url": f"{server.url}/join/photochat"}
    ready: list[str] = []
    threading.Thread(
        target=lambda: hit_preview.serve(
            TEMPLATES, "chat", values, campaign, port=port, ready=ready.append
        ),
        daemon=True,
    ).start()
    while not ready:
        time.sleep(0.01)
    yield server, ready[0], folder
    server.stop()


def test_two_chat_in_the_platforms_frame_and_hand_in_and_are_reviewed(framed, new_worker):
    """From the preview to the platform's next page, without leaving the frame; then the review."""
    server, preview, folder = framed
    workers = [new_worker(url=server.url) for _ in range(2)]
    frames = []
    for worker in workers:
        page = worker.page
        page.goto(f"{preview}/?worker={worker.name}")
        frame = page.frame_locator("#frame")
        frame.get_by_text("Accept the task to begin").wait_for()
        assert "1.20 USD" in frame.locator("main").inner_text()
        assert frame.locator("form").count() == 0
        if worker is workers[0]:
            look(page, "31-framed-preview")
        page.click("#accept")
        frame.get_by_role("button", name="I agree").click()
        frame.get_by_role("button", name="I have read this").click()
        for question, option in ANSWERS:
            frame.locator(f"#q{question}-{option}").check()
        frame.get_by_role("button", name="Continue").click()
        frames.append(frame)
    for frame in frames:
        frame.locator("#talking").wait_for()
    if not frames[0].locator("#sharer").is_visible():
        frames.reverse()
        workers.reverse()
    sharer, receiver = frames
    for number, frame in enumerate((sharer, receiver, sharer, receiver, sharer)):
        frame.locator("#text").fill(f"message {number}")
        frame.locator("#text").press("Enter")
        for one in frames:
            one.locator("#messages p", has_text=f"message {number}").wait_for()
    sharer.locator("#share").click()
    receiver.locator("#messages img").wait_for()
    receiver.locator("#finish").click()
    receiver.get_by_role("dialog").get_by_role("button", name="End chat").click()
    codes = []
    for worker, frame in zip(workers, frames, strict=True):
        frame.locator(".points label").nth(3).click()
        frame.get_by_role("button", name="Submit").click()
        button = frame.get_by_role("button", name="Hand in the task")
        button.wait_for()
        assert frame.locator("#done-title").inner_text() == "One last step"
        assert "It counts only then" in frame.locator("#advice").inner_text()
        assert frame.locator("#hand-in-by-hand").is_hidden()
        codes.append(frame.locator("#code").inner_text())
        look(worker.page, "32-framed-done")
        button.click()
        frame.get_by_role("heading", name="Handed in").wait_for()
        assert codes[-1] in frame.locator("dl").inner_text()
        assert "3PREVIEW" in frame.locator("dl").inner_text()
        # Of the dialogues' first buttons, which get the focus when they open all the same.
        worker.complaints[:] = [text for text in worker.complaints if "autofocus" not in text]
    _show_to_the_requester(folder, workers, codes)
    _review(new_worker(url=server.url))


def _show_to_the_requester(folder, workers, codes) -> None:
    """Store what a platform would have shown: one posting, and the two submissions of it."""
    campaign = load_campaign(folder / "campaign.toml")
    database = Database(f"sqlite:///{folder}/chat.db")
    order = Order("", "chat", "t", "d", "k", Decimal("1.20"), 2, 60, 60, 60, "<q/>")
    now = time.time()
    with database.writing.begin() as connection:
        row = ledger.intend(connection, campaign, publish("H", order, MTURK))
        published = {"state": "confirmed", "posting": "H"}
        connection.execute(
            sa.update(ledger_table).where(ledger_table.c.id == row).values(**published)
        )
        where = {"campaign": campaign.name}
        connection.execute(
            sa.insert(postings).values(
                **where, id="H", assignments=2, open=True, pending=0, available=0, seen_at=now
            )
        )
        for number, (worker, code) in enumerate(zip(workers, codes, strict=True)):
            mine = connection.execute(
                sa.select(participants).where(participants.c.worker == worker.name)
            ).one()
            values = {
                "id": mine.assignment, "posting": "H", "worker": worker.name,
                "state": "submitted", "code": code, "submitted_at": now - 300,
                "deadline": now + (3 + 90 * number) * 3600, "participant": mine.id, "seen_at": now,
                "finding": "someone-elses-code" if number else None,
            }  # fmt: skip
            connection.execute(sa.insert(submissions).values(**where, **values))
    database.close()


def _review(requester) -> None:
    """By keys: approve the first, reject the second."""
    sign_in(requester)
    page = requester.page
    page.get_by_role("link", name="Review").click()
    page.get_by_role("heading", name="Review").wait_for()
    assert "2 to decide" in page.inner_text("h1")
    assert page.locator("time.why").first.inner_text() == "2 hours"
    assert "message 4" in page.inner_text("#one .messages")
    look(page, "33-review")
    page.keyboard.press("j")
    page.locator("#one .why", has_text="another worker's").wait_for()
    page.keyboard.press("k")
    page.locator("#one .why", has_text="another worker's").wait_for(state="detached")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    page.locator(".notice", has_text="Written down: approve").wait_for()
    page.keyboard.press("r")
    page.keyboard.type("too short")
    page.get_by_role("button", name="Reject").click()
    page.locator("#reason:invalid").wait_for()
    page.fill("#reason", REASON)
    page.get_by_role("button", name="Reject").press("Enter")
    page.locator(".notice", has_text="Written down: reject").wait_for()
    page.get_by_text("Everything is decided.").wait_for()
    page.get_by_role("link", name="All 2").click()
    page.locator("td", has_text="reject: written down, not yet sent").wait_for()
    look(page, "34-reviewed")
