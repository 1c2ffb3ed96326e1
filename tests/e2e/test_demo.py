"""The demonstration runs from start to end, through the real chat server."""

import pytest

from collection.simulate.compare import compare, read_export
from collection.simulate.diary import read_diary
from photochat.cli.demo import SECRETS
from photochat.release import read_release


@pytest.mark.slow
def test_the_demo_collects_splits_counts_evaluates_and_packages(
    run_photochat, tmp_path, monkeypatch
):
    for name in SECRETS:  # which the demonstration makes up where they are not set
        monkeypatch.setenv(name, "a secret of this test alone")
    out = tmp_path / "demo"
    status, said, err = run_photochat("demo", "--out", out)
    assert status == 0, err
    for command in ("filter", "contact-sheet", "mturk-emulator", "serve", "campaign estimate",
                    "campaign launch", "simulate", "campaign review", "campaign pay",
                    "campaign reconcile", "export", "validate", "check", "simulate-reviews",
                    "decide", "split", "stats", "evaluate bm25", "train intent",
                    "package"):  # fmt: skip
        assert f"$ photochat {command}" in said
    assert len(read_release(out / "release").dialogues) >= 25
    for made in ("contact-sheet.png", "check.html", "decisions/report.html", "plots/themes.svg",
                 "intent/report.html", "package/croissant.json"):  # fmt: skip
        assert (out / made).exists(), made
    found = compare(read_diary(out / "workers.jsonl"), read_export(out / "raw.jsonl"))
    assert found.doubled == found.reordered == found.changed == 0
    status, _, err = run_photochat("demo", "--out", out)
    assert (status, "--force" in err) == (2, True)
