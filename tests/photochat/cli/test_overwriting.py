"""No command writes its result over what it reads, with --force or without."""

import shutil

import pytest

from tests.conftest import SAMPLE


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "mine" / "raw.json"
    path.parent.mkdir()
    shutil.copy(SAMPLE, path)
    return path


@pytest.mark.parametrize(
    "words",
    ["check {raw} --no-models --out {raw}",
     "check {raw} --no-models --out {folder}/findings.jsonl --report {folder}/../mine/raw.json",
     "convert {raw} {raw}",
     "split {raw} --dev 5 --test 5 --out {folder} --force",
     "split {raw} --dev 5 --test 5 --out {folder}/.. --force",
     "package {folder} --out {folder} --force",
     "convert {raw} {folder} --to jsonl --force",
     "sample {raw} --n 1 --out {raw}",
     "filter --boxes {raw} --classes {raw} --out {raw}"],
)  # fmt: skip
def test_an_input_is_kept(run_photochat, raw, words):
    """One line, status 2, every byte as it was."""
    before = raw.read_bytes()
    status, _, err = run_photochat(*words.format(raw=raw, folder=raw.parent).split())
    assert (status, len(err.strip().splitlines())) == (2, 1), err
    assert "is an input too" in err or "holds the input" in err
    assert raw.read_bytes() == before
    assert [path.name for path in raw.parent.iterdir()] == ["raw.json"]


def test_a_link_to_an_input_is_one(run_photochat, raw, tmp_path):
    (tmp_path / "link.json").symlink_to(raw)
    status, _, err = run_photochat("convert", raw, tmp_path / "link.json")
    assert (status, "is an input too" in err) == (2, True)


def test_a_folder_beside_is_replaced(run_photochat, raw, tmp_path):
    for _ in range(2):
        status, _, err = run_photochat(
            "split", raw, "--dev", 5, "--test", 5, "--out", tmp_path / "release", "--force"
        )
        assert status == 0, err
