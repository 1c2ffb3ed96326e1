"""A small made-up folder of StickerInt's layout.

A conversation has a topic and an intention, and so has the sticker that answers it; any sticker of
the intention is right, whatever its topic.
"""

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
RELATIONS = ("xIntent", "xNeed", "xWant", "xEffect", "xReact")
TOPICS = (
    ("bus", "train", "road"), ("lunch", "soup", "rice"), ("office", "boss", "desk"),
    ("game", "ball", "team"), ("exam", "book", "class"), ("film", "song", "actor"),
)  # fmt: skip
COLORS = {
    "joy": (250, 220, 40), "sadness": (40, 60, 200), "anger": (220, 30, 30),
    "surprise": (40, 200, 90),
}  # fmt: skip


def make_conversation(source, number, sticker, intention):
    """Two to four utterances by up to three users, of the sticker's topic; one word in each tells
    the intention."""
    topic = TOPICS[sticker // len(INTENTIONS) % len(TOPICS)]
    turns = [
        {
            "user_id": f"u{source.integers(3)}",
            "text": " ".join(source.permutation(["we", *source.choice(topic, 2), word]).tolist()),
        }
        for word in source.choice(WORDS[intention], source.integers(2, 5))
    ]
    return {
        "conversation_id": number,
        "turns": turns,
        "user_id": "u0",
        "sticker_id": f"s{sticker}",
        "intention": intention,
    }


def write_sample(folder, *, train=40, valid=12, test=12, stickers=8, seed=0, size=32):
    """Write the folder. Sticker i has the intention i modulo 4, which its upper half shows by a
    colour, and a topic, which its lower half shows by stripes."""
    source = np.random.default_rng(seed)
    (folder / "stickers").mkdir(parents=True)
    tags = [INTENTIONS[i % len(INTENTIONS)] for i in range(stickers)]
    for i, tag in enumerate(tags):
        pixels = np.full((size, size, 3), COLORS[tag], np.uint8)
        topic = i // len(INTENTIONS) % len(TOPICS)
        pixels[size // 2 :] = 255 - 40 * topic
        pixels[size // 2 :, :: topic + 2] = 0
        Image.fromarray(pixels).save(folder / "stickers" / f"s{i}.png")
    number = 0
    for split, count in (("train", train), ("valid", valid), ("test", test)):
        records = []
        for i in range(count):
            which = i % stickers
            records.append(make_conversation(source, number, which, tags[which]))
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


def write_descriptions(folder, file):
    """Write what might have been said of each sticker; some attributes are missing."""
    with file.open("w") as lines:
        for i, picture in enumerate(sorted((folder / "stickers").iterdir())):
            said = {
                "sticker_id": picture.stem,
                "gesture": "waving" if i % 2 else "",
                "posture": "sitting" if i % 3 else "",
                "facial_expression": INTENTIONS[i % len(INTENTIONS)],
                "verbal": "",
            }
            lines.write(json.dumps(said) + "\n")
    return file
