"""A package opens in the tools that people have: datasets, mlcroissant, a text editor."""

import json
import logging

import pytest

from photochat.errors import DataError
from photochat.package import About, package
from photochat.records import as_record, read_records
from photochat.release import read_release, write_release
from photochat.split import split
from tests.conftest import SAMPLE, make_dialogue

ABOUT = About(
    name="my-chats", license="cc-by-4.0", creator="My Lab", url="https://example.org",
    citation="Us (2026)", date_published="2026-01-31",
)  # fmt: skip


@pytest.fixture(scope="module")
def packaged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    splits, _ = split(read_release(SAMPLE).dialogues, dev=20, test=20)
    write_release(splits, folder / "release")
    result = package(folder / "release", folder / "out", ABOUT)
    return splits, folder / "out", result


def test_hugging_face_datasets_loads_the_folder(packaged, tmp_path):
    import datasets

    splits, out, _ = packaged
    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path))
    assert set(loaded) == set(splits)
    for name, part in splits.items():
        assert list(loaded[name]) == [as_record(dialogue) for dialogue in part]


def test_hugging_face_datasets_loads_a_package_whose_dev_is_empty(tmp_path):
    import datasets

    splits, _ = split(read_release(SAMPLE).dialogues, dev=0, test=5)
    write_release(splits, tmp_path / "release")
    package(tmp_path / "release", tmp_path / "out", ABOUT)
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert set(loaded) == {"train", "test"}
    assert read_release(tmp_path / "out").splits == splits


def test_mlcroissant_validates_the_metadata_and_reads_the_records(packaged, caplog):
    import mlcroissant

    splits, out, _ = packaged
    with caplog.at_level(logging.WARNING):
        dataset = mlcroissant.Dataset(jsonld=str(out / "croissant.json"))
        records = list(dataset.records("test"))
    assert "is recommended" not in caplog.text
    assert "is mandatory" not in caplog.text
    assert "not standard" not in caplog.text
    assert [r["test/dialogue_id"] for r in records] == [d.dialogue_id for d in splits["test"]]
    first = splits["test"][0]
    said = [turn["test/dialogue/message"].decode() for turn in records[0]["test/dialogue"]]
    assert said == [turn.message for turn in first.turns]


def test_the_json_is_the_release_itself(packaged):
    splits, out, _ = packaged
    assert read_release(out).splits == splits
    for name, part in splits.items():
        assert read_records(out / "parquet" / f"{name}.parquet") == part


def test_the_card_holds_the_counts_and_an_example(packaged):
    _, out, result = packaged
    card = (out / "README.md").read_text()
    assert "128 dialogues about 100 photos" in card
    assert "| total | 100 | 128 | 77 | 51 | 19 | 25 |" in card
    assert "[shares the photo]" in card
    assert "| share-last | 4 |" in card
    assert 'license: "cc-by-4.0"' in card
    assert set(result.files) >= {"README.md", "croissant.json", "train/train_00.json"}


def test_free_text_stays_inside_the_card(tmp_path):
    sick = make_dialogue("0:a 1:```<script>|# 0:c 1:d 0:e 0:* 1:f")
    write_release({"train": [sick]}, tmp_path / "r")
    package(tmp_path / "r", tmp_path / "out", About(name='x"\n---\nevil: 1'))
    card = (tmp_path / "out/README.md").read_text()
    assert "<script>" not in card
    assert "\nevil: 1" not in card
    assert card.count("```") == 2


def test_the_same_release_gives_the_same_package(packaged, tmp_path):
    _, out, _ = packaged
    package(out.parent / "release", tmp_path / "again", ABOUT)
    for file in out.rglob("*.*"):
        assert (tmp_path / "again" / file.relative_to(out)).read_bytes() == file.read_bytes()


def test_dialogues_without_splits_are_refused(tmp_path):
    with pytest.raises(DataError, match="run photochat split first"):
        package(SAMPLE, tmp_path / "out", About(name="x"))
    assert list(tmp_path.iterdir()) == []


def test_croissant_hashes_are_those_of_the_files(packaged):
    import hashlib

    _, out, _ = packaged
    for file in json.loads((out / "croissant.json").read_text())["distribution"]:
        content = (out / file["contentUrl"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]


def test_keys_beyond_the_layout_are_published_only_on_request(tmp_path):
    record = as_record(make_dialogue("0:a 1:b 0:c 1:d 0:e 0:* 1:f"))
    record["survey"] = {"age": 40}
    record["dialogue"][0]["at"] = 1.5
    (tmp_path / "train_00.json").write_text(json.dumps([record]))
    result = package(tmp_path, tmp_path / "plain", About(name="x"))
    assert result.left_out_keys == ["at", "survey"]
    assert "survey" not in (tmp_path / "plain/train/train_00.json").read_text()
    assert "unknown-key" not in (tmp_path / "plain/README.md").read_text()
    package(tmp_path, tmp_path / "whole", About(name="x"), keep_keys=True)
    assert as_record(read_release(tmp_path / "whole").dialogues[0]) == record
