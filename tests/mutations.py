"""Damaged bytes, and how long they are made: a little in every run, for minutes when asked to.

PHOTOCHAT_FUZZ_SECONDS=60 makes each fuzz test go on for a minute, with other damage each time.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

SECONDS = float(os.environ.get("PHOTOCHAT_FUZZ_SECONDS") or 0)
TOKENS = [
    b"null", b"true", b"-1", b"1e999", b"1e5", b"[]", b"{}", b'""', b'"\\u0000"', b"\0", b"\\",
    b'"', b"[", b"]", b"{", b"}", b",", b":", b"\xff", b"\xf0\x9f\x98\x80", b'"\\ud83d"', b"NaN",
    b"99999999999999999999", b'"share_photo": 1', b'"dialogue": null', b"\n",
    b"=", b"\n[x]\n", b"'''", b"1979-05-27", b"0x1f", b"nan", b"inf", b"[" * 5_000, b"\r", b"<",
    b'{"a":' * 3_000, b"9" * 5_000, b"\xed\xa0\x80", b"\xef\xbb\xbf",
]  # fmt: skip


def mutate(data: bytes, source: random.Random) -> bytes:
    """Cut, double, overwrite or insert at random places, once to four times."""
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(data) + 1)
        until = min(len(data), at + source.choice([1, 1, 2, 8, 64, 1024]))
        piece = source.choice(TOKENS)
        kind = source.randrange(5)
        if kind == 0:
            data = data[:at] + data[until:]
        elif kind == 1:
            data = data[:at] + data[at:until] * 2 + data[until:]
        elif kind == 2:
            data = data[:at] + bytes(source.randrange(256) for _ in range(3)) + data[until:]
        elif kind == 3:
            data = data[:at] + piece + data[until:]
        else:
            data = data[:at] + piece + data[at:]
    return data


def rounds(count: int, seed: int) -> Iterator[random.Random]:
    """Yield a source of chance, seeded, once a round: `count` rounds, or as long as was asked."""
    end = time.monotonic() + SECONDS
    number = 0
    while number < count or time.monotonic() < end:
        yield random.Random(f"{seed}:{number}")
        number += 1
