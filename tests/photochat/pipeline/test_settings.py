"""The pipeline file: what it must say, what it may not, and the sample's."""

import pytest

from photochat.errors import DataError
from photochat.pipeline.settings import parse_settings, read_settings
from tests.conftest import SAMPLE

LEAST = {"collect": {"raw": "raw.jsonl"}, "split": {"dev": 1, "test": 1}}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"split": {"dev": 1}}, "split.test: is missing"),
        ({"split": {"dev": -1, "test": 1}}, "split.dev: expected int >= 0"),
        ({"colect": {}}, "colect: unknown key"),
        ({"collect": {}}, "collect: name either raw"),
        ({"collect": {"raw": "a", "campaign": "b"}}, "collect: name either raw"),
        ({"collect": {"campaign": "b"}}, "collect.campaign: needs photos"),
        ({"pool": "p", "filter": {"boxes": ["b"], "classes": ["c"]}}, "pool: and [filter]"),
        ({"images": {"folder": "i", "download": True}}, "images.download: needs a pool"),
        ({"retrieval": {"preset": "x"}}, "retrieval: needs the pictures"),
        ({"review": {}}, "review: name either votes"),
        ({"review": {"votes": ["postgresql://me:word@db/r"]}}, "review.votes: holds a password"),
        ({"out": "."}, "out: name a folder of its own"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_is_named_by_its_key(change, says):
    with pytest.raises(DataError, match="pipeline") as error:
        parse_settings({**LEAST, **change}, file="pipeline.toml")
    assert str(error.value).startswith(f"pipeline.toml: {says}")


def test_the_samples_file_is_one():
    settings = read_settings(SAMPLE.parent / "pipeline.toml")
    assert settings.collect.campaign == "campaign.toml"
    assert (SAMPLE.parent / settings.collect.campaign).exists()


def test_a_file_that_is_none_is_one_line(tmp_path):
    for content, says in ((None, "no such file"), (b"= 1", "is not TOML"), (b"\xff", "cannot be")):
        file = tmp_path / "pipeline.toml"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(DataError, match=says):
            read_settings(file)
