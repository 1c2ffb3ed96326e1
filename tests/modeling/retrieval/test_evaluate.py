"""A run is measured on the command line: what it says is what a literal ranking says."""

import json
import re

import numpy as np
import pytest

from modeling.bm25 import evaluate_bm25
from modeling.retrieval.encoding import Encoder
from modeling.retrieval.evaluate import pooled_examples
from modeling.retrieval.ranking import same_labels
from modeling.retrieval.results import RetrievalEvaluation, read_ranks
from modeling.retrieval.train import load_run
from modeling.runs import read_metrics
from modeling.training.device import open_accelerator
from photochat.errors import DataError
from photochat.release import read_release
from tests.modeling.retrieval.small_runs import BROKEN, MISSING, keep_run, write_small_release


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("retrieval")


@pytest.fixture(scope="module")
def small(place):
    return write_small_release(place)


@pytest.fixture(scope="module")
def labels_run(small, place):
    return keep_run(small[0], place / "runs" / "labels", "label")


@pytest.fixture(scope="module")
def pictures_run(small, place):
    return keep_run(*small[:1], place / "runs" / "pictures", "image", small[1])


def test_a_run_on_labels_is_measured(small, labels_run, run_photochat):
    release, _ = small
    status, out, err = run_photochat("evaluate", labels_run, "--data", release, "--json")
    assert status == 0, err
    result = json.loads(out)
    assert result["queries"] == 28
    assert result["left_out"] == {"no photo turn": 1}
    assert result["photos"] == result["available"] == 15  # that of the talk without a photo too
    examples = pooled_examples(read_release(release), "test")
    encoder = Encoder(load_run(labels_run), open_accelerator("cpu"))
    scores = encoder.scores(examples.queries, encoder.photos(examples.photos)).numpy()
    gold = [query.photo for query in examples.queries]
    literal = [sum(row >= row[g] - 1e-6) for row, g in zip(scores, gold, strict=True)]
    kept = read_ranks(labels_run, "test", examples.fingerprint)
    assert kept.ranks == literal
    assert result["metrics"]["recall@5"]["value"] == pytest.approx(
        100 * np.mean([rank <= 5 for rank in literal])
    )
    assert read_metrics(labels_run, RetrievalEvaluation)["test"].metrics[
        "mrr"
    ].value == pytest.approx(100 * np.mean([1 / rank for rank in literal]))
    for row, best in zip(scores, kept.best, strict=True):
        best_scores = sorted(row, reverse=True)[:5]
        places = [[p.key for p in examples.photos].index(key) for key in best]
        assert row[places] == pytest.approx(best_scores, abs=1e-6)
    by_bm25 = evaluate_bm25(read_release(release), "test").metrics
    for name in ("recall@1", "recall@10", "mrr"):
        assert result["baselines"]["bm25"][name] == pytest.approx(by_bm25[name].value)
    assert result["baselines"]["chance"]["recall@5"] == pytest.approx(100 * 5 / 15)


def test_photos_with_the_same_labels_may_count_as_right(small):
    examples = pooled_examples(read_release(small[0]), "test")
    for query, row in zip(examples.queries, same_labels(examples).tolist(), strict=True):
        gold = examples.photos[query.photo]
        alike = [i for i, p in enumerate(examples.photos) if p.labels == gold.labels]
        assert row[0] == query.photo
        assert sorted(place for place in row if place >= 0) == alike


def test_a_run_on_pictures_counts_what_is_missing(small, pictures_run, run_photochat):
    release, images = small
    arguments = ("evaluate", pictures_run, "--data", release)
    status, _, err = run_photochat(*arguments)
    assert (status, err.count("\n")) == (2, 1)
    assert "--images" in err
    status, out, err = run_photochat(*arguments, "--images", images)
    assert status == 0, err
    assert "3 photos have no picture and rank last" in err
    assert "4 queries ask for one" in err
    assert "median_rank" in out
    kept = read_ranks(pictures_run, "test")
    assert set(kept.problems) == {MISSING, BROKEN, "https://photos.example.org/never.jpg"}
    for rank, photo in zip(kept.ranks, kept.photos, strict=True):
        assert (rank == 15) == (photo in kept.problems)
    report = (pictures_run / "report.html").read_text()
    assert "not a picture" in report
    assert "SECRET" not in report


def test_the_gallery_shows_talk_photo_and_what_was_found(small, pictures_run, run_photochat):
    release, images = small
    run_photochat("evaluate", pictures_run, "--data", release, "--images", images)
    page = (pictures_run / "gallery.html").read_text()
    assert "SECRET" not in page
    assert "<b>bold" not in page
    assert "&lt;b&gt;bold" in page
    assert "data:image/jpeg;base64," in page
    rows = page.count('<section class="row">')
    assert 10 <= rows <= 28
    assert len(re.findall(r'class="right gold"', page)) == rows
    assert page.count("<figure") == 6 * rows
    shown = {title: int(n) for title, n in re.findall(r"<h2>([A-Z][a-z ]+): (\d+)", page)}
    ranks = read_ranks(pictures_run, "test").ranks
    assert shown["Missed"] == sum(rank > 10 for rank in ranks)
    assert sum(shown.values()) == 28
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []  # one file


def test_the_pool_of_all_splits_is_harder(small, labels_run, run_photochat):
    release, _ = small
    run_photochat("evaluate", labels_run, "--data", release)
    alone = read_ranks(labels_run, "test").ranks
    status, out, err = run_photochat(
        "evaluate", labels_run, "--data", release, "--pool", "all", "--json"
    )
    assert status == 0, err
    assert json.loads(out)["photos"] == 29
    together = read_ranks(labels_run, "test").ranks
    assert all(a <= b for a, b in zip(alone, together, strict=True))
    assert alone != together


def test_two_runs_are_compared_query_by_query(
    small, place, labels_run, pictures_run, run_photochat
):
    release = small[0]
    other = keep_run(release, place / "runs" / "other", "label", seed=5)
    arguments = ("evaluate", labels_run, "--data", release, "--against", other)
    status, _, err = run_photochat(*arguments)
    assert (status, err.count("\n")) == (2, 1)
    assert "was not measured on test" in err
    run_photochat("evaluate", other, "--data", release)
    status, out, err = run_photochat(*arguments, "--json")
    assert status == 0, err
    compared = json.loads(out)["comparison"]
    one, two = (np.array(read_ranks(run, "test").ranks) for run in (labels_run, other))
    assert compared["differences"]["recall@5"]["value"] == pytest.approx(
        100 * ((one <= 5).mean() - (two <= 5).mean())
    )
    assert compared["only_this"] == int(((one == 1) & (two > 1)).sum())
    assert f"against {other}" in err
    assert "Paired over queries" in (labels_run / "report.html").read_text()
    run_photochat("evaluate", other, "--data", release, "--split", "dev")
    with pytest.raises(DataError, match="another test split, or another pool"):
        read_ranks(other, "test", "0")


def test_a_run_that_saw_fewer_pictures_than_are_shown_can_be_compared(
    small, place, pictures_run, run_photochat
):
    (place / "two" / "dev").mkdir(parents=True)
    for name in ("dev/0.jpg", "dev/1.jpg"):
        (place / "two" / name).write_bytes((small[1] / name).read_bytes())
    arguments = ("evaluate", pictures_run, "--data", small[0], "--split", "dev")
    for against in ((), ("--against", pictures_run)):
        status, _, err = run_photochat(*arguments, "--images", place / "two", *against)
        assert status == 0, err
    best = read_ranks(pictures_run, "dev").best
    assert {frozenset(keys) for keys in best} == {frozenset({"dev/0", "dev/1"})}


def test_what_cannot_be_measured_is_one_line(small, place, labels_run, run_photochat):
    release, images = small
    cases = [
        ((labels_run, "--split", "unknown"), "unknown"),
        ((place / "nowhere",), "is no run folder"),
        ((images,), "holds no run"),
    ]
    for arguments, words in cases:
        status, _, err = run_photochat("evaluate", *arguments, "--data", release)
        assert (status, err.count("\n")) == (2, 1)
        assert words in err


def test_captions_are_measured_too(small, place, pictures_run, run_photochat):
    images = small[1]
    file = place / "dataset_coco.json"
    captions = [{"raw": "a dog"}, {"raw": "a cake on a table"}]
    file.write_text(
        json.dumps(
            {
                "images": [
                    {"filename": f"{i}.jpg", "filepath": "dev", "split": "test",
                     "sentences": captions, "cocoid": i}
                    for i in range(6)
                ]
            }
        )
    )  # fmt: skip
    status, out, err = run_photochat(
        "evaluate", pictures_run, "--data", f"coco:{file}", "--images", images, "--json"
    )
    assert status == 0, err
    result = json.loads(out)
    assert (result["queries"], result["photos"]) == (12, 6)
    assert set(result["baselines"]) == {"chance"}
    status, _, err = run_photochat(
        "evaluate", pictures_run, "--data", f"coco:{file}", "--images", images, "--split", "dev"
    )
    assert (status, err.count("\n")) == (2, 1)
