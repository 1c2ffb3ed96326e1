"""One file of dialogues, in any of three formats: JSON as published, JSON lines, Parquet.

Reading is fast when a file is sound: it is decoded straight into checked `Dialogue` objects. Only
a file that holds something else is gone through record by record, to keep the keys that the layout
does not know and to name each thing that is wrong.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from photochat.atomic import atomic_file
from photochat.dialogue import Dialogue, Turn
from photochat.errors import UNDECODABLE, DataError
from photochat.synthetic import SYNTHETIC

SUFFIXES = (".json", ".jsonl", ".parquet")

_LIST = msgspec.json.Decoder(list[Dialogue])
_LINE = msgspec.json.Decoder(Dialogue)
_ANY = msgspec.json.Decoder()
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_EXTRA = msgspec.structs.fields(Dialogue)[-1].encode_name


class Unreadable(msgspec.Struct, frozen=True):
    """A place where a record breaks the layout: which record, and where in it."""

    record: str
    dialogue_id: int | None
    turn: int | None
    field: str | None
    message: str


def read_records(path: str | Path) -> list[Dialogue]:
    """Read the dialogues of one file, in the file's order; the suffix names the format.

    Raises:
        DataError: the file cannot be read, or a record breaks the layout (the first is named).
    """
    dialogues, unreadable = scan_records(path)
    if unreadable:
        first = unreadable[0]
        where = [first.record]
        if first.dialogue_id is not None:
            where.append(f"id {first.dialogue_id}")
        if first.turn is not None:
            where.append(f"turn {first.turn}")
        more = f" (and {len(unreadable) - 1} more: photochat validate)" if unreadable[1:] else ""
        raise DataError(first.message + more, file=path, record=": ".join(where), field=first.field)
    return dialogues


def scan_records(path: str | Path) -> tuple[list[Dialogue], list[Unreadable]]:
    """Read what can be read of one file, and list every place that breaks the layout.

    Raises:
        DataError: the file as a whole cannot be read: missing, empty, not JSON, not Parquet.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise DataError(f"has no known suffix ({', '.join(SUFFIXES)})", file=path)
    if path.suffix == ".parquet":
        return _scan_rows(_parquet_rows(path))
    data = _read_bytes(path)
    try:
        dialogues = _LIST.decode(data) if path.suffix == ".json" else _LINE.decode_lines(data)
    except UNDECODABLE:
        dialogues = None
    if dialogues is not None and b"\\u0000" not in data:
        return dialogues, []
    rows = _json_rows(path, data) if path.suffix == ".json" else _lines(path, data)
    return _scan_rows(rows)


def write_records(path: str | Path, dialogues: Sequence[Dialogue]) -> None:
    """Write dialogues to one file, whole or not at all; the suffix names the format.

    The same dialogues give the same bytes. JSON is written exactly as published: two spaces,
    ASCII with escapes, keys in the published order, a newline at the end.

    Raises:
        DataError: unknown suffix, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise DataError(f"has no known suffix ({', '.join(SUFFIXES)})", file=path)
    with atomic_file(path) as part, _as_json(path):
        if path.suffix == ".json":
            text = json.dumps([as_record(d) for d in dialogues], indent=2, allow_nan=False)
            part.write_text(text + "\n", encoding="ascii")
        elif path.suffix == ".jsonl":
            lines = (
                json.dumps(as_record(d), ensure_ascii=False, allow_nan=False) + "\n"
                for d in dialogues
            )
            part.write_text("".join(lines), encoding="utf-8")
        else:
            _write_parquet(part, dialogues)


def as_record(dialogue: Dialogue) -> dict[str, Any]:
    """Return a dialogue as the published JSON object, with any further keys it came with."""
    record: dict[str, Any] = msgspec.to_builtins(dialogue)
    record["dialogue"] = list(record["dialogue"])
    for part in (record, *record["dialogue"]):
        part.update(part.pop(_EXTRA, ()))
    return record


@contextmanager
def _as_json(path: Path) -> Iterator[None]:
    """Turn what JSON cannot hold, or Python cannot recurse into, into an error with the file."""
    try:
        yield
    except RecursionError as error:
        raise DataError("a further key is nested too deeply to be written", file=path) from error
    except ValueError as error:
        raise DataError(f"a further key cannot be written ({error})", file=path) from error


def _read_bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError("no such file", file=path) from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=path) from error
    data = data.removeprefix(_BYTE_ORDER_MARK)
    if not data.strip():
        raise DataError("is empty", file=path)
    return data


def _decode(path: Path, data: bytes, first_line: int = 1) -> Any:
    """Decode JSON of any shape; errors name the line (`first_line` is the line `data` opens)."""
    try:
        return _ANY.decode(data)
    except RecursionError as error:
        raise DataError("is nested too deeply", file=path, record=f"line {first_line}") from error
    except UNDECODABLE as error:
        problem, at = _explain(data, error)
        line = first_line + data.count(b"\n", 0, at)
        raise DataError(problem, file=path, record=f"line {line}") from error


def _explain(data: bytes, error: Exception) -> tuple[str, int]:
    try:
        data.decode()
    except UnicodeDecodeError as not_text:
        return "is not UTF-8 text", not_text.start
    if isinstance(error, msgspec.ValidationError):
        return f"broken JSON: {error}", len(data.rstrip())
    position = re.search(r"\(byte (\d+)\)", str(error))
    if position is None:
        ends = len(data.rstrip())
        return "broken JSON: it ends too early or holds half an escape", ends
    at = int(position[1])
    if data[at : at + 1] == b"\0":
        return "broken JSON: a null byte", at
    reason = str(error).split(": ", 1)[-1].split(" (byte")[0]
    return f"broken JSON: {reason}", at


def _json_rows(path: Path, data: bytes) -> Iterator[tuple[str, Any]]:
    records = _decode(path, data)
    if isinstance(records, dict) and "dialogue" in records:
        records = [records]  # a single dialogue, as one writes it to try something out
    if not isinstance(records, list):
        raise DataError("must hold a list of dialogues", file=path)
    return ((f"dialogue {number}", record) for number, record in enumerate(records))


def _lines(path: Path, data: bytes) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            yield f"line {number}", _decode(path, line, number)


def _scan_rows(rows: Iterator[tuple[str, Any]]) -> tuple[list[Dialogue], list[Unreadable]]:
    dialogues: list[Dialogue] = []
    unreadable: list[Unreadable] = []
    for where, row in rows:
        problems = list(_problems(where, row))
        unreadable += problems
        if not problems:
            dialogues.append(_convert(row))
    return dialogues, unreadable


def _convert(row: dict[str, Any]) -> Dialogue:
    turns = [_with_extra(turn, Turn) for turn in row["dialogue"]]
    return msgspec.convert(_with_extra(row, Dialogue) | {"dialogue": turns}, Dialogue)


def _with_extra(row: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    known = {field.encode_name for field in msgspec.structs.fields(kind)} - {_EXTRA}
    extra = {key: value for key, value in row.items() if key not in known}
    sound = {key: value for key, value in row.items() if key in known}
    return sound | {_EXTRA: extra} if extra else sound


def _problems(where: str, row: Any) -> Iterator[Unreadable]:
    """Name every field of a record that breaks the layout."""
    number = row.get("dialogue_id") if isinstance(row, dict) else None
    is_id = isinstance(number, int) and not isinstance(number, bool) and abs(number) < 2**63
    dialogue_id = number if is_id else None
    if not isinstance(row, dict):
        yield Unreadable(where, None, None, None, "must be an object with the published keys")
        return
    turns = row.get("dialogue")
    for field, message in _field_problems(row, Dialogue, skip="dialogue"):
        yield Unreadable(where, dialogue_id, None, field, message)
    if not isinstance(turns, list) or not turns:
        message = "is missing" if "dialogue" not in row else "must be a list of one turn or more"
        yield Unreadable(where, dialogue_id, None, "dialogue", message)
        return
    for index, turn in enumerate(turns):
        if not isinstance(turn, dict):
            message = "must be an object with message, share_photo and user_id"
            yield Unreadable(where, dialogue_id, index, None, message)
            continue
        for field, message in _field_problems(turn, Turn):
            yield Unreadable(where, dialogue_id, index, field, message)


def _field_problems(
    row: dict[str, Any], kind: type[msgspec.Struct], skip: str = ""
) -> Iterator[tuple[str, str]]:
    for field in msgspec.structs.fields(kind):
        key = field.encode_name
        if key in (skip, _EXTRA):
            continue
        if key not in row:
            if field.required:
                yield key, "is missing"
            continue
        try:
            value = msgspec.convert(row[key], field.type)
        except msgspec.ValidationError as error:
            yield key, _plain(str(error))
            continue
        if isinstance(value, str) and "\0" in value:
            yield key, "holds a null byte"


def _plain(message: str) -> str:
    """Turn msgspec's message into the house's: "must be `str`, not `int`"."""
    expected = re.fullmatch(r"Expected `(.+)`, got `(.+)`", message)
    if expected:
        return f"must be {expected[1].replace(' | null', '')}, not {expected[2]}"
    return message.replace("Expected", "must be", 1).replace("`", "")


def _parquet_rows(path: Path) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise DataError("no such file", file=path)
    try:
        rows = pq.read_table(path, partitioning=None).to_pylist()
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read as Parquet ({error})", file=path) from error
    for number, row in enumerate(rows):
        turns = row.get("dialogue")
        if isinstance(turns, list):
            row["dialogue"] = [_unfold(t) if isinstance(t, dict) else t for t in turns]
        yield f"row {number}", _unfold(row)


def _unfold(row: dict[str, Any]) -> dict[str, Any]:
    """Drop the nulls of absent keys and unpack the JSON columns that hold the further keys."""
    row = {key: kept for key, value in row.items() if (kept := _without_nan(value)) is not None}
    packed = row.pop(_EXTRA, None)
    if isinstance(row.get(SYNTHETIC), str):
        with suppress(ValueError):
            row[SYNTHETIC] = json.loads(row[SYNTHETIC])
    return row | json.loads(packed) if packed is not None else row


def _without_nan(value: Any) -> Any:
    """Put null for NaN, which pandas writes where a number is missing and JSON does not have."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _write_parquet(part: Path, dialogues: Sequence[Dialogue]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def packed(record: dict[str, Any]) -> dict[str, Any]:
        if _EXTRA in record:
            record[_EXTRA] = json.dumps(record[_EXTRA], allow_nan=False)
        return record

    rows = []
    for dialogue in dialogues:
        row = msgspec.to_builtins(dialogue)
        further = row.get(_EXTRA, {})
        if SYNTHETIC in further:  # a column of its own: the mark is there for who looks at a table
            row[SYNTHETIC] = json.dumps(further.pop(SYNTHETIC), allow_nan=False)
            if not further:
                del row[_EXTRA]
        rows.append(packed(row))
    for row in rows:
        row["dialogue"] = [packed(turn) for turn in row["dialogue"]]
    turn = [("message", pa.string()), ("share_photo", pa.bool_()), ("user_id", pa.int64())]
    if any(_EXTRA in t for row in rows for t in row["dialogue"]):
        turn.append((_EXTRA, pa.string()))
    columns = [
        ("dialogue", pa.list_(pa.struct(turn))),
        ("dialogue_id", pa.int64()),
        ("photo_description", pa.string()),
        ("photo_url", pa.string()),
        ("photo_id", pa.string()),
    ]
    if any(SYNTHETIC in row for row in rows):
        columns.append((SYNTHETIC, pa.string()))
    if any(_EXTRA in row for row in rows):
        columns.append((_EXTRA, pa.string()))
    table = pa.Table.from_pylist(rows, schema=pa.schema(columns))
    pq.write_table(table, part, compression="zstd")
