"""Captions of COCO as queries, and what is wrong with a file said in one line."""

import json

import pytest

from modeling.retrieval.coco import read_coco
from photochat.errors import DataError

SPLITS = ["train", "restval", "val", "test"]


def caption_file(folder, count=8, **changed):
    """A file of `count` images, two captions each, splits in turn."""
    images = [
        {
            "filepath": "val2014",
            "filename": f"COCO_val2014_{i:012d}.jpg",
            "split": SPLITS[i % 4],
            "sentences": [{"raw": f"A thing{chr(97 + i)} here.\n", "tokens": []}, {"raw": "Two."}],
            "cocoid": i,
            **changed,
        }
        for i in range(count)
    ]
    file = folder / "dataset_coco.json"
    file.write_text(json.dumps({"images": images, "dataset": "coco"}))
    return file


def test_each_caption_is_a_query_and_restval_counts_as_train(tmp_path):
    found = read_coco(caption_file(tmp_path))
    assert {name: (len(e.photos), len(e)) for name, e in found.items()} == {
        "train": (4, 8),
        "dev": (2, 4),
        "test": (2, 4),
    }
    dev = found["dev"]
    assert dev.photos[1].photo_id == "val2014/COCO_val2014_000000000006"
    assert [q.photo for q in dev.queries] == [0, 0, 1, 1]
    assert [u.text for u in dev.queries[2].turns] == ["A thingg here."]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"split": "holdout"}, "'holdout' is no split"),
        ({"filename": "picture.tiff"}, r"is no \.jpg file"),
        ({"sentences": "none"}, "is not a caption file"),
    ],
)
def test_a_broken_file_is_one_line(changed, said, tmp_path):
    with pytest.raises(DataError, match=said):
        read_coco(caption_file(tmp_path, **changed))
    with pytest.raises(DataError, match="cannot be read"):
        read_coco(tmp_path / "none.json")
