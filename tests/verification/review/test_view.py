"""A dialogue as it is shown: its text whole, whatever findings say of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import make_dialogue
from verification.finding import Checked, Finding
from verification.review.view import NumberedFinding, segments, view_of

SPANS = st.lists(
    st.builds(
        Finding,
        check=st.just("c"),
        severity=st.sampled_from(["reject", "review", "note"]),
        message=st.just("m"),
        start=st.none() | st.integers(0, 12),
        end=st.none() | st.integers(0, 12),
    ),
    max_size=5,
)


@given(st.text(max_size=10), SPANS)
def test_the_pieces_are_the_message_and_every_marked_character_is_in_a_span(message, findings):
    numbered = [NumberedFinding(n, finding) for n, finding in enumerate(findings)]
    pieces = segments(message, numbered)
    assert "".join(piece.text for piece in pieces) == message
    at = 0
    for piece in pieces:
        for place in range(at, at + len(piece.text)):
            over = [
                f for f in findings if None not in (f.start, f.end) and f.start <= place < f.end
            ]
            assert (piece.severity is None) == (not over)
            assert piece.severity is None or piece.severity in {f.severity for f in over}
        at += len(piece.text)


def test_findings_are_numbered_in_reading_order_and_misplaced_ones_are_on_the_whole():
    dialogue = make_dialogue("0:hello_there 1:hi 0:* 2:eh")
    findings = (
        Finding("late", "note", "m", turn=3),
        Finding("b", "note", "m", turn=0, start=6, end=11),
        Finding("a", "reject", "m", turn=0, start=0, end=5),
        Finding("nowhere", "review", "m", turn=99),
    )
    view = view_of(dialogue, Checked(0, findings, ("likelihood",)))
    assert [f.finding.check for f in view.findings] == ["nowhere"]
    assert [f.finding.check for f in view.lines[0].findings] == ["a", "b"]
    assert [f.number for line in view.lines for f in line.findings] == [2, 3, 4]
    assert [line.speaker for line in view.lines] == ["A", "B", "A", "C"]
    assert view.skipped == ("likelihood",)
    assert view_of(dialogue, None).skipped is None
