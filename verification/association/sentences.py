"""Sentence embeddings by a small Hugging Face encoder (all-MiniLM-L6-v2 unless told otherwise)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from photochat.errors import DataError
from photochat.packaged_models import located

Vectors = npt.NDArray[np.float32]

BATCH = 64
MAX_TOKENS = 256  # what all-MiniLM-L6-v2 was made for


class SentenceEncoder:
    """Texts to unit vectors (n, d): the mean of the last layer's tokens. What was seen is kept."""

    def __init__(self, name: str) -> None:
        """Load an encoder by name or folder; minilm comes as a package.

        Raises:
            DataError: the models extra is missing, or the model cannot be loaded.
        """
        try:
            import torch
            from transformers import AutoModel, AutoTokenizer
        except ImportError as error:
            raise DataError("needs the models extra: pip install 'photochat-toolkit[models]'",
                            field="--encoder") from error  # fmt: skip
        self._torch = torch
        where, _ = located(name)
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(where)
            model: Any = AutoModel.from_pretrained(where, dtype=torch.float32)
        except (OSError, ValueError) as error:
            raise DataError(f"{name!r} cannot be loaded ({error})", field="--encoder") from error
        self._model = model.eval()
        self._seen: dict[str, npt.NDArray[np.float32]] = {}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return one row a text."""
        new = sorted({text for text in texts if text not in self._seen}, key=lambda t: (len(t), t))
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            self._seen.update(zip(batch, self._encode(batch), strict=True))
        return np.stack([self._seen[text] for text in texts])

    def forget_when_full(self, most: int = 5_000) -> None:
        """Drop what was kept once it is more than `most` texts."""
        if len(self._seen) > most:
            self._seen.clear()

    def _encode(self, texts: list[str]) -> Vectors:
        torch = self._torch
        tokens = self._tokenizer(
            texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )
        with torch.inference_mode():
            states = self._model(**tokens).last_hidden_state
            mask = tokens["attention_mask"][..., None]
            mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
            vectors: Vectors = torch.nn.functional.normalize(mean, dim=1).numpy()
        return vectors
