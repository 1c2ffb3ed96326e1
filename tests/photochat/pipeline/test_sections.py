"""What the report is told by files that the user names."""

import json
from types import SimpleNamespace

import pytest

from photochat.errors import DataError
from photochat.pipeline.sections import Answers, money
from photochat.pipeline.settings import parse_settings

ESTIMATE = {"currency": "USD", "expected": "9.60", "worst": "12", "budget": "20", "kinds": []}
BOOKS = {"ledger_spent": "9.00", "platform_spent": "9.00", "differences": []}


def answers(folder, **files):
    """Return the answers of a pipeline that has run nothing but names two files."""
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    named = {"raw": "raw.jsonl", "estimate": "estimate.json", "reconcile": "reconcile.json"}
    settings = parse_settings(
        {"collect": named, "split": {"dev": 1, "test": 1}}, file="pipeline.toml"
    )
    return Answers(
        SimpleNamespace(
            settings=settings,
            places=SimpleNamespace(base=folder),
            stages=(),
            state=SimpleNamespace(finished={}),
        )
    )


def test_money_is_read_from_the_two_answers_of_a_campaign(tmp_path):
    found = money(answers(tmp_path, estimate=ESTIMATE, reconcile=BOOKS))
    assert (found["expected"], found["spent"], found["currency"]) == (9.6, 9.0, "USD")


@pytest.mark.parametrize(
    ("estimate", "says"),
    [(BOOKS, "is another command's answer: it has no currency"), ([1], "is not what a command")],
)
def test_another_answer_is_refused_by_its_file(tmp_path, estimate, says):
    with pytest.raises(DataError, match=rf"estimate\.json: {says}"):
        money(answers(tmp_path, estimate=estimate, reconcile=BOOKS))
