"""What a posting holds of the budget beside the bonuses that are paid: pure rules.

Each unit holds its reward, fee and promise of a bonus. A bonus redeems a promise, what nobody hands
in is given back, and whoever is approved beyond the units takes what a unit holds.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Reserve(msgspec.Struct, frozen=True):
    """A posting's units, what they reserve and what of it has been released.

    `unit` is what one reserves: (amount, fee, promise). `approved` are submissions whose approval
    stands in the ledger, whatever became of it; the rewards of these are never released.
    """

    unit: tuple[Decimal, Decimal, Decimal]
    units: int
    reserved: Decimal
    released: Decimal
    approved: frozenset[str]
    bonuses: int

    def after_bonus(self) -> Decimal:
        """Return what is released once one more bonus is paid out of what is promised."""
        return min(self.released + self.unit[2], self._most)

    def after_approval(self, submission: str) -> Decimal:
        """Return what is released once a submission is approved: less, if no unit is left."""
        more = msgspec.structs.replace(self, approved=self.approved | {submission})
        return min(self.released - (more._beyond - self._beyond), more._most)

    def after_extension(self, units: int, cost: Decimal) -> Decimal:
        """Return what is released of a posting with more units: it is open again, so no more than
        the promises that bonuses have redeemed."""
        more = msgspec.structs.replace(
            self, units=self.units + units, reserved=self.reserved + cost
        )
        return min(more._settled(0, 0), more._most)

    def after_settling(self, spare: int, settled: int, room: Decimal) -> Decimal:
        """Return what is released where `spare` units are never handed in and no (further) bonus
        comes of `settled` ones; what had been released too much is held again as far as `room`
        goes, which the budget has."""
        return max(min(self._settled(spare, settled), self._most), self.released - room)

    def _settled(self, spare: int, settled: int) -> Decimal:
        promises = max(settled, self.bonuses) * self.unit[2]
        return spare * sum(self.unit, Decimal(0)) + promises - self._beyond

    @property
    def _beyond(self) -> Decimal:
        """What is held for those who were approved beyond the units."""
        return max(0, len(self.approved) - self.units) * sum(self.unit, Decimal(0))

    @property
    def _most(self) -> Decimal:
        """The most that may be released."""
        return self.reserved - len(self.approved) * (self.unit[0] + self.unit[1])
