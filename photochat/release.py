"""A release: dialogues in splits, in the published layout `{train,dev,test}/{split}_NN.json`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import msgspec

from photochat.atomic import atomic_folder
from photochat.dialogue import Dialogue
from photochat.errors import DataError
from photochat.records import SUFFIXES, Unreadable, read_records, scan_records, write_records

SPLITS = ("train", "dev", "test")
UNSPLIT = "unsplit"  # what a file is called that belongs to no split
DIALOGUES_PER_FILE = 500  # the published files' size

_PACKED_OR_CAPITAL = re.compile(r"\.(jsonl?|parquet)(\.(gz|bz2|xz|zst|zip))?$", re.IGNORECASE)
_SPLIT_OF_NAME = re.compile(rf"({'|'.join(SPLITS)})(?![a-z0-9])")


class SourceFile(msgspec.Struct, frozen=True):
    """The dialogues of one file, in its order, and the split that its name or folder says."""

    path: Path
    split: str
    dialogues: list[Dialogue]


class Release(msgspec.Struct, frozen=True, dict=True):
    """What was read: files in order of split and name."""

    files: tuple[SourceFile, ...]

    @cached_property
    def splits(self) -> dict[str, list[Dialogue]]:
        """The dialogues of each split that has files, in the order train, dev, test, unsplit."""
        splits: dict[str, list[Dialogue]] = {}
        for file in self.files:
            splits.setdefault(file.split, []).extend(file.dialogues)
        return splits

    @property
    def dialogues(self) -> list[Dialogue]:
        """All dialogues, split after split."""
        return [dialogue for part in self.splits.values() for dialogue in part]

    def split(self, name: str) -> list[Dialogue]:
        """Return one split's dialogues.

        Raises:
            DataError: there is no such split; the message names those that there are.
        """
        if name not in self.splits:
            there = ", ".join(self.splits)
            raise DataError(
                f"has no split {name} (it has: {there})", file=self.files[0].path.parent
            )
        return self.splits[name]


def read_release(*paths: str | Path) -> Release:
    """Read dialogues from folders and files in the published layout, JSON lines or Parquet.

    Raises:
        DataError: nothing there to read, or a file or record that breaks the layout.
    """
    found = find_files(paths)
    empty = _empty_splits(found)
    return Release(
        tuple(
            SourceFile(path, split, [] if path in empty else read_records(path))
            for split, path in found
        )
    )


def scan_release(*paths: str | Path) -> tuple[Release, list[tuple[Path, Unreadable]]]:
    """Read what can be read, and list every place where a record breaks the layout.

    Raises:
        DataError: nothing there to read, or a file that cannot be read as a whole.
    """
    files: list[SourceFile] = []
    unreadable: list[tuple[Path, Unreadable]] = []
    found = find_files(paths)
    empty = _empty_splits(found)
    for split, path in found:
        dialogues, problems = ([], []) if path in empty else scan_records(path)
        files.append(SourceFile(path, split, dialogues))
        unreadable += [(path, problem) for problem in problems]
    return Release(tuple(files)), unreadable


def write_release(
    splits: Mapping[str, Sequence[Dialogue]],
    folder: str | Path,
    suffix: str = ".json",
    *,
    replace: bool = False,
    extra_files: Mapping[str, bytes] | None = None,
) -> None:
    """Write splits as a release folder, whole or not at all; `replace` as in `atomic_folder`.

    JSON comes as published, 500 dialogues a file; JSON lines and Parquet one file a split.

    Raises:
        DataError: a split is none of train, dev, test; the folder is not empty or not writable.
    """
    strangers = [name for name in splits if name not in SPLITS]
    if strangers:
        raise DataError(
            "the dialogues are in no split: name an output file, or run photochat split first",
            file=folder,
        )
    with atomic_folder(folder, replace=replace) as part:
        write_splits(splits, part, suffix)
        for name, content in (extra_files or {}).items():
            (part / name).write_bytes(content)


def write_splits(splits: Mapping[str, Sequence[Dialogue]], folder: Path, suffix: str) -> None:
    """Write each split's files into `folder`, which exists."""
    for split, dialogues in splits.items():
        size = DIALOGUES_PER_FILE if suffix == ".json" else max(len(dialogues), 1)
        for number, start in enumerate(range(0, max(len(dialogues), 1), size)):
            name = f"{split}_{number:02d}{suffix}"
            write_records(folder / split / name, dialogues[start : start + size])


def find_files(paths: Iterable[str | Path]) -> list[tuple[str, Path]]:
    """Return (split, file) for each file of dialogues that `paths` name, in order of split.

    A folder holds `train/`, `dev/` or `test/`, or files called after a split (`dev_00.json`).
    Other files in it are not read.

    Raises:
        DataError: a path is missing or holds no dialogues, formats are mixed in one split, or
            dialogues would be passed over.
    """
    found: list[tuple[str, Path]] = []
    for path in map(Path, paths):
        if path.is_dir():
            found += _files_of_folder(path)
        elif path.exists():
            found.append((_split_of(path) or UNSPLIT, path))
        else:
            raise DataError("no such file or folder", file=path)
    order = {split: rank for rank, split in enumerate((*SPLITS, UNSPLIT))}
    return sorted(found, key=lambda item: order[item[0]])


def _empty_splits(found: Sequence[tuple[str, Path]]) -> set[Path]:
    """Return the JSON lines of splits without dialogues: no line, in the split's only file.

    Anywhere else a file without a line is one that was cut short.
    """
    splits = [split for split, _ in found]
    return {
        path
        for split, path in found
        if split in SPLITS
        and splits.count(split) == 1
        and path.suffix == ".jsonl"
        and path.stat().st_size == 0
    }


def _files_of_folder(folder: Path) -> list[tuple[str, Path]]:
    try:
        entries = list(folder.iterdir())
        inside = {
            file: split
            for split in SPLITS
            if (folder / split).is_dir()
            for file in (folder / split).iterdir()
        }
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=folder) from error
    split_of = inside or {file: split for file in entries if (split := _split_of(file))}
    named = [(split_of[file], file) for file in sorted(split_of, key=_in_order) if _is_data(file)]
    if not named:
        raise DataError(
            "holds no train/, dev/ or test/ with dialogues: name its files to read them unsplit",
            file=folder,
        )
    for split in {split for split, _ in named}:
        suffixes = sorted({file.suffix for name, file in named if name == split})
        if len(suffixes) > 1:
            raise DataError(
                f"holds the split {split} in several formats ({', '.join(suffixes)}): "
                "name the files to read",
                file=folder,
            )
    read = {file for _, file in named}
    for file in sorted({*inside, *entries} - read):
        if _would_be_missed(file, in_split=file in inside):
            raise DataError(
                f"{file.name} would be passed over (a split is {', '.join(SPLITS)}, a file "
                f"{', '.join(SUFFIXES)}): rename it, or name the files to read",
                file=folder,
            )
    return named


def _would_be_missed(file: Path, *, in_split: bool) -> bool:
    """Return whether a file that is not read looks as if it held dialogues, or does."""
    if file.name.startswith(".") or not file.is_file():
        return False
    if file.suffix not in SUFFIXES:
        looks = _PACKED_OR_CAPITAL.search(file.name) is not None
        return looks and (in_split or _SPLIT_OF_NAME.match(file.name.lower()) is not None)
    with suppress(DataError):
        return bool(scan_records(file)[0])
    return False


def _in_order(file: Path) -> tuple[Path, list[str | int], str]:
    """Sort files as their numbers count: train_11 before train_100."""
    parts = enumerate(re.split(r"([0-9]+)", file.name))  # every other part is a number
    return file.parent, [int(part) if place % 2 else part for place, part in parts], file.name


def _is_data(file: Path) -> bool:
    return file.suffix in SUFFIXES and not file.name.startswith(".") and file.is_file()


def _split_of(file: Path) -> str | None:
    match = _SPLIT_OF_NAME.match(file.name)
    if match:
        return match[1]
    folder = file.absolute().parent.name
    return folder if folder in SPLITS else None
