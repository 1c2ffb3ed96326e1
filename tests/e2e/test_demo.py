"""The demonstration runs from start to end, through the real chat server."""

import re

import pytest

from collection.simulate.compare import compare, read_export
from collection.simulate.diary import read_diary
from photochat.cli.rehearse import SECRETS
from photochat.release import read_release


@pytest.mark.slow
def test_the_demo_collects_splits_counts_evaluates_and_reports(
    run_photochat, tmp_path, monkeypatch
):
    for name in SECRETS:  # which the rehearsal makes up where they are not set
        monkeypatch.setenv(name, "a secret of this test alone")
    out = tmp_path / "demo"
    status, _, said = run_photochat("demo", "--out", out)
    assert status == 0, said
    for command in ("filter", "contact-sheet", "rehearse", "mturk-emulator", "serve",
                    "campaign estimate", "campaign launch", "simulate", "campaign review",
                    "campaign pay", "campaign reconcile", "export", "check", "simulate-reviews",
                    "decide", "validate", "split", "stats", "evaluate bm25", "train intent",
                    "train retrieval", "package"):  # fmt: skip
        assert f"$ photochat {command}" in said
    results = out / "results"
    # Of 40 that begin; how many a hurried machine lets end is its affair.
    assert len(read_release(results / "release").dialogues) >= 12
    for made in ("contact-sheet.png", "check.html", "decisions/report.html", "plots/themes.svg",
                 "intent/report.html", "retrieval/gallery.html",
                 "package/croissant.json"):  # fmt: skip
        assert (results / made).exists(), made
    collected = results / "collect"
    found = compare(read_diary(collected / "workers.jsonl"), read_export(collected / "raw.jsonl"))
    assert found.doubled == found.reordered == found.changed == 0
    page = (results / "report.html").read_text()
    for section in ("funnel", "money", "table", "quality", "examples", "models", "time", "next"):
        assert f'id="{section}"' in page, section
    assert page.count("data:image/jpeg") >= 4, "photos of the dialogues"
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page), "nothing from a network"

    status, _, said = run_photochat("demo", "--out", out)
    assert (status, "0 of 15 stages run" in said) == (0, True)
    (tmp_path / "mine").write_text("not a demonstration")
    status, _, err = run_photochat("demo", "--out", tmp_path)
    assert (status, "--force" in err) == (2, True)
