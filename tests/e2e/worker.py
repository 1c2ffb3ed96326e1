"""What a worker does in the browser."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from tests.e2e.chat_server import ADMIN_TOKEN

ANSWERS = ((1, 1), (2, 2), (3, 3))  # the right ones to the questions of collection/wording.py
TALK = "sharer:you will not guess where I am|sharer:go on!|receiver:at work?|sharer:a new place|"
TALK += "receiver:tell me more"
PATIENCE_MS = 10_000
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Worker:
    """One person with a browser context of their own."""

    def __init__(self, browser: Any, url: str, name: str, **context: Any) -> None:
        self.url = url
        self.name = name
        self.complaints: list[str] = []
        self.context = browser.new_context(
            **{"viewport": {"width": 1200, "height": 800}, "reduced_motion": "reduce", **context}
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.tab()

    def tab(self) -> Any:
        """Open a further tab; whatever goes wrong in it is a complaint."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        return page

    def _heard(self, message: Any) -> None:
        network = "status of" in message.text or "net::" in message.text
        if message.type == "error" and not network:
            self.complaints.append(message.text)

    @property
    def link(self) -> str:
        """The invitation link."""
        return f"{self.url}/join/photochat?{urlencode({'worker': self.name})}"

    def enter(self) -> None:
        """Be in the waiting room, or straight in a chat; the forms are posted without a look."""
        answer = self.context.request.get(self.link)
        for step, fields in (
            ("consent", {"agree": "yes"}),
            ("instructions", {}),
            ("check", {f"q{question}": str(option) for question, option in ANSWERS}),
        ):
            csrf = CSRF.search(answer.text())
            assert csrf, answer.text()
            answer = self.context.request.post(
                f"{self.url}/{step}", form={"csrf": csrf[1], **fields}
            )
        self.page.goto(f"{self.url}/chat")

    def answer(self, answers: tuple[tuple[int, int], ...] = ANSWERS) -> None:
        """Answer the check."""
        for question, option in answers:
            self.page.check(f"#q{question}-{option}")
        self.page.get_by_role("button", name="Continue").click()

    def say(self, text: str) -> None:
        """Write a message."""
        self.page.fill("#text", text)
        self.page.press("#text", "Enter")

    def reads(self, text: str) -> None:
        """Wait until a message can be read."""
        self.page.locator("#messages p", has_text=text).first.wait_for()

    def messages(self) -> list[str]:
        """Return the messages on the page."""
        return list(self.page.locator("#messages li:not(.line-item) p").all_inner_texts())

    def close(self) -> None:
        """Close the browser context."""
        self.context.close()


def talk(sharer: Worker, receiver: Worker) -> None:
    """Say what must be said before the photo can be shared."""
    for line in TALK.split("|"):
        who, text = line.split(":")
        speaker, listener = (sharer, receiver) if who == "sharer" else (receiver, sharer)
        speaker.say(text)
        listener.reads(text)


def share(sharer: Worker, receiver: Worker) -> None:
    """Talk, then share the photo."""
    talk(sharer, receiver)
    sharer.page.click("#share")
    receiver.page.locator("#messages img").wait_for()


def end(worker: Worker) -> None:
    """End the chat."""
    worker.page.click("#finish")
    worker.page.get_by_role("dialog").get_by_role("button", name="End chat").click()
    worker.page.locator("#survey").wait_for()


def submit(worker: Worker, comment: str = "") -> str:
    """Answer the survey; return the completion code."""
    worker.page.locator(".points label").nth(3).click()
    worker.page.fill("textarea[name=comments]", comment)
    worker.page.get_by_role("button", name="Submit").click()
    worker.page.locator("#done").wait_for()
    return str(worker.page.inner_text("#code"))


def sign_in(requester: Any) -> None:
    """Open the dashboard."""
    requester.page.goto(f"{requester.url}/admin")
    requester.page.fill("#token", ADMIN_TOKEN)
    requester.page.get_by_role("button", name="Open").click()
    requester.page.locator("#status:not(:text('…'))").wait_for()
