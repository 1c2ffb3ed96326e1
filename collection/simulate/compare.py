"""The proof: what the bots' diary says was acknowledged or heard stands in the export, once each.

Pure. Four things can be wrong with a message: it is missing ("lost"), there twice ("doubled"),
not where it was said to be ("reordered"), or another one ("changed").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from collection.simulate.diary import Entry
from photochat.errors import UNDECODABLE, DataError

Fault = Literal["lost", "doubled", "reordered", "changed"]


class Turn(msgspec.Struct, frozen=True):
    """A turn of an exported dialogue, as far as the comparison looks."""

    message: str
    share_photo: bool
    user_id: int
    seq: int
    client_id: str


class Worker(msgspec.Struct, frozen=True):
    """What the export says of one side; `survey` is there once it was submitted."""

    user_id: int
    survey: dict[str, object] | None = None


class Facts(msgspec.Struct, frozen=True):
    """What the export says of the collection of a dialogue."""

    complete: bool
    workers: tuple[Worker, ...] = ()


class Record(msgspec.Struct, frozen=True):
    """An exported dialogue."""

    dialogue: tuple[Turn, ...]
    dialogue_id: int
    collection: Facts


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong, and where: conversation, and seq or client id."""

    fault: Fault
    conversation: int
    where: str
    what: str


class Comparison(msgspec.Struct, frozen=True):
    """The result. `acknowledged` counts messages, shares, endings and submissions."""

    conversations: int
    acknowledged: int
    heard: int
    lost: int
    doubled: int
    reordered: int
    changed: int
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def compare(diary: Iterable[Entry], export: Iterable[Record]) -> Comparison:
    """Compare a diary with an export of the same conversations, live ones ended."""
    entries = [entry for entry in diary if entry.conversation is not None]
    records = {record.dialogue_id: record for record in export}
    acked = [entry for entry in entries if entry.kind == "acked" and entry.name in _CHECKED]
    heard = [entry for entry in entries if entry.kind == "heard" and entry.name in ("say", "share")]
    said: dict[tuple[int | None, str | None], str | None] = {
        (entry.conversation, entry.client_id): entry.text
        for entry in entries
        if entry.kind == "sent" and entry.client_id is not None
    }
    findings: list[Finding] = []
    for record in records.values():
        findings += _within(record)
    findings += _acknowledged(acked, said, records)
    findings += _heard(heard, records)
    unique = tuple(dict.fromkeys(findings))
    counts = Counter(finding.fault for finding in unique)
    return Comparison(
        conversations=len({entry.conversation for entry in (*acked, *heard)}),
        acknowledged=len(acked),
        heard=len(heard),
        lost=counts["lost"],
        doubled=counts["doubled"],
        reordered=counts["reordered"],
        changed=counts["changed"],
        findings=unique,
    )


def read_export(path: str | Path) -> Iterator[Record]:
    """Read what the comparison needs of `raw.jsonl`.

    Raises:
        DataError: the file cannot be read, or a line is no exported dialogue.
    """
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", file=path) from error
    for number, line in enumerate(lines, start=1):
        try:
            yield msgspec.json.decode(line, type=Record)
        except UNDECODABLE as error:
            raise DataError(str(error), file=path, record=f"line {number}") from error


_CHECKED = ("say", "share", "finish", "submit")


def _within(record: Record) -> Iterator[Finding]:
    """What is wrong with an exported dialogue by itself: a message twice, or out of order."""
    number = record.dialogue_id
    ids = Counter((turn.user_id, turn.client_id) for turn in record.dialogue)
    for (_, client_id), times in ids.items():
        if times > 1:
            yield Finding("doubled", number, client_id, f"stands {times} times in the export")
    last = 0
    for turn in record.dialogue:
        if turn.seq == last:
            yield Finding("doubled", number, turn.client_id, f"two messages have seq {last}")
        elif turn.seq < last:
            yield Finding("reordered", number, turn.client_id, f"seq {turn.seq} after {last}")
        last = turn.seq


def _acknowledged(
    acked: Iterable[Entry],
    said: dict[tuple[int | None, str | None], str | None],
    records: dict[int, Record],
) -> Iterator[Finding]:
    place_of = {
        (number, turn.client_id): place
        for number, record in records.items()
        for place, turn in enumerate(record.dialogue)
    }
    latest: dict[tuple[int, str], int] = {}  # of each worker's messages, the last one's place
    user_of: dict[tuple[int, str], int] = {}
    late: list[Entry] = []
    for entry in acked:
        number = entry.conversation
        assert number is not None
        if entry.name in ("finish", "submit"):
            late.append(entry)
            continue
        client_id = entry.client_id or ""
        place = place_of.get((number, client_id))
        if place is None:
            yield Finding("lost", number, client_id, f"{entry.name} was acknowledged")
            continue
        turn = records[number].dialogue[place]
        side = (number, entry.worker)
        if turn.seq != entry.seq:
            yield Finding(
                "reordered", number, client_id, f"acknowledged as {entry.seq}, is {turn.seq}"
            )
        elif place < latest.get(side, -1):
            yield Finding("reordered", number, client_id, "stands before what was sent earlier")
        latest[side] = max(place, latest.get(side, -1))
        if turn.share_photo != (entry.name == "share") or turn.message != (
            said.get((number, client_id)) or ""
        ):
            yield Finding("changed", number, client_id, "is not what was sent")
        if user_of.setdefault(side, turn.user_id) != turn.user_id:
            yield Finding("changed", number, client_id, "stands under the other worker")
    for entry in late:
        assert entry.conversation is not None
        record = records.get(entry.conversation)
        user = user_of.get((entry.conversation, entry.worker))
        handed_in = record is not None and {
            worker.user_id for worker in record.collection.workers if worker.survey is not None
        }
        if (
            record is None
            or not record.collection.complete
            or (entry.name == "submit" and user is not None and user not in (handed_in or ()))
        ):
            what = f"{entry.name} was acknowledged to {entry.worker}"
            yield Finding("lost", entry.conversation, entry.name or "", what)


def _heard(heard: Iterable[Entry], records: dict[int, Record]) -> Iterator[Finding]:
    """What was delivered must stand in the export, where it was delivered."""
    at = {
        (number, turn.seq): turn for number, record in records.items() for turn in record.dialogue
    }
    for entry in heard:
        number = entry.conversation
        assert number is not None
        turn = at.get((number, entry.seq or 0))
        if turn is None:
            yield Finding("lost", number, f"seq {entry.seq}", f"{entry.name} was delivered")
        elif turn.message != (entry.text or "") or turn.share_photo != (entry.name == "share"):
            yield Finding("changed", number, f"seq {entry.seq}", "is not what was delivered")
