"""Votes from a platform's results file."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from photochat.errors import DataError
from verification.platform_votes import parse_time, read_platform_votes
from verification.votes import Vote

HEAD = (
    "HITId,WorkerId,AssignmentStatus,SubmitTime,WorkTimeInSeconds,Input.dialogue_id,"
    "Answer.verdict,Answer.reasons,Answer.comment\n"
)
PACIFIC = timezone(timedelta(hours=-8))


def read(tmp_path, rows, head=HEAD):
    path = tmp_path / "results.csv"
    path.write_text(head + rows, encoding="utf-8-sig")
    return read_platform_votes(path, lambda worker: worker.lower())


def test_a_results_file_of_mturk_becomes_votes(tmp_path):
    found = read(
        tmp_path,
        "H1,W1,Approved,Tue Nov 03 10:11:12 PST 2026,31,7,reject,typos|unnatural,so many\n"
        'H1,W2,Submitted,2026-11-03T18:00:00Z,9,7,Accept,,"fine, really"\n'
        "H2,W3,Rejected,,5,8,accept,,\n"
        "H3,W1,Approved,,x,9,,,\n",
    )
    assert found.votes == [
        Vote(7, "w1", "reject", ("unnatural", "typos"), "so many", 31.0,
             datetime(2026, 11, 3, 10, 11, 12, tzinfo=PACIFIC)),
        Vote(7, "w2", "accept", (), "fine, really", 9.0,
             datetime(2026, 11, 3, 18, tzinfo=timezone.utc)),
    ]  # fmt: skip
    assert (found.refused, found.unanswered) == (1, 1)


def test_ticked_boxes_and_json_lists_are_reasons_too(tmp_path):
    head = "WorkerId,Input.dialogue_id,Answer.verdict,Answer.reasons,Answer.reason.typos.on\n"
    found = read(tmp_path, 'W1,1,reject,"[""unnatural""]",true\nW2,1,reject,,false\n', head)
    assert [vote.reasons for vote in found.votes] == [("unnatural", "typos"), ()]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("H,W,Approved,,1,seven,accept,,\n", "line 2: Input.dialogue_id: not a dialogue id"),
        ("H,W,Approved,,1,7,maybe,,\n", "line 2: Answer.verdict: 'maybe' is not one of"),
        ("H,W,Approved,,1,7,reject,boring,\n", "line 2: reasons: 'boring' is not one of"),
        ("H,,Approved,,1,7,accept,,\n", "line 2: WorkerId: is empty"),
    ],
)
def test_a_bad_row_is_named(tmp_path, rows, words):
    with pytest.raises(DataError, match=words):
        read(tmp_path, rows)


def test_a_file_without_verdicts_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"has no column Answer\.verdict"):
        read(tmp_path, "W,1\n", "WorkerId,Input.dialogue_id\n")
    (tmp_path / "x.csv").write_bytes(b"WorkerId\n\xff\xfe")
    with pytest.raises(DataError, match="UTF-8"):
        read_platform_votes(tmp_path / "x.csv", str)


def test_a_time_that_is_none_is_unknown():
    assert parse_time("yesterday") is None
    assert parse_time("Tue Nov 03 10:11:12 XYZ 2026") is None
