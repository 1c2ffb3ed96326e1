"""A language model behind HTTP: any server with OpenAI's `/v1/chat/completions`.

https://platform.openai.com/docs/api-reference/chat. The key stands in one header, is never written
anywhere, and goes to no other address: redirects are not followed.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import Annotated, Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from photochat.errors import DataError
from photochat.language_model.answer_form import MAX_ANSWER_CHARS
from photochat.language_model.question import (
    CHARS_PER_TOKEN,
    Message,
    NoAnswerError,
    NotReachedError,
    Question,
    Reply,
    estimated_tokens,
)
from photochat.language_model.refusals import Refusal, refusal_of, wait_asked_for

MAX_BODY_BYTES = 8 * 2**20
FIRST_WAIT = 0.5  # seconds before the second attempt; doubled for each further one
LONGEST_WAIT = 60.0  # seconds; a server that asks for more is left alone
SHOWN_CHARS = 200  # of an error that a server sends

# What a server may not know, in the order in which it is done without: field -> what instead.
_WITHOUT: dict[str, tuple[Any, ...]] = {
    "response_format": ({"type": "json_object"}, None),
    "max_tokens": (None,),
    "seed": (None,),
    "top_p": (None,),
    "temperature": (None,),
}


class _Choice(msgspec.Struct):
    message: dict[str, Any]


class _Usage(msgspec.Struct):
    prompt_tokens: Annotated[int, msgspec.Meta(ge=0, lt=2**40)]
    completion_tokens: Annotated[int, msgspec.Meta(ge=0, lt=2**40)]


class _Answer(msgspec.Struct):
    choices: list[_Choice]
    usage: Any = None


class EndpointOptions(msgspec.Struct, frozen=True):
    """How a server is asked: seconds for one answer, further attempts, and how many at a time."""

    timeout: float = 120.0
    retries: int = 6
    concurrency: int = 8
    first_wait: float = FIRST_WAIT


class Endpoint:
    """A model of one server. What it does not know of a request is left out from then on."""

    def __init__(
        self, url: str, model: str, key: str | None = None, options: EndpointOptions | None = None
    ) -> None:
        self.address = completions_address(url)
        self.options = options or EndpointOptions()
        self.concurrency = self.options.concurrency
        self.name = f"{model} at {self.address}"
        self.retried = 0
        self.without: list[str] = []
        self._model = model
        self._key = key
        self._session: aiohttp.ClientSession | None = None
        self._not_before = 0.0
        self._draw = random.Random()  # noqa: S311 - only spreads attempts over time
        self._instead: dict[str, int] = {}

    async def reply(self, question: Question) -> Reply:
        """Ask, and ask again while the server is busy, failing or gone."""
        problem = ""
        for attempt in range(self.options.retries + 1):
            if attempt:
                self.retried += 1
            await asyncio.sleep(max(0.0, self._not_before - time.monotonic()))
            pause = self.options.first_wait * 2**attempt * (0.5 + self._draw.random() / 2)
            try:
                return await self._ask_until_understood(question)
            except Refusal as refusal:
                problem = refusal.problem
                if refusal.wait is not None:
                    if refusal.wait > LONGEST_WAIT:
                        raise NotReachedError(
                            f"{problem}, and asks to wait {refusal.wait:.0f} s: try again then"
                        ) from refusal
                    # Others wait as well: the server has said when it will listen again.
                    self._not_before = max(self._not_before, time.monotonic() + refusal.wait)
                    pause = refusal.wait
            except asyncio.TimeoutError:
                problem = f"no answer within {self.options.timeout:g} s"
            except aiohttp.ClientSSLError as error:
                raise DataError(
                    f"the connection is not safe ({self._told(str(error))}): does the address "
                    "begin with the right https:// or http://, and is its certificate valid?",
                    file=self.address,
                    field="--llm",
                ) from error
            except (aiohttp.ClientError, OSError) as error:
                problem = (
                    f"the connection failed ({self._told(str(error) or type(error).__name__)})"
                )
            if attempt < self.options.retries:
                await asyncio.sleep(min(pause, LONGEST_WAIT))
        raise NotReachedError(f"{problem}, {self.options.retries + 1} times in a row")

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask_until_understood(self, question: Question) -> Reply:
        while True:
            body = self._body(question)
            status, headers, data = await self._post(body)
            if status == 200:
                return self._read(question, data)
            text = data.decode("utf-8", "replace")
            if status not in (400, 422) or not self._do_without(text, body):
                raise refusal_of(
                    status, self._told(text), wait_asked_for(headers, time.time()), self.address
                )

    def _body(self, question: Question) -> dict[str, Any]:
        sampling = question.sampling
        form = {"name": "answer", "strict": True, "schema": question.schema}
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [_as_sent(message) for message in question.messages],
            "response_format": {"type": "json_schema", "json_schema": form},
            "max_tokens": sampling.max_tokens,
            "seed": sampling.seed,
            "top_p": sampling.top_p,
            "temperature": sampling.temperature,
        }
        for field, step in self._instead.items():
            value = _WITHOUT[field][step]
            if value is not None:
                body[field] = value
            else:
                del body[field]
        if "max_tokens" not in body:
            body["max_completion_tokens"] = sampling.max_tokens
        return body

    def _do_without(self, text: str, body: dict[str, Any]) -> bool:
        """Leave out, from now on, the field that an error names; False if it names none."""
        field = next((field for field in _WITHOUT if field in text and field in body), None)
        if field is None and "json_schema" in text and "response_format" in body:
            field = "response_format"
        if field is None:
            return False
        step = self._instead.get(field, -1) + 1
        # Questions that are under way together are refused together: one step for all of them.
        sent = body[field]
        if field in self._instead and sent != _WITHOUT[field][step - 1]:
            return True
        if step >= len(_WITHOUT[field]):
            return False
        self._instead[field] = step
        if field not in self.without:
            self.without.append(field)
        return True

    async def _post(self, body: dict[str, Any]) -> tuple[int, Any, bytes]:
        if self._session is None:
            headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
            self._session = aiohttp.ClientSession(
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=self.options.timeout),
                connector=aiohttp.TCPConnector(limit=self.concurrency),
            )
        async with self._session.post(self.address, json=body, allow_redirects=False) as answer:
            parts, size = [], 0
            async for part in answer.content.iter_chunked(2**16):
                size += len(part)
                if size > MAX_BODY_BYTES:
                    raise NoAnswerError(f"the server's answer is longer than {MAX_BODY_BYTES:,} B")
                parts.append(part)
            return answer.status, answer.headers, b"".join(parts)

    def _read(self, question: Question, data: bytes) -> Reply:
        try:
            answer = msgspec.json.decode(data, type=_Answer)
            text = _text_of(answer.choices[0].message.get("content"))
        except (msgspec.DecodeError, UnicodeDecodeError, IndexError, RecursionError) as error:
            raise Refusal("the server sent no chat completion, or half of one") from error
        text = text[:MAX_ANSWER_CHARS]
        try:
            usage = msgspec.convert(answer.usage, _Usage)
        except msgspec.ValidationError:  # servers without accounts count nothing
            return Reply(text, estimated_tokens(question), -(-len(text) // CHARS_PER_TOKEN), False)
        return Reply(text, usage.prompt_tokens, usage.completion_tokens)

    def _told(self, text: str) -> str:
        """Return a server's words on one short line, without the key should they repeat it."""
        if self._key:
            text = text.replace(self._key, "***")
        return " ".join(text.split())[:SHOWN_CHARS]


def completions_address(url: str) -> str:
    """Return where chats are completed, from a server's address with or without its path.

    Raises:
        DataError: it is no such address, or holds a user name or password.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise DataError("is no http(s) address, such as http://127.0.0.1:8080/v1", field="--llm")
    if parts.username or parts.password:
        raise DataError(
            "holds a user name or password: give the key in PHOTOCHAT_LLM_KEY", field="--llm"
        )
    path = parts.path.rstrip("/") or "/v1"
    if not path.endswith("/chat/completions"):
        path += "/chat/completions"
    return parts._replace(path=path, fragment="").geturl()


def _as_sent(message: Message) -> dict[str, Any]:
    """Return a message as the protocol has it; a text with a picture is a list of two parts."""
    if not message.picture:
        return {"role": message.role, "content": message.content}
    parts = [
        {"type": "text", "text": message.content},
        {"type": "image_url", "image_url": {"url": message.picture}},
    ]
    return {"role": message.role, "content": parts}


def _text_of(content: Any) -> str:
    if isinstance(content, list):  # some servers send a list of parts
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
