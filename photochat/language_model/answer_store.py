"""Every answer that was given, on disk the moment it came: nothing is asked, or paid, twice."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec

from photochat.atomic import make_private
from photochat.errors import UNDECODABLE, DataError
from photochat.language_model.question import Reply

WAIT_SECONDS = 30  # for another process that writes to the same file


class AnswerStore:
    """Answers by key in one SQLite file, safe against a kill at any moment."""

    def __init__(self, path: str | Path) -> None:
        """Open the file, and make it if it is not there.

        Raises:
            DataError: it cannot be opened or written, or is no such file.
        """
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            make_private(self.path)  # answers quote what people wrote
            self._connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS answers "
                "(key TEXT PRIMARY KEY, model TEXT NOT NULL, reply BLOB NOT NULL)"
            )
            self._connection.commit()
        except (OSError, sqlite3.Error) as error:
            raise DataError(
                f"is no file of kept answers, or cannot be written ({error}): name another",
                file=path,
                field="--cache",
            ) from error

    def get(self, key: str) -> Reply | None:
        """Return the answer kept under a key, if there is one."""
        try:
            row = self._connection.execute(
                "SELECT reply FROM answers WHERE key = ?", (key,)
            ).fetchone()
            return None if row is None else msgspec.json.decode(row[0], type=Reply)
        except (sqlite3.Error, *UNDECODABLE) as error:
            raise self._broken(error) from error

    def put(self, key: str, model: str, reply: Reply) -> None:
        """Keep an answer; it is on disk when this returns."""
        try:
            with self._connection:
                self._connection.execute(
                    "INSERT OR IGNORE INTO answers VALUES (?, ?, ?)",
                    (key, model, msgspec.json.encode(reply)),
                )
        except sqlite3.Error as error:
            raise self._broken(error) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _broken(self, error: Exception) -> DataError:
        return DataError(
            f"cannot be read or written ({error}): mend or remove it, or name another file",
            file=self.path,
            field="--cache",
        )
