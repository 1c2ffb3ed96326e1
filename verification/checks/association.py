"""Is it evident before the share what the photo will show (section 3.3)?

Only turns before the share count. A finding of its own says that the association comes only with
the talk about the photo after the share: the paper's bad example in Figure 2.
"""

from __future__ import annotations

from collections.abc import Iterable

from photochat.description import Description, Persona
from verification.association.affinity import hints
from verification.association.score import Encode, logits, probability
from verification.finding import Finding
from verification.talk import Talk
from verification.thresholds import ASSOCIATION, ASSOCIATION_WITH_MODELS

SHOWN_HINTS = 3
STRONG_HINT = 0.5  # weaker ones are not worth a reviewer's look


def association(talk: Talk, encode: Encode | None) -> list[Finding] | None:
    """Ask whether the talk before the share fits the photo; None without a photo or labels."""
    photo = _photo(talk)
    if photo is None or not talk.share:
        return None
    limits = ASSOCIATION if encode is None else ASSOCIATION_WITH_MODELS
    before = _logit(talk, talk.before, photo, encode)
    after = _logit(talk, talk.after, photo, encode)
    score = round(probability(before), 3)
    labels = ", ".join(photo.objects)
    contrast = before - limits.after * after
    if contrast < limits.contrast and after > before:
        text = (
            f"What the photo shows ({labels}) is spoken of only after the share: before it, the "
            f"talk fits this photo with probability {score:.2f}, after it {probability(after):.2f}."
        )
        finding = Finding("association-after-share", "review", text, talk.share, score=score)
        return [finding, *_hints(talk, talk.after, photo)]
    if before < limits.unassociated or contrast < limits.contrast:
        text = (
            f"Little before the share leads to what the photo shows ({labels}): of two photos, the "
            f"talk would pick this one with probability {score:.2f}."
        )
        return [Finding("association", "review", text, talk.share, score=score)]
    return []


def association_scores(talk: Talk, encode: Encode | None) -> tuple[float, float] | None:
    """Return the log odds of the photo given the talk before, and given the talk after."""
    photo = _photo(talk)
    if photo is None or not talk.share:
        return None
    return (
        _logit(talk, talk.before, photo, encode),
        _logit(talk, talk.after, photo, encode),
    )


def _photo(talk: Talk) -> Description | None:
    """Return the photo's description; a text of unknown form counts as a list of labels."""
    photo = talk.dialogue.description
    if photo is None:
        text = talk.dialogue.photo_description.rpartition(":")[2]
        photo = Description(tuple(part.strip() for part in text.split(",") if part.strip()))
    objects = tuple(dict.fromkeys(photo.objects))
    return Description(objects, photo.persona) if objects else None


def _logit(talk: Talk, turns: Iterable[int], photo: Description, encode: Encode | None) -> float:
    turns = list(turns)
    words = [word for index in turns for word in talk.lower[index]]
    said = [talk.messages[index] for index in turns]
    return float(logits(words, said, [photo], persona=True, encode=encode)[0])


def _hints(talk: Talk, turns: Iterable[int], photo: Description) -> list[Finding]:
    """Show where the photo's content is named, as notes."""
    found = []
    persona = photo.persona or Persona("", "")
    for index in turns:
        near = hints(talk.lower[index], photo.objects)
        for word in talk.words[index]:
            label, value = max(
                ((label, words.get(word.lower, 0.0)) for label, words in near.items()),
                key=lambda pair: pair[1],
            )
            if word.text == persona.name:
                label, value = f"{persona.relationship} {persona.name}", 1.0
            if value >= STRONG_HINT:
                text = f"Hints at {label}, after the share."
                found.append(
                    (value, Finding("association-after-share", "note", text, index, word.start,
                                    word.end, round(value, 2)))
                )  # fmt: skip
    best = sorted(found, key=lambda pair: -pair[0])[:SHOWN_HINTS]
    return [finding for _, finding in best]
