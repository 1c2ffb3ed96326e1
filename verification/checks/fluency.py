"""Broken English by a language model's likelihood: how surprised a model of chats would be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from photochat.errors import DataError
from photochat.packaged_models import located
from verification.finding import Finding
from verification.talk import Talk
from verification.thresholds import MIN_PAIRS, UNLIKELY, UNLIKELY_MESSAGE

MAX_TOKENS = 512  # of a dialogue; the longest published one has about 400
SHOWN = 3

Surprise = Callable[[list[str]], list[tuple[float, int]]]
"""For each message its summed negative log-likelihood (nats) and its number of tokens."""


class LanguageModel:
    """A causal language model by name, folder or GGUF file; smollm2 comes as a package."""

    def __init__(self, name: str) -> None:
        """Load it.

        Raises:
            DataError: the models extra is missing, or the model cannot be loaded.
        """
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise DataError("needs the models extra: pip install 'photochat-toolkit[models]'",
                            field="--language-model") from error  # fmt: skip
        self._torch = torch
        where, file = located(name)
        more = {"gguf_file": file} if file else {}
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(where, **more)
            self._model: Any = AutoModelForCausalLM.from_pretrained(where, **more).eval()
        except (OSError, ValueError, ImportError) as error:
            raise DataError(
                f"{name!r} cannot be loaded ({error})", field="--language-model"
            ) from error

    def __call__(self, messages: list[str]) -> list[tuple[float, int]]:
        """Read messages as one text, a line each; see `Surprise`."""
        torch = self._torch
        ids: list[int] = self._tokenizer("\n")["input_ids"][:1]
        lengths = []
        for message in messages:
            tokens = self._tokenizer(message + "\n")["input_ids"][: MAX_TOKENS - len(ids)]
            lengths.append(len(tokens))
            ids += tokens
        if len(ids) < 2:
            return [(0.0, 0)] * len(messages)
        with torch.inference_mode():
            row = torch.tensor([ids])
            logs = self._model(row).logits[0, :-1].float().log_softmax(-1)
            losses = -logs.gather(1, row[0, 1:, None])[:, 0]
        found, start = [], 0
        for length in lengths:
            found.append((float(losses[start : start + length].sum()), length))
            start += length
        return found


def fluency(talk: Talk, surprise: Surprise) -> list[Finding]:
    """Sentences that a language model finds unlikely, as broken English and word salad are."""
    said = [index for index, message in enumerate(talk.messages) if message.strip()]
    scores = surprise([talk.messages[index] for index in said])
    tokens = sum(count for _, count in scores)
    if tokens < MIN_PAIRS:
        return []
    mean = sum(total for total, _ in scores) / tokens
    if mean < UNLIKELY:
        return []
    worst = sorted(
        (-total / count, index)
        for (total, count), index in zip(scores, said, strict=True)
        if count >= 5 and total / count >= UNLIKELY_MESSAGE
    )[:SHOWN]
    text = f"A language model finds this talk unlikely ({mean:.1f} nats a token): broken English?"
    return [
        Finding("fluency", "review", text, index, 0, len(talk.messages[index]), round(mean, 3))
        for _, index in sorted(worst, key=lambda pair: pair[1])
    ] or [Finding("fluency", "review", text, score=round(mean, 3))]
