"""Reading and writing one file of dialogues loses nothing, and says what is wrong."""

import json

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photochat.dialogue import MAX_MESSAGE_CHARS, Dialogue, Turn
from photochat.errors import DataError
from photochat.records import SUFFIXES, as_record, read_records, scan_records, write_records
from tests.conftest import BROKEN, SAMPLE, make_dialogue

text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
extras = st.none() | st.dictionaries(
    st.sampled_from(["extra", "synthetic", "at", "ключ"]), json_values, min_size=1
)
turn = st.builds(
    Turn,
    message=text,
    share_photo=st.booleans(),
    user_id=st.integers(0, 2**31 - 1),
    extra=extras,
)
dialogue = st.builds(
    Dialogue,
    turns=st.lists(turn, min_size=1, max_size=4).map(tuple),
    dialogue_id=st.integers(-(2**63), 2**63 - 1),
    photo_description=text,
    photo_url=text,
    photo_id=st.none() | text.filter(bool),
    extra=extras,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(dialogue, max_size=4))
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read_back(tmp_path, suffix, dialogues):
    """Every format keeps every field, keys beyond the layout included."""
    path = tmp_path / f"x{suffix}"
    if not dialogues and suffix == ".jsonl":
        dialogues = [make_dialogue()]  # a file of no lines is an empty file
    write_records(path, dialogues)
    assert read_records(path) == dialogues
    first = path.read_bytes()
    write_records(path, dialogues)
    assert path.read_bytes() == first


def test_published_files_survive_all_formats_byte_for_byte(real_photochat, tmp_path):
    for source in real_photochat.glob("*/*.json"):
        write_records(tmp_path / "a.jsonl", read_records(source))
        write_records(tmp_path / "a.parquet", read_records(tmp_path / "a.jsonl"))
        write_records(tmp_path / "a.json", read_records(tmp_path / "a.parquet"))
        assert json.loads((tmp_path / "a.json").read_bytes()) == json.loads(source.read_bytes())
        assert (tmp_path / "a.json").read_bytes() == source.read_bytes()


def test_keys_beyond_the_layout_stay_where_they_were(tmp_path):
    record = as_record(make_dialogue())
    record["worker"] = {"age": 3}
    record["dialogue"][0]["at"] = 1.5
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(record))
    [read] = read_records(path)
    assert read.extra == {"worker": {"age": 3}}
    assert read.turns[0].extra == {"at": 1.5}
    assert as_record(read) == record


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(b"\xef\xbb\xbf" + SAMPLE.read_bytes())
    assert len(read_records(path)) == 128


def test_every_broken_record_is_named_by_line_and_field():
    dialogues, unreadable = scan_records(BROKEN)
    assert dialogues == []
    lines = BROKEN.read_text().splitlines()
    assert [place.record for place in unreadable] == [f"line {n + 1}" for n in range(len(lines))]
    assert {place.field for place in unreadable} >= {
        "dialogue", "message", "share_photo", "user_id", "dialogue_id", "photo_description",
        "photo_url", "photo_id",
    }  # fmt: skip


def test_all_faults_of_a_record_are_named(tmp_path):
    record = as_record(make_dialogue("0:a 1:b"))
    record["photo_url"] = 1
    record["dialogue"][0]["message"] = 2
    record["dialogue"][1]["user_id"] = "x"
    path = tmp_path / "x.json"
    path.write_text(json.dumps([record]))
    _, unreadable = scan_records(path)
    assert [(place.turn, place.field) for place in unreadable] == [
        (None, "photo_url"), (0, "message"), (1, "user_id"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.json", b"", "is empty"),
        ("x.jsonl", b" \n\n", "is empty"),
        ("x.json", b"{}", "must hold a list"),
        ("x.json", b'[\n{"dialogue": [\n{"message": }]}]', "line 3: broken JSON"),
        ("x.json", b'[{"dialogue_id": 1}', "broken JSON: it ends too early"),
        ("x.json", b'[\n\n"a\0b"]', "line 3: broken JSON: a null byte"),
        ("x.json", b'["\xff"]', "is not UTF-8"),
        ("x.json", b"[" * 100_000, "nested too deeply"),
        ("x.jsonl", b"{}\n" * 3 + b"{nonsense}", "line 4: broken JSON"),
        ("x.json", b'[{"extra": ' + b"[" * 100_000, "nested too deeply"),
        ("x.json", b'["\\ud800"]', "broken JSON"),
        ("x.json", b"[1e999]", "broken JSON"),
        ("x.parquet", b"PAR1 not really", "cannot be read as Parquet"),
        ("x.csv", b"a,b", "no known suffix"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        read_records(path)
    assert says in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_huge_message_is_refused_and_the_longest_allowed_is_not(tmp_path):
    record = as_record(make_dialogue("0:a 1:b"))
    path = tmp_path / "x.json"
    record["dialogue"][1]["message"] = "x" * MAX_MESSAGE_CHARS
    path.write_text(json.dumps([record]))
    assert len(read_records(path)) == 1
    record["dialogue"][1]["message"] += "x"
    path.write_text(json.dumps([record]))
    with pytest.raises(DataError, match="id 0: turn 1: message: must be str of length"):
        read_records(path)


def test_null_bytes_are_refused_in_every_format_and_escapes_of_a_backslash_are_not(tmp_path):
    record = as_record(make_dialogue("0:a 1:b"))
    record["dialogue"][0]["message"] = r"a \u0000 that is text"
    path = tmp_path / "x.json"
    path.write_text(json.dumps([record]))
    assert read_records(path)[0].turns[0].message == r"a \u0000 that is text"
    sick = make_dialogue("0:a\0b 1:b")
    for suffix in SUFFIXES:
        write_records(tmp_path / f"sick{suffix}", [sick])
        with pytest.raises(DataError, match="null byte"):
            read_records(tmp_path / f"sick{suffix}")


def test_missing_files_and_folders_that_cannot_be_written_are_said(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_records(tmp_path / "absent.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_records(tmp_path / "file" / "x.json", [])


def test_a_further_key_nested_beyond_measure_is_refused_on_writing(tmp_path):
    deep: object = 1
    for _ in range(2000):
        deep = [deep]
    sick = Dialogue(
        turns=make_dialogue().turns,
        dialogue_id=1,
        photo_description="",
        photo_url="",
        extra={"deep": deep},
    )
    with pytest.raises(DataError, match="nested too deeply"):
        write_records(tmp_path / "x.json", [sick])
    assert list(tmp_path.iterdir()) == []


def test_missing_numbers_of_a_parquet_column_are_null(tmp_path):
    nan = float("nan")
    record = as_record(make_dialogue()) | {"score": nan, "scores": {"of": [0.5, nan]}}
    pq.write_table(pa.Table.from_pylist([record]), tmp_path / "x.parquet")
    dialogues = read_records(tmp_path / "x.parquet")
    assert dialogues[0].extra == {"scores": {"of": [0.5, None]}}
    for suffix in SUFFIXES:
        write_records(tmp_path / f"y{suffix}", dialogues)
        assert read_records(tmp_path / f"y{suffix}") == dialogues


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_number_that_json_does_not_have_is_refused_on_writing(tmp_path, suffix):
    sick = msgspec.structs.replace(make_dialogue(), extra={"score": float("inf")})
    with pytest.raises(DataError, match="a further key cannot be written"):
        write_records(tmp_path / f"x{suffix}", [sick])
    assert list(tmp_path.iterdir()) == []
