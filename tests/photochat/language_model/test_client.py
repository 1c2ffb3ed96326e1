"""Answers are checked, kept, counted and paid for once; the budget is never exceeded."""

import sqlite3
from contextlib import suppress
from functools import partial
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochat.errors import DataError
from photochat.language_model.answer_form import WrongFormError, read_answer, schema_of
from photochat.language_model.answer_store import AnswerStore
from photochat.language_model.client import Client, Failure, carry_out
from photochat.language_model.endpoint import Endpoint, EndpointOptions
from photochat.language_model.question import Message, Reply, Sampling, key_of
from photochat.language_model.rehearsal import KeptOnly, Rehearsal
from photochat.language_model.spending import Prices


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    what: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


PRICES = Prices(read=1000.0, written=10_000.0)  # the stub's answer costs 0.1 + 0.2


def run(stub, path, texts=("one", "two", "three"), *, options=None, **more):
    """Ask the stub; returns the results and what was spent."""
    store = AnswerStore(path)
    given = {"timeout": 5, "retries": 1, "first_wait": 0.01, "concurrency": 4, **(options or {})}
    client = Client(Endpoint(stub.url, "m", None, EndpointOptions(**given)), store, **more)
    sampling = Sampling(max_tokens=30)
    jobs = [partial(client.ask, [Message("user", text)], Answer, sampling) for text in texts]
    try:
        return carry_out(client, jobs), client.spending
    finally:
        store.close()


def test_a_second_run_pays_nothing(stub, tmp_path):
    """Every answer is kept: the same questions again ask nobody."""
    first, spent = run(stub, tmp_path / "a.db", prices=PRICES)
    again, nothing = run(stub, tmp_path / "a.db", prices=PRICES)
    assert first == again
    assert all(isinstance(one, Answer) for one in first)
    assert (spent.asked, spent.kept, round(spent.cost, 6)) == (3, 0, 0.9)
    assert (nothing.asked, nothing.kept, nothing.cost) == (0, 3, 0.0)
    assert set(stub.paid.values()) == {1}


def test_results_stand_in_the_order_of_the_jobs(stub, tmp_path):
    """Whatever is answered first."""
    texts = [f"question {number}" for number in range(20)]
    many, _ = run(stub, tmp_path / "a.db", texts)
    singles = [run(stub, tmp_path / "b.db", [text])[0][0] for text in texts]
    assert many == singles
    assert len({one.what for one in many}) > 1


def test_no_more_at_a_time_than_was_said(stub, tmp_path):
    """Concurrency is bounded, and used."""
    stub.seconds = 0.03
    run(stub, tmp_path / "a.db", [f"q{n}" for n in range(12)], options={"concurrency": 3})
    assert stub.most_at_once == 3


@pytest.mark.parametrize("fault", ["prose", "broken-json"])
def test_an_answer_of_the_wrong_form_is_asked_for_again_with_the_reason(stub, tmp_path, fault):
    """The model is shown its answer and what is wrong with it."""
    stub.faults = [fault]
    [answer], spent = run(stub, tmp_path / "a.db", ["one"])
    assert isinstance(answer, Answer)
    assert (spent.asked, spent.wrong_form) == (2, 1)
    roles = [message["role"] for message in stub.bodies[-1]["messages"]]
    assert roles == ["user", "assistant", "user"]
    assert "not of the form" in stub.bodies[-1]["messages"][-1]["content"]


def test_words_and_fences_around_the_object_are_looked_past(stub, tmp_path):
    """A model that explains itself has answered all the same."""
    stub.faults = ["fenced"]
    _, spent = run(stub, tmp_path / "a.db", ["one"])
    assert (spent.asked, spent.wrong_form) == (1, 0)


def test_an_answer_of_the_wrong_form_is_paid_once_too(stub, tmp_path):
    """After three, the question is given up; a later run goes on after them, not over them."""
    stub.every_time = "prose"
    [failed], spent = run(stub, tmp_path / "a.db", ["one"])
    assert failed == Failure("3 answers of the wrong form (the last: no JSON object in it)")
    assert spent.asked == 3
    stub.every_time = ""
    [answer], spent = run(stub, tmp_path / "a.db", ["one"])
    assert isinstance(answer, Answer)
    assert (spent.asked, spent.kept) == (1, 3)
    assert set(stub.paid.values()) == {1}


def test_a_server_that_dies_half_way_loses_nothing(stub, tmp_path):
    """What it answered is kept; what it did not is told, and asked for by the next run alone."""
    stub.die_after = 5
    texts = [f"question {number}" for number in range(12)]
    first, spent = run(stub, tmp_path / "a.db", texts, options={"retries": 0, "concurrency": 2})
    failed = [one for one in first if isinstance(one, Failure)]
    assert (len(failed), spent.asked) == (7, 5)
    assert any("not asked" in one.reason for one in failed)
    assert len(stub.bodies) <= 5 + 3 + 2, "a server that is gone is not asked every question"
    stub.die_after = None
    again, spent = run(stub, tmp_path / "a.db", texts)
    assert not any(isinstance(one, Failure) for one in again)
    assert (spent.asked, spent.kept) == (7, 5)
    assert set(stub.paid.values()) == {1}


@pytest.mark.parametrize("budget", [1.5, 6.0])
@pytest.mark.parametrize("dearest", [False, True])
def test_the_budget_is_never_exceeded(stub, tmp_path, budget, dearest):
    """What a question may cost at most is set aside before it is sent: a token a byte."""
    texts = [f"question 問問問問問問問 {number}" for number in range(50)]
    stub.a_token_a_byte = dearest
    results, spent = run(stub, tmp_path / "a.db", texts, prices=PRICES, budget=budget)
    failed = [one for one in results if isinstance(one, Failure)]
    assert 0 < spent.asked < 50
    assert spent.cost <= budget
    assert len(failed) == 50 - spent.asked
    assert failed[0].reason == f"not asked: the budget of {budget:g} would be exceeded"


def test_a_rehearsal_asks_nobody_and_keeps_nothing(stub, tmp_path):
    """It knows the answers that are kept, and estimates the others."""
    run(stub, tmp_path / "a.db", ["one"])
    before = (tmp_path / "a.db").read_bytes()
    name = Endpoint(stub.url, "m").name
    client = Client(
        Rehearsal(name, (Answer("some words"),)), KeptOnly(tmp_path / "a.db"), prices=PRICES
    )
    asked = [partial(client.ask, [Message("user", t)], Answer, Sampling(max_tokens=30)) for t in
             ("one", "two")]  # fmt: skip
    carry_out(client, asked)
    assert (client.spending.asked, client.spending.kept) == (1, 1)
    assert client.spending.cost > 0
    assert len(stub.bodies) == 1
    assert (tmp_path / "a.db").read_bytes() == before
    KeptOnly(tmp_path / "none.db").close()
    assert not (tmp_path / "none.db").exists()


def test_another_question_has_another_key(stub, tmp_path):
    """Model, words, schema, sampling, seed and attempt are all part of what is kept."""
    run(stub, tmp_path / "a.db", ["one"])
    from photochat.language_model.question import Question

    plain = Question((Message("user", "hi"),), schema_of(Answer))
    others = [
        msgspec.structs.replace(plain, messages=(Message("system", "hi"),)),
        msgspec.structs.replace(plain, schema={}),
        msgspec.structs.replace(plain, attempt=1),
        *[msgspec.structs.replace(plain, sampling=sampling) for sampling in
          (Sampling(0.5), Sampling(top_p=0.5), Sampling(max_tokens=1), Sampling(seed=1))],
    ]  # fmt: skip
    keys = {key_of("m", question) for question in [plain, *others]} | {key_of("n", plain)}
    assert len(keys) == len(others) + 2


def test_a_file_that_is_no_store_is_told(tmp_path):
    """Another file by that name is left as it is."""
    (tmp_path / "a.db").write_text("these are my notes, not a database " * 50)
    with pytest.raises(DataError, match="name another"):
        AnswerStore(tmp_path / "a.db")
    assert "my notes" in (tmp_path / "a.db").read_text()


def test_two_processes_may_keep_answers_in_one_file(tmp_path):
    """The first answer to a question stays."""
    one, two = AnswerStore(tmp_path / "a.db"), AnswerStore(tmp_path / "a.db")
    one.put("k", "m", Reply("first", 1, 1))
    two.put("k", "m", Reply("second", 1, 1))
    assert one.get("k") == two.get("k") == Reply("first", 1, 1)
    assert two.get("other") is None
    one.close()
    two.close()
    with sqlite3.connect(tmp_path / "a.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_error_for_all_stops_the_others_and_keeps_what_was_answered(stub, tmp_path):
    """A key that is refused in the middle ends the run; the answers so far are there."""
    stub.faults = ["", "", "403"]
    with pytest.raises(DataError, match="PHOTOCHAT_LLM_KEY"):
        run(stub, tmp_path / "a.db", [f"q{n}" for n in range(9)], options={"concurrency": 1})
    _, spent = run(stub, tmp_path / "a.db", [f"q{n}" for n in range(9)])
    assert spent.kept == 2
    assert set(stub.paid.values()) == {1}


@given(st.text(max_size=300))
def test_any_text_is_an_answer_or_of_the_wrong_form(text):
    """Nothing else is raised, whatever a model writes."""
    with suppress(WrongFormError):
        read_answer(text, Answer)


@given(st.text(max_size=50, min_size=1), st.text(max_size=50), st.text(max_size=50))
def test_an_answer_is_found_between_any_words_without_braces(what, before, after):
    """The outermost braces are taken."""
    encoded = msgspec.json.encode(Answer(what)).decode()
    words = [part.replace("{", "").replace("}", "") for part in (before, after)]
    assert read_answer(f"{words[0]}{encoded}{words[1]}", Answer) == Answer(what)
