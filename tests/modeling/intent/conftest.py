"""Small networks with random weights, and talks to feed them."""

import pytest

from modeling.examples import IntentExamples, Talk
from photochat.dialogue import Utterance

TEXT = "hello there how are you doing today my dog ate the cake look at this photo"
WORDS = TEXT.split()


def make_talks(count=4, turns=6, words=5):
    """Talks of different lengths; every other one ends in a share."""
    return IntentExamples(
        tuple(
            Talk(
                i,
                tuple(
                    Utterance(
                        (i + j) % 2,
                        " ".join(WORDS[(i * 5 + j * 3 + k) % len(WORDS)] for k in range(words + j)),
                    )
                    for j in range(turns - i % 3)
                ),
                i % 2 == 0,
            )
            for i in range(count)
        ),
        {},
    )


@pytest.fixture
def talks():
    return make_talks()
