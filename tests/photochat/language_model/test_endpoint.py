"""An endpoint that stalls, is busy, breaks off or knows less is asked until it answers."""

import asyncio
import json
import time
from typing import Annotated

import msgspec
import pytest

from photochat.errors import DataError
from photochat.language_model.answer_form import schema_of
from photochat.language_model.endpoint import Endpoint, EndpointOptions, completions_address
from photochat.language_model.question import Message, NoAnswerError, Question, Sampling
from photochat.language_model.refusals import wait_asked_for
from tests.stub_endpoint import StubEndpoint

KEY = "sk-secret-of-the-tests"


class Thing(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(max_length=100)]


def question(text="What is it?", **sampling):
    schema = schema_of(Thing)
    said = f"{text}\nschema: {json.dumps(schema)}"
    return Question((Message("user", said),), schema, Sampling(**sampling))


def ask(url, *questions, key=None, **options):
    """Ask, all at once; returns the replies and the endpoint."""
    given = EndpointOptions(**{"timeout": 5, "first_wait": 0.01, **options})

    async def all_of_them():
        endpoint = Endpoint(url, "some-model", key, given)
        try:
            asked = [endpoint.reply(one) for one in questions or [question()]]
            return await asyncio.gather(*asked), endpoint
        finally:
            await endpoint.close()

    return asyncio.run(all_of_them())


def test_a_question_is_sent_as_the_reference_has_it(stub):
    """Model, messages, schema, sampling and the key's header; tokens as the server counts them."""
    [reply], _ = ask(stub.url, question(seed=7, temperature=0.5, max_tokens=50, top_p=0.9), key=KEY)
    [body] = stub.bodies
    assert body["model"] == "some-model"
    assert body["response_format"]["json_schema"]["schema"] == schema_of(Thing)
    assert (body["seed"], body["temperature"], body["max_tokens"], body["top_p"]) == (
        7, 0.5, 50, 0.9,
    )  # fmt: skip
    assert stub.authorizations == [f"Bearer {KEY}"]
    assert (reply.prompt_tokens, reply.completion_tokens, reply.counted) == (100, 20, True)
    assert set(json.loads(reply.text)) == {"name"}


@pytest.mark.parametrize(
    "fault", ["429 0", "503", "500", "disconnect", "half", "not-json", "408", "425"]
)
def test_what_passes_is_waited_out(stub, fault):
    """A busy, failing or broken server is asked again, and the answer comes once."""
    stub.faults = [fault, fault]
    _, endpoint = ask(stub.url)
    assert stub.paid.total() == 1
    assert endpoint.retried == 2


def test_a_server_that_stalls_is_not_waited_for(stub):
    """An answer that takes longer than the time limit is asked for again."""
    stub.faults = ["stall"]
    ask(stub.url, timeout=0.3)
    assert (len(stub.bodies), stub.paid.total()) == (2, 1)


def test_it_waits_as_long_as_the_server_asks(stub):
    """Retry-After holds back the question, and the others as well."""
    stub.faults = ["429 1"]
    start = time.monotonic()
    ask(stub.url, question("one"), question("two"))
    assert time.monotonic() - start >= 0.9


def test_a_server_that_asks_for_an_hour_is_left_alone(stub):
    """A wait beyond a minute is said, not waited."""
    stub.faults = ["429 3600"]
    with pytest.raises(NoAnswerError, match=r"asks to wait 3600 s"):
        ask(stub.url)


def test_patience_ends(stub):
    """After the last attempt the reason and the number of attempts are told."""
    stub.every_time = "503"
    with pytest.raises(NoAnswerError, match=r"503 .*not now.*, 3 times in a row"):
        ask(stub.url, retries=2)


def test_nobody_there():
    """A port that nobody listens on is a question without answer."""
    stub = StubEndpoint()
    stub.stop()
    with pytest.raises(NoAnswerError, match="the connection failed"):
        ask(stub.url, retries=1)


@pytest.mark.parametrize(
    ("refused", "missing"),
    [({"seed"}, {"seed"}), ({"response_format"}, {"response_format"}),
     ({"max_tokens"}, {"max_tokens"}), ({"temperature", "top_p"}, {"temperature", "top_p"})],
)  # fmt: skip
def test_what_a_server_does_not_know_is_left_out(stub, refused, missing):
    """It is found out once, for all questions that follow, and told."""
    stub.refused = refused
    _, endpoint = ask(stub.url, question("one"), question("two"))
    assert stub.paid.total() == 2
    assert not missing & set(stub.bodies[-1])
    assert set(endpoint.without) == missing
    if "max_tokens" in missing:
        assert stub.bodies[-1]["max_completion_tokens"] == Sampling().max_tokens
    before = len(stub.bodies)
    assert before <= 2 + 2 * 2 * (1 + len(missing))


def test_a_wrong_key_stops_everything_and_is_not_repeated(stub):
    """The server's own words are shown without the key, even where it quotes it."""
    stub.key = "another"
    with pytest.raises(DataError, match="PHOTOCHAT_LLM_KEY") as error:
        ask(stub.url, key=KEY)
    assert KEY not in str(error.value)
    assert len(stub.bodies) == 1


def test_the_key_goes_to_no_other_address(stub):
    """A redirect is told, not followed."""
    other = StubEndpoint()
    stub.faults = [f"redirect {other.url}/chat/completions"]
    with pytest.raises(DataError, match="another address"):
        ask(stub.url, key=KEY)
    assert other.bodies == []
    other.stop()


@pytest.mark.parametrize(("status", "says"), [("404", "--llm-model"), ("402", "account is empty")])
def test_what_does_not_pass_stops_everything(stub, status, says):
    """A wrong address or an empty account is not tried again."""
    stub.every_time = status
    with pytest.raises(DataError, match=says):
        ask(stub.url)
    assert len(stub.bodies) == 1


def test_one_bad_question_is_given_up(stub):
    """A 400 that names nothing we could leave out concerns this question alone."""
    stub.faults = ["400"]
    with pytest.raises(NoAnswerError, match="400"):
        ask(stub.url)


def test_a_server_that_counts_no_tokens_is_estimated(stub):
    """Tokens are estimated, and marked as that."""
    stub.faults = ["uncounted"]
    [reply], _ = ask(stub.url)
    assert not reply.counted
    assert reply.prompt_tokens > 0


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://localhost:8080", "http://localhost:8080/v1/chat/completions"),
        ("https://a.example/v1/", "https://a.example/v1/chat/completions"),
        ("https://a.example/openai/v2?x=1", "https://a.example/openai/v2/chat/completions?x=1"),
        ("http://a.example/v1/chat/completions", "http://a.example/v1/chat/completions"),
    ],
)
def test_addresses(url, address):
    """A server's root, its API's root and the full address all do."""
    assert completions_address(url) == address


@pytest.mark.parametrize("url", ["http://", "ftp://a/v1", "http://[::1", "http://u:p@a.example"])
def test_addresses_that_are_none(url):
    """They are refused, and a password in one is not repeated."""
    with pytest.raises(DataError) as error:
        completions_address(url)
    assert "u:p" not in str(error.value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("5", 5.0), ("", None), ("soon", None), ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
     ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0), ("-1", None), ("٣", None),
     ("99999999999999999999", 999999999.0)],
)  # fmt: skip
def test_retry_after(value, seconds):
    """Seconds or a date; anything else is as if it were not there."""
    assert wait_asked_for({"Retry-After": value} if value else {}, 10.0) == seconds
