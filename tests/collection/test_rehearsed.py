"""A campaign file for a rehearsal says the same, at other addresses."""

from __future__ import annotations

import sys

from hypothesis import example, given
from hypothesis import strategies as st

from collection.campaign import load_campaign, parse_campaign
from collection.rehearsed import rehearsed
from tests.conftest import SAMPLE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

VALUES = st.recursive(
    st.booleans() | st.integers(-(2**31), 2**31) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(
        exclude_categories=["Cs"])), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@example({"a": {"\U00010000": False}})  # two halves in UTF-16, one character in TOML
@given(st.dictionaries(st.text("abc", min_size=1), VALUES, max_size=4))
def test_whatever_stands_in_the_file_stands_in_its_copy(content):
    again = tomllib.loads(rehearsed(content, "127.0.0.1:1", "127.0.0.1:2"))
    recruiting = again.pop("recruiting")
    assert again == content
    assert recruiting["url"] == "http://127.0.0.1:1"
    assert recruiting["submit_hosts"] == ["127.0.0.1:2"]


def test_the_samples_campaign_is_rehearsed_as_it_is():
    file = SAMPLE.parent / "campaign.toml"
    content = tomllib.loads(file.read_text())
    copy = parse_campaign(tomllib.loads(rehearsed(content, "127.0.0.1:1", "127.0.0.1:2")))
    original = load_campaign(file)
    assert (copy.pay, copy.timeouts, copy.texts) == (
        original.pay, original.timeouts, original.texts
    )  # fmt: skip
