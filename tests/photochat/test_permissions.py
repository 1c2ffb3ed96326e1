"""What says who did or wrote what is its owner's alone; what is released stays readable."""

import os
import stat
from decimal import Decimal

import pytest

from collection.campaign import Campaign
from collection.money.fees import Fees
from collection.mturk_emulator.books import Books as EmulatorBooks
from collection.recruiting.link_payments import write_dues
from collection.recruiting.review_csv import write_review
from collection.recruiting.simulated_books import Books as SimulatedBooks
from collection.simulate.diary import Diary
from photochat.atomic import atomic_file
from photochat.language_model.answer_store import AnswerStore
from photochat.language_model.question import Reply
from photochat.photo import Photo
from photochat.pool import write_pool
from photochat.records import write_records
from photochat.release import write_release
from tests.conftest import make_dialogue
from verification.votes import Vote, write_votes


def keep_diary(path):
    diary = Diary(path)
    diary.write("sent", "anna", text="hello")
    diary.close()


def keep_answers(path):
    store = AnswerStore(path)
    store.put("k", "m", Reply("anna says hello", 1, 1))
    modes = {mode_of(file) for file in path.parent.iterdir()}
    store.close()
    assert modes == {0o600}  # and what SQLite puts beside it


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct, autouse=True)
def umask(request):
    old = os.umask(request.param)
    yield request.param
    os.umask(old)


@pytest.mark.parametrize(
    "write",
    [
        keep_diary,
        keep_answers,
        lambda path: EmulatorBooks(path, balance=1).close(),
        lambda path: SimulatedBooks(path, Decimal(1), Fees(), lambda: 1.0).close(),
        lambda path: write_votes(path, [Vote(1, "ann", "accept")]),
        lambda path: write_review(path, []),
        lambda path: write_dues(path, [], Campaign()),
    ],
    ids=["diary", "answers", "emulator", "simulated platform", "votes", "submissions", "dues"],
)
def test_what_names_people_is_its_owners_alone(write, tmp_path):
    path = tmp_path / "kept"
    write(path)
    assert mode_of(path) == 0o600


def test_writing_anew_closes_a_file_that_was_open(tmp_path):
    path = tmp_path / "votes.jsonl"
    path.touch(0o644)
    with atomic_file(path, private=True) as part:
        assert mode_of(part) == 0o600  # and at no moment before either
        part.write_text("anna")
    assert mode_of(path) == 0o600


def test_what_is_released_is_as_readable_as_the_umask_has_it(umask, tmp_path):
    write_pool(tmp_path / "pool.parquet", [Photo("a", url="https://example.org/a.jpg")])
    write_records(tmp_path / "dialogues.json", [make_dialogue()])
    write_release({"test": [make_dialogue()]}, tmp_path / "release")
    written = [tmp_path / "pool.parquet", tmp_path / "dialogues.json"]
    written += [file for file in (tmp_path / "release").rglob("*") if file.is_file()]
    assert len(written) == 3
    assert {mode_of(file) for file in written} == {0o666 & ~umask}
    assert mode_of(tmp_path / "release") == 0o777 & ~umask
