"""A dialogue round by round: its prefixes, and those that training draws.

A round is one turn of a query: what one speaker said before the other spoke, or, in dialogues of
question and answer (`modeling.retrieval.chatpedes`), a question with its answer.
"""

from __future__ import annotations

import msgspec
import numpy as np

from modeling.retrieval.examples import Query


def prefixes(query: Query) -> list[Query]:
    """Return the query after each of its rounds; one without any is its own only prefix."""
    return [up_to(query, last) for last in range(1, max(len(query.turns), 1) + 1)]


def up_to(query: Query, rounds: int) -> Query:
    """Return the query as it was after so many rounds."""
    return msgspec.structs.replace(query, turns=query.turns[:rounds])


def retained(query: Query, number: int, *, seed: int, epoch: int) -> Query:
    """Return a prefix of random length, from one round to all, each as likely (DiaNA).

    What is drawn depends on the seed, the epoch and the query's `number` alone.
    """
    if len(query.turns) < 2:
        return query
    source = np.random.default_rng([seed, epoch, number, 2])
    return up_to(query, int(source.integers(1, len(query.turns) + 1)))
