"""Thousands of mutated files: a clear error or a valid result, never anything else."""

import json
import random

import pytest

from photochat.dialogue import Dialogue
from photochat.errors import DataError
from photochat.records import as_record, read_records, scan_records, write_records
from photochat.release import read_release
from photochat.statistics import stats
from photochat.validation import validate
from tests.conftest import SAMPLE

MUTATIONS_PER_FORMAT = 1500
TOKENS = [
    b"null", b"true", b"-1", b"1e999", b"1e5", b"[]", b"{}", b'""', b'"\\u0000"', b"\0", b"\\",
    b'"', b"[", b"]", b"{", b"}", b",", b":", b"\xff", b"\xf0\x9f\x98\x80", b'"\\ud83d"', b"NaN",
    b"99999999999999999999", b'"share_photo": 1', b'"dialogue": null', b"\n",
]  # fmt: skip


def mutate(data: bytes, source: random.Random) -> bytes:
    """Cut, double, overwrite or insert at random places, once to four times."""
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(data) + 1)
        until = min(len(data), at + source.choice([1, 1, 2, 8, 64, 1024]))
        piece = source.choice(TOKENS)
        kind = source.randrange(5)
        if kind == 0:
            data = data[:at] + data[until:]
        elif kind == 1:
            data = data[:at] + data[at:until] * 2 + data[until:]
        elif kind == 2:
            data = data[:at] + bytes(source.randrange(256) for _ in range(3)) + data[until:]
        elif kind == 3:
            data = data[:at] + piece + data[until:]
        else:
            data = data[:at] + piece + data[at:]
    return data


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".parquet"])
def test_mutated_files_are_read_or_refused(tmp_path, suffix):
    """Whatever the bytes: DataError on one line, or dialogues that every command can use."""
    source = random.Random(20211)
    whole = tmp_path / f"whole{suffix}"
    write_records(whole, read_records(SAMPLE)[:3])
    data = whole.read_bytes()
    path = tmp_path / f"mutated{suffix}"
    read = refused = 0
    for _ in range(MUTATIONS_PER_FORMAT):
        path.write_bytes(mutate(data, source))
        try:
            dialogues = read_records(path)
        except DataError as error:
            refused += 1
            assert "\n" not in str(error)
            assert str(path) in str(error)
            continue
        read += 1
        assert all(isinstance(dialogue, Dialogue) for dialogue in dialogues)
        if read % 10 == 0 and dialogues:
            assert validate(path).dialogues == len(dialogues)
            stats(read_release(path))
            write_records(tmp_path / "again.json", dialogues)
            assert read_records(tmp_path / "again.json") == dialogues
    assert read > 0
    assert refused > 0


def test_mutated_values_are_read_or_named(tmp_path):
    """A valid file with any value put anywhere: each fault is named by its record."""
    source = random.Random(42)
    values = [None, True, 0, -1, 2**70, 1.5, "", "x", "\0", [], {}, [[]], {"a": 1}, "x" * 20_000]
    records = [as_record(dialogue) for dialogue in read_records(SAMPLE)[:5]]
    path = tmp_path / "x.json"
    for _ in range(600):
        mutated = json.loads(json.dumps(records))
        record = source.choice(mutated)
        target = source.choice([record, source.choice(record["dialogue"])])
        key = source.choice([*target, "new", "extra"])
        if source.random() < 0.2:
            target.pop(key, None)
        else:
            target[key] = source.choice(values)
        path.write_text(json.dumps(mutated))
        try:
            dialogues, unreadable = scan_records(path)
        except DataError as error:
            assert "\n" not in str(error)
            continue
        assert len(dialogues) + len({place.record for place in unreadable}) == len(records)
