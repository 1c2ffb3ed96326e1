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
TYPOS = 0.0  # log ratio of the whole talk
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

# Fluency: mean negative log-likelihood per token, SmolLM2-135M
UNLIKELY = 5.2
UNLIKELY_MESSAGE = 5.5  # messages worth showing

# Inappropriate: alt-profanity-check's probability
OFFENSIVE_ALONE = 0.95
OFFENSIVE = 0.8  # where the list has found a word already


class AssociationLimits(NamedTuple):
    """Log odds that a talk is about its own photo rather than another one.

    `contrast` is the log odds before the share less `AFTER` times those after it. Chosen so that
    both findings together flag about 9% of dev, and at least 90% of dev with its talk moved behind
    the share and another talk put before it.
    """

    unassociated: float  # before the share: below it nothing leads to the photo
    contrast: float  # below it, what leads to the photo comes after the share


AFTER = 0.74  # the ratio of the weights of a logistic regression on 700 dialogues of dev
ASSOCIATION = AssociationLimits(unassociated=-1.8, contrast=-0.35)
ASSOCIATION_WITH_MODELS = AssociationLimits(unassociated=-1.5, contrast=-0.3)

# Near-duplicates: Jaccard similarity of word triples
NEAR_DUPLICATE = 0.5
MINHASH_VALUES = 128
"""Values of a signature: the similarity's standard error is 1 / sqrt(128) = 0.09 at most."""
