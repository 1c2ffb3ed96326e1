"""Bots against a server: they get through, and what they wrote down agrees with the export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from collection.campaign import parse_campaign
from collection.simulate.diary import read_diary
from collection.simulate.habits import HABITS, Shares, draw_habit
from collection.simulate.run import simulate
from photochat.cli import app
from photochat.errors import DataError

KEY = {"PHOTOCHAT_PSEUDONYM_KEY": "a key for the pseudonyms of tests"}


def test_bots_hold_whole_conversations(serve: Any, tmp_path: Path) -> None:
    """Two pairs with troubles; then export and comparison by the command line, clean and not."""
    server = serve(photos=5)
    log, raw = tmp_path / "bots.jsonl", tmp_path / "raw.jsonl"
    result = simulate(
        server.url, server.service.campaign, pairs=2, rate=4, seed=5, log=log,
        shares=Shares(troubled=0.9, spoiling=0), patience=20, max_wait=20,
    )  # fmt: skip
    assert result.outcomes == {"submitted": 4}
    assert result.acknowledged >= 2 * (5 + 1 + 1 + 2)
    assert any(entry.kind == "trouble" for entry in read_diary(log))
    run = CliRunner()
    db = f"sqlite:///{tmp_path}/chat.db"
    exported = run.invoke(app, ["export", "--db", db, "--out", str(raw)], env=KEY)
    assert exported.exit_code == 0, exported.output
    assert run.invoke(app, ["simulate", "--compare", str(log), str(raw)]).exit_code == 0
    raw.write_text(raw.read_text().splitlines()[0] + "\n")
    found = run.invoke(app, ["simulate", "--compare", str(log), str(raw), "--json"])
    assert found.exit_code == 1
    assert '"fault": "lost"' in found.output


def test_signed_links_are_signed_with_the_secret(serve: Any, tmp_path: Path) -> None:
    """Without the secret the rehearsal says what is missing; with a wrong one nobody gets in."""
    campaign = parse_campaign({"entry": {"signed_invitations": True}})
    server = serve(photos=2, entry={"signed_invitations": True})
    with pytest.raises(DataError, match="PHOTOCHAT_SECRET"):
        simulate(server.url, campaign, pairs=1, rate=4, seed=1, log=None)
    result = simulate(
        server.url, campaign, pairs=1, rate=4, seed=1, log=None, secret="not the server's secret"
    )
    assert result.outcomes == {"bad-invitation": 2}


def test_a_server_that_is_not_there_ends_a_rehearsal() -> None:
    """After the patience, with the reason."""
    result = simulate(
        "http://127.0.0.1:9", parse_campaign({}), pairs=1, rate=1, seed=1, log=None, patience=0
    )
    assert result.outcomes == {"unreachable": 2}


def test_an_earlier_log_is_not_mixed_with_a_new_one(tmp_path: Path) -> None:
    """Conversations of two databases have the same numbers."""
    log = tmp_path / "bots.jsonl"
    log.write_text("{}\n")
    with pytest.raises(DataError, match="earlier rehearsal"):
        simulate("http://127.0.0.1:9", parse_campaign({}), pairs=1, rate=1, seed=1, log=log)


def test_every_habit_is_drawn_in_its_share() -> None:
    """All eight among a thousand bots, and only the plain when nothing else is asked for."""
    import random

    drawn = [draw_habit(random.Random(seed), Shares(0.5, 0.1, 0.1)) for seed in range(1000)]
    assert set(drawn) == set(HABITS)
    assert 0.2 < drawn.count("plain") / 1000 < 0.4
    assert 0.05 < drawn.count("rude") / 1000 < 0.15
    assert {draw_habit(random.Random(seed), Shares(0, 0)) for seed in range(100)} == {"plain"}
