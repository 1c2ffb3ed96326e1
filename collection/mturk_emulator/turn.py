"""One call's transaction: what is found and changed in it, at one moment."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

ID_CHARS = 30
_ALPHABET = string.ascii_uppercase + string.digits


@dataclass(frozen=True)
class Rules:
    """How strict this emulator is."""

    allow_http: bool = False  # external questions over http, for a server on this machine
    refuse_repeats: bool = False  # approve, reject, expire: an error when repeated, as reported


@dataclass(frozen=True)
class Turn:
    """One call's transaction: everything in it happens at one moment, or not at all."""

    connection: Connection
    now: float
    rules: Rules
    call: str = ""  # the request's id

    def one(self, statement: sa.Select[Any]) -> Row[Any] | None:
        """Return the only row, or None."""
        return self.connection.execute(statement).one_or_none()

    def all(self, statement: sa.Select[Any], **values: object) -> list[Row[Any]]:
        """Return all rows; `values` are those of the statement's parameters."""
        return list(self.connection.execute(statement, values))

    def find(self, table: sa.Table, **values: object) -> Row[Any] | None:
        """Return the row that has these values, or None."""
        return self.one(sa.select(table).where(*_equal(table, values)))

    def add(self, table: sa.Table, **values: object) -> None:
        """Insert a row."""
        self.connection.execute(table.insert().values(**values))

    def change(self, table: sa.Table, row: Row[Any], **values: object) -> Row[Any]:
        """Change a row and return it as it is then."""
        where = table.c.seq == row.seq
        self.connection.execute(table.update().where(where).values(**values))
        return self.connection.execute(sa.select(table).where(where)).one()

    def remove(self, table: sa.Table, **values: object) -> None:
        """Delete the rows that have these values."""
        self.connection.execute(table.delete().where(*_equal(table, values)))


def new_id(first: str = "3") -> str:
    """Return an id in the platform's form: 30 capital letters and digits."""
    return first + "".join(secrets.choice(_ALPHABET) for _ in range(ID_CHARS - len(first)))


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are there: the wire has no nulls."""
    return {name: value for name, value in values.items() if value is not None}


def _equal(table: sa.Table, values: Mapping[str, object]) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == value for name, value in values.items()]
