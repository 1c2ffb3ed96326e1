"""The rules of the house: style, types, import direction, and what may not stand in the tree."""

import ast
import re
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

STAGES = ("filtering", "collection", "verification", "modeling")
MAX_LINES = 400
MAX_BYTES = 1_000_000


def tracked_files():
    listing = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [REPOSITORY / name for name in listing.stdout.splitlines()]


def imported(file):
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        pytest.param(["mypy"], marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_style_and_types(command):
    result = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_stage_imports_no_other_stage_and_photochat_imports_none():
    for file in REPOSITORY.glob("*/**/*.py"):
        folder = file.relative_to(REPOSITORY).parts[0]
        if folder in STAGES:
            assert not (set(imported(file)) & set(STAGES)) - {folder}, file
        elif folder == "photochat" and "cli" not in file.parts:
            assert not set(imported(file)) & set(STAGES), file


def test_a_security_rule_is_set_aside_only_with_its_reason():
    """After the rule's name, on the line or in the configuration."""
    bare = re.compile(r"# noqa: S\d+[\s,]*$")
    for file in tracked_files():
        if file.suffix == ".py" and file.exists():
            for number, line in enumerate(file.read_text().splitlines(), start=1):
                assert not bare.search(line), f"{file}:{number}"
    lint = (REPOSITORY / "pyproject.toml").read_text().split("[tool.ruff.lint]")[1]
    lines = lint.split("[tool.mypy]")[0].splitlines()
    for line in lines:
        if re.search(r'"S\d*"', line) and not line.startswith("select"):
            assert "# " in line, line


def test_files_are_small():
    for file in tracked_files():
        if file.exists():
            assert file.stat().st_size <= MAX_BYTES, file
            if file.suffix == ".py":
                assert len(file.read_text().splitlines()) <= MAX_LINES, file


def test_no_file_has_an_empty_name():
    for file in tracked_files():
        assert not re.fullmatch(r"(utils?|helpers?|common|misc)", file.stem), file


def test_every_constraint_is_a_plain_version():
    for line in (REPOSITORY / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[\w.+!]+( ; .+)?", line), line
