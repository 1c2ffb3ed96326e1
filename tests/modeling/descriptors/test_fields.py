"""Descriptors as text, and as a file that is found again by the talk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling.descriptors.fields import (
    NAMES,
    Descriptors,
    descriptor_text,
    descriptor_texts,
    talk_text,
)
from modeling.descriptors.file import (
    Described,
    descriptors_of,
    read_descriptors,
    talk_key,
    write_descriptors,
)
from photochat.dialogue import Utterance
from photochat.errors import DataError

DOG = Descriptors("a dog", "a ball, a stick", "a beach", "playing", "brown, wet.")


def test_each_field_is_a_sentence():
    """The K of the photo is V, in VisualDialog's order."""
    assert descriptor_texts(DOG) == (
        "the main subject of the photo is a dog",
        "the prominent objects in the foreground of the photo are a ball, a stick",
        "the background scene of the photo is a beach",
        "the events of the photo are playing",
        "the materials and attributes of the photo are brown, wet",
    )
    assert descriptor_text(DOG).count(". ") == 4


@pytest.mark.parametrize("nothing", ["", "unknown", " Unknown. ", "N/A", "none"])
def test_what_says_nothing_is_left_out(nothing):
    """A field without content makes no sentence, and none of them no text."""
    assert descriptor_text(Descriptors(*[nothing] * 5)) == ""


def test_the_names_are_the_fields():
    """Each field is called something."""
    assert tuple(NAMES) == Descriptors.__struct_fields__


def test_the_sharer_is_a_whatever_the_ids():
    """The model is told who will share by A."""
    turns = (Utterance(1, "hi\nthere"), Utterance(0, "hey"))
    assert talk_text(turns, sharer=1) == "A: hi there\nB: hey"


texts = st.text(max_size=40)


@given(st.lists(st.tuples(st.lists(texts, min_size=1, max_size=4), st.tuples(*[texts] * 5)),
                max_size=5))  # fmt: skip
def test_a_file_is_read_as_it_was_written(tmp_path_factory, rows):
    """Every descriptor is found by its talk; the first of two about the same talk."""
    path = tmp_path_factory.getbasetemp() / "descriptors.jsonl"
    talks = [[Utterance(place % 2, text) for place, text in enumerate(talk)] for talk, _ in rows]
    described = [
        Described("train", number, talk_key(talk), Descriptors(*fields))
        for number, (talk, (_, fields)) in enumerate(zip(talks, rows, strict=True))
    ]
    write_descriptors(path, described)
    expected = {}
    for talk, (_, fields) in zip(talks, rows, strict=True):
        expected.setdefault(talk_key(talk), Descriptors(*fields))
    assert read_descriptors(path) == expected
    found, missing = descriptors_of([*talks, [Utterance(5, "never said")]], expected)
    assert found == [expected[talk_key(talk)] for talk in talks] + [None]
    assert missing == 1


@pytest.mark.parametrize(
    "line",
    ['{"split": "dev"}', "no json", '{"split":"dev","dialogue_id":1,"talk":"x","descriptors":{}}',
     "[" * 5000],
)  # fmt: skip
def test_a_line_that_is_none_is_named(tmp_path, line):
    """File and line, one line of text."""
    good = Described("dev", 1, "k", DOG)
    write_descriptors(tmp_path / "d.jsonl", [good])
    with (tmp_path / "d.jsonl").open("a") as file:
        file.write("\n" + line)
    with pytest.raises(DataError, match=r"d\.jsonl: line 3: is no line of photochat describe"):
        read_descriptors(tmp_path / "d.jsonl")


def test_no_file_is_told(tmp_path):
    """The command that writes it is named."""
    with pytest.raises(DataError, match="photochat describe"):
        read_descriptors(tmp_path / "none.jsonl")
