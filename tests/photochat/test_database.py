"""A database file is for its owner's eyes, and says so when it cannot be had."""

import stat

import pytest
import sqlalchemy as sa

from photochat.database import Database


def test_a_new_file_and_those_beside_it_are_private(tmp_path):
    """Whatever the umask: the files hold worker ids and what people wrote."""
    database = Database(f"sqlite:///{tmp_path}/chat.db")
    with database.writing.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE said (words TEXT)")
        connection.exec_driver_sql("INSERT INTO said VALUES ('hello')")
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["chat.db", "chat.db-shm", "chat.db-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    database.close()


def test_a_file_that_somebody_opened_up_stays_as_it_is(tmp_path):
    (tmp_path / "chat.db").touch(0o644)
    database = Database(f"sqlite:///{tmp_path}/chat.db")
    database.read().close()
    assert stat.S_IMODE((tmp_path / "chat.db").stat().st_mode) == 0o644
    database.close()


def test_a_folder_that_is_not_there_is_the_drivers_to_name(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/nowhere/chat.db")
    with pytest.raises(sa.exc.OperationalError, match="unable to open"):
        database.read()
    database.close()
