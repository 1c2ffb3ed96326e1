"""The one error that bad input raises, and what decoding bytes may raise in its place."""

from __future__ import annotations

import msgspec

# msgspec of bytes from outside: another form, no UTF-8, thousands of brackets in one another.
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class DataError(Exception):
    """Something outside this program is not as it must be, and the user can mend it.

    The text is one line that says what is wrong, where, and what to do. The command line prints it
    and exits with status 2; nothing has been written by then.

    >>> print(DataError("not a number: 'x'", file="boxes.csv", record="row 7", field="XMin"))
    boxes.csv: row 7: XMin: not a number: 'x'
    """

    def __init__(
        self, problem: str, *, file: object = None, record: object = None, field: object = None
    ) -> None:
        self.problem = problem
        self.file = None if file is None else str(file)
        self.record = None if record is None else str(record)
        self.field = None if field is None else str(field)
        parts = (self.file, self.record, self.field, problem)
        line = ": ".join(part for part in parts if part)
        super().__init__(" ".join(line.split()))
