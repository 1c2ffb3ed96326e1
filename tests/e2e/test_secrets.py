"""No secret of the environment stands in any output, log, database or file, whatever goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import requests

from photochat.cli.typed import free_port
from photochat.records import write_records
from tests.collection.stage import ADMIN_TOKEN, SECRET, Server, make_photos
from tests.collection.worker import Worker
from tests.conftest import make_dialogue
from tests.stub_endpoint import StubEndpoint

SECRETS = {
    "PHOTOCHAT_SECRET": SECRET,
    "PHOTOCHAT_ADMIN_TOKEN": ADMIN_TOKEN,
    "PHOTOCHAT_PSEUDONYM_KEY": "pseudonym-key-of-this-test",
    "PHOTOCHAT_LLM_KEY": "model-key-of-this-test-0123",
    "PHOTOCHAT_PROLIFIC_TOKEN": "prolific-token-of-this-test",
    "AWS_ACCESS_KEY_ID": "AKIAOFTHISTEST000000",
    "AWS_SECRET_ACCESS_KEY": "aws-secret-key-of-this-test",
}
CAMPAIGN = """
[pay]
budget = "100.00"
fee_rate = "0.333"
[recruiting]
recruiter = "{recruiter}"
url = "http://127.0.0.1:{port}"
"""
PROLIFIC = """
[recruiting.prolific]
workspace = "w"
project = "p"
codes = {complete = "CODE1", partner_left = "CODE2", no_partner = "CODE3", unfinished = "CODE4"}
"""


@pytest.fixture
def photochat(tmp_path):
    """Run a command with the secrets in its environment; what it printed is kept in a file."""

    def run(*words, file):
        result = subprocess.run(
            [sys.executable, "-m", "photochat", *map(str, words)],
            env=os.environ | SECRETS, cwd=tmp_path, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        (tmp_path / f"{file}.printed").write_bytes(result.stdout + result.stderr)
        return result.returncode

    return run


def test_no_secret_is_written_anywhere(photochat, tmp_path):
    """Serving, exporting, recruiting and describing, each well and with an error."""
    pool, images = make_photos(tmp_path, 8)
    db = f"sqlite:///{tmp_path}/chat.db"
    server = Server(
        tmp_path,
        ["--pool", str(pool), "--images", str(images), "--db", db, "--log-level", "DEBUG"],
    )
    server.start()
    try:
        two = [Worker(server.url, name) for name in ("anna", "ben")]
        for worker in two:
            worker.until_event("paired")
        two[0].say("hello")
        two[0].ask("say", {"client_id": SECRET, "text": [ADMIN_TOKEN]})
        for token in (ADMIN_TOKEN, "wrong"):
            bearer = {"Authorization": f"Bearer {token}"}
            requests.get(f"{server.url}/metrics", headers=bearer)
            requests.get(f"{server.url}/admin/conversations/9999.json", headers=bearer)
            requests.post(f"{server.url}/admin/login", data={"token": token})
        requests.post(f"{server.url}/admin/status", data={"status": ADMIN_TOKEN})
        for worker in two:
            worker.close()
        assert photochat("serve", "--pool", pool, "--images", images, "--db", db,
                         "--port", server.port, file="taken") == 2  # fmt: skip
    finally:
        server.stop()
    assert photochat("export", "--db", db, "--out", "raw.jsonl", file="export") == 0
    assert photochat("export", "--db", "sqlite:///none/x.db", "--out", "x", file="no-db") == 2
    assert photochat("invite", "anna", "--url", server.url, file="invite") == 0

    nobody = free_port()
    for recruiter, more in (("mturk", ""), ("prolific", PROLIFIC)):
        config = tmp_path / f"{recruiter}.toml"
        config.write_text(CAMPAIGN.format(recruiter=recruiter, port=nobody) + more)
        status = photochat(
            "campaign", "launch", "--config", config, "--db", db, "--skip-check",
            "--endpoint", f"http://127.0.0.1:{nobody}", file=recruiter,
        )  # fmt: skip
        assert status == 2

    write_records(tmp_path / "talks.jsonl", [make_dialogue(dialogue_id=n) for n in range(3)])
    stub = StubEndpoint()
    try:
        for key, wanted in (("another key", 2), (SECRETS["PHOTOCHAT_LLM_KEY"], 0)):
            stub.key = key
            status = photochat(
                "describe", "--data", "talks.jsonl", "--llm", stub.url, "--llm-model", "m",
                "--out", "d.jsonl", "--retries", "1", file=f"describe-{wanted}",
            )  # fmt: skip
            assert status == wanted
    finally:
        stub.stop()

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len([path for path in files if path.suffix in (".printed", ".log", ".db")]) >= 10
    for path in files:
        content = path.read_bytes()
        for name, value in SECRETS.items():
            assert value.encode() not in content, f"{name} stands in {path.name}"
