"""Whatever a reviewer's browser posts: an answer, and never a fault of the server's own."""

import re

from tests.mutations import mutate, rounds
from tests.verification.conftest import SECRET
from verification.review import tokens
from verification.review.server import create_app
from verification.review.store import read_all_votes

FORMS = {
    "/vote": {
        "dialogue_id": "1", "verdict": "reject", "reasons": "typos", "comment": "oh",
        "seconds": "3",
    },
    "/skip": {"dialogue_id": "2"},
    "/undo": {"last": "1"},
    "/skipped": {},
    "/in": {"token": "abc"},
}  # fmt: skip


def test_every_post_is_answered(make_desk, tmp_path):
    client = create_app(make_desk(count=30)).test_client()
    client.get(f"/in/{tokens.sign(SECRET, 'ann')}")
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)[1]
    statuses = set()
    for number, source in enumerate(rounds(250, 4)):
        path = source.choice(list(FORMS))
        form = {
            name: mutate(value.encode(), source).decode("utf-8", "replace")
            if source.random() < 0.5
            else value
            for name, value in FORMS[path].items()
        }
        # Each from an address of its own: the limit on one address is not what is tried.
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        answer = client.post(
            path, data={"csrf": csrf, **form}, environ_base={"REMOTE_ADDR": address}
        )
        assert answer.status_code < 500, (path, form)
        statuses.add(answer.status_code)
    assert {303, 400} <= statuses
    for vote in read_all_votes(f"sqlite:///{tmp_path}/review.db"):
        assert vote.reviewer == "ann"
        assert vote.verdict in {"reject", "accept", "unsure"}
