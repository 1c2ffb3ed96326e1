"""Broken rules of the conversation (section 3.2): who shares what, when, and who says nothing."""

from __future__ import annotations

from photochat.dialogue import MIN_TURNS_BEFORE_SHARE
from verification.finding import Finding
from verification.talk import MAX_TURNS, Talk
from verification.thresholds import MIN_TURNS, MIN_WORDS

Findings = list[Finding]


def no_share(talk: Talk) -> Findings:
    """No photo is shared."""
    if talk.share is not None:
        return []
    return [Finding("no-share", "reject", "No photo is shared in this dialogue.")]


def several_shares(talk: Talk) -> Findings:
    """The photo is shared more than once."""
    shares = [index for index, turn in enumerate(talk.dialogue.turns) if turn.share_photo]
    return [
        Finding("several-shares", "note", f"The photo is shared {len(shares)} times.", turn=index)
        for index in shares[1:2]
    ]


def early_share(talk: Talk) -> Findings:
    """The photo comes before five turns have been said."""
    share = talk.share
    if share is None or share == 0 or share >= MIN_TURNS_BEFORE_SHARE:
        return []
    message = (
        f"The photo is shared after {share} turns; the rules ask for {MIN_TURNS_BEFORE_SHARE}."
    )
    return [Finding("early-share", "reject", message, turn=share, score=share)]


def photo_first(talk: Talk) -> Findings:
    """The photo opens the dialogue."""
    if talk.share != 0:
        return []
    return [Finding("photo-first", "reject", "Nothing is said before the photo.", turn=0)]


def photo_last(talk: Talk) -> Findings:
    """Nobody says anything about the photo."""
    share = talk.share
    if share is None or any(turn.message.strip() for turn in talk.dialogue.turns[share + 1 :]):
        return []
    message = "Nothing is said after the photo: the receiver did not react to it."
    return [Finding("photo-last", "note", message, turn=share)]


def silent_partner(talk: Talk) -> Findings:
    """Only one of the two speaks, or one does not speak before the photo."""
    speakers = {turn.user_id for turn in talk.dialogue.turns if turn.message.strip()}
    if len(speakers) < 2:
        message = "Only one side says anything." if speakers else "Nobody says anything."
        return [Finding("silent-partner", "reject", message)]
    before = {turn.user_id for turn in talk.dialogue.before_share if turn.message.strip()}
    if talk.share and len(before) < 2:
        return [Finding("silent-partner", "review", "One side is silent until the photo comes.")]
    return []


def roles_mixed_up(talk: Talk) -> Findings:
    """Both share, a third person speaks, or the sharer is not who was given the photo."""
    turns = talk.dialogue.turns
    shares = [index for index, turn in enumerate(turns) if turn.share_photo]
    found = []
    if len({turns[index].user_id for index in shares}) > 1:
        other = next(i for i in shares if turns[i].user_id != turns[shares[0]].user_id)
        message = "Both sides share a photo: only one was given it."
        found.append(Finding("roles-mixed-up", "reject", message, turn=other))
    if len({turn.user_id for turn in turns}) > 2:
        found.append(Finding("roles-mixed-up", "reject", "More than two people speak."))
    given = _given_photo(talk)
    if shares and given is not None and given != turns[shares[0]].user_id:
        message = "The photo is shared by the side that was not given it."
        found.append(Finding("roles-mixed-up", "reject", message, turn=shares[0]))
    return found


def too_short(talk: Talk) -> Findings:
    """Hardly anything is said."""
    turns = sum(bool(message.strip()) for message in talk.messages)
    words = sum(map(len, talk.words))
    if turns >= MIN_TURNS and words >= MIN_WORDS:
        return []
    message = f"The whole dialogue has {turns} messages and {words} words."
    return [Finding("too-short", "review", message, score=words)]


def too_long(talk: Talk) -> Findings:
    """More turns than people write: only the first are read by the other checks."""
    turns = len(talk.dialogue.turns)
    if turns <= MAX_TURNS:
        return []
    message = f"{turns:,} turns: the other checks read the first {MAX_TURNS:,} alone."
    return [Finding("too-long", "review", message, score=turns)]


def _given_photo(talk: Talk) -> int | None:
    """Return the user whom the collection gave the photo; None where the file does not say."""
    record = (talk.dialogue.extra or {}).get("collection")
    workers = record.get("workers") if isinstance(record, dict) else None
    for worker in workers if isinstance(workers, list) else ():
        if isinstance(worker, dict) and worker.get("role") == "sharer":
            user = worker.get("user_id")
            return user if isinstance(user, int) else None
    return None


RULES = {
    "no-share": no_share,
    "several-shares": several_shares,
    "early-share": early_share,
    "photo-first": photo_first,
    "photo-last": photo_last,
    "silent-partner": silent_partner,
    "roles-mixed-up": roles_mixed_up,
    "too-short": too_short,
    "too-long": too_long,
}
