"""The selection run by DuckDB in this process: CSV in, record batches out, nothing held."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from filtering.class_table import UNKNOWN_CLASS, ClassTable
from filtering.open_images import COLUMNS, Kind, is_gzip, read_header
from filtering.query import COORDINATES, FLAGS, RECORD_COLUMNS, Rules, selection_sql
from photochat.errors import DataError

BATCH_ROWS = 500_000  # about 60,000 photos a row group of the pool
FIRST_LABEL_FILE = 1 << 20  # the number of the first one: image labels come after boxes
# What of an image label file counts: what people verified to be there.
PRESENT_SQL = "confidence = 1 AND COALESCE(source, '') <> 'machine'"
_ROWS_PER_FILE = 1 << 40  # more rows than a file has: `place` is the file's number times this


def connect(memory_limit: str, spill: Path) -> duckdb.DuckDBPyConnection:
    """Open a private database that keeps to `memory_limit` ("800MB") and spills into `spill`.

    Raises:
        DataError: `memory_limit` is no amount of memory.
    """
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")  # it would print among our output
    connection.execute("SET temp_directory = ?", [str(spill)])
    try:
        connection.execute("SET memory_limit = ?", [memory_limit])
    except duckdb.Error as error:
        raise DataError(
            f"not an amount of memory, such as 800MB or 4GB: {memory_limit!r}",
            field="--memory-limit",
        ) from error
    return connection


def selected_records(
    boxes: Sequence[Path],
    image_labels: Sequence[Path],
    classes: ClassTable,
    rules: Rules,
    *,
    in_order: bool,
    memory_limit: str,
    spill: Path,
) -> Iterator[pa.RecordBatch]:
    """Yield rows of `RECORD_COLUMNS`: as they stand in the files, or sorted when `in_order`.

    Raises:
        duckdb.Error: a file is no such CSV, or memory or disk ran out.
    """
    with connect(memory_limit, spill) as connection:
        ids = ", ".join(map(_quoted, classes.ids))
        connection.execute(f"CREATE TYPE known_class AS ENUM ({ids})")
        _create_view(connection, "boxes", boxes, "boxes", in_order)
        if image_labels:
            _create_view(connection, "image_labels", image_labels, "image labels", in_order)
        query = selection_sql(rules, classes, with_image_labels=bool(image_labels))
        order = "ORDER BY image_id, place" if in_order else ""
        sql = f"SELECT {', '.join(RECORD_COLUMNS)} FROM ({query}) AS records {order}"
        yield from streamed(connection, sql, BATCH_ROWS)


def streamed(
    connection: duckdb.DuckDBPyConnection, sql: str, rows: int
) -> Iterator[pa.RecordBatch]:
    """Yield a query's record batches of at most `rows` rows while it runs."""
    relation = connection.sql(sql)
    # Its name in DuckDB 2, where the older name warns.
    read = getattr(relation, "to_arrow_reader", None) or relation.fetch_record_batch
    yield from read(rows)


def _create_view(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    files: Sequence[Path],
    kind: Kind,
    numbered: bool,
) -> None:
    first = 0 if kind == "boxes" else FIRST_LABEL_FILE
    selects = []
    for number, path in enumerate(files, start=first):
        place = f"CAST({number * _ROWS_PER_FILE} AS BIGINT)"
        if numbered:  # takes time that only sorting needs
            place += " + row_number() OVER ()"
        # An ENUM's codes are the places in its list: the class numbers, looked up without a join.
        code = "CAST(enum_code(TRY_CAST(class_id AS known_class)) AS INTEGER)"
        class_number = f"COALESCE({code}, {UNKNOWN_CLASS}) AS class_number"
        wanted = PRESENT_SQL if kind == "image labels" else "TRUE"
        selects.append(
            f"SELECT *, {class_number}, {place} AS place"
            f" FROM ({csv_sql(path, kind)}) WHERE {wanted}"
        )
    connection.execute(f"CREATE TEMP VIEW {name} AS {' UNION ALL '.join(selects)}")


def csv_sql(path: Path, kind: Kind) -> str:
    """Return a SELECT of a file's columns under the pool's names; what it lacks is NULL."""
    header = read_header(path, kind)
    types = {name: sql_type(name) for name in COLUMNS[kind]}
    names = {original: name for name, original in COLUMNS[kind].items()}
    declared = ", ".join(
        f"{_quoted(column)}: {_quoted(types[names[column]] if column in names else 'VARCHAR')}"
        for column in header
    )
    selected = ", ".join(
        f'"{original}" AS {name}'
        if original in header
        else f"CAST(NULL AS {types[name]}) AS {name}"
        for name, original in COLUMNS[kind].items()
    )
    # DuckDB reads *, ? and [ in a name as a pattern.
    literal = _quoted(re.sub(r"([*?\[])", r"[\1]", str(path)))
    compression = "gzip" if is_gzip(path) else "none"
    return (
        f"SELECT {selected} FROM read_csv({literal}, auto_detect = false, header = true,"
        f" delim = ',', quote = '\"', escape = '\"', compression = '{compression}',"
        f" columns = {{{declared}}})"
    )


def sql_type(name: str) -> str:
    """Return the SQL type of a column of the inputs, by the pool's name for it."""
    if name in COORDINATES or name in ("confidence", "rotation"):
        return "DOUBLE"
    return "TINYINT" if name in FLAGS else "VARCHAR"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
