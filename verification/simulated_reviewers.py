"""Reviewers of known quality, who vote through the desk as people do: to rehearse a review.

Each is right with the probability that its name stands for; so `photochat decide` can be held
against what is known.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from photochat.atomic import atomic_file
from photochat.errors import UNDECODABLE, DataError
from verification.finding import Checked
from verification.gold import Answer
from verification.review import desk as desks
from verification.review.desk import Desk
from verification.votes import REASONS, Reason, Verdict, Vote

UNSURE = 0.03  # of all votes
SECONDS = (4.0, 25.0)  # for a dialogue
GUESSED_REASONS: tuple[Reason, ...] = tuple(REASONS)


class SimulatedReviewer(msgspec.Struct, frozen=True):
    """`catches`: the share of invalid dialogues it rejects; `passes`: of valid ones it accepts."""

    name: str
    catches: float
    passes: float


class Simulation(msgspec.Struct, frozen=True):
    """What the reviewers did. `right` counts each one's decided votes that were right."""

    reviewers: list[SimulatedReviewer]
    votes: int
    unsure: int
    decided: dict[str, int]
    right: dict[str, int]


def parse_reviewer(text: str) -> SimulatedReviewer:
    """Read "ann=0.95", or "ann=0.8/0.95": what she catches, then what she passes.

    Raises:
        DataError: it is neither.
    """
    name, _, numbers = text.partition("=")
    first, _, second = numbers.partition("/")
    try:
        catches, passes = float(first), float(second or first)
    except ValueError as error:
        raise DataError(
            f"{text!r} is no reviewer: write ann=0.95 or ann=0.8/0.95", field="--reviewer"
        ) from error
    if not name or not 0 <= catches <= 1 or not 0 <= passes <= 1:
        raise DataError(f"{text!r}: needs a name and shares from 0 to 1", field="--reviewer")
    return SimulatedReviewer(name, catches, passes)


def truth_by_findings(checked: Mapping[int, Checked]) -> dict[int, Answer]:
    """Take the checks' word: what they would reject is invalid. For rehearsals alone."""
    return {
        number: "reject" if one.severity == "reject" else "accept"
        for number, one in checked.items()
    }


def simulate(
    desk: Desk,
    reviewers: Sequence[SimulatedReviewer],
    truth: Mapping[int, Answer],
    *,
    seed: int = 0,
    now: float,
) -> Simulation:
    """Let the reviewers take turns until nothing is left for them; unknown dialogues are valid.

    `now` is the Unix time at which they begin; each looks at a dialogue for some seconds of it.
    """
    rng = random.Random(seed)  # noqa: S311 - repeatable, made up
    clocks = {reviewer.name: now for reviewer in reviewers}
    decided = dict.fromkeys(clocks, 0)
    right = dict.fromkeys(clocks, 0)
    unsure = 0
    busy = list(reviewers)
    while busy:
        reviewer = rng.choice(busy)
        sheet = desks.sheet(desk, reviewer.name, clocks[reviewer.name])
        if sheet.view is None:
            busy.remove(reviewer)
            continue
        number = sheet.view.dialogue_id
        answer = truth.get(number, "accept")
        seconds = rng.uniform(*SECONDS)
        clocks[reviewer.name] += seconds
        verdict = _verdict(reviewer, answer, rng)
        if verdict == "unsure":
            unsure += 1
        else:
            decided[reviewer.name] += 1
            right[reviewer.name] += verdict == answer
        reasons = (_reason(desk.findings.get(number), rng),) if verdict == "reject" else ()
        given = Vote(number, reviewer.name, verdict, reasons, seconds=seconds)
        desks.vote(desk, given, clocks[reviewer.name])
    return Simulation(list(reviewers), unsure + sum(decided.values()), unsure, decided, right)


def write_known(path: str | Path, reviewers: Sequence[SimulatedReviewer]) -> None:
    """Write what is known of the reviewers, for `photochat decide --known`."""
    with atomic_file(Path(path)) as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(reviewers), indent=2))


def read_known(path: str | Path) -> list[SimulatedReviewer]:
    """Read what is known of the reviewers.

    Raises:
        DataError: the file cannot be read or holds something else.
    """
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=list[SimulatedReviewer])
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=path) from error
    except UNDECODABLE as error:
        raise DataError(f"holds no list of known reviewers ({error})", file=path) from error


def _verdict(reviewer: SimulatedReviewer, answer: Answer, rng: random.Random) -> Verdict:
    if rng.random() < UNSURE:
        return "unsure"
    is_right = rng.random() < (reviewer.passes if answer == "accept" else reviewer.catches)
    return "accept" if is_right == (answer == "accept") else "reject"


def _reason(checked: Checked | None, rng: random.Random) -> Reason:
    """Return a reason that fits a check's name, else any."""
    names = " ".join(finding.check for finding in checked.findings) if checked else ""
    fitting = [reason for reason in GUESSED_REASONS if reason.split("-")[-1] in names]
    return rng.choice(fitting or GUESSED_REASONS)
