"""The BM25 baseline: scores, pools, queries, and what is kept out of them."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling.bm25 import K1, B, PhotoIndex, evaluate_bm25, words
from photochat.errors import DataError
from photochat.release import Release, SourceFile, read_release
from tests.conftest import make_dialogue


def release(**splits):
    return Release(tuple(SourceFile(Path(name), name, part) for name, part in splits.items()))


def naive_bm25(documents, query):
    """BM25 with Lucene's idf, literally."""
    mean = sum(map(len, documents)) / len(documents)
    scores = []
    for document in documents:
        counts, score = Counter(document), 0.0
        for word in query:
            having = sum(word in d for d in documents)
            idf = math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))
            length = 1 - B + B * len(document) / mean
            score += idf * counts[word] / (counts[word] + K1 * length)
        scores.append(score)
    return scores


vocabulary = st.sampled_from(["cake", "dog", "man", "tea", "hat"])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(vocabulary, min_size=1, max_size=5), min_size=1, max_size=6),
    st.lists(st.sampled_from(["cake", "dog", "man", "tea", "hat", "unknown"]), max_size=8),
)
def test_scores_equal_the_formula(documents, query):
    found = PhotoIndex(documents).scores(query)
    assert found == pytest.approx(naive_bm25(documents, query), abs=1e-5)


def test_words_are_lower_case_and_plurals_fold_on_request():
    assert words("Baked goods, 2 DOGS!") == ["baked", "goods", "2", "dogs"]
    assert words("Dogs bodies glass bus", fold_plurals=True) == ["dog", "body", "glass", "bus"]


def test_the_photo_whose_label_was_spoken_of_is_found():
    result = evaluate_bm25(
        release(
            test=[
                make_dialogue("0:my_cake 1:b 0:*", photo="a", labels="Cake"),
                make_dialogue("0:my_dog 1:b 0:*", photo="b", labels="Dog"),
            ]
        )
    )
    assert result.metrics["recall@1"].value == 100
    assert (result.photos, result.queries) == (2, 2)


def test_what_is_said_after_the_share_is_not_asked():
    dialogue = make_dialogue("0:hi 0:* 0:dog", labels="Dog", photo="a")
    other = make_dialogue("0:hi 0:*", labels="Cake", photo="b")
    assert evaluate_bm25(release(test=[dialogue, other])).metrics["recall@1"].value == 0


def test_the_query_may_be_the_sharers_words_alone():
    dialogue = make_dialogue("0:hi 1:dog 0:*", labels="Dog", photo="a")
    other = make_dialogue("0:cake 0:*", labels="Cake", photo="b")
    both = release(test=[dialogue, other])
    assert evaluate_bm25(both, query="all").metrics["recall@1"].value == 100
    assert evaluate_bm25(both, query="sharer").metrics["recall@1"].value == 50


def test_the_persona_is_kept_out_unless_asked_for():
    mark = make_dialogue("0:see_mark 0:*", labels="Man", persona="dad Mark", photo="a")
    luke = make_dialogue("0:see_luke 0:*", labels="Man", persona="dad Luke", photo="b")
    both = release(test=[mark, luke])
    assert evaluate_bm25(both).metrics["recall@1"].value == 0
    assert evaluate_bm25(both, persona=True).metrics["recall@1"].value == 100


def test_the_pool_is_the_splits_photos_or_all():
    parts = release(
        train=[make_dialogue(photo="a"), make_dialogue(photo="a")],
        test=[make_dialogue(photo="b"), make_dialogue(photo="c")],
    )
    assert evaluate_bm25(parts, pool="split").photos == 2
    assert evaluate_bm25(parts, pool="all").photos == 3


def test_dialogues_without_a_photo_turn_are_counted_and_their_photos_stay():
    parts = release(test=[make_dialogue("0:a 1:b", photo="a"), make_dialogue(photo="b")])
    result = evaluate_bm25(parts)
    assert (result.photos, result.dialogues, result.queries) == (2, 2, 1)
    assert result.left_out == {"no photo turn": 1}


def test_two_dialogues_about_one_photo_hit_the_same_photo():
    parts = release(
        test=[
            make_dialogue("0:dog 0:*", photo="a", labels="Dog"),
            make_dialogue("0:a_dog 0:*", photo="a", labels="Dog"),
            make_dialogue("0:cake 0:*", photo="b", labels="Cake"),
        ]
    )
    result = evaluate_bm25(parts)
    assert result.photos == 2
    assert result.metrics["recall@1"].value == 100


def test_photos_without_labels_and_empty_splits():
    parts = release(test=[make_dialogue(labels="", photo="a"), make_dialogue(labels="", photo="b")])
    assert evaluate_bm25(parts).metrics["recall@1"].value == 0
    with pytest.raises(DataError, match="no dialogue with a photo"):
        evaluate_bm25(release(test=[]))


def test_on_the_published_dev_split_the_sum_is_the_papers(real_photochat):
    """Table 4 gives 45.0 on test; dev, whose 1,000 photos are all here, comes out alike."""
    result = evaluate_bm25(read_release(real_photochat), "dev")
    assert result.photos == 1000
    assert result.metrics["sum"].value == pytest.approx(45.0, abs=0.05)
    leak = evaluate_bm25(read_release(real_photochat), "dev", persona=True)
    assert leak.metrics["sum"].value > 2 * result.metrics["sum"].value


def test_ranks_agree_with_rank_bm25_on_the_published_test_half(real_photochat):
    """Another library's BM25 (another idf) finds as many photos, within two points."""
    from rank_bm25 import BM25Okapi

    from modeling.bm25 import photo_text, query_text
    from modeling.metrics import rank_of, retrieval_metrics

    test = read_release(real_photochat).split("test")
    okapi = BM25Okapi([words(photo_text(d)) for d in test], k1=K1, b=B)
    ranks = [
        rank_of(okapi.get_scores(words(query_text(dialogue))), i)
        for i, dialogue in enumerate(test)
        if dialogue.share_index is not None
    ]
    ours = evaluate_bm25(read_release(real_photochat)).metrics
    theirs = retrieval_metrics(np.array(ranks))
    for name in ("recall@1", "recall@5", "recall@10"):
        assert abs(ours[name].value - theirs[name].value) <= 2
