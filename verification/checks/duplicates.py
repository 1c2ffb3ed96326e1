"""The same text in other dialogues: near-duplicates across the data set, by MinHash.

A dialogue is the set of its word triples. Signatures are compared only where locality-sensitive
hashing puts them into one bucket, so that 100,000 dialogues take seconds, not days.
"""

from __future__ import annotations

from collections.abc import Sequence

from photochat.dialogue import Dialogue
from verification.finding import Finding
from verification.talk import MAX_TURNS, words_of
from verification.thresholds import MINHASH_VALUES, NEAR_DUPLICATE

BANDS = 32  # of 4 values: pairs at similarity 0.5 meet with probability 0.87, at 0.7 with 0.9998
SEED = 42
MIN_TRIPLES = 8  # a dialogue of a few words equals another by chance
MAX_NEIGHBOURS = 20  # of a dialogue that stands in the file hundreds of times


def triples(dialogue: Dialogue) -> list[str]:
    """Return the dialogue's word triples, within and across messages, each once."""
    words = [word.lower for turn in dialogue.turns[:MAX_TURNS] for word in words_of(turn.message)]
    return list(dict.fromkeys(" ".join(words[i : i + 3]) for i in range(max(len(words) - 2, 0))))


def near_duplicates(dialogues: Sequence[Dialogue]) -> dict[int, list[tuple[int, float]]]:
    """Return, for each position with near-duplicates, their positions and similarity (0 to 1).

    The most similar first; both of a pair name each other.
    """
    import rensa

    signatures: dict[int, rensa.RMinHash] = {}
    index = rensa.RMinHashLSH(threshold=NEAR_DUPLICATE, num_perm=MINHASH_VALUES, num_bands=BANDS)
    for position, dialogue in enumerate(dialogues):
        said = triples(dialogue)
        if len(said) < MIN_TRIPLES:
            continue
        signature = rensa.RMinHash(num_perm=MINHASH_VALUES, seed=SEED)
        signature.update(said)
        signatures[position] = signature
        index.insert(position, signature)
    found: dict[int, list[tuple[int, float]]] = {}
    for position, signature in signatures.items():
        near = [
            (other, signature.jaccard(signatures[other]))
            for other in sorted(set(index.query(signature)) - {position})
        ]
        near = [(other, similar) for other, similar in near if similar >= NEAR_DUPLICATE]
        if near:
            found[position] = sorted(near, key=lambda pair: (-pair[1], pair[0]))[:MAX_NEIGHBOURS]
    return found


def duplicate_finding(near: Sequence[tuple[int, float]], ids: Sequence[int]) -> Finding:
    """Say of which dialogues (by id) a dialogue is a near-duplicate."""
    names = ", ".join(str(ids[other]) for other, _ in near[:3])
    more = f" and {len(near) - 3} more" if len(near) > 3 else ""
    similar = near[0][1]
    text = f"Much the same text stands in dialogue {names}{more} ({similar:.0%} alike)."
    return Finding("near-duplicate", "review", text, score=round(similar, 3))
