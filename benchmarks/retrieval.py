"""Retrieval speed: SCAN's scores, ranks, pictures, the contrastive step, search; each with a peer.

Both sides of a ratio run in turn in one process, and their medians are compared, so that a machine
that is busy with other things slows both. The loop over captions is timed on some of them.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from open_clip.loss import ClipLoss
from PIL import Image
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from benchmarks.report import machine, report
from benchmarks.scan_by_caption import scores_by_caption
from modeling.retrieval.augment import CLIP, prepare, views
from modeling.retrieval.examples import GalleryPhoto
from modeling.retrieval.losses import pair_loss
from modeling.retrieval.photos import open_photos
from modeling.retrieval.ranks import ranks_of
from modeling.retrieval.scan_scores import Attention, scan_scores
from modeling.retrieval.vector_index import FaissIndex, agreement, exact_best

Claim = tuple[str, float, str, float]

PAIRS = 1000  # texts and pictures of a test split
REGIONS, WORDS, JOINT = 36, (4, 24), 1024  # SCAN's regions, words from and to, joint space
TIMED_CAPTIONS = 12
QUERIES = 10_000
PICTURES, SIZE, STEP = 192, (1024, 768), 64  # pictures of Open Images' size, and those of a step
BATCH, WIDTH = 1024, 512
VECTORS, VECTOR_WIDTH, CLUSTERS = 1_000_000, 128, 20_000


def in_turn(first: Callable[[], object], second: Callable[[], object], runs: int) -> list[float]:
    """Return the median seconds of both, run in turn after one run each that does not count."""
    times: list[list[float]] = [[], []]
    for run in range(runs + 1):
        for own, call in zip(times, (first, second), strict=True):
            start = time.perf_counter()
            call()
            if run:
                own.append(time.perf_counter() - start)
    return [statistics.median(own) for own in times]


def unit(source: torch.Generator, *shape: int) -> torch.Tensor:
    """Return random vectors of length one."""
    return F.normalize(torch.randn(*shape, generator=source), dim=-1)


def scan() -> tuple[list[Claim], dict[str, Any]]:
    """SCAN's scores of all pairs against the loop over captions."""
    source = torch.Generator().manual_seed(0)
    words, regions = unit(source, PAIRS, WORDS[1], JOINT), unit(source, PAIRS, REGIONS, JOINT)
    lengths = torch.randint(*WORDS, (PAIRS,), generator=source)
    mask = (torch.arange(WORDS[1]) < lengths[:, None]).long()
    start = time.perf_counter()
    ours = scan_scores(words, mask, regions, Attention())
    spent = time.perf_counter() - start
    timed = torch.arange(0, PAIRS, PAIRS // TIMED_CAPTIONS)
    start = time.perf_counter()
    theirs = scores_by_caption(words[timed], mask[timed], regions, Attention().temperature)
    of_words = (time.perf_counter() - start) / int(lengths[timed].sum())
    loop = of_words * int(lengths.sum())
    difference = float((ours[timed] - theirs).abs().max())
    return [
        ("SCAN scores of 1,000 x 1,000 over a loop over captions", loop / spent, ">=", 30),
        ("largest difference of SCAN scores from the loop's", difference, "<=", 1e-5),
    ], {"scan_seconds": spent, "scan_loop_seconds": loop, "scan_captions_timed": len(timed)}


def ranks() -> tuple[list[Claim], dict[str, Any]]:
    """Ranks by counting against ranks by sorting, of scores at hand and of vectors."""
    source = torch.Generator().manual_seed(0)
    gold = torch.arange(QUERIES)
    queries, photos = unit(source, QUERIES, WIDTH), unit(source, QUERIES, WIDTH)
    scores = queries @ photos.T

    def sorted_ranks(table: torch.Tensor) -> torch.Tensor:
        order = table.argsort(dim=1, descending=True)
        return (order == gold[:, None]).nonzero()[:, 1] + 1

    counted = ranks_of(lambda part: scores[part], gold, QUERIES, rounding=0.0)
    assert np.abs(counted - sorted_ranks(scores).numpy()).max() <= 1  # equal floats
    ours, theirs = in_turn(
        lambda: ranks_of(lambda part: scores[part], gold, QUERIES),
        lambda: sorted_ranks(scores),
        2,
    )
    start = time.perf_counter()
    ranks_of(lambda part: queries[part] @ photos.T, gold, QUERIES)
    with_product = time.perf_counter() - start
    return [("ranks of 10,000 x 10,000 over argsort", theirs / ours, ">=", 10)], {
        "ranks_seconds": ours,
        "argsort_seconds": theirs,
        "ranks_seconds_with_products": with_product,
    }


class PilPictures(Dataset[torch.Tensor]):
    """Pictures opened, cropped and normalised one by one at each step, as is customary."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files
        self.view = v2.Compose(
            [
                v2.RandomResizedCrop(224, scale=(0.5, 1.0)),
                v2.RandomHorizontalFlip(),
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(*map(list, CLIP)),
            ]
        )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, place: int) -> torch.Tensor:
        with Image.open(self.files[place]) as picture:
            seen: torch.Tensor = self.view(picture.convert("RGB"))
        return seen


def pictures() -> tuple[list[Claim], dict[str, Any]]:
    """An epoch of augmented pictures from the store against a PIL loader with two workers."""
    source = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images"
        images.mkdir()
        for i in range(PICTURES):
            coarse = Image.fromarray(source.integers(0, 256, (48, 64, 3), dtype=np.uint8))
            coarse.resize(SIZE, Image.Resampling.BICUBIC).save(images / f"{i}.jpg", quality=90)
        photos = [GalleryPhoto(str(i), str(i)) for i in range(PICTURES)]
        start = time.perf_counter()
        store = open_photos(photos, images, progress=False)
        decoding = time.perf_counter() - start

        def epoch() -> None:
            for at in range(0, PICTURES, STEP):
                step = photos[at : at + STEP]
                prepare(store.pixels(step), views([p.key for p in step], seed=0, epoch=1))

        files = [images / f"{i}.jpg" for i in range(PICTURES)]

        def customary() -> None:
            for _ in DataLoader(PilPictures(files), STEP, num_workers=2):
                pass

        ours, theirs = in_turn(epoch, customary, 3)
    return [("pictures per second over a PIL loader", theirs / ours, ">=", 5)], {
        "pictures_per_second": PICTURES / ours,
        "pictures_per_second_pil": PICTURES / theirs,
        "pictures_decoded_once_per_second": PICTURES / decoding,
    }


def contrastive() -> tuple[list[Claim], dict[str, Any]]:
    """The contrastive step, shared photos masked, against open_clip's loss, backward included."""
    source = torch.Generator().manual_seed(0)
    first, second = (unit(source, BATCH, WIDTH).requires_grad_() for _ in range(2))
    scale = torch.tensor(14.3, requires_grad=True)
    shared = torch.randint(0, BATCH * 9 // 10, (BATCH,), generator=source)
    theirs = ClipLoss()

    def ours_step() -> None:
        pair_loss(first @ second.T, shared, "cross-entropy", scale=scale, margin=0.0).backward()

    def their_step() -> None:
        theirs(first, second, scale).backward()

    apart = torch.arange(BATCH)
    with torch.no_grad():
        found = pair_loss(first @ second.T, apart, "cross-entropy", scale=scale, margin=0.0)
        assert abs(float(found - 2 * theirs(first, second, scale))) < 1e-3  # they take the mean
    ours, peer = in_turn(ours_step, their_step, 15)
    return [("contrastive step with masks over open_clip's loss", peer / ours, ">=", 1.0)], {
        "contrastive_seconds": ours,
        "contrastive_seconds_open_clip": peer,
    }


def vectors() -> tuple[list[Claim], dict[str, Any]]:
    """The first ten of a million vectors through FAISS against all products."""
    source = np.random.default_rng(0)
    centres = source.normal(size=(CLUSTERS, VECTOR_WIDTH)).astype(np.float32)

    def around(count: int) -> Any:
        chosen = centres[source.integers(0, CLUSTERS, count)]
        table = chosen + 0.7 * source.standard_normal(chosen.shape, dtype=np.float32)
        return table / np.linalg.norm(table, axis=1, keepdims=True)

    gallery, queries = around(VECTORS), around(64)
    start = time.perf_counter()
    index = FaissIndex(gallery)
    building = time.perf_counter() - start
    ours, exact = in_turn(
        lambda: index.best(queries, 10), lambda: exact_best(queries, gallery, 10), 3
    )
    found = index.best(queries, 10).places
    recall = agreement(found, exact_best(queries, gallery, 10).places)
    return [
        ("search of 1,000,000 vectors through FAISS over all products", exact / ours, ">=", 5),
        ("share of the exact first ten that FAISS finds", recall, ">=", 0.9),
    ], {
        "faiss_queries_per_second": len(queries) / ours,
        "exact_queries_per_second": len(queries) / exact,
        "faiss_building_seconds": building,
        "faiss_cells_visited": index.visited,
    }


def main() -> None:
    """Measure and report."""
    claims: list[Claim] = []
    about: dict[str, Any] = {}
    for part in (contrastive, ranks, pictures, scan, vectors):
        own, details = part()
        claims += own
        about |= {name: float(f"{value:.4g}") for name, value in details.items()}
    report(
        "retrieval",
        claims,
        {
            "scan": f"{WORDS[0]} to {WORDS[1] - 1} words, {REGIONS} regions, width {JOINT}",
            "pictures": f"{PICTURES} of {SIZE[0]} x {SIZE[1]}, steps of {STEP}, to 224 x 224",
            "contrastive": f"{BATCH} pairs of width {WIDTH}",
            "vectors": f"{VECTORS:,} of width {VECTOR_WIDTH} around {CLUSTERS:,} centres",
            "threads": torch.get_num_threads(),
            **about,
            **machine("torch", "open-clip-torch", "faiss-cpu", "pillow"),
        },
    )


if __name__ == "__main__":
    main()
