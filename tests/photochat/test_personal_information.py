"""What tells who somebody is, and what only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochat.personal_information import personal_information


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to jo.smith+photos@mail.example.org!", "e-mail address"),
        ("jo at example dot org", "e-mail address"),
        ("jo(at)example(dot)org", "e-mail address"),
        ("my number is +49 30 1234567", "phone number"),
        ("call (555) 010-9999", "phone number"),
        ("5550109999 is mine", "phone number"),
        ("I live at 12 Maple Street", "postal address"),
        ("come to 221b Baker St.", "postal address"),
        ("Hauptstraße 12, second floor", "postal address"),
        ("P.O. Box 77", "postal address"),
        ("NW1 6XE", "postal address"),
        ("Springfield, IL 62704", "postal address"),
    ],
)
def test_found(text, kind):
    """Each kind in the forms that people write."""
    assert kind in personal_information(text)


@pytest.mark.parametrize(
    "text",
    [
        "in 2019 I paid 1,250 dollars for 12 of them",
        "look at this. wow",
        "we met at home. Then we left",
        "see you at 10:30 on 2021-08-01",
        "from 2019 - 2021 we lived there",
        "the 3 of us went down the road",
        "100000000 thanks",
        "it was 25.4.2021",
        "",
    ],
)
def test_not_found(text):
    """Years, prices, dates, times and counts are no personal information."""
    assert personal_information(text) == ()


@given(st.text(max_size=500))
def test_any_text_is_read_quickly_and_without_error(text):
    """No text breaks it, whatever people paste."""
    assert set(personal_information(text)) <= {"e-mail address", "phone number", "postal address"}


def test_long_runs_do_not_hang():
    """The patterns have no exponential corner."""
    for piece in ("a", "1 ", "1", "A ", "a.", "at ", "1a Aa "):
        personal_information(piece * (10_000 // len(piece)))
