"""The dialogues that benchmarks run on: 12,000, by repeating real ones (else the sample)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent
COUNT = 12_000
PER_FILE = 500


def source_records() -> tuple[str, list[dict[str, Any]]]:
    """Return where the records come from, and the records."""
    shared = Path(os.environ.get("PHOTOCHAT_SHARED") or REPOSITORY.parent / "shared")
    real = shared / "data" / "photochat" / "test" / "test_00.json"
    if real.is_file():
        return "500 published test dialogues, repeated", json.loads(real.read_bytes())
    sample = REPOSITORY / "photochat" / "sample" / "dialogues.json"
    return "the made-up sample, repeated", json.loads(sample.read_bytes())


def write_release(folder: Path) -> str:
    """Write 12,000 dialogues in the published layout; return where they come from."""
    name, records = source_records()
    (folder / "test").mkdir()
    for number in range(COUNT // PER_FILE):
        part = [
            {**records[i % len(records)], "dialogue_id": i}
            for i in range(number * PER_FILE, (number + 1) * PER_FILE)
        ]
        text = json.dumps(part, indent=2) + "\n"
        (folder / "test" / f"test_{number:02d}.json").write_text(text)
    return name
