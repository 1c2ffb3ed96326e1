"""The photo description is written and parsed by one pair of functions."""

import json

from hypothesis import given
from hypothesis import strategies as st

from photochat.description import Description, Persona, format_description, parse_description

words = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=12)
labels = st.lists(words.map(lambda w: w.replace("\n", "")), min_size=1, max_size=6).map(tuple)
personas = st.builds(Persona, st.sampled_from(["dad", "friend's daughter", "aunt"]), words)


@given(st.builds(Description, labels, st.none() | personas))
def test_what_is_written_is_read_back(description):
    assert parse_description(format_description(description)) == description


def test_a_relationship_may_have_several_words():
    text = "The photo has your friend's daughter Harmoni. Objects in the photo: Face, Boy"
    assert parse_description(text) == Description(
        ("Face", "Boy"), Persona("friend's daughter", "Harmoni")
    )


def test_no_objects_are_no_labels():
    assert parse_description("Objects in the photo: ") == Description(())


def test_another_form_is_none():
    for text in (
        "",
        "A cake",
        "The photo has your Mark. Objects in the photo: Man",
        "objects: Cake",
    ):
        assert parse_description(text) is None


def test_every_published_description_is_read_without_loss(real_photochat):
    for file in real_photochat.glob("*/*.json"):
        for record in json.loads(file.read_bytes()):
            description = parse_description(record["photo_description"])
            assert description is not None
            assert format_description(description) == record["photo_description"]
