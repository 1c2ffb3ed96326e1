"""Dialogues that the tests of the checks share."""

from __future__ import annotations

from typing import Any

from photochat.dialogue import Dialogue, Turn

# Figure 2 in our own words: a good example, another one, and the bad one.
TRIP = """
B: hey you, how was your week?
A: so good, we are only just home from our holiday!
B: oh nice, was it worth the long flight?
A: every minute. I took my little girl along to Italy, we walked through old temples
B: Italy! I am so jealous. The girl must have loved the ruins
A: she ran around the columns of the temple all day, the building was huge
A: *
B: what a picture, you should frame it
A: I will, thanks!
"""
PIZZA = """
A: guess who is cooking tonight
B: not you, surely! what are you making?
A: my very first pizza, with tomatoes, onions and a lot of cheese
B: brave! who taught you to make the dough?
A: my aunt. it is nearly out of the oven, smells like a real pizzeria
B: that must be a delicious meal
A: *
B: oh it looks yummy
"""
NETFLIX = """
A: hi, how are things?
B: fine, I spent the day with a series on netflix because of the rain
A: same here. which one?
B: the one about the office, it is so funny
A: I have to watch that again some time
B: me too, I never get tired of it
A: *
B: wow, this is so cool
A: it is a boy in a green shirt who holds a camera, he wants to be a photographer
B: the boy looks so serious with his camera
"""


def talk(
    text: str, labels: str = "Cake", dialogue_id: int = 0, extra: dict[str, Any] | None = None
) -> Dialogue:
    """Make a dialogue from lines "A: text"; A is user 0, and * is the photo."""
    turns = []
    for line in text.strip("\n").splitlines():
        who, said = line.split(": ", 1)
        share = said == "*"
        turns.append(Turn("" if share else said, share, "AB".index(who)))
    return Dialogue(
        turns=tuple(turns), dialogue_id=dialogue_id, extra=extra,
        photo_description=f"Objects in the photo: {labels}", photo_url="",
    )  # fmt: skip


EXAMPLES = {
    "trip": (TRIP, "Girl, Building"),
    "pizza": (PIZZA, "Pizza, Food"),
    "netflix": (NETFLIX, "Boy, Camera"),
}
