"""From votes to files, through the command line: what a curator does after a review."""

from __future__ import annotations

import json

import pytest

from photochat.records import read_records, write_records
from tests.conftest import SAMPLE, make_dialogue
from verification.finding import Checked, Finding, write_findings
from verification.votes import Vote, write_votes


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with twelve dialogues, of which the checks would reject 0, 4 and 8."""
    write_records(tmp_path / "raw.jsonl", [make_dialogue(dialogue_id=n) for n in range(12)])
    bad = (Finding("typos", "reject", "many"),)
    write_findings(
        tmp_path / "findings.jsonl", [Checked(n, bad if n % 4 == 0 else ()) for n in range(12)]
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_simulated_reviewers_vote_and_the_report_recovers_them(
    tmp_path, monkeypatch, run_photochat
):
    """Check, review, decide, and once more what was sent back, as `make demo` does."""
    monkeypatch.chdir(tmp_path)
    dialogues = read_records(SAMPLE)[:80]
    write_records(tmp_path / "raw.jsonl", dialogues)
    numbers = [dialogue.dialogue_id for dialogue in dialogues]
    bad = (Finding("typos", "reject", "many"),)
    write_findings("findings.jsonl", [Checked(n, bad if n % 4 == 0 else ()) for n in numbers])
    common = ("--in", "raw.jsonl", "--findings", "findings.jsonl")
    reviewers = ("ann=0.97", "bob=0.9", "cat=0.85", "dan=0.7")
    simulate = ("simulate-reviews", *common, "--known", "known.json",
                *(part for text in reviewers for part in ("--reviewer", text)))  # fmt: skip
    decide = ("decide", *common, "--votes", "sqlite:///review.db", "--known", "known.json",
              "--out", "decisions", "--force", "--json")  # fmt: skip
    assert run_photochat(*simulate, "--overlap", "3", "--seed", "4")[0] == 0
    status, out, err = run_photochat(*decide)
    assert status == 0, err
    first = json.loads(out)
    assert sum(first["outcomes"].values()) == len(numbers)
    estimates = {row["reviewer"]: row["right"]["value"] for row in first["reviewers"]}
    for known in first["known"]:
        assert estimates[known["reviewer"]] == pytest.approx(known["right"], abs=0.12)
    assert min(estimates, key=estimates.__getitem__) == "dan"
    files = {name: lines(tmp_path / "decisions" / f"{name}.jsonl")
             for name in ("accepted", "rejected", "again", "decisions")}  # fmt: skip
    ids = [row["dialogue_id"] for name in ("accepted", "rejected", "again") for row in files[name]]
    assert sorted(ids) == sorted(numbers)
    wrong = sum(row["dialogue_id"] % 4 == 0 for row in files["accepted"])
    assert wrong <= 0.05 * len(files["accepted"])
    assert all(row["rejected_for"] for row in files["rejected"])
    page = (tmp_path / "decisions" / "report.html").read_text()
    assert "known" in page
    assert "dan" in page
    status, _, err = run_photochat(*simulate, "--items", "decisions/again.jsonl", "--seed", "5")
    assert f"{len(files['again'])} dialogues to review" in err
    second = json.loads(run_photochat(*decide)[1])
    assert second["outcomes"]["again"] < first["outcomes"]["again"]
    assert second["votes"] == first["votes"] + len(files["again"])


def test_votes_that_cannot_count_are_said_and_harm_nothing(place, run_photochat):
    good = [Vote(n, who, "accept") for n in range(12) for who in ("ann", "bob")]
    odd = [Vote(99, "ann", "accept"), Vote(1, "ann", "accept"), Vote(2, "bob", "reject")]
    write_votes("votes.jsonl", good + odd)
    status, _, err = run_photochat(
        "decide", "--in", "raw.jsonl", "--votes", "votes.jsonl", "--out", "out"
    )
    assert status == 0
    assert "votes on dialogues that are not here: 1" in err
    assert "votes said twice: 1" in err
    assert "contradictory votes of one reviewer, none of which counts: 2" in err
    assert [row["dialogue_id"] for row in lines(place / "out" / "again.jsonl")] == [2]
    assert len(read_records(place / "out" / "accepted.jsonl")) == 11


def test_checks_reject_by_themselves_only_when_named_and_never_against_people(place, run_photochat):
    write_votes("votes.jsonl", [Vote(0, who, "accept") for who in ("ann", "bob", "cat")])
    command = ("decide", "--in", "raw.jsonl", "--findings", "findings.jsonl",
               "--votes", "votes.jsonl", "--force", "--out", "out", "--json")  # fmt: skip
    plain = json.loads(run_photochat(*command)[1])
    assert plain["outcomes"] == {"accepted": 1, "rejected": 0, "again": 11}
    asked = json.loads(run_photochat(*command, "--auto-reject", "typos")[1])
    assert asked["outcomes"] == {"accepted": 1, "rejected": 2, "again": 9}
    assert asked["check_against_people"] == 1
    rejected = lines(place / "out" / "rejected.jsonl")
    assert [(r["dialogue_id"], r["rejected_by"], r["rejected_for"]) for r in rejected] == [
        (4, "check", ["typos"]),
        (8, "check", ["typos"]),
    ]
    status, _, err = run_photochat(*command, "--auto-reject", "typo")
    assert status == 2
    assert "'typo' is no check: there are association" in err
    status, _, err = run_photochat(*command, "--auto-reject", "personal-information")
    assert status == 0  # nobody gave anything away this time
    assert "personal-information rejects no dialogue in these findings" in err
    without = [part for part in command if part not in ("--findings", "findings.jsonl")]
    status, _, err = run_photochat(*without, "--auto-reject", "typos")
    assert status == 2
    assert "needs --findings" in err


def test_a_platforms_ties_are_sent_back_for_one_vote_more(place, run_photochat):
    """Also in a review's database that knows nothing of the votes on the platform."""
    tie = zip(("w1", "w2", "w3", "w4"), ("accept", "reject") * 2, strict=True)
    write_votes("votes.jsonl", [Vote(1, who, said) for who, said in tie])
    run_photochat("decide", "--in", "raw.jsonl", "--votes", "votes.jsonl", "--out", "out")
    ours = lines(place / "out" / "again.jsonl")
    (place / "tie.jsonl").write_text(json.dumps(next(r for r in ours if r["dialogue_id"] == 1)))
    review = ("simulate-reviews", "--in", "raw.jsonl", "--items", "tie.jsonl", "--json",
              "--reviewer", "ann=1", "--reviewer", "bob=1")  # fmt: skip
    assert [json.loads(run_photochat(*review)[1])["votes"] for _ in "12"] == [1, 0]


def test_gold_dialogues_decide_themselves_or_stay_outside(place, run_photochat):
    inside = json.loads((place / "raw.jsonl").read_text().splitlines()[3])
    outside = {**inside, "dialogue_id": 500, "gold": "reject"}
    rows = [{**inside, "gold": "reject"}, outside]
    (place / "gold.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    votes = [Vote(n, "ann", "accept") for n in (3, 500)] + [Vote(500, "bob", "reject")]
    write_votes("votes.jsonl", votes)
    command = ("decide", "--in", "raw.jsonl", "--gold", "gold.jsonl", "--votes", "votes.jsonl",
               "--out", "out", "--json")  # fmt: skip
    result = json.loads(run_photochat(*command)[1])
    assert [row["dialogue_id"] for row in lines(place / "out" / "rejected.jsonl")] == [3]
    quality = {row["reviewer"]: row for row in result["reviewers"]}
    assert quality["ann"]["gold_votes"] == 2
    assert quality["ann"]["on_gold"]["value"] == 0
    assert quality["bob"]["on_gold"]["value"] == 1
    rows[0]["photo_description"] = "another"
    (place / "gold.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "gold dialogue 3" in run_photochat(*command, "--force")[2]


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("votes.jsonl", '{"dialogue_id": 1}', "votes.jsonl: line 1: is no vote"),
        ("votes.jsonl", '{"dialogue_id": 1, "reviewer": "a", "verdict": "ok"}', "is no vote"),
        ("findings.jsonl", "{", "is no line of findings"),
        ("findings.jsonl", '{"dialogue_id": 1}\n' * 2, "dialogue 1: has two lines of findings"),
        ("gold.jsonl", "{}", "gold.jsonl"),
        ("raw.jsonl", "", "raw.jsonl: is empty"),
    ],
)
def test_bad_files_are_named_and_nothing_is_written(place, run_photochat, file, text, words):
    write_votes("votes.jsonl", [Vote(1, "ann", "accept")])
    (place / "gold.jsonl").write_text(
        json.dumps({**json.loads((place / "raw.jsonl").read_text().splitlines()[0]),
                    "gold": "accept"})
    )  # fmt: skip
    (place / file).write_text(text)
    status, _, err = run_photochat(
        "decide", "--in", "raw.jsonl", "--votes", "votes.jsonl", "--findings", "findings.jsonl",
        "--gold", "gold.jsonl", "--out", "out",
    )  # fmt: skip
    assert (status, err.count("\n")) == (2, 1)
    assert words in err
    assert not (place / "out").exists()


def test_worker_ids_of_a_platform_become_pseudonyms(place, run_photochat, monkeypatch):
    (place / "results.csv").write_text(
        "WorkerId,Input.dialogue_id,Answer.verdict\nA1,1,accept\nA1,2,accept\n"
    )
    command = ("votes", "results.csv", "--out", "votes.jsonl")
    monkeypatch.delenv("PHOTOCHAT_PSEUDONYM_KEY", raising=False)
    assert "PHOTOCHAT_PSEUDONYM_KEY: is not set" in run_photochat(*command)[2]
    monkeypatch.setenv("PHOTOCHAT_PSEUDONYM_KEY", "a key of the tests")
    assert run_photochat(*command)[0] == 0
    names = {line["reviewer"] for line in lines(place / "votes.jsonl")}
    assert len(names) == 1
    assert "A1" not in names
    assert run_photochat(*command, "--keep-worker-ids")[0] == 0
    assert {line["reviewer"] for line in lines(place / "votes.jsonl")} == {"A1"}
