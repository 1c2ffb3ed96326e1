"""docs/money.md: its campaign file is one, and its commands print what stands there."""

from __future__ import annotations

import re
import shlex
import time

from collection.campaign import load_campaign
from collection.database import Database
from collection.money import calls
from tests.collection.money.scene import Scene
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "money.md").read_text()


def test_the_page_shows_what_the_commands_print(tmp_path, monkeypatch, run_photochat):
    """In the order of the page, on a campaign in which one of four has no assignment."""
    monkeypatch.chdir(tmp_path)
    [file] = re.findall(r"^```toml\n(.*?)^```", PAGE, re.M | re.S)
    (tmp_path / "campaign.toml").write_text(file)
    four_people()
    examples = re.findall(r"^```\n\$ photochat (.*?)\n(.*?)^```", PAGE, re.M | re.S)
    assert len(examples) == 4
    for command, printed in examples:
        status, out, err = run_photochat(*shlex.split(command))
        assert (status, (out + err).rstrip()) == (0, printed.rstrip()), command


def four_people() -> None:
    """Three have handed in and are approved; dora gave the assignment back after waiting."""
    database = Database("sqlite:///chat.db")
    database.migrate()
    scene = Scene(database, "cakes", books="platform.db")
    scene.campaign = load_campaign("campaign.toml")
    scene.clock.now = time.time() - 30 * 3600
    scene.intend(scene.publish("chat/1", 5))
    scene.carry_out()
    for worker, reason in (("anna", "submitted"), ("ben", "submitted"), ("carla", "partner-gone")):
        taken = scene.recruiter.accept("1", worker)
        scene.recruiter.submit(taken, {"code": scene.person(worker, taken, reason)})
    reward = scene.campaign.pay.reward
    for one in list(scene.recruiter.submissions("1")):
        scene.intend(calls.approve(one, reward=reward, assignments=5, fees=scene.fees))
    scene.carry_out()
    taken = scene.recruiter.accept("1", "dora")
    scene.person("dora", taken, "no-partner")
    scene.recruiter.give_back(taken)
    scene.recruiter.close()
    database.close()
