"""A database that the first version wrote is brought to today's layout, with everything in it."""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from collection.database import MIGRATIONS, Database
from collection.tables import metadata


def test_the_first_layout_is_upgraded_and_keeps_its_rows(db_url):
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
             "last_seen": 3.0, "joined_at": 2.0, "outcome": "complete", "code": "ABCD2345"},
        )  # fmt: skip
        connection.execute(
            sa.insert(old.tables["met"]), {"campaign": "first", "worker": "a", "partner": "b"}
        )
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
