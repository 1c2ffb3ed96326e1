"""JSON from a local model that is held to a schema: what it writes always parses.

Braces, keys, quotes and commas are not the model's to choose: they are written for it, and it
reads them like everything before. It chooses what stands between two quotes, token by token among
the tokens that can stand there, and among the values of an enumeration.
The answer is built as a value beside the text, so no escape can go wrong.
"""

from __future__ import annotations

from typing import Any

import torch

DEFAULT_CHARS = 300  # of a string whose schema sets no limit
CHARS_PER_TOKEN = 3  # what a string's limit is divided by, for its limit in tokens
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # half a character, of a byte-level token


class TokenKinds:
    """Which tokens may stand in a string, and which of them end it; made once a tokenizer."""

    def __init__(self, tokenizer: Any, size: int, device: Any) -> None:
        """Look at each token's text; `size` is the number of the model's logits."""
        special = set(tokenizer.all_special_ids)
        texts = tokenizer.batch_decode([[token] for token in range(min(size, len(tokenizer)))])
        inside, visible, closing = [], [], []
        for token, text in enumerate(texts):
            if token in special:
                continue
            if text.lstrip().startswith('"'):
                closing.append(token)
            elif text and text.isprintable() and not set(text) & {'"', "\\", _REPLACEMENT}:
                inside.append(token)
                if any(character.isalnum() for character in text):
                    visible.append(token)
        if tokenizer.eos_token_id is not None:
            closing.append(tokenizer.eos_token_id)
        self.closing = frozenset(closing)
        self.first = _mask(visible, size, device)
        self.later = _mask([*inside, *closing], size, device)


def _mask(tokens: list[int], size: int, device: Any) -> torch.Tensor:
    """Return what is added to the logits, shape (size,): 0 for `tokens`, minus infinity else."""
    mask = torch.full((size,), float("-inf"), device=device)
    mask[torch.tensor(tokens, dtype=torch.long, device=device)] = 0.0
    return mask


class ConstrainedWriter:
    """Writes one answer after a prompt. Same prompt, schema and generator: same answer."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        kinds: TokenKinds,
        prompt: list[int],
        generator: torch.Generator,
        *,
        temperature: float,
        top_p: float,
        max_tokens: int,
    ) -> None:
        self.written = 0  # tokens chosen by the model
        self._model = model
        self._tokenizer = tokenizer
        self._kinds = kinds
        self._unread = list(prompt)
        self._past: Any = None
        self._generator = generator
        self._temperature = temperature
        self._top_p = top_p
        self._max_tokens = max_tokens

    def value(self, schema: dict[str, Any]) -> Any:
        """Write a value of a schema: objects, strings, enumerations, true and false."""
        if "enum" in schema:
            return schema["enum"][self._choose([f'"{item}"' for item in schema["enum"]])]
        kind = schema.get("type")
        if kind == "object":
            return self._object(schema["properties"])
        if kind == "string":
            return self._string(int(schema.get("maxLength", DEFAULT_CHARS)))
        if kind == "boolean":
            return self._choose(["true", "false"]) == 0
        raise TypeError(f"a local model writes no {kind}")

    def _object(self, fields: dict[str, Any]) -> dict[str, Any]:
        made = {}
        for number, (name, schema) in enumerate(fields.items()):
            self._write(f'{"{" if number == 0 else ", "}"{name}": ')
            made[name] = self.value(schema)
        self._write("}" if fields else "{}")
        return made

    def _string(self, most_chars: int) -> str:
        self._write('"')
        tokens: list[int] = []
        most = max(1, min(-(-most_chars // CHARS_PER_TOKEN), self._max_tokens - self.written))
        while len(tokens) < most:
            logits = self._logits() + (self._kinds.later if tokens else self._kinds.first)
            token = self._draw(logits)
            if token in self._kinds.closing:
                break
            tokens.append(token)
            self._unread.append(token)
        self._write('"')
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True)
        return " ".join(text.split())[:most_chars].rstrip()

    def _choose(self, options: list[str]) -> int:
        """Choose among texts, token by token along those that still fit; returns the place."""
        left = dict(enumerate(map(self._encode, options)))
        depth = 0
        while len(left) > 1 and all(len(tokens) > depth for tokens in left.values()):
            logits = self._logits()
            mask = _mask([tokens[depth] for tokens in left.values()], len(logits), logits.device)
            token = self._draw(logits + mask)
            self._unread.append(token)
            left = {place: tokens for place, tokens in left.items() if tokens[depth] == token}
            depth += 1
        place, tokens = next(iter(left.items()))
        self._unread += tokens[depth:]
        return place

    def _draw(self, logits: torch.Tensor) -> int:
        """Draw a token from logits, shape (vocabulary,), by temperature and nucleus (top-p)."""
        self.written += 1
        if self._temperature <= 0:
            return int(logits.argmax())
        shares, tokens = torch.softmax(logits / self._temperature, -1).sort(descending=True)
        kept = shares.cumsum(-1) - shares < self._top_p
        drawn = torch.multinomial((shares * kept).cpu(), 1, generator=self._generator)
        return int(tokens[int(drawn)])

    def _write(self, text: str) -> None:
        self._unread += self._encode(text)

    def _encode(self, text: str) -> list[int]:
        tokens: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return tokens

    def _logits(self) -> torch.Tensor:
        """Read what was written since the last time; return the next token's logits (float32)."""
        row = torch.tensor([self._unread], device=self._model.device)
        answer = self._model(row, past_key_values=self._past, use_cache=True)
        self._past = answer.past_key_values
        self._unread = []
        logits: torch.Tensor = answer.logits[0, -1].float()
        return logits
