"""ChatPedes' layout read, trained on and measured by identity, and what is wrong with it said."""

import itertools
import json
import re

import numpy as np
import pytest
from PIL import Image

from modeling.metrics import retrieval_metrics
from modeling.retrieval.chatpedes import read_chatpedes
from modeling.retrieval.identities import by_chance, by_identity, identity_numbers, right_photos
from modeling.retrieval.ranks import NONE
from photochat.errors import DataError
from tests.modeling.retrieval.small_runs import keep_run, write_small_release

COLOURS = ("red", "green", "blue")


def chat(colour, rounds=3):
    """Questions and answers on one person."""
    return [
        [
            {"from": "gpt", "value": f"Question {n}?"},
            {"from": "user", "value": f"It is {colour},\n as I said."},
        ]
        for n in range(rounds)
    ]


def record(person, number, split, **changed):
    """A picture of a person with one dialogue, or of every other with two in a list."""
    one = chat(COLOURS[person % 3])
    own = {
        "id": person,
        "file_path": f"CUHK/{split}{number}.png",
        "chats": one if number % 2 else [one, chat("pale", 1)],
        "split": split,
    }
    return own | changed


def write_file(folder, **changed):
    """A file of three persons a split, of whom the last has one picture; return it."""
    records = [
        record(10 * part + person, 2 * person + copy, split)
        for part, split in enumerate(("train", "val", "test"))
        for person in range(3)
        for copy in range(1 if person == 2 else 2)
    ]
    records[0] |= changed
    file = folder / "reid.json"
    file.write_text(json.dumps(records))
    return file


def test_every_photo_of_a_person_is_right_and_a_round_is_question_and_answer(tmp_path):
    test = read_chatpedes(write_file(tmp_path))["test"]
    assert (len(test.photos), len(test)) == (5, 8)
    assert test.queries[0].turns[1].text == "Question 1? It is blue, as I said."
    assert [len(query.turns) for query in test.queries] == [3, 1, 3, 3, 1, 3, 3, 1]
    assert identity_numbers(test) == [0, 0, 1, 1, 2]
    assert right_photos(test).tolist() == [[0, 1]] * 3 + [[2, 3]] * 3 + [[4, NONE]] * 2


def test_rank_and_map_by_identity():
    ranks = np.array([[1, 4], [2, NONE], [7, 8]])
    found = {name: e.value for name, e in by_identity(ranks, resamples=0).items()}
    assert found["rank-1"] == pytest.approx(100 / 3)
    assert found["rank-5"] == pytest.approx(200 / 3)
    expected = ((1 / 1 + 2 / 4) / 2 + 1 / 2 + (1 / 7 + 2 / 8) / 2) / 3
    assert found["map"] == pytest.approx(100 * expected)


def test_chance_is_what_random_orders_reach(tmp_path):
    """With two right photos of five, or one, counted over every order."""
    test = read_chatpedes(write_file(tmp_path))["test"]
    right = right_photos(test).tolist()
    orders = list(itertools.permutations(range(1, 6)))
    ranks = np.array(
        [min(o[place] for place in row if place != NONE) for row in right for o in orders]
    )
    expected = {name: e.value for name, e in retrieval_metrics(ranks, resamples=0).items()}
    assert by_chance(test) == pytest.approx(expected)


def test_a_folder_of_splits_gives_some_of_its_persons_to_dev(tmp_path):
    train = [record(person, person, "train") for person in range(40)]
    (tmp_path / "train_reid.json").write_text(json.dumps(train))
    (tmp_path / "test_reid.json").write_text(json.dumps([record(99, 0, "test")]))
    found = read_chatpedes(tmp_path)
    assert found["dev"].identities == ("19", "39")
    assert len(found["train"].photos) == 38
    assert found["test"].identities == ("99",)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"chats": []}, "0: chats: a dialogue has no rounds"),
        ({"chats": [chat("red"), []]}, "a dialogue has no rounds"),
        ({"chats": [chat("red")[0][:1]]}, "round 1 is said by gpt"),
        ({"chats": [[{"from": "gpt", "value": "Q?"}, {"from": "user", "value": " "}]]}, "empty"),
        ({"chats": [[{"from": "me", "value": "Q?"}]]}, "round 1 is no question and answer"),
        ({"split": None}, "None is no split"),
        ({"file_path": ""}, "names no picture"),
        ({"file_path": "CUHK/train1.png"}, "comes a second time"),
        ({"file_path": None}, r"is not a file of ChatPedes' layout .*file_path"),
    ],
)
def test_what_is_wrong_is_one_line(changed, said, tmp_path):
    file = write_file(tmp_path, **changed)
    with pytest.raises(DataError) as problem:
        read_chatpedes(file)
    assert re.search(said, str(problem.value))
    assert "\n" not in str(problem.value)


def test_persons_are_trained_on_and_measured_by_each_score_and_round(tmp_path, run_photochat):
    file, images = write_file(tmp_path), tmp_path / "images"
    (images / "CUHK").mkdir(parents=True)
    source = np.random.default_rng(0)
    for own in json.loads(file.read_text()):
        coarse = Image.fromarray(source.integers(0, 256, (4, 3, 3), dtype=np.uint8))
        if own["file_path"] != "CUHK/test1.png":
            coarse.resize((32, 64)).save(images / own["file_path"])
    data = ("--data", f"chatpedes:{file}", "--images", images, "--device", "cpu")
    run = tmp_path / "run"
    small = ["dialogue=tiny-bert", "image=tiny-cnn", "slots=2", "heads=2"]
    status, _, err = run_photochat(
        *("train", "retrieval", *data, "--preset", "diana", "--epochs", 1, "--batch", 4),
        *(word for setting in small for word in ("--set", setting)),
        *("--width", 16, "--out", run),
    )
    assert status == 0, err
    measured = {}
    for score in ("global", "refined", "both"):
        status, out, err = run_photochat("evaluate", run, *data, "--score", score, "--json")
        assert status == 0, err
        result = json.loads(out)
        assert result["run"]["settings"]["model"]["score"] == score
        assert set(result["by_identity"]) == {"rank-1", "rank-5", "rank-10", "map"}
        assert result["by_identity"]["rank-5"]["value"] == 100
        measured[score] = json.loads((run / "ranks" / "test.json").read_text())["scores"]
    whole, refined, both = (np.array([row[:4] for row in rows]) for rows in measured.values())
    assert not np.allclose(whole, refined)
    assert both.max() <= max(whole.max(), refined.max()) + 1e-6
    assert "1 identities have one photo" in err
    assert "1 photos have no picture and rank last (1 no such picture)" in err
    assert "Rank-1" in (run / "report.html").read_text()
    status, out, err = run_photochat("evaluate", run, *data, "--by-round", "--json")
    assert status == 0, err
    assert [row["talking"] for row in json.loads(out)["rounds"]] == [8, 5, 5]


def test_a_score_that_a_model_lacks_is_one_line(tmp_path, run_photochat):
    keep_run(write_small_release(tmp_path)[0], tmp_path / "run", "label")
    data = ("--data", tmp_path / "release", "--score", "refined")
    for model, said in (
        (tmp_path / "run", "is a dual-encoder, which has one score"),
        ("bm25", "leave --score out"),
    ):
        status, _, err = run_photochat("evaluate", model, *data)
        assert (status, err.count("\n")) == (2, 1)
        assert said in err
