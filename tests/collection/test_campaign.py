"""The campaign file: the paper's numbers by default, and every mistake named by its key."""

from __future__ import annotations

import pytest

from collection.campaign import Campaign, load_campaign, parse_campaign
from photochat.errors import DataError


def test_an_empty_file_is_the_papers_campaign(tmp_path):
    """Section 3.2: five turns before the share, no minimum for a side."""
    path = tmp_path / "campaign.toml"
    path.write_text("")
    campaign = load_campaign(path)
    assert campaign == Campaign()
    assert campaign.rules.min_turns_before_share == 5
    assert campaign.rules.min_turns_each == 0


@pytest.mark.parametrize(
    ("content", "field", "problem"),
    [
        ("[rules]\nmin_turn_before_share = 5", "rules.min_turn_before_share", "unknown key"),
        ("[rule]\n", "rule", "unknown key"),
        ("[rules]\nmin_turns_each = 'two'", "rules.min_turns_each", "expected int, got str"),
        ("[rules]\nmin_turns_each = -1", "rules.min_turns_each", ">= 0"),
        ("[timeouts]\naway = 0", "timeouts.away", "> 0"),
        ("[timeouts]\nidle_nudge = 500", "timeouts.idle_nudge", "below timeouts.idle_end"),
        ("name = 'Big Campaign'", "name", "a-z"),
        ("[[check]]\nquestion = 'Well?'\noptions = ['a', 'b']\nanswer = 3", "check[0].answer", ""),
        ("[[survey]]\nname = 'n'", "survey[0].question", "is missing"),
    ],
)
def test_mistakes_name_their_key(tmp_path, content, field, problem):
    """The full name of the key, and what is wrong with it."""
    path = tmp_path / "campaign.toml"
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        load_campaign(path)
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert str(path) in str(caught.value)


def test_what_is_no_toml_is_said_with_its_line(tmp_path):
    """And so is a file that is not there."""
    path = tmp_path / "campaign.toml"
    path.write_text("[rules\n")
    with pytest.raises(DataError, match="line 1"):
        load_campaign(path)
    with pytest.raises(DataError, match="no such file"):
        load_campaign(tmp_path / "other.toml")


def test_sections_are_values():
    """A rule of the file is a rule of the conversation."""
    campaign = parse_campaign({"rules": {"max_message_chars": 80}, "timeouts": {"away": 5}})
    assert campaign.rules.max_message_chars == 80
    assert campaign.timeouts.away == 5.0
