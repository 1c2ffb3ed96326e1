"""A language model on this machine: a transformers causal model, held to the answer's schema."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import msgspec

from photochat.errors import DataError
from photochat.language_model.question import Message, NoAnswerError, Question, Reply
from photochat.packaged_models import located

SMALL_FILE_BYTES = 2**20  # of a model's folder; these are read whole to know the model by


class LocalModel:
    """A causal model by hub name, folder, GGUF file, or the name of an installed package."""

    concurrency = 1

    def __init__(self, name: str, device: Literal["auto", "cpu", "cuda"] = "cpu") -> None:
        """Load it; "auto" takes a GPU if there is one.

        Raises:
            DataError: the models extra is missing, there is no GPU, or the model cannot be loaded.
        """
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer

            from photochat.language_model.constrained import TokenKinds
        except ImportError as error:
            raise DataError(
                "needs the models extra: pip install 'photochat-toolkit[models]'", field="--llm"
            ) from error
        has_gpu = torch.cuda.is_available()
        if device == "cuda" and not has_gpu:
            raise DataError("no CUDA device is to be seen: use --device cpu, or auto")
        source, file = located(name)
        more = {"gguf_file": file} if file else {}
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(source, **more)
            model: Any = AutoModelForCausalLM.from_pretrained(source, **more)
            self._model = model.eval().to("cuda" if has_gpu and device != "cpu" else "cpu")
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
            what = " ".join(str(error).split())[:160]
            raise DataError(
                f"no causal language model can be loaded from {name!r} ({what}): name a folder, a "
                "GGUF file or a hub name, or an endpoint by http(s)://",
                field="--llm",
            ) from error
        self.name = f"{name} {_fingerprint(source, file)}"
        self._torch = torch
        size = int(self._model.get_output_embeddings().weight.shape[0])
        self._kinds = TokenKinds(self._tokenizer, size, self._model.device)
        self._longest = int(getattr(self._model.config, "max_position_embeddings", 0) or 2**31)

    async def reply(self, question: Question) -> Reply:
        """Answer, while nothing else happens: the model takes the whole machine."""
        from photochat.language_model.constrained import ConstrainedWriter

        if any(message.picture for message in question.messages):
            raise NoAnswerError(
                "the question shows a picture, and a model on this machine reads text alone: name "
                "an endpoint of a model of text and pictures"
            )
        sampling = question.sampling
        prompt = self._prompt(question.messages)
        if len(prompt) + 2 * sampling.max_tokens > self._longest:
            raise NoAnswerError(
                f"the question's {len(prompt):,} tokens and the answer's leave no room in the "
                f"model's {self._longest:,}"
            )
        with self._torch.inference_mode():
            writer = ConstrainedWriter(
                self._model,
                self._tokenizer,
                self._kinds,
                prompt,
                self._torch.Generator().manual_seed(sampling.seed),
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                max_tokens=sampling.max_tokens,
            )
            value = writer.value(question.schema)
        return Reply(msgspec.json.encode(value).decode(), len(prompt), writer.written)

    async def close(self) -> None:
        """Nothing is open."""

    def _prompt(self, messages: tuple[Message, ...]) -> list[int]:
        """Return the chat as the model's template has it, or as plain text where it has none."""
        chat = msgspec.to_builtins(messages)
        if self._tokenizer.chat_template:
            text = self._tokenizer.apply_chat_template(
                list(chat), tokenize=False, add_generation_prompt=True
            )
        else:
            text = "".join(f"{m.role}: {m.content}\n\n" for m in messages) + "assistant: "
        tokens: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return tokens


def _fingerprint(source: str, file: str) -> str:
    """Return what tells two models of one name apart: file names, sizes, and small files whole."""
    folder = Path(source)
    if not folder.is_dir():
        return "from the hub"
    digest = hashlib.sha256()
    for path in sorted([folder / file] if file else folder.iterdir()):
        if path.is_file():
            size = path.stat().st_size
            digest.update(f"{path.name} {size}\n".encode())
            if size <= SMALL_FILE_BYTES:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
