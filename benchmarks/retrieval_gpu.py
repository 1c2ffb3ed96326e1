"""Fine-tuning CLIP's ViT-B/32 through our training loop, beside a plain loop of open_clip's parts.

Both start from random weights and see the same pictures on disk, on one device in one run. The
plain loop is what one writes: PIL in the loader's workers, open_clip's transforms, tokenizer, loss,
AdamW and autocast. The first epoch, which warms up, does not count; ours decodes before it.
SCAN's scores are timed too, beside its usual loop over captions on the same device.
Without a GPU everything is small, to see that it runs: python -m benchmarks.retrieval_gpu
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.loss import ClipLoss
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from benchmarks.report import machine, report
from benchmarks.retrieval import JOINT, REGIONS, WORDS, Claim, unit
from benchmarks.scan_by_caption import scores_by_caption
from modeling.retrieval.clip import ClipMatcher
from modeling.retrieval.clip_towers import load_clip
from modeling.retrieval.examples import GalleryPhoto, Query, RetrievalExamples
from modeling.retrieval.matcher import Retriever
from modeling.retrieval.photos import PhotoStore, open_photos
from modeling.retrieval.scan_scores import Attention, scan_scores
from modeling.retrieval.settings import DualEncoderSettings, RetrievalSettings
from modeling.retrieval.task import RetrievalTask
from modeling.training.log import read_log
from modeling.training.loop import train
from modeling.training.settings import TrainingSettings
from photochat.dialogue import Utterance

ON_GPU = torch.cuda.is_available()
MODEL = "ViT-B-32" if ON_GPU else "ViT-S-32-alt"
PAIRS, BATCH, EPOCHS = (4096, 256, 4) if ON_GPU else (4, 2, 2)
SIZE = (1024, 768)  # pixels, as Open Images' pictures of this size
FORWARD = 14.78e9  # FLOP of a pair forwards, by open_clip's model profile; backwards twice that
# Dense bf16 peak in FLOP/s by device name (NVIDIA's data sheets).
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L4": 121e12, "T4": 65e12}
SCAN_PAIRS = 1000 if ON_GPU else 32  # captions and pictures
SCAN_MEMORY = 2**31
TALK = "we were at the lake all day with the dogs and then had cake under the tree number"


def write_pictures(images: Path) -> None:
    """Write as many pictures as pairs."""
    images.mkdir()

    def write(place: int) -> None:
        source = np.random.default_rng(place)
        coarse = Image.fromarray(source.integers(0, 256, (48, 64, 3), dtype=np.uint8))
        coarse.resize(SIZE, Image.Resampling.BICUBIC).save(images / f"{place}.jpg", quality=90)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(write, range(PAIRS)))


def talk(place: int) -> str:
    """Return what is said of a photo."""
    return f"{TALK} {place}"


def now() -> float:
    """Return the time, when the device has done all it was told."""
    if ON_GPU:
        torch.cuda.synchronize()
    return time.perf_counter()


class Feeder:
    """Tokens of talks, and the squares of their photos."""

    def __init__(self, store: PhotoStore) -> None:
        self.store, self.tokenizer = store, open_clip.get_tokenizer(MODEL)

    def queries(self, queries: Any) -> dict[str, torch.Tensor]:
        """Lay out talks."""
        ids = self.tokenizer([query.turns[0].text for query in queries])
        return {"ids": ids, "mask": (ids != 0).long()}

    def photos(self, photos: Any) -> dict[str, torch.Tensor]:
        """Lay out photos."""
        return {"pixels": self.store.pixels(photos)}


class WithoutDev(RetrievalTask):
    """The task without dev: steps alone are timed, by the run's log."""

    def evaluate(self, model: torch.nn.Module, accelerator: object) -> dict[str, float]:
        """Say that all epochs are alike."""
        return {"nothing": 0.0}


def ours(images: Path, folder: Path) -> tuple[float, float, float]:
    """Return pairs per second, the share of time waiting for batches, and seconds of decoding."""
    photos = tuple(GalleryPhoto(str(i), str(i)) for i in range(PAIRS))
    queries = tuple(Query(i, (Utterance(0, talk(i)),), 0, i) for i in range(PAIRS))
    examples = RetrievalExamples(photos, queries)
    start = now()
    store = open_photos(photos, images, fit="crop", progress=False)
    decoding = now() - start
    torch.manual_seed(0)
    matcher = ClipMatcher(load_clip(f"open_clip:{MODEL}"))
    settings = RetrievalSettings(
        model=DualEncoderSettings(towers="image"),  # not looked at: the model is at hand
        speakers="all",
        augment=True,
        pairs_at_once=BATCH,
        training=TrainingSettings(
            epochs=EPOCHS,
            rows_per_step=BATCH,
            bucket=1,
            learning_rate=1e-5,
            precision="bf16" if ON_GPU else "fp32",
        ),
    )
    retriever = Retriever(matcher, Feeder(store), matcher.save)
    task = WithoutDev(retriever, settings, examples, examples, store)
    folder.mkdir()
    outcome = train(task, settings.training, folder)
    steps = [line for line in read_log(folder) if "loss" in line][PAIRS // BATCH :]
    words = sum(task.tokens(row) for row in task.rows(0)) / PAIRS
    seconds = sum(BATCH * words / step["tokens_per_second"] for step in steps)
    return BATCH * len(steps) / seconds, outcome.waiting, decoding


class Pairs(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Pictures and talks, read anew at every step."""

    def __init__(self, images: Path, transform: Any) -> None:
        self.images, self.transform = images, transform
        self.tokenizer = open_clip.get_tokenizer(MODEL)

    def __len__(self) -> int:
        return PAIRS

    def __getitem__(self, place: int) -> tuple[torch.Tensor, torch.Tensor]:
        with Image.open(self.images / f"{place}.jpg") as picture:
            return self.transform(picture), self.tokenizer([talk(place)])[0]


def workers() -> int:
    """Return how many processes read for the plain loop: one a core, as shared memory allows."""
    if not ON_GPU:
        return 0
    batch = BATCH * 3 * 224 * 224 * 4
    room = shutil.disk_usage("/dev/shm").free // (3 * batch)  # two ahead and one at work, each
    return min(os.cpu_count() or 1, 16, room)


def plain(images: Path, *, read: bool) -> float:
    """Return pairs per second of the plain loop; without `read`, on one batch that is at hand."""
    device = torch.device("cuda" if ON_GPU else "cpu")
    torch.manual_seed(0)
    model, transform, _ = open_clip.create_model_and_transforms(MODEL, pretrained=None)
    model = model.to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    loss = ClipLoss()
    loader = DataLoader(
        Pairs(images, transform),
        BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=workers(),
        pin_memory=ON_GPU,
        persistent_workers=workers() > 0,
    )
    ready = [part.to(device) for part in next(iter(loader))]

    def batches() -> Iterator[Any]:
        return iter(loader) if read else iter([ready] * (PAIRS // BATCH))

    start = 0.0
    for epoch in range(EPOCHS):
        if epoch == 1:
            start = now()
        for pictures, texts in batches():
            pictures, texts = (t.to(device, non_blocking=True) for t in (pictures, texts))
            with torch.autocast(device.type, torch.bfloat16, enabled=ON_GPU):
                seen, said, scale = model(pictures, texts)
                value = loss(seen, said, scale)
            value.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
    return PAIRS * (EPOCHS - 1) / (now() - start)


def seconds(run: Callable[[], object], runs: int = 3) -> float:
    """Return the shortest of some runs, after one that does not count."""
    run()
    times = []
    for _ in range(runs):
        start = now()
        run()
        times.append(now() - start)
    return min(times)


def scan() -> tuple[list[Claim], dict[str, Any]]:
    """SCAN's scores of all pairs against the loop over captions, all of both, in full precision."""
    device = torch.device("cuda" if ON_GPU else "cpu")
    source = torch.Generator().manual_seed(0)
    words = unit(source, SCAN_PAIRS, WORDS[1], JOINT).to(device)
    regions = unit(source, SCAN_PAIRS, REGIONS, JOINT).to(device)
    lengths = torch.randint(*WORDS, (SCAN_PAIRS,), generator=source)
    mask = (torch.arange(WORDS[1]) < lengths[:, None]).long().to(device)

    def ours() -> torch.Tensor:
        return scan_scores(words, mask, regions, Attention(), memory=SCAN_MEMORY)

    def theirs() -> torch.Tensor:
        return scores_by_caption(words, mask, regions, Attention().temperature)

    with torch.inference_mode():
        difference = float((ours() - theirs()).abs().max())
        spent, loop = seconds(ours), seconds(theirs)
        flat = words.reshape(-1, JOINT)
        product = seconds(lambda: [flat @ regions[at : at + 50].reshape(-1, JOINT).T
                                   for at in range(0, SCAN_PAIRS, 50)])  # fmt: skip
    name = f"SCAN scores of {SCAN_PAIRS:,} x {SCAN_PAIRS:,} over a loop over captions"
    return [
        (name, loop / spent, ">=", 30),
        ("largest difference of SCAN scores from the loop's", difference, "<=", 1e-5),
    ], {
        "scan_seconds": round(spent, 4),
        "scan_loop_seconds": round(loop, 4),
        "scan_products_of_words_and_regions_seconds": round(product, 4),
        "scan_memory_bytes": SCAN_MEMORY,
    }


def main() -> None:
    """Measure and report."""
    scan_claims, scan_details = scan()
    torch.cuda.empty_cache()
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images"
        write_pictures(images)
        print(scan_details, flush=True)
        speed, waiting, decoding = ours(images, Path(folder) / "run")
        print(f"ours: {speed:.0f} pairs a second, waiting {waiting:.3f}", flush=True)
        reading, at_hand = plain(images, read=True), plain(images, read=False)
    name = torch.cuda.get_device_name() if ON_GPU else "cpu"
    peak = next((value for key, value in PEAKS.items() if key in name), None)
    utilisation = {
        f"flop_utilisation_{who}": None if peak is None else round(3 * FORWARD * pairs / peak, 4)
        for who, pairs in (("ours", speed), ("plain", reading), ("plain_at_hand", at_hand))
    }
    report(
        "retrieval_gpu" if ON_GPU else "retrieval_gpu_small",
        [
            ("pairs per second over a plain open_clip loop that reads JPEGs", speed / reading,
             ">=", 1.0),
            ("pairs per second over that loop on one batch at hand", speed / at_hand, ">=", 0.9),
            ("share of the time waiting for batches", waiting, "<=", 0.05),
            *scan_claims,
        ],
        {
            "device": name,
            "model": f"{MODEL}, random weights, {'bf16' if ON_GPU else 'fp32'}",
            "pairs": PAIRS,
            "batch": BATCH,
            "pairs_per_second": round(speed, 2),
            "pairs_per_second_plain": round(reading, 2),
            "pairs_per_second_plain_at_hand": round(at_hand, 2),
            "seconds_of_decoding_once": round(decoding, 2),
            "plain_workers": workers(),
            **utilisation,
            **scan_details,
            **machine("torch"),
        },
    )  # fmt: skip


if __name__ == "__main__":
    main()
