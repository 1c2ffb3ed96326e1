"""A small folder of sticker conversations with all that Int-RA reads, and small settings."""

import pytest

from modeling.stickers.settings import IntRASettings
from modeling.training.settings import TrainingSettings
from photochat.stickers import read_stickers
from tests.sticker_sample import INTENTIONS, write_descriptions, write_knowledge, write_sample


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    folder = write_sample(tmp_path_factory.mktemp("stickers") / "stickerint")
    write_knowledge(folder, folder / "knowledge.jsonl")
    write_descriptions(folder, folder / "descriptions.jsonl")
    return folder


@pytest.fixture(scope="session")
def data(folder):
    return read_stickers(folder, intentions=INTENTIONS)


def small(**change):
    """Settings of a network that trains in seconds."""
    training = TrainingSettings(
        epochs=change.pop("epochs", 2),
        rows_per_step=change.pop("rows_per_step", 1),
        max_tokens=change.pop("max_tokens", 8192),
        learning_rate=2e-3,
        weight_decay=0.0,
        warmup=0.0,
        decay="constant",
        bucket=1,
        seed=change.pop("seed", 0),
    )
    options = {
        "text_model": "tiny-bert", "vision_model": "tiny-vit", "intentions": INTENTIONS,
        "heads": 4, "pooling": "mean", "max_length": 64, "training": training,
    }  # fmt: skip
    return IntRASettings(**(options | change))
