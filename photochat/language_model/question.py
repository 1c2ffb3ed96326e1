"""What is asked of a language model, and what comes back."""

from __future__ import annotations

import hashlib
from typing import Any, Literal, Protocol

import msgspec

Role = Literal["system", "user", "assistant"]
CHARS_PER_TOKEN = 4  # of English text, the usual rule of thumb; estimates only
TOKENS_PER_PICTURE = 300  # of some 512 pixels a side, for usual models; estimates only
MOST_TOKENS_PER_PICTURE = 1_600  # of large models that are asked through an endpoint
TOKENS_PER_MESSAGE = 4  # what a chat format adds around each message; estimates only


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of a chat with a model; `picture` is the address of one beside the text."""

    role: Role
    content: str
    picture: str = ""  # data: or https:


class Sampling(msgspec.Struct, frozen=True):
    """How an answer is drawn; a temperature of 0 takes the likeliest token each time."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 400
    seed: int = 0


class Question(msgspec.Struct, frozen=True):
    """A chat that waits for an answer of a JSON schema; `attempt` counts those before it."""

    messages: tuple[Message, ...]
    schema: dict[str, Any]
    sampling: Sampling = Sampling()
    attempt: int = 0


class Reply(msgspec.Struct, frozen=True):
    """An answer as it came. `counted` says whether the tokens are the model's own count."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    counted: bool = True


class NoAnswerError(Exception):
    """One question stays without an answer; the text says why. Others may be answered."""


class NotReachedError(NoAnswerError):
    """Nobody answered, however often it was tried."""


class Model(Protocol):
    """What answers questions. `name` tells models apart in what is kept of their answers."""

    name: str
    concurrency: int

    async def reply(self, question: Question) -> Reply:
        """Answer.

        Raises:
            NoAnswerError: not this question.
            DataError: no question at all, until the user has mended something.
        """

    async def close(self) -> None:
        """Let go of connections."""


class Answers(Protocol):
    """Where answers are kept by their key."""

    def get(self, key: str) -> Reply | None:
        """Return the answer kept under a key, if there is one."""

    def put(self, key: str, model: str, reply: Reply) -> None:
        """Keep an answer."""

    def close(self) -> None:
        """Close the file."""


def key_of(model: str, question: Question) -> str:
    """Return what an answer is kept under: equal for the same question to the same model."""
    encoded = msgspec.json.encode((model, question), order="sorted")
    return hashlib.sha256(encoded).hexdigest()


def seed_of(seed: int, *parts: object) -> int:
    """Derive a seed (31 bits) for one question from the run's and from what the question is of."""
    digest = hashlib.sha256(":".join(map(str, (seed, *parts))).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def estimated_tokens(question: Question) -> int:
    """Estimate a question's length in tokens, without the model's tokenizer."""
    chars = sum(len(message.content) for message in question.messages)
    pictures = sum(bool(message.picture) for message in question.messages)
    around = TOKENS_PER_MESSAGE * len(question.messages) + TOKENS_PER_PICTURE * pictures
    return -(-chars // CHARS_PER_TOKEN) + around


def most_tokens(question: Question) -> int:
    """Return what no tokenizer of bytes exceeds for a question: a token a byte."""
    written = sum(len(message.content.encode()) for message in question.messages)
    pictures = sum(bool(message.picture) for message in question.messages)
    around = TOKENS_PER_MESSAGE * len(question.messages) + MOST_TOKENS_PER_PICTURE * pictures
    return written + around
