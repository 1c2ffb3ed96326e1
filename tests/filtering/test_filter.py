"""`filter_photos`: the pool against the naive reference, subsets, orders of rows, sources."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from filtering.filter import Engine, Inputs, filter_photos
from filtering.query import Rules
from photochat.errors import DataError
from photochat.photo import Photo
from photochat.pool import POOL_SCHEMA, read_pool
from tests.filtering.files import (
    CAKE,
    DOG,
    FACE,
    LABEL_HEADER,
    LIGHT,
    MAN,
    METADATA_HEADER,
    box_row,
    write,
    write_boxes,
    write_classes,
    write_hierarchy,
)
from tests.filtering.naive import naive_pool

CHOSEN_FOR_PHOTOCHAT = ["10dc868dcca25738", "a27ac6eda69cdbfa", "a350fd1b187d4244"]
Select = Callable[..., dict[str, Photo]]

OPTIONS: list[tuple[Rules, dict[str, bool]]] = [
    (Rules(), {}),
    (Rules(size="either"), {"either": True}),
    (Rules(group_of="drop", depictions="drop"), {"drop_groups": True, "drop_depictions": True}),
]


def assert_is_reference(path: Path, inputs: Inputs, **options: bool) -> None:
    """Hold a pool against the naive reference, id by id and field by field."""
    expected = naive_pool(
        list(inputs.boxes),
        list(inputs.classes),
        inputs.hierarchy,
        list(inputs.image_labels),
        **options,
    )
    pool = pq.read_table(path)
    assert pool.schema.equals(POOL_SCHEMA)
    rows = {row["photo_id"].partition("/")[2]: row for row in pool.to_pylist()}
    assert len(rows) == pool.num_rows
    assert rows.keys() == expected.keys()
    for image_id, photo in expected.items():
        row = rows[image_id]
        assert len(row["labels"]) == len(set(row["labels"]))
        assert set(row["labels"]) == photo["labels"]
        for place, label in enumerate(row["labels"]):
            assert photo["above"].get(label, set()).isdisjoint(row["labels"][:place])
        for field in ("themes", "qualifying", "boxes"):
            assert row[field] == photo[field], (image_id, field)


@pytest.mark.parametrize(("rules", "options"), OPTIONS)
def test_pool_of_real_images_equals_the_naive_reference(
    real_open_images: Inputs, tmp_path: Path, rules: Rules, options: dict[str, bool]
) -> None:
    """On real boxes, every photo and every field of it is the reference's, by every option."""
    filter_photos(real_open_images, tmp_path / "pool.parquet", rules=rules)
    assert_is_reference(tmp_path / "pool.parquet", real_open_images, **options)


def test_photos_that_the_authors_chose_are_in_the_pool(
    real_open_images: Inputs, tmp_path: Path
) -> None:
    """The three images that PhotoChat's authors chose among the 5,000 are kept."""
    if not real_open_images.boxes[0].name.startswith("validation"):
        pytest.skip("these are other images")
    filter_photos(real_open_images, tmp_path / "pool.parquet")
    ids = {photo.photo_id for photo in read_pool(tmp_path / "pool.parquet")}
    assert {f"validation/{image}" for image in CHOSEN_FOR_PHOTOCHAT} <= ids


@pytest.mark.parametrize("how", ["shuffled", "gzip", "clicks", "two files"])
def test_layout_of_the_files_does_not_change_the_pool(
    real_open_images: Inputs, tmp_path: Path, how: str
) -> None:
    """Shuffled rows, gzip, V5's click columns and a file cut in two give the reference's pool."""
    header, *rows = real_open_images.boxes[0].read_text().splitlines()[:3001]
    plain = write(tmp_path / "test-boxes.csv", header, rows)
    boxes: tuple[Path, ...] = (plain,)
    if how == "shuffled":
        random.Random(5).shuffle(rows)
        boxes = (write(tmp_path / "test-shuffled.csv", header, rows),)
        plain = boxes[0]
    elif how == "gzip":
        boxes = (tmp_path / "test-boxes.csv.gz",)
        boxes[0].write_bytes(gzip.compress(plain.read_bytes()))
    elif how == "clicks":
        wide = [row + ",-1" * 8 for row in rows]
        clicks = ",".join(f"XClick{i}{axis}" for axis in "XY" for i in range(1, 5))
        boxes = (write(tmp_path / "test-wide.csv", f"{header},{clicks}", wide),)
    elif how == "two files":
        boxes = tuple(
            write(tmp_path / f"test-{i}.csv", header, part)
            for i, part in enumerate((rows[1000:], rows[:1000]))
        )
    classes, hierarchy = real_open_images.classes, real_open_images.hierarchy
    report = filter_photos(Inputs(boxes, classes, hierarchy), tmp_path / "pool.parquet")
    reference = boxes if how == "two files" else (plain,)
    assert_is_reference(tmp_path / "pool.parquet", Inputs(reference, classes, hierarchy))
    assert any("sorted" in line for line in report.warnings) == (how in ("shuffled", "two files"))


@pytest.mark.slow
def test_spark_gives_the_identical_pool(
    real_open_images: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Local Spark and DuckDB write the same table and count the same, image labels included."""
    pytest.importorskip("pyspark")
    # Optimising what runs once costs more than it brings.
    monkeypatch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    header, *rows = real_open_images.boxes[0].read_text().splitlines()
    labels = [f"{row.split(',')[0]},verification,{CAKE},{i % 2}" for i, row in enumerate(rows)]
    random.Random(1).shuffle(rows)
    inputs = Inputs(
        (write(tmp_path / "test-boxes.csv", header, rows),),
        real_open_images.classes,
        real_open_images.hierarchy,
        image_labels=(write(tmp_path / "labels.csv", LABEL_HEADER, labels),),
    )
    rules = Rules(size="either", group_of="drop", label_source="boxes+image-labels")
    reports = {}
    engines: tuple[Engine, ...] = ("duckdb", "spark")
    for engine in engines:
        reports[engine] = filter_photos(
            inputs, tmp_path / f"{engine}.parquet", rules=rules, engine=engine
        )
    duckdb, spark = (pq.read_table(tmp_path / f"{engine}.parquet") for engine in engines)
    assert spark.equals(duckdb)
    assert duckdb.num_rows > 1000
    assert reports["spark"].funnel == reports["duckdb"].funnel
    assert reports["spark"].labels == reports["duckdb"].labels


def test_descendant_counts_for_its_ancestor(select: Select) -> None:
    """A Dog brings its photo in as an Animal, and the labels go from the Dog up."""
    photo = select(box_row("a", DOG))["validation/a"]
    assert photo.qualifying == ("Animal",)
    assert photo.labels == ("Dog", "Mammal", "Animal")
    assert photo.themes == ("animal",)


def test_without_a_hierarchy_labels_count_for_themselves_and_the_report_says_so(
    select: Select, tmp_path: Path
) -> None:
    """Boxes and classes alone are enough for a pool, in which a Dog is no Animal."""
    pool = select(box_row("a", DOG), box_row("b", CAKE), hierarchy=False)
    assert list(pool) == ["validation/b"]
    report = json.loads((tmp_path / "pool.report.json").read_text())
    assert "no --hierarchy" in report["warnings"][0]


def test_part_of_a_body_is_no_kind_of_it(select: Select) -> None:
    """A Face qualifies as "Human face" only, and the release's spelling is "Face"."""
    photo = select(box_row("a", FACE))["validation/a"]
    assert (photo.labels, photo.qualifying) == (("Face",), ("Human face",))


def test_people_count_only_as_the_main_object(select: Select) -> None:
    """People at the margin or too small bring nothing in; the cake beside them does."""
    pool = select(
        box_row("margin", MAN, "0.0,0.2,0.2,0.8"),
        box_row("small", MAN, "0.4,0.6,0.4,0.6"),
        box_row("with-cake", CAKE, "0.0,0.1,0.0,0.1"),
        box_row("with-cake", MAN, "0.4,0.6,0.4,0.6"),
        box_row("with-main", MAN),
    )
    assert list(pool) == ["validation/with-cake", "validation/with-main"]
    assert pool["validation/with-cake"].qualifying == ("Cake", "Dessert")
    assert pool["validation/with-cake"].labels == ("Cake", "Dessert", "Man", "Food", "Person")
    assert [box.main for box in pool["validation/with-main"].boxes] == [True]


def test_either_side_is_the_other_reading(select: Select) -> None:
    """A tall narrow man counts when either side may reach 0.3, and not when both must."""
    row = box_row("a", MAN, "0.4,0.6,0.1,0.9")
    assert select(row) == {}
    assert list(select(row, rules=Rules(size="either"))) == ["validation/a"]


@pytest.mark.parametrize(
    ("option", "flags"), [("group_of", "0,0,1,0,0"), ("depictions", "0,0,0,1,0")]
)
def test_flagged_boxes_bring_nothing_in_when_dropped(
    select: Select, option: str, flags: str
) -> None:
    """A group or a depiction qualifies by default; dropped, it stands in the pool all the same."""
    rows = [box_row("a", DOG, flags=flags), box_row("b", CAKE), box_row("b", DOG, flags=flags)]
    assert list(select(*rows)) == ["validation/a", "validation/b"]
    options: dict[str, Any] = {option: "drop"}
    pool = select(*rows, rules=Rules(**options))
    assert list(pool) == ["validation/b"]
    assert pool["validation/b"].themes == ("food",)
    assert len(pool["validation/b"].boxes) == 2


def test_metadata_adorns_photos_and_names_their_subset(tmp_path: Path) -> None:
    """Metadata in any order gives URL, author and subset; a photo without is kept and counted."""
    metadata = write(
        tmp_path / "images.csv",
        METADATA_HEADER,
        [
            'c,train,http://c,http://land/c,CC,http://p,"Who, else","A ""title""",1,x,,90.0',
            "a,test,http://a,,,,,,1,x,,",
        ],
    )
    inputs = Inputs(
        (write_boxes(tmp_path, *(box_row(image, DOG) for image in "abc")),),
        (write_classes(tmp_path),),
        write_hierarchy(tmp_path),
        (metadata,),
    )
    report = filter_photos(inputs, tmp_path / "pool.parquet")
    photos = read_pool(tmp_path / "pool.parquet")
    assert [photo.photo_id for photo in photos] == ["test/a", "validation/b", "train/c"]
    assert (photos[2].author, photos[2].title, photos[2].rotation) == ("Who, else", 'A "title"', 90)
    assert (photos[0].url, photos[0].title) == ("http://a", None)
    assert report.funnel.photos_without_metadata == 1


@pytest.mark.parametrize("order", [("train", "test"), ("test", "train")])
def test_metadata_of_each_subset_is_found_whichever_file_comes_first(
    tmp_path: Path, order: tuple[str, str]
) -> None:
    """A file of metadata a subset, each sorted, adorns every photo, and none is sorted again."""
    metadata = {
        "train": ("a", "c", "not-in-the-pool"),
        "test": ("b", "d", "no-box"),
    }
    inputs = Inputs(
        tuple(
            write_boxes(
                tmp_path,
                *(box_row(image, DOG) for image in images[:2]),
                name=f"{subset}-annotations-bbox.csv",
            )
            for subset, images in metadata.items()
        ),
        (write_classes(tmp_path),),
        write_hierarchy(tmp_path),
        tuple(
            write(
                tmp_path / f"{subset}-images.csv",
                METADATA_HEADER,
                [f"{image},{subset},http://{image}" + "," * 9 for image in metadata[subset]],
            )
            for subset in order
        ),
    )
    report = filter_photos(inputs, tmp_path / "pool.parquet")
    photos = {photo.photo_id: photo.url for photo in read_pool(tmp_path / "pool.parquet")}
    assert photos == {
        "train/a": "http://a",
        "train/c": "http://c",
        "test/b": "http://b",
        "test/d": "http://d",
    }
    assert report.warnings == []


def test_metadata_is_read_to_its_end_for_a_photo_that_is_missing(tmp_path: Path) -> None:
    """A row far behind its place is found: the file is sorted first, and the report says so."""
    images = [f"b{number:06d}" for number in range(60_000)]  # more than is read at once
    inputs = Inputs(
        (write_boxes(tmp_path, box_row("a", DOG)),),
        (write_classes(tmp_path),),
        write_hierarchy(tmp_path),
        (
            write(
                tmp_path / "images.csv",
                METADATA_HEADER,
                [f"{image},test,http://{image}" + "," * 9 for image in [*images, "a"]],
            ),
        ),
    )
    report = filter_photos(inputs, tmp_path / "pool.parquet")
    assert [photo.url for photo in read_pool(tmp_path / "pool.parquet")] == ["http://a"]
    assert report.funnel.photos_without_metadata == 0
    assert "sorted first" in report.warnings[0]


@pytest.mark.parametrize("source", ["boxes", "boxes+image-labels"])
def test_image_labels_fill_labels_and_qualify_only_by_option(tmp_path: Path, source: Any) -> None:
    """Verified labels enrich; by option they bring food in, never people, never absent things."""
    labels = write(
        tmp_path / "labels.csv",
        LABEL_HEADER,
        [
            f"a,verification,{CAKE},1",
            f"b,verification,{CAKE},1",
            f"c,verification,{MAN},1",
            f"d,verification,{CAKE},0",
            f"e,machine,{CAKE},1",
            "a,verification,/m/0nodesc,1",
        ],
    )
    inputs = Inputs(
        (write_boxes(tmp_path, box_row("a", DOG), box_row("b", LIGHT), box_row("e", LIGHT)),),
        (write_classes(tmp_path),),
        write_hierarchy(tmp_path),
        image_labels=(labels,),
    )
    report = filter_photos(inputs, tmp_path / "pool.parquet", rules=Rules(label_source=source))
    pool = {photo.photo_id: photo for photo in read_pool(tmp_path / "pool.parquet")}
    by_label = source != "boxes"
    assert list(pool) == ["validation/a", *(["validation/b"] if by_label else [])]
    assert pool["validation/a"].labels == ("Cake", "Dog", "Dessert", "Mammal", "Animal", "Food")
    assert pool["validation/a"].themes == (("food", "animal") if by_label else ("animal",))
    assert report.funnel.image_labels_of_unknown_class == 1


def test_subsets_are_read_one_after_the_other(tmp_path: Path) -> None:
    """Two subsets' files make one pool, each photo under its own file's subset."""
    boxes = tuple(
        write_boxes(tmp_path, box_row(image, DOG), name=f"{subset}-annotations-bbox.csv")
        for subset, image in (("train", "b"), ("test", "a"))
    )
    inputs = Inputs(boxes, (write_classes(tmp_path),), write_hierarchy(tmp_path))
    filter_photos(inputs, tmp_path / "pool.parquet")
    ids = [photo.photo_id for photo in read_pool(tmp_path / "pool.parquet")]
    assert ids == ["train/b", "test/a"]
    filter_photos(inputs, tmp_path / "pool.parquet", subset="mine")
    ids = [photo.photo_id for photo in read_pool(tmp_path / "pool.parquet")]
    assert ids == ["mine/a", "mine/b"]


def test_image_labels_of_several_subsets_are_told_by_their_names(tmp_path: Path) -> None:
    """A label file is read with the boxes of its subset; without such boxes the report says so."""
    boxes = tuple(
        write_boxes(tmp_path, box_row(image, DOG), name=f"{subset}-annotations-bbox.csv")
        for subset, image in (("train", "a"), ("test", "b"))
    )
    classes, hierarchy = (write_classes(tmp_path),), write_hierarchy(tmp_path)

    def labels(name: str) -> Path:
        return write(tmp_path / name, LABEL_HEADER, [f"b,verification,{CAKE},1"])

    named = labels("test-labels.csv"), labels("validation-labels.csv")
    report = filter_photos(Inputs(boxes, classes, hierarchy, (), named), tmp_path / "pool.parquet")
    assert "Cake" in read_pool(tmp_path / "pool.parquet")[1].labels
    assert report.funnel.image_labels_read == 1
    assert report.warnings == [
        "validation-labels.csv is not read: there are no boxes of validation"
    ]
    unnamed = (labels("human-labels.csv"),)
    with pytest.raises(DataError, match=r"human-labels\.csv: its name tells no subset"):
        filter_photos(Inputs(boxes, classes, hierarchy, (), unnamed), tmp_path / "pool.parquet")


def test_unnamed_subset_is_asked_for(tmp_path: Path) -> None:
    """A file whose name tells no subset needs --subset or metadata."""
    boxes = write_boxes(tmp_path, box_row("a", DOG), name="boxes.csv")
    with pytest.raises(DataError, match="give --subset or --metadata"):
        filter_photos(Inputs((boxes,), (write_classes(tmp_path),)), tmp_path / "pool.parquet")


def test_funnel_adds_up_and_inputs_are_hashed(real_open_images: Inputs, tmp_path: Path) -> None:
    """Images with a theme label are those kept and those dropped, for three reasons."""
    import hashlib

    rules = Rules(group_of="drop")
    report = filter_photos(real_open_images, tmp_path / "pool.parquet", rules=rules)
    funnel = report.funnel
    assert funnel.images_with_theme_label == (
        funnel.photos_kept
        + funnel.images_dropped_people_at_margin
        + funnel.images_dropped_people_too_small
        + funnel.images_dropped_as_group_or_depiction
    )
    assert funnel.people_boxes == (
        funnel.people_boxes_at_margin + funnel.people_boxes_too_small + funnel.people_boxes_main
    )
    assert funnel.images_dropped_as_group_or_depiction > 0
    assert funnel.photos_kept == len(read_pool(tmp_path / "pool.parquet"))
    content = real_open_images.boxes[0].read_bytes()
    assert report.inputs[0].sha256 == hashlib.sha256(content).hexdigest()
    assert report.inputs[0].bytes == len(content)
