"""`photochat pipeline` on a small chain of real commands; killed at any moment it goes on."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from photochat.pipeline.digest import content_of
from photochat.records import read_records, write_records
from tests.conftest import SAMPLE
from tests.forked import COMMAND_LINE, Forked

KILLS = 20
PIPELINE = """
out = "work"
seed = 1
[filter]
boxes = ["open_images/test-annotations-bbox.csv"]
classes = ["open_images/class-descriptions.csv"]
hierarchy = "open_images/class-hierarchy.json"
[collect]
raw = "raw.jsonl"
[check]
models = false
options = ["--processes", "1"]
[review]
votes = ["votes.jsonl"]
[split]
dev = 4
test = 4
[bm25]
[intent]
preset = "tfidf"
[package]
name = "small"
license = "cc-by-4.0"
"""
# Everything but times: of runs, of the state, and of the page.
COMPARED = ("pool.parquet", "findings.jsonl", "decisions", "release", "package", "answers",
            "intent/model", "intent/settings.json")  # fmt: skip


@pytest.fixture
def chain(tmp_path) -> Path:
    """A pipeline file, and what it reads: 40 dialogues and two votes on each."""
    shutil.copytree(SAMPLE.parent / "open_images", tmp_path / "open_images")
    dialogues = read_records(SAMPLE)[:40]
    write_records(tmp_path / "raw.jsonl", dialogues)
    votes = [
        {"dialogue_id": d.dialogue_id, "reviewer": reviewer,
         "verdict": "reject" if d.dialogue_id % 9 == 0 else "accept",
         **({"reasons": ["unnatural"], "comment": "no"} if d.dialogue_id % 9 == 0 else {})}
        for d in dialogues
        for reviewer in ("ann", "bob")
    ]  # fmt: skip
    (tmp_path / "votes.jsonl").write_text("".join(json.dumps(vote) + "\n" for vote in votes))
    file = tmp_path / "pipeline.toml"
    file.write_text(PIPELINE)
    return file


def results(file: Path) -> dict[str, str]:
    work = file.parent / "work"
    return {name: content_of(work / name, {}, name) for name in COMPARED}


def test_a_chain_runs_is_skipped_and_reported(chain, run_photochat):
    status, out, _ = run_photochat("pipeline", "run", chain, "--dry-run")
    assert status == 0
    assert "split: runs: not done yet" in out
    assert "photochat split" in out
    assert not (chain.parent / "work" / "pool.parquet").exists()
    status, out, err = run_photochat("pipeline", "run", chain, "--json")
    assert status == 0, err
    assert len(json.loads(out)["run"]) == 10
    report = (chain.parent / "work" / "report.html").read_text()
    for words in (
        "in the release",
        "tfidf",
        "BM25 over labels",
        "rejected: unnatural",
        "What next",
    ):
        assert words in report
    assert "http" not in report.replace("http-equiv", "")
    status, out, err = run_photochat("pipeline", "run", chain)
    assert (status, out) == (0, "")
    assert "0 of 10 stages run" in err
    status, out, _ = run_photochat("pipeline", "status", chain, "--json")
    assert {row["state"] for row in json.loads(out)} == {"done"}
    chain.write_text(PIPELINE.replace("dev = 4", "dev = 5"))
    status, out, _ = run_photochat("pipeline", "status", chain)
    assert "runs: its settings have changed" in out
    assert "perhaps, after split" in out
    status, _, err = run_photochat("pipeline", "run", chain, "--from", "nowhere")
    assert (status, "no stage 'nowhere'" in err) == (2, True)
    chain.write_text(PIPELINE.replace("dev = 4", "dev = 4000"))
    status, _, err = run_photochat("pipeline", "run", chain)
    assert status == 2
    assert len(err.strip().splitlines()[-1]) < 300


# What is imported and read (word lists) before the chain begins.
BEFORE = f"""
import contextlib
import bm25s, crowdkit.aggregation, duckdb, krippendorff, pyarrow.parquet, sklearn.linear_model
{COMMAND_LINE}
sys.stderr = open(os.devnull, "w")

with contextlib.suppress(SystemExit):
    run("check", "raw.jsonl", "--no-models", "--processes", "1", "--out", "warm.jsonl")
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_random_moments_the_result_is_the_same(chain):
    """Twenty times kill -9; each time it went on, and in the end the files are equal."""
    draw = random.Random(7)
    chain.write_text("plots = false\n" + PIPELINE)  # which take longer than all else
    with Forked(BEFORE, chain.parent) as processes:

        def run(kill_after: float | None = None) -> int:
            child = processes.start("pipeline", "run", chain)
            if kill_after is not None:
                time.sleep(kill_after)
                os.kill(child, signal.SIGKILL)
            return processes.wait(child)

        processes.wait(processes.start("--version"))  # it is there
        start = time.monotonic()
        assert run() == 0
        whole, expected = time.monotonic() - start, results(chain)
        kills = 0
        while kills < KILLS:
            shutil.rmtree(chain.parent / "work")
            while kills < KILLS and run(draw.uniform(0, whole / 2)) != 0:
                kills += 1
            assert run() == 0
            assert results(chain) == expected
            assert not list((chain.parent / "work").glob("*.old-*")), "all of it was its own"
