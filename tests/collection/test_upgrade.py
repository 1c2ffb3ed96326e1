"""A database that the first version wrote is brought to today's layout, with everything in it."""

import requests
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from collection.database import MIGRATIONS, Database
from collection.export import export
from collection.tables import metadata
from photochat.records import read_records
from tests.collection.conftest import SECRET
from tests.collection.test_two_campaigns import talk


def written_by_the_first_version(db_url):
    """Make a database of the first layout, with somebody of everything in it."""
    database = Database(db_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.writing.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        old = sa.MetaData()
        old.reflect(connection)
        connection.execute(sa.insert(old.tables["campaigns"]), {"name": "first", "changed_at": 1.0})
        connection.execute(
            sa.insert(old.tables["participants"]),
            {"campaign": "first", "worker": "anna", "assignment": "a1", "stage": "done",
             "last_seen": 3.0, "joined_at": 2.0, "outcome": "complete", "reason": "submitted",
             "code": "ABCD2345"},
        )  # fmt: skip
        connection.execute(
            sa.insert(old.tables["met"]), {"campaign": "first", "worker": "a", "partner": "b"}
        )
    return database


def test_the_first_layout_is_upgraded_and_keeps_its_rows(db_url):
    database = written_by_the_first_version(db_url)
    database.migrate()
    database.migrate()  # and again: nothing to do
    with database.read() as reader:
        now = sa.MetaData()
        now.reflect(reader)
        for table in metadata.sorted_tables:
            assert set(table.columns.keys()) == set(now.tables[table.name].columns.keys())
        [person] = reader.execute(sa.select(metadata.tables["participants"])).mappings()
        assert (person["worker"], person["code"], person["joined_at"]) == ("anna", "ABCD2345", 2.0)
        assert reader.execute(sa.select(metadata.tables["campaigns"].c.name)).scalars().all() == [
            "first"
        ]
    database.close()


def test_an_upgraded_database_is_served(db_url, serve, tmp_path):
    """Who was done is still done, with the code as it was; others take part, and are exported."""
    written_by_the_first_version(db_url).close()
    server = serve(db=db_url, name="first")
    back = requests.get(f"{server.url}/join/first?worker=anna&assignmentId=a1")
    assert "ABCD2345" in back.text
    talk(server, "after it", ("carla", "dan"), campaign="first")
    written = export(db_url, tmp_path / "raw.jsonl", key=SECRET)
    assert (written.complete, written.left_out) == (1, 0)
    (dialogue,) = read_records(tmp_path / "raw.jsonl")
    assert sum(turn.message.startswith("after it") for turn in dialogue.turns) == 6
