"""Filtering 14,610,229 boxes: against pandas writing the same pool, and DuckDB only counting rows.

The boxes are made once, by giving resampled real boxes (else made-up ones) classes from the whole
list and fresh image ids, as many as Open Images' train subset has. About 1.3 GB, into
`benchmarks/data/`, which git ignores; `--small` stops at 1 million.

Every measurement is a process of its own, so that peak memory is the run's. The times of filtering
and of counting are taken in turns and compared pair by pair, since other work on the machine slows
both; the median pair counts.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.report import machine, report

DATA = Path(__file__).parent / "data"
SHARED = Path(os.environ.get("PHOTOCHAT_SHARED") or Path(__file__).parents[2] / "shared")
REAL = SHARED / "data" / "openimages"
BOXES, IMAGES = 14_610_229, 1_743_042  # of Open Images' train subset, V4 to V7
SIZES = (1_000_000, 5_000_000, BOXES)
PANDAS_ROWS = 5_000_000  # one frame of all boxes, with its dicts, does not fit into 24 GB
PAIRS = 3


def box_file(count: int) -> Path:
    """Return a file of `count` boxes sorted by image, made when it is not there."""
    path = DATA / f"train-annotations-bbox-{count}.csv"
    if path.exists():
        return path
    DATA.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    header, *rows = (REAL / "validation-annotations-bbox.csv").read_text().splitlines()
    cells = [row.split(",") for row in rows]
    sources = np.array([f",{row[1]}," for row in cells], dtype=object)
    places = np.array(["," + ",".join(row[3:]) + "\n" for row in cells], dtype=object)
    listed = (REAL / "class-descriptions-boxable.csv").read_text().splitlines()
    classes = np.array([line.split(",")[0] for line in listed], dtype=object)
    images = round(IMAGES * count / BOXES)
    image_ids = np.sort(rng.integers(0, 2**63, images, dtype=np.int64))
    image = np.sort(rng.integers(0, images, count))
    part = path.with_suffix(".part")
    with part.open("w") as file:
        file.write(header + "\n")
        for start in range(0, count, 500_000):
            numbers, which = np.unique(image[start : start + 500_000], return_inverse=True)
            ids = np.array([f"{n:016x}" for n in image_ids[numbers].tolist()], dtype=object)
            box = rng.integers(0, len(cells), len(which))
            label = classes[rng.integers(0, len(classes), len(which))]
            file.write("".join(ids[which] + sources[box] + label + places[box]))
    return part.rename(path)


def run_ours(boxes: Path, out: Path) -> None:
    """Filter as `photochat filter` does: pool, report, hashes and all."""
    from filtering.filter import Inputs, filter_photos

    filter_photos(
        Inputs(
            (boxes,),
            (REAL / "class-descriptions-boxable.csv",),
            REAL / "bbox_labels_600_hierarchy.json",
        ),
        out,
    )


def run_count(boxes: Path, out: Path) -> None:
    """Let DuckDB count the rows."""
    import duckdb

    duckdb.execute("SET enable_progress_bar = false")
    row = duckdb.execute(f"SELECT count(*) FROM read_csv('{boxes}')").fetchone()
    assert row is not None
    out.write_text(str(row[0]))


def run_pandas(boxes: Path, out: Path) -> None:
    """Write the same pool the way one would in pandas: merge, group, collect into lists."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from filtering.class_table import class_table
    from filtering.open_images import read_classes, read_hierarchy
    from photochat.pool import POOL_SCHEMA
    from photochat.themes import THEME_LABELS, THEMES

    table = class_table(
        read_classes([REAL / "class-descriptions-boxable.csv"]),
        read_hierarchy(REAL / "bbox_labels_600_hierarchy.json"),
    )

    def pairs(lists: object) -> pd.DataFrame:
        classes = np.repeat(np.array(table.ids, dtype=object), lists.lengths)
        return pd.DataFrame({"class_id": classes, "number": lists.values})

    closure, people, others = map(pairs, (table.labels_of, table.people_of, table.others_of))
    qualifiers = pd.concat([people.assign(people=True), others.assign(people=False)])
    names = dict(zip(table.ids, table.names, strict=True))
    columns = "class_id x_min x_max y_min y_max is_occluded is_truncated is_group_of is_depiction"
    columns = [*columns.split(), "is_inside"]
    originals = "LabelName XMin XMax YMin YMax IsOccluded IsTruncated IsGroupOf IsDepiction"
    originals = [*originals.split(), "IsInside"]

    def pool_of(frame: pd.DataFrame) -> pa.Table:
        frame = frame.rename(columns=dict(zip(originals, columns, strict=True)))
        frame = frame[["ImageID", *columns]]
        center_x, center_y = (frame.x_min + frame.x_max) / 2, (frame.y_min + frame.y_max) / 2
        frame["main"] = (
            center_x.between(0.1, 0.9, inclusive="neither")
            & center_y.between(0.1, 0.9, inclusive="neither")
            & (frame.x_max - frame.x_min >= 0.3)
            & (frame.y_max - frame.y_min >= 0.3)
        )
        found = frame[["ImageID", "class_id", "main"]].merge(qualifiers, on="class_id")
        found = found[~found.people | found.main][["ImageID", "number"]].drop_duplicates()
        found = found.sort_values(["ImageID", "number"])
        found["name"] = found.number.map(dict(enumerate(x.name for x in THEME_LABELS)))
        found["theme"] = found.number.map(
            dict(enumerate(THEMES.index(x.theme) for x in THEME_LABELS))
        )
        qualifying = found.groupby("ImageID")["name"].agg(list)
        themes = found[["ImageID", "theme"]].drop_duplicates().sort_values(["ImageID", "theme"])
        themes["theme"] = themes.theme.map(dict(enumerate(THEMES)))
        themes = themes.groupby("ImageID")["theme"].agg(list)
        frame = frame[frame.ImageID.isin(qualifying.index)]
        labels = frame[["ImageID", "class_id"]].merge(closure, on="class_id")
        labels = labels[["ImageID", "number"]].drop_duplicates()
        labels = labels.sort_values(["ImageID", "number"])
        labels["label"] = labels.number.map(dict(enumerate(table.labels)))
        labels = labels.groupby("ImageID")["label"].agg(list)
        frame["label"] = frame.class_id.map(names)
        records = frame[["label", *columns, "main"]].to_dict("records")
        boxes = pd.Series(records, index=frame.index).groupby(frame.ImageID).agg(list)
        pool = pd.DataFrame(
            {"labels": labels, "themes": themes, "qualifying": qualifying, "boxes": boxes}
        )
        pool["photo_id"] = "train/" + pool.index
        for name in POOL_SCHEMA.names:
            if name not in pool:
                pool[name] = None
        return pa.Table.from_pandas(pool, schema=POOL_SCHEMA, preserve_index=False)

    with pq.ParquetWriter(out, POOL_SCHEMA, compression="zstd") as writer:
        rest = None
        for frame in pd.read_csv(boxes, chunksize=PANDAS_ROWS):
            frame = frame if rest is None else pd.concat([rest, frame])
            last = frame.ImageID == frame.ImageID.iloc[-1]
            rest = frame[last]
            writer.write_table(pool_of(frame[~last]))
        writer.write_table(pool_of(rest))


RUNS = {"ours": run_ours, "count": run_count, "pandas": run_pandas}


def measure(what: str, boxes: Path, out: Path) -> tuple[float, float]:
    """Return seconds and peak megabytes of a run in a process of its own."""
    code = (
        "import resource, sys, time; from pathlib import Path;"
        "from benchmarks.filtering import RUNS; start = time.perf_counter();"
        "RUNS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]));"
        "print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, what, str(boxes), str(out)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds, peak = done.stdout.split()
    per_unit = 1024 if sys.platform != "darwin" else 1
    return float(seconds), int(peak) * per_unit / 1e6


def same_pools(one: Path, other: Path) -> bool:
    """Return whether a thousand photos drawn from each pool, and all ids, are the same."""
    import pyarrow.parquet as pq

    ids = [pq.read_table(path, columns=["photo_id"]).column(0).to_pylist() for path in (one, other)]
    if ids[0] != ids[1]:
        return False
    chosen = set(random.Random(0).sample(ids[0], 1000))
    rows = [pq.read_table(path, filters=[("photo_id", "in", chosen)]) for path in (one, other)]
    return rows[0].to_pylist() == rows[1].to_pylist()


def main() -> None:
    """Measure and report."""
    sizes = SIZES[:1] if "--small" in sys.argv else SIZES
    scaling = []
    with tempfile.TemporaryDirectory(dir=DATA.parent) as name:
        ours, theirs = Path(name) / "ours.parquet", Path(name) / "pandas.parquet"
        for size in sizes:
            boxes = box_file(size)
            pairs = []
            for _ in range(PAIRS):
                with boxes.open("rb") as file:  # so that both find the file in memory
                    while file.read(1 << 20):
                        pass
                count = measure("count", boxes, Path(name) / "count")
                pairs.append((measure("ours", boxes, ours), count))
            start = time.perf_counter()
            pandas_seconds, pandas_peak = measure("pandas", boxes, theirs)
            if size == sizes[0] and not same_pools(ours, theirs):
                raise SystemExit("the pools differ: nothing to compare")
            seconds = statistics.median(pair[0][0] for pair in pairs)
            scaling.append(
                {
                    "boxes": size,
                    "megabytes": round(boxes.stat().st_size / 1e6),
                    "seconds": round(seconds, 2),
                    "count_seconds": round(statistics.median(pair[1][0] for pair in pairs), 2),
                    "pandas_seconds": round(pandas_seconds, 2),
                    "times_count": round(
                        statistics.median(pair[0][0] / pair[1][0] for pair in pairs), 2
                    ),
                    "pandas_over_ours": round(pandas_seconds / seconds, 1),
                    "peak_megabytes": round(max(pair[0][1] for pair in pairs)),
                    "pandas_peak_megabytes": round(pandas_peak),
                    "boxes_per_second": round(size / seconds),
                }
            )
            print(json.dumps(scaling[-1]), f"({time.perf_counter() - start:.0f} s)", flush=True)
    full = scaling[-1]
    report(
        "filtering" if sizes == SIZES else "filtering_small",
        [
            ("pandas writing the same pool, times our time", full["pandas_over_ours"], ">=", 10),
            ("our time, times DuckDB's count(*)", full["times_count"], "<=", 6),
            ("peak memory, MB", full["peak_megabytes"], "<=", 1500),
        ],
        {
            "data": "resampled real boxes of Open Images over all 601 classes, sorted by image",
            "scaling": scaling,
            **machine("duckdb", "pyarrow", "pandas", "numpy"),
        },
    )


if __name__ == "__main__":
    main()
