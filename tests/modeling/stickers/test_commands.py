"""Int-RA on the command line, from knowledge to measures; what cannot be done is one line."""

import json

import pytest

from tests.sticker_sample import INTENTIONS, write_descriptions, write_knowledge, write_sample


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data that lacks its knowledge, and the tags of the made-up data."""
    place = tmp_path_factory.mktemp("commands")
    data = write_sample(place / "data", train=8, valid=4, test=4)
    write_descriptions(data, data / "descriptions.jsonl")
    (place / "tags.txt").write_text("\n".join(INTENTIONS))
    return place


def test_knowledge_training_and_measures(place, run_photochat):
    data, run = place / "data", place / "run"
    tags = ("--intentions", place / "tags.txt")
    make = ("stickers", "knowledge", data, "--model", "tiny-t5", "--beams", "1", "--device", "cpu")
    status, _, err = run_photochat(*make, *tags)
    assert (status, err.splitlines()[-1]) == (
        0, f"16 conversations, and 0 from before, in {data}/knowledge.jsonl",
    )  # fmt: skip
    assert run_photochat(*make, *tags)[2].strip().startswith("0 conversations, and 16 from before")
    write_knowledge(data, data / "knowledge.jsonl")  # random weights may have said nothing
    lines = (data / "descriptions.jsonl").read_text().splitlines(keepends=True)
    (data / "descriptions.jsonl").write_text("".join(lines[1:]))
    train = (
        "train", "stickers", "--data", data, "--preset", "int-ra-tiny", *tags, "--epochs", "1",
        "--device", "cpu",
    )  # fmt: skip
    status, out, err = run_photochat(*train, "--heads", "4", "--out", run)
    assert status == 0, err
    assert "intention_accuracy" in out
    assert "1 stickers without description" in err
    status, out, err = run_photochat("evaluate", run, "--data", data, "--device", "cpu", "--json")
    assert status == 0, err
    result = json.loads(out)
    assert result["run"]["settings"]["heads"] == 4
    assert result["conversations"] == 4
    status, out, err = run_photochat("evaluate", run, "--data", data, "--split", "valid")
    assert status == 0
    assert "by chance" in out
    assert f"report: {run}/report.html" in err
    status, out, err = run_photochat(
        *train,
        "--without",
        "intention",
        "--without",
        "knowledge",
        "--out",
        place / "bare",
        "--json",
    )
    settings = json.loads(out)["settings"]
    assert [settings[p] for p in ("knowledge", "intention", "attributes")] == [False, False, True]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--preset", "int-rah"), "there is no preset int-rah: name one of int-ra, int-ra-tiny"),
        (("--preset", "int-ra-tiny", "--text-model", "nowhere/bert"), "nowhere/bert cannot be had"),
        (("--preset", "int-ra-tiny", "--heads", "7"), "7 heads do not divide"),
        (("--preset", "int-ra-tiny", "--limit", "1"), "have the intention joy"),
    ],
)
def test_what_cannot_be_trained_is_one_line(place, tmp_path, arguments, said, run_photochat):
    status, out, err = run_photochat(
        "train", "stickers", "--data", place / "data", "--without", "knowledge", *arguments,
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert (status, out) == (2, "")
    assert said in err.splitlines()[-1]


def test_a_split_that_is_not_there_is_named(place, run_photochat):
    (place / "data" / "test.json").rename(place / "test.json")
    status, _, err = run_photochat("evaluate", place / "run", "--data", place / "data")
    assert status == 2
    assert "has no conversations in test (there are: train, valid)" in err.splitlines()[-1]
