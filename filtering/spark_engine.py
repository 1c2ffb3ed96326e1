"""The same selection on Spark, for more boxes than one machine holds.

Spark runs `filtering.query.selection_sql` word for word; its executors assemble the photos with
`filtering.assembly.assemble`, so they need this package and pyarrow. Photos come back to the driver
in order, partition after partition, as Arrow.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from filtering.assembly import Block, assemble
from filtering.class_table import UNKNOWN_CLASS, ClassTable
from filtering.duckdb_engine import FIRST_LABEL_FILE, PRESENT_SQL, sql_type
from filtering.open_images import COLUMNS, Kind, read_header
from filtering.query import RECORD_COLUMNS, Rules, selection_sql
from photochat.errors import DataError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_ARROW_ROWS = "spark.sql.execution.arrow.maxRecordsPerBatch"
_BATCH_ROWS = 200_000


class SparkFailedError(Exception):
    """Spark gave up; the text is the first line of its reason."""


def selected_blocks(
    boxes: Sequence[Path], image_labels: Sequence[Path], classes: ClassTable, rules: Rules
) -> Iterator[Block]:
    """Yield blocks of photos in the order of their image ids.

    The session is the active one, or a new one with the cluster that Spark's own configuration
    names (without any: this machine).

    Raises:
        DataError: pyspark is not installed.
        SparkFailedError: a file is no such CSV, or the cluster failed.
    """
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise DataError(
            "pyspark is not installed: pip install pyspark", field="--engine"
        ) from error
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    active = SparkSession.getActiveSession()
    session = active or SparkSession.builder.appName("photochat filter").getOrCreate()
    try:
        session.sparkContext.setLogLevel("OFF")
        session.conf.set(_ARROW_ROWS, _BATCH_ROWS)
        yield from _blocks(session, boxes, image_labels, classes, rules)
    except (PySparkException, Py4JError) as error:
        raise SparkFailedError(str(error).strip().splitlines()[0]) from error
    finally:
        if active is None:
            session.stop()


def _blocks(
    session: SparkSession,
    boxes: Sequence[Path],
    image_labels: Sequence[Path],
    classes: ClassTable,
    rules: Rules,
) -> Iterator[Block]:
    numbers = session.createDataFrame(
        list(enumerate(classes.ids)), "class_number int, class_id string"
    )
    _read(session, boxes, "boxes", numbers).createOrReplaceTempView("boxes")
    if image_labels:
        labels = _read(session, image_labels, "image labels", numbers)
        labels.filter(PRESENT_SQL).createOrReplaceTempView("image_labels")
    records = session.sql(selection_sql(rules, classes, with_image_labels=bool(image_labels)))

    def assembled(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for block in assemble(batches, classes):
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, block.photos.schema) as writer:
                writer.write_table(block.photos)
            counts = [[*key, count] for key, count in block.tally.items()]
            told = json.dumps([counts, block.troubles])
            yield pa.RecordBatch.from_pydict(
                {"photos": [sink.getvalue().to_pybytes()], "told": [told]}
            )

    by_image = records.repartitionByRange("image_id").sortWithinPartitions("image_id", "place")
    packed = by_image.select(*RECORD_COLUMNS).mapInArrow(assembled, "photos binary, told string")
    for row in packed.toLocalIterator(prefetchPartitions=True):
        counts, troubles = json.loads(row["told"])
        tally = Counter({(what, name): count for what, name, count in counts})
        yield Block(pa.ipc.open_stream(row["photos"]).read_all(), tally, troubles)


def _read(
    session: SparkSession, files: Sequence[Path], kind: Kind, numbers: DataFrame
) -> DataFrame:
    """Read CSV files under the pool's names, with `place` in the order of files and rows."""
    from pyspark.sql import functions as F

    frames = []
    first = 0 if kind == "boxes" else FIRST_LABEL_FILE
    for number, path in enumerate(files, start=first):
        header = read_header(path, kind)
        names = {original: name for name, original in COLUMNS[kind].items()}
        declared = ", ".join(
            f"`{column}` {sql_type(names[column]) if column in names else 'STRING'}"
            for column in header
        ).replace("VARCHAR", "STRING")
        frame = (
            session.read.schema(declared)
            .option("header", True)
            .option("mode", "FAILFAST")
            .option("escape", '"')
            .csv(path.absolute().as_uri())
        )
        # Spark reads a file in parts; a part's rows are numbered upwards in its partition.
        place = F.struct(
            F.lit(number).alias("file"),
            F.col("_metadata.file_block_start").alias("part"),
            F.monotonically_increasing_id().alias("row"),
        )
        wanted = [F.col(original).alias(name) for name, original in COLUMNS[kind].items()]
        frames.append(frame.select(*wanted, place.alias("place")))
    together = frames[0]
    for frame in frames[1:]:
        together = together.unionAll(frame)
    return together.join(F.broadcast(numbers), "class_id", "left").fillna(
        UNKNOWN_CLASS, "class_number"
    )
