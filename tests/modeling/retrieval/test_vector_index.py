"""Both ways of search give the best vectors; where FAISS is exact they agree."""

import sys

import numpy as np
import pytest

from modeling.retrieval.vector_index import FaissIndex, agreement, exact_best
from photochat.errors import DataError


def unit(count, width=16, seed=0, clusters=0):
    source = np.random.default_rng(seed)
    table = source.normal(size=(count, width))
    if clusters:
        table = 0.3 * table + source.normal(size=(clusters, width))[np.arange(count) % clusters]
    return (table / np.linalg.norm(table, axis=1, keepdims=True)).astype(np.float32)


def test_exact_is_a_full_sort_whatever_the_blocks(monkeypatch):
    gallery, queries = unit(500), unit(7, seed=1)
    expected = np.argsort(-(queries @ gallery.T), axis=1, kind="stable")[:, :20]
    for cells in (10**6, 7 * 33, 1):
        monkeypatch.setattr("modeling.retrieval.vector_index._BLOCK", cells)
        best = exact_best(queries, gallery, 20)
        assert (best.places == expected).all()
        assert best.scores == pytest.approx(np.sort(-(queries @ gallery.T), axis=1)[:, :20] * -1)


def test_of_equal_vectors_the_earlier_comes_first():
    gallery = np.repeat(unit(3), 5, axis=0)
    best = exact_best(gallery[:1], gallery, 5)
    assert sorted(best.places[0].tolist()) == [0, 1, 2, 3, 4]


def test_a_flat_index_equals_exact_search():
    faiss = pytest.importorskip("faiss")
    faiss.omp_set_num_threads(1)
    gallery, queries = unit(3000), unit(50, seed=1)
    found, expected = FaissIndex(gallery).best(queries, 10), exact_best(queries, gallery, 10)
    assert (found.places == expected.places).all()
    assert found.scores == pytest.approx(expected.scores, abs=1e-6)


def test_a_partitioned_index_finds_what_was_asked_for_and_is_kept(tmp_path):
    faiss = pytest.importorskip("faiss")
    faiss.omp_set_num_threads(1)
    gallery = unit(4000, clusters=100)
    index = FaissIndex(gallery, large=1000, recall=0.9)
    queries = gallery[::97] + 0.05 * unit(len(gallery[::97]), seed=3)
    expected = exact_best(queries, gallery, 10).places
    assert 0 < index.visited <= 126
    assert agreement(index.best(queries, 10).places, expected) > 0.8
    index.write(tmp_path / "kept.faiss")
    again = FaissIndex.read(tmp_path / "kept.faiss")
    assert (again.best(queries, 10).places == index.best(queries, 10).places).all()
    assert again.visited == index.visited
    (tmp_path / "broken.faiss").write_bytes(b"nothing of the sort")
    with pytest.raises(DataError, match=r"broken\.faiss: is no index of FAISS"):
        FaissIndex.read(tmp_path / "broken.faiss")


def test_agreement_is_the_share_found():
    assert agreement(np.array([[1, 2, 3]]), np.array([[3, 9, 1]])) == pytest.approx(2 / 3)


def test_without_faiss_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(DataError, match=r"pip install 'photochat-toolkit\[search\]'"):
        FaissIndex(unit(5))
