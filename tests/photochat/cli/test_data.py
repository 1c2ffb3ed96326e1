"""The commands on releases, as typed: output, exit status, one line for bad input."""

import json
import os
import stat

import pytest

from photochat.release import read_release
from tests.conftest import BROKEN, SAMPLE


@pytest.fixture
def release(tmp_path, run_photochat):
    status, _, _ = run_photochat(
        "split", SAMPLE, "--out", tmp_path / "release", "--dev", 20, "--test", 20, "--seed", 1
    )
    assert status == 0
    return tmp_path / "release"


def test_validate_exits_1_on_findings_and_groups_them(run_photochat):
    status, out, _ = run_photochat("validate", SAMPLE)
    assert status == 1
    assert "share-last (4): the photo stands last" in out
    assert "id 83: turn 7: share_photo" in out


def test_validate_exits_0_when_clean_and_2_when_unreadable(run_photochat, tmp_path):
    records = [r for r in json.loads(SAMPLE.read_bytes()) if not r["dialogue"][-1]["share_photo"]]
    (tmp_path / "clean.json").write_text(json.dumps(records))
    assert run_photochat("validate", tmp_path / "clean.json")[0] == 0
    status, out, err = run_photochat("validate", BROKEN)
    assert (status, err) == (2, "")
    assert "28 records unreadable" in out


def test_validate_shows_five_of_a_kind_or_all(run_photochat):
    assert "and 23 more" in run_photochat("validate", BROKEN)[1]
    assert "more" not in run_photochat("validate", BROKEN, "--all")[1].splitlines()[-2]


def test_stats_prints_tables_1_and_3(run_photochat, release):
    status, out, _ = run_photochat("stats", release)
    assert status == 0
    assert "total     100        128      77    51      19       25  1,437   1,311  12,929" in out
    assert "negatives  positives" in out


def test_every_command_prints_json(run_photochat, release, tmp_path):
    for arguments in (
        ["validate", release],
        ["stats", release, "--plots", tmp_path / "plots"],
        ["split", SAMPLE, "--out", tmp_path / "s", "--dev", 5, "--test", 5],
        ["convert", release, tmp_path / "c", "--to", "parquet"],
        ["package", release, "--out", tmp_path / "p"],
        ["evaluate", "bm25", "--data", release],
    ):
        _, out, _ = run_photochat(*arguments, "--json")
        assert isinstance(json.loads(out), dict)


def test_split_writes_its_report_beside_the_release(release):
    report = json.loads((release / "split.json").read_text())
    assert report["dialogues"] == {"train": 88, "dev": 20, "test": 20}
    assert report["left_out"] == []


def test_split_with_previous_keeps_what_was(run_photochat, tmp_path):
    records = json.loads(SAMPLE.read_bytes())
    (tmp_path / "young.json").write_text(json.dumps(records[:90]))
    young, grown = tmp_path / "young", tmp_path / "grown"
    run_photochat("split", tmp_path / "young.json", "--out", young, "--dev", 10, "--test", 10)
    status, _, err = run_photochat(
        "split", SAMPLE, "--out", grown, "--dev", 14, "--test", 12, "--previous", young
    )
    assert status == 0
    assert "90 where they were" in err
    before, after = read_release(young).splits, read_release(grown).splits
    assert [len(part) for part in after.values()][1:] == [14, 12]
    for name, part in before.items():
        assert [dialogue for dialogue in after[name] if dialogue in part] == part


def test_convert_goes_round_without_loss(run_photochat, release, tmp_path):
    for source, target, to in (
        (release, "a", "jsonl"), (tmp_path / "a", "b", "parquet"), (tmp_path / "b", "c", "json"),
    ):  # fmt: skip
        assert run_photochat("convert", source, tmp_path / target, "--to", to)[0] == 0
    for file in release.rglob("*_*.json"):
        again = tmp_path / "c" / file.relative_to(release)
        assert again.read_bytes() == file.read_bytes()
    assert run_photochat("convert", SAMPLE, tmp_path / "x.parquet")[0] == 0
    assert run_photochat("convert", tmp_path / "x.parquet", tmp_path / "x.json")[0] == 0
    assert (tmp_path / "x.json").read_bytes() == SAMPLE.read_bytes()


def test_convert_writes_a_file_in_the_format_of_its_suffix(run_photochat, tmp_path):
    out = tmp_path / "x.parquet"
    assert run_photochat("convert", SAMPLE, out, "--to", "parquet")[0] == 0
    assert read_release(out).dialogues == read_release(SAMPLE).dialogues


def test_package_writes_beside_the_release_by_default(run_photochat, release):
    assert run_photochat("package", release)[0] == 0
    assert (release.with_name("release-package") / "croissant.json").exists()


def test_force_replaces_and_its_absence_protects(run_photochat, release):
    arguments = ("split", SAMPLE, "--out", release, "--dev", 1, "--test", 1)
    status, _, err = run_photochat(*arguments)
    assert status == 2
    assert "is not empty: name another folder, or add --force" in err
    assert len(read_release(release).split("dev")) == 20
    assert run_photochat(*arguments, "--force")[0] == 0
    assert len(read_release(release).split("dev")) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["stats", "{tmp}/absent"], "no such file or folder"),
        (["stats", "{tmp}/empty.json"], "is empty"),
        (["stats", "{tmp}/broken.json"], "line 3: broken JSON"),
        (["validate", "{tmp}/broken.json"], "line 3: broken JSON"),
        (["validate", "{tmp}"], "holds no train/, dev/ or test/"),
        (["stats", "{broken}"], "line 1: id 1: dialogue: is missing"),
        (["split", "{sample}", "--out", "{tmp}/o", "--dev", "90", "--test", "90"], "lower --dev"),
        (["split", "{sample}", "--out", "{tmp}/empty.json/o", "--dev", "1", "--test", "1"],
         "cannot be written"),
        (["split", "{sample}", "--out", "{tmp}/o", "--dev", "-1", "--test", "1"], "--dev"),
        (["convert", "{sample}", "{tmp}/o"], "the dialogues are in no split"),
        (["convert", "{sample}"], "name what to read and what to write"),
        (["convert", "{sample}", "{sample}"], "is an input too"),
        (["convert", "{sample}", "{tmp}/x", "--to", "xml"], "xml"),
        (["package", "{sample}", "--out", "{tmp}/o"], "run photochat split first"),
        (["stats", "{sample}", "--plots", "{tmp}/empty.json"], "cannot be written"),
        (["evaluate", "bm25", "--data", "{sample}"], "has no split test (it has: unsplit)"),
        (["evaluate", "nonsense", "--data", "{sample}"], "nonsense"),
        (["nonsense"], "nonsense"),
        (["stats", "--nonsense"], "--nonsense"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_status_2(run_photochat, tmp_path, arguments, says):
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "broken.json").write_text('[\n{"dialogue": [\n{"message": }]}]')
    before = sorted(tmp_path.rglob("*"))
    filled = [a.format(tmp=tmp_path, sample=SAMPLE, broken=BROKEN) for a in arguments]
    status, out, err = run_photochat(*filled)
    assert status == 2
    assert says in err
    assert err.startswith("photochat: ")
    assert err.count("\n") == 1
    assert out == ""
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_output_folder_that_may_not_be_written(run_photochat, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    status, _, err = run_photochat("convert", SAMPLE, locked / "x.jsonl")
    assert (status, "cannot be written" in err) == (2, True)
