"""Whether a call that costs money stands in the platform's books already.

Platforms forget tokens after a day. What an older ledger has asked for, of which this one is a
backup, is found in the books alone: a posting by its token, a bonus by the token in its reason.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from collection.database import Database
from collection.money.ledger import Row
from collection.recruiting.recruiter import NotThereError, PaidBonus, Posting, Recruiter
from collection.tables import ledger


class PlatformBooks:
    """The books of one platform, for one run."""

    def __init__(self, database: Database, recruiter: Recruiter) -> None:
        self._database, self._recruiter = database, recruiter
        self._postings: list[Posting] | None = None
        self._bonuses: dict[str, list[PaidBonus]] = {}

    def find(self, row: Row) -> tuple[bool, Any]:
        """Look now for a call, of this ledger or another: (whether it is there, its result).

        Calls that cost nothing may be repeated at will, so they are not looked for.
        """
        self._postings = None
        self._bonuses.pop(row.posting or "", None)
        return self._find(row)

    def find_older(self, row: Row) -> tuple[bool, Any]:
        """Look for what another ledger has asked for before this run: the books are read once.

        A platform that keeps no tokens looks by itself at each call. Whether a posting was extended
        cannot be told here: an older ledger may have added the places that this one knows.
        """
        if self._recruiter.settling_seconds or row.kind == "extend":
            return False, None
        return self._find(row)

    def _find(self, row: Row) -> tuple[bool, Any]:
        try:
            if row.kind == "publish":
                if self._postings is None:
                    self._postings = list(self._recruiter.postings())
                found = (one.id for one in self._postings if one.token == row.token)
                posting = next(found, None)
                return posting is not None, posting
            if row.kind == "bonus" and row.posting is not None:
                if row.posting not in self._bonuses:
                    self._bonuses[row.posting] = list(self._recruiter.bonuses(row.posting))
                paid = self._bonuses[row.posting]
                return any(row.token in one.reason for one in paid), None
            if row.kind == "extend" and row.posting is not None and row.units:
                return self._is_extended(row), None
        except NotThereError:
            pass
        return False, None

    def _is_extended(self, row: Row) -> bool:
        """Whether the posting has this row's assignments beside those known to be there."""
        with self._database.read() as reader:
            known = reader.execute(
                sa.select(sa.func.coalesce(sa.func.sum(ledger.c.units), 0)).where(
                    ledger.c.campaign == row.campaign,
                    ledger.c.posting == row.posting,
                    ledger.c.kind.in_(("publish", "extend")),
                    ledger.c.state == "confirmed",
                )
            ).scalar_one()
        postings = self._recruiter.postings()
        shown = next((one.assignments for one in postings if one.id == row.posting), 0)
        return bool(shown >= known + row.units)
