"""A small made-up folder of StickerInt's layout: what the answer is depends on the intention."""

import json

import numpy as np
from PIL import Image

INTENTIONS = ("joy", "sadness", "anger", "surprise")
WORDS = {
    "joy": ("won", "party", "great"),
    "sadness": ("lost", "alone", "rain"),
    "anger": ("late", "again", "rude"),
    "surprise": ("really", "sudden", "what"),
}
FILLER = ("today", "we", "the", "bus", "lunch", "and", "then", "office")
COLORS = {
    "joy": (250, 220, 40), "sadness": (40, 60, 200), "anger": (220, 30, 30),
    "surprise": (40, 200, 90),
}  # fmt: skip


def make_conversation(source, number, sticker_id, intention):
    """Two to four utterances by up to three users; one word in each tells the intention."""
    turns = [
        {
            "user_id": f"u{source.integers(3)}",
            "text": " ".join(source.permutation([*source.choice(FILLER, 3), word]).tolist()),
        }
        for word in source.choice(WORDS[intention], source.integers(2, 5))
    ]
    return {
        "conversation_id": number,
        "turns": turns,
        "user_id": "u0",
        "sticker_id": sticker_id,
        "intention": intention,
    }


def write_sample(folder, *, train=40, valid=12, test=12, stickers=8, seed=0, size=32):
    """Write the folder; sticker i shows the colour of intention i modulo 4, with its own spot."""
    source = np.random.default_rng(seed)
    (folder / "stickers").mkdir(parents=True)
    tags = [INTENTIONS[i % len(INTENTIONS)] for i in range(stickers)]
    for i, tag in enumerate(tags):
        pixels = np.full((size, size, 3), COLORS[tag], np.uint8)
        row, column = source.integers(0, size - 8, 2)
        pixels[row : row + 8, column : column + 8] = 255
        Image.fromarray(pixels).save(folder / "stickers" / f"s{i}.png")
    number = 0
    for split, count in (("train", train), ("valid", valid), ("test", test)):
        records = []
        for i in range(count):
            which = i % stickers
            records.append(make_conversation(source, number, f"s{which}", tags[which]))
            number += 1
        (folder / f"{split}.json").write_text(json.dumps(records, ensure_ascii=False))
    return folder


def write_knowledge(folder, file):
    """Write what a generator of commonsense might have said of each conversation."""
    with file.open("w") as lines:
        for split in ("train", "valid", "test"):
            for record in json.loads((folder / f"{split}.json").read_text()):
                word = record["turns"][-1]["text"].split()[0]
                said = {
                    r: f"{r[1:].lower()} {word}"
                    for r in ("xIntent", "xNeed", "xWant", "xEffect", "xReact")
                }
                lines.write(
                    json.dumps({"conversation_id": record["conversation_id"], "knowledge": said})
                    + "\n"
                )
    return file
