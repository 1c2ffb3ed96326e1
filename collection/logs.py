"""One JSON object a line: time, level, what happened, and numbers. Never a worker id or a text.

Only the fields named here are written, so that nothing slips in with an `extra`; of an exception
only its kind and place, because its words may quote what a worker wrote.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from typing import Any

import msgspec

FIELDS = (
    "photos", "without_picture", "conversations", "connections", "conversation", "cause", "status",
)  # fmt: skip


class JsonLines(logging.Formatter):
    """Formats a record as one JSON line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "at": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])[-6:]
            line["where"] = [f"{frame.filename}:{frame.lineno}" for frame in frames]
        return msgspec.json.encode(line).decode()


def start_logging(level: str = "INFO") -> None:
    """Write the server's log to stderr; other libraries' only from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("photochat").setLevel(level)
    # These quote packets and requests, which hold texts and worker ids.
    for name in ("engineio", "socketio", "geventwebsocket", "werkzeug", "photochat.http"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
