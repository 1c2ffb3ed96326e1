"""Thousands of mutated files: a clear error or a valid result, never anything else."""

import json

import pytest

from photochat.dialogue import Dialogue
from photochat.errors import DataError
from photochat.records import as_record, read_records, scan_records, write_records
from photochat.release import read_release
from photochat.statistics import stats
from photochat.validation import validate
from tests.conftest import SAMPLE
from tests.mutations import mutate, rounds

MUTATIONS_PER_FORMAT = 800


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".parquet"])
def test_mutated_files_are_read_or_refused(tmp_path, suffix):
    """Whatever the bytes: DataError on one line, or dialogues that every command can use."""
    whole = tmp_path / f"whole{suffix}"
    write_records(whole, read_records(SAMPLE)[:3])
    data = whole.read_bytes()
    path = tmp_path / f"mutated{suffix}"
    read = refused = 0
    for source in rounds(MUTATIONS_PER_FORMAT, 20211):
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
    values = [None, True, 0, -1, 2**70, 1.5, "", "x", "\0", [], {}, [[]], {"a": 1}, "x" * 20_000]
    records = [as_record(dialogue) for dialogue in read_records(SAMPLE)[:5]]
    path = tmp_path / "x.json"
    for source in rounds(300, 42):
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
