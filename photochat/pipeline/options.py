"""A section's `options`: which words name files, that they lie where the pipeline file says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

# Options of the commands behind which a file or folder to read stands.
FILES = frozenset(
    {
        "--against", "--boxes", "--classes", "--descriptors", "--findings", "--gold", "--hierarchy",
        "--image-labels", "--images", "--init-from", "--known", "--metadata", "--previous",
    }
)  # fmt: skip
# And those behind which a file or folder may stand, or the name of a model.
MODELS = frozenset(
    {
        "--context", "--encoder", "--image", "--image-weights", "--label", "--language-model",
        "--model",
    }
)  # fmt: skip


def placed(
    options: Sequence[str], base: Path, folder: Path
) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """Return options with the files that they name put below `base`, and these files.

    `folder` is where the pipeline file lies: what is not there cannot be the folder of a model.
    """
    words, files = [], []
    option = ""
    for word in options:
        lead, value = "", word
        if word.startswith("--"):
            option, equals, value = word.partition("=")
            lead = option + equals
        if value and (option in FILES or (option in MODELS and (folder / value).exists())):
            files.append(base / value)
            value = str(base / value)
        words.append(lead + value)
    return tuple(words), tuple(files)
