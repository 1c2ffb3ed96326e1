"""Whatever happens in whatever order, the books balance: no cent comes or goes unbooked."""

import tempfile
from pathlib import Path

import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from collection.mturk_emulator import work
from collection.mturk_emulator.books import Books, set_clock
from collection.mturk_emulator.operations import OPERATIONS
from collection.mturk_emulator.refusals import Refused
from collection.mturk_emulator.tables import account, assignments, bonuses, entries, hit_types, hits
from tests.collection.mturk_emulator.rehearsal import START, order

WORKERS = st.sampled_from(["AONE", "ATWO", "ATHREE"])
COLUMNS = ("deposited", "available", "held", "paid", "fees")
UNDECIDED = ("Accepted", "Submitted")


class Campaign(RuleBasedStateMachine):
    """A requester and three workers who do what they like, and a clock."""

    made = Bundle("made")
    taken = Bundle("taken")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "books.db"
        self.books = Books(path, balance=2_000, stands_at=START)

    def teardown(self):
        self.books.close()
        self.folder.cleanup()

    def ask(self, operation, **request):
        """Make a call; None if it is refused."""
        try:
            with self.books.turn() as turn:
                return OPERATIONS[operation](turn, request)
        except Refused:
            return None

    def act(self, do, worker, *arguments):
        """Let a worker do something; None if it is not allowed."""
        try:
            with self.books.turn() as turn:
                return do(turn, work.enter(turn, worker), *arguments)
        except work.NotAllowed:
            return None

    @rule(
        target=made,
        reward=st.sampled_from(["0.00", "0.01", "0.05", "3.33"]),
        number=st.sampled_from([1, 2, 9, 10]),
        seconds=st.sampled_from([600, 20_000_000]),
    )
    def create(self, reward, number, seconds):
        wish = order(Reward=reward, MaxAssignments=number, AssignmentDurationInSeconds=seconds)
        answer = self.ask("CreateHIT", **wish)
        return answer["HIT"]["HITId"] if answer else multiple()

    @rule(hit=made, more=st.integers(1, 3))
    def extend(self, hit, more):
        self.ask("CreateAdditionalAssignmentsForHIT", HITId=hit, NumberOfAdditionalAssignments=more)

    @rule(hit=made, delay=st.sampled_from([-1, 100, 90_000]))
    def expire(self, hit, delay):
        with self.books.turn() as turn:
            at = turn.now + delay
        self.ask("UpdateExpirationForHIT", HITId=hit, ExpireAt=at)

    @rule(hit=made)
    def delete(self, hit):
        self.ask("DeleteHIT", HITId=hit)

    @rule(target=taken, hit=made, worker=WORKERS)
    def accept(self, hit, worker):
        row = self.act(work.accept, worker, hit)
        return (row.id, worker) if row else multiple()

    @rule(pair=taken)
    def submit(self, pair):
        self.act(lambda turn, _, id: work.submit(turn, id, {"code": "c"}), pair[1], pair[0])

    @rule(pair=taken)
    def give_back(self, pair):
        self.act(work.give_back, pair[1], pair[0])

    @rule(pair=taken, override=st.booleans())
    def approve(self, pair, override):
        self.ask("ApproveAssignment", AssignmentId=pair[0], OverrideRejection=override)

    @rule(pair=taken)
    def reject(self, pair):
        self.ask("RejectAssignment", AssignmentId=pair[0], RequesterFeedback="no")

    @rule(pair=taken, amount=st.sampled_from(["0.01", "2.22"]), token=st.sampled_from("ab"))
    def bonus(self, pair, amount, token):
        self.ask(
            "SendBonus",
            AssignmentId=pair[0],
            WorkerId=pair[1],
            BonusAmount=amount,
            Reason="thanks",
            UniqueRequestToken=token,
        )

    @rule(seconds=st.sampled_from([60, 601, 3_601, 86_401, 121 * 86_400]))
    def wait(self, seconds):
        with self.books.turn() as turn:
            set_clock(turn, turn.now + seconds, stands=True)

    @invariant()
    def balances(self):
        """The account, its entries, and what HITs, assignments and bonuses say are the same."""
        with self.books.turn() as turn:
            [money] = turn.all(sa.select(account))
            sums = [sa.func.sum(entries.c[name]).label(name) for name in COLUMNS]
            [booked] = turn.all(sa.select(*sums))
            assert [getattr(money, name) for name in COLUMNS] == list(booked)
            assert money.deposited == money.available + money.held + money.paid + money.fees
            assert min(money.available, money.held, money.paid, money.fees) >= 0
            held, paid, fees = self.recomputed(turn)
            assert (money.held, money.paid, money.fees) == (held, paid, fees)

    def recomputed(self, turn):
        """Work out held, paid and fees from what was done, without the entries."""
        held = paid = fees = 0
        with_reward = sa.select(hits, hit_types.c.reward).join(
            hit_types, hits.c.hit_type == hit_types.c.id
        )
        for hit in turn.all(with_reward):
            rows = turn.all(sa.select(assignments).where(assignments.c.hit == hit.id))
            states = [row.status for row in rows]
            approved = states.count("Approved")
            paid += approved * hit.reward
            fees += approved * hit.fee
            open_ones = sum(states.count(state) for state in UNDECIDED)
            if hit.expires_at > turn.now:
                open_ones = hit.assignments - approved - states.count("Rejected")
            assert not (hit.disposed and open_ones)
            held += open_ones * (hit.reward + hit.fee)
            ids = [row.worker for row in rows if row.status not in ("Returned", "Abandoned")]
            assert len(ids) == len(set(ids))
        for row in turn.all(sa.select(bonuses)):
            paid += row.amount
            fees += row.fee
        return held, paid, fees


TestBooksBalance = Campaign.TestCase
TestBooksBalance.settings = settings(max_examples=15, stateful_step_count=40, deadline=None)
