"""The wheel holds all files that the code reads, and works where there is no checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from photochat import __version__
from tests.conftest import REPOSITORY

PACKAGES = ("photochat", "filtering", "collection", "hit_templates", "verification", "modeling")
BUILD = "import setuptools.build_meta as backend; print(backend.build_wheel('dist'))"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    """What pip would put into site-packages."""
    pytest.importorskip("setuptools")
    source = tmp_path_factory.mktemp("source")
    listing = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        pytest.skip("not a git checkout")
    for name in listing.stdout.splitlines():
        if name.split("/")[0] in (*PACKAGES, "pyproject.toml", "README.md", "LICENSE"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, source / name)
    subprocess.run(
        [sys.executable, "-c", BUILD], cwd=source, check=True, capture_output=True, timeout=120
    )
    [wheel] = (source / "dist").glob("*.whl")
    assert wheel.name.startswith(f"photochat_toolkit-{__version__}-")
    place = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    return place


def test_every_file_of_a_package_is_in_the_wheel(unpacked):
    listing = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    missing = [name for name in listing.stdout.splitlines() if not (unpacked / name).exists()]
    assert missing == [], "name them under [tool.setuptools.package-data]"


def test_the_command_works_outside_the_checkout(unpacked, tmp_path):
    """In an empty folder, with nothing but the wheel's files on the path."""
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}

    def run(*words: object) -> str:
        result = subprocess.run(
            [sys.executable, "-m", "photochat", *map(str, words)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return result.stdout

    where = subprocess.run(
        [sys.executable, "-c", "import photochat, collection; print(photochat.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(unpacked))
    assert "made-up sample" in run("demo", "--help")
    sample = unpacked / "photochat" / "sample"
    files = sample / "open_images"
    run(
        "filter", "--boxes", files / "test-annotations-bbox.csv", "--classes",
        files / "class-descriptions.csv", "--hierarchy", files / "class-hierarchy.json",
        "--out", "pool.parquet",
    )  # fmt: skip
    assert (tmp_path / "pool.parquet").exists()
    assert '"dialogues": 128' in run("stats", sample / "dialogues.json", "--json")
    assert "verification" in run("hit", "list"), "the templates are there"
