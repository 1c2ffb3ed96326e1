"""Typos weigh by how likely a slip is; names, dishes and chat spelling weigh little or nothing."""

from __future__ import annotations

import pytest

from photochat.records import read_records
from tests.conftest import SAMPLE
from tests.verification.talks import PIZZA, TRIP, talk
from verification.checks.typos import SOUND, typos, weigh, weigh_word
from verification.corruptions import corrupted
from verification.talk import Talk


@pytest.mark.parametrize(
    ("word", "meant"),
    [("qith", "with"), ("teh", "the"), ("birthda", "birthday"), ("yesterdday", "yesterday"),
     ("beleive", "believe"), ("piccture", "picture")],
)  # fmt: skip
def test_one_slip_from_a_common_word_weighs_most_and_names_it(word, meant):
    weighed = weigh_word(word, False)
    assert weighed.weight > 0.7
    assert weighed.meant == meant


@pytest.mark.parametrize(
    "word", ["churro", "sooooo", "hahaha", "gonna", "im", "vacay", "mother-in-law", "uncle's", "u"]
)
def test_dishes_chat_spelling_and_compounds_weigh_little(word):
    assert weigh_word(word, False).weight < 0.7


def test_a_capital_within_a_sentence_makes_a_name_of_an_unknown_word():
    assert weigh_word("kaylen", True).weight < weigh_word("kaylen", False).weight


def test_other_alphabets_and_digits_are_left_to_other_checks():
    assert weigh_word("привет", False) == SOUND
    assert weigh_word("mp3s", False) == SOUND


def test_the_name_that_the_sharer_was_given_is_no_typo():
    import msgspec

    named = talk("A: this is qilara\nB: hi qilara\nA: *")
    text = "The photo has your friend Qilara. Objects in the photo: Cake"
    known = msgspec.structs.replace(named, photo_description=text)
    assert weigh(Talk(named))[0] > weigh(Talk(known))[0]


def test_sound_words_speak_against_typos_and_a_word_said_again_counts_once():
    few = Talk(talk("A: teh cake is waht we had\nB: nice"))
    many = Talk(talk("A: teh cake is waht we had\nB: nice" + PIZZA.rstrip() + TRIP))
    again = Talk(talk("A: teh cake is waht we had\nB: nice\n" + "A: teh waht\n" * 20))
    assert weigh(many)[0] < weigh(few)[0]
    assert weigh(again)[0] == pytest.approx(weigh(few)[0])
    assert [(f.turn, f.start) for f in typos(few)] == [(0, 0), (0, 12)]
    assert not typos(many)


def test_talks_with_one_word_in_twenty_misspelt_are_told_from_sound_ones():
    sound = read_records(SAMPLE)
    pairs = corrupted(sound, "typos in 5% of the words")
    found = sum(bool(typos(Talk(worse))) for _, worse in pairs)
    alarms = sum(bool(typos(Talk(dialogue))) for dialogue in sound)
    assert found / len(pairs) >= 0.9
    assert alarms / len(sound) <= 0.05
