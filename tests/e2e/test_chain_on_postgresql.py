"""The whole chain on PostgreSQL and Redis, killed while people talk, and run again to its end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from collection.simulate.compare import compare, read_export
from collection.simulate.diary import read_diary
from photochat.pool import read_pool
from photochat.release import read_release
from photochat.sample_pictures import write_pictures
from tests.conftest import SAMPLE
from tests.e2e.hurry import hurried

PIPELINE = """
seed = 1
[filter]
boxes = ["open_images/validation-annotations-bbox.csv", "open_images/test-annotations-bbox.csv"]
classes = ["open_images/class-descriptions.csv"]
hierarchy = "open_images/class-hierarchy.json"
[images]
folder = "images"
[collect]
campaign = "campaign.toml"
pairs = 6
options = ["--db", "{chat}", "--redis-url", "{redis}", "--rate", "5"]
[check]
models = false
options = ["--processes", "1"]
"""
REVIEWED = """
[review]
votes = ["{review}"]
[bm25]
[intent]
preset = "tfidf"
[package]
name = "small"
license = "cc-by-4.0"
"""
SPLIT = "[split]\ndev = 1\ntest = 1\n"


def campaigns(url: str) -> list[str]:
    """Return the campaigns that a chat server's database holds."""
    engine = sa.create_engine(url.replace("postgresql", "postgresql+psycopg", 1))
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("campaigns"):
            return []
        found = list(connection.execute(sa.text("SELECT name FROM campaigns")).scalars())
    engine.dispose()
    return found


def still_running(folder: Path) -> list[str]:
    """Return the processes whose command line names a folder."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has just ended
            continue
        if str(folder) in words:
            found.append(words)
    return found


@pytest.mark.slow
def test_the_chain_on_postgresql_and_redis(postgres, redis_url, tmp_path, run_photochat):
    chat, review = postgres.new_database(), postgres.new_database()
    shutil.copytree(SAMPLE.parent / "open_images", tmp_path / "open_images")
    campaign = hurried(waiting=(20, 8), conversation=(40, 20), submit=(20, 10))
    (tmp_path / "campaign.toml").write_text(campaign)
    file = tmp_path / "pipeline.toml"
    start = PIPELINE.format(chat=chat, redis=redis_url)
    file.write_text(start + SPLIT)
    status, _, err = run_photochat("pipeline", "run", file, "--until", "filter")
    assert status == 0, err
    work = tmp_path / "work"
    write_pictures(read_pool(work / "pool.parquet"), tmp_path / "images")

    # kill -9 in the middle of the conversations: nothing that it had started goes on.
    running = subprocess.Popen(
        [sys.executable, "-m", "photochat", "pipeline", "run", file, "--until", "check"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    diary, end = work / "collect" / "workers.jsonl", time.monotonic() + 60
    while not (diary.exists() and "acked" in diary.read_text()):
        assert running.poll() is None, running.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.1)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    [killed] = campaigns(chat)
    end = time.monotonic() + 20
    while still_running(tmp_path):
        assert time.monotonic() < end, still_running(tmp_path)
        time.sleep(0.1)

    # Run again: another rehearsal in the same database, beside what is left of the first.
    status, _, err = run_photochat("pipeline", "run", file, "--until", "check")
    assert status == 0, err
    assert killed in campaigns(chat)
    assert len(campaigns(chat)) == 2
    assert not (work / "collect" / "chat.db").exists()
    found = compare(read_diary(diary), read_export(work / "collect" / "raw.jsonl"))
    assert found.doubled == found.reordered == found.changed == 0

    # People review in a database of their own, and the chain goes on with their votes.
    status, _, err = run_photochat(
        "simulate-reviews", "--in", work / "collect" / "raw.jsonl", "--findings",
        work / "findings.jsonl", "--db", review, "--reviewer", "ann=0.95", "--reviewer", "bob=0.95",
        "--overlap", "2", "--seed", "1",
    )  # fmt: skip
    assert status == 0, err
    file.write_text(start + REVIEWED.format(review=review) + SPLIT)
    status, out, err = run_photochat("pipeline", "run", file, "--json")
    assert status == 0, err
    assert json.loads(out)["run"][0] == "decide"
    assert read_release(work / "release").dialogues
    assert (work / "package" / "croissant.json").exists()
    assert "in the release" in (work / "report.html").read_text()
