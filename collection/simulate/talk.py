"""What a bot does next in a conversation: pure, from what it knows and what has been said.

The sharer brings the talk to what is on the photo, shares it, and comments; the receiver knows
nothing but what it has been told, and picks up the words it recognises. Nothing is remembered
outside the history, so a bot that reloads its page goes on where it was.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from collection.simulate import phrases
from photochat.description import Description
from photochat.dialogue import MIN_TURNS_BEFORE_SHARE
from photochat.themes import THEME_LABELS, themes_of

HINTS_BEFORE_SHARE = 2  # so that the talk leads to the photo
# Nobody says these of a photo of a friend.
UNSPOKEN = frozenset(
    {
        "Face", "Hair", "Head", "Nose", "Mouth", "Hand", "Eye", "Arm", "Leg", "Ear", "Foot",
        "Beard", "Human", "Person", "Man", "Woman", "Boy", "Girl", "Mammal", "Carnivore",
        "Invertebrate", "Wildlife", "Clothing", "Footwear",
    }
)  # fmt: skip
# Spoken of without "a"; labels that end in s are plural.
MASS = frozenset(
    {
        "baked goods", "beer", "bread", "candy", "cheese", "clothing", "coffee", "dairy",
        "fast food", "food", "footwear", "fruit", "furniture", "guacamole", "hair spray",
        "ice cream", "juice", "milk", "pasta", "perfume", "personal care", "popcorn", "salad",
        "seafood", "sky", "sports equipment", "tableware", "tea", "water", "wine", "wildlife",
    }
)  # fmt: skip
ANIMALS = frozenset(
    {
        "bird", "birds", "butterfly", "cat", "cattle", "dog", "dogs", "duck", "elephant", "fish",
        "fox", "goat", "goose", "horse", "horses", "insect", "kitten", "lion", "monkey", "owl",
        "penguin", "puppy", "rabbit", "sheep", "snake", "squirrel", "swan", "tiger", "turtle",
        "zebra",
    }
)  # fmt: skip

Topic = Literal["food", "animal", "product", "people", "other"]
_PERSON = re.compile(r"\bmy ([a-z]+(?:['’]s)?(?: [a-z]+)?) ([A-Z][a-z]+)\b")


class Said(NamedTuple):
    """One event of the history, from the bot's side; `text` is None for the share."""

    mine: bool
    text: str | None


class Plan(NamedTuple):
    """How long one bot likes to talk."""

    before: int  # messages of both sides before the photo is shared
    after: int  # own messages after it


class Move(NamedTuple):
    """What the bot does: "say" (with a text), "share", "finish", or "wait" for the partner."""

    kind: Literal["say", "share", "finish", "wait"]
    text: str = ""


WAIT, SHARE, FINISH = Move("wait"), Move("share"), Move("finish")


def draw_plan(draw: random.Random, turns: int = MIN_TURNS_BEFORE_SHARE) -> Plan:
    """Draw a bot's plan for a campaign that asks for `turns` messages before the share."""
    return Plan(turns + draw.choice((0, 0, 1, 1, 2, 3, 5)), draw.choice((1, 1, 2, 2, 3)))


def next_move(
    description: Description | None,
    history: Sequence[Said],
    plan: Plan,
    draw: random.Random,
    *,
    patient: bool = True,
) -> Move:
    """Return a bot's next move.

    `description` is the sharer's; None makes a receiver. A `patient` bot mostly lets the partner
    answer first; otherwise it goes on by itself.
    """
    shared = any(said.text is None for said in history)
    mine = [said.text for said in history if said.mine and said.text is not None]
    if patient and history and history[-1].mine and draw.random() > 0.15:
        return WAIT
    if patient and not history and description is None:
        return WAIT
    if not shared:
        if description is None:
            return Move("say", _receivers_line(history, mine, draw))
        talked = len(history) >= plan.before and any(not said.mine for said in history)
        if talked and len(mine) > HINTS_BEFORE_SHARE:
            return SHARE
        return Move("say", _sharers_line(description, mine, draw))
    place = next(i for i, said in enumerate(history) if said.text is None)
    since = [said for said in history[place + 1 :] if said.mine]
    heard = any(not said.mine for said in history[place + 1 :])
    if len(since) > plan.after and (heard or not patient):
        return FINISH
    if len(since) == plan.after:
        return Move("say", _fresh(phrases.GOODBYES, {}, mine, draw))
    if description is None:
        return Move("say", _reaction(history, mine, draw))
    topics = things(description.objects)
    lines = phrases.SHARERS_COMMENTS if topics else phrases.SHARERS_COMMENTS[3:]
    return Move("say", _fresh(lines, _forms(topics[0] if topics else "photo"), mine, draw))


def things(labels: Iterable[str]) -> list[str]:
    """Return what one would talk about, in lower case, what the paper's themes name first.

    Body parts and general classes are left out; "animal" where one is named.
    """
    spoken = [name for name in labels if name not in UNSPOKEN and not name.startswith("Human ")]
    if any(name.lower() in ANIMALS for name in spoken):
        spoken = [name for name in spoken if name not in ("Animal", "Terrestrial animal")]
    themed = [name for name in spoken if themes_of([name]) or name.lower() in ANIMALS]
    rest = [name for name in spoken if name not in themed]
    return [name.lower() for name in [*themed, *rest]]


def topic_of(thing: str) -> Topic:
    """Return which lines fit a thing."""
    theme = _THEME_OF.get(thing)
    if theme is None and thing in ANIMALS:
        return "animal"
    return theme or "other"


def with_article(thing: str) -> str:
    """Return "a guitar", "an owl", "some bread", "some jeans"."""
    if thing in MASS or (thing.endswith("s") and thing not in _NOT_PLURAL):
        return f"some {thing}"
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def _sharers_line(description: Description, mine: Sequence[str], draw: random.Random) -> str:
    """The sharer's line before the photo: a greeting, the person, the things, fillers."""
    persona = description.persona
    forms = {}
    if persona is not None:
        forms = {"who": f"my {persona.relationship} {persona.name}", "name": persona.name}
    if not mine:
        return draw.choice(phrases.OPENERS)
    if len(mine) == 1 and persona is not None:
        return _fresh(phrases.PEOPLE, forms, mine, draw)
    told = " ".join(mine).lower()
    for thing in things(description.objects):
        if not _mentions(told, thing):
            lines = phrases.HINTS[topic_of(thing)]
            if persona is not None and draw.random() < 0.5:
                lines = phrases.TOGETHER
            return _fresh(lines, forms | _forms(thing), mine, draw)
    known = things(description.objects)
    if known and len(mine) > HINTS_BEFORE_SHARE and draw.random() < 0.3:
        return _fresh(phrases.OFFERS, _forms(known[0]), mine, draw)
    if draw.random() < 0.3:
        return _fresh(phrases.FILLERS, {}, mine, draw)
    if persona is not None and (not known or draw.random() < 0.5):
        return _fresh(phrases.MORE_PEOPLE, forms, mine, draw)
    if known:
        return _fresh(phrases.MORE, _forms(draw.choice(known)), mine, draw)
    return _fresh(phrases.HINTS["people"], {}, mine, draw)


def _receivers_line(history: Sequence[Said], mine: Sequence[str], draw: random.Random) -> str:
    if not mine:
        return draw.choice(phrases.GREETINGS)
    heard = _last_heard(history)
    person = _PERSON.search(heard)
    if person is not None:
        return _fresh(phrases.REPLIES["people"], {"name": person[2]}, mine, draw)
    thing = _recognised(heard)
    if thing is not None:
        return _fresh(phrases.REPLIES[topic_of(thing)], _forms(thing), mine, draw)
    return _fresh(phrases.REPLIES["other"], {}, mine, draw)


def _reaction(history: Sequence[Said], mine: Sequence[str], draw: random.Random) -> str:
    told = " ".join(said.text for said in history if not said.mine and said.text is not None)
    thing = _recognised(told)
    if thing is not None and draw.random() < 0.5:
        return _fresh(phrases.REACTIONS_TO_THING, _forms(thing), mine, draw)
    return _fresh(phrases.REACTIONS, {}, mine, draw)


def _fresh(
    lines: Sequence[str], forms: dict[str, str], mine: Sequence[str], draw: random.Random
) -> str:
    """Fill in one of `lines` that this bot has not used; when all are used, say it otherwise."""
    filled = [line.format(**forms) for line in lines]
    if new := [line for line in filled if line not in mine]:
        return draw.choice(new)
    while True:
        line = f"{draw.choice(phrases.ASIDES)} {draw.choice([*filled, *phrases.FILLERS])}"
        if not mine or line != mine[-1]:
            return line


def _forms(thing: str) -> dict[str, str]:
    return {"a": with_article(thing), "it": f"the {thing}"}


def _last_heard(history: Sequence[Said]) -> str:
    return next((s.text for s in reversed(history) if not s.mine and s.text is not None), "")


def _recognised(text: str) -> str | None:
    """The longest thing that a text names, of those every bot knows."""
    found = [thing for thing in _KNOWN if _mentions(text.lower(), thing)]
    return max(found, key=len, default=None)


def _mentions(text: str, thing: str) -> bool:
    return re.search(rf"\b{re.escape(thing)}\b", text) is not None


_THEME_OF: dict[str, Topic] = {
    label.release_name.lower(): label.theme for label in THEME_LABELS if label.theme != "people"
}
_KNOWN = sorted({*_THEME_OF, *ANIMALS} - {"animal"})
_NOT_PLURAL = frozenset({"dress", "glass", "wine glass", "bus", "cactus", "octopus", "canvas"})
