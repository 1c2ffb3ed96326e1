"""All thresholds of the checks, each with how it was chosen.

Chosen on the published dev split (1,000 dialogues that people accepted), never on test. Where a
share of dialogues is given, it is what the check flags of them.
"""

from __future__ import annotations

from typing import NamedTuple

# Rules
MIN_TURNS = 5  # the rules ask for as many before the share
MIN_WORDS = 15  # 0.5% of dev have fewer

# Typing. 15 characters a second are 180 words a minute; the fastest typists reach 150 for minutes.
TYPED_CHARS_PER_SECOND = 15.0
TYPED_CHARS = 25  # shorter messages may have been composed while reading
LONG_MESSAGE = 200  # longer: one message in a thousand of dev
LONG_ALONE = 280  # longer, whatever the others are: none of dev, one of test (289)
LONG_OVER_MEDIAN = 4.0  # and this many times the dialogue's median message

# Language
TYPOS = 0.2  # log ratio of the whole talk: 3.6% of dev; 97% of dev with 5% of the words misspelt
MISSPELT = 0.7  # of a word that is shown: twice as likely as in a talk of few typos
ENGLISH_WORDS = 0.35  # fewer common English words: another language
MIN_WORDS_OF_LANGUAGE = 4  # in shorter messages a name or two decides
FOREIGN_LETTERS = 0.5  # letters of no Latin alphabet, of a message's letters
GIBBERISH_TURN = 0.4  # of a message's letters
SHOUTED = 0.7  # of a side's words of three letters or more; a note, as 2% of dev shout
FILLER_TURNS = 0.6  # of the messages

# Broken English: oddness of word pairs, see checks/word_order.py
MIN_PAIRS = 15
ODD_PAIRS = -0.05
ODD_PAIRS_WITH_FAULTS = -0.3
GRAMMAR_FAULTS = 0.05  # Harper's findings per word of the three oddest messages

# Fluency: mean negative log-likelihood per token, SmolLM2-135M. 1% of 200 dialogues of dev are less
# likely, all of 60 whose words were shuffled, nine in ten of 60 that lost their little words.
UNLIKELY = 5.2
UNLIKELY_MESSAGE = 5.5  # messages worth showing

# Inappropriate: alt-profanity-check's probability
OFFENSIVE_ALONE = 0.95
OFFENSIVE = 0.8  # where the list has found a word already


class AssociationLimits(NamedTuple):
    """Log odds that a talk is about its own photo rather than another one.

    The contrast is the log odds before the share less `after` times those after it. Chosen so that
    both findings together flag as few of dev as can be (9% without models), and at least 90% of dev
    with its talk moved behind the share and another talk put before it: without models the best of
    a grid in which the photo of another dialogue is found in 45% and more.
    """

    unassociated: float  # log odds before the share: below it nothing leads to the photo
    contrast: float  # below it, what leads to the photo comes after the share
    after: float


ASSOCIATION = AssociationLimits(unassociated=-3.2, contrast=-0.3, after=0.8)
ASSOCIATION_WITH_MODELS = AssociationLimits(unassociated=-4.0, contrast=-0.8, after=0.5)

# Near-duplicates: Jaccard similarity of word triples
NEAR_DUPLICATE = 0.5
MINHASH_VALUES = 128
"""Values of a signature: the similarity's standard error is 1 / sqrt(128) = 0.09 at most."""
