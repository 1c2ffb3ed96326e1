"""Outputs are whole or absent."""

import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from photochat.atomic import atomic_file, atomic_folder, make_private
from photochat.errors import DataError


def test_a_file_appears_only_when_whole(tmp_path):
    target = tmp_path / "deep" / "x.txt"
    with atomic_file(target) as part:
        part.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_an_error_leaves_what_was_there(tmp_path):
    target = tmp_path / "x.txt"
    target.write_text("old")

    def write_half() -> None:
        with atomic_file(target) as part:
            part.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_files_are_as_readable_as_any_other(tmp_path):
    with atomic_file(tmp_path / "x") as part:
        part.write_text("")
    (tmp_path / "y").write_text("")
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "y").stat().st_mode


def test_a_full_disk_is_one_clear_error():
    with (
        pytest.raises(DataError, match=r"/dev/full/x: cannot be written"),
        atomic_file("/dev/full/x"),
    ):
        pass


def test_a_write_that_fails_midway_leaves_nothing(tmp_path):
    """A file size limit stands in for a full disk."""

    def fill() -> None:
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            with atomic_file(tmp_path / "x") as part:
                part.write_bytes(b"x" * 100_000)
        except DataError as error:
            os._exit(7 if "cannot be written" in str(error) else 1)
        os._exit(0)

    child = multiprocessing.get_context("fork").Process(target=fill)
    child.start()
    child.join()
    assert child.exitcode == 7
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writer_leaves_the_old_folder(tmp_path):
    target = tmp_path / "out"
    with atomic_folder(target) as part:
        (part / "a").write_text("old")

    def write() -> None:
        with atomic_folder(target, replace=True) as part:
            (part / "a").write_text("new")
            time.sleep(60)

    child = multiprocessing.get_context("fork").Process(target=write)
    child.start()
    while not list(tmp_path.glob(".out.*/a")):
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert (target / "a").read_text() == "old"


def test_making_a_file_private_that_is_there_drops_no_lock_on_it(tmp_path):
    """SQLite's locks are the process's: to close the file anywhere in it would drop them all."""
    file = tmp_path / "chat.db"
    make_private(file)
    other = (
        "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    )
    with file.open("r+b") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        make_private(file)
        tried = subprocess.run([sys.executable, "-c", other, file], stderr=subprocess.PIPE)
    assert tried.returncode
    assert b"BlockingIOError" in tried.stderr
