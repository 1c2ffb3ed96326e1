"""Asks a model: checks the answers' form, keeps every answer, counts, holds to the budget."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from photochat.language_model.answer_form import WrongFormError, read_answer, schema_of
from photochat.language_model.question import (
    Answers,
    Message,
    Model,
    NoAnswerError,
    NotReachedError,
    Question,
    Reply,
    Sampling,
    key_of,
)
from photochat.language_model.spending import Prices, Purse, Spending

T = TypeVar("T")
R = TypeVar("R")

TRIES = 3  # at an answer of the right form, each run
GONE_AFTER = 3  # questions in a row that nobody answered: then the server is taken for gone
SHOWN_CHARS = 2000  # of a wrong answer, when it is asked for again


class Failure(msgspec.Struct, frozen=True):
    """Something that could not be made, and why."""

    reason: str


class Client:
    """Asks one model. Made for one run; `spending` says what it has cost so far."""

    def __init__(
        self,
        model: Model,
        store: Answers,
        *,
        prices: Prices | None = None,
        budget: float | None = None,
        tries: int = TRIES,
    ) -> None:
        self.model = model
        self._store = store
        self._purse = Purse(prices or Prices(), budget)
        self._tries = tries
        self._not_reached = 0

    @property
    def spending(self) -> Spending:
        """What this run has asked and paid."""
        return self._purse.spending

    @property
    def priced(self) -> bool:
        """Whether prices were given, so that costs mean something."""
        return self._purse.prices != Prices()

    async def ask(
        self, messages: Sequence[Message], kind: type[T], sampling: Sampling | None = None
    ) -> T:
        """Ask for an answer of a type; one of another form is asked for again, with the reason.

        Answers that an earlier run was given are taken from disk. Where all of them were of the
        wrong form, this run has its own tries, after those.

        Raises:
            NoAnswerError: no answer, none of the right form, or none within the budget.
            DataError: nothing can be asked until the user has mended something.
        """
        schema = schema_of(kind)
        first = _with_schema(messages, schema)
        sampling = sampling or Sampling()
        problem = text = ""
        attempt = asked = 0
        while True:
            again = _asked_again(text, problem) if attempt else ()
            drawn = msgspec.structs.replace(sampling, seed=sampling.seed + attempt)
            question = Question((*first, *again), schema, drawn, attempt)
            key = key_of(self.model.name, question)
            reply = self._store.get(key)
            if reply is not None:
                self.spending.kept += 1
            elif asked < self._tries:
                asked += 1
                reply = await self._new_answer(key, question)
            else:
                raise NoAnswerError(f"{attempt} answers of the wrong form (the last: {problem})")
            try:
                return read_answer(reply.text, kind)
            except WrongFormError as error:
                problem, text = str(error), reply.text
                self.spending.wrong_form += 1
                attempt += 1

    async def _new_answer(self, key: str, question: Question) -> Reply:
        if self._not_reached >= GONE_AFTER:
            raise NotReachedError("not asked: nobody answers at the model's address any more")
        amount = self._purse.set_aside(question)
        try:
            reply = await self.model.reply(question)
        except NotReachedError:
            self._not_reached += 1
            raise
        finally:
            self._purse.give_back(amount)
        self._not_reached = 0
        self._purse.pay(reply)
        self._store.put(key, self.model.name, reply)
        return reply


def carry_out(
    client: Client,
    jobs: Sequence[Callable[[], Awaitable[R]]],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[R | Failure]:
    """Carry out jobs that ask the client, some at a time; one result or failure for each, in order.

    Raises:
        DataError: from the first job that raises one; the others are given up, and their answers
            so far are kept.
    """
    results: list[R | Failure] = [Failure("not tried")] * len(jobs)

    async def work(todo: list[int], done: list[int]) -> None:
        while todo:
            place = todo.pop()
            try:
                results[place] = await jobs[place]()
            except NoAnswerError as failure:
                results[place] = Failure(str(failure))
            done.append(place)
            progress(len(done), len(jobs))

    async def all_of_it() -> None:
        todo, done = list(reversed(range(len(jobs)))), list[int]()
        workers = [
            asyncio.ensure_future(work(todo, done))
            for _ in range(min(client.model.concurrency, len(jobs)))
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await client.model.close()

    asyncio.run(all_of_it())
    return results


def _with_schema(messages: Sequence[Message], schema: dict[str, object]) -> tuple[Message, ...]:
    """Add the schema to the first message, for models that are not held to it otherwise."""
    form = msgspec.json.encode(schema).decode()
    said = f"{messages[0].content}\n\nAnswer with one JSON object of this schema: {form}"
    return (Message(messages[0].role, said), *messages[1:])


def _asked_again(text: str, problem: str) -> tuple[Message, Message]:
    return (
        Message("assistant", text[:SHOWN_CHARS]),
        Message(
            "user",
            f"That is not of the form that was asked for: {problem}. "
            "Answer again, with the JSON object alone.",
        ),
    )
