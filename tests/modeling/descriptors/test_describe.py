"""`photochat describe` against an endpoint: in order, no leak, nothing lost or paid twice."""

import os
import signal
import subprocess
import sys
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling.descriptors.describe import messages_of, read_prompt, talks_of
from modeling.descriptors.file import Described, read_descriptors
from photochat.dialogue import Dialogue, Turn
from photochat.records import write_records
from photochat.release import Release, SourceFile, read_release
from tests.conftest import SAMPLE, make_dialogue
from tests.stub_endpoint import StubEndpoint


@pytest.fixture
def stub():
    endpoint = StubEndpoint()
    yield endpoint
    endpoint.stop()


@pytest.fixture
def data(tmp_path):
    """Thirty dialogues of the sample."""
    path = tmp_path / "talks.jsonl"
    write_records(path, read_release(SAMPLE).dialogues[:30])
    return path


@pytest.fixture
def describe(run_photochat, stub, data, tmp_path):
    """Run the command against the stub: (status, stdout, stderr)."""

    def run(*more):
        return run_photochat(
            "describe", "--data", data, "--llm", stub.url, "--llm-model", "m",
            "--out", tmp_path / "d.jsonl", "--retries", "1", *more,
        )  # fmt: skip

    return run


def lines(path):
    return [msgspec.json.decode(line, type=Described) for line in path.read_bytes().splitlines()]


def test_every_dialogue_is_described_in_order(describe, stub, data, tmp_path):
    """One line each; a second run asks nobody and writes the same bytes."""
    status, _, err = describe()
    assert status == 0, err
    written = (tmp_path / "d.jsonl").read_bytes()
    wanted = [d.dialogue_id for d in read_release(data).dialogues if d.share_index]
    assert [one.dialogue_id for one in lines(tmp_path / "d.jsonl")] == wanted
    assert f"{len(wanted):,} dialogues described" in err
    asked = len(stub.bodies)
    status, _, err = describe()
    assert status == 0
    assert len(stub.bodies) == asked
    assert (tmp_path / "d.jsonl").read_bytes() == written
    assert "0 answers asked for" in err


def test_what_fails_is_listed_counted_and_made_up_for(describe, stub, tmp_path):
    """Exit status 1, the others written; the next run asks for the missing ones alone."""
    stub.faults = ["", "429 0", "prose", "", "400", "", "broken-json", "", "400"]
    status, _, err = describe("--concurrency", "1")
    assert status == 1
    assert "2 dialogues are left to do" in err
    assert err.count("the server answered 400") == 2
    assert "2 answers of the wrong form" in err
    first = lines(tmp_path / "d.jsonl")
    before = stub.paid.total()
    status, _, err = describe()
    assert status == 0, err
    assert stub.paid.total() == before + 2
    assert set(stub.paid.values()) == {1}
    after = lines(tmp_path / "d.jsonl")
    assert len(after) == len(first) + 2
    assert [one for one in after if one in first] == first


def test_killed_in_the_middle_it_goes_on(stub, data, tmp_path):
    """kill -9, and again, and again: each answer is paid once, and the file is whole."""
    stub.seconds = 0.05
    command = [
        sys.executable, "-m", "photochat", "describe", "--data", data, "--llm", stub.url,
        "--llm-model", "m", "--out", tmp_path / "d.jsonl", "--concurrency", "2",
    ]  # fmt: skip
    kept = 0
    for target in (8, 18):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while stub.paid.total() < target and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "d.jsonl").exists()
        assert stub.paid.total() >= target > kept
        kept = stub.paid.total()
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Two were under way at each kill, and may have been answered without anybody there to hear.
    assert sum(count - 1 for count in stub.paid.values()) <= 4
    assert len(lines(tmp_path / "d.jsonl")) == len(
        {one.talk for one in lines(tmp_path / "d.jsonl")}
    )


def test_a_dry_run_tells_the_cost_and_asks_nobody(describe, stub, tmp_path):
    """Questions, tokens and cost; nothing is written."""
    status, out, _ = describe("--dry-run", "--price-in", "2", "--price-out", "8")
    assert status == 0
    assert "questions to ask, 0 answers kept" in out
    assert "cost about" in out
    assert stub.bodies == []
    assert {path.name for path in tmp_path.iterdir()} == {"talks.jsonl"}


def test_the_budget_ends_a_run_and_the_next_goes_on(describe, stub, tmp_path):
    """What was paid for is kept; the rest is left to do."""
    prices = ("--price-in", "1000", "--price-out", "1000", "--max-tokens", "100")
    status, _, err = describe(*prices, "--budget", "2")
    assert status == 1
    assert "the budget of 2 would be exceeded" in err
    assert 0 < stub.paid.total() < 20
    status, _, _ = describe("--max-tokens", "100")
    assert status == 0
    assert set(stub.paid.values()) == {1}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--budget", "1"], "--price-in"),
        (["--split", "dev"], "has no split dev"),
        (["--prompt", "none.txt"], "none.txt: cannot be read as a prompt"),
        (["--cache", "talks.jsonl"], "--cache"),
    ],
)
def test_options_that_do_not_go(describe, monkeypatch, tmp_path, more, says):
    """One line, exit status 2, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    status, _, err = describe(*more)
    assert (status, len(err.strip().splitlines())) == (2, 1), err
    assert says in err
    assert not (tmp_path / "d.jsonl").exists()


def test_an_endpoint_needs_a_model(run_photochat, data, tmp_path):
    """--llm-model is asked for."""
    status, _, err = run_photochat(
        "describe", "--data", data, "--llm", "http://127.0.0.1:9", "--out", tmp_path / "d"
    )
    assert (status, "--llm-model" in err) == (2, True)


def test_ones_own_prompt_is_used(describe, stub, tmp_path):
    """It stands in the place of ours, and its answers are kept apart."""
    describe()
    before = stub.paid.total()
    (tmp_path / "mine.txt").write_text("Say in Portuguese what A will show.")
    status, _, _ = describe("--prompt", tmp_path / "mine.txt")
    assert status == 0
    assert stub.paid.total() == 2 * before
    assert stub.bodies[-1]["messages"][0]["content"].startswith("Say in Portuguese")


turn = st.builds(
    Turn,
    message=st.text(max_size=30),
    share_photo=st.just(False),
    user_id=st.integers(0, 1),
)


@given(st.lists(turn, min_size=1, max_size=6), st.lists(turn, max_size=6), st.integers(0, 1),
       st.text(max_size=20), st.text(max_size=20))  # fmt: skip
def test_nothing_from_the_share_on_is_told(before, after, sharer, text, label):
    """The question is the same whatever follows the share and whatever the photo shows."""

    def asked(rest, share_text, description):
        turns = (*before, Turn(share_text, True, sharer), *rest)
        dialogue = Dialogue(turns, 3, description, "https://photos.example.org/x", "train/x")
        talks, _ = talks_of(Release((SourceFile(SAMPLE, "dev", [dialogue]),)))
        return [messages_of("Describe.", talk) for talk in talks]

    plain = asked([], "", "Objects in the photo: Cake")
    assert asked(after, text, f"The photo has your dad Bob. Objects in the photo: {label}") == plain


def test_dialogues_that_ask_for_none_are_counted():
    """No photo turn, or nothing said before it."""
    dialogues = [make_dialogue("0:hi 1:hey"), make_dialogue("0:* 1:nice"), make_dialogue()]
    talks, left_out = talks_of(Release((SourceFile(SAMPLE, "dev", dialogues),)))
    assert len(talks) == 1
    assert left_out == {"no photo turn": 1, "nothing said before the photo": 1}


def test_a_local_model_describes(tmp_path, run_photochat):
    """An untrained llama writes descriptors of the form."""
    torch = pytest.importorskip("torch")
    from transformers import LlamaConfig, LlamaForCausalLM

    from modeling.backbones.scratch import word_tokenizer

    dialogues = [d for d in read_release(SAMPLE).dialogues if d.share_index][:2]
    write_records(tmp_path / "two.jsonl", dialogues)
    words = word_tokenizer([read_prompt(), *[t.message for d in dialogues for t in d.turns]])
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=4096, eos_token_id=words.eos_token_id,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(tmp_path / "model")
    words.save_pretrained(tmp_path / "model")
    status, _, err = run_photochat(
        "describe", "--data", tmp_path / "two.jsonl", "--llm", tmp_path / "model",
        "--out", tmp_path / "d.jsonl", "--max-tokens", "30",
    )  # fmt: skip
    assert status == 0, err
    assert len(read_descriptors(tmp_path / "d.jsonl")) == 2
