"""Folders, files and the splits that their names say."""

import pytest

from photochat.errors import DataError
from photochat.records import write_records
from photochat.release import find_files, read_release, scan_release, write_release
from tests.conftest import BROKEN, SAMPLE, make_dialogue


def some(count, start=0):
    return [make_dialogue(dialogue_id=start + i, photo=f"p{start + i}") for i in range(count)]


def test_a_release_is_written_as_published_500_a_file(tmp_path):
    splits = {"train": some(1001), "dev": some(3), "test": some(2)}
    write_release(splits, tmp_path / "r")
    names = sorted(str(p.relative_to(tmp_path / "r")) for p in (tmp_path / "r").rglob("*.json"))
    assert names == [
        "dev/dev_00.json", "test/test_00.json",
        "train/train_00.json", "train/train_01.json", "train/train_02.json",
    ]  # fmt: skip
    assert read_release(tmp_path / "r").splits == splits


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".parquet"])
def test_each_format_keeps_the_splits(tmp_path, suffix):
    splits = {"train": some(5), "dev": [], "test": some(2)}
    write_release(splits, tmp_path / "r", suffix)
    assert read_release(tmp_path / "r").splits == scan_release(tmp_path / "r")[0].splits == splits


def test_json_lines_without_a_line_are_a_whole_split_or_a_fault(tmp_path):
    write_release({"train": some(1)}, tmp_path / "r", ".jsonl")
    for empty in (tmp_path / "r/train/train_01.jsonl", tmp_path / "raw.jsonl"):
        empty.write_text("")
        for read in (read_release, scan_release):
            with pytest.raises(DataError, match="is empty"):
                read(tmp_path / "r", empty)
        empty.unlink()


def test_more_than_a_hundred_files_come_in_the_order_of_their_numbers(tmp_path):
    for number in (11, 99, 100):
        write_records(tmp_path / f"train/train_{number}.json", some(1, start=number))
    assert [d.dialogue_id for d in read_release(tmp_path).dialogues] == [11, 99, 100]


def test_the_split_is_in_the_folder_or_in_the_file_name(tmp_path):
    write_release({"dev": some(2)}, tmp_path / "r")
    file = tmp_path / "r" / "dev" / "dev_00.json"
    assert find_files([file]) == [("dev", file)]
    assert find_files([tmp_path / "r" / "dev"]) == [("dev", file)]
    raw = tmp_path / "raw.json"
    raw.write_bytes(file.read_bytes())
    assert find_files([raw]) == [("unsplit", raw)]
    testing = tmp_path / "testing.json"
    testing.write_bytes(file.read_bytes())
    assert find_files([testing]) == [("unsplit", testing)]


def test_several_files_come_in_order_of_split(tmp_path):
    write_release({"test": some(1), "train": some(1)}, tmp_path / "r")
    files = [tmp_path / "r/test/test_00.json", tmp_path / "r/train/train_00.json"]
    assert list(read_release(*files).splits) == ["train", "test"]


def test_other_files_in_the_folder_are_not_looked_at(tmp_path):
    write_release({"dev": some(1)}, tmp_path / "r")
    (tmp_path / "r" / "split.json").write_text("not dialogues")
    (tmp_path / "r" / "dev" / ".dev_01.json").write_text("half written")
    (tmp_path / "r" / "dev" / "notes.md").write_text("notes")
    assert len(read_release(tmp_path / "r").dialogues) == 1


@pytest.mark.parametrize(
    "name", ["valid.jsonl", "test.jsonl", "dev_00.JSON", "test_00.json.gz", "train/more.json.gz"]
)
def test_dialogues_that_would_be_passed_over_are_refused(tmp_path, name):
    write_release({"train": some(1)}, tmp_path)
    (tmp_path / name).write_bytes(b"")
    if name.endswith(".jsonl"):
        write_records(tmp_path / name, some(1))
    with pytest.raises(DataError, match=f"{name.split('/')[-1]} would be passed over"):
        read_release(tmp_path)


def test_a_split_folder_says_the_split_whatever_its_files_are_called(tmp_path, monkeypatch):
    write_records(tmp_path / "train/test_set_a.json", some(1))
    write_records(tmp_path / "test/raw.json", some(1))
    assert list(read_release(tmp_path).splits) == ["train", "test"]
    monkeypatch.chdir(tmp_path / "test")
    assert find_files(["raw.json"])[0][0] == find_files([tmp_path / "test/raw.json"])[0][0]


def test_a_folder_without_splits_is_refused(tmp_path):
    (tmp_path / "raw.json").write_bytes(SAMPLE.read_bytes())
    with pytest.raises(DataError, match="holds no train/, dev/ or test/"):
        read_release(tmp_path)
    with pytest.raises(DataError, match="no such file or folder"):
        read_release(tmp_path / "absent")


def test_two_formats_of_one_split_are_refused(tmp_path):
    write_release({"dev": some(1)}, tmp_path / "r")
    (tmp_path / "r/dev/dev.jsonl").write_text("{}")
    with pytest.raises(DataError, match="several formats"):
        read_release(tmp_path / "r")


def test_asking_for_an_absent_split_names_those_there(tmp_path):
    write_release({"train": some(1), "dev": some(1)}, tmp_path / "r")
    with pytest.raises(DataError, match=r"no split test \(it has: train, dev\)"):
        read_release(tmp_path / "r").split("test")


def test_an_output_folder_with_something_in_it_is_kept_unless_replaced(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "precious").write_text("mine")
    with pytest.raises(DataError, match="is not empty"):
        write_release({"dev": some(1)}, out)
    assert (out / "precious").read_text() == "mine"
    write_release({"dev": some(1)}, out, replace=True)
    assert sorted(p.name for p in out.iterdir()) == ["dev"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_dialogues_in_no_split_are_no_release(tmp_path):
    with pytest.raises(DataError, match="in no split"):
        write_release(read_release(SAMPLE).splits, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_scanning_reads_what_can_be_read(tmp_path):
    write_release({"dev": some(3)}, tmp_path / "r", ".jsonl")
    file = tmp_path / "r/dev/dev_00.jsonl"
    file.write_text(file.read_text() + BROKEN.read_text())
    release, unreadable = scan_release(tmp_path / "r")
    assert len(release.dialogues) == 3
    assert len(unreadable) == len(BROKEN.read_text().splitlines())
    with pytest.raises(DataError, match="and 27 more"):
        read_release(tmp_path / "r")
