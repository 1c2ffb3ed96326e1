"""MSCOCO captions in the split of Karpathy and Fei-Fei (2015), to train on before PhotoChat.

`dataset_coco.json` lists images with their file, their split and about five captions. A caption is
a query of one turn, its image the photo; "restval" counts as train, as VSE++ and SCAN have it.
Pictures lie at `DIR/<filepath>/<filename>`, as COCO's archives unpack.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from modeling.retrieval.examples import GalleryPhoto, Query, RetrievalExamples
from photochat.dialogue import Utterance
from photochat.errors import UNDECODABLE, DataError

SPLITS = {"train": "train", "restval": "train", "val": "dev", "test": "test"}
_SUFFIX = ".jpg"


class _Sentence(msgspec.Struct):
    raw: str


class _Image(msgspec.Struct):
    filename: str
    split: str
    sentences: list[_Sentence]
    filepath: str = ""
    cocoid: int | None = None


class _File(msgspec.Struct):
    images: list[_Image]


def read_coco(file: Path) -> dict[str, RetrievalExamples]:
    """Read captions as retrieval examples by split: train (restval included), dev, test.

    A query's id is the image's place in the file.

    Raises:
        DataError: the file is missing or of another form, or names a split or picture that COCO
            does not have.
    """
    try:
        images = msgspec.json.decode(file.read_bytes(), type=_File).images
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", file=file) from error
    except UNDECODABLE as error:
        raise DataError(
            f"is not a caption file like dataset_coco.json ({error})", file=file
        ) from error
    photos: dict[str, list[GalleryPhoto]] = {name: [] for name in SPLITS.values()}
    queries: dict[str, list[Query]] = {name: [] for name in SPLITS.values()}
    for number, image in enumerate(images):
        split = SPLITS.get(image.split)
        if split is None:
            raise DataError(
                f"{image.split!r} is no split: expected one of {', '.join(SPLITS)}",
                file=file,
                record=number,
                field="split",
            )
        if not image.filename.lower().endswith(_SUFFIX):
            raise DataError(
                f"{image.filename!r} is no {_SUFFIX} file",
                file=file,
                record=number,
                field="filename",
            )
        stem = image.filename[: -len(_SUFFIX)]
        photo_id = f"{image.filepath}/{stem}" if image.filepath else stem
        place = len(photos[split])
        photos[split].append(GalleryPhoto(photo_id, photo_id))
        queries[split] += [
            Query(number, (Utterance(0, " ".join(s.raw.split())),), 0, place)
            for s in image.sentences
        ]
    return {name: RetrievalExamples(tuple(photos[name]), tuple(queries[name])) for name in photos}
