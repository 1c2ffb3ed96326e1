"""Words that talk and labels share count what BM25 gives them."""

import bm25s
import numpy as np
import torch

from modeling.bm25 import K1, B, words
from modeling.retrieval.label_words import label_words


def test_the_product_is_bm25_s_score_on_the_gallery_that_weighs_the_words():
    photos = ["Dog, Man", "Dogs, Cake, Cake", "Tree", "Man, Tree, Ball, Cat", ""]
    talks = ["my dog and the dogs, dog!", "a cake by the tree", "nothing of these", ""]
    ours = label_words(photos)
    scores = ours.of_talks(talks) @ ours.of_photos(photos).T
    documents = [words(text, True) for text in photos]
    peer = bm25s.BM25(k1=K1, b=B, method="lucene")
    peer.index(documents, show_progress=False)
    for line, talk in zip(scores.numpy(), talks, strict=True):
        known = [w for w in words(talk, True) if any(w in d for d in documents)]
        expected = peer.get_scores(known) if known else np.zeros(len(photos))
        assert np.allclose(line, expected, atol=1e-5)


def test_a_word_that_no_training_photo_has_counts_nothing():
    known = label_words(["Dog", "Cat"])
    assert float(known.of_talks(["cake"]).sum()) == 0
    assert known.of_photos(["Cake, Dog"]).count_nonzero() == 1
    assert torch.isfinite(label_words([""]).of_photos(["x"])).all()
