"""Where votes come from: a review's database, a votes file, a platform's results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from photochat.errors import DataError
from verification.platform_votes import read_platform_votes
from verification.votes import Vote, read_votes


class Gathered(msgspec.Struct, frozen=True):
    """The votes of all sources, and what their rows held besides."""

    votes: list[Vote]
    refused: int = 0
    unanswered: int = 0


def gather(sources: Sequence[str], name_of: Callable[[str], str]) -> Gathered:
    """Read votes from databases (`sqlite:///...`, `postgresql://...`), .jsonl and .csv files.

    `name_of` turns a platform worker's id into the name that is kept.

    Raises:
        DataError: a source cannot be read.
    """
    votes: list[Vote] = []
    refused = unanswered = 0
    for source in sources:
        if "://" in source:
            from verification.review.store import read_all_votes

            votes += read_all_votes(source)
        elif Path(source).suffix == ".csv":
            found = read_platform_votes(source, name_of)
            votes += found.votes
            refused += found.refused
            unanswered += found.unanswered
        elif Path(source).suffix == ".jsonl":
            votes += read_votes(source)
        else:
            raise DataError(
                "is no source of votes: name a .jsonl file, a platform's .csv or a database URL",
                file=source,
            )
    return Gathered(votes, refused, unanswered)
