"""A hash says whether content changed, wherever it lies and whenever it was touched."""

import os
from contextlib import closing

import sqlalchemy as sa

from photochat.database import Database
from photochat.pipeline.digest import MISSING, content_of, toolkit_of


def test_content_decides_and_nothing_else(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        (folder / "sub").mkdir(parents=True)
        (folder / "a").write_text("1")
        (folder / "sub" / "b").write_text("2")
    (two / ".half-written").write_text("x")
    os.utime(two / "a", (1, 1))
    assert content_of(one, {}, "x") == content_of(two, {}, "x")
    (two / "sub" / "b").rename(two / "b")
    assert content_of(one, {}, "x") != content_of(two, {}, "x")
    assert content_of(tmp_path / "a", {}, "x") == MISSING
    file = content_of(one / "a", {}, "x")
    (one / "a").write_text("2")
    assert content_of(one / "a", {}, "x") != file


def test_links_are_followed_and_those_that_lead_nowhere_do_not_count(tmp_path):
    """Pictures often lie on another disk."""
    photos, store = tmp_path / "photos", tmp_path / "store"
    photos.mkdir()
    (store / "sub").mkdir(parents=True)
    before = content_of(photos, {}, "x")
    (photos / "gone").symlink_to(tmp_path / "nowhere")
    (photos / "itself").symlink_to("itself")
    assert content_of(photos, {}, "x") == before
    (photos / "train").symlink_to(store)
    (store / "sub" / "back").symlink_to(photos)
    (store / "sub" / "a.jpg").write_text("1")
    linked = content_of(photos, {}, "x")
    assert linked != before
    (store / "sub" / "a.jpg").write_text("2")
    assert content_of(photos, {}, "x") != linked
    (tmp_path / "nowhere").write_text("here now")
    assert content_of(photos, {}, "x") != linked


def test_a_database_counts_with_what_is_written_ahead_of_it(tmp_path):
    """Votes of a review that is still served stand beside its file until the server stops."""
    file, seen = tmp_path / "review.db", {}
    with closing(Database(f"sqlite:///{file}")) as database:
        with database.writing.begin() as connection:
            connection.execute(sa.text("CREATE TABLE votes (verdict TEXT)"))
        before, bytes_before = content_of(file, seen, "x"), file.read_bytes()
        with database.writing.begin() as connection:
            connection.execute(sa.text("INSERT INTO votes VALUES ('accept')"))
        assert file.read_bytes() == bytes_before
        after = content_of(file, seen, "x")
        assert after != before
        assert content_of(file, seen, "x") == after


def test_what_was_read_is_not_read_again(tmp_path):
    file, seen = tmp_path / "big", {}
    file.write_text("first")
    before = content_of(file, seen, "big")
    about = file.stat()
    file.write_text("other")
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert content_of(file, seen, "big") == before, "sizes and times are believed"
    os.utime(file, (1, 1))
    assert content_of(file, seen, "big") != before
    file.unlink()
    assert content_of(file, seen, "big") == MISSING
    assert seen == {}


def test_each_part_of_the_toolkit_has_its_version():
    versions = {name: toolkit_of(name) for name in ("photochat", "filtering", "verification")}
    assert len(set(versions.values())) == 3
