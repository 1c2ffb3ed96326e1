"""The plot of the benchmarks: what holds lies right of the line, what is missed left of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.page import page, read_results
from benchmarks.plot import draw, margin
from tests.conftest import REPOSITORY

AMOUNT = st.floats(0.001, 1e6)


@given(AMOUNT, AMOUNT, st.sampled_from(["<=", ">="]))
def test_a_claim_holds_if_and_only_if_its_margin_is_one_or_more(measured, limit, relation):
    holds = measured <= limit if relation == "<=" else measured >= limit
    times = margin({"measured": measured, "target": f"{relation} {limit!r}"})
    assert (times >= 1) == holds


def test_a_limit_of_zero_has_no_margin():
    assert margin({"measured": 0, "target": "<= 0"}) is None
    assert margin({"measured": 0.0, "target": "<= 2"}) > 1


def test_the_same_claims_give_the_same_picture(tmp_path):
    claims = {"a": [{"claim": "x", "measured": 2, "target": ">= 1", "holds": True}], "b": []}
    for name in ("one.svg", "two.svg"):
        draw(claims, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert "times better than the limit" in (tmp_path / "one.svg").read_text()


def test_the_page_is_that_of_the_results():
    results = read_results()
    written = (REPOSITORY / "docs" / "benchmarks.md").read_text()
    assert written == page(results), "run: python -m benchmarks.page"
    assert all(result.get("machine", result).get("date") for result in results)


@pytest.mark.parametrize("key", ["claim", "measured", "target", "holds"])
def test_every_claim_says_what_was_measured_against_what(key):
    assert all(key in claim for result in read_results() for claim in result["claims"])
