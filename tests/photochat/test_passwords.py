"""Passwords in addresses are taken out, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochat.passwords import holds_password, without_password

PARTS = st.text("abcXYZ019.-_%!$", min_size=1)


@given(PARTS, PARTS.filter(lambda word: word.strip("*")))
def test_no_password_is_left(user, password):
    for address in (
        f"postgresql://{user}:{password}@host:5432/db",
        f"redis://:{password}@host/0",
        f"postgresql://host/db?user=x&password={password}&sslmode=require",
    ):
        assert holds_password(address)
        shown = without_password(f"--db {address} --json")
        assert shown == f"--db {address.replace(password + '@', '***@')} --json" or (
            f"password={password}&" in address and "password=***&sslmode" in shown
        )


@pytest.mark.parametrize(
    "text",
    ["sqlite:///chat.db", "postgresql://user@host:5432/db", "redis://127.0.0.1:6379/0",
     "http://127.0.0.1:8000/?worker=a@b", "--mturk http://127.0.0.1:8200 --json",
     "http://[::1]:8000", "ann=0.95", "a: b@c"],
)  # fmt: skip
def test_what_holds_none_stays_as_it_is(text):
    assert without_password(text) == text
    assert not holds_password(text)
