"""A run over a file: a line for every dialogue, resumed runs equal whole ones, nothing crashes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photochat.dialogue import Dialogue, Turn
from photochat.errors import DataError
from photochat.records import read_records, write_records
from tests.conftest import SAMPLE
from tests.verification.talks import EXAMPLES, talk
from verification import check as module
from verification.check import Models, check, check_dialogue
from verification.checks.duplicates import near_duplicates
from verification.corruptions import CORRUPTIONS, corrupted
from verification.finding import read_findings


def test_every_dialogue_has_a_line_and_processes_make_no_difference(tmp_path):
    one = check(SAMPLE, tmp_path / "one.jsonl", processes=1)
    two = check(SAMPLE, tmp_path / "two.jsonl", processes=2)
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    ids = [dialogue.dialogue_id for dialogue in read_records(SAMPLE)]
    assert [c.dialogue_id for c in read_findings(tmp_path / "two.jsonl")] == ids
    assert one.checked == two.checked
    assert "fluency" in one.checked[0].skipped


def test_an_interrupted_run_goes_on_and_ends_as_a_whole_one(tmp_path, monkeypatch):
    whole = check(SAMPLE, tmp_path / "whole.jsonl", processes=1)
    true, calls = module._check_one, iter(range(50))

    def interrupted(dialogue):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return true(dialogue)

    monkeypatch.setattr(module, "_check_one", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check(SAMPLE, tmp_path / "out.jsonl", processes=1)
    monkeypatch.setattr(module, "_check_one", true)
    assert not (tmp_path / "out.jsonl").exists()
    resumed = check(SAMPLE, tmp_path / "out.jsonl", processes=1)
    assert resumed.resumed == 50
    assert resumed.checked == whole.checked
    assert [file.name for file in tmp_path.iterdir() if "checking" in file.name] == []


def test_a_model_that_is_not_there_is_one_clear_error(tmp_path):
    pytest.importorskip("transformers", reason="the models extra is not installed")
    names = module.ModelNames(encoder=str(tmp_path / "no-model"))
    with pytest.raises(DataError, match="--encoder"):
        check(SAMPLE, tmp_path / "out.jsonl", names, processes=1)


def test_copies_are_found_and_others_left_alone():
    words = [f"word{number}" for number in range(500)]
    draw = random.Random(1)
    made = [
        talk("\n".join(f"{'AB'[i % 2]}: {' '.join(draw.choices(words, k=8))}" for i in range(8)))
        for _ in range(50)
    ]
    copy = Dialogue((*made[3].turns[:-1], Turn("another end", False, 1)), 50, "", "")
    assert set(near_duplicates([*made, copy])) == {3, 50}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.text(max_size=80), st.booleans(), st.integers(0, 3)), min_size=1, max_size=12
    ),
    st.text(max_size=60),
)
def test_no_dialogue_crashes_the_checks(turns, description):
    """Any text, any labels; every span lies within its message."""
    dialogue = Dialogue(tuple(Turn(*turn) for turn in turns), 1, description, "")
    for finding in check_dialogue(dialogue, Models()).findings:
        if finding.start is not None:
            assert finding.start < finding.end <= len(dialogue.turns[finding.turn].message)


@pytest.mark.parametrize(
    "lines",
    [
        ["A: "],
        ["A: 😀😀😀", "B: 🎂🎂", "A: *", "B: 👍"],
        ["A: שלום, מה שלומך היום?", "B: مرحبا كيف حالك", "A: *", "B: תמונה יפה מאוד"],
        ["A: hello there my friend", "B: how are you"] * 5_000,
        ["A: *"],
    ],
    ids=["no text", "emoji", "right to left", "10,000 turns", "photo alone"],
)
def test_odd_dialogues_are_flagged_not_crashed_on(lines):
    checked = check_dialogue(talk("\n".join(lines), "Pájaros"), Models())
    assert checked.severity in ("reject", "review")


def test_the_command_writes_findings_and_a_report_that_escapes(tmp_path, run_photochat):
    dialogues = [talk(*example, dialogue_id=i) for i, example in enumerate(EXAMPLES.values())]
    dialogues.append(talk("A: <script>alert(1)</script> fuck\nB: hi\nA: *", dialogue_id=9))
    write_records(tmp_path / "raw.jsonl", dialogues)
    status, out, err = run_photochat(
        "check", tmp_path / "raw.jsonl", "--out", tmp_path / "f.jsonl", "--no-models",
        "--report", tmp_path / "r.html",
    )  # fmt: skip
    assert status == 0
    assert "association-after-share" in out
    assert "fluency" in err
    assert len((tmp_path / "f.jsonl").read_text().splitlines()) == 4
    page = (tmp_path / "r.html").read_text()
    assert "<script" not in page
    assert '<mark class="reject"' in page


def test_workers_are_counted_by_pseudonym(tmp_path):
    from verification.report import worker_rates

    workers = [{"user_id": 0, "role": "sharer", "worker": "w-a"},
               {"user_id": 1, "role": "receiver", "worker": "w-b"}]  # fmt: skip
    extra = {"collection": {"workers": workers}}
    dialogues = [
        talk(EXAMPLES["pizza"][0] + "A: what photo did you get?", "Pizza, Food", extra=extra)
        for _ in range(3)
    ]
    checked = [check_dialogue(dialogue, Models()) for dialogue in dialogues]
    rows = {row.worker: row.checks for row in worker_rates(dialogues, checked)}
    assert "task-talk (3)" in rows["w-a"]
    assert "task-talk" not in rows["w-b"]


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_corruptions_change_the_dialogue_and_are_repeatable(kind):
    dialogues = read_records(SAMPLE)[:20]
    pairs = corrupted(dialogues, kind)
    assert pairs
    assert any(sound != worse for sound, worse in pairs)
    assert pairs == corrupted(dialogues, kind)


def test_real_accepted_dialogues_are_seldom_flagged(real_photochat):
    """The first hundred of test: at most 4% `reject`, 30% `review`, broken rules aside."""
    dialogues = read_records(real_photochat / "test" / "test_00.json")[:100]
    checked = [check_dialogue(dialogue, Models()) for dialogue in dialogues]
    found = [{f.severity for f in one.findings if f.check not in module.RULES} for one in checked]
    assert sum("reject" in severities for severities in found) <= 4
    assert sum(bool(severities & {"reject", "review"}) for severities in found) <= 30
