"""Opening a review from files."""

from __future__ import annotations

import json

import msgspec

from photochat.records import write_records
from tests.conftest import make_dialogue
from verification.finding import Checked, write_findings
from verification.review import desk as desks
from verification.review.opening import open_desk
from verification.votes import Vote


def test_nothing_on_the_page_tells_gold_from_the_others(tmp_path):
    """Neither the checks, which did not see a made-up dialogue, nor the counters."""
    write_records(tmp_path / "raw.jsonl", [make_dialogue(dialogue_id=n) for n in range(4)])
    write_findings(tmp_path / "findings.jsonl", [Checked(n, (), ("fluency",)) for n in range(4)])
    made_up = json.loads(msgspec.json.encode(make_dialogue("0:gold 1:*", dialogue_id=9)))
    (tmp_path / "gold.jsonl").write_text(json.dumps({**made_up, "gold": "reject"}))
    opened = open_desk(
        tmp_path / "raw.jsonl", f"sqlite:///{tmp_path}/review.db", tmp_path, secret="s",
        findings=tmp_path / "findings.jsonl", gold=tmp_path / "gold.jsonl", overlap=1,
        gold_share=0.5,
    )  # fmt: skip
    assert opened.unchecked == 0
    shown, done = {}, []
    while (sheet := desks.sheet(opened.desk, "ann", 1.0)).view is not None:
        shown[sheet.view.dialogue_id] = sheet.view
        done.append((sheet.progress.given, sheet.progress.wanted))
        desks.vote(opened.desk, Vote(sheet.view.dialogue_id, "ann", "accept"), 2.0)
    opened.desk.database.close()
    assert {view.skipped for view in shown.values()} == {("fluency",)}
    assert "early-share" in {f.finding.check for line in shown[9].lines for f in line.findings}
    assert done == [(n, 5) for n in range(5)]
    assert (sheet.progress.given, sheet.progress.wanted) == (5, 5)
