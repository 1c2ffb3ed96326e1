"""TF-IDF learns from whatever a split says, be it nothing twice."""

import numpy as np
import pytest

from modeling.examples import intent_examples
from modeling.intent.tfidf import fit_tfidf
from tests.conftest import make_dialogue


@pytest.mark.parametrize(
    "said", ["0:hello_there 1:good_morning 0:*", "0:hi 1:hi 0:*", "0: 1:  0:*"]
)
def test_a_split_in_which_hardly_a_word_comes_twice_is_learnt_from(said):
    examples = intent_examples([make_dialogue(said)])
    found = fit_tfidf(examples).probabilities(examples)
    assert np.isfinite(found).all()
    assert found[-1] > found[0]  # by how many turns there were
