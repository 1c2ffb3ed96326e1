"""A campaign by plain links: its books, who is owed what, and payments made by hand."""

from __future__ import annotations

import csv
from decimal import Decimal

import pytest

from collection.money.carry_out import carry_out
from collection.money.ledger import BudgetError
from collection.money.paying import pay
from collection.recruiting.close import close
from collection.recruiting.launch import launch
from collection.recruiting.link import Link
from collection.recruiting.link_payments import dues, note_payments, write_dues
from collection.recruiting.recruiter import AlreadyDoneError, NotThereError, RecruiterError
from collection.recruiting.review import approvable, decide, entries
from collection.recruiting.synchronise import synchronise
from photochat.errors import DataError
from tests.collection.recruiting.stage import PAY, Stage


@pytest.fixture
def lab(stage: Stage) -> Stage:
    """The stage, whose workers come by links."""
    stage.with_terms(recruiter="link")
    stage.recruiter = Link(stage.database, stage.campaign, clock=stage.clock)  # type: ignore[assignment]
    return stage


def reviewed(lab: Stage) -> None:
    """Approve what may be, carry it out, and pay."""
    synchronise(*lab.parts(), clock=lab.clock)
    with lab.database.writing.begin() as connection:
        found = entries(connection, lab.campaign)
        decide(connection, lab.campaign, "link", approvable(found, lab.campaign), now=lab.now)
    carry_out(*lab.parts(), **lab.timing)
    pay(*lab.parts(), **lab.timing)


def test_from_the_invitation_to_the_payment(lab, tmp_path):
    """Everybody who is paid stands in the file once for each amount; read back, all is paid."""
    launch(*lab.parts(), **lab.timing)
    lab.finish("ann", "1")
    lab.finish("ben", "1", "no-partner")
    lab.finish("cat", "1", "left")
    reviewed(lab)
    reviewed(lab)
    found = dues(lab.database, lab.campaign)
    assert [(due.worker, due.amount) for due in found] == [
        ("ann", Decimal("0.50")),
        ("ben", Decimal("0.50")),
        ("ann", Decimal("1.00")),
        ("ben", Decimal("0.25")),
    ]
    path = tmp_path / "owed.csv"
    write_dues(path, found, lab.campaign)
    rows = fill_in(path, paid_at="2026-01-31", reference="transfer 7")
    assert rows[0]["code"] == "CODEANN"
    assert list(lab.recruiter.bonuses(lab.shown()[0].id)) == []
    noted = note_payments(lab.database, lab.campaign, path)
    assert (noted.paid, noted.known, noted.left) == (4, 0, Decimal("0.00"))
    again = note_payments(lab.database, lab.campaign, path)
    assert (again.paid, again.known) == (0, 4)
    amounts = [one.amount for one in lab.recruiter.bonuses(lab.shown()[0].id)]
    assert amounts == [Decimal("1.00"), Decimal("0.25")]


def fill_in(path, **values):
    rows = list(csv.DictReader(path.read_text().splitlines()))
    for row in rows:
        row.update(values)
    write(path, rows)
    return rows


def write(path, rows):
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)


@pytest.fixture
def owed(lab, tmp_path):
    """A file with ann's reward and bonus, not filled in."""
    launch(*lab.parts(), **lab.timing)
    lab.finish("ann", "1")
    reviewed(lab)
    path = tmp_path / "owed.csv"
    write_dues(path, dues(lab.database, lab.campaign), lab.campaign)
    return path


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"amount": "0.40"}, "row 2: amount: 0.40 was paid where 0.50 is owed"),
        ({"amount": "half"}, "row 2: amount: not an amount"),
        ({"line": "other"}, "row 2: line: no such line"),
        ({"paid_at": "yesterday"}, "row 2: paid_at: not a day"),
        ({"line": "", "code": "CODEBEN"}, "row 2: 0 amounts of 0.50 are owed for the code CODEBEN"),
    ],
)
def test_a_payment_that_is_not_owed_is_refused_with_all_of_the_file(lab, owed, change, problem):
    """Nothing is noted then."""
    rows = fill_in(owed, paid_at="2026-01-31", reference="7")
    rows[0].update(change)
    write(owed, rows)
    with pytest.raises(DataError, match=problem):
        note_payments(lab.database, lab.campaign, owed)
    assert all(due.paid_at is None for due in dues(lab.database, lab.campaign))


def test_a_second_payment_of_the_same_amount_is_asked_about(lab, owed):
    """Another reference for what stands as paid; or the line twice in one file."""
    fill_in(owed, paid_at="2026-01-31", reference="7")
    note_payments(lab.database, lab.campaign, owed)
    rows = fill_in(owed, reference="8")
    with pytest.raises(DataError, match="was it paid twice"):
        note_payments(lab.database, lab.campaign, owed)
    write(owed, [{**rows[0], "reference": "7"}] * 2)
    assert note_payments(lab.database, lab.campaign, owed).known == 2


def test_a_payment_is_found_by_its_code_alone(lab, owed):
    """As a lab's own list has it."""
    rows = [{"code": " codeann", "amount": "1.00", "paid_at": "2026-01-31"}]
    write(owed, rows)
    noted = note_payments(lab.database, lab.campaign, owed)
    assert (noted.paid, noted.left) == (1, Decimal("0.50"))


def test_the_books_write_nothing_twice(lab):
    """By token; and a decision that stands is not turned by repeating another."""
    launch(*lab.parts(), **lab.timing)
    lab.finish("ann", "1")
    link, (posting, *_) = lab.recruiter, lab.shown()
    (one,) = link.submissions(posting.id)
    dime = {"worker": "ann", "submission": one.id, "amount": Decimal("0.10"), "reason": "r"}
    link.bonus(**dime, token="t")
    with pytest.raises(AlreadyDoneError):
        link.bonus(**dime, token="t")
    with pytest.raises(RecruiterError, match="not ben's"):
        link.bonus(**{**dime, "worker": "ben"}, token="u")
    with pytest.raises(NotThereError):
        link.approve("ben/1")
    link.reject(one.id, reason="no")
    with pytest.raises(RecruiterError, match="override"):
        link.approve(one.id)
    link.approve(one.id, override=True)
    with pytest.raises(RecruiterError, match="what was promised"):
        link.reject(one.id, reason="no")


def test_places_are_taken_in_the_order_of_coming(lab):
    """In the oldest posting that is open; later ones, extensions and closings move nobody."""

    def came() -> list[list[str]]:
        shown = [list(lab.recruiter.submissions(one.id)) for one in lab.shown()]
        return [[one.worker for one in postings] for postings in shown if postings]

    lab.with_terms(open_at_once=2)
    launch(*lab.parts(), pace=True, **lab.timing)
    for worker in ("ann", "ben", "cat"):
        lab.now += 1000
        lab.finish(worker, "1")
    assert came() == [["ann", "ben", "cat"]]
    assert (lab.shown()[0].assignments, lab.shown()[0].available) == (2, 0)
    launch(*lab.parts(), pace=True, **lab.timing)
    lab.now += 1000
    lab.finish("dan", "1")
    first, second = (one.id for one in lab.shown())
    lab.recruiter.expire(second)
    lab.now += 1000
    lab.recruiter.extend(first, assignments=2, seconds=3600, token="t")
    lab.recruiter.extend(first, assignments=2, seconds=3600, token="t")
    lab.now += 1000
    lab.finish("eva", "1")
    assert came() == [["ann", "ben", "cat", "eva"], ["dan"]]
    assert [(one.assignments, one.available, one.open) for one in lab.shown()] == [
        (4, 0, True),
        (2, 0, False),
    ]


def test_before_the_launch_nobody_can_be_paid_in_another_way(lab):
    """Those who have come are named, and their places opened when somebody launches."""
    lab.finish("ann", "1")
    lab.now += 48 * 3600
    assert [line.worker for line in pay(*lab.parts(), **lab.timing).missing] == ["ann"]
    with pytest.raises(DataError, match=r"--compensate: cannot be done: .* campaign launch"):
        pay(*lab.parts(), compensate=True, **lab.timing)
    lab.complete(20)
    assert launch(*lab.parts(), **lab.timing).places == 1
    reviewed(lab)
    assert sum(due.amount for due in dues(lab.database, lab.campaign)) == Decimal("1.50")


@pytest.mark.parametrize("early", [True, False])
def test_all_that_is_owed_stands_in_the_ledger(lab, early):
    """Also of those who came before there was a posting; and nothing stays reserved."""
    if not early:
        launch(*lab.parts(), **lab.timing)
        lab.now += 1000
    for number in range(40):
        lab.finish(f"w{number}", "1", "submitted" if number % 4 else "left")
    lab.complete(20)
    launch(*lab.parts(), **lab.timing)
    reviewed(lab)
    close(*lab.parts(), **lab.timing)
    done = pay(*lab.parts(), **lab.timing)
    owed = sum((due.amount for due in dues(lab.database, lab.campaign)), Decimal(0))
    assert (done.committed, owed) == (Decimal("45.00"), Decimal("45.00"))


def test_who_comes_beyond_the_places_is_paid_within_the_budget(sqlite, tmp_path):
    """Each approval beyond them is charged; one that is not covered is refused in a line."""
    link = {"recruiter": "link", "url": "http://127.0.0.1:1"}
    lab = Stage(sqlite, tmp_path, 1, pay={**PAY, "budget": "4.99"}, recruiting=link)
    lab.recruiter = Link(sqlite, lab.campaign, clock=lab.clock)  # type: ignore[assignment]
    assert launch(*lab.parts(), **lab.timing).committed == Decimal("3.00")
    for number in range(3):
        lab.now += 1000
        lab.finish(f"w{number}", "1")
    reviewed(lab)
    lab.finish("w3", "1")
    with pytest.raises(BudgetError, match=r"1\.50 more would be over the budget: 4\.50 of 4\.99"):
        reviewed(lab)
    close(*lab.parts(), **lab.timing)
    assert pay(*lab.parts(), **lab.timing).committed == Decimal("4.50")
    assert sum(due.amount for due in dues(sqlite, lab.campaign)) == Decimal("4.50")
