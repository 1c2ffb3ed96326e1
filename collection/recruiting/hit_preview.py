"""A HIT as a worker would meet it: the platform's bar around a frame, before and after Accept.

Nothing here leaves the machine: the frame hands the work in to the preview itself.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from lxml import etree

from collection.campaign import Campaign
from collection.recruiting.hits import Templates
from collection.recruiting.submitting import MTURK_SUBMIT_PATH
from photochat.errors import DataError

NOWHERE = "https://preview.invalid"  # .invalid leads nowhere (RFC 2606)
MADE_UP = {"hitId": "3EXAMPLEHIT", "workerId": "A1EXAMPLEWORKER"}


def framed_page(
    templates: Templates, name: str, values: Mapping[str, Any], submit_to: str = NOWHERE
) -> str | None:
    """Return the page that stands in the frame; None where the chat server serves it.

    A qualification test is shown as a platform would show its QuestionForm.
    """
    hit = templates.hit(name)
    if hit.kind == "external":
        return None
    if hit.kind == "test":
        form = _form_of(templates.question(name, values))
        return templates.page("test", {**form, "contact": values["contact"]}, (submit_to,))
    return templates.page(name, values, (submit_to,))


def preview_file(
    templates: Templates, name: str, values: Mapping[str, Any], campaign: Campaign
) -> str:
    """Return one HTML file with the bar and the page in its frame.

    Raises:
        DataError: the page is the chat server's, and a file cannot show what is served.
    """
    html = framed_page(templates, name, values)
    if html is None:
        raise DataError("is served by the chat server: use --serve with its --url", field=name)
    return bar_page(templates, name, campaign, html=html)


def bar_page(
    templates: Templates,
    name: str,
    campaign: Campaign,
    *,
    html: str | None = None,
    source: str = "",
    submit_to: str = NOWHERE,
) -> str:
    """Return the page with the platform's bar around a frame.

    The frame shows `html`, or what is served at `source`; either gets the parameters that MTurk
    appends, once as before and once as after Accept.
    """
    before = {"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE", "hitId": MADE_UP["hitId"]}
    after = {
        # A new one each time, so that the chat server takes each try for a new assignment.
        "assignmentId": f"3PREVIEW{time.time_ns():X}",
        **MADE_UP,
        "turkSubmitTo": submit_to,
    }
    return templates.bar(
        name=name,
        requester=campaign.texts.requester,
        html=html,
        source=source,
        joint="&" if "?" in source else "?",
        before=urlencode(before),
        after=urlencode(after),
    )


def serve(
    templates: Templates,
    name: str,
    values: Mapping[str, Any],
    campaign: Campaign,
    *,
    port: int,
    ready: Any = None,
) -> None:
    """Serve the preview on 127.0.0.1 until it is interrupted; `ready` is told the address.

    Raises:
        DataError: the port is taken.
    """
    from flask import Flask, request
    from werkzeug.serving import make_server

    app = Flask("hit_preview", static_folder=None)
    try:
        server = make_server("127.0.0.1", port, app, threaded=True)
    except (OSError, SystemExit) as error:  # werkzeug exits where the port is taken
        raise DataError("is taken: name another --port, or 0", field=f"port {port}") from error
    origin = f"http://127.0.0.1:{server.server_port}"
    html = framed_page(templates, name, values, origin)

    @app.get("/")
    def bar() -> str:
        source = "/task" if html is not None else str(values["url"])
        return bar_page(templates, name, campaign, source=source, submit_to=origin)

    @app.get("/task")
    def task() -> str:
        return html or ""

    @app.post(MTURK_SUBMIT_PATH)
    def submitted() -> str:
        return templates.page("submitted", {"fields": request.form.to_dict()}, (origin,))

    if ready is not None:
        ready(origin)
    try:
        server.serve_forever()
    finally:
        server.server_close()


def _form_of(question_form: str) -> dict[str, Any]:
    """Take a QuestionForm apart for the page that shows it."""
    root = etree.fromstring(question_form.encode())
    return {
        "overview": [
            (etree.QName(part).localname, part.text) for part in root.iterfind("{*}Overview/*")
        ],
        "questions": [
            {
                "name": question.findtext("{*}QuestionIdentifier"),
                "text": question.findtext("{*}QuestionContent/{*}Text"),
                "choices": [
                    (choice.findtext("{*}SelectionIdentifier"), choice.findtext("{*}Text"))
                    for choice in question.iterfind(".//{*}Selection")
                ],
            }
            for question in root.iterfind("{*}Question")
        ],
    }
