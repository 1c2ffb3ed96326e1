"""Train, measure and ask a model on the command line; what cannot be done is one line."""

import json

import pytest

from modeling.intent.evaluate import IntentEvaluation
from modeling.runs import read_metrics
from photochat.release import read_release, write_release
from tests.conftest import SAMPLE, make_dialogue


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    folder = tmp_path_factory.mktemp("intent") / "release"
    dialogues = read_release(SAMPLE).dialogues
    write_release(
        {"train": dialogues[:60], "dev": dialogues[60:90], "test": dialogues[90:]}, folder
    )
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


def test_a_baseline_is_trained_measured_and_asked(release, runs, tmp_path, run_photochat):
    run = runs / "tfidf"
    status, out, err = run_photochat(
        "train", "intent", "--data", release, "--preset", "tfidf", "--out", run
    )
    assert status == 0, err
    assert "average_precision" in out
    status, out, err = run_photochat("evaluate", run, "--data", release, "--json")
    assert status == 0, err
    result = json.loads(out)
    assert result["metrics"]["f1@dev"]["low"] <= result["metrics"]["f1@dev"]["value"]
    assert result["baselines"]["always"]["recall"] == 100
    assert result["shares"] <= result["dialogues"] == 38
    kept = read_metrics(run, IntentEvaluation)["test"]
    assert kept.metrics["f1"].value == result["metrics"]["f1"]["value"]
    assert {"numpy", "scikit-learn"} <= set(kept.versions)
    assert "least foreseen" in (run / "report.html").read_text()
    strip = tmp_path / "strip.html"
    status, out, err = run_photochat("predict", run, SAMPLE, "--html", strip, "--json")
    assert status == 0, err
    predictions = json.loads(out)
    assert len(predictions) == 128
    assert all(0 <= t["probability"] <= 1 for p in predictions for t in p["turns"])
    assert strip.read_text().count("<h3>") == 128


def test_a_strip_shows_words_as_text_and_marks_right_and_wrong(
    release, runs, tmp_path, run_photochat
):
    (tmp_path / "one.json").write_text(
        json.dumps(
            {
                "dialogue": [
                    {"message": "<b>hi</b>", "share_photo": False, "user_id": 0},
                    {"message": "send the photo", "share_photo": False, "user_id": 1},
                    {"message": "", "share_photo": True, "user_id": 0},
                    {"message": "SECRET", "share_photo": False, "user_id": 1},
                ],
                "dialogue_id": 3,
                "photo_description": "",
                "photo_url": "",
            }
        )
    )
    if not (runs / "tfidf").exists():
        run_photochat(
            "train", "intent", "--data", release, "--model", "tfidf", "--out", runs / "tfidf"
        )
    strip = tmp_path / "strip.html"
    status, out, _ = run_photochat(
        "predict", runs / "tfidf", tmp_path / "one.json", "--html", strip
    )
    assert status == 0
    assert "SECRET" not in out + strip.read_text()
    assert "&lt;b&gt;hi" in strip.read_text()
    assert ("miss" in strip.read_text()) or ("hit" in strip.read_text())


def test_a_tiny_network_is_trained_and_two_runs_are_compared(release, runs, run_photochat):
    pytest.importorskip("torch")
    data = ("--data", release)
    for words in (
        ("train", "intent", *data, "--preset", "tiny", "--out", runs / "tiny"),
        ("evaluate", runs / "tiny", *data),
    ):
        status, _, err = run_photochat(*words)
        assert status == 0, err
    if not (runs / "tfidf").exists():
        run_photochat(
            "train", "intent", "--data", release, "--model", "tfidf", "--out", runs / "tfidf"
        )
    run_photochat("evaluate", runs / "tfidf", "--data", release)
    status, out, err = run_photochat(
        "evaluate", runs / "tiny", "--data", release, "--against", runs / "tfidf", "--json"
    )
    assert status == 0, err
    comparison = json.loads(out)["comparison"]
    assert 0 <= comparison["mcnemar"]["p_value"] <= 1
    difference = comparison["f1_difference"]
    assert difference["low"] <= difference["value"] <= difference["high"]
    assert "<svg" in (runs / "tiny" / "report.html").read_text()


def test_presets_show_the_papers_row(run_photochat):
    status, out, _ = run_photochat("presets")
    assert status == 0
    [bert] = [line for line in out.splitlines() if line.startswith("paper-bert")]
    assert bert.split()[3:6] == ["53.20", "56.10", "50.60"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "intent", "--preset", "nope"], "there is no preset nope"),
        (["train", "intent"], "name a model with --model"),
        (["train", "intent", "--model", "no-such/model"], "no-such/model cannot be had"),
        (["train", "intent", "--preset", "tiny", "--device", "cuda"], "no CUDA device"),
        (["train", "intent", "--preset", "tiny", "--precision", "fp16"], "fp16 needs a GPU"),
        (["train", "intent", "--preset", "tiny", "--resume"], "holds no run"),
        (["train", "intent", "--preset", "tiny", "--language", "0.3"], "is for kind causal"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_trained_is_one_line(words, said, release, tmp_path, run_photochat):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available() and said in ("no CUDA device", "fp16 needs a GPU"):
        pytest.skip("there is a GPU here")
    status, _, err = run_photochat(*words, "--data", release, "--out", tmp_path / "run")
    assert status == 2
    assert said in err
    assert err.strip().count("\n") == 0


def test_releases_that_do_not_serve_are_one_line(release, runs, tmp_path, run_photochat):
    def says(*words):
        status, _, err = run_photochat(*words)
        assert status == 2
        assert err.strip().count("\n") == 0
        return err

    talk = [make_dialogue("0:a 1:b 0:c 0:*"), make_dialogue("1:a 0:b 0:*")]
    write_release({"train": talk}, tmp_path / "no-dev")
    tfidf = ("train", "intent", "--preset", "tfidf", "--out", tmp_path / "run", "--data")
    assert "has no split dev" in says(*tfidf, tmp_path / "no-dev")
    first = [make_dialogue("0:* 1:b")]
    write_release({"train": talk, "dev": talk, "test": first}, tmp_path / "photo-first")
    write_release({"train": first, "dev": talk}, tmp_path / "nothing-to-learn")
    assert "the split train needs turns" in says(*tfidf, tmp_path / "nothing-to-learn")
    status, _, err = run_photochat(*tfidf, tmp_path / "photo-first")
    assert status == 0, err
    assert "no turn to predict after" in says(
        "evaluate", tmp_path / "run", "--data", tmp_path / "photo-first"
    )
    assert "has no split test" in says("evaluate", tmp_path / "run", "--data", tmp_path / "no-dev")
    assert "holds no run" in says("evaluate", tmp_path, "--data", release)
    assert "nor bm25" in says("evaluate", "nothing", "--data", release)
    assert "was not measured on test" in says(
        "evaluate", tmp_path / "run", "--data", release, "--against", tmp_path / "run"
    )
    (tmp_path / "run" / "model" / "tfidf.json").write_text("{}")
    assert "is no TF-IDF model" in says("evaluate", tmp_path / "run", "--data", release)
