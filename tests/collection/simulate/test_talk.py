"""What bots say: readable, seeded, within the rules, and leading to the photo."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection.simulate import phrases
from collection.simulate.talk import (
    FINISH,
    SHARE,
    Said,
    draw_plan,
    next_move,
    things,
    topic_of,
    with_article,
)
from photochat.description import Description, Persona
from photochat.dialogue import MIN_TURNS_BEFORE_SHARE
from photochat.personal_information import personal_information
from photochat.themes import THEME_LABELS

NAMES = sorted(
    {label.release_name for label in THEME_LABELS} | {"Tree", "Dog", "Human hair", "Wine glass"}
)
descriptions = st.builds(
    Description,
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=8, unique=True).map(tuple),
    st.none() | st.just(Persona("friend's daughter", "Hannah")),
)


def conversation(description: Description, seed: int) -> list[tuple[int, str | None]]:
    """Let a sharer (0) and a receiver (1) talk until one of them ends it."""
    draws = [random.Random(f"{seed}:{side}") for side in (0, 1)]
    plans = [draw_plan(draw) for draw in draws]
    order = random.Random(seed)
    log: list[tuple[int, str | None]] = []
    for _ in range(500):
        side = order.choice((0, 1))
        history = [Said(who == side, text) for who, text in log]
        move = next_move(
            description if side == 0 else None,
            history,
            plans[side],
            draws[side],
            patient=order.random() < 0.8,
        )
        if move == FINISH:
            return log
        if move.kind != "wait":
            assert move != SHARE or side == 0
            log.append((side, None if move == SHARE else move.text))
    raise AssertionError("the conversation does not end")


@given(descriptions, st.integers(0, 10**6))
def test_every_conversation_keeps_the_rules_and_ends(description: Description, seed: int) -> None:
    """One share, after five turns of both; no message empty, long or said twice in a row."""
    log = conversation(description, seed)
    assert [who for who, text in log if text is None] == [0]
    place = log.index((0, None))
    assert place >= MIN_TURNS_BEFORE_SHARE
    assert {who for who, _ in log[:place]} == {0, 1}
    for side in (0, 1):
        mine = [text for who, text in log if who == side and text is not None]
        assert all(mine)
        assert max(map(len, mine)) <= 200
        assert all(one != after for one, after in itertools.pairwise(mine))


@given(descriptions, st.integers(0, 10**6))
def test_the_sharer_hints_at_the_photo_before_sharing(description: Description, seed: int) -> None:
    """Something that the description names is said before the share, when it names anything."""
    log = conversation(description, seed)
    before = " ".join(text for who, text in log[: log.index((0, None))] if text and who == 0)
    named = things(description.objects)
    if named:
        assert any(thing in before for thing in named)
    elif description.persona is not None:
        assert "Hannah" in before


@given(descriptions, st.integers(0, 10**6))
def test_nothing_looks_like_personal_information(description: Description, seed: int) -> None:
    """Bots must not be stopped by the warning."""
    for _, text in conversation(description, seed):
        assert text is None or personal_information(text) == ()


def test_same_seed_same_talk_and_another_seed_another() -> None:
    """A rehearsal can be repeated."""
    photo = Description(("Cake", "Wine glass"), Persona("dad", "Mark"))
    assert conversation(photo, 3) == conversation(photo, 3)
    assert len({tuple(conversation(photo, seed)) for seed in range(50)}) == 50


def test_the_receiver_knows_only_what_was_said() -> None:
    """Without a description and a history nothing of a photo can be named; it is picked up."""
    draw = random.Random(0)
    plan = draw_plan(draw)
    history = [Said(False, "hey"), Said(True, "hi"), Said(False, "I finally got myself a guitar")]
    replies = {next_move(None, history, plan, random.Random(seed)).text for seed in range(40)}
    assert any("guitar" in reply or "that" in reply for reply in replies)
    known = {line.format(it="the guitar", name="", a="") for line in phrases.REPLIES["product"]}
    assert replies <= known


@pytest.mark.parametrize(
    ("thing", "spoken"),
    [
        ("guitar", "a guitar"),
        ("owl", "an owl"),
        ("bread", "some bread"),
        ("jeans", "some jeans"),
        ("dress", "a dress"),
        ("ice cream", "some ice cream"),
    ],
)
def test_articles(thing: str, spoken: str) -> None:
    """Nouns come with the article that they take."""
    assert with_article(thing) == spoken


def test_body_parts_and_general_classes_are_not_talked_about() -> None:
    """Of a dog nobody says "animal", of a friend nobody says "face"."""
    assert things(["Animal", "Mammal", "Dog", "Tree"]) == ["dog", "tree"]
    assert things(["Face", "Human hair", "Woman"]) == []
    assert (topic_of("dog"), topic_of("pizza"), topic_of("tree")) == ("animal", "food", "other")
