"""A small release with pictures, two of which cannot be had, and runs kept as they start."""

import numpy as np
from PIL import Image

from modeling.retrieval.settings import DualEncoderSettings, RetrievalSettings
from modeling.retrieval.train import release_splits, train_retrieval
from modeling.training.settings import TrainingSettings
from photochat.release import read_release, write_release
from tests.conftest import make_dialogue

LABELS = ("Dog", "Cake", "Tree", "Person", "Wine", "Cake")
WORDS = ("hi", "dog", "cake", "tree", "lake", "wine", "<b>bold</b>", "today")
PHOTOS = {"train": 8, "dev": 6, "test": 14}
MISSING, BROKEN = "test/3", "test/5"


def dialogues(split):
    """Two talks a photo of test, one of others; the secret comes after the photo."""
    made = []
    for i in range(PHOTOS[split] * (2 if split == "test" else 1)):
        photo = i % PHOTOS[split]
        said = [WORDS[(i * 3 + turn) % len(WORDS)] for turn in range(4)]
        made.append(
            make_dialogue(
                f"0:{said[0]} 1:{said[1]} 0:{said[2]}_look 1:{said[3]} 0:* 1:SECRET",
                dialogue_id=i,
                photo=f"{split}{photo}",
                photo_id=f"{split}/{photo}",
                labels=f"{LABELS[photo % len(LABELS)]}, {'Food' if photo % 2 else 'Animal'}",
            )
        )
    if split == "test":
        made.append(make_dialogue("0:hi 1:hey 0:bye", dialogue_id=99, photo="never"))
    return made


def write_small_release(folder):
    """Write the release and its pictures; return both folders."""
    write_release({split: dialogues(split) for split in PHOTOS}, folder / "release")
    images = folder / "images"
    source = np.random.default_rng(0)
    for split, count in PHOTOS.items():
        (images / split).mkdir(parents=True)
        for i in range(count):
            file = images / split / f"{i}.jpg"
            coarse = Image.fromarray(source.integers(0, 256, (3, 4, 3), dtype=np.uint8))
            if f"{split}/{i}" == BROKEN:
                file.write_bytes(b"no picture")
            elif f"{split}/{i}" != MISSING:
                coarse.resize((64, 48), Image.Resampling.BICUBIC).save(file, quality=95)
    return folder / "release", images


def keep_run(release, folder, towers, images=None, seed=0):
    """Keep a dual encoder with small random towers as it starts."""
    settings = RetrievalSettings(
        model=DualEncoderSettings(
            towers=towers, context="tiny-bert", label="tiny-bert", image="tiny-cnn", width=24
        ),
        training=TrainingSettings(epochs=0, seed=seed),
    )
    train_retrieval(
        release_splits(read_release(release)), settings, folder, images=images, device="cpu"
    )
    return folder
