"""`photochat demo` writes the sample's files, but over no other; tests/e2e runs all of it."""

import shutil

import pytest

from tests.conftest import SAMPLE

NAMES = ("pipeline.toml", "campaign.toml", "open_images/test-annotations-bbox.csv")


@pytest.mark.parametrize("changed", NAMES)
def test_a_file_that_somebody_changed_is_not_lost(changed, tmp_path, run_photochat):
    (tmp_path / "open_images").mkdir()
    for name in NAMES:
        shutil.copy(SAMPLE.parent / name, tmp_path / name)
    file = tmp_path / changed
    file.write_text(file.read_text() + "\n")
    before = file.read_bytes()
    status, _, err = run_photochat("demo", "--out", tmp_path)
    assert (status, err.startswith(f"photochat: {file}: is not the sample's")) == (2, True)
    assert file.read_bytes() == before
    assert not (tmp_path / "results").exists()
