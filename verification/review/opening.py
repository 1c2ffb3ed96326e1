"""Opening a review: dialogues, findings, gold and lists are read, and the database is filled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from photochat.dialogue import Dialogue
from photochat.errors import DataError
from photochat.records import read_records
from verification.finding import Checked
from verification.gold import Gold, check_same, read_gold
from verification.identity import by_id, findings_by_id
from verification.review.desk import GOLD_SHARE, HOLD_SECONDS, Desk
from verification.review.store import Item, Prepared, open_review
from verification.review_items import read_review_items

OVERLAP = 2  # reviewers for a dialogue: with fewer nobody knows whether they agree


class Opened(msgspec.Struct, frozen=True):
    """The desk, what the database has, and what did not fit together."""

    desk: Desk
    prepared: Prepared
    unchecked: int  # dialogues without a line of findings, where findings were given
    findings_elsewhere: int  # lines of findings about no dialogue here
    items_elsewhere: int  # lines of the list about no dialogue here


def open_desk(
    dialogues: str | Path,
    url: str,
    images: Path,
    *,
    secret: str,
    findings: str | Path | None = None,
    gold: str | Path | None = None,
    items: str | Path | None = None,
    overlap: int = OVERLAP,
    gold_share: float = GOLD_SHARE,
    hold: float = HOLD_SECONDS,
    reviewers: Sequence[str] = (),
    cache: Path | None = None,
) -> Opened:
    """Read what is to be reviewed and open its database.

    With `items`, a list as `photochat decide` writes it, only its dialogues are given out. Gold
    dialogues that the findings leave out are checked here.

    Raises:
        DataError: a file cannot be read, or does not fit the database; gold cannot be checked.
    """
    found = by_id(read_records(dialogues), file=dialogues)
    answers = read_gold(gold) if gold else []
    check_same(answers, found)
    checked = findings_by_id(findings) if findings else {}
    checked |= _check_gold(answers, checked)
    listed = {item.dialogue_id: item for item in read_review_items(items)} if items else None
    gold_ids = {item.dialogue.dialogue_id for item in answers}
    wanted = []
    for number, dialogue in found.items():
        if number in gold_ids or (listed is not None and number not in listed):
            continue
        entry = listed[number] if listed is not None else None
        by = entry.by if entry else ()
        wanted.append(Item(dialogue, (entry and entry.wanted) or overlap, by=by))
    wanted += [Item(item.dialogue, overlap, gold=True) for item in answers]
    if not wanted:
        raise DataError("there is nothing to review: the list names none of the dialogues")
    everything: dict[int, Dialogue] = found | {g.dialogue.dialogue_id: g.dialogue for g in answers}
    database, prepared = open_review(url, wanted)
    desk = Desk(
        database=database,
        dialogues=everything,
        findings=checked,
        images=images.resolve(),
        cache=(cache or images.parent / ".photo-cache").resolve(),
        secret=secret,
        reviewers=frozenset(reviewers),
        hold=hold,
        gold_share=gold_share if answers else 0.0,
    )
    return Opened(
        desk,
        prepared,
        unchecked=len(set(everything) - set(checked)) if findings else 0,
        findings_elsewhere=len(set(checked) - set(everything)),
        items_elsewhere=len(set(listed or ()) - set(found)),
    )


def _check_gold(gold: Sequence[Gold], checked: Mapping[int, Checked]) -> dict[int, Checked]:
    """Check gold dialogues without findings: the page must not tell them from the others.

    For the same reason the checks that were not made are said to be those of most others.
    """
    missing = [g.dialogue for g in gold if g.dialogue.dialogue_id not in checked]
    if not checked or not missing:
        return {}
    try:
        from verification.check import NO_MODELS, check_dialogue, load

        models = load(NO_MODELS)
        found = [check_dialogue(dialogue, models) for dialogue in missing]
    except ModuleNotFoundError as error:
        raise DataError(
            f"has dialogues without findings, and to check them {error.name} is not installed: "
            "pip install 'photochat-toolkit[verify]'",
            field="--gold",
        ) from error
    [(skipped, _)] = Counter(one.skipped for one in checked.values()).most_common(1)
    return {one.dialogue_id: msgspec.structs.replace(one, skipped=skipped) for one in found}
