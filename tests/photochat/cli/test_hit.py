"""`photochat hit`: the templates listed, looked at and checked from the command line."""

from __future__ import annotations

import json
import socket
import threading
import urllib.parse
import urllib.request

import pytest

from collection.campaign import Campaign
from collection.recruiting import hit_preview
from collection.recruiting.hits import Templates
from photochat.errors import DataError


def test_list_names_every_template(run_photochat):
    status, out, _ = run_photochat("hit", "list", "--json")
    assert status == 0
    assert set(json.loads(out)) == set(Templates().hits)


def test_check_says_what_is_wrong_and_ends_with_1(run_photochat, tmp_path):
    assert run_photochat("hit", "check")[0] == 0
    hits = Templates().text("hits.toml")
    title = Templates().hit("verification").title
    (tmp_path / "hits.toml").write_text(hits.replace(title, "x" * 129))
    status, out, err = run_photochat("hit", "check", "--templates", tmp_path)
    assert status == 1
    assert "verification: title has 129 characters, at most 128 are taken" in err
    assert "verification" in out


def test_preview_takes_the_campaigns_words_and_given_values(run_photochat, tmp_path):
    config, data, out = (tmp_path / name for name in ("c.toml", "d.json", "p.html"))
    config.write_text('[texts]\ncontact = "lab@example.org"\n')
    data.write_text('{"amount": "7.77", "reason": "<because>"}')
    arguments = ["hit", "preview", "compensation", "--config", config, "--data", data]
    status, _, err = run_photochat(*arguments, "--out", out)
    assert (status, err) == (0, f"{out}: open it in a browser\n")
    # The page stands in the file as a string of its script.
    assert "7.77" in out.read_text()
    status, xml, _ = run_photochat(*arguments, "--xml")
    assert "&lt;because&gt;" in xml
    assert "lab@example.org" in xml


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nothing", "--xml"], "nothing: no such template: there are chat,"),
        (["verification"], "choose one of --out FILE, --serve and --xml"),
        (["verification", "--xml", "--serve"], "choose one of"),
        (["consent", "--xml"], "consent: is a part of other pages"),
        (["chat", "--out", "x.html"], "chat: is served by the chat server"),
        (["chat", "--serve"], "--url: name the chat's link"),
        (["verification", "--xml", "--data", "none.json"], "none.json: cannot be read"),
        (["verification", "--xml", "--data", "list.json"], "list.json: must be one JSON object"),
        (["verification", "--xml", "--data", "broken.json"], "broken.json: is not JSON"),
        (["verification", "--xml", "--templates", "none"], "none: no such folder"),
        (["verification", "--xml", "--data", "turns.json"], "verification.html.j2"),
    ],
)
def test_what_cannot_be_shown_is_one_line(run_photochat, tmp_path, monkeypatch, arguments, problem):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "turns.json").write_text('{"turns": [{"text": "no speaker"}]}')
    status, out, err = run_photochat("hit", "preview", *arguments)
    assert (status, out) == (2, "")
    assert problem in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "x.html").exists()


def test_the_served_preview_hands_in_to_itself_alone():
    ready: list[str] = []
    there = threading.Event()
    campaign, templates = Campaign(), Templates()
    values = templates.example("compensation", campaign)
    threading.Thread(
        target=lambda: hit_preview.serve(
            templates, "compensation", values, campaign, port=0,
            ready=lambda address: (ready.append(address), there.set()),
        ),
        daemon=True,
    ).start()  # fmt: skip
    assert there.wait(10)

    def get(path, data=None):
        with urllib.request.urlopen(ready[0] + path, data, timeout=10) as answer:
            return answer.read().decode()

    assert f'action="{ready[0]}/mturk/externalSubmit"' in get("/task")
    assert "mturk.com" not in get("/task")
    form = urllib.parse.urlencode({"assignmentId": "3X", "code": "<b>"}).encode()
    assert "&lt;b&gt;" in get("/mturk/externalSubmit", form)
    port = int(ready[0].rpartition(":")[2])
    with pytest.raises(DataError, match=f"port {port}: is taken"):
        hit_preview.serve(templates, "compensation", values, campaign, port=port)
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass  # the first one is still there
