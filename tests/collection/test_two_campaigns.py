"""Two campaigns in one database, on two servers: nothing of one is seen in the other."""

from __future__ import annotations

import pytest
import requests
import sqlalchemy as sa

from collection.database import Database
from collection.export import export
from collection.tables import participants
from photochat.errors import DataError
from photochat.records import read_records
from tests.collection.conftest import ADMIN_TOKEN, SECRET


def talk(server, marker, names=("anna", "ben"), *, campaign):
    """A whole conversation, from the first words to the survey; return who took part."""
    sharer, receiver = server.pair(*names, campaign=campaign)
    for number in range(3):
        for worker in (sharer, receiver):
            assert worker.say(f"{marker} {worker.role} {number}")["ok"]
    assert sharer.share()["ok"]
    assert receiver.finish()["ok"]
    for worker in (sharer, receiver):
        worker.submit()
        assert worker.until_state("done")["outcome"] == "complete"
    return {sharer.name, receiver.name}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql and redis"])
def test_two_campaigns_share_a_database_and_nothing_else(kind, serve, request, tmp_path):
    """The same two workers take part in both; each export holds its own campaign's dialogue."""
    db, redis_url = f"sqlite:///{tmp_path}/chat.db", None
    if kind != "sqlite":
        db = request.getfixturevalue("postgres_url")
        redis_url = request.getfixturevalue("redis_url")
    servers = {
        name: serve(db=db, redis_url=redis_url, name=name, seed=seed)
        for seed, name in enumerate(("spring", "autumn"))
    }
    assert talk(servers["spring"], "in spring", campaign="spring") == talk(
        servers["autumn"], "in autumn", campaign="autumn"
    )

    bearer = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    paused = requests.post(
        f"{servers['spring'].url}/admin/status", headers=bearer, data={"status": "paused"}
    )
    assert paused.ok
    carla = servers["autumn"].worker(
        "carla", campaign="autumn"
    )  # a pause of one is no pause of the other
    assert carla.resume()["state"]["kind"] == "waiting"

    with pytest.raises(DataError, match=r"holds several campaigns \(autumn, spring\): name one"):
        export(db, tmp_path / "raw.jsonl", key=SECRET)
    for name in servers:
        written = export(db, tmp_path / f"{name}.jsonl", key=SECRET, campaign=name)
        assert (written.complete, written.incomplete) == (1, 0)
        (dialogue,) = read_records(tmp_path / f"{name}.jsonl")
        said = [turn.message for turn in dialogue.turns if turn.message]
        assert len(said) == 6
        assert all(message.startswith(f"in {name}") for message in said)
    database = Database(db)
    with database.read() as reader:
        who = reader.execute(sa.select(participants.c.campaign, participants.c.worker)).all()
    database.close()
    assert sorted(map(tuple, who)) == [
        ("autumn", "anna"), ("autumn", "ben"), ("autumn", "carla"),
        ("spring", "anna"), ("spring", "ben"),
    ]  # fmt: skip
