"""Stages run when they have to and only then, by commands that stand for real ones."""

import itertools
import json
import shutil
import threading

import pytest

from photochat.errors import DataError
from photochat.pipeline.run import Pipeline
from photochat.pipeline.settings import parse_settings

NAMES = ["check", "review", "decide", "validate", "split", "stats", "intent", "intent-test"]


class Toolkit:
    """Commands that write what the words ask for: the input's content, with their own name."""

    def __init__(self, folder):
        self.folder, self.ran, self.fails = folder, [], ""

    def __call__(self, words):
        self.ran.append(" ".join(words[:2]) if words[0] in ("train", "evaluate") else words[0])
        if self.fails and self.ran[-1].startswith(self.fails):
            return 2, ""
        option = dict(itertools.pairwise(words))
        source = self.folder / "raw.jsonl"
        text = f"{words[0]} {source.read_text()}"
        if words[0] == "check":
            for key in ("--out", "--report"):
                self.write(option[key], text)
        elif words[0] == "simulate-reviews":
            self.write(option["--db"].removeprefix("sqlite:///"), text)
            self.write(option["--known"], text)
        elif words[0] == "decide":
            for name in ("accepted.jsonl", "rejected.jsonl", "report.html"):
                self.write(f"{option['--out']}/{name}", "the same whatever was said")
        elif words[0] in ("split", "train"):
            for name in ("settings.json", "model"):
                self.write(f"{option['--out']}/{name}", text)
        elif words[0] == "stats":
            self.write(f"{option['--plots']}/a.svg", text)
        elif words[0] == "evaluate":
            for name in ("metrics.json", "report.html"):
                self.write(f"{words[1]}/{name}", text)
        return (1 if words[0] == "validate" else 0), json.dumps({"of": words[0]})

    def write(self, name, text):
        from pathlib import Path

        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


@pytest.fixture
def toolkit(tmp_path):
    (tmp_path / "raw.jsonl").write_text("talk")
    return Toolkit(tmp_path)


def opened(folder, **change):
    content = {
        "collect": {"raw": "raw.jsonl"},
        "check": {},
        "review": {"simulated": ["ann=1"]},
        "split": {"dev": 1, "test": 1},
        "intent": {"preset": "tfidf"},
    }
    return Pipeline(parse_settings({**content, **change}), folder)


def go(toolkit, first=None, last=None, **change):
    said = {}
    pipeline = opened(toolkit.folder, **change)
    done = pipeline.run(
        toolkit, first=first, last=last, say=lambda stage, why: said.update({stage.name: why})
    )
    return done, said


def test_everything_runs_once_and_then_nothing(toolkit):
    assert go(toolkit)[0] == NAMES
    done, said = go(toolkit)
    assert (done, set(said.values())) == ([], {""})
    assert [step.why for step in opened(toolkit.folder).plan()] == [""] * len(NAMES)
    answer = toolkit.folder / "work" / "answers" / "decide.json"
    assert json.loads(answer.read_text()) == {"of": "decide"}


def test_the_same_outputs_stop_a_change_from_spreading(toolkit):
    """New dialogues are checked again; what is decided stays the same, so nothing after it runs."""
    go(toolkit)
    (toolkit.folder / "raw.jsonl").write_text("other talk")
    plan = {s.stage.name: (s.why, s.perhaps) for s in opened(toolkit.folder).plan()}
    assert plan["check"] == ("raw.jsonl has changed", False)
    assert plan["split"] == ("after decide", True)
    done, said = go(toolkit)
    assert done == ["check", "review", "decide"]
    assert said["check"] == "raw.jsonl has changed"


def test_settings_outputs_and_the_toolkit_count(toolkit, monkeypatch):
    go(toolkit)
    done, said = go(toolkit, split={"dev": 2, "test": 1})
    assert (done[0], said["split"]) == ("split", "its settings have changed")
    shutil.rmtree(toolkit.folder / "work" / "plots")
    done, said = go(toolkit, split={"dev": 2, "test": 1})
    assert (done, said["stats"]) == (["stats"], "work/plots is gone")
    (toolkit.folder / "work" / "findings.jsonl").write_text("mine")
    assert "changed by somebody else" in go(toolkit, split={"dev": 2, "test": 1})[1]["check"]
    monkeypatch.setattr("photochat.pipeline.run.toolkit_of", lambda package: f"new {package}")
    done, said = go(toolkit, split={"dev": 2, "test": 1})
    assert (done, said["stats"]) == (NAMES, "the toolkit has changed")


def test_what_a_stage_did_not_write_is_kept_under_another_name(toolkit):
    work = toolkit.folder / "work"
    toolkit.write(work / "release" / "mine.txt", "mine")
    _, said = go(toolkit)
    assert said["split"] == "not done yet; work/release is kept as release.old-1"
    assert (work / "release.old-1" / "mine.txt").read_text() == "mine"
    toolkit.write(work / "release" / "model", "by hand")
    _, said = go(toolkit)
    assert said["split"].endswith("somebody else; work/release is kept as release.old-2")
    assert (work / "release.old-2" / "model").read_text() == "by hand"
    toolkit.fails = "split"  # and what a run has written, or has left unfinished, is not kept
    for _ in range(2):
        with pytest.raises(DataError, match="ended with status 2"):
            go(toolkit, split={"dev": 2, "test": 1})
        toolkit.write(work / "release" / "model", "half")
    toolkit.fails = ""
    _, said = go(toolkit, split={"dev": 2, "test": 1})
    assert said["split"] == "not done yet"
    assert not (work / "release.old-3").exists()


def test_a_file_named_in_options_is_an_input_that_lies_beside_the_pipeline_file(toolkit):
    earlier = toolkit.folder / "earlier"
    split = {"dev": 1, "test": 1, "options": ["--previous", "earlier"]}
    toolkit.write(earlier / "release.jsonl", "old")
    go(toolkit, split=split)
    assert go(toolkit, split=split)[0] == []
    toolkit.write(earlier / "release.jsonl", "cut again")
    assert go(toolkit, split=split)[1]["split"] == "earlier has changed"
    shutil.rmtree(earlier)
    with pytest.raises(DataError, match="earlier: is missing, and the stage split reads it"):
        go(toolkit, split=split)
    with pytest.raises(DataError, match=r"work/release: is removed before the stage split runs"):
        go(toolkit, split={**split, "options": ["--previous=work/release"]})
    assert (toolkit.folder / "work" / "release").exists()


def test_an_input_does_not_lie_where_a_stage_clears(toolkit):
    gold = toolkit.folder / "work" / "decisions" / "gold.jsonl"
    toolkit.write(gold, "gold")
    review = {"simulated": ["ann=1"], "gold": "work/decisions/gold.jsonl"}
    with pytest.raises(DataError, match=r"gold\.jsonl: is removed before the stage decide runs"):
        go(toolkit, review=review)
    assert gold.exists()


def test_from_and_until(toolkit):
    assert go(toolkit, last="decide")[0] == NAMES[:3]
    assert go(toolkit)[0] == NAMES[3:]
    assert go(toolkit, first="stats")[0] == NAMES[5:]
    assert go(toolkit, first="review", last="decide")[0] == NAMES[1:3]
    for words, says in (
        ({"first": "nope"}, "no stage 'nope' here: check, review"),
        ({"first": "stats", "last": "check"}, "comes after --until check"),
    ):
        with pytest.raises(DataError, match=says):
            go(toolkit, **words)


def test_a_failure_keeps_what_was_done_and_training_goes_on(toolkit):
    toolkit.fails = "train"
    with pytest.raises(DataError, match="the stage intent ended with status 2"):
        go(toolkit)
    toolkit.fails, words = "", []
    run = toolkit.folder / "work" / "intent"
    run.mkdir()
    (run / "settings.json").write_text("{}")

    def listening(command):
        words.append(tuple(command))
        return toolkit(command)

    pipeline = opened(toolkit.folder)
    assert pipeline.run(listening, say=lambda *_: None) == ["intent", "intent-test"]
    assert words[0][-1] == "--resume"
    # With other settings it starts anew, and nothing of the earlier run is left.
    (run / "checkpoint").write_text("old")
    go(toolkit, intent={"preset": "tiny"})
    assert not (run / "checkpoint").exists()


def test_missing_inputs_another_run_and_a_damaged_state_are_one_line(toolkit):
    (toolkit.folder / "raw.jsonl").unlink()
    with pytest.raises(DataError, match=r"raw\.jsonl: is missing, and the stage check reads it"):
        go(toolkit)
    (toolkit.folder / "raw.jsonl").write_text("talk")
    begun, may_end = threading.Event(), threading.Event()

    def slow(words):
        begun.set()
        may_end.wait(20)
        return toolkit(words)

    other = threading.Thread(target=lambda: opened(toolkit.folder).run(slow, say=lambda *_: None))
    other.start()
    begun.wait(20)
    with pytest.raises(DataError, match="another run is at work here"):
        go(toolkit)
    may_end.set()
    other.join()
    (toolkit.folder / "work" / "pipeline.json").write_text("{")
    with pytest.raises(DataError, match="remove it to start anew"):
        go(toolkit)
