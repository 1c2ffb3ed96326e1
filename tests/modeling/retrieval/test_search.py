"""Search gives a gallery's best photos for a text or a dialogue; what cannot be is one line."""

import json

import pytest

from modeling.retrieval import search as module
from modeling.retrieval.search import queries_of, search
from modeling.retrieval.settings import DianaSettings, PcmeSettings, RetrievalSettings
from modeling.retrieval.train import release_splits, train_retrieval
from modeling.training.settings import TrainingSettings
from photochat.errors import DataError
from photochat.records import write_records
from photochat.release import read_release
from tests.conftest import make_dialogue
from tests.modeling.retrieval.small_runs import dialogues, keep_run, write_small_release


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("search")


@pytest.fixture(scope="module")
def small(place):
    return write_small_release(place)


@pytest.fixture(scope="module")
def run(small, place):
    return keep_run(small[0], place / "pictures", "image", small[1])


def test_a_text_finds_pictures_of_a_folder_and_a_sheet_shows_them(
    small, run, tmp_path, run_photochat
):
    _, images = small
    sheet = tmp_path / "sheet.html"
    status, out, err = run_photochat(
        "search", run, "a dog at the lake", "--images", images, "--top", 4, "--sheet", sheet,
        "--json",
    )  # fmt: skip
    assert status == 0, err
    answer = json.loads(out)
    hits = answer["found"][0]["hits"]
    assert answer["photos"] == 26  # of 27 files, one is no picture
    assert "1 photos left out" in err
    assert [hit["score"] for hit in hits] == sorted((h["score"] for h in hits), reverse=True)
    assert all((images / hit["photo"]).is_file() for hit in hits)
    page = sheet.read_text()
    assert page.count("data:image/jpeg") == 4
    assert "a dog at the lake" in page
    places = [page.index(hit["photo"]) for hit in hits]
    assert places == sorted(places)
    status, out, _ = run_photochat("search", run, "a dog at the lake", "--images", images)
    assert status == 0
    assert [line.split()[3] for line in out.splitlines()[1:5]] == [hit["photo"] for hit in hits]


def test_a_dialogue_asks_with_what_was_said_before_its_photo(small, run, tmp_path, run_photochat):
    images = small[1]
    file = tmp_path / "talks.json"
    talks = dialogues("test")[:2]
    write_records(file, talks)
    status, out, err = run_photochat("search", run, file, "--images", images, "--json")
    assert status == 0, err
    found = json.loads(out)["found"]
    assert [one["dialogue_id"] for one in found] == [0, 1]
    other = make_dialogue("0:hi 1:tree 0:wine_look 1:dog 0:* 1:SOMETHING_ELSE", dialogue_id=0)
    write_records(file, [talks[0], other])
    queries = queries_of(str(file))
    assert [turn.text for turn in queries[0].turns][-1] != "SECRET"
    assert "SOMETHING ELSE" not in [turn.text for turn in queries[1].turns]
    assert queries[0].sharer == 0


def test_faiss_and_the_cache_change_nothing(small, run, monkeypatch):
    pytest.importorskip("faiss")
    _, images = small
    asked = queries_of("cake and wine")
    exact = search(run, asked, images=images, top=26, device="cpu")
    by_faiss = search(run, asked, images=images, top=26, index="faiss", device="cpu")
    for one, two in zip(exact.found[0].hits, by_faiss.found[0].hits, strict=True):
        assert one.score == pytest.approx(two.score, abs=1e-5)
    assert {h.photo for h in exact.found[0].hits} == {h.photo for h in by_faiss.found[0].hits}
    encoded = []
    plain = module.Encoder.photos

    def counted(self, photos):
        encoded.extend(photos)
        return plain(self, photos)

    monkeypatch.setattr(module.Encoder, "photos", counted)
    assert search(run, asked, images=images, top=26, device="cpu") == exact
    assert len(encoded) <= 1  # one, to see how wide vectors are


def test_a_gallery_of_a_release_has_labels(small, place, run_photochat):
    release, images = small
    labels = keep_run(release, place / "labels", "label")
    status, out, err = run_photochat(
        "search", labels, "cake", "--data", release, "--top", 3, "--json"
    )
    assert status == 0, err
    answer = json.loads(out)
    assert answer["photos"] == 29
    assert all(hit["labels"] for hit in answer["found"][0]["hits"])
    status, _, err = run_photochat("search", labels, "cake", "--images", images)
    assert (status, err.count("\n")) == (2, 1)
    assert "--data" in err
    one = search(labels, queries_of("cake"), release=read_release(release), top=3, device="cpu")
    assert [h.photo for h in one.found[0].hits] == [h["photo"] for h in answer["found"][0]["hits"]]


def test_what_cannot_be_searched_is_one_line(small, run, tmp_path, monkeypatch, run_photochat):
    _, images = small
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.json").write_text('[{"dialogue": 3}')
    (tmp_path / "none.json").write_text("[]")
    silent = tmp_path / "silent.json"
    write_records(silent, [make_dialogue("0:* 1:hi")])
    cases = [
        ((tmp_path / "nowhere", "dog", "--images", images), "holds no run"),
        ((run, "dog"), "--images"),
        ((run, " ", "--images", images), "empty"),
        ((run, "dog", "--images", tmp_path / "empty"), "holds no picture"),
        ((run, "dog", "--images", tmp_path / "nowhere"), "no folder of pictures"),
        ((run, "dog", "--images", images, "--top", 27), "there are 26 photos"),
        ((run, tmp_path / "broken.json", "--images", images), "broken.json"),
        ((run, tmp_path / "none.json", "--images", images), "none.json"),
        ((run, tmp_path / "missing.json", "--images", images), "missing.json"),
        ((run, silent, "--images", images), "says nothing before its photo"),
    ]
    for arguments, words in cases:
        status, _, err = run_photochat("search", *arguments)
        assert (status, err.count("\n")) == (2, 1), err
        assert words in err
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    status, _, err = run_photochat("search", run, "dog", "--images", images, "--index", "faiss")
    assert (status, err.count("\n")) == (2, 1), err
    assert "photochat-toolkit[search]" in err


def test_a_round_by_round_model_that_reads_labels_searches_no_pictures(small, tmp_path):
    """It would see nothing of them."""
    release, images = small
    model = DianaSettings(image=None, dialogue="tiny-bert", width=32, slots=4, heads=2)
    settings = RetrievalSettings(model=model, training=TrainingSettings(epochs=0))
    train_retrieval(release_splits(read_release(release)), settings, tmp_path, device="cpu")
    with pytest.raises(DataError, match="reads labels"):
        search(tmp_path, queries_of("cake"), images=images, device="cpu")


def test_means_of_gaussians_are_searched_as_any_vectors(small, tmp_path, run_photochat):
    """And kept for the next search."""
    release, images = small
    settings = RetrievalSettings(
        model=PcmeSettings(image="tiny-cnn", width=16), training=TrainingSettings(epochs=0)
    )
    splits = release_splits(read_release(release))
    train_retrieval(splits, settings, tmp_path, images=images, device="cpu")
    asked = ("search", tmp_path, "a dog", "--images", images, "--json")
    found = [run_photochat(*asked, "--index", index) for index in ("exact", "faiss")]
    assert [status for status, _, _ in found] == [0, 0], found
    exact, by_index = (
        [hit["photo"] for hit in json.loads(out)["found"][0]["hits"]] for _, out, _ in found
    )
    assert exact == by_index
    assert any((tmp_path / "vectors").iterdir())
