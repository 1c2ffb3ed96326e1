"""How many places to offer, and how they are cut into postings: pure rules.

A conversation takes two places. People drop out and places come back, so nothing is offered beyond
what the photos that are left need; whoever runs `launch` again tops it up.
"""

from __future__ import annotations


def places_to_offer(
    conversations_left: int, open_places: int, waiting: int, open_at_once: int | None
) -> int:
    """Return how many places to add.

    `conversations_left` are those not completed, `open_places` those offered or accepted and not
    yet handed in. With `open_at_once` no more than so many are open at a time, but always enough
    that everybody who waits can get a partner.
    """
    needed = 2 * conversations_left - open_places
    if open_at_once is not None:
        needed = min(needed, max(open_at_once, 2 * waiting) - open_places)
    return max(0, needed)


def cut(places: int, most: int) -> list[int]:
    """Cut places into postings of at most `most`, as equal as can be.

    Equal ones fill at the same speed, and none is left that a single worker would have to find.
    """
    postings = -(-places // most)
    return [places // postings + (number < places % postings) for number in range(postings)]
