"""The mark of made dialogues stays in every format, and everything that counts says so."""

import json

import msgspec
import pytest

from photochat.package import About, package
from photochat.records import read_records, write_records
from photochat.release import Release, SourceFile, read_release, write_release
from photochat.split import split
from photochat.statistics import stats
from photochat.synthetic import Origin, count_synthetic, is_synthetic, mark, only_mark_kept
from photochat.validation import validate
from tests.conftest import SAMPLE, make_dialogue

ORIGIN = Origin("a model", "abc", 3, "0.1.0")


def made(**more):
    return mark(make_dialogue(**more), ORIGIN)


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".parquet"])
def test_the_mark_stays_in_every_format(tmp_path, suffix):
    """Beside people's dialogues, and beside other keys."""
    noted = msgspec.structs.replace(made(photo="c"), extra={**made().extra, "note": {"a": 1}})
    dialogues = [make_dialogue(), made(photo="b"), noted]
    write_records(tmp_path / f"d{suffix}", dialogues)
    assert read_records(tmp_path / f"d{suffix}") == dialogues


def test_the_mark_is_a_column_of_the_table(tmp_path):
    """Whoever opens the Parquet file elsewhere sees it."""
    import pyarrow.parquet as pq

    write_records(tmp_path / "d.parquet", [make_dialogue(), made(photo="b")])
    column = pq.read_table(tmp_path / "d.parquet")["synthetic"].to_pylist()
    assert column[0] is None
    assert json.loads(column[1]) == msgspec.to_builtins(ORIGIN)


@pytest.mark.parametrize(
    ("value", "is_made"), [(None, False), (False, False), (True, True), ("yes", True), ({}, True)]
)
def test_any_value_marks_but_null_and_false(value, is_made):
    """Files from elsewhere mark as they like."""
    dialogue = msgspec.structs.replace(make_dialogue(), extra={"synthetic": value, "other": 1})
    assert is_synthetic(dialogue) == is_made
    assert only_mark_kept(dialogue).extra == ({"synthetic": value} if is_made else None)


def test_a_split_is_the_same_as_without_made_dialogues():
    """They change nothing of how people's dialogues are cut."""
    people = read_release(SAMPLE).dialogues
    extra = [mark(dialogue, ORIGIN) for dialogue in people[::3]]
    alone, _ = split(people, dev=10, test=10)
    among, report = split([*people, *extra], dev=10, test=10)
    assert among == alone
    assert report.read == len(people) + len(extra)
    assert len(report.left_out) == len(extra)
    taken, report = split([*people, *extra], dev=10, test=10, with_synthetic=True)
    assert sum(map(count_synthetic, taken.values())) == len(extra)


def test_statistics_count_them_apart():
    """People's rows are what they were; made dialogues have their own."""
    people, machine = [make_dialogue(), make_dialogue(photo="b")], [made(photo="c")]
    release = Release(
        (SourceFile(SAMPLE, "train", [*people, *machine]), SourceFile(SAMPLE, "dev", machine))
    )
    rows = {name: part.dialogues for name, part in stats(release).items()}
    assert rows == {"train": 2, "total": 2, "train (synthetic)": 1, "dev (synthetic)": 1,
                    "total (synthetic)": 2}  # fmt: skip
    assert {n: p.dialogues for n, p in stats(release, apart=False).items()} == {
        "train": 3, "dev": 1, "total": 4,
    }  # fmt: skip


def test_validation_names_them(tmp_path):
    """As made dialogues, not as an unknown key."""
    write_records(tmp_path / "d.jsonl", [make_dialogue(), made(photo="b")])
    found = validate(tmp_path / "d.jsonl")
    [problem] = [p for p in found.problems if p.kind == "synthetic"]
    assert problem.message == "1 of 2 dialogues"
    assert "unknown-key" not in found.counts


def test_a_package_says_so_everywhere(tmp_path):
    """Card, metadata, JSON and Parquet, though further keys are left out."""
    dialogues = [
        msgspec.structs.replace(d, extra={"note": 1}) for d in read_release(SAMPLE).dialogues[:40]
    ]
    dialogues[5:15] = [mark(dialogue, ORIGIN) for dialogue in dialogues[5:15]]
    splits, _ = split(dialogues, dev=5, test=5, with_synthetic=True)
    write_release(splits, tmp_path / "release")
    found = validate(tmp_path / "release")
    assert found.counts["synthetic"] >= 1
    assert {p.field for p in found.problems if p.kind == "unknown-key"} == {"note"}
    result = package(tmp_path / "release", tmp_path / "out", About("chats"))
    assert result.left_out_keys == ["note"]
    card = (tmp_path / "out" / "README.md").read_text()
    assert "- synthetic\n" in card
    assert "**10 of the 40 dialogues were made by a language model, not by people**" in card
    metadata = json.loads((tmp_path / "out" / "croissant.json").read_text())
    assert "10 dialogues were made by a language model" in metadata["description"]
    fields = [f["name"] for part in metadata["recordSet"] for f in part["field"]]
    assert "synthetic" in fields
    for suffix in ("parquet", "json"):
        folder = tmp_path / "out" / "parquet" if suffix == "parquet" else tmp_path / "out"
        assert count_synthetic(read_release(folder).dialogues) == 10


def test_a_package_of_people_says_nothing_of_it(tmp_path):
    """Nobody is made to wonder."""
    splits, _ = split(read_release(SAMPLE).dialogues, dev=5, test=5)
    write_release(splits, tmp_path / "release")
    package(tmp_path / "release", tmp_path / "out", About("chats"))
    for name in ("README.md", "croissant.json"):
        assert "synthetic" not in (tmp_path / "out" / name).read_text()
